"""Conjugate gradients for several right-hand sides, and a preconditioner of low rank."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.watch import Watch, silent
from rethinking_jax.theory.kernel_matrix import Kernel

# It maps float64 [n, k] to float64 [n, k], linearly.
Map = Callable[[np.ndarray], np.ndarray]


class Found(NamedTuple):
    """Where conjugate gradients ended.

    Attributes:
      solution: float64 [n, k].
      steps: number of steps to it.
    """

    solution: np.ndarray
    steps: int


def conjugate_gradients(
    multiply: Map,
    precondition: Map,
    targets: np.ndarray,
    *,
    enough: float,
    most: int,
    patience: int,
    watch: Watch = silent,
    done: Callable[[np.ndarray], bool] | None = None,
) -> Found:
    """Solves A x = Y for all columns at once, A symmetric and positive definite.

    It takes the flexible form (Golub and Ye, 1999), which bears a preconditioner that rounds.

    Args:
      multiply: multiplies by A.
      precondition: multiplies by roughly A's inverse.
      targets: Y, float64 [n, k].
      enough: relative residual |Y - A x| / |Y| at which it stops.
      most: number of steps after which it stops.
      patience: number of steps without halving the residual after which it stops.
      watch: is told how many steps are done.
      done: says of Y - A x, float64 [n, k], whether that x is what is wanted, however large the
        residual; None where the residual alone decides.

    Returns:
      The solution that is `done`, or the one with the smallest residual on the way.
    """
    size = float(np.linalg.norm(targets))
    x, left = np.zeros(targets.shape), targets.astype(np.float64)
    best, smallest, halved_at = Found(x, 0), size, 0
    z = precondition(left)
    direction, power = z, (left * z).sum(0)
    for step in range(1, most + 1):
        watch("conjugate gradients until solved, steps", step - 1, most)
        turned = multiply(direction)
        curvature = (direction * turned).sum(0)
        length = _divided(power, curvature)
        x, old, left = x + length * direction, left, left - length * turned
        if done is not None and done(left):
            return Found(x, step)
        residual = float(np.linalg.norm(left))
        halved_at = step if residual < smallest / 2 else halved_at
        if residual < smallest:
            best, smallest = Found(x, step), residual
        if smallest <= enough * size or step - halved_at >= patience:
            break
        z = precondition(left)
        share = _divided((z * (left - old)).sum(0), power)
        direction, power = z + share * direction, (left * z).sum(0)
    return best


def _divided(of: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Divides for each column [k]; a column that has its solution has no direction left: 0."""
    result: np.ndarray = np.divide(of, by, out=np.zeros_like(of), where=by > 0)
    return result


def nystroem(kernel: Kernel, ridge: float, rank: int, seed: int) -> Map:
    """Makes a preconditioner: the inverse of (K + ridge I) on the span of some columns.

    K is about K[:, s] K[s, s]^-1 K[s, :] = U diag(e) U'. On U the inverse is exact for that,
    elsewhere it is that of the smallest kept eigenvalue (Frangella, Tropp and Udell, 2023).

    Args:
      kernel: K, of n examples.
      ridge: at least 0.
      rank: number of columns; n at most.
      seed: seed of their draw.
    """
    chosen = generator(seed, "kernel_landmarks").permutation(kernel.count)[:rank]
    columns = np.asarray(kernel.rows(chosen), np.float64).T
    inner = columns[chosen]
    # A shift of this size makes a matrix definite that rounding may have made indefinite.
    shift = len(chosen) * np.finfo(kernel.rows(chosen[:1]).dtype).eps * np.trace(inner)
    factor = np.linalg.cholesky(inner + shift / len(chosen) * np.eye(len(chosen)))
    half = scipy.linalg.solve_triangular(factor, columns.T, lower=True, overwrite_b=True).T
    values, vectors = np.linalg.eigh(half.T @ half)
    kept = values > 1e-12 * values[-1]
    values, basis = values[kept], (half @ vectors[:, kept]) / np.sqrt(values[kept])
    weights = (values[0] + ridge) / (values + ridge) - 1

    def apply(vectors: np.ndarray) -> np.ndarray:
        turned: np.ndarray = vectors + basis @ (weights[:, None] * (basis.T @ vectors))
        return turned

    return apply
