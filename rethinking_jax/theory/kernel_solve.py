"""Kernel matrices, and (K + ridge I) alpha = Y with one factorization for all right-hand sides."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsp
import numpy as np

from rethinking_jax.errors import UserError

ROWS = 1000  # at a time where a kernel matrix is made or multiplied
MATRICES = 4  # of n x n at once: kernel, its sum with the ridge, factor, work space
REFINEMENTS = 30
ENOUGH = 1e-13  # a relative residual that float64 hardly makes smaller
FAILED = 1e-6  # one that says the factorization was of no use
SHARE = 0.8  # of free memory


class Kernel(NamedTuple):
    """A kernel on training examples, and between test and training examples.

    Attributes:
      train: [n, n]; cross: [m, n]; both float32 or both float64.
    """

    train: jax.Array
    cross: jax.Array


class Solution(NamedTuple):
    """What solves the system.

    Attributes:
      coefficients: float64 [n, k]; fitted: float64 [n, k], the kernel matrix times them.
      residual: |Y - (K + ridge I) alpha| / |Y|, computed in float64.
      solver: in words.
    """

    coefficients: np.ndarray
    fitted: np.ndarray
    residual: float
    solver: str


def choose_precision(precision: str, count: int, test_count: int, free: int) -> type:
    """float64 or float32 by what was asked for and what fits.

    Args:
      precision: "float64", "float32" or "auto", float64 where it fits.
      count: n; test_count: m.
      free: bytes of memory.

    Raises:
      UserError: it does not fit; the message says the largest n that does.
    """
    names = {"auto": (np.float64, np.float32), "float64": (np.float64,)}
    kinds = names.get(precision, (np.float32,))
    for kind in kinds:
        if needed_bytes(count, test_count, kind) <= SHARE * free:
            return kind
    size, budget = np.dtype(kinds[-1]).itemsize, SHARE * free
    # MATRICES n^2 + m n = budget / size, solved for n.
    root = math.sqrt(test_count**2 + 4 * MATRICES * budget / size)
    largest = max(0, int((root - test_count) / (2 * MATRICES)))
    raise UserError(
        f"{count:,} training examples need {needed_bytes(count, test_count, kinds[-1]) / 1e9:.1f} "
        f"GB for the kernel in {kinds[-1].__name__} and {free / 1e9:.1f} GB are free: at most "
        f"--config.train_examples={largest} fit"
    )


def needed_bytes(count: int, test_count: int, kind: type) -> int:
    """An estimate for n training and m test examples."""
    return np.dtype(kind).itemsize * (MATRICES * count**2 + test_count * count)


def gaussian(train: np.ndarray, test: np.ndarray, gamma: float, kind: type) -> Kernel:
    """exp(-gamma |x - y|^2) of rows [n, d] and [m, d]."""

    def of(x: jax.Array, y: jax.Array, y_norms: jax.Array) -> jax.Array:
        products = jnp.matmul(x, y.T, precision="highest")
        squares = (x**2).sum(1)[:, None] + y_norms - 2 * products
        return jnp.exp(-gamma * jnp.maximum(squares, 0))

    with jax.enable_x64(kind is np.float64):
        step = jax.jit(of)
        y = jnp.asarray(train, kind)
        norms = (y**2).sum(1)
        kernel, cross = (
            jnp.concatenate(
                [
                    step(jnp.asarray(rows[i : i + ROWS], kind), y, norms)
                    for i in range(0, len(rows), ROWS)
                ]
            )
            for rows in (train, test)
        )
        # The diagonal is exactly 1, which the expanded square gives only nearly.
        same = jnp.arange(len(train))
        return Kernel(kernel.at[same, same].set(1), cross)


def from_features(
    blocks: Callable[[], "object"], count: int, test_count: int, kind: type
) -> Kernel:
    """The sum over blocks of inner products of features, scaled to a mean diagonal of 1.

    Args:
      blocks: gives pairs of features ([n, f], [m, f]); no two are held at once.
      count: n; test_count: m.
    """
    with jax.enable_x64(kind is np.float64):

        def add(total: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
            return total + jnp.matmul(x, y.T, precision="highest")

        step = jax.jit(add, donate_argnums=0)
        kernel, cross = jnp.zeros((count, count), kind), jnp.zeros((test_count, count), kind)
        for train, test in blocks():  # type: ignore[attr-defined]
            x, y = jnp.asarray(train, kind), jnp.asarray(test, kind)
            kernel, cross = step(kernel, x, x), step(cross, y, x)
        scale = jnp.diagonal(kernel).mean()
        return Kernel(kernel / scale, cross / scale)


def solve(kernel: jax.Array, targets: np.ndarray, ridge: float) -> Solution:
    """Solves (K + ridge I) alpha = Y, or takes the alpha of least norm where K is singular.

    One Cholesky factorization in the kernel's own precision serves all columns. Its solution
    is refined with residuals in float64, so a float32 factorization gives float64 digits while
    the condition number is below about 10^7. Where it fails, or its pivots say that K is
    singular to this precision, an eigendecomposition without the eigenvalues that are 0 to
    rounding gives the least-squares solution of least norm; `solver` says so.

    Args:
      kernel: [n, n], symmetric; targets: [n, k]; ridge: at least 0.
    """
    with jax.enable_x64(True):
        factor, pivots = _factor(kernel, jnp.asarray(ridge, kernel.dtype))
        name = kernel.dtype.name
        ratio = float(pivots.min() / pivots.max()) ** 2
        if np.isfinite(ratio) and ratio > len(kernel) * float(jnp.finfo(kernel.dtype).eps):
            alpha, fitted, residual, times = _refined(kernel, factor, targets, ridge)
            if residual < FAILED:
                solver = f"Cholesky {name}, refined {times} times"
                return Solution(alpha, fitted, residual, solver)
        del factor
        return _least_norm(kernel, targets, ridge)


@jax.jit
def _factor(kernel: jax.Array, ridge: jax.Array) -> tuple[jax.Array, jax.Array]:
    same = jnp.arange(len(kernel))
    factor, _ = jsp.cho_factor(kernel.at[same, same].add(ridge), lower=True)
    return factor, jnp.diagonal(factor)


def _refined(
    kernel: jax.Array, factor: jax.Array, targets: np.ndarray, ridge: float
) -> tuple[np.ndarray, np.ndarray, float, int]:
    alpha = np.zeros_like(targets, np.float64)
    fitted, left = np.zeros_like(alpha), targets.astype(np.float64)
    best, size = (alpha, fitted, math.inf, 0), float(np.linalg.norm(targets))
    for times in range(REFINEMENTS):
        change = jsp.cho_solve((factor, True), jnp.asarray(left, factor.dtype))
        alpha = alpha + np.asarray(change, np.float64)
        fitted = product(kernel, alpha)
        left = targets - fitted - ridge * alpha
        residual = float(np.linalg.norm(left)) / size
        gained = residual < best[2] / 2
        if residual < best[2]:
            best = (alpha, fitted, residual, times)
        if not gained or residual < ENOUGH:
            break
    return best


def _least_norm(kernel: jax.Array, targets: np.ndarray, ridge: float) -> Solution:
    values, vectors = (np.asarray(part) for part in jnp.linalg.eigh(kernel))
    values = values.astype(np.float64) + ridge
    kept = values > len(values) * float(jnp.finfo(kernel.dtype).eps) * values.max()
    basis = vectors[:, kept].astype(np.float64)
    alpha = basis @ ((basis.T @ targets) / values[kept, None])
    fitted = product(kernel, alpha)
    residual = np.linalg.norm(targets - fitted - ridge * alpha) / np.linalg.norm(targets)
    solver = f"singular: least norm by eigenvalues, rank {kept.sum():,} of {len(values):,}"
    return Solution(alpha, fitted, float(residual), solver)


def product(matrix: jax.Array, vectors: np.ndarray) -> np.ndarray:
    """A matrix [m, n] times [n, k] in float64, some rows at a time."""
    with jax.enable_x64(True):
        right = jnp.asarray(vectors)
        parts = (matrix[i : i + ROWS].astype(jnp.float64) for i in range(0, len(matrix), ROWS))
        return np.concatenate([np.asarray(part @ right) for part in parts])
