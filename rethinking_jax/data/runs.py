"""The data sets that the runs of a config read: whole on the device, or streamed from a disk."""

import dataclasses
import os
from collections.abc import Callable, Sequence

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import CORRUPTIONS, Moments
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.fingerprint import digests_of, source_of
from rethinking_jax.data.given_labels import with_given_labels
from rethinking_jax.data.load import load_dataset, open_streamed, origin_of
from rethinking_jax.data.moments import streamed_moments
from rethinking_jax.data.origin import Request
from rethinking_jax.data.parts import subset
from rethinking_jax.errors import UserError
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.models import create_model
from rethinking_jax.step import augment
from rethinking_jax.step.preprocess import center_crop, pixel_moments
from rethinking_jax.workdir.folder import TrainingSet

# The share of a device's free memory above which a set is streamed.
MEMORY_SHARE = 0.5


def load_datasets(
    members: Sequence[configs.Member],
    progress: Callable[[str], None],
    given: Dataset | None = None,
) -> dict[str, Dataset]:
    """Reads each data set that the members name, once; its key is `dataset_key`.

    A member's batch_size of 0 becomes the number of its training examples.

    Args:
      members: the runs.
      progress: is given plain lines of progress.
      given: what all runs read instead of the data set that their configs name.

    Returns:
      The parts of each data set that are trained on and measured, before any corruption;
      their images are cropped and on the host, or streamed.

    Raises:
      UserError: a data set or a file of labels cannot be had, or a batch is larger than a set.
    """
    datasets: dict[str, Dataset] = {}
    for _, config in members:
        key = dataset_key(config)
        if key not in datasets:
            datasets[key] = _of_run(_read(config, progress, given), config, progress)
        settle_batch(config, len(datasets[key].train))
    return {
        key: with_given_labels(dataset, [one for _, one in members if dataset_key(one) == key])
        for key, dataset in datasets.items()
    }


def settle_batch(config: ConfigDict, size: int) -> None:
    """Makes a batch_size of 0 the number of training examples.

    Raises:
      UserError: a batch is larger than that.
    """
    config.batch_size = config.batch_size or size
    if config.batch_size > size:
        raise UserError(
            f"config.batch_size={config.batch_size} is more than the {size} training "
            f"examples of {config.dataset}"
        )


def training_sets(
    members: Sequence[configs.Member], datasets: dict[str, Dataset], given: bool = False
) -> list[TrainingSet]:
    """Returns what a workdir keeps of the data sets of `load_datasets`.

    Args:
      members: the runs.
      datasets: the data sets of the runs, by `dataset_key`.
      given: whether they were given in the place of those that the configs name.
    """
    found = []
    for key, dataset in datasets.items():
        own = {name: config for name, config in members if dataset_key(config) == key}
        config = next(iter(own.values()))
        found.append(
            TrainingSet(
                tuple(own),
                dataset.train.ids,
                dataset.num_classes,
                dataset.uncropped or dataset.image_shape,
                "float32" if dataset.holds_points else "uint8",
                np.asarray(dataset.moments.mean).tolist(),
                np.asarray(dataset.moments.std).tolist(),
                digests_of(dataset, crop_once(config)),
                None if given else source_of(list(own.values())),
            )
        )
    return found


def dataset_key(config: ConfigDict) -> str:
    """Names what runs must have in common to read the same data."""
    keys = ("dataset", "image_size", "train_examples", "validation_examples", "data_seed")
    return str([*(config[key] for key in keys), crop_once(config), _needs_moments(config)])


def crop_once(config: ConfigDict) -> int:
    """Returns the size to crop to before anything else; 0 where the augmentation crops."""
    return 0 if augment.changes_size(augment.parse(config.augmentation)) else config.crop_size


def _needs_moments(config: ConfigDict) -> bool:
    return config.preprocess == "dataset" or CORRUPTIONS[config.corruption].needs_moments


def _read(config: ConfigDict, progress: Callable[[str], None], given: Dataset | None) -> Dataset:
    """Returns what a run reads of the data set that its config names, in memory or streamed."""
    keys = ("train_examples", "data_seed", "validation_examples")
    if given is not None:
        return subset(_checked(given, config), *(config[key] for key in keys))
    places = {key: config[key] for key in ("data_dir", "manual_dir", "cache_dir", "image_size")}
    if not _is_streamed(config, progress):
        parts = {key: config[key] for key in keys}
        return load_dataset(config.dataset, **places, **parts, progress=progress)
    kind = "cache" if config.input == "cache" else "auto"
    dataset = open_streamed(config.dataset, **places, kind=kind, say=progress)
    if augment.changes_size(augment.parse(config.augmentation)):
        height, width, _ = dataset.image_shape
        progress(f"augmentation crops the stored {height}x{width} images, not the originals")
    return subset(dataset, *(config[key] for key in keys))


def _is_streamed(config: ConfigDict, progress: Callable[[str], None]) -> bool:
    if config.input != "auto":
        return bool(config.input != "memory")
    request = Request(
        config.dataset,
        config.data_dir,
        config.manual_dir,
        image_size=config.image_size,
        say=progress,
    )
    size = origin_of(request).bytes_in_memory(request)
    return size is not None and is_too_large(size, free_bytes(jax.local_devices()[0]))


def is_too_large(size: int, free: int) -> bool:
    """Says whether images of `size` bytes are streamed where a device has `free` bytes free."""
    return size > MEMORY_SHARE * free


def _checked(given: Dataset, config: ConfigDict) -> Dataset:
    """Returns a data set that the caller gave, where nothing in the config speaks against it.

    Raises:
      UserError: with the key that has no effect on it.
    """
    way = "stream" if given.streamed else "memory"
    for key, right in (("image_size", 0), ("input", way)):
        if config[key] not in (right, "auto"):
            raise UserError(
                f"config.{key}={config[key]!r} has no effect on a data set that is given: "
                f"take {right!r}"
            )
    return given


def _of_run(dataset: Dataset, config: ConfigDict, progress: Callable[[str], None]) -> Dataset:
    """Returns the parts of a data set as a run needs them: cropped, or with moments."""
    if dataset.holds_points:
        _check_points(config)
    crop_size = crop_once(config)
    if not dataset.streamed:
        return cropped(dataset, crop_size)
    if not _needs_moments(config):
        return dataset
    threads = config.read_threads or os.cpu_count() or 1
    moments = streamed_moments(dataset.name, dataset.train, crop_size, threads, progress)
    return dataclasses.replace(dataset, moments=moments)


def _check_points(config: ConfigDict) -> None:
    """Refuses what has a meaning for images alone.

    Raises:
      UserError: with what would be right.
    """
    model = create_model(config.model, num_classes=2, hidden_sizes=tuple(config.hidden_sizes))
    convolutional = config.model if model.convolutional else ""
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


def cropped(dataset: Dataset, crop_size: int) -> Dataset:
    """Crops the images of a data set in memory, and measures them.

    They stay on the host: an engine puts them on the devices flat (see `sweep.held`), and there
    images [n, h, w, c] could take several times their bytes.
    """

    def split(part: Split) -> Split:
        images = center_crop(np.asarray(part.images), crop_size)
        return dataclasses.replace(part, stored=np.ascontiguousarray(images))

    train = split(dataset.train)
    return dataclasses.replace(
        dataset,
        train=train,
        test=split(dataset.test),
        further={name: split(part) for name, part in dataset.further.items()},
        moments=Moments(*pixel_moments(np.asarray(train.images))),
        uncropped=dataset.image_shape,
    )
