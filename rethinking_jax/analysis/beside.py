"""Our numbers beside the paper's in its Tables 1, 2 and 4."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.regularizers import fitted_share, listed
from rethinking_jax.analysis.results import (
    Family,
    Group,
    Results,
    Series,
    families,
    tested_series,
)
from rethinking_jax.analysis.table import Column, Table, spread, table, with_values
from rethinking_jax.workdir.metrics import Json, text_of

UNMEASURED = "not measured"
COMPARABLE = Column("comparable", "comparable", words=True)
PAPER = (
    Column("the paper's", "table"),
    Column("runs", "series"),
    Column("setting", "setting", words=True),
    Column("augmentation", "augmentation", words=True),
    Column("weight decay", "weight_decay", "{:g}"),
    Column("seeds", "seeds"),
    Column("our train acc.", "train_accuracy", text_of),
    Column("paper's train acc.", "paper_train_accuracy", text_of),
    Column("our test acc.", "test_accuracy", text_of),
    Column("paper's test acc.", "paper_test_accuracy", text_of),
    COMPARABLE,
)


def _top(key: str, name: str) -> list[Column]:
    """Returns the columns of an accuracy: ours and the paper's in training, then in test."""
    return [
        Column(f"our train {name}", f"train_{key}", text_of, UNMEASURED),
        Column(f"paper's train {name}", f"paper_train_{key}", text_of, UNMEASURED),
        Column(f"our test {name} [best]", f"test_{key}", text_of, UNMEASURED),
        Column(f"our best test {name}", f"best_test_{key}", text_of, UNMEASURED, bracketed=True),
        Column(f"paper's test {name} [best]", f"paper_test_{key}", text_of, UNMEASURED),
        Column(
            f"paper's best test {name}", f"paper_best_test_{key}", text_of, UNMEASURED,
            bracketed=True,
        ),
    ]  # fmt: skip


TABLE_2 = (
    Column("runs", "series"),
    Column("setting", "setting", words=True),
    Column("regularizers", "regularizers", words=True),
    Column("seeds", "seeds"),
    *_top("top1", "top-1"),
    *_top("top5", "top-5"),
    COMPARABLE,
)
TABLE_2_NOTE = (
    "Means over seeds; tables/table_2.csv has the extremes. In square brackets the best of any "
    "epoch, which early stopping would have found; the paper gives it for two rows. "
    f"{paper.MISPRINT}"
)


def comparable(one: Series, group: Group, dataset: str) -> str:
    """Says "yes", or how a group differs from the paper's runs on `dataset`."""
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
    if group.config.get("init_scale", 1.0) != 1.0:
        reasons.append("initial weights are of another size")
    if reasons:
        return f"not comparable: {'; '.join(reasons)}"
    return "; ".join(["yes", *_qualified(one, group)])


def _qualified(one: Series, group: Group) -> list[str]:
    """Returns what a reader should know of a comparable row."""
    result = []
    if smoothing := group.config.get("label_smoothing"):
        result.append(f"label smoothing {smoothing:g}, the paper does not say")
    if (initializer := group.config.get("initializer", "model")) != "model":
        result.append(f"initializer {initializer}, the paper does not say")
    looked_at = group.values("train_evaluated")[0]
    if looked_at and one.train_examples and looked_at < one.train_examples:
        result.append(f"train accuracy of {looked_at:,} images")
    return result


# Tables 1 and 4 -------------------------------------------------------------------------


def paper_table(results: Results) -> Table | None:
    """Puts our accuracies beside Tables 1 and 4; None where no group meets a row of them."""
    rows = paper_rows(tested_series(results))
    if not rows:
        return None
    tables = sorted({row["table"] for row in rows})
    title = f"Beside the paper's {' and '.join(tables)}"
    note = paper.TABLE_4_NOTE if "Table 4" in tables else ""
    return table("paper", title, with_values(PAPER, rows), rows, note)


