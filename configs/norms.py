"""Norms and margins of networks that fit: do they tell true labels from random ones?

    python -m rethinking_jax.main --config=configs/norms.py

MLPs with one hidden layer of 128 and 512 units fit 250, 1,000 and 4,000 digits of mnist5k (no
download) with true labels, with each label drawn anew with probability 1/2, and with random
labels, three seeds: 54 networks, which are measured where their training loss first is 0.01 or
less. Networks of a seed share examples and weights at the start. The argument names the data set,
sizes and widths (each joined by +), noise (levels between true and random labels, joined by +; "":
none), seeds, epochs, fitted_loss, measure_every and train_examples (0: all).

Expected: the distance from the start, spectral complexity and path norm are twice as large with
random labels as with true ones (factors 2.3, 2.0 and 2.3) and grow with about the square root of
the number of examples, on true labels hardly. Margins as they are do not shrink: at the same loss
those of random labels are the larger ones. Over a norm they shrink as the norms grow. A command
that was stopped goes on with the first program that is not through.

Takes 5 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each kind of labels."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        sizes="250+1000+4000",
        widths="128+512",
        noise="0.5",
        seeds=3,
        epochs=120,
        fitted_loss=0.01,
        measure_every=2,
        train_examples=0,
    )
    config = theory_config("norms", **recipe.without(chosen, "noise"))
    between: list[Overrides] = [
        {"name": f"noise={level:g}", "corruption": "partially_corrupted_labels",
         "label_noise": level}
        for level in (recipe.numbers("noise", chosen.noise) if chosen.noise else [])
    ]  # fmt: skip
    ends: list[Overrides] = [{"corruption": name} for name in ("true_labels", "random_labels")]
    config.sweep = runs([ends[0], *between, ends[1]])
    return config
