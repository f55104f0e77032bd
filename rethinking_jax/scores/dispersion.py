"""Whether examples differ in how hard they are: how far counts over runs spread beyond chance.

If every example were as hard as every other, the number of R runs that are right on it would be
binomial (Arpit et al. 2017, section 3.1 and Figure 1). The dispersion of the counts is 1 then, and
1 + (R - 1) times the correlation of two runs otherwise. Runs are independent and examples are not,
for one network answers all of them. So errors are a jackknife over runs.
"""

from typing import NamedTuple

import numpy as np


class Dispersion(NamedTuple):
    """A dispersion over R runs; nan where no run differs from another.

    Attributes:
      value: 1 where examples are equally hard.
      without: what it would be of R runs by those without one run each, float64 [R].
    """

    value: float
    without: np.ndarray


def dispersion(correct: np.ndarray) -> Dispersion:
    """Returns the variance of the counts x over n examples divided by that of a binomial.

    D = sum_i (x_i - R p)^2 / (R p (1 - p) (n - 1)), where p is the share of all answers that are
    right.

    Args:
      correct: whether a run is right on an example, bool or 0 and 1, [R, n]; R at least 3 and n at
        least 2.
    """
    right = np.asarray(correct, np.float64)
    runs, counts = len(right), right.sum(0)
    fewer = dispersion_of_counts(counts - right, runs - 1)
    return Dispersion(float(dispersion_of_counts(counts, runs)), _of_all(fewer, runs))


def dispersion_of_counts(counts: np.ndarray, runs: int) -> np.ndarray:
    """Returns the dispersion of counts of right answers, float64 [...]; see `dispersion`.

    Args:
      counts: how many runs are right on each example, [..., n].
      runs: over how many runs they are counted.
    """
    p = counts.mean(-1) / runs
    with np.errstate(invalid="ignore"):
        result: np.ndarray = counts.var(-1, ddof=1) / (runs * p * (1 - p))
    return result


def dispersion_within(correct: np.ndarray, groups: np.ndarray) -> Dispersion:
    """Returns the dispersion among examples of one group, such as one label, over all groups.

    It is 1 + (R - 1) c / v: c is the covariance within groups of the answers of two different runs,
    in the mean over all pairs of runs, and v the variance p (1 - p) of an answer in its group. If
    the examples of a group are equally hard c is 0 in the mean, even where a run is right on many
    of a group at once, as a network is that answers one class too often.

    Args:
      correct: as in `dispersion`.
      groups: the group of each example, integers [n].
    """
    right = np.asarray(correct, np.float64)
    runs = len(right)
    members = np.eye(groups.max() + 1)[groups]  # [n, groups]
    sizes = members.sum(0)
    means = right @ members / np.maximum(sizes, 1)  # [R, groups]
    apart = right - means @ members.T
    own = (apart**2).sum(1)
    total = apart.sum(0)

    def of(pairs: np.ndarray, p: np.ndarray, size: int) -> np.ndarray:
        """Takes the sum over ordered pairs of runs, and p of each group, [..., groups]."""
        variance = (p * (1 - p) * (sizes - 1) * (sizes > 0)).sum(-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            result: np.ndarray = 1 + pairs / (size * variance)
        return result

    pairs = (total**2).sum() - own.sum()
    fewer = pairs - 2 * (apart @ total - own)
    p = means.mean(0)
    without = of(fewer, (runs * p - means) / (runs - 1), runs - 1)
    return Dispersion(float(of(pairs, p, runs)), _of_all(without, runs))


def _of_all(fewer: np.ndarray, runs: int) -> np.ndarray:
    """Turns the dispersions of one run less into those of all runs: the part beyond 1 grows."""
    return 1 + (fewer - 1) * (runs - 1) / (runs - 2)


def null_interval(count: int, level: float = 0.95) -> tuple[float, float]:
    """Returns between what a dispersion lies where n independent counts are binomial.

    (n - 1) D is chi-square with n - 1 degrees of freedom then, nearly.

    Args:
      count: the number of examples, n, at least 2.
      level: the probability of the interval.
    """
    from scipy.special import chdtri  # slow to import

    tail = (1 - level) / 2
    low, high = (float(chdtri(count - 1, upper)) / (count - 1) for upper in (1 - tail, tail))
    return low, high


def null_counts(
    rng: np.random.Generator, runs: int, count: int, p: float, draws: int
) -> np.ndarray:
    """Draws counts of equally hard examples, for a parametric bootstrap: int64 [draws, count].

    Args:
      rng: the source of the draws.
      runs: over how many runs an example is counted.
      count: the number of examples.
      p: the probability that a run is right.
      draws: how often all examples are drawn.
    """
    return rng.binomial(runs, p, (draws, count))
