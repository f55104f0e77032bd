"""The corruptions of a data set: the six of Zhang et al. (2017), section 2.1, and further ones.

A corruption is one line of `CORRUPTIONS`, with a pure function of one example for what it
does to labels or images. Whatever is added here is known to `config.corruption`, trains in
memory and streamed, and is seen by kernel machines, figures and the report:

    CORRUPTIONS["first_class"] = Corruption("Some labels become class 0.", labels=to_first_class)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from rethinking_jax.corruption import pixels
from rethinking_jax.corruption.draws import Array, Corruptible, Corruption, Draws
from rethinking_jax.corruption.labels import GivenLabels, LabelNoise, pair_flip, redraw
from rethinking_jax.corruption.pixels import NO_MOMENTS, ImageKeys, Moments

if TYPE_CHECKING:
    import jax

CORRUPTIONS: dict[str, Corruption] = {
    "true_labels": Corruption("Nothing is changed."),
    "partially_corrupted_labels": Corruption(
        "Each label is drawn anew with probability label_noise.",
        labels=redraw,
        p=0.5,
        uses_label_noise=True,
    ),
    "random_labels": Corruption("Every label is drawn anew.", labels=redraw),
    "shuffled_pixels": Corruption(
        "One permutation of the pixels is applied to all images.",
        images=pixels.shuffle,
        purpose="shuffled_pixels",
    ),
    "random_pixels": Corruption(
        "Another permutation of the pixels is applied to each image.",
        images=pixels.permute_each,
        purpose="random_pixels",
    ),
    "gaussian": Corruption(
        "Every image is replaced by Gaussian noise with the data set's mean and variance.",
        images=pixels.gaussian_noise,
        needs_moments=True,
        purpose="gaussian",
    ),
    "pair_flip": Corruption(
        "Each label becomes the next class with probability label_noise.",
        labels=pair_flip,
        p=0.5,
        uses_label_noise=True,
        may_exclude=False,
    ),
    "given_labels": Corruption("Labels are those of a file, labels_file.", from_file=True),
    "random_values": Corruption(
        "Another permutation of all numbers, across the channels, is applied to each image.",
        images=pixels.permute_values,
    ),
}
SETTINGS = tuple(CORRUPTIONS)[:6]  # the paper's six; what is added comes after them


def corrupt(config: ConfigDict, dataset: Corruptible) -> Draws:
    """Returns what a run of this config draws from a data set: its labels and its images.

    Args:
      config: the config of one run; a config without `corrupt_test_labels` keeps them.
      dataset: the data set, before any corruption; where labels are given, with those of the file
        that the config names, see `rethinking_jax.data.given_labels`.
    """
    corruption = CORRUPTIONS[config.corruption]
    seed = corruption_seed(config)
    noise = LabelNoise(
        corruption.probability(config.label_noise), dataset.num_classes, config.exclude_true_class
    )
    tested = bool(config.get("corrupt_test_labels", False))
    given = dataset.given[config.labels_file] if corruption.from_file else None
    return Draws(corruption, seed, noise, dataset.moments, tested, given)


def corruption_seed(config: ConfigDict) -> int:
    """Returns the seed by which a run draws its corruption: its own, unless one is given for that.

    Args:
      config: the config of one run; one without the key `corruption_seed` gives none.
    """
    given = config.get("corruption_seed")
    return int(config.seed if given is None else given)


def random_labels(seed: int | jax.Array, ids: Array, labels: Array, num_classes: int) -> jax.Array:
    """Returns the labels of some training examples in the setting random_labels: int32 [n].

    Args:
      seed: the run's seed; may be traced.
      ids: uint32 [n], the stable ids of the examples.
      labels: int32 [n], the true classes.
      num_classes: the number of classes.
    """
    import jax.numpy as jnp

    draws = Draws(CORRUPTIONS["random_labels"], seed, LabelNoise(1.0, num_classes))
    return jnp.asarray(draws.labels("train", ids, labels))


__all__ = [
    "CORRUPTIONS",
    "NO_MOMENTS",
    "SETTINGS",
    "Array",
    "Corruption",
    "Draws",
    "GivenLabels",
    "ImageKeys",
    "LabelNoise",
    "Moments",
    "corrupt",
    "corruption_seed",
    "random_labels",
    "redraw",
]
