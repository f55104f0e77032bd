"""Kernel matrices, held whole or made some rows at a time."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ROWS = 1000  # at a time where a kernel matrix is made or multiplied

Matrix = Any  # np.ndarray on a CPU, where it is factored in place; else jax.Array


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel on n training examples, and between m test and the training examples.

    Attributes:
      count: n.
      train: [n, n], float32 or float64; None where it is never held.
      rows: of that matrix, those of an index array or slice: [b, n].
      predict: coefficients float64 [n, k] -> float64 [m, k].
    """

    count: int
    train: Matrix | None
    rows: Callable[[Any], Any]
    predict: Callable[[np.ndarray], np.ndarray]

    def multiply(self, vectors: np.ndarray) -> np.ndarray:
        """The kernel matrix times [n, k] in float64."""
        return _product(self.rows, self.count, vectors)


def on_host() -> bool:
    """Whether matrices are NumPy's: on a CPU LAPACK works in place, XLA on copies."""
    return jax.default_backend() == "cpu"


def gaussian(
    train: np.ndarray,
    test: np.ndarray,
    gamma: float,
    kind: type,
    *,
    held: bool = True,
    host: bool | None = None,
) -> Kernel:
    """exp(-gamma |x - y|^2) of rows [n, d] and [m, d].

    Args:
      train: float [n, d]; test: float [m, d].
      gamma: above 0.
      kind: np.float32 or np.float64, of the matrix.
      held: whether the matrix is made now and kept.
      host: see `on_host`.
    """
    count, wide = len(train), kind is np.float64

    with jax.enable_x64(wide):
        y = jnp.asarray(train, kind)
        norms = (y**2).sum(1)

    def between(x: np.ndarray) -> jax.Array:
        with jax.enable_x64(wide):
            return _gaussian(jnp.asarray(x, kind), y, norms, gamma)

    def rows(chosen: Any) -> jax.Array:
        # The diagonal is exactly 1, which the expanded square gives only nearly.
        own = np.arange(count)[chosen]
        with jax.enable_x64(wide):
            return between(train[chosen]).at[np.arange(len(own)), own].set(1)

    def predict(coefficients: np.ndarray) -> np.ndarray:
        return _product(lambda chosen: between(test[chosen]), len(test), coefficients)

    if not held:
        return Kernel(count, None, rows, predict)
    pieces = (rows(slice(i, i + ROWS)) for i in range(0, count, ROWS))
    return _held(_gathered(pieces, count, kind, on_host() if host is None else host), predict)


@jax.jit
def _gaussian(x: jax.Array, y: jax.Array, y_norms: jax.Array, gamma: float) -> jax.Array:
    products = jnp.matmul(x, y.T, precision="highest")
    squares = (x**2).sum(1)[:, None] + y_norms - 2 * products
    return jnp.exp(-gamma * jnp.maximum(squares, 0))


def _gathered(pieces: Iterable[jax.Array], count: int, kind: type, host: bool) -> Matrix:
    if not host:
        with jax.enable_x64(kind is np.float64):
            return jnp.concatenate(list(pieces))
    matrix: np.ndarray = np.empty((count, count), kind)
    at = 0
    for piece in pieces:  # one at a time: nothing beside the matrix is held
        matrix[at : at + len(piece)] = piece
        at += len(piece)
    return matrix


def from_features(
    blocks: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]],
    count: int,
    test_count: int,
    kind: type,
    *,
    host: bool | None = None,
) -> Kernel:
    """The sum over blocks of inner products of features, scaled to a mean diagonal of 1.

    Args:
      blocks: gives pairs of features ([n, f], [m, f]); no two are held at once.
      count: n.
      test_count: m.
      kind: np.float32 or np.float64, of the matrices.
      host: see `on_host`.
    """
    host = on_host() if host is None else host
    matrices = (_zeros(count, count, kind, host), _zeros(test_count, count, kind, host))
    x: np.ndarray
    y: np.ndarray
    for train, test in blocks():
        x, y = train.astype(kind), test.astype(kind)
        matrices = (_added(matrices[0], x, x), _added(matrices[1], y, x))
    kernel, cross = matrices
    with jax.enable_x64(kind is np.float64):
        scale = kernel.diagonal().mean()
        kernel /= scale
        cross /= scale
    return _held(kernel, lambda alpha: _product(lambda c: cross[c], test_count, alpha))


def _zeros(rows: int, columns: int, kind: type, host: bool) -> Matrix:
    if host:
        return np.zeros((rows, columns), kind)
    with jax.enable_x64(kind is np.float64):
        return jnp.zeros((rows, columns), kind)


def _added(total: Matrix, x: np.ndarray, y: np.ndarray) -> Matrix:
    if isinstance(total, np.ndarray):
        for i in range(0, len(x), ROWS):
            total[i : i + ROWS] += x[i : i + ROWS] @ y.T
        return total
    with jax.enable_x64(total.dtype == np.float64):
        return _add(total, jnp.asarray(x), jnp.asarray(y))


@jax.jit(donate_argnums=0)
def _add(total: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    return total + jnp.matmul(x, y.T, precision="highest")


def _held(matrix: Matrix, predict: Callable[[np.ndarray], np.ndarray]) -> Kernel:
    return Kernel(len(matrix), matrix, lambda chosen: matrix[chosen], predict)


def _product(rows: Callable[[slice], Any], count: int, vectors: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        right = jnp.asarray(vectors, jnp.float64)
        parts = (rows(slice(i, i + ROWS)) for i in range(0, count, ROWS))
        return np.concatenate([np.asarray(_times(jnp.asarray(p), right)) for p in parts])


@jax.jit
def _times(part: jax.Array, right: jax.Array) -> jax.Array:
    return jnp.matmul(part.astype(jnp.float64), right, precision="highest")
