"""How far two groups of runs differ, how large a mean or share is, and how sure that is."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from rethinking_jax.scores.jackknife import jackknife_error

LEVEL = 0.95


class Difference(NamedTuple):
    """A difference of means, or another number, with its 95 % interval.

    Attributes:
      value: the number.
      low, high: the ends of the interval.
      of: the chances that the interval covers, such as "seeds", "test set", both, or "" for none.
    """

    value: float
    low: float
    high: float
    of: str


def difference(
    a: Sequence[float], b: Sequence[float], test_examples: int | tuple[int, int] | None = None
) -> Difference:
    """Returns the mean of a minus that of b.

    Args:
      a: one value for each seed.
      b: the same of what is subtracted.
      test_examples: given for accuracies on a test set, whose own chance is added, or on
        two sets; None for measures that are not shares of a sample.

    Returns:
      Student's interval with pooled variance over the seeds, and the binomial one of the
      test set, added in squares. With one seed each only the second is there, and without
      either the interval has no width.
    """
    value = float(np.mean(a) - np.mean(b))
    freedom = len(a) + len(b) - 2
    seeds, sample = 0.0, 0.0
    if freedom:
        from scipy.special import stdtrit  # slow to import

        pooled = sum(float(np.sum((np.array(x) - np.mean(x)) ** 2)) for x in (a, b)) / freedom
        error = math.sqrt(pooled * (1 / len(a) + 1 / len(b)))
        seeds = error * float(stdtrit(freedom, (1 + LEVEL) / 2))
    if test_examples:
        # On the same images this is rather too wide than too narrow.
        counts = test_examples if isinstance(test_examples, tuple) else (test_examples,) * 2
        shares = [float(np.mean(x)) for x in (a, b)]
        variance = sum(p * (1 - p) / n for p, n in zip(shares, counts, strict=True))
        sample = 1.96 * math.sqrt(max(variance, 0.0))
    half = math.hypot(seeds, sample)
    sets = "both sets" if isinstance(test_examples, tuple) else "test set"
    covered = [name for name, on in (("seeds", freedom), (sets, test_examples)) if on]
    return Difference(value, value - half, value + half, " and ".join(covered))


def paired(a: Sequence[float], b: Sequence[float]) -> Difference:
    """Returns the mean of a - b of pairs that share a seed, or whatever else moves both.

    Student's interval of the differences, which is narrower than that of `difference` where what
    a pair shares matters. With one pair it has no width.

    Args:
      a: one value for each pair.
      b: what is subtracted of each, in the same order.
    """
    return mean_interval(np.subtract(a, b).tolist(), "pairs")


def mean_interval(values: Sequence[float], of: str) -> Difference:
    """Returns the mean of independent values with Student's interval, without width for one.

    Args:
      values: such as one for each seed.
      of: what they are one for each of.
    """
    value, freedom = float(np.mean(values)), len(values) - 1
    if not freedom:
        return Difference(value, value, value, "")
    return _student(value, float(np.std(values, ddof=1)) / math.sqrt(len(values)), freedom, of)


def jackknife(value: float, without: Sequence[float], of: str) -> Difference:
    """Returns a statistic with its interval by jackknife over groups of runs.

    Args:
      value: the statistic of all groups.
      without: the statistic without one group each, at least 2.
      of: what the groups are.
    """
    error = float(jackknife_error(np.asarray(without, np.float64)))
    return _student(value, error, len(without) - 1, of)


def wilson(hits: int, count: int) -> Difference:
    """Returns a share with Wilson's interval (1927), which has a width at 0 and at 1, too.

    Args:
      hits: how many of them, from 0 to `count`.
      count: the number of independent examples, at least 1.
    """
    share, z = hits / count, NormalDist().inv_cdf((1 + LEVEL) / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) * z / (1 + z**2 / count)
    return Difference(share, max(middle - half, 0.0), min(middle + half, 1.0), "examples")


def p_above_0(values: Sequence[float]) -> float:
    """Returns Student's one-sided p-value of the hypothesis that a mean is at most 0.

    Args:
      values: independent values, such as the differences of pairs, at least 2.
    """
    from scipy.special import stdtr  # slow to import

    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    if spread == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(len(values) - 1, -mean / spread * math.sqrt(len(values))))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values of a family of hypotheses adjusted by Holm (1979), in the same order.

    To reject those at most 0.05 has a probability of at most 0.05 to reject any true one, however
    the hypotheses depend on each other.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def _student(value: float, error: float, freedom: int, of: str) -> Difference:
    from scipy.special import stdtrit  # slow to import

    half = error * float(stdtrit(freedom, (1 + LEVEL) / 2))
    return Difference(value, value - half, value + half, of)
