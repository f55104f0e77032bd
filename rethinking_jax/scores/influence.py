"""How much one training example helps on one test example (Feldman and Zhang 2020).

infl(i, j) = P[a run with training example i is right on test example j] - P[one without it is],
for all pairs two matrix products. With few hundred runs an entry's error is so large that among
millions of pairs many pass any threshold by chance. So pairs are chosen on one half of the runs and
measured on the other.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

CHUNK = 512  # test examples whose influences are held at once


class Pairs(NamedTuple):
    """Pairs of a training and a test example.

    Attributes:
      train, test: their positions, int64 [pairs].
      chosen: the influence by which they were chosen, float64 [pairs].
      measured: their influence in runs that had no part in choosing them, float64 [pairs].
    """

    train: np.ndarray
    test: np.ndarray
    chosen: np.ndarray
    measured: np.ndarray


def influence(trained: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Returns the influence of every training example on every test example, float64 [n, t].

    Args:
      trained: whether a run trains on an example, bool [runs, n].
      correct: whether it is right on a test example, [runs, t].

    Returns:
      nan for training examples that no run, or every run, has.
    """
    inside = trained.astype(np.float64)
    right = correct.astype(np.float64)
    runs = inside.sum(0)[:, None]
    with_it = inside.T @ right
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = with_it / runs - (right.sum(0) - with_it) / (len(trained) - runs)
    return found


def influence_of_pairs(
    trained: np.ndarray, correct: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Returns the influence of some pairs, float64 [pairs].

    Args:
      trained, correct: see `influence`.
      train, test: the positions of each pair, int [pairs].
    """
    inside, right = trained[:, train].astype(np.float64), correct[:, test].astype(np.float64)
    runs, with_it = inside.sum(0), (inside * right).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = with_it / runs - (right.sum(0) - with_it) / (len(trained) - runs)
    return found


def cross_fitted_pairs(
    trained: np.ndarray,
    correct: np.ndarray,
    first: np.ndarray,
    candidates: np.ndarray,
    same: np.ndarray,
    threshold: float,
) -> Pairs:
    """Chooses the pairs whose influence reaches a threshold on one half, and measures the other.

    Args:
      trained, correct: see `influence`.
      first: which runs choose, bool [runs]; the others measure.
      candidates: positions of the training examples that are looked at, int [c].
      same: which pairs may count, bool [c, t], such as those of one class.
      threshold: the least influence that counts.

    Returns:
      The pairs, the most influential by the choosing half first.
    """
    own, right = trained[first][:, candidates], correct[first]
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for columns in _chunks(correct.shape[1]):
        found = influence(own, right[:, columns])
        with np.errstate(invalid="ignore"):
            rows, tests = np.nonzero((found >= threshold) & same[:, columns])
        parts.append((candidates[rows], tests + columns.start, found[rows, tests]))
    train, test, chosen = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(-chosen, kind="stable")
    train, test, chosen = train[order], test[order], chosen[order]
    measured = influence_of_pairs(trained[~first], correct[~first], train, test)
    return Pairs(train, test, chosen, measured)


def _chunks(count: int) -> Iterator[slice]:
    return (slice(at, min(at + CHUNK, count)) for at in range(0, count, CHUNK))
