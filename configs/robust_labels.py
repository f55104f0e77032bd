"""Training through wrong labels: robust losses, regularizers, co-teaching, and stopping early.

    python -m rethinking_jax.main --config=configs/robust_labels.py

3,600 digits of mnist5k (no download) with 20, 40, 60 and 80 % of their labels drawn anew, and with
40 % of them turned into the next class; ten methods on each, three seeds: 150 runs of an MLP with
512 hidden units, the runs of one method as one program; and plain training on true labels, for the
distance of the weights from their start. 400 further digits with noisy labels are
held out, to stop plain training early without a clean label. The argument names the data set,
methods (joined by +), noise (0 to 1, joined by +), pair (the same, for the next class),
labels_file (PATH.npz:ARRAY, such as human labels of CIFAR-10N; "": none), model, seeds, epochs,
train_examples (0: all) and measure_every, for instance
`:dataset=cifar10,methods=cross_entropy+early_learning,noise=0.4,pair=,seeds=3`.

Expected: plain training memorizes 0.95 to 1.0 of the wrong labels, after it gave most of them
their true class in the first epochs, and ends at test accuracy 0.84 (20 % drawn anew), 0.67, 0.44
and 0.30 (80 %). Co-teaching and generalized cross-entropy end 7 to 37 points above it at 20 to 60
%, forward correction 34 points where labels become the next class; smoothing, dropout and
bootstrapping hardly anywhere. Stopping early on noisy held-out labels beats all of them at 80 %.
A command that was stopped goes on with the first method that is not through.

Takes 10 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.theory.robust_methods import METHODS
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each kind of noise."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        methods="+".join(METHODS),
        noise="0.2+0.4+0.6+0.8",
        pair="0.4",
        labels_file="",
        model="mlp_1x512",
        seeds=3,
        epochs=60,
        train_examples=0,
        measure_every=1,
    )
    network = recipe.network(chosen.model)
    swept = ("noise", "pair", "labels_file", "model")
    config = theory_config("robust_labels", **recipe.without(chosen, *swept))
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    settings: list[Overrides] = [
        {"name": f"{name}={level:g}", "corruption": corruption, "label_noise": level}
        for name, corruption, levels in (
            ("noise", "partially_corrupted_labels", chosen.noise),
            ("pair", "pair_flip", chosen.pair),
        )
        for level in (recipe.numbers(name, levels) if levels else [])
    ]
    if chosen.labels_file:
        name = f"labels={chosen.labels_file.rpartition(':')[2].rpartition('/')[2]}"
        settings.append(
            {"name": name, "corruption": "given_labels", "labels_file": chosen.labels_file}
        )
    config.sweep = runs(settings)
    return config
