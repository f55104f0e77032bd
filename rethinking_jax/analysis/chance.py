"""What chance gives: how well a network tests that learnt nothing, and what noise alone wins."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.results import Series

DEVIATIONS = 3  # standard deviations that count as chance
FEW = 5  # measurements: fewer do not show how far an accuracy wanders
# The mean absolute second difference of independent noise of standard deviation 1.
WOBBLE = math.sqrt(6) * math.sqrt(2 / math.pi)


class Chance(NamedTuple):
    """A test accuracy by chance.

    Attributes:
      mean: what it is in the mean, such as 1/k.
      binomial: its standard deviation if a network answered each test example by itself.
      wandering: its standard deviation over epochs and seeds; 0 where that is not known.
    """

    mean: float
    binomial: float
    wandering: float = 0.0

    @property
    def allowed(self) -> float:
        """How far from the mean is chance: three of the larger standard deviation."""
        return DEVIATIONS * max(self.binomial, self.wandering)

    def told(self, error: bool = False) -> str:
        """Returns the range in words, of accuracies or of errors."""
        of = (
            f"over epochs and seeds, {self.wandering:.4f} each"
            if self.wandering > self.binomial
            else "of independent answers"
        )
        mean = 1 - self.mean if error else self.mean
        return f"{mean:.4f} ± {self.allowed:.4f}, three standard deviations {of}"


def chance(one: Series, guesses: int = 1) -> Chance | None:
    """Returns the test accuracy of so many guesses; None where the data set's size is not known."""
    if not one.num_classes or not one.test_examples:
        return None
    p = min(guesses / one.num_classes, 1.0)
    return Chance(p, math.sqrt(p * (1 - p) / one.test_examples))


def after_noise(by_chance: Chance, runs: Sequence[Sequence[float]]) -> Chance:
    """Returns the test accuracy of networks that were trained on random labels.

    To such a network the names of the classes mean nothing: whatever its answers are, every
    renaming of the classes is as likely, and its accuracy is 1/k in the mean. But it answers
    images that look alike alike, and images of one class look alike more often. If two of one
    class get the same answer with probability s, and two of different classes with t, the
    variance is (1/k)(1 - 1/k)/n + (s - t)/k², by counting pairs. More test images do not lessen
    the second part: with ten classes, 10,000 images and s - t = 0.002 the standard deviation is
    0.005, where independent answers would give 0.003.

    s and t are not recorded, but the accuracies of a run's epochs show what they do: their variance
    about their own mean, and that of the runs' means where there are several. Answers are more
    alike while less is fitted, so that all epochs together rather say too much of the last one
    than too little. A network that does know the classes is not hidden by it: it is above 1/k in
    every epoch and with every seed.

    Args:
      by_chance: as of independent answers.
      runs: the test accuracy of each run at each epoch.
    """
    long = [own for own in runs if len(own) >= FEW]
    if not long:
        return by_chance
    within = float(np.mean([np.var(own, ddof=1) for own in long]))
    between = float(np.var([np.mean(own) for own in long], ddof=1)) if len(long) > 1 else 0.0
    return by_chance._replace(wandering=math.sqrt(within + between))


def renaming_deviation(answers: np.ndarray, labels: np.ndarray, classes: int) -> float:
    """Returns the standard deviation of an accuracy over all renamings of the classes.

    This is what `after_noise` estimates, where the answers are at hand (Hoeffding 1951).

    Args:
      answers, labels: int [n], from 0 to classes - 1.
      classes: their number, at least 2.
    """
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels, answers), 1)
    centred = counts - counts.mean(0) - counts.mean(1, keepdims=True) + counts.mean()
    return math.sqrt(float((centred**2).sum()) / (classes - 1)) / len(labels)


def is_chance(values: Sequence[float], by_chance: Chance) -> bool:
    """Says whether the mean over seeds is no farther from chance than one run may be."""
    return abs(float(np.mean(values)) - by_chance.mean) <= by_chance.allowed


def well_above(by_chance: Chance) -> float:
    """Returns the test accuracy from which a network generalizes, see `chance`.

    It closes a quarter of the gap from chance to 1, and more than chance can.
    """
    return max(by_chance.mean + (1 - by_chance.mean) / 4, by_chance.mean + by_chance.allowed)


# The best of many epochs ----------------------------------------------------------------


def wobble(values: Sequence[float]) -> float:
    """Returns the mean absolute second difference: a straight rise has none, whatever its slope."""
    return float(np.abs(np.diff(values, 2)).mean())


def best_by_noise(accuracies: Sequence[float], examples: int, trend: bool = True) -> float:
    """Returns how far noise alone may lift the best epoch above the last.

    Each earlier epoch is above the last by noise of two of them. That any is by more than what
    is returned has at most the probability with which a normal number is above three standard
    deviations, however the epochs depend on each other (Bonferroni's bound).

    Args:
      accuracies: the accuracy at each epoch, on the set that chooses the best.
      examples: the size of that set.
      trend: whether the accuracy may have changed by more than noise, so that only its wobble
        counts as such; after random labels all of it is noise.
    """
    if len(accuracies) < 2:
        return 0.0
    deviation = math.sqrt(accuracies[-1] * (1 - accuracies[-1]) / examples)
    if len(accuracies) >= FEW:
        deviation = wobble(accuracies) / WOBBLE if trend else float(np.std(accuracies, ddof=1))
    tail = (1 - NormalDist().cdf(DEVIATIONS)) / (len(accuracies) - 1)
    return deviation * math.sqrt(2) * NormalDist().inv_cdf(1 - tail)
