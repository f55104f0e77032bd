"""Random convolutional features of images, made for some filters at a time.

Filters are 6 x 6 patches of training images, drawn by seed. The two signs of each filter's
response pass a threshold and a ReLU apart and are averaged over the quadrants of the image, which
makes 8 features a filter. Without whitening filters have mean 0 and norm 1. With it every patch
of an image is normalized for contrast and whitened before filters answer to it, as in Coates, Lee
and Ng (2011) and Coates and Ng (2012), which the paper cites for its features.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.watch import Watch, silent
from rethinking_jax.errors import UserError
from rethinking_jax.theory.features import BLOCK_IMAGES, by_parts, convolve
from rethinking_jax.theory.kernel_matrix import on_host

WORK = "making the kernel, filters"
PATCH = 6  # pixels of a patch's side
BLOCK_FILTERS = 256  # filters whose features are held at once
HOST_IMAGES = 25  # images that a CPU convolves at once: their responses stay in its cache
FLAT = 0.1  # a patch of a smaller norm, such as a digit's background, has no direction
WHITENING_PATCHES = 100_000  # patches whose covariance is whitened
# What Coates, Lee and Ng add to a patch's variance, of pixels from 0 to 1 and not to 255.
CONTRAST = 10 / 255**2


class Filters(NamedTuple):
    """Filters, and what is done with their responses.

    Attributes:
      weights: float32 [6, 6, c, f].
      means: each filter's response to the mean of normalized patches, which is taken off, float32
        [f]; None where patches are neither normalized nor whitened.
      threshold: what is taken off a response of either sign before its ReLU.
    """

    weights: np.ndarray
    means: np.ndarray | None
    threshold: float

    def part(self, start: int) -> "Filters":
        """Returns the filters of the block that begins at a filter."""
        block = slice(start, start + BLOCK_FILTERS)
        means = None if self.means is None else self.means[block]
        return Filters(self.weights[..., block], means, self.threshold)


def draw(
    images: np.ndarray, count: int, seed: int, whitening: float = 0.0, threshold: float = 0.0
) -> Filters:
    """Draws filters for `features`.

    Args:
      images: training images, float [n, h, w, c], from 0 to 1.
      count: f.
      seed: the seed of the draws.
      whitening: what is added to each eigenvalue of the covariance of normalized patches before
        they are whitened by it (ZCA); 0 for no whitening and no normalization.
      threshold: see `Filters`.

    Raises:
      UserError: the images are smaller than a patch, or have nothing but flat patches.
    """
    if min(images.shape[1:3]) < PATCH + 1:
        raise UserError(
            f"kernel=random_conv needs images larger than {PATCH} x {PATCH}, these are "
            f"{images.shape[1]} x {images.shape[2]}"
        )
    patches = _with_edges(images, count, seed)
    shape = (count, PATCH, PATCH, images.shape[-1])
    if not whitening:
        weights = patches / np.linalg.norm(patches, axis=1, keepdims=True)
        return Filters(_as_weights(weights, shape), None, threshold)
    normalized = _normalized(_anywhere(images, WHITENING_PATCHES, seed))
    mean = normalized.mean(0)
    values, vectors = np.linalg.eigh(np.cov(normalized.T))
    whitener = (vectors / np.sqrt(np.maximum(values, 0) + whitening)) @ vectors.T
    white = (_normalized(patches) - mean) @ whitener
    white /= np.linalg.norm(white, axis=1, keepdims=True)
    # A response is the product of a white filter and a white patch: the whitener, which is
    # symmetric, goes into the filter, and what the mean patch would answer is taken off.
    answering = white @ whitener
    # Normalized patches have mean 0, so a filter's own mean answers to nothing.
    answering -= answering.mean(1, keepdims=True)
    means = (answering @ mean).astype(np.float32)
    return Filters(_as_weights(answering, shape), means, threshold)


def features(images: np.ndarray, filters: Filters) -> np.ndarray:
    """Averages both signs of the responses to f filters over quadrants: float32 [n, 8 f].

    Args:
      images: float [n, h, w, c], from 0 to 1.
      filters: of `draw`, whose features come as both signs of the top left quadrant, then of the
        top right, the bottom left and the bottom right one.
    """
    return by_parts(_features, images, filters, HOST_IMAGES if on_host() else BLOCK_IMAGES)


def blocks(
    images: np.ndarray, others: np.ndarray, filters: Filters, watch: Watch = silent
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields `features` of two sets of images for some filters at a time.

    Args:
      images: float [n, h, w, c], from 0 to 1.
      others: images of the same shape, [m, h, w, c].
      filters: see `draw`.
      watch: is told of how many filters the features are made and used.
    """
    count = filters.weights.shape[-1]
    for start in range(0, count, BLOCK_FILTERS):
        watch(WORK, start, count)
        part = filters.part(start)
        yield features(images, part), features(others, part)


