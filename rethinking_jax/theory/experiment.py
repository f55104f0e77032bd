"""One experiment of theory, from its config to its results: the contract of a workdir."""

import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.analysis import findings
from rethinking_jax.analysis.findings import Findings, TheoryResults
from rethinking_jax.errors import UserError
from rethinking_jax.experiment import check_workdir
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.report import page
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.fitting import open_lab
from rethinking_jax.theory.settings import check_effects
from rethinking_jax.workdir.storage import AnyPath, make_folder, open_path, write_atomically

Summary = dict[str, Any]
# Of (runs, data, where to say what is going on), and for kinds that train `lab`.
Run = Callable[..., Findings]


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

    members = configs.members(config)
    check_effects(config, members)
    if jax.process_count() > 1:
        raise UserError(f"{config.kind} runs in one process: start it once, without num_processes")
    check_workdir(config, workdir)
    plain, file = configs.to_json(config), workdir / "summary.json"
    if file.exists() and _stored(workdir) == configs.identity(plain):
        say(f"Complete already: {workdir}")
        return _end(say, workdir, json.loads(file.read_text()))
    say(f"On {describe_device()}; results go to {workdir}")
    run: Run = import_module(f"rethinking_jax.theory.{config.kind}").run
    if "model" in config:  # it trains
        with open_lab(config, workdir, command, console) as lab:
            found = run(members, Tasks(say, workdir), say, lab)
    else:
        found = run(members, Tasks(say, workdir), say)
    summary = {
        "experiment": config.experiment,
        "kind": config.kind,
        "dataset": "Gaussian points" if config.get("points") == "gaussian" else config.dataset,
        "device": describe_device(),
        "versions": versions(),
        "wall_seconds": round(time.monotonic() - started, 3),
        "command": command,
        "verdicts": [verdict._asdict() for verdict in found.verdicts],
        "members": found.members,
    }
    _write(workdir, TheoryResults(plain, summary, found))
    return _end(say, workdir, summary)


def _stored(workdir: AnyPath) -> dict[str, Any]:
    """What the workdir's config says is run: runs may have been added to its sweep since."""
    return configs.identity(json.loads((workdir / "config.json").read_text()))


def _write(workdir: AnyPath, stored: TheoryResults) -> None:
    """Writes all files; the summary last: where there is one, everything is there."""
    make_folder(workdir)
    (workdir / "summary.json").unlink(missing_ok=True)
    write_atomically(workdir / "config.json", json.dumps(stored.config, indent=2) + "\n")
    write_atomically(workdir / findings.FILE, json.dumps(findings.to_json(stored.found)) + "\n")
    page.write_report(workdir, stored)
    write_atomically(workdir / "summary.json", json.dumps(stored.summary, indent=2) + "\n")


def _end(say: Callable[[str], None], workdir: AnyPath, summary: Summary) -> Summary:
    for verdict in summary["verdicts"]:
        say(f"{verdict['outcome'].upper()}: {verdict['claim']} {verdict['ours']}")
    for file in sorted((workdir / "tables").glob("*.md")):
        say(f"\n{file.read_text()}")
    say(f"Report:      {workdir / 'report.html'}")
    say(f"All results: {workdir}")
    return summary
