"""How well a score ranks the examples that are sought, the positives, above all others.

Each function takes scores in which a larger value means "rather a positive". An infinite score is
a rank like any other. Examples of the same score are not told apart: each function says what it
makes of them, and none depends on the order of the examples.
"""

from typing import NamedTuple

import numpy as np


class PrecisionRecall(NamedTuple):
    """A precision-recall curve: one point for each distinct score, from the largest on.

    Attributes:
      recall: float64 [points], the share of the positives at or above the score, ascending.
      precision: float64 [points], the share of positives among what is at or above it.
    """

    recall: np.ndarray
    precision: np.ndarray


def auroc(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Returns the area under the receiver operating characteristic.

    It is the share of pairs of a positive and a negative in which the positive has the larger
    score, where a pair of equal scores counts one half (Hanley and McNeil 1982).

    Args:
      scores: [..., n], without nan.
      positive: bool [..., n], of the shape of `scores` or one that it broadcasts to.

    Returns:
      float64 [...]; nan where all or none are positive.
    """
    from scipy.stats import rankdata  # slow to import

    scores, positive = np.broadcast_arrays(np.asarray(scores), np.asarray(positive, bool))
    ranks = rankdata(scores, axis=-1)
    wanted = positive.sum(-1)
    pairs = wanted * (~positive).sum(-1)
    larger = np.where(positive, ranks, 0.0).sum(-1) - wanted * (wanted + 1) / 2
    return np.asarray(np.where(pairs > 0, larger / np.maximum(pairs, 1), np.nan))


def roc(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the points of the ROC curve, from (0, 0) to (1, 1), one for each distinct score.

    Args:
      scores: float [n], without nan.
      positive: bool [n].

    Returns:
      False and true positive rates, float64 [distinct scores + 1] each; nan where a kind is
      missing.
    """
    count, true = _at_or_above(scores, positive)
    count, true = np.append(0, count), np.append(0, true)
    false = count - true
    with np.errstate(invalid="ignore"):
        return false / false[-1], true / true[-1]


def true_positive_rate(scores: np.ndarray, positive: np.ndarray, at: float) -> float:
    """Returns the largest true positive rate of a threshold with a false one of at most `at`."""
    false, true = roc(scores, positive)
    return float(true[false <= at].max())


def precision_recall(scores: np.ndarray, positive: np.ndarray) -> PrecisionRecall:
    """Returns the precision-recall curve of one score.

    Args:
      scores: [n], without nan; examples of the same score are above a threshold together.
      positive: bool [n], of which one at least is True.
    """
    count, true = _at_or_above(scores, positive)
    return PrecisionRecall(true / true[-1], true / count)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Returns the average precision: that of each threshold times the recall that it adds.

    Random scores have the share of the positives, the prevalence.

    Args:
      scores: [n], without nan.
      positive: bool [n].

    Returns:
      The average precision; nan where nothing is positive.
    """
    if not np.any(positive):
        return float("nan")
    curve = precision_recall(scores, positive)
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def precision_at(scores: np.ndarray, positive: np.ndarray, count: int | None = None) -> float:
    """Returns the share of positives among the `count` examples of the largest scores.

    Where the last places are shared by examples of the same score, it is the expected share
    when these places are drawn among them. At the true number of positives, which is the
    default, precision and recall are the same number.

    Args:
      scores: [n], without nan.
      positive: bool [n].
      count: how many examples are looked at, from 1 to n; None: as many as are positive.

    Returns:
      The share; nan where `count` is None and nothing is positive.
    """
    scores, positive = np.asarray(scores), np.asarray(positive, bool)
    count = int(positive.sum()) if count is None else count
    if count == 0:
        return float("nan")
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    above, level = scores > least, scores == least
    places = count - above.sum()
    return float((positive[above].sum() + places * positive[level].mean()) / count)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Returns Spearman's rank correlation; examples of the same value share their mean rank.

    Args:
      a, b: [n], without nan.

    Returns:
      From -1 to 1; nan where one of the two is the same for all examples.
    """
    from scipy.stats import rankdata  # slow to import

    first, second = (rankdata(values) - (len(values) + 1) / 2 for values in (a, b))
    length = np.sqrt(np.sum(first**2) * np.sum(second**2))
    return float(np.sum(first * second) / length) if length > 0 else float("nan")


def _at_or_above(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts the examples, and the positives, at or above each distinct score, from the largest."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    ranked, hits = np.asarray(scores)[order], np.cumsum(np.asarray(positive, bool)[order])
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    return last + 1, hits[last]
