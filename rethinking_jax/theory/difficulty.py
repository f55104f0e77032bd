"""How far the examples of a setting differ in difficulty, and what is judged of it.

See `easy_examples`, whose runs these functions look at.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import finite, verdict
from rethinking_jax.analysis.intervals import LEVEL, Difference, holm, jackknife
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.scores.dispersion import (
    Dispersion,
    dispersion,
    dispersion_of_counts,
    dispersion_within,
    null_counts,
    null_interval,
)
from rethinking_jax.scores.jackknife import jackknife_error
from rethinking_jax.sweep.recorder import Recording
from rethinking_jax.workdir.metrics import Json

DRAWS = 2000  # of the parametric bootstrap
# An interval that reaches farther than this to either side says nothing. It is of the correlation
# of two runs, for a dispersion beyond 1 grows with the number of runs: by 0.5 at 100 runs.
RESOLVED = 0.005
PLACE = "Arpit et al. (2017), section 3.1, Figure 1"


class Measured(NamedTuple):
    """What the runs of one setting say.

    Attributes:
      row: its row of the table.
      all: the dispersion over all examples.
      within: that among examples of one given label.
      rates: the share of runs that are wrong on each example, float64 [n].
    """

    row: Json
    all: Dispersion
    within: Dispersion
    rates: np.ndarray


def measure(name: str, config: ConfigDict, recorded: Recording) -> Measured:
    """Measures how far the examples of one setting differ in difficulty."""
    correct = recorded.facts["correct"]
    counts, (runs, count) = correct.sum(0), correct.shape
    whole, within = dispersion(correct), dispersion_within(correct, recorded.labels[0])
    drawn = equally_hard(config, runs, count, float(correct.mean()))
    more = (dispersion_of_counts(drawn, runs) >= whole.value).sum()
    spread, inner = interval(whole), interval(within)
    row = {
        "name": name,
        "corruption": config.corruption,
        "runs": runs,
        "examples": count,
        "accuracy": float(correct.mean()),
        "dispersion": finite(whole.value),
        "low": finite(spread.low),
        "high": finite(spread.high),
        "interval": _shown(spread),
        "null": "{:.2f} to {:.2f}".format(*null_interval(count)),
        "p": float(more + 1) / (DRAWS + 1),
        "within": finite(within.value),
        "within_low": finite(inner.low),
        "within_high": finite(inner.high),
        "within_interval": _shown(inner),
        "always": float(np.mean(counts == runs)),
        "never": float(np.mean(counts == 0)),
    }
    return Measured(row, whole, within, 1 - counts / runs)


def equally_hard(config: ConfigDict, runs: int, count: int, p: float) -> np.ndarray:
    """Draws how many runs are right on each of equally hard examples: int64 [DRAWS, count]."""
    return null_counts(generator(config.seed, "equally_hard"), runs, count, p, DRAWS)


def interval(found: Dispersion) -> Difference:
    """Returns a dispersion with its interval over runs."""
    return jackknife(found.value, found.without.tolist(), "runs")


def _shown(found: Difference) -> str:
    return f"{found.low:.2f} to {found.high:.2f}"


def told(found: Dispersion) -> str:
    """Returns a dispersion and its interval in words."""
    return f"dispersion {found.value:.2f} ({_shown(interval(found))})"


# Verdicts ------------------------------------------------------------------------------------


def verdicts(by_setting: Mapping[str, Measured]) -> list[Verdict]:
    """Judges what Arpit et al. say of Figure 1, and whether labels alone explain the rest.

    Args:
      by_setting: what was measured, by the name of the corruption.
    """
    gaussian = by_setting.get("gaussian")
    pairs = [("true_labels", "random_labels"), ("random_labels", "gaussian")]
    found = [_difference(by_setting.get(a), by_setting.get(b)) for a, b in pairs]
    adjusted = holm([one.p for one in found if one is not None])
    p_values = [None if one is None else adjusted.pop(0) for one in found]
    return [
        _equally_hard(
            "Gaussian inputs are all equally hard.",
            PLACE,
            gaussian and gaussian.all,
            "Their counts look like binomial draws with the same mean (a figure, no number).",
        ),
        _harder(
            "Real images differ more in difficulty than the same images with random labels.",
            pairs[0], found[0], p_values[0],
        ),
        _harder(
            "Images with random labels differ more in difficulty than Gaussian inputs.",
            pairs[1], found[1], p_values[1],
        ),
        _equally_hard(
            "Gaussian inputs with the same label are all equally hard.",
            "not a claim of the paper",
            gaussian and gaussian.within,
            "How often a label occurs is a pattern, too, and here it makes no difference.",
        ),
    ]  # fmt: skip


class Compared(NamedTuple):
    """The difference of two dispersions over the same seeds, and its one-sided p-value."""

    values: tuple[float, float]
    difference: Difference
    p: float
    runs: int


def _difference(more: Measured | None, less: Measured | None) -> Compared | None:
    """Compares two settings over runs that share weights and order; None where one is missing."""
    if more is None or less is None:
        return None
    from scipy.special import stdtr  # slow to import

    values = more.all.value, less.all.value
    without = more.all.without - less.all.without
    found = jackknife(values[0] - values[1], without.tolist(), "runs")
    error = float(jackknife_error(without))
    if not error > 0:  # nan, too: every run answers as every other
        return None
    p = float(stdtr(len(without) - 1, -found.value / error))
    return Compared(values, found, p, len(without))


def _harder(claim: str, pair: tuple[str, str], found: Compared | None, p: float | None) -> Verdict:
    place, theirs = PLACE, "In the figure; no number."
    if found is None or p is None:
        needs = f"Needs {' and '.join(pair)}, and runs that differ."
        return verdict(claim, place, None, needs, theirs, of_paper=False)
    low, high = found.difference.low, found.difference.high
    unsure = low <= 0 <= high and max(high, -low) > RESOLVED * found.runs
    return verdict(
        claim,
        place,
        None if unsure else p <= 1 - LEVEL,
        f"Dispersion {found.values[0]:.2f} and {found.values[1]:.2f}: {found.difference.value:.2f} "
        f"more ({low:.2f} to {high:.2f}, 95 % by jackknife over runs; p {p:.2g} by Holm)."
        + (" More runs are needed." if unsure else ""),
        theirs,
        of_paper=False,
    )


def _equally_hard(claim: str, place: str, found: Dispersion | None, theirs: str) -> Verdict:
    if found is None or not np.isfinite(found.value):
        return verdict(claim, place, None, "Needs gaussian.", theirs, of_paper=False)
    spread = interval(found)
    holds = spread.low <= 1 <= spread.high
    unsure = holds and max(spread.high - 1, 1 - spread.low) > RESOLVED * len(found.without)
    return verdict(
        claim,
        place,
        None if unsure else holds,
        f"Dispersion {found.value:.2f} ({_shown(spread)}, 95 % by jackknife over "
        f"{len(found.without)} runs); 1 if equally hard."
        + (" More runs are needed." if unsure else ""),
        theirs,
        of_paper=False,
    )
