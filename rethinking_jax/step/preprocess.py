"""From stored pixels to the network's input: pure functions that run on the device."""

import math
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

PREPROCESSINGS = ("paper", "dataset", "inception", "none", "raw")
SUMMED_BYTES = 1 << 18

# From stored pixels [n, h, w, c] to the network's input, float32 [n, h', w', c].
Preprocess: TypeAlias = Callable[[jax.Array], jax.Array]
Pixels = TypeVar("Pixels", np.ndarray, jax.Array)


def to_unit(images: jax.Array) -> jax.Array:
    """Brings uint8 pixels to the scale 0 to 1 as float32; float input is on it already.

    The dtype alone decides, so nothing can be divided by 255 twice.
    """
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 255.0
    return images.astype(jnp.float32)


def center_crop(images: Pixels, size: int) -> Pixels:
    """Cuts the central size x size pixels out of [n, h, w, c].

    A side of at most `size` stays whole, and with size 0 both do.
    """
    if size == 0:
        return images
    height, width = images.shape[1:3]
    top, left = max(height - size, 0) // 2, max(width - size, 0) // 2
    return images[:, top : top + size, left : left + size, :]


def standardize_per_image(images: jax.Array) -> jax.Array:
    """Returns (x - mean) / max(std, 1 / sqrt(elements)) of each image (appendix A of the paper).

    Args:
      images: float32 [n, h, w, c].

    Returns:
      float32 [n, h, w, c]; mean 0 and standard deviation 1, constant images all 0.
    """
    axes = (1, 2, 3)
    mean = images.mean(axes, keepdims=True)
    # Subtracting first keeps the variance of nearly constant images exact in float32.
    centered = images - mean
    std = jnp.sqrt(jnp.mean(centered**2, axes, keepdims=True))
    floor = 1.0 / np.sqrt(np.prod(images.shape[1:]))
    return centered / jnp.maximum(std, floor)


def pixel_moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measures the mean and the standard deviation of each channel.

    Args:
      images: [n, h, w, c]; uint8 is measured exactly, on the scale 0 to 1, and floats on the
        scale they have.

    Returns:
      Mean and standard deviation, each float32 [c].
    """
    if images.dtype == np.uint8:
        return moments_of_sums(pixel_sums(images), int(np.prod(images.shape[:3])))
    axes = tuple(range(images.ndim - 1))
    moments = images.mean(axes, np.float64), images.std(axes, np.float64)
    return moments[0].astype(np.float32), moments[1].astype(np.float32)


def pixel_sums(images: np.ndarray) -> np.ndarray:
    """Sums the pixels of uint8 [n, h, w, c], and their squares: int64 [2, c], which is exact.

    Sums of parts add up to those of the whole, in any order.
    """
    sums = np.zeros((2, images.shape[-1]), np.int64)
    # Some images at a time stay in the processor's cache.
    size = max(1, SUMMED_BYTES // max(1, images[:1].nbytes))
    for start in range(0, len(images), size):
        for channel in range(images.shape[-1]):
            pixels = images[start : start + size, ..., channel].astype(np.uint32)
            sums[0, channel] += pixels.sum(dtype=np.int64)
            sums[1, channel] += np.square(pixels).sum(dtype=np.int64)
    return sums


def moments_of_sums(sums: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the moments of `count` pixels whose sums are known; see `pixel_moments`.

    Args:
      sums: int64 [2, c], see `pixel_sums`.
      count: how many pixels each channel has.
    """
    mean, std = [], []
    for total, squares in sums.T.tolist():  # Python's integers have room for every product
        mean.append(total / (255 * count))
        std.append(math.sqrt(count * squares - total**2) / (255 * count))
    return np.array(mean, np.float32), np.array(std, np.float32)


def make_preprocess(
    name: str, mean: jax.Array | np.ndarray, std: jax.Array | np.ndarray
) -> Preprocess:
    """Returns the function from a batch of stored pixels to the network's input.

    Args:
      name: "paper" (per-image standardization), "dataset" (minus the training set's
        mean, over its standard deviation, per channel), "inception" (the scale -1 to 1),
        "none" (the scale 0 to 1) or "raw" (0 to 255).
      mean: float32 [c], see `pixel_moments`.
      std: float32 [c].
    """
    if name == "paper":
        return lambda images: standardize_per_image(to_unit(images))
    if name == "dataset":
        # A channel that never varies carries nothing: it becomes 0, not infinity.
        scale = jnp.where(std > 0, std, 1.0)
        return lambda images: (to_unit(images) - mean) / scale
    if name == "inception":
        return lambda images: 2.0 * to_unit(images) - 1.0
    if name == "raw":
        return lambda images: 255.0 * to_unit(images)
    return to_unit
