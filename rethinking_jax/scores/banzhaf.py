"""Data Banzhaf values: what an example adds to the accuracy of runs on random halves.

The Banzhaf value of example i is the mean of U(S with i) - U(S) over all subsets S of the others,
where U is the test accuracy of a network that trains on S (Wang and Jia 2023, Data Banzhaf). Their
estimator with maximum sample reuse takes every run for every example: the mean of U over the runs
with i, less that over the runs without.

Their subsets have every example with probability 1/2, so that sizes differ. Here all are halves of
equal size (see `subsets.halves`), and runs with i have no more examples than runs without. So what
one more example of any kind adds is missing from all values: they are those of the examples
against each other, with a mean near 0. Where U is a sum over the examples of S, they are the
Banzhaf values less their mean, times n / (n - 1).
"""

from typing import NamedTuple

import numpy as np

from rethinking_jax.scores.contrast import contrast, contrast_error, group_sums

PAIR = 2  # runs that depend on each other: the halves of one order


class Values(NamedTuple):
    """The value of each example, and its standard error by jackknife, float64 [n] each."""

    value: np.ndarray
    error: np.ndarray


def banzhaf_values(trained: np.ndarray, utility: np.ndarray, size: int = PAIR) -> Values:
    """Returns the Data Banzhaf values by maximum sample reuse.

    Args:
      trained: whether a run trains on an example, bool [runs, n].
      utility: what a run comes to, such as its test accuracy, float [runs].
      size: the number of runs of a group that depend on each other.
    """
    sums = group_sums(trained, np.asarray(utility)[:, None], size)
    return Values(contrast(sums).value, contrast_error(sums))
