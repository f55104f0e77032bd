"""Our numbers beside the paper's Tables 1, 2 and 4: which group meets which row."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.regularizers import fitted_share, listed
from rethinking_jax.analysis.results import Family, Group, Series, families

# Column title -> key of the CSV file, and how to print it.
Columns = dict[str, tuple[str, str]]
Span = tuple[float, float, float]

PAPER: Columns = {
    "the paper's": ("table", "{}"),
    "runs": ("series", "{}"),
    "setting": ("setting", "{}"),
    "augmentation": ("augmentation", "{}"),
    "weight decay": ("weight_decay", "{:g}"),
    "seeds": ("seeds", "{}"),
    "our train acc.": ("train_accuracy", "{:.4f}"),
    "paper's train acc.": ("paper_train_accuracy", "{:.4f}"),
    "our test acc.": ("test_accuracy", "{:.4f}"),
    "paper's test acc.": ("paper_test_accuracy", "{:.4f}"),
    "comparable": ("comparable", "{}"),
}
TABLE_2: Columns = {
    "runs": ("series", "{}"),
    "setting": ("setting", "{}"),
    "regularizers": ("regularizers", "{}"),
    "seeds": ("seeds", "{}"),
    "our train top-1": ("train_top1", "{:.4f}"),
    "paper's train top-1": ("paper_train_top1", "{:.4f}"),
    "our test top-1 [best]": ("test_top1", "{:.4f}"),
    "our best test top-1": ("best_test_top1", "{:.4f}"),
    "paper's test top-1 [best]": ("paper_test_top1", "{:.4f}"),
    "paper's best test top-1": ("paper_best_test_top1", "{:.4f}"),
    "our train top-5": ("train_top5", "{:.4f}"),
    "paper's train top-5": ("paper_train_top5", "{:.4f}"),
    "our test top-5 [best]": ("test_top5", "{:.4f}"),
    "our best test top-5": ("best_test_top5", "{:.4f}"),
    "paper's test top-5 [best]": ("paper_test_top5", "{:.4f}"),
    "paper's best test top-5": ("paper_best_test_top5", "{:.4f}"),
    "comparable": ("comparable", "{}"),
}
TABLE_2_NOTE = (
    "Means over seeds; tables/table_2.csv has the extremes. In square brackets the best of any "
    "epoch, which early stopping would have found; the paper gives it for two rows. "
    f"{paper.MISPRINT}"
)
UNMEASURED = "not measured"


def span(values: Sequence[float | None] | None) -> Span | None:
    """Mean, least and most over seeds; None where a value is missing."""
    known = [value for value in values or [] if value is not None]
    if not known or len(known) < len(values or []):
        return None
    return fmean(known), min(known), max(known)


def comparable(one: Series, group: Group, dataset: str) -> str:
    """ "yes", or how a group differs from the paper's runs on `dataset`."""
    reasons = []
    if one.dataset != dataset:
        reasons.append(f"data set is {one.dataset}, the paper's {paper.DATASETS[dataset]}")
    elif one.train_examples and one.train_examples != paper.TRAIN_EXAMPLES[dataset]:
        whole = paper.TRAIN_EXAMPLES[dataset]
        reasons.append(f"{one.train_examples:,} training images, the paper's {whole:,}")
    if dataset == paper.IMAGENET:
        if one.model not in paper.IMAGENET_MODELS:
            reasons.append(f"model is {one.model}, the paper's {paper.IMAGENET_MODEL}")
        size = group.config.get("image_size")
        if size and size != paper.IMAGE_SIZE:
            reasons.append(f"images of {size} pixels, the paper's {paper.IMAGE_SIZE}")
    if group.config.get("weight_decay") and group.config.get("weight_decay_kind") == "decoupled":
        reasons.append("weight decay is decoupled, the paper's an l2 penalty")
    if reasons:
        return f"not comparable: {'; '.join(reasons)}"
    return "; ".join(["yes", *_qualified(one, group)])


