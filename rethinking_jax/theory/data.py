"""What the experiments without training look at: images on the scale 0 to 1, and labels."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.corruption import (
    corrupt_images,
    corrupt_labels,
    label_probability,
)
from rethinking_jax.data import Dataset, load_dataset, subset
from rethinking_jax.data.dataset import Split
from rethinking_jax.step.preprocess import center_crop, pixel_moments, to_unit
from rethinking_jax.workdir.storage import AnyPath


class Task(NamedTuple):
    """A data set with the corruption of one run; test labels are the true ones.

    Attributes:
      train_images, test_images: float32 [n, h, w, c], 0 to 1.
      train_labels, test_labels: int32 [n].
      flipped_fraction: of the training labels, those that are not the true ones.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    num_classes: int
    flipped_fraction: float


def rows(images: np.ndarray) -> np.ndarray:
    """Images as float32 [n, h * w * c]."""
    return images.reshape(len(images), -1)


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Draws of one purpose of one run, the same for everyone."""
    return np.random.Generator(np.random.Philox(key=[seed, purpose]))


class Tasks:
    """Reads each data set once for all runs of a sweep."""

    def __init__(self, say: Callable[[str], None], folder: AnyPath = Path(".")) -> None:
        """`say` is given plain lines about what is going on; `folder` is the workdir."""
        self._say, self.folder = say, folder
        self._datasets: dict[tuple[object, ...], Dataset] = {}

    def dataset(self, config: ConfigDict) -> Dataset:
        """The data set of a run, before any corruption.

        Raises:
          UserError: it cannot be had.
        """
        key = (config.dataset, config.image_size, config.train_examples, config.data_seed)
        if key not in self._datasets:
            whole = load_dataset(
                config.dataset,
                data_dir=config.data_dir,
                manual_dir=config.manual_dir,
                image_size=config.image_size,
                progress=self._say,
            )
            self._datasets[key] = subset(whole, config.train_examples, config.data_seed)
        return self._datasets[key]

    def __call__(self, config: ConfigDict) -> Task:
        """The data set of a run with its corruption, exactly as a training run has it."""
        dataset = self.dataset(config)
        labels = np.asarray(
            corrupt_labels(
                config.seed,
                "train",
                dataset.train.ids,
                dataset.train.labels,
                label_probability(config.corruption, config.label_noise),
                dataset.num_classes,
                config.exclude_true_class,
            )
        )
        train_images, test_images = _images(config, dataset)
        return Task(
            train_images,
            labels,
            test_images,
            dataset.test.labels,
            dataset.num_classes,
            float(np.mean(labels != dataset.train.labels)),
        )


def _images(config: ConfigDict, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    def cropped(part: Split) -> jax.Array:
        return center_crop(jnp.asarray(part.images), config.crop_size)

    train = cropped(dataset.train)
    mean, std = pixel_moments(np.asarray(train))

    def made(split: str, ids: np.ndarray, images: jax.Array) -> np.ndarray:
        changed = corrupt_images(config.corruption, config.seed, split, ids, images, mean, std)
        return np.asarray(to_unit(changed))

    return (
        made("train", dataset.train.ids, train),
        made("test", dataset.test.ids, cropped(dataset.test)),
    )
