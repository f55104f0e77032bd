"""The six settings of Zhang et al. (2017), section 2.1, as pure functions.

A corruption depends on (seed, split, example id) and on nothing else: not on
the batch, the position in the stream, the epoch, the device or what was drawn
before. `vmap` over examples is all there is, so a data set that is corrupted
once in memory and one that is corrupted batch by batch inside the train step
get the same bits from the same code.
"""

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import purpose_key

Array = jax.Array | np.ndarray

LABEL_SETTINGS = ("true_labels", "partially_corrupted_labels", "random_labels")
PIXEL_SETTINGS = ("shuffled_pixels", "random_pixels", "gaussian")
SETTINGS = LABEL_SETTINGS + PIXEL_SETTINGS
# Validation examples are of the training split and keep their ids in it.
SPLITS = {"train": 0, "test": 1, "validation": 0, "outside": 2}


def label_probability(setting: str, label_noise: float | None) -> float:
    """The probability p with which a label is redrawn in `setting` (section 2.1).

    `label_noise` matters for partially corrupted labels only, where None means
    0.5; random labels are p = 1 and every other setting keeps its labels.
    """
    if setting == "partially_corrupted_labels":
        return 0.5 if label_noise is None else float(label_noise)
    return 1.0 if setting == "random_labels" else 0.0


def corrupt_labels(
    seed: int | jax.Array,
    split: str,
    ids: Array,
    labels: Array,
    p: float | jax.Array,
    num_classes: int,
    exclude_true_class: bool = False,
) -> jax.Array:
    """Redraws each label, independently with probability `p`, uniformly from the classes.

    The true class can be drawn too, so the fraction really flipped is about
    p (k - 1) / k, unless `exclude_true_class`, where it is about p. The draws do not
    depend on `p`: the labels flipped at a small p are a subset of those at a larger.

    Args:
      seed: the run's seed.
      split: of `SPLITS`; training and test draw independently.
      ids: uint32 [n], the stable ids of the examples.
      labels: int32 [n], the true classes in [0, num_classes).
      p: probability in [0, 1]; may be traced.
      num_classes: k, the number of classes.
      exclude_true_class: draw from the k - 1 other classes.

    Returns:
      int32 [n], the labels of these examples for the whole run.
    """
    key = jax.random.fold_in(purpose_key(seed, "labels"), SPLITS[split])

    def one(example_id: jax.Array, label: jax.Array) -> jax.Array:
        redraw_key, class_key = jax.random.split(jax.random.fold_in(key, example_id))
        redrawn = jax.random.uniform(redraw_key) < p
        if exclude_true_class:
            shift = jax.random.randint(class_key, (), 1, num_classes)
            drawn = (label + shift) % num_classes
        else:
            drawn = jax.random.randint(class_key, (), 0, num_classes)
        return jnp.where(redrawn, drawn, label).astype(jnp.int32)

    return jax.vmap(one)(jnp.asarray(ids), jnp.asarray(labels))


def corrupt_images(
    setting: str,
    seed: int | jax.Array,
    split: str,
    ids: Array,
    images: jax.Array,
    mean: Array,
    std: Array,
) -> jax.Array:
    """Applies a setting's corruption of the inputs; label settings return them untouched.

    - shuffled_pixels: one permutation of positions for all images, train and test;
      the channels of a pixel move together.
    - random_pixels: another permutation for each image, none shared by the splits.
    - gaussian: every image becomes independent noise with the data set's mean and
      variance per channel. The image itself is not looked at.

    Args:
      setting: one of `SETTINGS`.
      seed: the run's seed.
      split: of `SPLITS`.
      ids: uint32 [n].
      images: [n, h, w, c], uint8 or float32.
      mean: float32 [c], of the training pixels on the scale 0 to 1.
      std: float32 [c], likewise.

    Returns:
      [n, h, w, c]; the input's dtype, but float32 on the scale of `mean` (about 0 to 1)
      for gaussian: clipping it into uint8 would change its variance.
    """
    if setting not in PIXEL_SETTINGS:
        return images
    key = purpose_key(seed, setting)
    if setting == "shuffled_pixels":
        order = jax.random.permutation(key, images.shape[1] * images.shape[2])
        return jax.vmap(lambda image: _permute(order, image))(images)
    key = jax.random.fold_in(key, SPLITS[split])
    ids, shape = jnp.asarray(ids), images.shape[1:]

    def permuted(example_id: jax.Array, image: jax.Array) -> jax.Array:
        order = jax.random.permutation(jax.random.fold_in(key, example_id), shape[0] * shape[1])
        return _permute(order, image)

    def noise(example_id: jax.Array) -> jax.Array:
        drawn = jax.random.normal(jax.random.fold_in(key, example_id), shape)
        return jnp.asarray(mean) + std * drawn

    if setting == "random_pixels":
        return jax.vmap(permuted)(ids, images)
    return jax.vmap(noise)(ids)


def _permute(order: jax.Array, image: jax.Array) -> jax.Array:
    return image.reshape(-1, image.shape[-1])[order].reshape(image.shape)
