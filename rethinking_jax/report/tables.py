"""The results of an experiment as tables: on the screen, as CSV and as Markdown."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rethinking_jax.metrics import write_atomically
from rethinking_jax.report import paper
from rethinking_jax.report.curves import loss_times, ratios
from rethinking_jax.report.results import Results, Series, series

if TYPE_CHECKING:
    from rich.table import Table as ScreenTable

Columns = dict[str, tuple[str, str]]


class Table(NamedTuple):
    """A table in three forms.

    Attributes:
      name: of its files; title: for the reader.
      columns: titles; keys: of the CSV file.
      exact: rows of values at full precision; texts: rows of texts to read.
    """

    name: str
    title: str
    columns: list[str]
    keys: list[str]
    exact: list[list[Any]]
    texts: list[list[str]]


# Column title -> key of a member in summary.json, and how to print it. Titles fold on the
# screen; seven columns fit into 80 characters.
COLUMNS: Columns = {
    "run": ("name", "{}"),
    "really flipped": ("flipped_fraction", "{:.4f}"),
    "train acc.": ("train_accuracy", "{:.4f}"),
    "test acc.": ("test_accuracy", "{:.4f}"),
    "best test": ("best_test_accuracy", "{:.4f}"),
    "epochs to fit": ("epochs_to_fit", "{:,}"),
    "steps to fit": ("steps_to_fit", "{:,}"),
}


# A value that is (mean, least, most) over seeds takes three columns of the CSV file.
NOISE: Columns = {
    "runs": ("series", "{}"),
    "label noise": ("label_noise", "{:g}"),
    "seeds": ("seeds", "{}"),
    "epochs to fit": ("epochs_to_fit", "{:.1f}"),
    "relative time (accuracy)": ("relative_time_accuracy", "{:.2f}"),
    "relative time (loss 0.05)": ("relative_time_loss", "{:.2f}"),
    "test error, true labels": ("test_error_true_labels", "{:.4f}"),
    "test error, corrupted labels": ("test_error_corrupted_labels", "{:.4f}"),
    "paper's relative time (Figure 1b, CIFAR-10)": ("paper_relative_time", "{:.2f}"),
    "paper's test error (Figure 1c, CIFAR-10)": ("paper_test_error", "{:.4f}"),
}
PAPER: Columns = {
    "runs": ("series", "{}"),
    "setting": ("setting", "{}"),
    "weight decay": ("weight_decay", "{:g}"),
    "seeds": ("seeds", "{}"),
    "our train acc.": ("train_accuracy", "{:.4f}"),
    "paper's train acc.": ("paper_train_accuracy", "{:.4f}"),
    "our test acc.": ("test_accuracy", "{:.4f}"),
    "paper's test acc.": ("paper_test_accuracy", "{:.4f}"),
    "comparable": ("comparable", "{}"),
}


def rows(summary: dict[str, Any]) -> list[list[str]]:
    """One row of texts for each member, in the order of `COLUMNS`."""
    return [
        [_text(member[key], form) for key, form in COLUMNS.values()]
        for member in summary["members"]
    ]


def _text(value: Any, form: str) -> str:
    # A fit that never came, or a metric that is not a number.
    return (
        "never" if value is None and "," in form else "nan" if value is None else form.format(value)
    )


def screen_table(summary: dict[str, Any]) -> "ScreenTable":
    """The table that ends a run."""
    from rich import box
    from rich.table import Table as ScreenTable

    title = f"{summary['experiment']} on {summary['dataset']}, {summary['device']}"
    table = ScreenTable(title=title, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    # A name of usual length stands on one line; a longer one folds, so that every digit of a
    # number stays on the screen.
    short = max(len(member["name"]) for member in summary["members"]) <= 26
    for title in COLUMNS:
        if title == "run":
            table.add_column(title, overflow="fold", no_wrap=short)
        else:
            table.add_column(title, justify="right", min_width=None if short else 6)
    for row in rows(summary):
        table.add_row(*row)
    return table


def tables(results: Results) -> list[Table]:
    """The results, and what the runs allow: a table over label noise, one beside the paper's."""
    summary, all_series = results.summary, series(results)
    keys = [key for key, _ in COLUMNS.values()]
    exact = [[member[key] for key in keys] for member in summary["members"]]
    made = [Table("results", "Results", list(COLUMNS), keys, exact, rows(summary))]
    swept = [one for one in all_series if len(one.by_label_noise()) > 1]
    made += [_table("label_noise", "Over label noise", NOISE, _noise_rows(swept))] if swept else []
    beside = _paper_rows(all_series)
    made += [_table("paper", "Beside the paper's Table 1", PAPER, beside)] if beside else []
    return made


