"""Conjugate gradients for several right-hand sides, and a preconditioner of low rank."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.watch import Watch, silent
from rethinking_jax.theory.kernel_matrix import Kernel

Map = Callable[[np.ndarray], np.ndarray]


class Found(NamedTuple):
    """Where conjugate gradients ended.

    Attributes:
      solution: float64 [n, k].
      steps: how many were taken.
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
) -> Found:
    """Solves A x = Y for all columns at once, A symmetric and positive definite.

    The flexible form (Golub and Ye, 1999), which bears a preconditioner that rounds.

    Args:
      multiply: A times [n, k], float64.
      precondition: roughly A's inverse times [n, k].
      targets: Y, [n, k].
      enough: the relative residual |Y - A x| / |Y| to stop at.
      most: steps.
      patience: steps without a residual half as large as the best to stop after.
      watch: is told the steps.

    Returns:
      The solution with the smallest residual on the way.
    """
    size = float(np.linalg.norm(targets))
    x, left = np.zeros(targets.shape), targets.astype(np.float64)
    best, best_at, best_x, half_at = size, 0, x, 0
    z = precondition(left)
    direction, power = z, (left * z).sum(0)
    step = 0
    for step in range(1, most + 1):
        watch("conjugate gradients, steps", step - 1, most)
        turned = multiply(direction)
        curvature = (direction * turned).sum(0)
        # A column that has its solution has no direction left.
        length = np.divide(power, curvature, out=np.zeros_like(power), where=curvature > 0)
        x, old, left = x + length * direction, left, left - length * turned
        residual = float(np.linalg.norm(left))
        if residual < best / 2:
            half_at = step
        if residual < best:
            best, best_at, best_x = residual, step, x
        if best <= enough * size or step - half_at >= patience:
            break
        z = precondition(left)
        turn = (z * (left - old)).sum(0)
        share = np.divide(turn, power, out=np.zeros_like(power), where=power > 0)
        direction, power = z + share * direction, (left * z).sum(0)
    return Found(best_x, best_at)


def nystroem(kernel: Kernel, ridge: float, rank: int, seed: int) -> Map:
    """The inverse of (K + ridge I) on the span of `rank` columns, drawn by `seed`.

    K is about K[:, s] K[s, s]^-1 K[s, :] = U diag(e) U'. On U the inverse is exact for that,
    elsewhere it is that of the smallest kept eigenvalue (Frangella, Tropp and Udell, 2023).

    Args:
      kernel: of n examples.
      ridge: at least 0.
      rank: columns; n of them at most.
      seed: of their draw.
    """
    chosen = generator(seed, "kernel_landmarks").permutation(kernel.count)[:rank]
    columns = np.asarray(kernel.rows(chosen), np.float64).T
    inner = columns[chosen]
    # Enough for the factorization of a matrix that rounding may have made indefinite.
    shift = len(chosen) * np.finfo(kernel.rows(chosen[:1]).dtype).eps * np.trace(inner)
    factor = np.linalg.cholesky(inner + shift / len(chosen) * np.eye(len(chosen)))
    half = scipy.linalg.solve_triangular(factor, columns.T, lower=True, overwrite_b=True).T
    values, vectors = np.linalg.eigh(half.T @ half)
    kept = values > 1e-12 * values[-1]
    values, basis = values[kept], (half @ vectors[:, kept]) / np.sqrt(values[kept])
    weights = (values[0] + ridge) / (values + ridge) - 1

    def apply(vectors: np.ndarray) -> np.ndarray:
        return vectors + basis @ (weights[:, None] * (basis.T @ vectors))

    return apply
