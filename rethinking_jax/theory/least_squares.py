"""Least squares in float64: the solution of least norm, without a ridge and with many.

With the eigenvectors V and eigenvalues L of the smaller one of X'X [d, d] and XX' [n, n], all
solutions cost a product each: w = V (L + ridge)^-1 V'X'y, or w = X'V (L + ridge)^-1 V'y. An
eigenvalue that is 0 to rounding is left out, so that without a ridge this is X+ y, the
least-squares solution of least norm. An eigenvalue counts as 0 below max(n, d) eps times the
largest: for 1,000 examples that is a singular value of X below 5e-7 of its largest.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Spectrum(NamedTuple):
    """What all solutions for the same features share.

    Attributes:
      x: the features, float64 [n, d].
      values: the eigenvalues of the smaller Gram matrix that are not 0, float64 [r], rising.
      vectors: their eigenvectors, float64 [min(n, d), r].
    """

    x: np.ndarray
    values: np.ndarray
    vectors: np.ndarray

    @property
    def smallest(self) -> float:
        """The smallest singular value of x that counts, over the largest."""
        return float(np.sqrt(self.values[0] / self.values[-1]))


def spectrum(x: np.ndarray) -> Spectrum:
    """Decomposes features, float64 [n, d], which are not all 0."""
    few = x if len(x) <= x.shape[1] else x.T
    values, vectors = np.linalg.eigh(few @ few.T)
    kept = values > max(x.shape) * np.finfo(np.float64).eps * values[-1]
    return Spectrum(x, values[kept], vectors[:, kept])


def solutions(of: Spectrum, y: np.ndarray, ridges: Sequence[float]) -> np.ndarray:
    """Returns the w with the least |x w - y|^2 + ridge |w|^2 for each ridge, float64 [c, d, k].

    Args:
      of: of the features [n, d].
      y: the targets, float64 [n, k].
      ridges: c numbers of at least 0; 0 is the solution of least norm.
    """
    wide = len(of.x) <= of.x.shape[1]
    projected = of.vectors.T @ (y if wide else of.x.T @ y)
    shrunk = [of.vectors @ (projected / (of.values + ridge)[:, None]) for ridge in ridges]
    return np.stack([of.x.T @ one if wide else one for one in shrunk])
