"""What is written of a theory experiment: its findings as figures, tables and a page."""

import json
from typing import NamedTuple

from rethinking_jax.analysis import figures, tables
from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.findings import Findings, from_json, to_json
from rethinking_jax.errors import UserError
from rethinking_jax.report import page
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically

FINDINGS = "findings.json"  # the file that figures, tables and page are drawn from


class Measured(NamedTuple):
    """A measured workdir: its config and summary as in their files, and what was found."""

    config: Json
    summary: Json
    found: Findings


def write_findings(workdir: AnyPath, found: Findings) -> None:
    """Writes what was found, for `read`."""
    write_atomically(workdir / FINDINGS, json.dumps(to_json(found)) + "\n")


def read(workdir: AnyPath) -> Measured:
    """Reads a finished workdir.

    Raises:
      UserError: a file of it cannot be understood.
    """
    try:
        plain, summary, stored = (
            json.loads((workdir / name).read_text())
            for name in ("config.json", "summary.json", FINDINGS)
        )
        return Measured(plain, summary, from_json(stored, summary["members"]))
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise UserError(
            f"{workdir} cannot be drawn again ({error}): its command, with another --workdir, "
            "measures it anew"
        ) from None


def write_report(workdir: AnyPath, measured: Measured) -> None:
    """Writes figures/, tables/ and report.html of one workdir."""
    summary, found = measured.summary, measured.found
    for plot in found.plots:
        source = f"ours: {summary['dataset']}, {summary['device']}"
        figures.write(plot, source, workdir / "figures")
    tables.write_tables(found.tables, workdir / "tables")
    page.write_page(workdir / "report.html", [section(measured)])


def section(measured: Measured, index: int = 0) -> Json:
    """Returns what the page needs, see `rethinking_jax.report.page.section`."""
    plain, summary, found = measured
    yes, no = (sum(v.outcome == o for v in found.verdicts) for o in (YES, NO))
    return {
        "title": f"{summary['experiment']} on {summary['dataset']}",
        "facts": {
            **found.facts,
            "device": summary["device"],
            "time": f"{summary['wall_seconds']:.0f} seconds",
            "versions": ", ".join(f"{k} {v}" for k, v in summary["versions"].items()),
        },
        "command": summary["command"],
        "config": plain,
        "verdicts": [v for v in found.verdicts if v.outcome in (YES, NO)],
        "unmeasured": [v for v in found.verdicts if v.outcome not in (YES, NO)],
        "several_series": False,
        "claims": "Claims",
        "pictures": [],
        "counts": f"Claims, held against these numbers: {yes} yes, {no} no, "
        f"{len(found.verdicts) - yes - no} not measured.",
        "charts": [page.chart(plot, f"s{index}f{i}") for i, plot in enumerate(found.plots)],
        "tables": found.tables,
    }
