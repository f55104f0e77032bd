"""Memorization scores: how much more often runs are right on an example that they train on.

mem(i) = P[a run with example i is right on it] - P[a run without it is right on it]
(Feldman 2020; Feldman and Zhang 2020, section 1), estimated from runs on random subsets. With
subsets of m out of n examples this is the memorization in a training set of m examples, not of n.

The largest of many estimates are too large: they were chosen for their errors, too. What is said
of chosen examples is therefore found on one half of the runs and measured on the other.
"""

from typing import NamedTuple

import numpy as np

from rethinking_jax.scores.contrast import Contrast, GroupSums, contrast, split


class Confirmed(NamedTuple):
    """Examples whose score reaches a threshold, by halves of the runs that share no run.

    Attributes:
      found: how many reach it on all runs; chance errors make this too many where few are above.
      confirmed: how many reach it on each half by itself; chance errors make this too few.
      mean: their mean score, measured on the half that did not choose them; nan where none is.
      examples: the number of all examples that have a score.
    """

    found: int
    confirmed: int
    mean: float
    examples: int


def binomial_error(of: Contrast, inside_runs: np.ndarray, outside_runs: np.ndarray) -> np.ndarray:
    """Returns the standard error of scores if all runs were independent, float64 [examples].

    sqrt(p1 (1 - p1) / k1 + p0 (1 - p0) / k0), where k1 runs with the example are right with
    probability p1, and k0 without it with p0. It is at most sqrt((1 / k1 + 1 / k0) / 4).

    Args:
      of: the scores, of values 0 and 1.
      inside_runs, outside_runs: k1 and k0 of each example.
    """
    variances = (
        p * (1 - p) / runs for p, runs in ((of.inside, inside_runs), (of.outside, outside_runs))
    )
    found: np.ndarray = np.sqrt(sum(variances))
    return found


def confirmed(sums: GroupSums, threshold: float, among: np.ndarray | None = None) -> Confirmed:
    """Counts the examples that reach a threshold, see `Confirmed`.

    Args:
      sums: of how often the runs of each group are right, at least two groups.
      threshold: the least score that counts.
      among: the examples that are looked at, bool [examples]; None: all.
    """
    chosen = np.ones(sums.inside.shape[1], bool) if among is None else among
    whole = contrast(sums).value[chosen]
    first, second = (contrast(half).value[chosen] for half in split(sums))
    with np.errstate(invalid="ignore"):
        above = first >= threshold, second >= threshold
        found = int((whole >= threshold).sum())
    other = np.concatenate([second[above[0]], first[above[1]]])
    return Confirmed(
        found,
        int((above[0] & above[1]).sum()),
        float(other.mean()) if len(other) else float("nan"),
        int(np.isfinite(whole).sum()),
    )


def histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns the share of examples in each bin, float64 [len(edges) - 1]; nan are left out."""
    known = values[np.isfinite(values)]
    counted, _ = np.histogram(np.clip(known, edges[0], edges[-1]), edges)
    return counted / max(len(known), 1)
