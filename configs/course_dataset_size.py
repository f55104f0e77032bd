"""Lesson: data is the best regularizer: test error against the number of training examples.

    python -m rethinking_jax.main --config=configs/course_dataset_size.py
    python -m rethinking_jax.main \\
        --config=configs/course_dataset_size.py:dataset=cifar10,largest=50000

The MLP 120-84 on 125, 250, 500 ... examples, each with and without augmentation, the same number
of steps for all. Arguments: smallest, largest, augmentation (see `rethinking_jax.augment`;
crop needs images larger than crop_size), dataset, seeds, steps.

Expected: the error falls as a power of the number of examples, a straight line on logarithmic
scales; twice the data wins more than augmentation. Cost: a minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax import recipe
from rethinking_jax.config import parse_argument, runs
from rethinking_jax.errors import UserError

BATCH = 64


def get_config(argument: str = "") -> ConfigDict:
    """A run for each number of examples, with and without augmentation, and each seed."""
    chosen = parse_argument(
        argument,
        dataset="mnist5k",
        smallest=125,
        largest=4000,
        augmentation="crop+rotate",
        crop_size=24,
        seeds=3,
        steps=2000,
    )
    if not BATCH <= chosen.smallest <= chosen.largest or chosen.steps < 1:
        raise UserError(
            f"the config's arguments: smallest must be at least {BATCH} and at most largest, "
            "steps at least 1"
        )
    chosen.unlock()
    chosen.update(epochs=1, train_examples=0)
    config = recipe.course_config("course_dataset_size", chosen)
    config.batch_size = BATCH
    config.last_batch = "drop"
    config.crop_size = chosen.crop_size
    config.momentum = 0.9
    members, size = [], chosen.smallest
    while size <= chosen.largest:
        for names in ("", chosen.augmentation):
            members.append(
                {
                    "name": f"n={size},{names or 'none'}",
                    "train_examples": size,
                    "augmentation": names,
                    "epochs": -(-chosen.steps // (size // BATCH)),
                }
            )
        size *= 2
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
