"""Who was in the training set? Membership inference with the very runs of the scores.

See `rethinking_jax.scores.membership`. Every run is attacked, with those of all other groups as
shadow models.
Rates are of each group of runs by itself, whose subsets do not depend on those of other groups.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import curve
from rethinking_jax.analysis.intervals import mean_interval
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.scores.contrast import contrast, group_sums
from rethinking_jax.scores.membership import likelihood_ratios, logit_confidence, permuted
from rethinking_jax.scores.ranking import auroc, roc, true_positive_rate
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.theory.subset_runs import Memorized
from rethinking_jax.workdir.metrics import Json

RATES = (0.001, 0.01)  # the false positive rates at which true positive rates are read
OUTSIDERS = 1000  # examples of a group outside its runs: fewer do not show a rate of 0.001
PERMUTATIONS = 10  # of membership, for the null
POINTS = 120  # of a curve on logarithmic axes
LEAST_RATE = 1e-4  # where these axes begin

COLUMNS = (
    Column("labels", "name"),
    Column("AUROC", "auroc", "{:.4f}"),
    Column("±", "auroc_half", "{:.4f}"),
    Column("TPR at FPR 0.1 %", "tpr_0.001", "{:.4f}", "not measured"),
    Column("±", "tpr_0.001_half", "{:.4f}"),
    Column("TPR at FPR 1 %", "tpr_0.01", "{:.4f}"),
    Column("±", "tpr_0.01_half", "{:.4f}"),
    Column("AUROC, corrupted labels", "corrupted", "{:.4f}"),
    Column("AUROC, clean labels", "clean", "{:.4f}"),
    Column("AUROC, permuted membership", "null", "{:.4f}"),
)
NOTE = (
    "The likelihood-ratio attack of Carlini et al. (2022) on every run, with the runs of all other "
    "groups as shadow models; means over groups of ten runs, ± half of the 95 % interval. Permuted "
    "membership: the whole attack again, where it is drawn at random which runs of a group are "
    f"said to have an example; the mean of {PERMUTATIONS} draws."
)


class Exposure(NamedTuple):
    """What the attack on the runs of one setting comes to, one value for each group of runs.

    Attributes:
      name: the setting.
      area: AUROC.
      rates: true positive rates by the false positive rate of `RATES`.
      corrupted, clean: AUROC over the examples with corrupted, and with true labels; None where
        there are too few of them.
      null: AUROC where membership is permuted, the mean over groups, for each permutation.
      evidence: of each example the mean log-likelihood ratio over the runs that train on it, less
        that over the others, float64 [n].
      curve: the ROC curve of all runs together, false and true positive rates.
    """

    name: str
    area: list[float]
    rates: dict[float, list[float]]
    corrupted: list[float] | None
    clean: list[float] | None
    null: list[float]
    evidence: np.ndarray
    curve: tuple[np.ndarray, np.ndarray]


def expose(one: Memorized, fewest: int) -> Exposure:
    """Attacks every run of a setting.

    Args:
      one: the setting with what its runs answer.
      fewest: the least number of corrupted, or clean, labels that are looked at by themselves.
    """
    trained, corrupted = one.answers.trained, one.setting.corrupted
    confidence = logit_confidence(one.answers.loss)
    ratios = likelihood_ratios(confidence, trained, BLOCKS)
    return Exposure(
        one.setting.name,
        _areas(ratios, trained),
        {
            rate: [
                true_positive_rate(*_flat(ratios, trained, group), rate)
                for group in _groups(trained)
            ]
            for rate in RATES
        },
        _areas_among(ratios, trained, corrupted, fewest),
        _areas_among(ratios, trained, ~corrupted, fewest),
        [_null(confidence, trained, one.setting.config.seed, i) for i in range(PERMUTATIONS)],
        contrast(group_sums(trained, ratios, BLOCKS)).value,
        _thinned(*roc(ratios.ravel(), trained.ravel())),
    )


def _null(confidence: np.ndarray, trained: np.ndarray, seed: int, index: int) -> float:
    """Returns the mean AUROC over groups of the whole attack with permuted membership."""
    sham = permuted(trained, BLOCKS, generator(seed, "permuted_membership", index))
    return float(np.mean(_areas(likelihood_ratios(confidence, sham, BLOCKS), sham)))


def outsiders(one: Memorized) -> int:
    """Returns how many pairs of a run of a group and an example outside its subset there are."""
    return int((~one.answers.trained[:BLOCKS]).sum())


def _groups(trained: np.ndarray) -> list[slice]:
    return [slice(at, at + BLOCKS) for at in range(0, len(trained), BLOCKS)]


def _flat(ratios: np.ndarray, trained: np.ndarray, group: slice) -> tuple[np.ndarray, np.ndarray]:
    return ratios[group].ravel(), trained[group].ravel()


def _areas(ratios: np.ndarray, trained: np.ndarray) -> list[float]:
    groups = len(trained) // BLOCKS
    found: list[float] = auroc(ratios.reshape(groups, -1), trained.reshape(groups, -1)).tolist()
    return found


def _areas_among(
    ratios: np.ndarray, trained: np.ndarray, chosen: np.ndarray, fewest: int
) -> list[float] | None:
    """Returns AUROC over some examples; None where there are too few."""
    return _areas(ratios[:, chosen], trained[:, chosen]) if chosen.sum() >= fewest else None


def _thinned(false: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns points of a ROC curve evenly on a logarithmic axis."""
    at = np.geomspace(LEAST_RATE, 1, POINTS)
    return at, true[np.searchsorted(false, at, side="right") - 1]


# Results -------------------------------------------------------------------------------------


def exposure_rows(found: Sequence[Exposure], enough: bool) -> list[Json]:
    """Returns a row for each setting.

    Args:
      found: what the attacks came to.
      enough: whether there are `OUTSIDERS` for the smallest rate.
    """
    rows = []
    for one in found:
        measured = {"auroc": one.area, **{f"tpr_{rate:g}": one.rates[rate] for rate in RATES}}
        row: Json = {"name": one.name}
        for key, values in measured.items():
            own = mean_interval(values, "groups")
            row |= {key: own.value, f"{key}_half": (own.high - own.low) / 2}
        if not enough:
            row |= {"tpr_0.001": None, "tpr_0.001_half": None}
        for key in ("corrupted", "clean", "null"):
            values = getattr(one, key)
            row[key] = None if values is None else float(np.mean(values))
        rows.append(row)
    return rows


def exposure_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("membership", "Membership inference", COLUMNS, rows, NOTE)


def exposure_plot(found: Sequence[Exposure]) -> Plot:
    """Draws the ROC curve of each setting on logarithmic axes, and chance."""
    curves: list[Curve] = []
    for one in found:
        false, true = one.curve
        curves.append(
            curve(one.name, false.tolist(), [rate if rate > 0 else None for rate in true.tolist()])
        )
    chance = np.geomspace(LEAST_RATE, 1, 5).tolist()
    curves.append(curve("chance", chance, chance))
    return Plot(
        "membership",
        "Who was in the training set?",
        "The likelihood-ratio attack on all runs together.",
        "false positive rate",
        "true positive rate",
        curves,
        log="xy",
    )
