"""The paper's Figure 1: learning curves (a), time to fit (b) and test error (c) by label noise.

Which of them there are follows from the runs, not from the config's name.
"""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.chance import chance
from rethinking_jax.analysis.curves import (
    MANY,
    Curve,
    Plot,
    band,
    curve_name,
    middles,
    seeds_curve,
    seeds_note,
)
from rethinking_jax.analysis.distance import has_curve
from rethinking_jax.analysis.fitted import OVERFIT_LOSS, common_level
from rethinking_jax.analysis.results import Group, Results, Series, series, tested_series

# What the loss "in training" is, which stands beside the paper's curves.
OVER_BATCHES = "the mean over the batches of an epoch, at the middle of its steps"
PARTIAL = "partially_corrupted_labels"


def swept(results: Results) -> list[Series]:
    """Returns the series that trained partially_corrupted_labels at several levels of noise.

    The paper redraws a label from all classes: runs that never take the true one are none of its.
    """

    def levels(one: Series) -> set[float]:
        return {
            g.label_noise for g in one.by_label_noise() if g.members[0]["corruption"] == PARTIAL
        }

    return [one for one in tested_series(results) if len(levels(one)) > 1]


# Learning curves, Figure 1a -----------------------------------------------------------


def losses(results: Results) -> list[Plot]:
    """Draws the training loss of each group (Figure 1a)."""
    all_series = series(results)
    shown = _shown_groups(all_series)
    curves = [
        Curve(
            curve_name(one, group, len(all_series) > 1),
            *band(group.lines, "train_loss"),
            note=seeds_note(group),
            shown=id(group) in shown,
        )
        for one in all_series
        for group in one.groups
    ]
    settings = {group.setting for one in all_series for group in one.groups}
    # Its 27 thousand steps would squeeze the curves of a smaller data set into a corner.
    beside = {
        group.setting
        for one in all_series
        for group in one.groups
        if one.dataset == paper.DATASET or has_curve(group, one.dataset, one.train_examples)
    }
    in_training = _in_training(all_series, shown)
    curves += in_training
    curves += _paper_losses(beside, [one.model for one in all_series])
    title = "Training loss" + (", as in the paper's Figure 1a" if len(settings) > 1 else "")
    caption = (
        f"Cross-entropy over {_looked_at(all_series)} as the run sees it, with the model fixed, "
        "at the end of each epoch."
    )
    if in_training:
        caption += f" In training: {OVER_BATCHES}."
    return [Plot("learning_curves", title, caption, "thousand steps", "training loss", curves)]


def _in_training(all_series: Sequence[Series], shown: set[int]) -> list[Curve]:
    """Returns the loss in training of each group that Figure 1a has a curve of."""
    return [
        Curve(
            f"{curve_name(one, group, len(all_series) > 1)}, in training",
            *middles(band(group.lines, "running_loss")),
            note=seeds_note(group),
            shown=id(group) in shown,
            remark=OVER_BATCHES,
        )
        for one in all_series
        for group in one.groups
        if has_curve(group, one.dataset, one.train_examples)
    ]


def _looked_at(all_series: Sequence[Series]) -> str:
    """Says what an epoch looks at, by the config key train_eval_examples."""
    samples = {group.config.get("train_eval_examples", 0) for o in all_series for group in o.groups}
    if samples == {0}:
        return "the whole training set"
    sizes = " or ".join(f"{size:,}" if size else "all" for size in sorted(samples))
    return f"{sizes} images of the training set"


def _shown_groups(all_series: Sequence[Series]) -> set[int]:
    """Returns the ids of all groups, or of the ends and the middle of the label noise of many."""
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
        remark="the paper's numbers, read off its Figure 1",
        shown=same_dataset and model in models,
        paper=True,
    )


# Label noise, Figures 1b and 1c -------------------------------------------------------


