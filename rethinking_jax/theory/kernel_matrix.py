"""Kernel matrices, held whole or made some rows at a time."""

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.data.watch import Watch, silent

WORK = "making the kernel, rows"
ROWS = 1000  # rows of a kernel matrix that are made or multiplied at once

# It is NumPy's on a CPU, where it is factored in place.
Matrix = np.ndarray | jax.Array
Rows = np.ndarray | slice  # indices of rows, or a range of them
Precision = type[np.float32] | type[np.float64]


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel on n training examples, and between m test and the training examples.

    Attributes:
      count: n.
      train: [n, n], float32 or float64; None where it is never held.
      rows: makes or takes some rows of that matrix, [b, n].
      predict: maps coefficients float64 [n, k] to outputs on the test examples, float64 [m, k].
    """

    count: int
    train: Matrix | None
    rows: Callable[[Rows], Matrix]
    predict: Callable[[np.ndarray], np.ndarray]

    def multiply(self, vectors: np.ndarray) -> np.ndarray:
        """Multiplies the kernel matrix by [n, k] in float64."""
        return _product(self.rows, self.count, vectors)


def on_host() -> bool:
    """Says whether matrices are NumPy's: on a CPU LAPACK works in place, XLA on copies."""
    return jax.default_backend() == "cpu"


def gaussian(
    train: np.ndarray,
    test: np.ndarray,
    gamma: float,
    dtype: Precision,
    *,
    held: bool = True,
    host: bool | None = None,
    watch: Watch = silent,
) -> Kernel:
    """Makes the kernel exp(-gamma |x - y|^2) of rows of numbers.

    Args:
      train: rows x_i, float [n, d].
      test: rows, float [m, d].
      gamma: above 0.
      dtype: precision of the matrix.
      held: whether the matrix is made now and kept.
      host: see `on_host`.
      watch: is told how many rows of a held matrix are made.
    """
    return _radial(train, test, partial(_gaussian, gamma=gamma), dtype, held, host, watch)


def laplacian(
    train: np.ndarray,
    test: np.ndarray,
    scale: float,
    dtype: Precision,
    *,
    held: bool = True,
    host: bool | None = None,
    watch: Watch = silent,
) -> Kernel:
    """Makes the kernel exp(-|x - y| / scale) of rows of numbers, |.| the Euclidean norm.

    Args:
      train, test, dtype, held, host, watch: see `gaussian`.
      scale: above 0.
    """
    return _radial(train, test, partial(_laplacian, scale=scale), dtype, held, host, watch)


# It makes the kernel's values of the rows x [b, d] and y [n, d], whose squared norms are given.
Between = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def _radial(
    train: np.ndarray,
    test: np.ndarray,
    kernel: Between,
    dtype: Precision,
    held: bool,
    host: bool | None,
    watch: Watch,
) -> Kernel:
    """Makes a kernel of the distance, which is 1 at distance 0."""
    count, wide = len(train), dtype is np.float64
    with jax.enable_x64(wide):
        y = jnp.asarray(train, dtype)
        norms = (y**2).sum(1)

    def between(x: np.ndarray) -> jax.Array:
        with jax.enable_x64(wide):
            return jnp.asarray(kernel(jnp.asarray(x, dtype), y, norms))

    def rows(chosen: Rows) -> jax.Array:
        # The diagonal is exactly 1, which the expanded square gives only nearly.
        own = np.arange(count)[chosen]
        with jax.enable_x64(wide):
            return between(train[chosen]).at[np.arange(len(own)), own].set(1)

    def predict(coefficients: np.ndarray) -> np.ndarray:
        return _product(lambda chosen: between(test[chosen]), len(test), coefficients)

    if not held:
        return Kernel(count, None, rows, predict)
    return _held(_gathered(rows, count, dtype, host, watch), predict)


@jax.jit
def _gaussian(x: jax.Array, y: jax.Array, y_norms: jax.Array, gamma: float) -> jax.Array:
    return jnp.exp(-gamma * squared_distances(x, y, y_norms))


@jax.jit
def _laplacian(x: jax.Array, y: jax.Array, y_norms: jax.Array, scale: float) -> jax.Array:
    return jnp.exp(-jnp.sqrt(squared_distances(x, y, y_norms)) / scale)


