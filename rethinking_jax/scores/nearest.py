"""What nearest neighbours memorize, exactly: the expectation over all subsets has a closed form.

Let example i have the others in the order of their distance. In a uniform subset of m of the N
others, the j-th of them is among the k nearest with probability

    m / N * P[Hypergeometric(N - 1, j - 1, m - 1) < k],

which for k = 1 is C(N - j, m - 1) / C(N, m). The vote for a label is the sum of these
probabilities over the neighbours with that label, divided by k; for k = 1 it is the probability
that the answer is that label. A run that trains on i has i as its nearest neighbour of all.
"""

import numpy as np

CHUNK = 256  # examples whose distances to all others are held at once
NEGLIGIBLE = 1e-12  # a probability that a further neighbour decides, below which it is left out


def depth(count: int, kept: int, k: int = 1) -> int:
    """Returns how many neighbours matter: that fewer than k of them are in a subset is negligible.

    Args:
      count: the number of all examples.
      kept: how many of them a subset has.
      k: the number of neighbours that vote.
    """
    from scipy.stats import hypergeom  # slow to import

    others = count - 1
    for first in range(k, others):
        if hypergeom.cdf(k - 1, others, first, kept) < NEGLIGIBLE:
            return first
    return others


def neighbours(points: np.ndarray, first: int) -> np.ndarray:
    """Returns the nearest other examples of each, int32 [n, first], the nearest first.

    Examples at the same distance are in the order of their positions.

    Args:
      points: float [n, d].
      first: how many neighbours, at most n - 1.
    """
    x = np.asarray(points, np.float64)
    norms = (x**2).sum(1)
    found = np.empty((len(x), first), np.int32)
    for at in range(0, len(x), CHUNK):
        rows = np.arange(at, min(at + CHUNK, len(x)))
        squares = norms[rows, None] + norms - 2 * x[rows] @ x.T
        squares[np.arange(len(rows)), rows] = np.inf
        # Rounding would order equal distances; 1e-9 of the largest norm is far above it.
        squares = np.round(squares / (1e-9 * max(norms.max(), 1.0)))
        # Whole numbers, one for each distance and position: float64 holds them exactly.
        ranks = squares * len(x) + np.arange(len(x))
        ranks = np.partition(ranks, first - 1, axis=1)[:, :first]
        found[rows] = np.sort(ranks, axis=1) % len(x)
    return found


def weights(others: int, kept: int, first: int, k: int = 1) -> np.ndarray:
    """Returns the probability that each neighbour is among the k nearest, float64 [first].

    Args:
      others: the number of examples that a subset is drawn from.
      kept: the number of those that it has.
      first: of how many neighbours, the nearest first.
      k: the number of neighbours that vote.
    """
    from scipy.stats import hypergeom  # slow to import

    nearer = np.arange(first)
    found: np.ndarray = kept / others * hypergeom.cdf(k - 1, others - 1, nearer, kept - 1)
    return found


def memorization(labels: np.ndarray, near: np.ndarray, kept: int, k: int = 1) -> np.ndarray:
    """Returns the exact memorization score of each example, float64 [n].

    For k = 1 it is that of `memorization` with the nearest neighbour as learner; for more it is
    the same of the share of votes for the label, in the place of being right.

    Args:
      labels: given labels, int [n].
      near: the nearest other examples, int [n, at least `depth`], see `neighbours`.
      kept: the size of a subset; a run that trains on an example has kept - 1 others.
      k: the number of neighbours that vote.
    """
    others, first = len(labels) - 1, near.shape[1]
    same = labels[near] == labels[:, None]
    without = same @ weights(others, kept, first, k) / k
    if k == 1:
        with_it = np.ones(len(labels))
    else:
        with_it = 1 / k + same @ weights(others, kept - 1, first, k - 1) / k
    found: np.ndarray = with_it - without
    return found


def disagreement(labels: np.ndarray, near: np.ndarray, k: int) -> np.ndarray:
    """Returns the share of the k nearest neighbours that have another label, float64 [n]."""
    found: np.ndarray = (labels[near[:, :k]] != labels[:, None]).mean(1)
    return found


def vote(labels: np.ndarray, near: np.ndarray, k: int) -> np.ndarray:
    """Returns the label that most of the k nearest neighbours have, int64 [n]; ties: the least."""
    own = labels[near[:, :k]]
    counts = np.stack([(own == one).sum(1) for one in range(int(labels.max()) + 1)], axis=1)
    found: np.ndarray = counts.argmax(1)
    return found


def answers(labels: np.ndarray, near: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Says whether runs of one nearest neighbour are right on each example, bool [runs, n].

    Args:
      labels: given labels, int [n].
      near: see `memorization`. Where no neighbour of these is in a subset, which has the
        probability `NEGLIGIBLE`, the last of them answers.
      trained: whether a run trains on an example, bool [runs, n].
    """
    same = labels[near] == labels[:, None]
    everyone = np.arange(len(labels))
    found = np.empty(trained.shape, bool)
    for run, own in enumerate(trained):
        known = own[near]
        known[:, -1] = True
        found[run] = own | same[everyone, known.argmax(1)]
    return found
