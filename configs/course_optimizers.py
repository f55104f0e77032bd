"""Lesson: SGD, SGD with momentum, RMSProp and Adam at their usual learning rates.

    python -m rethinking_jax.main --config=configs/course_optimizers.py
    python -m rethinking_jax.main --config=configs/course_optimizers.py:dataset=cifar10

The MLP 120-84 with batches of 128; SGD at 0.01, RMSProp and Adam at 0.001. Arguments: dataset,
seeds, epochs, train_examples (0: all).

Expected: momentum takes far fewer epochs than plain SGD at the same rate, and so do RMSProp and
Adam.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs

OPTIMIZERS = (
    {"name": "sgd", "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.0},
    {"name": "momentum", "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    {"name": "rmsprop", "optimizer": "rmsprop", "learning_rate": 0.001, "momentum": 0.0},
    {"name": "adam", "optimizer": "adam", "learning_rate": 0.001, "momentum": 0.9},
)


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each optimizer and seed."""
    chosen = parse_argument(argument, dataset="mnist5k", seeds=3, epochs=40, train_examples=0)
    config = recipe.course_config("course_optimizers", chosen)
    config.sweep = runs(recipe.seeded(OPTIMIZERS, chosen.seeds))
    return config
