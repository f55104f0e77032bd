"""Scores of an example from how it was learned: from its recorded facts, over the epochs.

Each function takes the facts of some runs, as a recorder of the sweep keeps them, and returns a
score for each run and example: float64 [runs, n], where a larger one is more suspicious. The
facts are those of the network in eval mode at the end of each measured epoch, on the label that
the run was given. `SCORES` has all of them by name.

The papers whose scores these are measure in other ways, which change a score a little: the area
under the margin and the forgetting events are taken there from an example's own presentations
while it is trained on, and the margin up to the first drop of the learning rate, which there is
none of here.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Facts: TypeAlias = Mapping[str, np.ndarray]  # [runs, n] by the name of a fact
Score: TypeAlias = Callable[[Facts, np.ndarray], np.ndarray]


def final_loss(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the loss at the last measured epoch, -log p(y)."""
    return _float(facts["loss"])


def final_confidence(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns 1 - p(y) at the last measured epoch; of an example that is trained on, in-sample."""
    return 1 - _float(facts["probability"])


def final_error_norm(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns |p - onehot(y)|_2 at the last measured epoch (EL2N; Paul et al. 2021, section 2)."""
    return _float(facts["error_norm"])


def cumulative_loss(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the mean of the loss over the epochs (Ravikumar et al. 2025 take its sum)."""
    return _float(facts["loss_sum"]) / _count(epochs)


def area_under_margin(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the mean of -(z_y - max_c z_c) over epochs, z logits, c not y (Pleiss et al. 2020).

    The paper's area under the margin is the same with the other sign: there the small ones
    are suspicious.
    """
    return -_float(facts["margin_sum"]) / _count(epochs)


def forgetting(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns how often an example was right and then wrong (Toneva et al. 2019, section 3).

    One that was never right gets the number of epochs, which is more than any number of
    changes. With a count of 0 it would pass for an example that is never forgotten.
    """
    never = _float(facts["first_learned"]) == 0
    return np.where(never, _count(epochs), _float(facts["forgotten"]))


def learned_last(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the last epoch in which an example was wrong: from the next on it stays right.

    Toneva et al. and Maini et al. (2022, first-split learning time) count to the next.
    """
    return _float(facts["last_wrong"])


def wrong_events(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the share of the epochs in which an example was wrong.

    It is one less the correctness of Swayamdipta et al. (2020, section 2), and one less the
    learning speed that Jiang et al. (2021, section 5) take for the C-score.
    """
    return 1 - _float(facts["correct_count"]) / _count(epochs)


def low_confidence(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns one less the mean of p(y) over epochs, the confidence of Swayamdipta et al. 2020."""
    return 1 - _float(facts["probability_sum"]) / _count(epochs)


def variability(facts: Facts, epochs: np.ndarray) -> np.ndarray:
    """Returns the standard deviation of p(y) over epochs (Swayamdipta et al. 2020, section 2).

    Examples that are hard all the time have a small one, with a low confidence; a large one is
    that of examples that are learned late or not for good.
    """
    mean = _float(facts["probability_sum"]) / _count(epochs)
    square = _float(facts["probability_squares"]) / _count(epochs)
    # Both are sums of float32, whose rounding can make the difference a little less than 0.
    return np.sqrt(np.maximum(square - mean**2, 0))


SCORES: dict[str, Score] = {
    "final_loss": final_loss,
    "cumulative_loss": cumulative_loss,
    "area_under_margin": area_under_margin,
    "forgetting": forgetting,
    "learned_last": learned_last,
    "wrong_events": wrong_events,
    "low_confidence": low_confidence,
    "variability": variability,
    "final_error_norm": final_error_norm,
    "final_confidence": final_confidence,
}


def _float(values: np.ndarray) -> npt.NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _count(epochs: np.ndarray) -> npt.NDArray[np.float64]:
    """Returns the number of measured epochs of each run as a column, float64 [runs, 1]."""
    return _float(epochs)[:, None]
