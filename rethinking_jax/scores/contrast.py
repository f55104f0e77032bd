"""What one example changes in the mean: runs that train on it against runs that do not.

Memorization, influence and Data Banzhaf values are all such contrasts, of different values: how
often a run is right on the example itself, on a test example, or how accurate it is.
Runs of a balanced design come in groups that depend on each other (see `subsets`), and groups are
independent. So values are summed by group, and errors are a jackknife over groups.
"""

from typing import NamedTuple

import numpy as np

from rethinking_jax.scores.jackknife import jackknife_error


class GroupSums(NamedTuple):
    """Sums over the runs of each group, split by whether a run trains on an example.

    Attributes:
      inside, outside: the sums of values, float64 [groups, examples].
      inside_runs, outside_runs: over how many runs, float64 [groups, examples].
    """

    inside: np.ndarray
    inside_runs: np.ndarray
    outside: np.ndarray
    outside_runs: np.ndarray


class Contrast(NamedTuple):
    """A contrast of each example, float64 [examples]; nan where no run, or every run, has it.

    Attributes:
      value: the mean over the runs that train on it, less that over those that do not.
      inside, outside: the two means.
    """

    value: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def group_sums(trained: np.ndarray, values: np.ndarray, size: int) -> GroupSums:
    """Sums values over the runs of each group.

    Args:
      trained: whether a run trains on an example, bool [runs, examples].
      values: what is compared, [runs, examples] or, where it is the same for every example,
        [runs, 1].
      size: the number of runs of a group, which are one after the other.

    Raises:
      ValueError: the runs are no whole number of groups.
    """
    runs, count = trained.shape
    if runs % size:
        raise ValueError(f"{runs} runs are no whole number of groups of {size}")
    groups = range(0, runs, size)
    found = GroupSums(*(np.empty((len(groups), count)) for _ in GroupSums._fields))
    for group, at in enumerate(groups):  # one by one, for float64 of all runs may be too large
        inside, own = trained[at : at + size], np.asarray(values[at : at + size], np.float64)
        found.inside[group] = np.where(inside, own, 0).sum(0)
        found.outside[group] = np.where(inside, 0, own).sum(0)
        found.inside_runs[group] = inside.sum(0)
    found.outside_runs[:] = size - found.inside_runs
    return found


def contrast(sums: GroupSums) -> Contrast:
    """Returns the contrast of each example over all groups."""
    return _of(*(part.sum(0) for part in sums))


def values_without(sums: GroupSums) -> np.ndarray:
    """Returns the contrasts without one group each, float64 [groups, examples].

    They are nan where that group alone has the runs with, or without, an example.
    """
    return _of(*(part.sum(0) - part for part in sums)).value


def contrast_error(sums: GroupSums) -> np.ndarray:
    """Returns the standard error of each contrast by jackknife over groups, float64 [examples].

    It is 0 where all runs agree, which is no proof that more runs would; nan where a group alone
    has the runs with, or without, an example, or where there is but one group.
    """
    return jackknife_error(values_without(sums))


def split(sums: GroupSums) -> tuple[GroupSums, GroupSums]:
    """Returns the sums of every other group, and those of the rest: halves that share no run."""
    return GroupSums(*(part[::2] for part in sums)), GroupSums(*(part[1::2] for part in sums))


def _of(
    inside: np.ndarray, inside_runs: np.ndarray, outside: np.ndarray, outside_runs: np.ndarray
) -> Contrast:
    with np.errstate(invalid="ignore"):
        with_it, without = inside / inside_runs, outside / outside_runs
    return Contrast(with_it - without, with_it, without)
