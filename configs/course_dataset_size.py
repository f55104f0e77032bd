"""Lesson: data is the best regularizer: test error against the number of training examples.

    python -m rethinking_jax.main --config=configs/course_dataset_size.py
    python -m rethinking_jax.main \\
        --config=configs/course_dataset_size.py:dataset=cifar10,largest=50000

The MLP 120-84 on 125, 250, 500 ... examples, each with and without augmentation, for `steps`
steps, but at least 20 and at most 200 epochs. Arguments: smallest, largest, augmentation (see
`rethinking_jax.step.augment`; crop needs images larger than crop_size), dataset, seeds, steps.

Expected: the error falls as a power of the number of examples, a straight line on logarithmic
scales. The lecture has it that twice the data wins more than augmentation; on mnist5k it is the
other way round at every size that could be doubled, up to 2,000 digits.

Takes 3 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.errors import UserError

BATCH = 32
# Of each run: a small set has so few steps in an epoch that measuring would take all the time.
FEWEST, MOST = 20, 200


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each number of examples, with and without augmentation, and each seed."""
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
    config = recipe.course_config("course_dataset_size", chosen)
    config.batch_size = BATCH
    config.checkpoint_every = 50
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
                    "epochs": max(FEWEST, min(MOST, chosen.steps * BATCH // size)),
                }
            )
        size *= 2
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
