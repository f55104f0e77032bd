"""Accuracies during training: alone, or by regularizers and batch norm (the paper's Figure 2)."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.curves import MANY, Curve, Plot, band, curve_name, seeds_note
from rethinking_jax.analysis.figure1 import swept
from rethinking_jax.analysis.regularizers import batch_norm_pair, listed
from rethinking_jax.analysis.results import (
    Family,
    Group,
    Results,
    families,
    series,
    tested_series,
)

CAPTION = (
    "With the model fixed, at the end of each epoch. Shaded above a test curve: the best test "
    "accuracy so far, what early stopping could have kept."
)
# The names of accuracies by their keys; those on a part of the training set start switched off.
WHOLE = {
    "train_accuracy": "train",
    "test_accuracy": "test",
    "validation_accuracy": "validation",
    "outside_accuracy": "outside",
}
PART = {
    "train_accuracy_on_corrupted": "train, corrupted labels only",
    "train_accuracy_on_clean": "train, clean labels only",
}


def accuracies(results: Results) -> list[Plot]:
    """Draws the accuracies of runs of one setting, which differ in seed or hyper-parameters.

    Where Figure 2 is drawn it has these accuracies, and there is no other figure of them.
    """
    all_series = series(results)
    groups = [(one, group) for one in all_series for group in one.groups]
    several_settings = len({group.setting for _, group in groups}) > 1
    if several_settings or swept(results) or regularizers(results) or batch_norm(results):
        return []
    curves: list[Curve] = []
    for one, group in groups:
        for key, name in {**WHOLE, **PART}.items():
            if group.lines[0][0].get(key) is None:
                continue
            whose = "" if len(groups) == 1 else f"{curve_name(one, group, len(all_series) > 1)}: "
            shown = len(curves) < MANY and key in WHOLE
            points, note = band(group.lines, key), seeds_note(group)
            curves.append(Curve(whose + name, *points, note=note, shown=shown))
    caption = "With the model fixed, at the end of each epoch, on the whole training and test set."
    return [Plot("accuracy", "Accuracy", caption, "thousand steps", "accuracy", curves)]


def regularizers(results: Results) -> list[Plot]:
    """Draws Figure 2a for each model that trained true labels with different regularizers."""
    varied = [
        family
        for family in families(tested_series(results))
        if len({group.regularizers for group in family.groups("true_labels")}) > 1
    ]
    return [_regularized(family, i, len(varied)) for i, family in enumerate(varied, start=1)]


def _regularized(family: Family, place: int, of: int) -> Plot:
    groups = [(one, g) for one in family.series for g in one.groups if g.setting == "true_labels"]
    kinds = [group.regularizers for _, group in groups]
    # Two strengths of one kind are told apart by their values.
    names = [
        listed(group.regularizers) if kinds.count(group.regularizers) == 1 else one.name
        for one, group in groups
    ]
    title = "Accuracy with and without regularizers, as in the paper's Figure 2a"
    return Plot(
        "figure_2a" if of == 1 else f"figure_2a_{place}",
        title if of == 1 else f"{title}: {family.name}",
        CAPTION,
        "thousand steps",
        "accuracy",
        _curves(names, [group for _, group in groups]),
        models=(family.first.model,),
    )


def batch_norm(results: Results) -> list[Plot]:
    """Draws Figure 2b, where the small Inception was trained with batch norm and without."""
    pair = batch_norm_pair(families(tested_series(results)))
    if not pair:
        return []
    return [
        Plot(
            "figure_2b",
            "Accuracy with and without batch norm, as in the paper's Figure 2b",
            f"{CAPTION} True labels, no explicit regularizer.",
            "thousand steps",
            "accuracy",
            _curves(["with batch norm", "without batch norm"], [group for _, group in pair]),
            models=tuple(family.first.model for family, _ in pair),
        )
    ]


def _curves(names: Sequence[str], groups: Sequence[Group]) -> list[Curve]:
    """Returns the test and train curves of groups; of many the train curves start switched off."""
    result = []
    for name, group in zip(names, groups, strict=True):
        note = seeds_note(group)
        test = Curve(f"test, {name}", *band(group.lines, "test_accuracy"), note=note)
        train = Curve(f"train, {name}", *band(group.lines, "train_accuracy"), note=note)
        few = 2 * len(groups) <= MANY
        result += [test._replace(best=best_so_far(group)), train._replace(shown=few)]
    return result


def best_so_far(group: Group) -> list[float]:
    """Returns the highest test accuracy of the epochs so far, the mean over seeds.

    As in `band`, a seed that has stopped keeps its last value.
    """
    longest = max(map(len, group.lines))
    values = np.array(
        [
            [lines[min(i, len(lines) - 1)]["test_accuracy"] for i in range(longest)]
            for lines in group.lines
        ]
    )
    return list(np.maximum.accumulate(values, 1).mean(0))
