"""Feature maps of kernel machines, made part by part, so that no map is held for all filters.

- random_conv has filters that are 6 x 6 patches of training images, drawn by seed, with mean 0
  and norm 1 (Coates and Ng, 2012). The two signs of each filter's response pass a ReLU apart and
  are averaged over the quadrants of the image, which makes 8 features a filter.
- gabor has a bank of Gabor wavelets, 8 orientations at each of 3 wavelengths, 3, 5 and 8 pixels.
  Its features are the moduli of the complex responses, averaged over windows of 7 x 7 pixels (the
  first order of a scattering transform), and the averaged image. Filters have norm 1 and mean 0.
- fourier has cosines of random frequencies (Rahimi and Recht, 2007), whose products approximate
  the Gaussian kernel.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError

PATCH = 6  # pixels of a patch's side
BLOCK_FILTERS = 64  # filters whose features are held at once
BLOCK_IMAGES = 500  # images that are convolved at once
ORIENTATIONS, WAVELENGTHS = 8, (3.0, 5.0, 8.0)
Filters = TypeVar("Filters")  # an array of filters, or a tuple of such
WINDOW = 7  # pixels of the side of a window that moduli are averaged over
GAMMA = 0.02  # gamma of the Gaussian kernel of the Fourier features: 1 / (2 sigma^2), sigma 5


class Fourier(NamedTuple):
    """Random Fourier features, sqrt(2 / d) cos(omega x + phase).

    Attributes:
      omega: frequencies, float64 [pixels, d].
      phase: float64 [d], from 0 to 2 pi.
    """

    omega: np.ndarray
    phase: np.ndarray

    def first(self, count: int) -> "Fourier":
        """Returns the features that the first `count` frequencies give."""
        return Fourier(self.omega[:, :count], self.phase[:count])

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Returns the features of images, float64 [n, pixels], as float64 [n, d]."""
        waves: np.ndarray = pixels @ self.omega
        waves += self.phase
        np.cos(waves, out=waves)
        waves *= np.sqrt(2 / len(self.phase))
        return waves


def draw_fourier(size: int, count: int, seed: int) -> Fourier:
    """Draws `count` frequencies, normal with standard deviation 1 / 5, and phases, uniform.

    Args:
      size: the number of pixels of an image.
      count: d.
      seed: the seed of the draws.
    """
    rng = generator(seed, "fourier_features")
    omega = rng.normal(size=(size, count)) * np.sqrt(2 * GAMMA)
    return Fourier(omega, rng.uniform(0, 2 * np.pi, count))


def random_patches(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draws filters for `convolved`: float32 [6, 6, c, count], each with mean 0 and norm 1.

    Raises:
      UserError: the images are smaller than a patch, or have nothing but flat patches.
    """
    total, height, width, _ = images.shape
    if min(height, width) < PATCH + 1:
        raise UserError(
            f"kernel=random_conv needs images larger than {PATCH} x {PATCH}, these are "
            f"{height} x {width}"
        )
    rng = generator(seed, "kernel_patches")
    found: list[np.ndarray] = []
    for _ in range(100 * count):
        i, top, left = (rng.integers(n) for n in (total, height - PATCH + 1, width - PATCH + 1))
        patch = images[i, top : top + PATCH, left : left + PATCH].astype(np.float64)
        patch = patch - patch.mean()
        norm = np.linalg.norm(patch)
        if norm > 0.1:  # a flat patch, such as a digit's background, has no direction
            found.append(patch / norm)
        if len(found) == count:
            return np.stack(found, axis=-1).astype(np.float32)
    raise UserError("kernel=random_conv: the training images are flat, no patch has an edge")


def convolved(images: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Averages both signs of the responses to filters [6, 6, c, f] over quadrants: [n, 8 f]."""
    return _by_parts(_convolved, images, filters)


@jax.jit
def _convolved(images: jax.Array, filters: jax.Array) -> jax.Array:
    found = _convolve(images, filters, "VALID")
    both = jnp.concatenate([jax.nn.relu(found), jax.nn.relu(-found)], axis=-1)
    top, left = both.shape[1] // 2, both.shape[2] // 2
    quadrants = [
        part.mean((1, 2))
        for half in (both[:, :top], both[:, top:])
        for part in (half[:, :, :left], half[:, :, left:])
    ]
    return jnp.concatenate(quadrants, axis=-1)


def blocks(
    images: np.ndarray, others: np.ndarray, filters: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields `convolved` of two sets of images for some filters at a time."""
    for i in range(0, filters.shape[-1], BLOCK_FILTERS):
        part = filters[..., i : i + BLOCK_FILTERS]
        yield convolved(images, part), convolved(others, part)


def gabor_bank(channels: int) -> tuple[np.ndarray, ...]:
    """Makes wavelets: for each wavelength float32 [s, s, c, 2 * 8], cosines before sines."""
    bank = []
    for wavelength in WAVELENGTHS:
        sigma = 0.5 * wavelength
        reach = int(np.ceil(2 * sigma))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
        envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
        waves = []
        for k in range(ORIENTATIONS):
            angle = np.pi * k / ORIENTATIONS
            along = x * np.cos(angle) + y * np.sin(angle)
            wave = np.exp(2j * np.pi * along / wavelength)
            # The mean becomes 0, so that brightness alone gives no response.
            wave = envelope * (wave - (envelope * wave).sum() / envelope.sum())
            waves.append(wave / np.linalg.norm(wave))
        stacked = np.stack([*np.real(waves), *np.imag(waves)], axis=-1)
        whole = np.repeat(stacked[:, :, None], channels, axis=2) / np.sqrt(channels)
        bank.append(whole.astype(np.float32))
    return tuple(bank)


def gabor(images: np.ndarray) -> np.ndarray:
    """Returns averaged moduli of a Gabor bank's responses: float32 [n, windows * (24 + c)]."""
    return _by_parts(_gabor, images, gabor_bank(images.shape[-1]))


@jax.jit
def _gabor(images: jax.Array, bank: tuple[jax.Array, ...]) -> jax.Array:
    maps = [images]
    for waves in bank:
        cosine, sine = jnp.split(_convolve(images, waves, "SAME"), 2, axis=-1)
        maps.append(jnp.sqrt(cosine**2 + sine**2))
    stacked = jnp.concatenate(maps, axis=-1)
    # Windows at the edge have fewer pixels to average.
    window = (1, WINDOW, WINDOW, 1)
    sums = jax.lax.reduce_window(stacked, 0.0, jax.lax.add, window, window, "SAME")
    ones = jnp.ones((1, *stacked.shape[1:3], 1))
    counts = jax.lax.reduce_window(ones, 0.0, jax.lax.add, window, window, "SAME")
    means: jax.Array = sums / counts
    return means.reshape(len(images), -1)


def _convolve(images: jax.Array, filters: jax.Array, padding: str) -> jax.Array:
    found: jax.Array = jax.lax.conv_general_dilated(
        images, filters, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return found


def _by_parts(
    function: Callable[[np.ndarray, Filters], jax.Array], images: np.ndarray, filters: Filters
) -> np.ndarray:
    parts = range(0, len(images), BLOCK_IMAGES)
    return np.concatenate(
        [np.asarray(function(images[i : i + BLOCK_IMAGES], filters)) for i in parts]
    )
