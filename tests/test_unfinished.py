"""The report of a workdir that is running or was stopped: where it stands, and nothing else."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command, read_metrics
from helpers import commands
from helpers.words import assert_spanish, texts
from ml_collections import ConfigDict

import rethinking_jax as rj
from rethinking_jax.analysis import unfinished
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.report import page
from rethinking_jax.report.section import section

# Two models, of which one has two seeds; one run fits in its first epoch.
SWEEP = [
    {"name": "true"},
    {"name": "noise,seed=0", "corruption": "random_labels"},
    {"name": "noise,seed=1", "corruption": "random_labels", "seed": 1},
    {"name": "large", "hidden_sizes": [5, 4], "fit_threshold": 0.05, "stop_when_fitted": True},
]
EPOCHS = {"true": 3, "noise,seed=0": 3, "noise,seed=1": 3, "large": 1}


def config_of(**changes: object) -> ConfigDict:
    config = rj.base_config()
    config.model, config.hidden_sizes, config.train_examples = "mlp", (4,), 200
    config.epochs, config.stop_when_fitted, config.checkpoint_every = 3, False, 0
    config.vectorize = "loop"  # one run after another
    config.update({"sweep": SWEEP, **changes})
    return config


@pytest.fixture(scope="module")
def whole(one_device: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("whole") / "run"
    rj.run(config_of(), workdir, report=False, command="the command")
    return workdir


@pytest.fixture
def stopped(whole: Path, tmp_path: Path) -> Path:
    """As a kill leaves it after its last line."""
    workdir = shutil.copytree(whole, tmp_path / "run")
    (workdir / "summary.json").unlink()
    return workdir


@pytest.fixture
def report(tmp_path: Path) -> Command:
    return lambda *arguments: commands.answer(report_command.main, arguments, tmp_path)


def keep_lines(workdir: Path, whole: Path, count: int) -> None:
    lines = (whole / "metrics.jsonl").read_text().splitlines(keepends=True)
    # A command that is killed as it writes leaves a part of a line.
    (workdir / "metrics.jsonl").write_text("".join(lines[:count]) + '{"member": "tr')


def work_there(workdir: Path, ago: float = 0.0) -> None:
    """As a command does that counted so many seconds ago."""
    owner = {"command": "the very command", "since": "today", "host": "here"}
    (workdir / "owner.json").write_text(json.dumps(owner))
    os.utime(workdir / "owner.json", (time.time() - ago,) * 2)


@pytest.mark.parametrize("working", [True, False])
def test_it_says_of_each_run_where_it_stands_after_every_line(
    working: bool, whole: Path, stopped: Path
) -> None:
    work_there(stopped, 0.0 if working else 31.0)
    members = [line["member"] for line in read_metrics(whole)]
    for count in range(len(members) + 1):
        keep_lines(stopped, whole, count)
        found = unfinished.read(stopped)
        reached = {name: members[:count].count(name) for name in EPOCHS}
        through = [name for name in EPOCHS if reached[name] == EPOCHS[name]]
        rest = [name for name in EPOCHS if name not in through]
        expected = dict.fromkeys(through, "finished")
        for name in rest:
            begun = name == rest[0] if working else reached[name] > 0
            expected[name] = ("running" if working else "stopped") if begun else "waiting"
        assert found.states == expected
        shown = section(found)
        named = re.compile(r"noise,seed=|large|true(?! labels| and)")  # what users call runs
        assert_spanish(*(named.sub("RUN", text) for text in texts(shown)))
        state = "running" if working else "stopped"
        assert shown.facts["state"].startswith(f"{state}, {len(through)} of 4 runs through")
        assert [row[:4] for row in shown.tables[0].texts] == [
            [name, expected[name], str(reached[name]), "3"] for name in EPOCHS
        ]
        # Curves of all that has begun; results of what is through alone.
        drawn = {curve.label for plot in shown.plots[:1] for curve in plot.curves}
        assert len(drawn) >= (count > 0) and (count > 0) == bool(shown.plots)
        results = [table for table in shown.tables if table.name == "results"]
        assert [row[0] for table in results for row in table.texts] == through


def test_claims_are_judged_of_a_model_whose_runs_are_all_through(
    whole: Path, stopped: Path
) -> None:
    members = [line["member"] for line in read_metrics(whole)]
    for count, judged in ((members.index("large"), ["[4]"]), (len(members) - 4, [])):
        keep_lines(stopped, whole, count)
        shown = section(unfinished.read(stopped))
        told = {verdict.series for verdict in shown.verdicts}
        assert len(told) == len(judged) and all(x in y for x, y in zip(judged, told, strict=True))
        assert "Not yet: " in shown.counts
    keep_lines(stopped, whole, len(members))
    shown = section(unfinished.read(stopped))
    assert len({verdict.series for verdict in shown.verdicts}) == 3  # the models, and all of them
    assert "ot yet" not in shown.counts


def test_seeds_of_a_curve_are_as_long_as_each_other(whole: Path, stopped: Path) -> None:
    """A seed that has just begun is not drawn to the end of one that is through."""
    members = [line["member"] for line in read_metrics(whole)]
    keep_lines(stopped, whole, members.index("noise,seed=1") + 1)
    found = unfinished.so_far(unfinished.read(stopped))
    assert {name: len(own) for name, own in found.lines.items()} == {"true": 3, "noise,seed=0": 3}


def test_a_report_of_a_stopped_workdir_is_a_page_and_nothing_else(
    whole: Path, stopped: Path, report: Command
) -> None:
    keep_lines(stopped, whole, 4)
    before = contents(stopped)
    for arguments in (["run"], ["run", "--pictures", "--output=all.html", "--fit_threshold=0.1"]):
        result = report(*arguments)
        assert result.returncode == 0, result.stderr
        assert "run/report.html, stopped, 1 of 4 runs through, noise,seed=0 at epoch 1 of 3" in (
            result.stdout
        )
        text = (stopped / "report.html").read_text()
        for words in ("not finished", "Where it stands", "noise,seed=1", "Training loss"):
            assert words in text
    assert "not finished" in (stopped.parent / "all.html").read_text()
    assert "a train accuracy of 0.1," in text
    assert {**contents(stopped), "report.html": b""} == {**before, "report.html": b""}


def contents(workdir: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(workdir)): file.read_bytes()
        for file in workdir.rglob("*")
        if file.is_file()
    }


def test_a_report_disturbs_no_run(whole: Path, report: Command, tmp_path: Path) -> None:
    """It is asked for in each epoch, before its line is written."""
    said: list[str] = []

    def measure(run: object, *_: object) -> dict[str, float]:
        result = report("live")
        said.append(result.stdout)
        assert result.returncode == (0 if (tmp_path / "live" / "config.json").exists() else 2)
        return {}

    rj.run(config_of(sweep=SWEEP[:2]), tmp_path / "live", measure=measure)
    assert [text.split("report.html, ")[1].strip() for text in said] == [
        *(f"running, 0 of 2 runs through, true at epoch {epoch} of 3" for epoch in range(3)),
        *(
            f"running, 1 of 2 runs through, noise,seed=0 at epoch {epoch} of 3"
            for epoch in range(3)
        ),
    ]
    expected = [line for line in read_metrics(whole) if line["member"] in ("true", "noise,seed=0")]
    assert read_metrics(tmp_path / "live") == expected
    assert "not finished" not in (tmp_path / "live" / "report.html").read_text()


@pytest.mark.parametrize("killed", [False, True])
def test_a_command_that_ends_meanwhile_keeps_its_own_report(
    killed: bool, whole: Path, stopped: Path, report: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes its last line and its report as ours is made, and then its summary or none."""
    keep_lines(stopped, whole, 4)
    work_there(stopped)
    write: Callable[..., None] = page.write_report

    def meanwhile(workdir: Path, found: object) -> None:
        if isinstance(found, unfinished.Unfinished):
            shutil.copy(whole / "metrics.jsonl", workdir)
        write(workdir, found)

    def pause(seconds: float) -> None:
        if killed:
            (stopped / "owner.json").unlink()
        else:
            shutil.copy(whole / "summary.json", stopped)

    monkeypatch.setattr(page, "write_report", meanwhile)
    monkeypatch.setattr(report_command.time, "sleep", pause)
    assert report("run").returncode == 0
    text = (stopped / "report.html").read_text()
    assert ("not finished" in text) == killed
    assert (stopped / "figures").exists() != killed


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("config.json", '{"sweep": [3]}', "config.json is damaged"),
        ("config.json", '{"sweep": []}', "config.json is damaged ('dataset')"),
        ("config.json", '{"sweep": [], "kind": "kernel"}', "not finished: it has no"),
        ("data.json", "[", "data.json is damaged"),
        ("metrics.jsonl", '{"member": "true", "epoch": 2, "step": 4, "train_loss": 1.0, '
         '"running_loss": 1.0, "train_accuracy": 0.5, "test_accuracy": 0.5}\n',
         "metrics.jsonl has epoch 2 of true where epoch 1 belongs"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(
    file: str, text: str, words: str, stopped: Path, report: Command
) -> None:
    (stopped / file).write_text(text)
    result = report("run")
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert words in result.stderr, result.stderr