def _qualified(one: Series, group: Group) -> list[str]:
    """What a reader should know of a comparable row."""
    result = []
    if smoothing := group.config.get("label_smoothing"):
        result.append(f"label smoothing {smoothing:g}, the paper does not say")
    looked_at = group.values("train_evaluated")[0]
    if looked_at and one.train_examples and looked_at < one.train_examples:
        result.append(f"train accuracy of {looked_at:,} images")
    return result


# Tables 1 and 4 -------------------------------------------------------------------------


def paper_rows(all_series: Sequence[Series]) -> list[list[Any]]:
    """A row for each group that Table 1 or Table 4 has a row of the same kind for."""
    result = []
    for one in all_series:
        for group in one.groups:
            theirs = _theirs(one, group)
            if theirs is None:
                continue
            table, ours, accuracies = theirs
            decay = group.config.get("weight_decay", 0.0)
            first = [table, one.name, group.setting.replace("_", " "), group.augmentation or None]
            tested = None if accuracies[1] is None else fmean(group.test_accuracy())
            numbers = [fmean(ours), accuracies[0], tested, accuracies[1]]
            same = comparable(one, group, paper.DATASET)
            result.append([*first, decay, group.seeds, *numbers, same])
    return sorted(result, key=lambda row: str(row[0]))


def _theirs(
    one: Series, group: Group
) -> tuple[str, list[float], tuple[float | str, float | None]] | None:
    """The table that has a group's row, our train accuracy of its kind, the paper's numbers."""
    key = group.regularizers, group.augmentation
    row = paper.table_1(one.model, group.setting, *key)
    if row is not None:
        numbers = row.train_accuracy, row.test_accuracy
        return "Table 1", group.values("train_accuracy"), numbers
    share = fitted_share(group)
    if group.setting != "random_labels" or share is None:
        return None
    accuracy = paper.table_4(one.model, *key)
    return None if accuracy is None else ("Table 4", share, (accuracy, None))


# Table 2 --------------------------------------------------------------------------------


def table_2_rows(all_series: Sequence[Series]) -> list[list[Any]]:
    """All rows of Table 2 for each model on ImageNet, or on a set with top-5 accuracies.

    Returns:
      Rows as in `TABLE_2`; what was not run has None for our numbers. [] where no group of
      a model meets any row.
    """
    result = []
    for family in families(all_series):
        found = [
            (row, one, group)
            for row in paper.TABLE_2
            for one in family.series
            for group in one.groups
            if (group.setting, group.regularizers) == (row.setting, row.regularizers)
            and (one.dataset == paper.IMAGENET or None not in group.values("test_top5_accuracy"))
        ]
        if found:
            result += _family_rows(family, found)
    return result


def _family_rows(
    family: Family, found: Sequence[tuple[paper.TopRow, Series, Group]]
) -> list[list[Any]]:
    result = []
    for row in paper.TABLE_2:
        met = [(one, group) for own, one, group in found if own is row]
        kind = [row.setting.replace("_", " "), listed(row.regularizers)]
        for one, group in met:
            same = comparable(one, group, paper.IMAGENET)
            # Two strengths of the same regularizers are told apart by their values.
            name = family.name if len(met) == 1 else one.name
            result.append([name, *kind, group.seeds, *_numbers(group, row), same])
        if not met:
            result.append([family.name, *kind, 0, *_numbers(None, row), UNMEASURED])
    return result


def _numbers(group: Group | None, row: paper.TopRow) -> list[Any]:
    """Ours and the paper's by turns: train, then test and best, first top-1 and then top-5."""
    best = row.best or (None, None)
    ours: list[Span | None] = [None] * 6
    if group is not None:
        ours = [
            span(group.values("train_accuracy")),
            span(group.values("train_top5_accuracy")),
            span(group.test_accuracy()),
            span(group.best_test_accuracy()),
            span(group.values("test_top5_accuracy")),
            span(group.values("best_test_top5_accuracy")),
        ]
    return [
        *(ours[0], row.train[0], ours[2], ours[3], row.test[0], best[0]),
        *(ours[1], row.train[1], ours[4], ours[5], row.test[1], best[1]),
    ]
