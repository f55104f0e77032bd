"""What an experiment of theory found, in the forms that a report needs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rethinking_jax.analysis.beside import Columns
from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.tables import Table
from rethinking_jax.analysis.verdicts import Verdict


class Findings(NamedTuple):
    """All that is written.

    Attributes:
      members: one dictionary of plain values for each measurement, for summary.json.
      facts: name -> text, what was done.
    """

    members: list[dict[str, Any]]
    facts: dict[str, str]
    tables: list[Table]
    plots: list[Plot]
    verdicts: list[Verdict]


def to_json(found: Findings) -> dict[str, Any]:
    """All but the members, which summary.json has, as JSON-able values."""
    plots = [
        {**plot._asdict(), "curves": [one._asdict() for one in plot.curves]} for plot in found.plots
    ]
    return {
        "facts": found.facts,
        "tables": [one._asdict() for one in found.tables],
        "plots": plots,
        "verdicts": [one._asdict() for one in found.verdicts],
    }


def from_json(plain: Mapping[str, Any], members: list[dict[str, Any]]) -> Findings:
    """What `to_json` was given."""
    plots = []
    for one in plain["plots"]:
        level = tuple(one["level"]) if one["level"] else None
        curves = [Curve(**c) for c in one["curves"]]
        plots.append(
            Plot(**{**one, "curves": curves, "level": level, "models": tuple(one["models"])})
        )
    return Findings(
        members,
        plain["facts"],
        [Table(**one) for one in plain["tables"]],
        plots,
        [Verdict(**one) for one in plain["verdicts"]],
    )


def table(
    name: str, title: str, columns: Columns, rows: Sequence[Mapping[str, Any]], note: str = ""
) -> Table:
    """A table of dictionaries; columns: title -> (key, format); None is printed as "-"."""
    keys = [key for key, _ in columns.values()]
    texts = [
        ["-" if row[key] is None else form.format(row[key]) for key, form in columns.values()]
        for row in rows
    ]
    exact = [[row[key] for key in keys] for row in rows]
    return Table(name, title, list(columns), keys, exact, texts, note)


def curve(label: str, x: Sequence[float], y: Sequence[float | None]) -> Curve:
    """A line through points; None is a gap."""
    values = [math.nan if value is None else float(value) for value in y]
    return Curve(label, [float(value) for value in x], values, values, values)


def verdict(claim: str, place: str, true: bool | None, ours: str, paper: str) -> Verdict:
    """A claim with its outcome; None: it was not measured."""
    outcome = NOT_MEASURED if true is None else YES if true else NO
    return Verdict(claim, place, "", outcome, ours, paper)


def finite(value: Any) -> float | None:
    """A number that JSON can hold; None where it is infinite or not a number."""
    return float(value) if math.isfinite(value) else None
