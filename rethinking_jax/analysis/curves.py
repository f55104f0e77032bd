"""What a figure shows, as plain numbers: which curves, through which points.

A figure follows from the runs that are there, not from the config's name.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.claims import OVERFIT_LOSS, chance, label
from rethinking_jax.analysis.results import Group, Results, Series, series
from rethinking_jax.workdir.metrics import Line

# More curves than this are told apart badly: the rest starts switched off.
MANY = 8


class Curve(NamedTuple):
    """A line through points, with a band where there are several seeds.

    Attributes:
      label: in the legend; note: what its values are means of, or ''.
      x, y, low, high: of equal length; y is the mean over seeds, low and high their extremes.
      shown: whether it starts switched on.
      paper: whether its numbers are the paper's, not ours.
      best: the highest mean so far, for an area above the line; () for none.
    """

    label: str
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    note: str = ""
    shown: bool = True
    paper: bool = False
    best: Sequence[float] = ()


# x, mean, minimum, maximum.
Band = tuple[list[float], list[float], list[float], list[float]]


class Plot(NamedTuple):
    """One figure.

    Attributes:
      name: of its files; title, caption: for the reader.
      level: a horizontal line and its name, or None.
      models: those in it, where they are not all of the workdir's.
      log: which of "x" and "y" have a logarithmic scale; values there are positive or nan.
      slide: its files are in large type, for a lecture.
    """

    name: str
    title: str
    caption: str
    x_label: str
    y_label: str
    curves: list[Curve]
    level: tuple[float, str] | None = None
    models: tuple[str, ...] = ()
    log: str = ""
    slide: bool = False


def plots(results: Results) -> list[Plot]:
    """Of the figures that the runs allow: 1a or learning curves, then 1b and 1c."""
    all_series = series(results)
    # Figure 1c is of test errors.
    swept = [one for one in all_series if len(partial_levels(one)) > 1 and not results.validated]
    result = [_losses(all_series)]
    if not swept and len({g.setting for one in all_series for g in one.groups}) == 1:
        result.append(_accuracies(all_series))
    if swept:
        result += [_relative_times(swept), _test_errors(swept)]
    return [plot for plot in result if plot.curves]


def partial_levels(one: Series) -> set[float]:
    """Levels of label noise that runs of partially_corrupted_labels asked for."""
    return {
        group.label_noise
        for group in one.groups
        if group.members[0]["corruption"] == "partially_corrupted_labels"
    }


def band(lines: Sequence[Sequence[Line]], key: str) -> Band:
    """A metric over training: mean and extremes over seeds.

    Args:
      lines: of each seed; they share their steps as far as each goes.
      key: of the metric.

    Returns:
      thousand steps, mean, minimum, maximum, each of the length of the longest run. A seed
      that has stopped keeps its last value, so that every mean is over the same seeds; nan
      where a loss was not a number.
    """
    longest = max(lines, key=len)
    steps = [line["step"] / 1000 for line in longest]
    values = np.array(
        [
            [_number(own[min(i, len(own) - 1)].get(key)) for i in range(len(longest))]
            for own in lines
        ]
    )
    return steps, list(values.mean(0)), list(values.min(0)), list(values.max(0))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def seeds_note(group: Group) -> str:
    """What a curve over several seeds shows; "" for one."""
    return "" if group.seeds == 1 else f"mean of {group.seeds} seeds, band from least to most"


def _name(one: Series, group: Group, all_series: Sequence[Series]) -> str:
    return label(group) if len(all_series) == 1 else f"{one.name}: {label(group)}"


# Learning curves, Figure 1a -----------------------------------------------------------


def _losses(all_series: Sequence[Series]) -> Plot:
    shown = _shown_groups(all_series)
    curves = [
        Curve(
            _name(one, group, all_series),
            *band(group.lines, "train_loss"),
            note=seeds_note(group),
            shown=id(group) in shown,
        )
        for one in all_series
        for group in one.groups
    ]
    settings = {group.setting for one in all_series for group in one.groups}
    if all(one.dataset == paper.DATASET for one in all_series):
        # Its 27 thousand steps would squeeze the curves of a smaller set into a corner.
        curves += _paper_losses(settings, [one.model for one in all_series])
    return Plot(
        "learning_curves",
        "Training loss" + (", as in the paper's Figure 1a" if len(settings) > 1 else ""),
        f"Cross-entropy over {_looked_at(all_series)} as the run sees it, with the model fixed, "
        "at the end of each epoch.",
        "thousand steps",
        "training loss",
        curves,
    )


def _looked_at(all_series: Sequence[Series]) -> str:
    """What `train_eval_examples` lets an epoch look at."""
    samples = {group.config.get("train_eval_examples", 0) for o in all_series for group in o.groups}
    if samples == {0}:
        return "the whole training set"
    sizes = " or ".join(f"{size:,}" if size else "all" for size in sorted(samples))
    return f"{sizes} images of the training set"


def _shown_groups(all_series: Sequence[Series]) -> set[int]:
    """All groups, or where they are many the ends and the middle of the label noise."""
    groups = [group for one in all_series for group in one.groups]
    if len(groups) > MANY:
        groups = [
            level
            for one in all_series
            if (levels := one.by_label_noise())
            for level in (
                levels[0],
                min(levels, key=lambda group: abs(group.label_noise - 0.5)),
                levels[-1],
            )
        ] or groups
    return {id(group) for group in groups[:MANY]}


def _paper_losses(settings: set[str], models: Sequence[str]) -> list[Curve]:
    figure = paper.figure_1()
    steps = figure["thousand_steps"]
    return [
        _paper_curve(setting.replace("_", " "), steps, losses, "inception_small", models, True)
        for setting, losses in figure["training_loss"].items()
        if setting in settings
    ]


def _paper_curve(
    name: str,
    x: list[float],
    y: list[float],
    model: str,
    models: Sequence[str],
    same_dataset: bool,
) -> Curve:
    return Curve(
        f"paper, CIFAR-10, {paper.MODELS[model]}" + (f": {name}" if name else ""),
        x,
        y,
        y,
        y,
        note="the paper's numbers, read off its Figure 1",
        shown=same_dataset and model in models,
        paper=True,
    )


def _accuracies(all_series: Sequence[Series]) -> Plot:
    """Of runs that differ in no setting: one run, or its seeds, or its hyperparameters."""
    keys = {
        "train_accuracy": "train",
        "test_accuracy": "test",
        "validation_accuracy": "validation",
        "outside_accuracy": "outside",
        "train_accuracy_on_corrupted": "train, corrupted labels only",
        "train_accuracy_on_clean": "train, clean labels only",
    }
    alone = sum(len(one.groups) for one in all_series) == 1
    curves: list[Curve] = []
    for one in all_series:
        for group in one.groups:
            for i, (key, name) in enumerate(keys.items()):
                if group.lines[0][0].get(key) is None:
                    continue
                full = name if alone else f"{_name(one, group, all_series)}: {name}"
                on = len(curves) < MANY and i < 4
                curves.append(
                    Curve(full, *band(group.lines, key), note=seeds_note(group), shown=on)
                )
    return Plot(
        "accuracy",
        "Accuracy",
        "With the model fixed, at the end of each epoch, on the whole training and test set.",
        "thousand steps",
        "accuracy",
        curves,
    )


# Label noise, Figures 1b and 1c -------------------------------------------------------


def ratios(groups: Sequence[Group], times: Sequence[Sequence[int | None]]) -> list[list[float]]:
    """Time to fit, relative to the mean time at label noise 0 (Figure 1b).

    Args:
      groups: by rising label noise, the first at 0.
      times: of each group, steps of each seed; None where it never fitted.

    Returns:
      The ratios of each group's seeds; [] where a seed never fitted, or where there is no
      time at label noise 0.
    """
    if not groups or groups[0].label_noise != 0 or None in times[0]:
        return [[] for _ in groups]
    base = float(np.mean([time for time in times[0] if time is not None]))
    return [[] if None in own else [time / base for time in own if time] for own in times]


def _against_noise(
    name: str, groups: Sequence[Group], values: Sequence[Sequence[float]], shown: bool = True
) -> Curve:
    """A curve over label noise; groups without values are left out."""
    known = [(group, list(own)) for group, own in zip(groups, values, strict=True) if own]
    return Curve(
        name,
        [group.label_noise for group, _ in known],
        [float(np.mean(own)) for _, own in known],
        [min(own) for _, own in known],
        [max(own) for _, own in known],
        note=seeds_note(known[0][0]) if known else "",
        shown=shown,
    )


def accuracy_times(group: Group) -> list[int | None]:
    """Steps until train accuracy reached the config's threshold, of each seed."""
    return group.steps_to_fit()


