"""The results of an experiment as tables: on the screen, as CSV and as Markdown."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rethinking_jax.analysis import beside, paper
from rethinking_jax.analysis.beside import Columns, span
from rethinking_jax.analysis.curves import loss_times, ratios
from rethinking_jax.analysis.results import Results, Series, series
from rethinking_jax.workdir.metrics import judged_on
from rethinking_jax.workdir.storage import AnyPath, make_folder, write_atomically

if TYPE_CHECKING:
    from rich.table import Table as ScreenTable


class Table(NamedTuple):
    """A table in three forms.

    Attributes:
      name: of its files; title: for the reader.
      columns: titles; keys: of the CSV file.
      exact: rows of values at full precision; texts: rows of texts to read.
      note: below it, or "".
    """

    name: str
    title: str
    columns: list[str]
    keys: list[str]
    exact: list[list[Any]]
    texts: list[list[str]]
    note: str = ""


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

# Beside those in files and on the page, where there is room.
EARLY_STOPPING: Columns = {
    "best epoch": ("best_epoch", "{:,}"),
    "early stopping wins": ("early_stopping_gain", "{:.4f}"),
}
EARLY_STOPPING_NOTE = (
    "Early stopping wins: the test accuracy of the best epoch less that of the last. The best of "
    "many epochs is chosen on the test set itself, so some of it is luck."
)

# Where hyper-parameters were chosen by validation; only the chosen runs have a test accuracy.
VALIDATED: Columns = {
    "run": ("name", "{}"),
    "really flipped": ("flipped_fraction", "{:.4f}"),
    "train acc.": ("train_accuracy", "{:.4f}"),
    "val. acc.": ("validation_accuracy", "{:.4f}"),
    "best val.": ("best_validation_accuracy", "{:.4f}"),
    "epochs to fit": ("epochs_to_fit", "{:,}"),
    "test acc.": ("test_accuracy", "{:.4f}"),
}
VALIDATED_NOTE = (
    "Validation chooses among the runs: those with a test accuracy are the chosen ones, and the "
    "test set was looked at once, as they ended. Early stopping wins: the validation accuracy of "
    "the best epoch less that of the last."
)

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


def result_columns(summary: dict[str, Any]) -> Columns:
    """The columns of the results, by the split that the runs are judged on."""
    return VALIDATED if judged_on(summary["members"][0]) == "validation" else COLUMNS


def rows(summary: dict[str, Any], columns: Columns) -> list[list[str]]:
    """One row of texts for each member, in the order of the columns."""
    return [
        [_text(value, form) for value, (_, form) in zip(values, columns.values(), strict=True)]
        for values in _exact(summary, columns)
    ]


def _exact(summary: dict[str, Any], columns: Columns) -> list[list[Any]]:
    return [
        [{**member, **_early_stopping(member)}.get(key, "") for key, _ in columns.values()]
        for member in summary["members"]
    ]


def _early_stopping(member: dict[str, Any]) -> dict[str, Any]:
    """What stopping at the best epoch would have won in accuracy, which is 0 or more."""
    key = f"{judged_on(member)}_accuracy"
    return {"early_stopping_gain": member[f"best_{key}"] - member[key]}


def _text(value: Any, form: str) -> str:
    if value == "":  # not measured
        return "-"
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
    columns = result_columns(summary)
    for title in columns:
        if title == "run":
            table.add_column(title, overflow="fold", no_wrap=short)
        else:
            table.add_column(title, justify="right", min_width=None if short else 6)
    for row in rows(summary, columns):
        table.add_row(*row)
    return table


def tables(results: Results) -> list[Table]:
    """The results, and what the runs allow: a table over label noise, one beside the paper's."""
    summary, all_series = results.summary, series(results)
    columns = result_columns(summary) | EARLY_STOPPING
    keys = [key for key, _ in columns.values()]
    texts = rows(summary, columns)
    made = [Table("results", "Results", list(columns), keys, _exact(summary, columns), texts)]
    if results.validated:
        return [made[0]._replace(note=VALIDATED_NOTE)]
    made[-1] = made[-1]._replace(note=EARLY_STOPPING_NOTE)
    swept = [one for one in all_series if len(one.by_label_noise()) > 1]
    made += [_table("label_noise", "Over label noise", NOISE, _noise_rows(swept))] if swept else []
    if found := beside.paper_rows(all_series):
        tables = sorted({row[0] for row in found})
        made.append(
            _table("paper", f"Beside the paper's {' and '.join(tables)}", beside.PAPER, found)
        )
        made[-1] = made[-1]._replace(note=paper.TABLE_4_NOTE if "Table 4" in tables else "")
    if found := beside.table_2_rows(all_series):
        made.append(_table_2(found))
    return made


