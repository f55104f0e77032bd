"""What an experiment of theory found, in the forms that a report needs."""

import json
import math
from collections.abc import Sequence
from typing import NamedTuple, SupportsFloat

from rethinking_jax.analysis import example_scores, galleries
from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.galleries import Gallery
from rethinking_jax.analysis.table import Table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically

FILE = "findings.json"  # the file of a workdir that its figures, tables and page are drawn from
CONFIG, SUMMARY = "config.json", "summary.json"
AGAIN = ": the command that made it measures it anew"
# The places of the verdicts of earlier versions that are no part of the paper.
NOT_OF_PAPER = (
    "a check of the method",
    "not a claim of the paper",
    "follows from section 5",
    "follows from its definition",
)


class Findings(NamedTuple):
    """What was found.

    Attributes:
      members: a dictionary of plain values for each measurement, for summary.json.
      facts: what was done, as texts by their names.
      tables: the tables of the report.
      plots: its figures.
      verdicts: its claims with their outcomes.
      galleries: its pictures of examples.
      scores: the scores of each example, for files of their own; None where there are none.
    """

    members: list[Json]
    facts: dict[str, str]
    tables: list[Table]
    plots: list[Plot]
    verdicts: list[Verdict]
    galleries: Sequence[Gallery] = ()
    scores: ExampleScores | None = None


class TheoryResults(NamedTuple):
    """What the workdir of an experiment of theory holds.

    Attributes:
      config, summary: the content of config.json and of summary.json.
      found: what was found, from findings.json.
    """

    config: Json
    summary: Json
    found: Findings


def read(workdir: AnyPath) -> TheoryResults:
    """Reads the finished workdir of an experiment of theory.

    Raises:
      UserError: a file of it is damaged, or two of them contradict each other.
    """
    config, summary, stored = (_json(workdir / name) for name in (CONFIG, SUMMARY, FILE))
    try:
        found = from_json(stored, summary["members"])
        if "scores" in stored:
            found = found._replace(scores=example_scores.read(workdir, stored["scores"]))
        same = [one._asdict() for one in found.verdicts] == summary["verdicts"]
        right = same and {"kind", "experiment", "dataset", "device", "versions"} <= summary.keys()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{workdir / FILE} or {SUMMARY} is damaged ({error!r}){AGAIN}") from None
    if not right:
        raise UserError(f"{workdir / FILE} does not belong to {SUMMARY}{AGAIN}")
    return TheoryResults(config, summary, found)


def _json(file: AnyPath) -> Json:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} is damaged ({first_line(error)}){AGAIN}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file} is damaged (it is not what a run writes){AGAIN}")
    return content


def damage(folder: Folder) -> list[str]:
    """Says in a line what is wrong in the workdir of an experiment that is through, if so."""
    try:
        if folder.is_complete():
            read(folder.path)
    except UserError as error:
        return [str(error)]
    return []


def write(workdir: AnyPath, found: Findings) -> None:
    """Writes what was found into a workdir, for `read`, and the scores of examples, if any."""
    if found.scores is not None:
        example_scores.write(workdir, found.scores)
    write_atomically(workdir / FILE, json.dumps(to_json(found)) + "\n")


def to_json(found: Findings) -> Json:
    """Returns all but the members, which summary.json has, as values that JSON can hold.

    Of scores only a description is among them: they have files of their own.
    """
    plots = [
        {**plot._asdict(), "curves": [one._asdict() for one in plot.curves]} for plot in found.plots
    ]
    return {
        "facts": found.facts,
        "tables": [one._asdict() for one in found.tables],
        "plots": plots,
        "verdicts": [one._asdict() for one in found.verdicts],
        "galleries": [galleries.to_json(one) for one in found.galleries],
        **({} if found.scores is None else {"scores": example_scores.described(found.scores)}),
    }


def from_json(plain: Json, members: list[Json]) -> Findings:
    """Returns the findings that `to_json` was given, in this version or an earlier one.

    They lack the scores of examples, see `rethinking_jax.analysis.example_scores.read`.
    """
    plots = []
    for one in plain["plots"]:
        level = tuple(one["level"]) if one["level"] else None
        curves = [Curve(**c) for c in one["curves"]]
        verticals = [tuple(line) for line in one.get("verticals", ())]
        read = {"curves": curves, "level": level, "verticals": verticals}
        plots.append(Plot(**{**one, **read, "models": tuple(one["models"])}))
    return Findings(
        members,
        plain["facts"],
        [Table(**one) for one in plain["tables"]],
        plots,
        [
            Verdict(**{"of_paper": one["place"] not in NOT_OF_PAPER, **one})
            for one in plain["verdicts"]
        ],
        [galleries.from_json(one) for one in plain.get("galleries", [])],
    )


def curve(label: str, x: Sequence[float], y: Sequence[float | None]) -> Curve:
    """Returns a line through points; None is a gap."""
    values = [math.nan if value is None else float(value) for value in y]
    return Curve(label, [float(value) for value in x], values, values, values)


def verdict(
    claim: str, place: str, true: bool | None, ours: str, paper: str, of_paper: bool = True
) -> Verdict:
    """Returns a claim with its outcome; where `true` is None it was not measured."""
    outcome = NOT_MEASURED if true is None else YES if true else NO
    return Verdict(claim, place, "", outcome, ours, paper, of_paper)


def finite(value: SupportsFloat) -> float | None:
    """Returns a number that JSON can hold; None where it is infinite or not a number."""
    return float(value) if math.isfinite(float(value)) else None
