"""The shapes of data sets, whose images need not be on the disk."""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.config import Member
from rethinking_jax.corruption import CORRUPTIONS, GivenLabels, Moments
from rethinking_jax.data.dataset import Dataset, Reader, Shape, Split
from rethinking_jax.data.load import load_dataset, origin_of
from rethinking_jax.data.origin import Request
from rethinking_jax.data.parts import subset
from rethinking_jax.data.runs import crop_once, dataset_key, is_too_large, settle_batch
from rethinking_jax.errors import UserError
from rethinking_jax.step.preprocess import center_crop


class Size(NamedTuple):
    """How large a data set is.

    Attributes:
      train: the number of its training examples.
      test: the number of its test examples.
      classes: the number of its classes.
      shape: that of its images, (h, w, c); of height and width 0 where these differ.
    """

    train: int
    test: int
    classes: int
    shape: Shape


# Sets of tfds whose sizes need no look at the disk, by the pages of its catalogue.
SIZES = {
    "cifar10": Size(50_000, 10_000, 10, (32, 32, 3)),
    "cifar100": Size(50_000, 10_000, 100, (32, 32, 3)),
    "fashion_mnist": Size(60_000, 10_000, 10, (28, 28, 1)),
    "imagenet2012": Size(1_281_167, 50_000, 1000, (0, 0, 3)),
    "imagenet_resized/32x32": Size(1_281_167, 50_000, 1000, (32, 32, 3)),
    "imagenet_resized/64x64": Size(1_281_167, 50_000, 1000, (64, 64, 3)),
    "kmnist": Size(60_000, 10_000, 10, (28, 28, 1)),
    "mnist": Size(60_000, 10_000, 10, (28, 28, 1)),
    "mnist5k": Size(4_000, 1_000, 10, (28, 28, 1)),
    "svhn_cropped": Size(73_257, 26_032, 10, (32, 32, 3)),
}


def shapes_of(members: Sequence[Member], memory_bytes: int) -> dict[str, Dataset]:
    """Returns the data sets of some runs, as `load_datasets` does, with shapes for images.

    Args:
      members: the runs; a batch_size of 0 becomes the number of training examples.
      memory_bytes: the memory of a device: a set that takes too much of it is streamed.

    Raises:
      UserError: the size of a set is not known, or a run asks for more than it has.
    """
    datasets: dict[str, Dataset] = {}
    for _, config in members:
        key = dataset_key(config)
        if key not in datasets:
            datasets[key] = _of_run(config, memory_bytes)
        settle_batch(config, len(datasets[key].train))
        datasets[key] = _with_given_labels(datasets[key], config)
    return datasets


def size_of(request: Request) -> Size:
    """Returns the size of a set of tfds, looking at no more of it than that takes.

    Raises:
      UserError: it is known only from the data, which are not there.
    """
    name, _, _ = request.name.partition(":")  # of cifar10:3.0.2, say, the version
    if name in SIZES:
        return SIZES[name]
    return _size_of_records(request)


def _size_of_records(request: Request) -> Size:
    from rethinking_jax.data.hold_out import held_out
    from rethinking_jax.data.tfds.prepare import is_prepared, open_builder
    from rethinking_jax.data.tfds.records import open_records

    builder = open_builder(request.name, request.data_dir)
    if not is_prepared(builder):
        _refuse(request.name)
    train, test = open_records(request.name, builder)
    height, width, channels = train.image_shape
    shape = (height or 0, width or 0, channels)
    if test is not None:
        return Size(len(train), len(test), train.num_classes, shape)
    held = int(held_out(np.arange(len(train)) % train.num_classes).sum())
    return Size(len(train) - held, held, train.num_classes, shape)


def _refuse(name: str) -> NoReturn:
    raise UserError(
        f"config.dataset={name!r} is not prepared here, and its size is not known without: known "
        f"are {', '.join(SIZES)}; python -m rethinking_jax.prepare {name} prepares it"
    )


def _of_run(config: ConfigDict, memory_bytes: int) -> Dataset:
    """Returns what a run has of its data set, on the device and cropped, or streamed."""
    request = Request(config.dataset, config.data_dir, config.manual_dir, config.cache_dir,
                      config.image_size)  # fmt: skip
    parts = config.train_examples, config.data_seed, config.validation_examples
    if origin_of(request).stream is None:  # a folder, a file, or points: quickly read
        found = load_dataset(config.dataset, image_size=config.image_size)
        return _on_device(subset(found, *parts), crop_once(config))
    size = size_of(request)
    shape = _scaled(request, size.shape)
    bytes_in_memory = (size.train + size.test) * math.prod(shape)
    moments = Moments(np.zeros(shape[2], np.float32), np.ones(shape[2], np.float32))
    train, test = (_split(count, size.classes, shape) for count in (size.train, size.test))
    names = tuple(map(str, range(size.classes)))
    whole = Dataset(config.dataset, train, test, names, moments=moments)
    dataset = subset(whole, *parts)
    if config.input in ("stream", "cache") or (
        config.input == "auto" and is_too_large(bytes_in_memory, memory_bytes)
    ):
        return dataset
    return _on_device(dataset, crop_once(config))


def _scaled(request: Request, shape: Shape) -> Shape:
    if request.image_size:
        return request.image_size, request.image_size, shape[2]
    if not shape[0]:
        raise UserError(
            f"config.image_size=0 (as they are) cannot be: the images of dataset={request.name!r} "
            "have different sizes. Give a side in pixels, for example 224."
        )
    return shape


def _split(count: int, classes: int, shape: Shape) -> Split:
    """Makes as many examples of each class as of any other, whose images cannot be read."""
    labels = (np.arange(count) % classes).astype(np.int32)
    return Split(Reader(_no_pixels, shape, 1, "cache"), labels, np.arange(count, dtype=np.uint32))


def _no_pixels(positions: np.ndarray) -> NoReturn:
    raise TypeError("these examples have shapes alone")


def _on_device(dataset: Dataset, crop_size: int) -> Dataset:
    """Returns the data set as it is on a device: shapes of all images, cropped."""

    def whole(split: Split) -> Split:
        dtype = np.dtype(np.uint8) if split.streamed else split.images.dtype
        stored = jax.ShapeDtypeStruct((len(split), *split.image_shape), dtype)
        cropped = jax.eval_shape(lambda images: center_crop(images, crop_size), stored)
        return dataclasses.replace(split, stored=cropped)

    return dataclasses.replace(
        dataset,
        train=whole(dataset.train),
        test=whole(dataset.test),
        further={name: whole(split) for name, split in dataset.further.items()},
        uncropped=dataset.image_shape,
    )


def _with_given_labels(dataset: Dataset, config: ConfigDict) -> Dataset:
    """Adds labels in the place of those of the file that a run names."""
    if not CORRUPTIONS[config.corruption].from_file:
        return dataset
    order = np.argsort(dataset.train.ids)
    labels = GivenLabels(dataset.train.ids[order], dataset.train.labels[order])
    given = {**dataset.given, config.labels_file: labels}
    return dataclasses.replace(dataset, given=given)
