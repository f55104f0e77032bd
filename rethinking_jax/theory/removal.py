"""What the most memorized examples are worth: networks trained anew without them.

Beside each set of removed examples stands another of the same size, drawn at random, anew for
every seed. Runs with the same seed share initial weights, so that the two arms are compared seed by
seed; no seed is one of the runs that the scores are from (Feldman and Zhang 2020, Figure 2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.intervals import holm, p_above_0, paired
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.theory.fitting import Lab
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.subset_runs import Memorized, SubsetRun, train_subsets
from rethinking_jax.workdir.metrics import Json, text_of

LEAST, MOST = 0.1, 0.85  # the thresholds lie evenly from the one to the other
SHARE = "share of the training set that is removed"  # the name of an axis
FEWEST = 50  # removed examples whose effect can be told from chance

COLUMNS = (
    Column("labels", "name"),
    Column("mem of at least", "threshold", "{:.2f}"),
    Column("removed", "removed", "{:,}"),
    Column("of them corrupted", "corrupted", "{:,}"),
    Column("test acc. without them", "memorized", text_of),
    Column("without as many random ones", "random", text_of),
    Column("difference", "difference", "{:+.4f}"),
    Column("from", "low", "{:+.4f}"),
    Column("to", "high", "{:+.4f}"),
)
NOTE = (
    "Means over the retraining seeds. Difference: the accuracy without random examples less that "
    "without the most memorized ones, with its 95 % interval, paired over seeds: above 0, the "
    "memorized ones are worth more. Thresholds that fewer than "
    f"{FEWEST} examples reach are not trained."
)


class Removal(NamedTuple):
    """The accuracies after removing what reaches one threshold.

    Attributes:
      name: the setting.
      threshold: the least score of what is removed.
      removed: the number of examples removed in either arm.
      corrupted: how many of the memorized ones have a corrupted label.
      share: the share of the training set that is removed.
      memorized, random: test accuracy of each seed without the memorized, and without as many
        random examples.
    """

    name: str
    threshold: float
    removed: int
    corrupted: int
    share: float
    memorized: list[float]
    random: list[float]


class Retrained(NamedTuple):
    """What came of one setting: the test accuracy of each seed with all examples, and removals."""

    name: str
    whole: list[float]
    removals: list[Removal]


def thresholds(count: int) -> list[float]:
    """Returns so many thresholds, evenly from the least to the most; 0.25 where it is one."""
    return np.round(np.linspace(LEAST, MOST, count), 6).tolist() if count > 1 else [0.25] * count


def retrain(found: Sequence[Memorized], tools: Tools, lab: Lab) -> list[Retrained]:
    """Trains networks without the most memorized and without as many random examples.

    Raises:
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = found[0].setting.config
    if not config.thresholds:
        return []
    runs: list[SubsetRun] = []
    for index, one in enumerate(found):
        for seed in _seeds(config):
            runs.append(SubsetRun(index, _name(one, "all", seed), seed, None))
            for place, threshold in enumerate(thresholds(config.thresholds)):
                chosen = one.scores.value >= threshold
                if removable(int(chosen.sum()), len(chosen), config):
                    for arm, subset in _arms(chosen, seed, place).items():
                        name = _name(one, f"without {arm}={threshold:g}", seed)
                        runs.append(SubsetRun(index, name, seed, subset))
    lines = train_subsets([one.setting for one in found], runs, tools, lab)
    accuracy = {name: float(own[-1]["test_accuracy"] or 0.0) for name, own in lines.items()}
    return [_retrained(one, accuracy) for one in found]


def removable(removed: int, count: int, config: ConfigDict) -> bool:
    """Says whether removing so many of the examples is trained: neither too few nor too many."""
    return removed >= FEWEST and count - removed >= config.batch_size


def _seeds(config: ConfigDict) -> range:
    first = config.seed + config.runs
    return range(first, first + config.retrain)


def _name(one: Memorized, what: str, seed: int) -> str:
    return f"{one.setting.name},{what},seed={seed}"


