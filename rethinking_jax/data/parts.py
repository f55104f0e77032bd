"""Parts of a training split: what is trained on, and what is set aside for validation."""

import dataclasses
from typing import NamedTuple

import numpy as np

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.errors import UserError


class Parts(NamedTuple):
    """Positions in a training split, int64.

    Attributes:
      train: the examples to train on; None stands for all, in their order.
      validation: the examples to choose hyper-parameters by.
    """

    train: np.ndarray | None
    validation: np.ndarray


def chosen_parts(
    name: str, count: int, train_examples: int, seed: int, validation_examples: int = 0
) -> Parts:
    """Chooses which examples to train on, and which to set aside for validation.

    Both are taken from one permutation that depends on `seed` and `count` alone. Its
    beginning is trained on, so a smaller part lies within a larger one; its end is for
    validation, the same whatever is trained on.

    Args:
      name: the data set, for the message.
      count: how many examples there are.
      train_examples: how many to train on; 0 takes all that are not for validation, in
        their order.
      seed: the seed of the permutation, at least 0.
      validation_examples: how many to set aside.

    Raises:
      UserError: there are not so many, or none is left to train on.
    """
    if not 0 <= validation_examples < count:
        raise UserError(
            f"validation_examples={validation_examples} is out of range: {name!r} has {count:,} "
            f"training examples, so give 0..{count - 1}."
        )
    rest = count - validation_examples
    if not 0 <= train_examples <= rest:
        besides = f" beside those for validation ({validation_examples:,})"
        raise UserError(
            f"train_examples={train_examples} is out of range: {name!r} has {rest:,} training "
            f"examples{besides if validation_examples else ''}, so give 1..{rest}, or 0 for all."
        )
    if not train_examples and not validation_examples:
        return Parts(None, np.arange(0))
    order = generator(seed, "training_part").permutation(count)
    train = order[:train_examples] if train_examples else np.sort(order[:rest])
    return Parts(train, order[rest:])


def subset(
    dataset: Dataset, train_examples: int, seed: int, validation_examples: int = 0
) -> Dataset:
    """Returns the data set with the parts of its training split that `chosen_parts` chooses.

    Examples keep their ids; those for validation are its further split "validation".
    """
    count = len(dataset.train.labels)
    parts = chosen_parts(dataset.name, count, train_examples, seed, validation_examples)
    if parts.train is None:
        return dataset
    further = dict(dataset.further)
    if len(parts.validation):
        further["validation"] = dataset.train.take(parts.validation)
    return dataclasses.replace(dataset, train=dataset.train.take(parts.train), further=further)
