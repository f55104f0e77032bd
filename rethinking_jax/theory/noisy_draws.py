"""Draws of a training set and of the noise in its labels, and in those that are tested on."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption import CORRUPTIONS, Draws, LabelNoise
from rethinking_jax.data import Dataset, subset
from rethinking_jax.data.dataset import Split
from rethinking_jax.step.preprocess import center_crop, to_unit
from rethinking_jax.theory.data import rows


class NoisyDraw(NamedTuple):
    """A training set and a test set with labels at several levels of noise.

    Attributes:
      train, test: pixels from 0 to 1, float32 [n, d] and [m, d].
      train_labels, test_labels: labels at each level, int32 [levels, n] and [levels, m].
      true_labels: the true test labels, int32 [m].
      num_classes: the number of classes.
    """

    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    true_labels: np.ndarray
    num_classes: int


def noisy_draw(
    dataset: Dataset, size: int, levels: Sequence[float], seed: int, crop: int
) -> NoisyDraw:
    """Draws a training set and the noise of every level, also of the test labels.

    The seed decides which examples are trained on (a smaller set lies within a larger one) and
    which labels are drawn anew (those at a level are among those at a higher one).

    Args:
      dataset: what is drawn from, in memory.
      size: the number of training examples.
      levels: the probabilities with which a label is drawn anew from all classes.
      seed: at least 0.
      crop: the side of the central square that is cut out; 0 for none.
    """
    part = subset(dataset, size, seed)

    def labels(split: str, own: Split) -> np.ndarray:
        return np.stack([_labels(split, own, p, seed, part.num_classes) for p in levels])

    def pixels(own: Split) -> np.ndarray:
        return rows(np.asarray(to_unit(jnp.asarray(center_crop(np.asarray(own.images), crop)))))

    return NoisyDraw(
        pixels(part.train),
        pixels(part.test),
        labels("train", part.train),
        labels("test", part.test),
        np.asarray(part.test.labels),
        part.num_classes,
    )


def _labels(split: str, own: Split, p: float, seed: int, classes: int) -> np.ndarray:
    kind = CORRUPTIONS["partially_corrupted_labels"]
    draws = Draws(kind, seed, LabelNoise(p, classes), corrupt_test_labels=True)
    return np.asarray(draws.labels(split, own.ids, own.labels))
