"""How well a score separates two kinds of examples, whatever its threshold."""

import numpy as np


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Returns the area under the ROC curve: the probability that a positive scores higher.

    A tie counts 1/2 (Hanley and McNeil 1982); nan where one of the two kinds is missing.

    Args:
      scores: float [n], larger for what is rather positive.
      positive: bool [n].
    """
    rates = roc(scores, positive)
    return float(np.trapezoid(rates[1], rates[0]))


def roc(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the points of the ROC curve, from (0, 0) to (1, 1), one for each distinct score.

    Args:
      scores: float [n], without nan.
      positive: bool [n].

    Returns:
      False and true positive rates, float64 [distinct scores + 1] each; nan where a kind is
      missing.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order].astype(bool)
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    true = np.append(0, np.cumsum(hits)[ends])
    false = np.append(0, np.cumsum(~hits)[ends])
    with np.errstate(invalid="ignore"):
        return false / false[-1], true / true[-1]


def true_positive_rate(scores: np.ndarray, positive: np.ndarray, at: float) -> float:
    """Returns the largest true positive rate of a threshold with a false one of at most `at`."""
    false, true = roc(scores, positive)
    return float(true[false <= at].max())