def paper_rows(all_series: Sequence[Series]) -> list[Json]:
    """Returns a row for each group that Table 1 or Table 4 has a row of the same kind for."""
    rows = [
        {
            "table": theirs.table,
            "series": one.name,
            "setting": group.setting.replace("_", " "),
            "augmentation": group.augmentation or None,
            "weight_decay": group.config.get("weight_decay", 0.0),
            "seeds": group.seeds,
            "train_accuracy": fmean(theirs.ours),
            "paper_train_accuracy": theirs.train_accuracy,
            "test_accuracy": None if theirs.test_accuracy is None else fmean(group.test_accuracy()),
            "paper_test_accuracy": theirs.test_accuracy,
            "comparable": comparable(one, group, paper.DATASET),
        }
        for one in all_series
        for group in one.groups
        if (theirs := _theirs(one, group)) is not None
    ]
    return sorted(rows, key=lambda row: str(row["table"]))


class Theirs(NamedTuple):
    """The paper's row for a group.

    Attributes:
      table: the name of its table.
      ours: the train accuracy of the group's runs as this table means it.
      train_accuracy: the paper's, or its words where it has no number.
      test_accuracy: the paper's, None in Table 4.
    """

    table: str
    ours: list[float]
    train_accuracy: float | str
    test_accuracy: float | None


def _theirs(one: Series, group: Group) -> Theirs | None:
    """Returns the row of Table 1 or 4 for a group, if there is one."""
    key = group.regularizers, group.augmentation
    row = paper.table_1(one.model, group.setting, *key)
    if row is not None:
        ours = group.values("train_accuracy")
        return Theirs("Table 1", ours, row.train_accuracy, row.test_accuracy)
    share = fitted_share(group)
    if group.setting != "random_labels" or share is None:
        return None
    accuracy = paper.table_4(one.model, *key)
    return None if accuracy is None else Theirs("Table 4", share, accuracy, None)


# Table 2 --------------------------------------------------------------------------------


def table_2(results: Results) -> Table | None:
    """Puts our means beside all of Table 2; None where no group meets a row of it."""
    rows = table_2_rows(tested_series(results))
    title = "Beside the paper's Table 2"
    return table("table_2", title, TABLE_2, rows, TABLE_2_NOTE, extremes=False) if rows else None


def table_2_rows(all_series: Sequence[Series]) -> list[Json]:
    """Returns all rows of Table 2 for each model on ImageNet, or on a set with top-5 accuracies.

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


def _family_rows(family: Family, found: Sequence[tuple[paper.TopRow, Series, Group]]) -> list[Json]:
    result = []
    for row in paper.TABLE_2:
        met = [(one, group) for own, one, group in found if own is row]
        for one, group in met:
            # Two strengths of the same regularizers are told apart by their values.
            name = family.name if len(met) == 1 else one.name
            same = comparable(one, group, paper.IMAGENET)
            result.append(_row(name, row, group.seeds, same) | _ours(group))
        if not met:
            result.append(_row(family.name, row, 0, UNMEASURED) | dict.fromkeys(OURS))
    return result


def _row(name: str, row: paper.TopRow, seeds: int, same: str) -> Json:
    """Returns a row of Table 2 without our numbers."""
    best = row.best or (None, None)
    return {
        "series": name,
        "setting": row.setting.replace("_", " "),
        "regularizers": listed(row.regularizers),
        "seeds": seeds,
        "comparable": same,
        **{
            f"paper_{key}_{top}": values[i]
            for key, values in (("train", row.train), ("test", row.test), ("best_test", best))
            for i, top in enumerate(("top1", "top5"))
        },
    }


def _ours(group: Group) -> Json:
    """Returns our numbers in a row of Table 2."""
    measured = (
        group.values("train_accuracy"),
        group.test_accuracy(),
        group.best_test_accuracy(),
        group.values("train_top5_accuracy"),
        group.values("test_top5_accuracy"),
        group.values("best_test_top5_accuracy"),
    )
    return {key: spread(values) for key, values in zip(OURS, measured, strict=True)}


OURS = ("train_top1", "test_top1", "best_test_top1", "train_top5", "test_top5", "best_test_top5")