def write_tables(made: Sequence[Table], folder: Path) -> None:
    """Writes each table as <name>.csv (full precision) and <name>.md into `folder`."""
    folder.mkdir(exist_ok=True)
    for table in made:
        with (folder / f"{table.name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([table.keys, *table.exact])
        lines = [table.columns, ["---"] * len(table.columns), *table.texts]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        write_atomically(folder / f"{table.name}.md", text)


def _table(name: str, title: str, columns: Columns, exact: list[list[Any]]) -> Table:
    """A table of the columns that have a value in some row."""
    kept = [i for i in range(len(columns)) if any(row[i] is not None for row in exact)]
    titled = [list(columns.items())[i] for i in kept]
    spans = [any(isinstance(row[i], tuple) for row in exact) for i in kept]
    keys: list[str] = []
    values: list[list[Any]] = [[] for _ in exact]
    for i, (_, (key, _)), span in zip(kept, titled, spans, strict=True):
        keys += [f"{key}_{part}" for part in ("mean", "min", "max")] if span else [key]
        for row, to in zip(exact, values, strict=True):
            to += (row[i] or (None,) * 3) if span else [row[i]]
    texts = [
        [_cell(row[i], form) for i, (_, (_, form)) in zip(kept, titled, strict=True)]
        for row in exact
    ]
    return Table(name, title, [title for title, _ in titled], keys, values, texts)


def _cell(value: Any, form: str) -> str:
    if value is None:
        return "-"
    if not isinstance(value, tuple):
        return form.format(value)
    mean, least, most = (form.format(part) for part in value)
    return mean if least == most else f"{mean} ({least} to {most})"


def _noise_rows(swept: Sequence[Series]) -> list[list[Any]]:
    """A row for each series and level of label noise; the paper's numbers where it has them."""
    figure = paper.figure_1()
    result = []
    for one in swept:
        groups = one.by_label_noise()
        by_accuracy = ratios(groups, [group.steps_to_fit() for group in groups])
        by_loss = ratios(groups, [loss_times(group) for group in groups])
        for group, accuracy, loss in zip(groups, by_accuracy, by_loss, strict=True):
            at = figure["label_noise"]
            index = at.index(group.label_noise) if group.label_noise in at else None
            theirs = [
                figure[key][one.model][index]
                if index is not None and one.model in figure[key]
                else None
                for key in ("relative_time", "test_error")
            ]
            errors = [1 - value for value in group.test_accuracy()]
            corrupted = [1 - value for value in group.corrupted_test_accuracy() or []]
            fitted = group.values("epochs_to_fit")
            epochs = [] if None in fitted else fitted
            measured = [_span(values) for values in (epochs, accuracy, loss, errors, corrupted)]
            result.append([one.name, group.label_noise, group.seeds, *measured, *theirs])
    return result


def _span(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Mean, least and most over seeds; None where there are no values."""
    return (float(np.mean(values)), min(values), max(values)) if values else None


def _paper_rows(all_series: Sequence[Series]) -> list[list[Any]]:
    """A row for each of our groups that Table 1 has a row of the same model and setting for."""
    result = []
    for one in all_series:
        for group in one.groups:
            decay = group.config.get("weight_decay", 0.0)
            row = paper.table_1(one.model, group.setting, decay > 0)
            if row is None:
                continue
            same = one.dataset == paper.DATASET
            differs = f"not comparable: data set is {one.dataset}, the paper's CIFAR-10"
            trained, tested = group.values("train_accuracy"), group.test_accuracy()
            ours_and_theirs = [
                float(np.mean(trained)),
                row.train_accuracy,
                float(np.mean(tested)),
                row.test_accuracy,
            ]
            first = [one.name, group.setting.replace("_", " "), decay, group.seeds]
            result.append([*first, *ours_and_theirs, "yes" if same else differs])
    return result