def loss_times(group: Group) -> list[int | None]:
    """Steps until the mean loss of an epoch was below 0.05: the paper's likely measure."""
    return group.steps_to_loss("running_loss", OVERFIT_LOSS)


def _relative_times(swept: Sequence[Series]) -> Plot:
    measures: tuple[tuple[str, Callable[[Group], list[int | None]]], ...] = (
        ("train accuracy", accuracy_times),
        (f"epoch's mean loss {OVERFIT_LOSS}", loss_times),
    )
    curves: list[Curve] = []
    for measure, times in measures:
        for one in swept:
            groups = one.by_label_noise()
            values = ratios(groups, [times(group) for group in groups])
            if sum(map(bool, values)) > 1:
                curves.append(_against_noise(f"{one.name}, by {measure}", groups, values))
    return Plot(
        "figure_1b",
        "Time to fit against label noise, as in the paper's Figure 1b",
        "Steps to fit, relative to those at label noise 0. A level that a seed never fitted is "
        f"left out. The paper does not define its time; an epoch's mean loss below {OVERFIT_LOSS} "
        "matches its numbers, train accuracy is this package's measure.",
        "label noise",
        "time to fit, relative",
        curves + _paper_noise(swept, "relative_time") if curves else [],
    )


def _test_errors(swept: Sequence[Series]) -> Plot:
    curves = []
    for one in swept:
        groups = one.by_label_noise()
        corrupted = [group.corrupted_test_accuracy() for group in groups]
        if any(corrupted):
            values = [[1 - value for value in own or []] for own in corrupted]
            curves.append(_against_noise(f"{one.name}, corrupted test labels", groups, values))
        values = [[1 - value for value in group.test_accuracy()] for group in groups]
        curves.append(_against_noise(f"{one.name}, true test labels", groups, values))
    by_chance = {chance(one) for one in swept}
    known = by_chance.pop() if len(by_chance) == 1 else None
    return Plot(
        "figure_1c",
        "Test error of the fitted networks, as in the paper's Figure 1c",
        "At the end of training. The paper's curve is almost certainly against test labels "
        "corrupted with the same probability as the training labels: compare it with "
        "'corrupted test labels' where those were measured (corrupt_test_labels).",
        "label noise",
        "test error",
        curves + _paper_noise(swept, "test_error"),
        (1 - known[0], f"chance, {1 - known[0]:.0%}") if known else None,
    )


def _paper_noise(swept: Sequence[Series], key: str) -> list[Curve]:
    figure = paper.figure_1()
    same = all(one.dataset == paper.DATASET for one in swept)
    models = [one.model for one in swept]
    return [
        _paper_curve("", figure["label_noise"], values, model, models, same)
        for model, values in figure[key].items()
    ]
