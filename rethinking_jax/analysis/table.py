"""A table: its columns, its rows as exact values and as texts, and the files it is written to."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from rethinking_jax.workdir.storage import AnyPath, make_folder, write_atomically


class Column(NamedTuple):
    """A column of a table.

    Attributes:
      title: what stands above it.
      key: the key of its value in a row, and its name in the CSV file.
      form: the format in which a value is shown, or a function that returns its text.
      none: what is shown where the value of a row is None.
      words: whether it holds words, which are set to the left, and not numbers.
      bracketed: whether its value is shown in square brackets behind that of the column before.
    """

    title: str
    key: str
    form: str | Callable[[Any], str] = "{}"
    none: str = "-"
    words: bool = False
    bracketed: bool = False


class Spread(NamedTuple):
    """The mean and the extremes of a value over seeds, three columns of the CSV file."""

    mean: float
    min: float
    max: float


Row = Mapping[str, object]
# What a text begins with that a spreadsheet would compute.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What Markdown takes for markup within a cell: a _ only at the end of a word, a ] before a (.
MARKUP = re.compile(r"[\\`*<>&|~$]|(?<!\w)_|_(?!\w)|\](?=[(\[])")
ABSENT = "-"  # what is shown where a row does not have the key of a column


class Table(NamedTuple):
    """A table in three forms.

    Attributes:
      name: the name of its files.
      title: what stands above it.
      columns: the titles of the columns that are shown.
      keys: the names of the columns of the CSV file.
      exact: the values of each row at full precision, one for each key.
      texts: the texts of each row, one for each column.
      note: what stands below it, or "".
      words: the indices of the columns that hold words, which are set to the left.
      short_titles: whether no column needs room for a long title.
    """

    name: str
    title: str
    columns: list[str]
    keys: list[str]
    exact: list[list[object]]
    texts: list[list[str]]
    note: str = ""
    words: Sequence[int] = ()
    short_titles: bool = False


def table(
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    note: str = "",
    extremes: bool = True,
) -> Table:
    """Makes a table of rows.

    Args:
      name: see `Table`.
      title: see `Table`.
      columns: its columns, of which the first is not bracketed.
      rows: a value for each column's key; a row that lacks a key shows `ABSENT`.
      extremes: whether the texts of a `Spread` say its least and its greatest value.
      note: see `Table`.
    """
    shown = [column for column in columns if not column.bracketed]
    spreads = {key for row in rows for key, value in row.items() if isinstance(value, Spread)}
    keys: list[str] = []
    for key in (column.key for column in columns):
        keys += [f"{key}_{part}" for part in Spread._fields] if key in spreads else [key]
    return Table(
        name,
        title,
        [column.title for column in shown],
        keys,
        [_exact(columns, row, spreads) for row in rows],
        [_texts(columns, row, extremes) for row in rows],
        note,
        tuple(i for i, column in enumerate(shown) if column.words),
    )


def with_values(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Returns the columns that have a value in some row."""
    return [column for column in columns if any(row[column.key] is not None for row in rows)]


def spread(values: Sequence[float | None] | None) -> Spread | None:
    """Returns mean, least and most over seeds; None where a value is missing."""
    known = [value for value in values or [] if value is not None]
    if not known or len(known) < len(values or []):
        return None
    return Spread(fmean(known), min(known), max(known))


def _exact(columns: Sequence[Column], row: Row, spreads: set[str]) -> list[object]:
    values: list[object] = []
    for column in columns:
        value = row.get(column.key)
        if column.key not in spreads:
            values.append(value)
        else:
            values += value if isinstance(value, Spread) else [value] * len(Spread._fields)
    return values


def _texts(columns: Sequence[Column], row: Row, extremes: bool) -> list[str]:
    texts: list[str] = []
    for column in columns:
        text = _text(column, row, extremes)
        if not column.bracketed:
            texts.append(text)
        elif row.get(column.key) is not None:
            texts[-1] += f" [{text}]"
    return texts


def _text(column: Column, row: Row, extremes: bool) -> str:
    if column.key not in row:
        return ABSENT
    value = row[column.key]
    form = column.form.format if isinstance(column.form, str) else column.form
    if value is None:
        return column.none
    if not isinstance(value, Spread):
        # A value that is a word stands as it is, also in a column of numbers.
        return value if isinstance(value, str) else form(value)
    mean, least, most = map(form, value)
    return mean if least == most or not extremes else f"{mean} ({least} to {most})"


def write_tables(made: Sequence[Table], folder: AnyPath) -> None:
    """Writes each table as <name>.csv (full precision) and <name>.md into `folder`."""
    make_folder(folder)
    for one in made:
        rows = io.StringIO()
        csv.writer(rows).writerows([one.keys, *map(_cells, one.exact)])
        write_atomically(folder / f"{one.name}.csv", rows.getvalue())
        write_atomically(folder / f"{one.name}.md", markdown(one))


def markdown(one: Table) -> str:
    """Returns a table as Markdown, with the note below it."""
    texts = [[_in_markdown(text) for text in row] for row in one.texts]
    lines = [one.columns, ["---"] * len(one.columns), *texts]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text + (f"\n{one.note}\n" if one.note else "")


def _cells(row: Sequence[object]) -> list[object]:
    """Returns a row for a CSV file, where no name is a formula of a spreadsheet."""
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
        for value in row
    ]


def _in_markdown(text: str) -> str:
    """Returns a text that Markdown shows as it is; what words and numbers hold stays."""
    return MARKUP.sub(r"\\\g<0>", text)