@jax.jit
def _features(images: jax.Array, filters: Filters) -> jax.Array:
    found = convolve(images, jnp.asarray(filters.weights), "VALID")
    if filters.means is not None:
        found = found / _deviations(images) - filters.means
    signs = [jax.nn.relu(sign * found - filters.threshold) for sign in (1, -1)]
    both = jnp.concatenate(signs, axis=-1)
    top, left = both.shape[1] // 2, both.shape[2] // 2
    quadrants = [
        part.mean((1, 2))
        for half in (both[:, :top], both[:, top:])
        for part in (half[:, :, :left], half[:, :, left:])
    ]
    return jnp.concatenate(quadrants, axis=-1)


def _deviations(images: jax.Array) -> jax.Array:
    """Returns what normalizing divides each patch of images by, [n, h - 5, w - 5, 1]."""
    channels = images.shape[-1]
    box = jnp.full((PATCH, PATCH, channels, 1), 1 / (PATCH * PATCH * channels))
    # Of images without their mean squares are small, and less is lost to rounding.
    centred = images - images.mean((1, 2, 3), keepdims=True)
    mean, square = convolve(centred, box, "VALID"), convolve(centred**2, box, "VALID")
    return jnp.sqrt(jnp.maximum(square - mean**2, 0) + CONTRAST)


def _normalized(patches: np.ndarray) -> np.ndarray:
    """Returns patches [n, d] of mean 0, divided by their deviation and a little more."""
    centred = patches - patches.mean(1, keepdims=True)
    whole: np.ndarray = centred / np.sqrt(centred.var(1, keepdims=True) + CONTRAST)
    return whole


def _with_edges(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draws patches that are not flat, less their mean each: float64 [count, 36 c]."""
    total, height, width, _ = images.shape
    rng = generator(seed, "kernel_patches")
    found: list[np.ndarray] = []
    for _ in range(100 * count):
        i, top, left = (rng.integers(n) for n in (total, height - PATCH + 1, width - PATCH + 1))
        patch = images[i, top : top + PATCH, left : left + PATCH].astype(np.float64)
        patch = patch - patch.mean()
        if np.linalg.norm(patch) > FLAT:
            found.append(patch.ravel())
        if len(found) == count:
            return np.stack(found)
    raise UserError("kernel=random_conv: the training images are flat, no patch has an edge")


def _anywhere(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draws patches, flat ones too: float64 [count, 36 c]."""
    total, height, width, _ = images.shape
    rng = generator(seed, "whitening_patches")
    i, top, left = (
        rng.integers(n, size=count)[:, None, None]
        for n in (total, height - PATCH + 1, width - PATCH + 1)
    )
    down, right = np.mgrid[:PATCH, :PATCH]
    found: np.ndarray = images[i, top + down, left + right]
    return found.reshape(count, -1).astype(np.float64)


def _as_weights(patches: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return patches.reshape(shape).transpose(1, 2, 3, 0).astype(np.float32)
