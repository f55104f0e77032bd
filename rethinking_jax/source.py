"""A data set on the device: whole, as it was stored, cropped, before any corruption."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.data import Dataset, Split, load_dataset, subset
from rethinking_jax.errors import UserError
from rethinking_jax.preprocess import center_crop, pixel_moments


class DeviceSplit(NamedTuple):
    """A split on the device, cropped, before any corruption."""

    images: jax.Array  # uint8 [n, h, w, c]
    labels: jax.Array  # int32 [n]
    ids: jax.Array  # uint32 [n]


class Source(NamedTuple):
    """A data set on the device."""

    num_classes: int
    train: DeviceSplit
    test: DeviceSplit
    mean: jax.Array  # float32 [c], of the training pixels, scale 0 to 1
    std: jax.Array


def load_sources(
    members: Sequence[configs.Member], progress: Callable[[str], None]
) -> dict[str, Source]:
    """Reads each data set that the members name, once; keys as of `source_key`.

    Raises:
      UserError: a data set cannot be had, or a batch is larger than it.
    """
    sources: dict[str, Source] = {}
    for _, config in members:
        key = source_key(config)
        if key not in sources:
            dataset = load_dataset(
                config.dataset,
                data_dir=config.data_dir,
                manual_dir=config.manual_dir,
                image_size=config.image_size,
                progress=progress,
            )
            dataset = subset(dataset, config.train_examples, config.data_seed)
            sources[key] = _to_device(dataset, config.crop_size)
        size = len(sources[key].train.labels)
        if config.batch_size > size:
            raise UserError(
                f"config.batch_size={config.batch_size} is more than the {size} training "
                f"examples of {config.dataset}"
            )
    return sources


def source_key(config: ConfigDict) -> str:
    """Names what runs must have in common to read the same source."""
    keys = ("dataset", "image_size", "train_examples", "data_seed", "crop_size")
    return str([config[key] for key in keys])


def _to_device(dataset: Dataset, crop_size: int) -> Source:
    def split(part: Split) -> DeviceSplit:
        images = center_crop(jnp.asarray(part.images), crop_size)
        return DeviceSplit(images, jnp.asarray(part.labels), jnp.asarray(part.ids))

    train, test = split(dataset.train), split(dataset.test)
    mean, std = map(jnp.asarray, pixel_moments(np.asarray(train.images)))
    return Source(dataset.num_classes, train, test, mean, std)
