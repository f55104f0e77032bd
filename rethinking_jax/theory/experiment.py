"""One experiment of theory, from its config to its results: the contract of a workdir."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.analysis import figures, tables
from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.findings import Findings, from_json, to_json
from rethinking_jax.errors import UserError
from rethinking_jax.experiment import check_workdir, train_and_evaluate
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.report import page
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.fitting import open_lab
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.kinds import kind_of
from rethinking_jax.theory.settings import check, check_effects
from rethinking_jax.workdir.storage import AnyPath, make_folder, open_path, write_atomically

Summary = dict[str, Any]
FINDINGS = "findings.json"  # what figures, tables and page are drawn from


class Stored(NamedTuple):
    """A finished workdir: its config and summary as in their files, and what was found."""

    config: dict[str, Any]
    summary: Summary
    found: Findings


def run_theory(
    config: ConfigDict,
    workdir: "AnyPath | str",
    *,
    command: str = "",
    console: Console | None = None,
) -> Summary:
    """Measures what a config of `theory_config` asks for and writes the results.

    Args:
      config: its `kind` names the module here that measures.
      workdir: the folder for config.json, findings.json, figures/, tables/, report.html,
        summary.json.
      command: what was typed, for the report.
      console: where to show progress; default: standard output.

    Returns:
      What `summary.json` holds.

    Raises:
      UserError: bad input, or a claim that cannot hold for this data; nothing is written.
      RunFailed: training was stopped by a signal.
    """
    started = time.monotonic()
    workdir, console = open_path(workdir), console or Console()

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False, highlight=False)

    members = configs.members(config, check)
    check_effects(config, members)
    if jax.process_count() > 1:
        raise UserError(f"{config.kind} runs in one process: start it once, without num_processes")
    check_workdir(config, workdir)
    plain, file = configs.to_json(config), workdir / "summary.json"
    if file.exists() and _stored(workdir) == configs.identity_of(plain):
        say(f"Complete already: {workdir}")
        return _end(say, workdir, json.loads(file.read_text()))
    say(f"On {describe_device()}; results go to {workdir}")
    kind, open_own_lab = kind_of(config), partial(open_lab, config, workdir, command, console)
    tools = Tools(
        Tasks(say), say, open_own_lab, lambda own, name: train_and_evaluate(own, workdir / name)
    )
    found = kind.measure(members, tools)
    summary = {
        "experiment": config.experiment,
        "kind": config.kind,
        "dataset": kind.data_name(config),
        "device": describe_device(),
        "versions": versions(),
        "wall_seconds": round(time.monotonic() - started, 3),
        "command": command,
        "verdicts": [verdict._asdict() for verdict in found.verdicts],
        "members": found.members,
    }
    _write(workdir, Stored(plain, summary, found))
    return _end(say, workdir, summary)


def _stored(workdir: AnyPath) -> dict[str, Any]:
    """What the workdir's config says is run: runs may have been added to its sweep since."""
    return configs.identity_of(json.loads((workdir / "config.json").read_text()))


def _write(workdir: AnyPath, stored: Stored) -> None:
    """Writes all files; the summary last: where there is one, everything is there."""
    make_folder(workdir)
    (workdir / "summary.json").unlink(missing_ok=True)
    write_atomically(workdir / "config.json", json.dumps(stored.config, indent=2) + "\n")
    write_atomically(workdir / FINDINGS, json.dumps(to_json(stored.found)) + "\n")
    draw(workdir, stored)
    write_atomically(workdir / "summary.json", json.dumps(stored.summary, indent=2) + "\n")


def draw(workdir: AnyPath, stored: Stored) -> None:
    """Writes figures, tables and page."""
    _, summary, found = stored
    for plot in found.plots:
        source = f"ours: {summary['dataset']}, {summary['device']}"
        figures.write(plot, source, workdir / "figures")
    tables.write_tables(found.tables, workdir / "tables")
    page.write_page(workdir / "report.html", [section(stored)])


def read(workdir: AnyPath) -> Stored:
    """A finished workdir, from its files.

    Raises:
      UserError: a file of it cannot be understood.
    """
    try:
        plain, summary, stored = (
            json.loads((workdir / name).read_text())
            for name in ("config.json", "summary.json", FINDINGS)
        )
        return Stored(plain, summary, from_json(stored, summary["members"]))
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise UserError(
            f"{workdir} cannot be drawn again ({error}): its command, with another --workdir, "
            "measures it anew"
        ) from None


def section(stored: Stored, index: int = 0) -> dict[str, Any]:
    """What the page needs, see `rethinking_jax.report.page.section`."""
    plain, summary, found = stored
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


def _end(say: Callable[[str], None], workdir: AnyPath, summary: Summary) -> Summary:
    for verdict in summary["verdicts"]:
        say(f"{verdict['outcome'].upper()}: {verdict['claim']} {verdict['ours']}")
    for file in sorted((workdir / "tables").glob("*.md")):
        say(f"\n{file.read_text()}")
    say(f"Report:      {workdir / 'report.html'}")
    say(f"All results: {workdir}")
    return summary
