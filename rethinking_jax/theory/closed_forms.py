"""Classes of functions whose supremum over random signs is a formula.

Each class is scaled so that its outputs on the points lie in [-1, 1], as a network's do. For signs
sigma, the supremum of (1/n) sum_i sigma_i h(x_i) is

- over <w, x> with |w|_2 <= B:   B/n |sum_i sigma_i x_i|_2            (Cauchy and Schwarz)
- over <w, x> with |w|_1 <= B:   B/n max_j |sum_i sigma_i x_ij|       (a vertex of the ball)
- over a kernel's ball of norm B: B/n sqrt(sigma' K sigma)            (reproducing property)
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption import random_labels

BLOCK = 1000  # rows of a kernel matrix that are held at once
SEEDS = 50  # draws of signs that are made at once


class Bounds(NamedTuple):
    """What is known about the mean of the supremum over all signs; None stands for nothing.

    Attributes:
      second_moment: exact mean of the squared supremum.
      lower: lower bound of the mean.
      upper: upper bound of the mean.
    """

    second_moment: float | None
    lower: float | None
    upper: float


def draw_signs(seeds: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Draws the signs that runs with random labels of two classes have: float64 [m, n].

    Args:
      seeds: integers [m], one for each draw.
      ids: uint32 [n], the ids of the points.
    """
    padded = np.resize(seeds, -(-len(seeds) // SEEDS) * SEEDS)  # one program for all parts
    parts = [
        np.asarray(_draw(jnp.asarray(part, jnp.int32), jnp.asarray(ids)))
        for part in padded.reshape(-1, SEEDS)
    ]
    return 2.0 * np.concatenate(parts)[: len(seeds)] - 1


@jax.jit
@partial(jax.vmap, in_axes=(0, None))
def _draw(seed: jax.Array, ids: jax.Array) -> jax.Array:
    return random_labels(seed, ids, jnp.zeros(len(ids), jnp.int32), 2)


def l2_ball(points: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Returns the supremum for each draw, [m], from points [n, d] and signs [m, n]."""
    size = float(np.linalg.norm(points, axis=1).max())
    sums: np.ndarray = np.linalg.norm(signs @ points, axis=1)
    return sums / (len(points) * size)


def l2_bounds(points: np.ndarray) -> Bounds:
    """Returns Jensen's upper bound and Khintchine's lower one, of constant 1 / sqrt(2)."""
    squares = (points**2).sum(1)
    return _hilbert(float(squares.sum() / (len(points) ** 2 * squares.max())))


def l1_ball(points: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Returns the supremum for each draw, as `l2_ball` does."""
    sums: np.ndarray = np.abs(signs @ points).max(1)
    return sums / (len(points) * float(np.abs(points).max()))


def l1_bounds(points: np.ndarray) -> Bounds:
    """Returns Massart's bound of the maximum over 2 d signed coordinates."""
    largest = np.linalg.norm(points, axis=0).max() / np.abs(points).max()
    return Bounds(
        None, None, float(np.sqrt(2 * np.log(2 * points.shape[1])) * largest / len(points))
    )


def kernel_ball(gamma: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Returns what `l2_ball` is, for the kernel exp(-gamma |x - y|^2), whose diagonal is 1."""

    def values(points: np.ndarray, signs: np.ndarray) -> np.ndarray:
        norms, total = (points**2).sum(1), np.zeros(len(signs))
        for i in range(0, len(points), BLOCK):
            rows = slice(i, i + BLOCK)
            squares = norms[rows, None] + norms - 2 * points[rows] @ points.T
            block = np.exp(-gamma * np.maximum(squares, 0))
            total += np.einsum("mi,mi->m", signs[:, rows], signs @ block.T)
        return np.sqrt(np.maximum(total, 0)) / len(points)

    return values


def kernel_bounds(points: np.ndarray) -> Bounds:
    """Returns the bounds of `kernel_ball`: the mean of sigma' K sigma is the trace, n."""
    return _hilbert(1 / len(points))


def _hilbert(second_moment: float) -> Bounds:
    upper = float(np.sqrt(second_moment))
    return Bounds(second_moment, upper / np.sqrt(2), upper)
