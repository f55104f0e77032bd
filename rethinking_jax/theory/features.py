"""Feature maps of kernel machines that hang on no training image.

- gabor has a bank of Gabor wavelets, 8 orientations at each of 3 wavelengths, 3, 5 and 8 pixels.
  Its features are the moduli of the complex responses, averaged over windows of 7 x 7 pixels (the
  first order of a scattering transform), and the averaged image. Filters have norm 1 and mean 0.
- fourier has cosines of random frequencies (Rahimi and Recht, 2007), whose products approximate
  the Gaussian kernel.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import generator

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
    return by_parts(_gabor, images, gabor_bank(images.shape[-1]))


@jax.jit
def _gabor(images: jax.Array, bank: tuple[jax.Array, ...]) -> jax.Array:
    maps = [images]
    for waves in bank:
        cosine, sine = jnp.split(convolve(images, waves, "SAME"), 2, axis=-1)
        maps.append(jnp.sqrt(cosine**2 + sine**2))
    stacked = jnp.concatenate(maps, axis=-1)
    # Windows at the edge have fewer pixels to average.
    window = (1, WINDOW, WINDOW, 1)
    sums = jax.lax.reduce_window(stacked, 0.0, jax.lax.add, window, window, "SAME")
    ones = jnp.ones((1, *stacked.shape[1:3], 1))
    counts = jax.lax.reduce_window(ones, 0.0, jax.lax.add, window, window, "SAME")
    means: jax.Array = sums / counts
    return means.reshape(len(images), -1)


def convolve(images: jax.Array, filters: jax.Array, padding: str) -> jax.Array:
    """Convolves images [n, h, w, c] with filters [h', w', c, f], stride 1."""
    found: jax.Array = jax.lax.conv_general_dilated(
        images, filters, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return found


def by_parts(
    function: Callable[[np.ndarray, Filters], jax.Array],
    images: np.ndarray,
    filters: Filters,
    size: int = BLOCK_IMAGES,
) -> np.ndarray:
    """Returns what a function gives for images, `size` of them at a time, as rows of one array."""
    parts = range(0, len(images), size)
    return np.concatenate([np.asarray(function(images[i : i + size], filters)) for i in parts])
