"""What a data set is once it is in memory, whatever it was read from."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError

# ImageNet's training images are numbered within their class, up to some 10**5.
IMAGENET_BITS = 22
MOST_DIGITS = 18


@dataclasses.dataclass(frozen=True)
class Split:
    """Labelled images in their canonical order.

    Attributes:
      images: uint8 [n, h, w, c]; of points in the plane float32 [n, 1, 2, 1].
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
    """A training and a test split of images of one shape.

    Attributes:
      further: splits that are measured beside the test set, by name.
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    further: Mapping[str, Split] = dataclasses.field(default_factory=dict)

    @property
    def num_classes(self) -> int:
        """The number of classes; labels lie in [0, num_classes)."""
        return len(self.class_names)


def example_ids(
    texts: Sequence[bytes] | None, labels: np.ndarray, file_names: bool = False
) -> np.ndarray:
    """The ids that corruptions are keyed by.

    Args:
      texts: what tfds gives as `id`, such as b"train_16399", or as `file_name`; None where
        it gives neither.
      labels: integers [n].
      file_names: whether `texts` are names of files.

    Returns:
      uint32 [n]. Of `id`: the integers that the texts end in. Of names as ImageNet's
      training images have, nXXXXXXXX_NUMBER.JPEG, whose numbers repeat in other classes:
      label * 2**22 + NUMBER. Of other names: the integers before the extension. All of
      this where it can be done with every text, no two are equal and all fit; else the
      positions 0 .. n - 1.
    """
    count = len(labels)
    if texts is not None and count:
        words = np.asarray(texts, np.bytes_)
        characters = words.view(np.uint8).reshape(count, -1)
        ends = np.strings.str_len(words)
        if file_names:
            dots = np.strings.rfind(words, b".")
            ends = np.where(dots < 0, ends, dots)
        numbers = _last_integers(characters, ends)
        if file_names and _are_imagenet_names(characters, ends):
            small = (numbers < 1 << IMAGENET_BITS) & (labels >= 0) & (labels < 1 << 10)
            if small.all():
                numbers += np.asarray(labels, np.int64) << IMAGENET_BITS
        in_order = np.sort(numbers)
        if in_order[0] >= 0 and in_order[-1] < 1 << 32 and (np.diff(in_order) > 0).all():
            return numbers.astype(np.uint32)
    return np.arange(count, dtype=np.uint32)


def _last_integers(characters: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The decimal integer before `ends` in each row: int64 [n]; -1 where none that fits."""
    rows = np.arange(len(ends))
    numbers, digits = np.zeros(len(ends), np.int64), np.zeros(len(ends), np.int64)
    going = np.ones(len(ends), bool)
    for k in range(min(MOST_DIGITS + 1, characters.shape[1])):
        found = characters[rows, np.maximum(ends - 1 - k, 0)].astype(np.int64) - ord("0")
        going &= (ends > k) & (found >= 0) & (found <= 9)
        if not going.any():
            break
        digits += going
        if k < MOST_DIGITS:
            numbers += np.where(going, found, 0) * 10**k
    return np.where((digits > 0) & (digits <= MOST_DIGITS), numbers, -1)


def _are_imagenet_names(characters: np.ndarray, ends: np.ndarray) -> bool:
    """Whether all are a synset such as n01440764, an underscore and a number."""
    if characters.shape[1] < 11:
        return False
    is_digit = (characters >= ord("0")) & (characters <= ord("9"))
    is_digit |= np.arange(characters.shape[1]) >= ends[:, None]
    is_synset = (characters[:, 0] == ord("n")) & is_digit[:, 1:9].all(1)
    is_numbered = (characters[:, 9] == ord("_")) & is_digit[:, 10:].all(1) & (ends > 10)
    return bool((is_synset & is_numbered).all())


def labels_and_ids(
    name: str,
    split: str,
    labels: np.ndarray,
    num_classes: int,
    texts: Sequence[bytes] | None = None,
    file_names: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Checks the labels of any source and gives the examples their ids.

    Args:
      name: the data set, for the message.
      split: "train" or "test", for the message.
      labels: [n], any integer type.
      num_classes: labels must lie in [0, num_classes).
      texts: see `example_ids`.
      file_names: see `example_ids`.

    Returns:
      Labels int32 [n] and ids uint32 [n].

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
    return labels.astype(np.int32), example_ids(texts, labels, file_names)


def make_split(
    name: str, split: str, images: np.ndarray, labels: np.ndarray, num_classes: int
) -> Split:
    """A split whose ids are its positions; see `labels_and_ids`.

    Args:
      name: the data set, for the message.
      split: "train" or "test", for the message.
      images: uint8 [n, h, w, c].
      labels: [n], any integer type.
      num_classes: labels must lie in [0, num_classes).

    Raises:
      UserError: there is no example, or a label outside the classes.
    """
    return Split(images, *labels_and_ids(name, split, labels, num_classes))


def make_dataset(name: str, train: Split, test: Split, class_names: Sequence[str]) -> Dataset:
    """Checks that the two splits fit together.

    Raises:
      UserError: fewer than two classes, or images of different shapes.
    """
    check_splits(name, train.images.shape[1:], test.images.shape[1:], class_names)
    return Dataset(name, train, test, tuple(class_names))


def check_splits(
    name: str, train: tuple[int, ...], test: tuple[int, ...], class_names: Sequence[str]
) -> None:
    """Checks that two splits with images of these shapes [h, w, c] fit together.

    Raises:
      UserError: fewer than two classes, or images of different shapes.
    """
    if len(class_names) < 2:
        raise UserError(f"dataset={name!r} has {len(class_names)} class; at least 2 are needed.")
    if train != test:
        sizes = " and ".join("x".join(map(str, shape)) for shape in (train, test))
        raise UserError(
            f"dataset={name!r} has images of {sizes} (height x width x channels) in its training "
            "and test split; one shape is needed: image_size=32, say, brings all to 32x32."
        )


def one_line(said: object) -> str:
    """What another library says (an exception or a text), short enough to quote in a message."""
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= 240 else text[:240] + "..."


class Parts(NamedTuple):
    """Positions in a training split, int64.

    Attributes:
      train: which examples to train on; None: all, in their order.
      validation: which to choose hyper-parameters by.
    """

    train: np.ndarray | None
    validation: np.ndarray


def chosen_parts(
    name: str, count: int, train_examples: int, seed: int, validation_examples: int = 0
) -> Parts:
    """Which training examples to keep, and which to set aside for validation.

    Both are of one permutation that depends on `seed` and `count` alone: its beginning is
    trained on, so a smaller part lies within a larger one; its end is for validation, the
    same whatever is trained on.

    Args:
      name: the data set, for the message.
      count: how many there are.
      train_examples: how many to train on; 0 takes all that are not for validation, in
        their order.
      seed: at least 0.
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
    """The data set with the parts of its training split that `chosen_parts` says.

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