def _arms(chosen: np.ndarray, seed: int, place: int) -> dict[str, np.ndarray]:
    """Returns the positions that each arm keeps, int32 and ascending."""
    order = generator(seed, "removed_at_random", place).permutation(len(chosen))
    random = np.sort(order[int(chosen.sum()) :])
    return {
        "mem": np.flatnonzero(~chosen).astype(np.int32),
        "random": random.astype(np.int32),
    }


def _retrained(one: Memorized, accuracy: dict[str, float]) -> Retrained:
    setting = one.setting
    seeds = _seeds(setting.config)
    removals = []
    for threshold in thresholds(setting.config.thresholds):
        chosen = one.scores.value >= threshold
        names = {
            arm: [_name(one, f"without {arm}={threshold:g}", seed) for seed in seeds]
            for arm in ("mem", "random")
        }
        if names["mem"][0] in accuracy:
            memorized, random = ([accuracy[name] for name in own] for own in names.values())
            removals.append(
                Removal(
                    setting.name,
                    threshold,
                    int(chosen.sum()),
                    int((chosen & setting.corrupted).sum()),
                    float(chosen.mean()),
                    memorized,
                    random,
                )
            )
    return Retrained(setting.name, [accuracy[_name(one, "all", s)] for s in seeds], removals)


# Results -------------------------------------------------------------------------------------


def worth(removals: Sequence[Removal], sign: int) -> list[float]:
    """Returns p-values, adjusted by Holm, that removing memorized examples costs accuracy.

    Args:
      removals: of one setting.
      sign: 1, or -1 for the claim that it helps.
    """
    differences = [
        [sign * (b - a) for a, b in zip(one.memorized, one.random, strict=True)] for one in removals
    ]
    return holm([p_above_0(own) for own in differences])


def removal_rows(found: Sequence[Retrained]) -> list[Json]:
    """Returns a row for each setting and threshold."""
    rows = []
    for one in (removal for own in found for removal in own.removals):
        difference = paired(one.random, one.memorized)
        rows.append(
            {
                **one._asdict(),
                "memorized": float(np.mean(one.memorized)),
                "random": float(np.mean(one.random)),
                "seeds": len(one.random),
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
            }
        )
    return rows


def removal_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("removal", "Without the most memorized examples", COLUMNS, rows, NOTE)


def removal_plot(found: Sequence[Retrained]) -> Plot:
    """Draws test accuracy against the share that is removed, for both arms."""
    curves: list[Curve] = []
    for own in found:
        shares = [0.0, *(one.share for one in reversed(own.removals))]
        note = f"mean of {len(own.whole)} seeds, band from least to most"
        for label, arm in (("the most memorized", "memorized"), ("random ones", "random")):
            values = [own.whole, *(getattr(one, arm) for one in reversed(own.removals))]
            curves.append(seeds_curve(f"{own.name}: without {label}", shares, values, note))
    return Plot(
        "removal",
        "Test accuracy after removing examples",
        "Networks trained anew without the examples whose memorization score reaches a threshold, "
        "and without as many random ones.",
        SHARE,
        "test accuracy",
        curves,
    )


def difference_plot(rows: Sequence[Json]) -> Plot:
    """Draws how much more the most memorized examples are worth than random ones.

    Args:
      rows: see `removal_rows`.
    """
    curves = []
    for name in dict.fromkeys(row["name"] for row in rows):
        own = sorted((row for row in rows if row["name"] == name), key=lambda row: row["share"])
        x, y, low, high = (
            [float(row[key]) for row in own] for key in ("share", "difference", "low", "high")
        )
        curves.append(Curve(name, x, y, low, high, "95 % interval, paired over seeds"))
    return Plot(
        "removal_difference",
        "What the most memorized examples are worth",
        "Test accuracy without random examples less that without as many of the most memorized: "
        "above 0 these are worth more, below 0 they do harm.",
        SHARE,
        "difference",
        curves,
        level=(0.0, "as much as random ones"),
    )
