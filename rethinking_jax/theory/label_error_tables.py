"""The tables of `label_errors`: how well every score ranks, and how alike the scores are."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.intervals import Difference, holm, mean_interval, p_above_0
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.scores.ranking import spearman
from rethinking_jax.theory.label_error_ranks import by_draw, scores_of, settings_of
from rethinking_jax.theory.label_error_scores import SCORES, Found
from rethinking_jax.workdir.metrics import Json

BASELINE = "final_loss"
SURE = 0.05
TITLES = {
    "precision": "Share of label errors among as many suspects as there are errors",
    "auroc": "Area under the ROC curve of each score",
    "average_precision": "Average precision of each score",
}


def tables(measured: Sequence[Json], found: Sequence[Found]) -> list[Table]:
    """Makes all tables.

    Args:
      measured: the rows of `label_error_ranks`.
      found: all cells.
    """
    settings = settings_of(measured)
    if not settings:
        return []
    made = [_ranks(measured, metric, settings) for metric in TITLES]
    if any(row["score"] == BASELINE for row in measured):
        made.append(_against_baseline(measured, settings))
    flagged = [one for one in found if "confident_joint" in one.scores and one.corrupted.any()]
    if flagged:
        made.append(_flags(flagged))
    return [*made, _correlations(reference(found))]


def reference(found: Sequence[Found]) -> list[Found]:
    """Returns the cells of the setting that has the most scores, the first of several."""
    most = max(len(one.scores) for one in found)
    name = next(one.cell.setting for one in found if len(one.scores) == most)
    return [one for one in found if one.cell.setting == name]


def _columns(settings: Sequence[str], form: str) -> list[Column]:
    columns = [Column("score", "title", words=True)]
    for name in settings:
        columns += [
            Column(name, name, form),
            Column("", f"{name} interval", words=True, bracketed=True),
        ]
    return columns


def _interval(found: Difference) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"


def _ranks(measured: Sequence[Json], metric: str, settings: Sequence[str]) -> Table:
    rows: list[Json] = []
    for score in dict.fromkeys(row["score"] for row in measured):
        row: Json = {"title": SCORES[score].title}
        for name in settings:
            values = by_draw(measured, score, metric, [name])
            if values:
                mean = mean_interval(values, "corruptions")
                row |= {name: mean.value, f"{name} interval": _interval(mean)}
        rows.append(row)
    chance = {
        row["name"]: row["corrupted"] / row["examples"] for row in measured if row["corrupted"]
    }
    told = ", ".join(f"{name} {chance[name]:.3f}" for name in settings)
    note = f"By chance: {'0.5' if metric == 'auroc' else told}. "
    note += "Means over the corruptions of a setting, in brackets the 95 % interval over them."
    return table(metric, TITLES[metric], _columns(settings, "{:.3f}"), rows, note)


def _against_baseline(measured: Sequence[Json], settings: Sequence[str]) -> Table:
    names = [name for name in dict.fromkeys(row["score"] for row in measured) if name != BASELINE]
    rows: dict[str, Json] = {name: {"title": SCORES[name].title} for name in names}
    for setting in settings:
        known = [name for name in names if name in scores_of(measured, [setting])]
        base = by_draw(measured, BASELINE, "precision", [setting])
        differences = {
            name: np.subtract(by_draw(measured, name, "precision", [setting]), base).tolist()
            for name in known
        }
        adjusted = holm([p_above_0(own) for own in differences.values()])
        for (name, own), p in zip(differences.items(), adjusted, strict=True):
            mean = mean_interval(own, "corruptions")
            told = _interval(mean) + (" *" if p <= SURE else "")
            rows[name] |= {setting: mean.value, f"{setting} interval": told}
    return table(
        "against_final_loss",
        f"What each score finds more than the {SCORES[BASELINE].title}",
        _columns(settings, "{:+.3f}"),
        list(rows.values()),
        "Share of label errors among as many suspects as there are errors, less that of the loss "
        "at the last epoch on the same corruptions, with the paired 95 % interval. A star: above 0 "
        "by Holm's correction over all scores of the column, 5 %.",
    )


FLAG_COLUMNS = (
    Column("labels", "name", words=True),
    Column("corrupted", "corrupted", "{:.0f}"),
    Column("flagged", "flagged", "{:.0f}"),
    Column("of the flagged, errors", "precision", "{:.3f}"),
    Column("of the errors, flagged", "recall", "{:.3f}"),
)


def _flags(found: Sequence[Found]) -> Table:
    rows: list[Json] = []
    for name in dict.fromkeys(one.cell.setting for one in found):
        own = [one for one in found if one.cell.setting == name]
        flags = [one.scores["confident_joint"] > 0 for one in own]
        hits = [float((flag & one.corrupted).sum()) for flag, one in zip(flags, own, strict=True)]
        corrupted = [float(one.corrupted.sum()) for one in own]
        flagged = [float(flag.sum()) for flag in flags]
        rows.append(
            {
                "name": name,
                "corrupted": np.mean(corrupted),
                "flagged": np.mean(flagged),
                "precision": sum(hits) / sum(flagged) if sum(flagged) else None,
                "recall": sum(hits) / sum(corrupted),
            }
        )
    note = (
        "Confident learning says by itself how many errors there are: it flags what networks that "
        "have not seen an example are sure is of another class. Means over the corruptions."
    )
    return table("flags", "Labels that confident learning flags", FLAG_COLUMNS, rows, note)


def _correlations(found: Sequence[Found]) -> Table:
    names = list(found[0].scores)
    columns = [Column("score", "title", words=True)]
    columns += [Column(str(i + 1), name, "{:.2f}") for i, name in enumerate(names)]
    rows: list[Json] = []
    for i, first in enumerate(names):
        row: Json = {"title": f"{i + 1}: {SCORES[first].title}"}
        for second in names[: i + 1]:
            values = [spearman(one.scores[first], one.scores[second]) for one in found]
            row[second] = None if np.isnan(values).any() else float(np.mean(values))
        rows.append(row)
    where = found[0].cell.setting
    note = f"{where}: Spearman's rank correlation over all examples, mean over the corruptions."
    return table("correlations", "How alike the scores rank the examples", columns, rows, note)
