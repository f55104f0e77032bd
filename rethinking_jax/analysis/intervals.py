"""How far two groups of runs differ, and how sure that is."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Difference(NamedTuple):
    """A difference of means with its 95 % interval.

    Attributes:
      value: the difference.
      low, high: the ends of the interval.
      of: the chances that the interval covers: "seeds", "test set", both, or "" for none.
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
      a, b: one value for each seed.
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
