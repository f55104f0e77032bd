"""What a data set is once it is in memory, whatever it was read from."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from rethinking_jax.errors import UserError


@dataclasses.dataclass(frozen=True)
class Split:
    """Labelled images in their canonical order.

    Attributes:
      images: uint8 [n, h, w, c].
      labels: int32 [n].
      ids: uint32 [n], unique within the split and the same for everyone (`example_ids`).
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray

    def take(self, indices: np.ndarray) -> "Split":
        """The examples at `indices` (integers or a mask of booleans), with their ids."""
        return Split(self.images[indices], self.labels[indices], self.ids[indices])


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A training and a test split of images of one shape."""

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """The number of classes; labels lie in [0, num_classes)."""
        return len(self.class_names)


def example_ids(texts: Sequence[str] | None, n: int) -> np.ndarray:
    """The ids that corruptions are keyed by.

    Args:
      texts: what tfds gives as `id`, such as "train_16399", or None.
      n: the number of examples.

    Returns:
      uint32 [n]: the integers that the texts end in, where every text ends in one, no two
      are equal and all fit; else the positions 0 .. n - 1.
    """
    endings = [re.search(r"[0-9]+$", text) for text in texts or ()]
    numbers = [int(ending.group()) for ending in endings if ending]
    if len(numbers) == n and len(set(numbers)) == n and max(numbers, default=0) < 2**32:
        return np.array(numbers, np.uint32)
    return np.arange(n, dtype=np.uint32)


def make_split(
    name: str,
    split: str,
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    texts: Sequence[str] | None = None,
) -> Split:
    """Checks the labels of any source and gives the examples their ids.

    Args:
      name: the data set, for the message.
      split: "train" or "test", for the message.
      images: uint8 [n, h, w, c].
      labels: [n], any integer type.
      num_classes: labels must lie in [0, num_classes).
      texts: see `example_ids`.

    Raises:
      UserError: there is no example, or a label outside the classes.
    """
    if not len(labels):
        raise UserError(f"dataset={name!r} has no examples in its {split} split.")
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        raise UserError(
            f"dataset={name!r}: the label at index {wrong[0]} of the {split} split is "
            f"{labels[wrong[0]]}, outside the classes 0..{num_classes - 1}."
        )
    return Split(images, labels.astype(np.int32), example_ids(texts, len(labels)))


def make_dataset(name: str, train: Split, test: Split, class_names: Sequence[str]) -> Dataset:
    """Checks that the two splits fit together.

    Raises:
      UserError: fewer than two classes, or images of different shapes.
    """
    if len(class_names) < 2:
        raise UserError(f"dataset={name!r} has {len(class_names)} class; at least 2 are needed.")
    shapes = [split.images.shape[1:] for split in (train, test)]
    if shapes[0] != shapes[1]:
        sizes = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise UserError(
            f"dataset={name!r} has images of {sizes} (height x width x channels) in its training "
            "and test split; one shape is needed: image_size=32, say, brings all to 32x32."
        )
    return Dataset(name, train, test, tuple(class_names))


def one_line(said: object) -> str:
    """What another library says (an exception or a text), short enough to quote in a message."""
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= 240 else text[:240] + "..."


def chosen_part(name: str, count: int, train_examples: int, seed: int) -> np.ndarray | None:
    """Which training examples to keep; a smaller part lies within a larger one.

    Args:
      name: the data set, for the message.
      count: how many there are.
      train_examples: how many to keep; 0 keeps all.
      seed: at least 0.

    Returns:
      int64 [train_examples], the beginning of a permutation that depends on `seed` and
      `count` alone; None: all, in their order.

    Raises:
      UserError: `train_examples` is negative or more than there are.
    """
    if not 0 <= train_examples <= count:
        raise UserError(
            f"train_examples={train_examples} is out of range: {name!r} has {count:,} "
            f"training examples, so give 1..{count}, or 0 for all."
        )
    if train_examples == 0:
        return None
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(count)
    return order[:train_examples]


def subset(dataset: Dataset, train_examples: int, seed: int) -> Dataset:
    """The data set with the part of its training split that `chosen_part` says, with its ids."""
    chosen = chosen_part(dataset.name, len(dataset.train.labels), train_examples, seed)
    if chosen is None:
        return dataset
    return dataclasses.replace(dataset, train=dataset.train.take(chosen))
