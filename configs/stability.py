"""Section 2.2 of the paper: uniform stability, by twins that differ in one training example.

    python -m rethinking_jax.main --config=configs/stability.py

500 digits of mnist5k (no download), true and random labels, four seeds, two twins of each: 24
runs of an MLP with 128 hidden units as one sweep. The argument names the data set, settings
(joined by +: true_labels, partially_corrupted_labels, random_labels), the network (a name of a
model, or mlp_DxW for D hidden layers of width W), seeds, twins, epochs and train_examples (0:
all), for instance `:model=mlp_1x512,seeds=8`.

Expected: twins move further apart on random labels than on true ones, and on either some loss
changes far more than 1 / n, which is what uniform stability would allow. A command that was
stopped starts again.

Takes 40 seconds of CPU time.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs, sweep
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each setting."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        corruption="true_labels+random_labels",
        model="mlp_1x128",
        seeds=4,
        twins=2,
        epochs=60,
        train_examples=500,
    )
    network = recipe.network(chosen.model)
    config = theory_config("stability", **recipe.without(chosen, "corruption", "model"))
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    config.sweep = runs(sweep("corruption", chosen.corruption.split("+")))
    return config
