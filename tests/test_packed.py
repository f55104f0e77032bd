"""A workdir in one small file: what its report is drawn from, and no more."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY
from helpers import commands
from helpers.results import made, row

from rethinking_jax.analysis import packed
from rethinking_jax.report import __main__ as report_command

RESULTS = REPOSITORY / "docs" / "results"
Report = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """The command, in a folder of this test."""
    return lambda *words: commands.answer(report_command.main, words, tmp_path)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """A finished workdir of runs, with a checkpoint, on somebody's machine."""
    own = made(row("random", "", 0.1, 0.99), command="python -m x --workdir=/home/me/w --config=c")
    own.config.update(epochs=2, data_dir="/home/me/data")
    own.summary["members"][0]["config"] = {**own.config, **own.config["sweep"][0], "sweep": []}
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "1").write_text("weights")
    for name, content in (("summary", own.summary), ("config", own.config)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    lines = [json.dumps(line) + "\n" for line in next(iter(own.lines.values()))]
    (folder / "metrics.jsonl").write_text("".join(lines))
    return folder


def test_the_page_of_a_pack_is_that_of_its_workdir(
    workdir: Path, report: Report, tmp_path: Path
) -> None:
    result = report("run", "--pack=run.zip")
    assert result.returncode == 0 and "run.zip" in result.stdout, result.stderr
    first = (tmp_path / "run.zip").read_bytes()
    assert report("run", "--pack=again.zip").returncode == 0
    assert (tmp_path / "again.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "run.zip") as pack:
        assert pack.namelist() == ["config.json", "summary.json", "metrics.jsonl"]
        assert not any(b"/home/me" in pack.read(name) for name in pack.namelist())
    config = json.loads((workdir / "config.json").read_text())
    summary = json.loads((workdir / "summary.json").read_text())
    config["data_dir"] = summary["members"][0]["config"]["data_dir"] = ""
    (workdir / "config.json").write_text(json.dumps(config))
    summary["command"] = "python -m x --config=c"
    (workdir / "summary.json").write_text(json.dumps(summary))
    assert report("run", "--output=workdir.html").returncode == 0
    before = sorted(tmp_path.rglob("*"))
    assert report("run.zip", "--output=pack.html", "--language=es").returncode == 0
    assert report("run.zip", "--output=pack.html").returncode == 0
    assert set(tmp_path.rglob("*")) - set(before) == {tmp_path / "pack.html"}
    assert (tmp_path / "pack.html").read_text() == (tmp_path / "workdir.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--pack=run.tar"], ["--pack=run.tar", ".zip"]),
        (["run", "--pack=no/run.zip"], ["--pack=no/run.zip", "no folder"]),
        (["run", "other", "--pack=run.zip"], ["--pack=run.zip", "shares", "run is none"]),
        (["run", "--pack=run.zip", "--numbers=run.json"], ["--pack=run.zip", "--numbers=run.json"]),
        (["run", "--pack=run.zip", "--output=page.html"], ["--pack", "--output"]),
        (["none", "--pack=run.zip"], ["none", "no such folder"]),
        (["packed.zip"], ["packed.zip", "--output=PAGE.html"]),
        (["packed.zip", "--numbers=run.json"], ["packed.zip", "--numbers"]),
        (["packed.zip", "--output=page.html", "--pictures"], ["packed.zip", "--pictures"]),
        (["damaged.zip", "--output=page.html"], ["damaged.zip", "is no packed workdir"]),
        (["empty.zip", "--output=page.html"], ["empty.zip", "is no packed workdir"]),
    ],
    ids=" ".join,
)
def test_a_wrong_command_writes_nothing(
    words: list[str], said: list[str], workdir: Path, report: Report, tmp_path: Path
) -> None:
    packed.write(workdir, tmp_path / "packed.zip")
    shutil.copytree(workdir, tmp_path / "other")
    whole = (tmp_path / "packed.zip").read_bytes()
    (tmp_path / "damaged.zip").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as pack:
        pack.writestr("readme.txt", "Nothing is here.")
    before = sorted(tmp_path.rglob("*"))
    result = report(*words)
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in said), result.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.zip")), ids=lambda file: file.stem)
def test_a_committed_pack_has_the_committed_numbers_and_no_place(file: Path) -> None:
    with zipfile.ZipFile(file) as pack:
        for name in pack.namelist():
            if Path(name).suffix in (".json", ".jsonl"):
                text = pack.read(name).decode()
                assert not any(place in text for place in ("/work/", "/home/", "/tmp/")), name
        summary = json.loads(pack.read("summary.json"))
    numbers = file.with_suffix(".json")
    if numbers.exists():
        kept = json.loads(numbers.read_text())
        same = ("experiment", "command", "dataset", "device", "versions", "wall_seconds")
        assert {key: kept[key] for key in same} == {key: summary.get(key) for key in same}
        if "kind" in summary:
            assert (kept["members"], kept["verdicts"]) == (summary["members"], summary["verdicts"])
        else:
            # Numbers are in the order of their groups, members in that of the sweep.
            ends = sorted((run["name"], run["steps"]) for run in kept["runs"])
            assert ends == sorted((run["name"], run["steps"]) for run in summary["members"])
