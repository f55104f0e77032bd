"""The paper's Figure 2: accuracy with and without regularizers (a) and batch norm (b)."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.curves import MANY, Curve, Plot, band, seeds_note
from rethinking_jax.analysis.regularizers import batch_norm_pair, listed
from rethinking_jax.analysis.results import Family, Group, Results, families, series

CAPTION = (
    "With the model fixed, at the end of each epoch. Shaded above a test curve: the best test "
    "accuracy so far, what early stopping could have kept."
)


def plots(results: Results) -> list[Plot]:
    """2a for each model that ran true labels with different regularizers, then 2b."""
    if results.validated:
        return []
    found = families(series(results))
    varied = [
        family
        for family in found
        if len({group.regularizers for group in family.groups("true_labels")}) > 1
    ]
    result = [_regularized(family, i, len(varied)) for i, family in enumerate(varied, start=1)]
    pair = batch_norm_pair(found)
    return result + ([_batch_norm(pair)] if pair else [])


def _regularized(family: Family, place: int, of: int) -> Plot:
    groups = [(one, g) for one in family.series for g in one.groups if g.setting == "true_labels"]
    kinds = [group.regularizers for _, group in groups]
    # Two strengths of one kind are told apart by their values.
    names = [
        listed(group.regularizers) if kinds.count(group.regularizers) == 1 else one.name
        for one, group in groups
    ]
    return Plot(
        "figure_2a" if of == 1 else f"figure_2a_{place}",
        "Accuracy with and without regularizers, as in the paper's Figure 2a"
        + (f": {family.name}" if of > 1 else ""),
        CAPTION,
        "thousand steps",
        "accuracy",
        _accuracies(names, [group for _, group in groups]),
        models=(family.first.model,),
    )


def _batch_norm(pair: Sequence[tuple[Family, Group]]) -> Plot:
    return Plot(
        "figure_2b",
        "Accuracy with and without batch norm, as in the paper's Figure 2b",
        f"{CAPTION} True labels, no explicit regularizer.",
        "thousand steps",
        "accuracy",
        _accuracies(["with batch norm", "without batch norm"], [group for _, group in pair]),
        models=tuple(family.first.model for family, _ in pair),
    )


def _accuracies(names: Sequence[str], groups: Sequence[Group]) -> list[Curve]:
    """Test and train of each group; where they are many the train curves start switched off."""
    result = []
    for name, group in zip(names, groups, strict=True):
        note = seeds_note(group)
        test = Curve(f"test, {name}", *band(group.lines, "test_accuracy"), note=note)
        train = Curve(f"train, {name}", *band(group.lines, "train_accuracy"), note=note)
        few = 2 * len(groups) <= MANY
        result += [test._replace(best=best_so_far(group)), train._replace(shown=few)]
    return result


def best_so_far(group: Group) -> list[float]:
    """The highest test accuracy of the epochs so far, mean over seeds.

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
