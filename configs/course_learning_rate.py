"""Lesson: the learning rate over decades: too slow, best, divergent.

    python -m rethinking_jax.main --config=configs/course_learning_rate.py
    python -m rethinking_jax.main --config=configs/course_learning_rate.py:dataset=cifar10

The MLP 120-84 with SGD without momentum, all learning rates in one program. Arguments: low and
high (powers of ten), per_decade (how many), dataset, seeds, epochs, train_examples (0: all).

Expected: below 0.001 the loss hardly moves, near 0.3 it is lowest, from 1 on it stops being a
number: for two seeds of three at 1 and at 3.16, for all at 10.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.errors import UserError


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each decade and seed."""
    chosen = parse_argument(
        argument,
        low=-5,
        high=1,
        per_decade=2,
        dataset="mnist5k",
        seeds=3,
        epochs=20,
        train_examples=0,
    )
    if not -20 <= chosen.low < chosen.high <= 4 or chosen.per_decade < 1:
        raise UserError(
            "the config's arguments: low must be below high, high at most 4, per_decade at least 1"
        )
    config = recipe.course_config("course_learning_rate", chosen)
    count = (chosen.high - chosen.low) * chosen.per_decade + 1
    rates = [float(f"{10 ** (chosen.low + i / chosen.per_decade):.3g}") for i in range(count)]
    members = [{"name": f"learning_rate={rate:g}", "learning_rate": rate} for rate in rates]
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
