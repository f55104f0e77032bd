"""Lesson: gradient descent against SGD with small batches, by epochs and by time.

    python -m rethinking_jax.main --config=configs/course_batch_size.py
    python -m rethinking_jax.main --config=configs/course_batch_size.py:dataset=cifar10,epochs=100

The MLP 120-84 with SGD without momentum at one learning rate. Arguments: batch_sizes (joined
by +; 0 is the whole training set: gradient descent), dataset, seeds, epochs, train_examples
(0: all), learning_rate. Batches that make few steps in an epoch train up to twenty times as
many epochs, so that times can be compared.

Expected: per epoch the small batches are far ahead; per second of training a batch between is the
fastest, for a small one leaves the machine idle.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.errors import UserError


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each batch size and seed."""
    chosen = parse_argument(
        argument,
        positional="batch_sizes",
        batch_sizes="8+32+128+512+0",
        dataset="mnist5k",
        seeds=3,
        epochs=20,
        train_examples=0,
        learning_rate=0.05,
    )
    config = recipe.course_config("course_batch_size", chosen)
    config.learning_rate = chosen.learning_rate
    members = []
    for size in chosen.batch_sizes.split("+"):
        if not size.isdigit():
            raise UserError(
                f"the config's argument batch_sizes={chosen.batch_sizes}: {size!r} is no number"
            )
        batch = int(size)
        longer = 20 if batch == 0 else 4 if batch > 128 else 1
        name = f"batch_size={batch or 'all'}"
        members.append({"name": name, "batch_size": batch, "epochs": longer * chosen.epochs})
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