def ratios(groups: Sequence[Group], times: Sequence[Sequence[int | None]]) -> list[list[float]]:
    """Returns times to fit, relative to the mean time at label noise 0 (Figure 1b).

    Args:
      groups: the groups by rising label noise, the first at 0.
      times: the steps of each group's seeds; None where one never fitted.

    Returns:
      The ratios of each group's seeds; [] where a seed never fitted, or where there is no
      time at label noise 0.
    """
    if not groups or groups[0].label_noise != 0 or None in times[0]:
        return [[] for _ in groups]
    base = float(np.mean([time for time in times[0] if time is not None]))
    return [[] if None in own else [time / base for time in own if time] for own in times]


def _against_noise(name: str, groups: Sequence[Group], values: Sequence[Sequence[float]]) -> Curve:
    """Returns a curve over label noise; groups without values are left out."""
    known = [(group, list(own)) for group, own in zip(groups, values, strict=True) if own]
    noise, of_seeds = [group.label_noise for group, _ in known], [own for _, own in known]
    return seeds_curve(name, noise, of_seeds, seeds_note(known[0][0]) if known else "")


def loss_times(group: Group) -> list[int | None]:
    """Returns the steps of each seed until the mean loss of an epoch was at most OVERFIT_LOSS."""
    return group.steps_to_loss("running_loss", OVERFIT_LOSS)


def relative_times(results: Results) -> list[Plot]:
    """Draws the time to fit against label noise, of series with several levels (Figure 1b)."""
    curves: list[Curve] = []
    for by_loss in (False, True):
        for one in swept(results):
            groups = one.by_label_noise()
            level = common_level(groups)
            measure = (
                f"epoch's mean loss {OVERFIT_LOSS}" if by_loss else f"train accuracy {level:g}"
            )
            times = [loss_times(g) if by_loss else g.to_accuracy(level) for g in groups]
            values = ratios(groups, times)
            if sum(map(bool, values)) > 1:
                curves.append(_against_noise(f"{one.name}, by {measure}", groups, values))
    if not curves:
        return []
    curves += _paper_noise(swept(results), paper.figure_1()["relative_time"])
    title = "Time to fit against label noise, as in the paper's Figure 1b"
    caption = (
        "Steps to fit, relative to those at label noise 0. A level that a seed never fitted is "
        f"left out. The paper does not define its time; an epoch's mean loss below {OVERFIT_LOSS} "
        "matches its numbers, train accuracy is this package's measure: the highest of some round "
        "ones that every run of the curve reaches."
    )
    return [Plot("figure_1b", title, caption, "label noise", "time to fit, relative", curves)]


def test_errors(results: Results) -> list[Plot]:
    """Draws the test error against label noise, of series with several levels (Figure 1c)."""
    found = swept(results)
    if not found:
        return []
    curves = []
    for one in found:
        groups = one.by_label_noise()
        corrupted = [group.corrupted_test_accuracy() for group in groups]
        if any(corrupted):
            values = [[1 - value for value in own or []] for own in corrupted]
            curves.append(_against_noise(f"{one.name}, corrupted test labels", groups, values))
        values = [[1 - value for value in group.test_accuracy()] for group in groups]
        curves.append(_against_noise(f"{one.name}, true test labels", groups, values))
    by_chance = {chance(one) for one in found}
    known = by_chance.pop() if len(by_chance) == 1 else None
    curves += _paper_noise(found, paper.figure_1()["test_error"])
    level = (1 - known.mean, f"chance, {100 * (1 - known.mean):.4g}%") if known else None
    title = "Test error of the fitted networks, as in the paper's Figure 1c"
    caption = (
        "At the end of training. The paper's curve is almost certainly against test labels "
        "corrupted with the same probability as the training labels: compare it with "
        "'corrupted test labels' where those were measured (corrupt_test_labels)."
    )
    return [Plot("figure_1c", title, caption, "label noise", "test error", curves, level)]


def _paper_noise(swept: Sequence[Series], values: dict[str, list[float]]) -> list[Curve]:
    """Returns the paper's curves of these values by model, beside our series."""
    same = all(one.dataset == paper.DATASET for one in swept)
    models = [one.model for one in swept]
    return [
        _paper_curve("", paper.figure_1()["label_noise"], own, model, models, same)
        for model, own in values.items()
    ]
