"""Lesson: inputs of 0 to 255 against -1 to 1 against standardized ones.

    python -m rethinking_jax.main --config=configs/course_normalization.py
    python -m rethinking_jax.main --config=configs/course_normalization.py:dataset=cifar10

The MLP 120-84 with SGD without momentum at one learning rate, with the norm of its gradients.
Arguments: dataset, seeds, epochs, train_examples (0: all), learning_rate.

Expected: gradients of raw inputs are more than ten times as large, so that a learning rate that
suits the others is too large for them.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs, sweep


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each scale and seed."""
    chosen = parse_argument(
        argument, dataset="mnist5k", seeds=3, epochs=20, train_examples=0, learning_rate=0.01
    )
    config = recipe.course_config("course_normalization", chosen)
    config.learning_rate = chosen.learning_rate
    config.gradient_norm = True
    members = [
        {"name": member["preprocess"], **member}
        for member in sweep("preprocess", ["raw", "inception", "dataset"])
    ]
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
