"""A data set as the runs read it: whole on the device, or streamed from a disk."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.data import Dataset, Split, load_dataset, subset
from rethinking_jax.data.dataset import chosen_parts
from rethinking_jax.data.streamed import (
    Part,
    StreamedDataset,
    StreamedSplit,
    ensure_prepared,
    estimate_bytes,
    open_streamed,
)
from rethinking_jax.errors import UserError
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.models import create_model
from rethinking_jax.step import augment
from rethinking_jax.step.preprocess import center_crop, pixel_moments

# Of the memory that is free on a device: a larger set is streamed.
MEMORY_SHARE = 0.5
# The pixels of a streamed set are measured on its first so many training examples; tfds
# stores examples in a random order.
MOMENT_EXAMPLES = 10_000
MOMENT_BATCH = 500


class SourceSplit(NamedTuple):
    """A split before any corruption."""

    images: jax.Array | None  # uint8 [n, h, w, c] (of points float32); None: streamed
    labels: np.ndarray  # int32 [n]
    ids: np.ndarray  # uint32 [n]


class Source(NamedTuple):
    """A data set; its images are on the device, cropped, or come through `streamed`."""

    num_classes: int
    train: SourceSplit
    test: SourceSplit
    image_shape: tuple[int, int, int]  # of a stored image
    mean: np.ndarray  # float32 [c], of the training pixels, scale 0 to 1
    std: np.ndarray
    streamed: StreamedDataset | None
    class_names: tuple[str, ...] = ()  # () where nobody named them
    # Measured beside the test set, by name; "validation" in its place.
    further: Mapping[str, SourceSplit] = MappingProxyType({})

    @property
    def splits(self) -> dict[str, SourceSplit]:
        """All of them by name; "train" and "test" first."""
        return {"train": self.train, "test": self.test, **self.further}

    @property
    def measured(self) -> tuple[str, ...]:
        """The splits that are measured after every epoch, besides the training set.

        Where hyper-parameters are chosen by validation, the test set is not among them: it
        is looked at once, when all is chosen (`rethinking_jax.sweep.selection`).
        """
        test = () if "validation" in self.further else ("test",)
        return (*test, *self.further)


def load_sources(
    members: Sequence[configs.Member], progress: Callable[[str], None]
) -> dict[str, Source]:
    """Reads each data set that the members name, once; keys as of `source_key`.

    A member's batch_size of 0 becomes the number of its training examples.

    Raises:
      UserError: a data set cannot be had, or a batch is larger than it.
    """
    sources: dict[str, Source] = {}
    for _, config in members:
        key = source_key(config)
        if key not in sources:
            load = _open if _is_streamed(config, progress) else _load
            sources[key] = load(config, progress)
        size = len(sources[key].train.labels)
        config.batch_size = config.batch_size or size
        if config.batch_size > size:
            raise UserError(
                f"config.batch_size={config.batch_size} is more than the {size} training "
                f"examples of {config.dataset}"
            )
    return sources


def source_key(config: ConfigDict) -> str:
    """Names what runs must have in common to read the same source."""
    keys = ("dataset", "image_size", "train_examples", "validation_examples", "data_seed")
    return str([*(config[key] for key in keys), _crop_once(config), _needs_moments(config)])


def _crop_once(config: ConfigDict) -> int:
    """The size to crop to before anything else; 0 where the augmentation crops."""
    return 0 if augment.changes_size(augment.parse(config.augmentation)) else config.crop_size


def _needs_moments(config: ConfigDict) -> bool:
    return config.preprocess == "dataset" or config.corruption == "gaussian"


def _is_streamed(config: ConfigDict, progress: Callable[[str], None]) -> bool:
    if config.input != "auto":
        return bool(config.input != "memory")
    # Only a prepared set says how large it is.
    ensure_prepared(config.dataset, config.data_dir, config.manual_dir, progress)
    size = estimate_bytes(config.dataset, config.data_dir, config.image_size)
    return size is not None and size > MEMORY_SHARE * free_bytes(jax.local_devices()[0])


def _load(config: ConfigDict, progress: Callable[[str], None]) -> Source:
    dataset = load_dataset(
        config.dataset,
        data_dir=config.data_dir,
        manual_dir=config.manual_dir,
        image_size=config.image_size,
        progress=progress,
    )
    if is_points(dataset.train.images):
        _check_points(config)
    parts = config.train_examples, config.data_seed, config.validation_examples
    return to_device(subset(dataset, *parts), _crop_once(config))


def is_points(images: np.ndarray | jax.Array | None) -> bool:
    """Whether images are points, whose values are no pixels."""
    return images is not None and images.dtype != np.uint8


def _check_points(config: ConfigDict) -> None:
    """Refuses what has a meaning for images alone.

    Raises:
      UserError: with what would be right.
    """
    model = create_model(config.model, num_classes=2, hidden_sizes=tuple(config.hidden_sizes))
    convolutional = config.model if getattr(model, "convolutional", False) else ""
    for key, value, right in (
        ("preprocess", config.preprocess, ("none", "dataset")),
        ("augmentation", config.augmentation, ("",)),
        ("crop_size", config.crop_size, (0,)),
        ("image_size", config.image_size, (0,)),
        ("model", convolutional, ("",)),
    ):
        if value not in right:
            wanted = "an MLP" if key == "model" else " or ".join(map(repr, right))
            raise UserError(
                f"config.{key}={value!r} is for images, and dataset={config.dataset!r} holds "
                f"points: take {wanted}"
            )


def to_device(dataset: Dataset, crop_size: int) -> Source:
    """A data set in memory as a source; its images are cropped and put on the device."""

    def split(part: Split) -> SourceSplit:
        images = center_crop(jnp.asarray(part.images), crop_size)
        return SourceSplit(images, part.labels, part.ids)

    train, test = split(dataset.train), split(dataset.test)
    mean, std = pixel_moments(np.asarray(train.images))
    shape: tuple[int, int, int] = train.images.shape[1:]  # type: ignore[assignment, union-attr]
    names = dataset.class_names
    further = {name: split(part) for name, part in dataset.further.items()}
    return Source(dataset.num_classes, train, test, shape, mean, std, None, names, further)


def _open(config: ConfigDict, progress: Callable[[str], None]) -> Source:
    dataset = open_streamed(
        config.dataset,
        data_dir=config.data_dir,
        manual_dir=config.manual_dir,
        image_size=config.image_size,
        cache_dir=config.cache_dir,
        kind="cache" if config.input == "cache" else "auto",
        say=progress,
    )
    if augment.changes_size(augment.parse(config.augmentation)):
        height, width, _ = dataset.train.shape
        progress(f"augmentation crops the stored {height}x{width} images, not the originals")
    dataset = _parted(dataset, config)
    train = dataset.train
    channels = train.shape[-1]
    mean, std = np.zeros(channels, np.float32), np.ones(channels, np.float32)
    if _needs_moments(config):
        mean, std = _moments(train)
    return Source(
        dataset.num_classes,
        SourceSplit(None, train.labels, train.ids),
        SourceSplit(None, dataset.test.labels, dataset.test.ids),
        train.shape,
        mean,
        std,
        dataset,
        dataset.class_names,
        {name: SourceSplit(None, own.labels, own.ids) for name, own in dataset.further.items()},
    )


def _parted(dataset: StreamedDataset, config: ConfigDict) -> StreamedDataset:
    """With the same training and validation examples that `subset` takes."""
    whole = dataset.train
    parts = chosen_parts(
        dataset.name,
        len(whole.labels),
        config.train_examples,
        config.data_seed,
        config.validation_examples,
    )
    if parts.train is None:
        return dataset

    def part(chosen: np.ndarray) -> StreamedSplit:
        read = Part(whole.read, chosen)
        return whole._replace(labels=whole.labels[chosen], ids=whole.ids[chosen], read=read)

    further = {"validation": part(parts.validation)} if len(parts.validation) else {}
    return dataset._replace(train=part(parts.train), further=further)


def _moments(split: StreamedSplit) -> tuple[np.ndarray, np.ndarray]:
    count = min(len(split.labels), MOMENT_EXAMPLES)
    parts = [
        split.read(np.arange(first, min(first + MOMENT_BATCH, count)))
        for first in range(0, count, MOMENT_BATCH)
    ]
    return pixel_moments(np.concatenate(parts))
