"""Changes of images: each is a pure function of one example."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import jax


class ImageKeys(NamedTuple):
    """The random keys that the change of one image may use.

    Attributes:
      run: one key for all images of a run, those for training and those for testing.
      example: the key of this image alone; no two images of a run have the same.
    """

    run: jax.Array
    example: jax.Array


class Moments(NamedTuple):
    """Mean and standard deviation of the training pixels, on the scale 0 to 1.

    Attributes:
      mean: float32 [c], one number per channel.
      std: float32 [c], one number per channel.
    """

    mean: jax.Array | np.ndarray
    std: jax.Array | np.ndarray


# Of a data set whose moments nothing asks for.
NO_MOMENTS = Moments(np.zeros(1, np.float32), np.ones(1, np.float32))


def shuffle(keys: ImageKeys, image: jax.Array, moments: Moments) -> jax.Array:
    """Permutes positions in the same way in all images; a pixel's channels move together.

    Args:
      keys: see `ImageKeys`.
      image: uint8 or float32 [h, w, c].
      moments: has no effect here.

    Returns:
      [h, w, c] of the input's dtype.
    """
    return _permute(keys.run, image)


def permute_each(keys: ImageKeys, image: jax.Array, moments: Moments) -> jax.Array:
    """Permutes positions in another way in each image; see `shuffle`."""
    return _permute(keys.example, image)


def permute_values(keys: ImageKeys, image: jax.Array, moments: Moments) -> jax.Array:
    """Permutes all h * w * c numbers of each image in another way, so that its channels mix.

    Another reading of the paper's random pixels: see `shuffle`, where channels move together.
    """
    import jax

    return jax.random.permutation(keys.example, image.reshape(-1)).reshape(image.shape)


def gaussian_noise(keys: ImageKeys, image: jax.Array, moments: Moments) -> jax.Array:
    """Replaces an image by independent noise with the data set's mean and variance per channel.

    Args:
      keys: see `ImageKeys`.
      image: [h, w, c]; only its shape is looked at.
      moments: the mean and standard deviation of the noise.

    Returns:
      float32 [h, w, c] on the scale of `moments` (about 0 to 1): clipping it into uint8
      would change its variance.
    """
    import jax
    import jax.numpy as jnp

    drawn = jax.random.normal(keys.example, image.shape)
    return jnp.asarray(moments.mean) + moments.std * drawn


def _permute(key: jax.Array, image: jax.Array) -> jax.Array:
    import jax

    order = jax.random.permutation(key, image.shape[0] * image.shape[1])
    return image.reshape(-1, image.shape[-1])[order].reshape(image.shape)
