"""Our numbers beside the paper's Figure 1, as rows of tables."""

from collections.abc import Sequence
from statistics import fmean

from helpers.measured import (
    ACCURACY,
    EPOCHS,
    LABELS,
    NETWORK,
    POINTS,
    RUNS,
    UNMEASURED,
    WITHIN,
    Found,
    difference,
    epochs_to,
    shown,
    the_papers,
    within,
)
from rethinking_jax.analysis import distance, paper
from rethinking_jax.analysis.results import LABEL_SETTINGS
from rethinking_jax.analysis.table import Column, Spread, spread
from rethinking_jax.workdir.metrics import Json

FIGURE_1A = ("figure1a", "quickstart", "course_randomization")
FIGURE_1B = ("figure1b", "figure1c")

COLUMNS_1A = (
    NETWORK,
    LABELS,
    Column("train accuracy", "train", ACCURACY, UNMEASURED),
    Column("test accuracy", "test", ACCURACY),
    Column("steps to loss 0.1", "steps", "{:,.0f}", "never"),
    Column("the paper's small Inception", "paper_steps", "{:,.0f}"),
    Column("times the steps", "fitted", "{:.2f}"),
    Column("mean factor at equal losses, in training", "factor", "{:.2f}"),
    Column("of the fixed network", "fixed_factor", "{:.2f}"),
    EPOCHS,
    RUNS,
)


def figure_1a(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each setting of each network, and for what the small Inception lacks."""
    own = [one for one in the_papers(found, FIGURE_1A) if not one.regularizers]
    rows = [_row_1a(one) for one in own]
    done = {one.setting for one in own if one.model == paper.FIGURE_1A_MODEL}
    for setting, losses in paper.figure_1()["training_loss"].items():
        if setting not in done:
            row = {"network": paper.MODELS[paper.FIGURE_1A_MODEL], "train": None}
            rows.append(row | _named_1a(setting) | {"paper_steps": _paper_steps(losses)})
    return rows


def _named_1a(setting: str) -> Json:
    return {"setting": setting.replace("_", " ")}


def _paper_steps(losses: Sequence[float]) -> float | None:
    steps = [1000 * x for x in paper.figure_1()["thousand_steps"]]
    return distance.steps_to(steps, losses, distance.FITTED_LOSS)


def _row_1a(one: Found) -> Json:
    far, fixed = (_distances(one, key) for key in ("curve_of_batches", "curve"))
    paper_steps = _paper_steps(paper.figure_1()["training_loss"].get(one.setting, ()))
    steps = spread(
        [each and each.fitted and each.fitted * paper_steps for each in far]
        if far
        else [run["steps_to"]["train_loss"]["0.1"] for run in one.runs]
    )
    row = {
        "network": paper.MODELS.get(one.model, one.model),
        **_named_1a(one.setting),
        "train": one.of("train_accuracy"),
        "test": one.of("test_accuracy"),
        **shown(one),
        **({"steps": steps} if steps or one.finished else {}),
    }
    if far and None not in far:
        row["fitted"] = spread([each.fitted for each in far if each])
        row["factor"] = spread([each.factor for each in far if each])
        row["fixed_factor"] = spread([each.factor for each in fixed if each])
        row["paper_steps"] = paper_steps
        row["cells"] = int(row["fitted"] is not None)
    return row


def _distances(one: Found, key: str) -> list[distance.Distance | None]:
    curves = [list(zip(*run[key], strict=True)) for run in one.runs if run.get(key)]
    return [distance.between(*curve, one.setting) for curve in curves]


MEASURES = (
    ("epoch's mean loss 0.05", "running_loss", "0.05"),
    ("train accuracy 0.9995", "train_accuracy", "0.9995"),
    ("train accuracy 0.99", "train_accuracy", "0.99"),
    ("train accuracy 0.9", "train_accuracy", "0.9"),
)
COLUMNS_1B = (
    NETWORK,
    Column("label noise", "label_noise", "{:g}"),
    Column("epochs to a mean loss of 0.05", "clock", "{:.1f}", "never"),
    *(Column(f"time by {name}", name, "{:.2f}", "never") for name, _, _ in MEASURES),
    Column("paper's (1b)", "paper_time", "{:.2f}"),
    Column("test error, labels corrupted alike", "corrupted", ACCURACY),
    Column("true test labels", "true", ACCURACY),
    Column("paper's (1c)", "paper_error", ACCURACY),
    Column("points", "points", POINTS),
    WITHIN,
    EPOCHS,
    RUNS,
)


def figure_1b(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each network of Figures 1b and 1c and each level of label noise."""
    own = [
        one
        for one in the_papers(found, FIGURE_1B)
        if one.setting in LABEL_SETTINGS and not one.regularizers
    ]
    figure, rows = paper.figure_1(), []
    for model in figure["relative_time"]:
        levels = [one for one in own if one.model == model]
        rows += [_row_1b(one, levels, paper.MODELS[model]) for one in levels]
        if not levels:
            rows.append({"network": paper.MODELS[model], "label_noise": UNMEASURED})
    return rows


def other_clocks(found: Sequence[Found]) -> list[Json]:
    """Returns the rows of networks of Figure 1b on CIFAR-10 that were trained in another way."""
    known = [
        one
        for one in found
        if one.setting in LABEL_SETTINGS
        and one.model in paper.figure_1()["relative_time"]
        and one.comparable.startswith("yes")
    ]
    rows = [_row_1b(one, known, one.series) for one in known if len(_levels(one, known)) > 1]
    return [{**row, "cells": 0} for row in rows]


def _levels(one: Found, found: Sequence[Found]) -> dict[float, Found]:
    """Returns the groups that differ from one in their label noise only, by that."""
    same = [x for x in found if (x.file, x.series) == (one.file, one.series)]
    return {x.label_noise: x for x in same}


def _row_1b(one: Found, levels: Sequence[Found], name: str) -> Json:
    figure, model = paper.figure_1(), one.model
    base = _levels(one, levels).get(0)
    row = {
        "network": name,
        "label_noise": one.label_noise,
        "true": spread([1 - run["test_accuracy"] for run in one.runs]),
        **shown(one),
    }
    if one.label_noise in figure["label_noise"]:
        place = figure["label_noise"].index(one.label_noise)
        row["paper_time"] = figure["relative_time"][model][place]
        row["paper_error"] = figure["test_error"][model][place]
    if base and base.finished and one.finished:
        row["clock"] = epochs_to(one, "running_loss", "0.05")
        row |= {name: _ratio(one, base, key, bound) for name, key, bound in MEASURES}
    key = "test_accuracy_corrupted_labels"
    if one.finished and key in one.runs[0]:
        row["corrupted"] = spread([1 - run[key] for run in one.runs])
        row["points"] = difference(row["corrupted"], row.get("paper_error"))
        row["within"] = within(model, row["points"])
    timed = "paper_time" in row and any(row.get(name) for name, _, _ in MEASURES)
    row["cells"] = int(timed) + int(row.get("points") is not None)
    return row


def _ratio(one: Found, base: Found, key: str, bound: str) -> Spread | None:
    """Returns the steps of each seed over the mean of those at label noise 0; None for never."""
    times = [[run["steps_to"][key][bound] for run in found.runs] for found in (base, one)]
    if None in times[0] or None in times[1]:
        return None
    return spread([time / fmean(times[0]) for time in times[1]])
