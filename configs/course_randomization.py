"""Lesson: the paper's randomization tests, six settings on two slides.

    python -m rethinking_jax.main --config=configs/course_randomization.py
    python -m rethinking_jax.main --config=configs/course_randomization.py:dataset=cifar10

The MLP 1x512 with SGD with momentum on true, half random and random labels, shuffled pixels, random
pixels and Gaussian noise: training images with their labels on one slide, the curves with the
final accuracies on the other. Arguments: model, dataset, seeds, epochs, train_examples (0: all).

Expected: training accuracy 1.0 in all six; on true labels, and on shuffled pixels with an MLP,
the network generalizes, on random labels and noise it tests at chance.

Takes 2 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.corruption import SETTINGS


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each setting and seed."""
    chosen = parse_argument(
        argument,
        positional="model",
        model="mlp_1x512",
        dataset="mnist5k",
        seeds=3,
        epochs=150,
        train_examples=0,
    )
    config = recipe.cifar_config(
        "course_randomization", chosen.dataset, chosen.train_examples, chosen.epochs
    )
    config.model = chosen.model
    members = [{"name": setting, "corruption": setting} for setting in SETTINGS]
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
