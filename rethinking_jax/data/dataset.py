"""What a data set is, whatever it was read from and wherever its images are."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rethinking_jax.corruption import NO_MOMENTS, GivenLabels, Moments
from rethinking_jax.data.ids import example_ids
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath

if TYPE_CHECKING:
    import jax

Array: TypeAlias = "np.ndarray | jax.Array"
Shape = tuple[int, int, int]  # (height, width, channels)
# Positions int [b], in any order and with repeats -> uint8 [b, h, w, c].
Read = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads the images of a split when they are needed.

    Attributes:
      read: reads the images at some positions; threads may share it, and it travels between
        processes.
      shape: the shape of each image, (h, w, c).
      slice_size: how many positions one task should take.
      kind: "stream" (images are decoded when they are read) or "cache".
      records: the version and the size of the records that it reads, where they are known.
      made_of: all that the pixels depend on, in words, where that is known.
      folders: the folders in which something may be kept that is found out about them, see
        `rethinking_jax.data.kept`.
    """

    read: Read
    shape: Shape
    slice_size: int
    kind: str
    records: str = ""
    made_of: str = ""
    folders: tuple[AnyPath, ...] = ()

    def rows(self, positions: np.ndarray) -> Reader:
        """Reads some rows of the split as if there were no others."""
        return dataclasses.replace(self, read=_Rows(self.read, positions))


@dataclasses.dataclass(frozen=True)
class _Rows:
    """A `Read` of some rows; a class, so that it travels between processes."""

    read: Read
    rows: np.ndarray

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        return self.read(self.rows[positions])


@dataclasses.dataclass(frozen=True)
class Split:
    """Labelled images in their canonical order.

    Attributes:
      stored: the images, uint8 [n, h, w, c] (of points in the plane float32 [n, 1, 2, 1]), on
        the host or on the device; or what reads them.
      labels: int32 [n].
      ids: uint32 [n], unique within the split and the same for everyone (`ids.example_ids`).
    """

    stored: Array | Reader
    labels: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        """Returns the number of examples."""
        return len(self.labels)

    @property
    def images(self) -> Array:
        """The images of a split that is in memory."""
        if isinstance(self.stored, Reader):
            raise TypeError("this split is streamed: read() gives its images")
        return self.stored

    @property
    def reader(self) -> Reader:
        """What reads the images of a streamed split."""
        if not isinstance(self.stored, Reader):
            raise TypeError("this split is in memory: it has images")
        return self.stored

    @property
    def streamed(self) -> bool:
        """Says whether the images are read when they are needed."""
        return isinstance(self.stored, Reader)

    @property
    def image_shape(self) -> Shape:
        """The shape of each image, (h, w, c)."""
        if isinstance(self.stored, Reader):
            return self.stored.shape
        height, width, channels = self.stored.shape[1:]
        return height, width, channels

    def read(self, positions: np.ndarray) -> Array:
        """Reads the images at some positions (integers [b]): [b, h, w, c]."""
        if isinstance(self.stored, Reader):
            return self.stored.read(positions)
        return self.stored[positions]

    def take(self, indices: np.ndarray) -> Split:
        """Returns the examples at `indices` (integers or a mask of booleans), with their ids."""
        if isinstance(self.stored, Reader):
            positions = np.flatnonzero(indices) if indices.dtype == bool else indices
            stored: Array | Reader = self.stored.rows(positions)
        else:
            stored = self.stored[indices]
        return Split(stored, self.labels[indices], self.ids[indices])


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A training and a test split of images of one shape.

    Attributes:
      name: what `config.dataset` calls it.
      train: the examples to train on.
      test: the examples to test on.
      class_names: the classes' names, in the order of their numbers.
      further: splits that are measured beside the test set, by name; the split "validation"
        is measured in its place.
      moments: the mean and standard deviation of the training pixels, where they are needed.
      uncropped: the shape that each image had before it was cropped, (h, w, c); None where the
        images are whole.
      given: labels of the training examples that are read from files, by what `config.labels_file`
        calls them; see `rethinking_jax.data.given_labels`.
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    further: Mapping[str, Split] = dataclasses.field(default_factory=dict)
    moments: Moments = NO_MOMENTS
    uncropped: Shape | None = None
    given: Mapping[str, GivenLabels] = dataclasses.field(default_factory=dict)

    @property
    def num_classes(self) -> int:
        """The number of classes; labels lie in [0, num_classes)."""
        return len(self.class_names)

    @property
    def splits(self) -> dict[str, Split]:
        """All splits by name; "train" and "test" come first."""
        return {"train": self.train, "test": self.test, **self.further}

    @property
    def measured(self) -> tuple[str, ...]:
        """The splits that are measured after every epoch, besides the training set.

        Where hyper-parameters are chosen by validation, the test set is not among them: it
        is looked at once, when all is chosen (`rethinking_jax.sweep.selection`).
        """
        test = () if "validation" in self.further else ("test",)
        return (*test, *self.further)

    @property
    def streamed(self) -> bool:
        """Says whether images are read when they are needed; else all are in memory."""
        return self.train.streamed

    @property
    def image_shape(self) -> Shape:
        """The shape of each stored image, (h, w, c)."""
        return self.train.image_shape

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of the labels and ids of all splits and the images' shape."""
        sha = hashlib.sha256(str((self.image_shape, self.class_names)).encode())
        for name, split in self.splits.items():
            sha.update(f"{name} {len(split)}".encode())
            sha.update(split.labels.astype("<i4").tobytes())
            sha.update(split.ids.astype("<u4").tobytes())
        return sha.hexdigest()[:8]

    @property
    def holds_points(self) -> bool:
        """Says whether images are points, whose values are no pixels."""
        return not self.streamed and self.train.images.dtype != np.uint8


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
    """Returns a split whose ids are its positions; see `labels_and_ids`.

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
    """Returns a data set of two splits, after checking that they fit together.

    Raises:
      UserError: fewer than two classes, or images of different shapes.
    """
    if len(class_names) < 2:
        raise UserError(f"dataset={name!r} has {len(class_names)} class; at least 2 are needed.")
    if train.image_shape != test.image_shape:
        shapes = train.image_shape, test.image_shape
        sizes = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise UserError(
            f"dataset={name!r} has images of {sizes} (height x width x channels) in its training "
            "and test split; one shape is needed: image_size=32, say, brings all to 32x32."
        )
    return Dataset(name, train, test, tuple(class_names))


def one_line(said: object) -> str:
    """Returns what another library says, an exception or a text, short enough for a message."""
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= 240 else text[:240] + "..."
