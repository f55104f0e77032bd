"""A curve that rises and falls again: where, and by how much, without luck in the choice."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.intervals import Difference, mean_interval


class Bump(NamedTuple):
    """Places on a curve, as indices of its points.

    Attributes:
      valley: where the largest rise begins.
      peak: where it ends.
      end: the lowest point from there on.
    """

    valley: int
    peak: int
    end: int


def bump(values: np.ndarray) -> Bump:
    """Finds the largest rise of a curve [p], p at least 2, and the lowest point after it.

    The rise goes from the lowest point so far to a later one. Where a curve only falls it is its
    smallest fall.
    """
    lowest = np.minimum.accumulate(values)[:-1]
    peak = 1 + int((values[1:] - lowest).argmax())
    return Bump(int(values[:peak].argmin()), peak, peak + int(values[peak:].argmin()))


def rise_and_fall(values: np.ndarray) -> tuple[Difference, Difference]:
    """Returns how far curves rise to their bump and fall after it, with 95 % intervals.

    The highest of many points is too high by luck. So the places of each seed are chosen by the
    mean of the other seeds' curves, and its own curve says how far it rises and falls there.

    Args:
      values: a curve for each seed, [seeds, p], at least 2 seeds.
    """
    rises, falls = [], []
    for i, own in enumerate(values):
        at = bump(np.delete(values, i, axis=0).mean(0))
        rises.append(float(own[at.peak] - own[at.valley]))
        falls.append(float(own[at.peak] - own[at.end]))
    return mean_interval(rises, "seeds"), mean_interval(falls, "seeds")
