"""Confident learning: label errors from probabilities of networks that did not see the example.

Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels.
The probabilities must be out of sample, such as those of cross-validation: a network that has
memorized the labels agrees with the wrong ones, too.

Everywhere `probabilities` are float [n, k], rows that sum to 1, and `labels` int [n], the given
labels in [0, k).
"""

import numpy as np
import numpy.typing as npt

# How far a float32 probability of a class may fall short of the class's own mean by rounding.
ROUNDING = 1e-6


def low_self_confidence(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns 1 - p(y) of the given label, float64 [n]: larger is more suspicious."""
    return 1 - _of_label(probabilities, labels)


def negative_margin(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns max_c p(c) - p(y) over the classes c other than y, float64 [n], from -1 to 1.

    It is the paper's normalized margin with the other sign: larger is more suspicious.
    """
    others = np.array(probabilities, np.float64)
    others[np.arange(len(labels)), labels] = -np.inf
    return np.asarray(others.max(1)) - _of_label(probabilities, labels)


def thresholds(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns how sure a network has to be of each class (the paper's equation 2).

    Returns:
      float64 [k]: the mean of p(j) over the examples that are labelled j; infinite for a class
      that no example is labelled with, so that nothing is ever counted for it.
    """
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, _of_label(probabilities, labels), classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def confident_class(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the class that each example is confidently of, int64 [n]; -1: of none.

    It is the most probable of the classes whose probability reaches the class's threshold
    (the paper's equation 1).
    """
    values = np.asarray(probabilities, np.float64)
    reached = values >= thresholds(probabilities, labels) - ROUNDING
    best = np.where(reached, values, -np.inf).argmax(1)
    return np.where(reached.any(1), best, -1)


def confident_joint(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts the examples of each given label that are confidently of each class.

    Returns:
      int64 [k, k], the matrix C of the paper's equation 1: in row i and column j the examples
      that are labelled i and confidently of class j. Examples of no confident class are not
      counted.
    """
    classes = probabilities.shape[1]
    found = confident_class(probabilities, labels)
    cells = (labels * classes + found)[found >= 0]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def flags(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Says which labels confident learning takes for wrong, bool [n].

    These are the examples off the diagonal of the confident joint (the paper's "C confusion"),
    without those whose given label is the most probable class after all. No number of errors
    has to be known for it.
    """
    found = confident_class(probabilities, labels)
    likely = np.asarray(probabilities).argmax(1)
    wrong = (found >= 0) & (found != labels) & (likely != labels)
    return np.asarray(wrong)


def _of_label(probabilities: np.ndarray, labels: np.ndarray) -> npt.NDArray[np.float64]:
    """Returns the probability of each example's given label, float64 [n]."""
    values = np.asarray(probabilities, np.float64)
    return np.asarray(values[np.arange(len(labels)), labels])