def squared_distances(x: jax.Array, y: jax.Array, y_norms: jax.Array) -> jax.Array:
    """Returns |x_i - y_j|^2, [b, n], by one matrix product; rounding makes none negative.

    Args:
      x: rows, [b, d].
      y: rows, [n, d].
      y_norms: the squared norms of the rows of y, [n].
    """
    products = jnp.matmul(x, y.T, precision="highest")
    squares = (x**2).sum(1)[:, None] + y_norms - 2 * products
    return jnp.maximum(squares, 0)


def _gathered(
    rows: Callable[[Rows], jax.Array],
    count: int,
    dtype: Precision,
    host: bool | None,
    watch: Watch,
) -> Matrix:
    pieces = (rows(slice(i, i + ROWS)) for i in range(0, count, ROWS))
    if not (on_host() if host is None else host):
        with jax.enable_x64(dtype is np.float64):
            return jnp.concatenate(list(pieces))
    matrix: np.ndarray = np.empty((count, count), dtype)
    at = 0
    for piece in pieces:  # one at a time, so that nothing beside the matrix is held
        watch(WORK, at, count)
        matrix[at : at + len(piece)] = piece
        at += len(piece)
    return matrix


def from_features(
    blocks: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]],
    count: int,
    test_count: int,
    dtype: Precision,
    *,
    host: bool | None = None,
) -> Kernel:
    """Makes the kernel of features: inner products, summed over blocks, of mean diagonal 1.

    Args:
      blocks: gives pairs of features ([n, f], [m, f]); no two are held at once.
      count: n.
      test_count: m.
      dtype: precision of the matrices.
      host: see `on_host`.
    """
    host = on_host() if host is None else host
    matrices = (_zeros(count, count, dtype, host), _zeros(test_count, count, dtype, host))
    x: np.ndarray
    y: np.ndarray
    for train, test in blocks():
        x, y = train.astype(dtype), test.astype(dtype)
        matrices = (_added(matrices[0], x, x), _added(matrices[1], y, x))
    kernel, cross = matrices
    if isinstance(kernel, np.ndarray):
        _mirror(kernel)
    with jax.enable_x64(dtype is np.float64):
        scale = kernel.diagonal().mean()
        kernel /= scale
        cross /= scale
    return _held(kernel, lambda alpha: _product(lambda c: cross[c], test_count, alpha))


def _zeros(rows: int, columns: int, dtype: Precision, host: bool) -> Matrix:
    if host:
        return np.zeros((rows, columns), dtype)
    with jax.enable_x64(dtype is np.float64):
        return jnp.zeros((rows, columns), dtype)


def _added(total: Matrix, x: np.ndarray, y: np.ndarray) -> Matrix:
    if isinstance(total, np.ndarray):
        for i in range(0, len(x), ROWS):
            # A symmetric matrix is made up to its diagonal, in half the time, and mirrored later.
            end = i + ROWS if x is y else len(y)
            total[i : i + ROWS, :end] += x[i : i + ROWS] @ y[:end].T
        return total
    with jax.enable_x64(total.dtype == np.float64):
        added: jax.Array = _add(total, jnp.asarray(x), jnp.asarray(y))
    return added


def _mirror(matrix: np.ndarray) -> None:
    """Copies the lower triangle of a matrix onto the upper one, in place."""
    for i in range(0, len(matrix), ROWS):
        matrix[:i, i : i + ROWS] = matrix[i : i + ROWS, :i].T
        own = matrix[i : i + ROWS, i : i + ROWS]
        own[:] = np.tril(own) + np.tril(own, -1).T


@jax.jit(donate_argnums=0)
def _add(total: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    return total + jnp.matmul(x, y.T, precision="highest")


def _held(matrix: Matrix, predict: Callable[[np.ndarray], np.ndarray]) -> Kernel:
    return Kernel(len(matrix), matrix, lambda chosen: matrix[chosen], predict)


def _product(rows: Callable[[slice], Matrix], count: int, vectors: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        right = jnp.asarray(vectors, jnp.float64)
        parts = (rows(slice(i, i + ROWS)) for i in range(0, count, ROWS))
        return np.concatenate([np.asarray(_times(jnp.asarray(p), right)) for p in parts])


@jax.jit
def _times(part: jax.Array, right: jax.Array) -> jax.Array:
    return jnp.matmul(part.astype(jnp.float64), right, precision="highest")
