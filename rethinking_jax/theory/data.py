"""What the experiments without training look at: images on the scale 0 to 1, and labels."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.config import Member
from rethinking_jax.corruption import corrupt
from rethinking_jax.data import Dataset, load_dataset, subset
from rethinking_jax.data.dataset import Split
from rethinking_jax.data.fingerprint import digests_of, source_of
from rethinking_jax.data.given_labels import with_given_labels
from rethinking_jax.data.runs import cropped
from rethinking_jax.step.preprocess import to_unit
from rethinking_jax.workdir.folder import Fingerprint


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


def _key(config: ConfigDict) -> tuple[object, ...]:
    return config.dataset, config.image_size, config.train_examples, config.data_seed


class Tasks:
    """Reads each data set once for all runs of a sweep."""

    def __init__(self, say: Callable[[str], None], given: Dataset | None = None) -> None:
        """Keeps what every run of a sweep is given.

        Args:
          say: is given plain lines about what is going on.
          given: what all runs look at instead of the data set that their configs name.
        """
        self._say, self._given = say, given
        self._datasets: dict[tuple[object, ...], Dataset] = {}

    def fingerprints(self, members: Sequence[Member]) -> list[Fingerprint]:
        """Returns which data were read so far, for those of some runs whose configs name them."""
        found = []
        for key, dataset in self._datasets.items():
            own = {name: config for name, config in members if _key(config) == key}
            configs = list(own.values())
            source = None if self._given or not configs else source_of(configs)
            digests = digests_of(with_given_labels(dataset, configs), 0)
            found.append(Fingerprint(tuple(own), digests, source))
        return found

    def dataset(self, config: ConfigDict) -> Dataset:
        """Returns the data set of a run, before any corruption.

        Raises:
          UserError: it cannot be had.
        """
        key = _key(config)
        if key not in self._datasets:
            parts = {name: config[name] for name in ("train_examples", "data_seed")}
            if self._given:
                self._datasets[key] = subset(self._given, *parts.values())
            else:
                self._datasets[key] = load_dataset(
                    config.dataset,
                    data_dir=config.data_dir,
                    manual_dir=config.manual_dir,
                    cache_dir=config.cache_dir,
                    image_size=config.image_size,
                    **parts,
                    progress=self._say,
                )
        return self._datasets[key]

    def __call__(self, config: ConfigDict) -> Task:
        """Returns the data set of a run with its corruption, exactly as a training run has it."""
        dataset = cropped(with_given_labels(self.dataset(config), [config]), config.crop_size)
        drawn = corrupt(config, dataset)
        true = dataset.train.labels
        labels = np.asarray(drawn.labels("train", dataset.train.ids, true))

        def images(split: str, part: Split) -> np.ndarray:
            return np.asarray(to_unit(drawn.images(split, part.ids, part.images)))

        return Task(
            images("train", dataset.train),
            labels,
            images("test", dataset.test),
            dataset.test.labels,
            dataset.num_classes,
            float(np.mean(labels != true)),
        )
