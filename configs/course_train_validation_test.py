"""Lesson: train, validation, test: who chooses, and who is asked once.

    python -m rethinking_jax.main --config=configs/course_train_validation_test.py
    python -m rethinking_jax.main \\
        --config=configs/course_train_validation_test.py:dataset=cifar10,validation=5000

Two MLPs, each with five learning rates. The training set gives up `validation` of its
examples, chosen by a seed; they say which setting is the best, and only that one looks at the
test set, once, as it ended. Arguments: validation, sizes (such as 120-84, joined by +), rates
(joined by +), dataset, seeds, epochs, train_examples (0: all that are left).

Expected on mnist5k: 0.9 to 0.94 on the validation set and as much in test; 500 digits cannot tell
the best settings apart.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, product, recipe, runs, sweep
from rethinking_jax.errors import UserError


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each network, learning rate and seed."""
    chosen = parse_argument(
        argument,
        validation=500,
        sizes="120-84+480-240-120",
        rates="0.001+0.003+0.01+0.03+0.1",
        dataset="mnist5k",
        seeds=3,
        epochs=20,
        train_examples=0,
    )
    if chosen.validation < 1:
        raise UserError(f"the config's argument validation={chosen.validation}: must be at least 1")
    config = recipe.course_config("course_train_validation_test", chosen)
    config.validation_examples = chosen.validation
    config.momentum = 0.9
    networks = sweep("hidden_sizes", recipe.hidden_layers(chosen.sizes))
    rates = sweep("learning_rate", recipe.numbers("rates", chosen.rates))
    members = [{"name": _name(one), **one} for one in product(networks, rates)]
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config


def _name(override: Overrides) -> str:
    return f"{'-'.join(map(str, override['hidden_sizes']))},{override['learning_rate']:g}"
