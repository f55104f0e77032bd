"""The nearest neighbours of each example among the others, and what their labels say.

They are found by brute force, a piece of the distance matrix at a time, so that no matrix of all
pairs is ever in memory.
"""

import numpy as np

ROWS = 1000  # of the distance matrix at a time: 0.5 GB for 60,000 examples


def nearest(points: np.ndarray, count: int) -> np.ndarray:
    """Returns each point's nearest others, by Euclidean distance.

    Args:
      points: [n, d], finite.
      count: how many others, from 1 to n - 1.

    Returns:
      int64 [n, count], positions, the nearest first. No point is a neighbour of its own, but
      its exact copy elsewhere is. Of equally distant ones the first in the set comes first.
    """
    values = np.asarray(points, np.float64)
    values = values - values.mean(0)  # far from 0 the differences of squares would lose digits
    squares = np.sum(values**2, axis=1)
    found = np.empty((len(values), count), np.int64)
    for start in range(0, len(values), ROWS):
        rows = np.arange(start, min(start + ROWS, len(values)))
        # The point's own square is the same for all of its neighbours.
        distances = squares - 2 * (values[rows] @ values.T)
        distances[np.arange(len(rows)), rows] = np.inf
        found[rows] = _smallest(distances, count)
    return found


def _smallest(distances: np.ndarray, count: int) -> np.ndarray:
    """Returns the positions of each row's smallest values, ascending; ties by position."""
    some = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(np.take_along_axis(distances, some, 1), axis=1, kind="stable")
    return np.take_along_axis(some, order, 1)


def disagreement(neighbours: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the share of an example's neighbours that have another label.

    Args:
      neighbours: int [n, count], positions, see `nearest`.
      labels: int [n], the given labels.

    Returns:
      float64 [n], from 0 to 1: larger is more suspicious.
    """
    return np.asarray(np.mean(labels[neighbours] != labels[:, None], axis=1))


def vote(neighbours: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns the label that most neighbours have, int64 [n]; of several the smallest.

    Args:
      neighbours: int [n, count], positions, see `nearest`.
      labels: int [n], in [0, classes).
      classes: the number of classes.
    """
    own = labels[neighbours]
    counts = np.stack([np.sum(own == one, axis=1) for one in range(classes)], axis=1)
    return np.asarray(counts.argmax(1))
