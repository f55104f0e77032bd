"""Scores of each example by its id, in files for others to use: scores.npz and scores.csv."""

import csv
import io
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.workdir.arrays import read_arrays, write_arrays
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically

NPZ, CSV = "scores.npz", "scores.csv"


class ExampleScores(NamedTuple):
    """What is known of each of n examples.

    Attributes:
      columns: an array [n] of whole numbers, floats or truth values by its name. The first is
        "id" with the ids of the examples in the data set, no two alike; a score that an example
        does not have is nan.
    """

    columns: Mapping[str, np.ndarray]

    @property
    def rows(self) -> int:
        """The number of examples."""
        return len(self.columns["id"])


def check(scores: ExampleScores) -> None:
    """Refuses columns that are no table by id.

    Raises:
      ValueError: says which column is wrong.
    """
    if next(iter(scores.columns), None) != "id":
        raise ValueError(f"the first column of scores is {next(iter(scores.columns), None)!r}")
    for name, column in scores.columns.items():
        if column.shape != (scores.rows,) or column.dtype.kind not in "biuf":
            raise ValueError(f"column {name!r} of scores is {column.dtype} {list(column.shape)}")
    ids = scores.columns["id"]
    if ids.dtype.kind not in "iu" or len(np.unique(ids)) != len(ids):
        raise ValueError("the ids of scores are not whole numbers, or two are alike")


def write(workdir: AnyPath, scores: ExampleScores) -> None:
    """Writes scores.npz, each column with its dtype, and scores.csv into a workdir.

    Raises:
      ValueError: the columns are no table by id.
      OSError: a file cannot be written.
    """
    check(scores)
    write_arrays(workdir / NPZ, scores.columns)
    write_csv(workdir, scores)


def write_csv(workdir: AnyPath, scores: ExampleScores) -> None:
    """Writes scores.csv: the shortest digits that give back the very number of each column.

    A number that is none stands as nan, inf or -inf, and a truth value as True or False.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(scores.columns)
    columns = [column.astype(str).tolist() for column in scores.columns.values()]
    table.writerows(zip(*columns, strict=True))
    write_atomically(workdir / CSV, text.getvalue())


def described(scores: ExampleScores) -> Json:
    """Returns what findings.json says of scores: the number of rows and the names of columns."""
    return {"rows": scores.rows, "columns": list(scores.columns)}


def read(workdir: AnyPath, wanted: Json) -> ExampleScores:
    """Reads scores.npz of a workdir.

    Args:
      workdir: the folder.
      wanted: what `described` says of them.

    Raises:
      UserError: the file is missing or damaged, or holds something else.
    """
    file, again = workdir / NPZ, "the command that made it measures it anew"
    try:
        scores = ExampleScores(read_arrays(file))
        check(scores)
    except (UserError, ValueError) as error:
        said = error if isinstance(error, UserError) else f"{file} is damaged ({error})"
        raise UserError(f"{said}: {again}") from None
    if described(scores) != wanted:
        raise UserError(f"{file} has other rows or columns than findings.json says: {again}")
    return scores