def _table_2(exact: list[list[Any]]) -> Table:
    """Table 2, whole: as texts means and the best in brackets, all the rest in the CSV file."""
    name, title = "table_2", "Beside the paper's Table 2"
    means = [[cell[0] if isinstance(cell, tuple) else cell for cell in row] for row in exact]
    table = _table(name, title, beside.TABLE_2, exact, whole=True)
    table = table._replace(texts=_table(name, title, beside.TABLE_2, means, whole=True).texts)
    titles = list(beside.TABLE_2)
    bests = [i for i, title in enumerate(titles) if " best " in title]
    columns = [title for i, title in enumerate(titles) if i not in bests]
    texts = []
    for row in table.texts:
        # Ours stand two before the paper's: value, best, then the paper's value and best.
        cells = {i: f"{row[i - 1]} [{row[i]}]" for i in bests if row[i] != beside.UNMEASURED}
        texts.append([cells.get(i + 1, text) for i, text in enumerate(row) if i not in bests])
    return table._replace(columns=columns, texts=texts, note=beside.TABLE_2_NOTE)


def write_tables(made: Sequence[Table], folder: AnyPath) -> None:
    """Writes each table as <name>.csv (full precision) and <name>.md into `folder`."""
    make_folder(folder)
    for table in made:
        rows = io.StringIO()
        csv.writer(rows).writerows([table.keys, *table.exact])
        (folder / f"{table.name}.csv").write_bytes(rows.getvalue().encode())
        lines = [table.columns, ["---"] * len(table.columns), *table.texts]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        text += f"\n{table.note}\n" if table.note else ""
        write_atomically(folder / f"{table.name}.md", text)


def _table(
    name: str, title: str, columns: Columns, exact: list[list[Any]], whole: bool = False
) -> Table:
    """A table of the columns that have a value in some row, or `whole`, its gaps named."""
    kept = [i for i in range(len(columns)) if whole or any(row[i] is not None for row in exact)]
    gap = beside.UNMEASURED if whole else "-"
    titled = [list(columns.items())[i] for i in kept]
    spans = [any(isinstance(row[i], tuple) for row in exact) for i in kept]
    keys: list[str] = []
    values: list[list[Any]] = [[] for _ in exact]
    for i, (_, (key, _)), several in zip(kept, titled, spans, strict=True):
        keys += [f"{key}_{part}" for part in ("mean", "min", "max")] if several else [key]
        for row, to in zip(exact, values, strict=True):
            to += (row[i] or (None,) * 3) if several else [row[i]]
    texts = [
        [_cell(row[i], form, gap) for i, (_, (_, form)) in zip(kept, titled, strict=True)]
        for row in exact
    ]
    return Table(name, title, [title for title, _ in titled], keys, values, texts)


def _cell(value: Any, form: str, gap: str) -> str:
    if value is None:
        return gap
    if isinstance(value, str):
        return value
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
            measured = [span(values) for values in (epochs, accuracy, loss, errors, corrupted)]
            result.append([one.name, group.label_noise, group.seeds, *measured, *theirs])
    return result
