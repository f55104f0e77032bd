"""What is known exactly about classifying points by a hyperplane (Cover 1965)."""

import math
from collections.abc import Iterator

import numpy as np


def separable_fraction(points: int, weights: int) -> float:
    """Returns which share of dichotomies a hyperplane separates, of points in general position.

    By Cover's function-counting theorem it is 2 sum_{k < weights} C(points - 1, k) of 2^points.

    Args:
      points: number of points, at least 1.
      weights: number of free parameters of the hyperplane: d through the origin, d + 1 with a bias.
    """
    counted = 2 * sum(math.comb(points - 1, k) for k in range(weights))
    return float(min(counted, 2**points) / 2**points)


def dichotomies(points: int) -> np.ndarray:
    """Returns the labelings that give the first point 0: int32 [2^(n - 1), n] of 0 and 1.

    The other half are these with their classes exchanged, which a network fits as well.
    """
    numbers = np.arange(2 ** (points - 1))[:, None]
    return (numbers >> np.arange(points - 1, -1, -1) & 1).astype(np.int32)


def is_separable(points: np.ndarray, labels: np.ndarray) -> bool:
    """Says whether an affine hyperplane has the points [n, d] with labels 0 and 1 on its two sides.

    A linear program decides it: is there a w with sign (w x + b) >= 1 for every point?
    """
    from scipy.optimize import linprog  # it is slow to import

    signs = 2.0 * labels - 1
    inputs = np.column_stack([points.astype(np.float64), np.ones(len(points))])
    found = linprog(
        np.zeros(inputs.shape[1]),
        A_ub=-signs[:, None] * inputs,
        b_ub=-np.ones(len(points)),
        bounds=(None, None),
        method="highs",
    )
    return bool(found.status == 0)


def separable_labels(points: np.ndarray) -> np.ndarray:
    """Returns every dichotomy of the points [n, d] that a hyperplane separates, int32 [m, n]."""

    def each() -> Iterator[np.ndarray]:
        for labels in dichotomies(len(points)):
            if is_separable(points, labels):
                yield labels
                yield 1 - labels

    return np.stack(list(each()))
