"""A workdir with any damage ends as if nothing had been, or is refused in one line: never wrong."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import read_metrics, read_summary
from ml_collections import ConfigDict
from rich.console import Console

import rethinking_jax as rj
from rethinking_jax import experiment
from rethinking_jax.report import __main__ as report
from rethinking_jax.report import page

EPOCHS, PER_EPOCH, STEPS = 6, 4, (16, 24)  # the steps of the checkpoints that are kept
CHECKPOINTS = "checkpoints/a+1"


def small(**changes: object) -> ConfigDict:
    config = rj.base_config()
    config.update(dataset="mnist5k", train_examples=200, batch_size=50, epochs=EPOCHS)
    config.update(model="mlp", hidden_sizes=(8,), corruption="random_labels")
    config.update(checkpoint_every=2, stop_when_fitted=False, vectorize="vmap")
    config.sweep = rj.runs([{"name": "a", "seed": 0}, {"name": "b", "seed": 1}])
    config.update(changes)
    return config


def run(workdir: Path, config: ConfigDict | None = None, report: bool = False) -> str:
    """Runs what is left and returns what is said."""
    said = io.StringIO()
    console = Console(file=said, width=300)
    experiment.run(config or small(), workdir, console=console, report=report)
    return said.getvalue()


@pytest.fixture(scope="module", autouse=True)
def one_device() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        first = jax.devices()[:1]
        patch.setattr(jax, "devices", lambda: first)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that trained to their ends, with a report."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    run(workdir)
    return workdir


def copy_of(whole: Path, state: str, folder: Path) -> Path:
    """A copy, complete or as a kill leaves it before the last checkpoint and the summary."""
    copy = folder / "run"
    shutil.copytree(whole, copy)
    if state == "stopped":
        (copy / "summary.json").unlink()
        shutil.rmtree(copy / CHECKPOINTS / "24")
    return copy


def assert_same(workdir: Path, whole: Path) -> None:
    """The same numbers, labels and names; the lines perhaps in another order."""

    def ordered(folder: Path) -> list[dict]:
        return sorted(read_metrics(folder), key=lambda line: (line["epoch"], line["member"]))

    assert ordered(workdir) == ordered(whole)
    assert read_summary(workdir) == read_summary(whole)
    with np.load(workdir / "labels.npz") as ours, np.load(whole / "labels.npz") as theirs:
        assert ours.files == theirs.files
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name])
    assert json.loads((workdir / "chunks.json").read_text()) == [["a", "b"]]
    for ours, theirs in zip(rj.load(workdir), rj.load(whole), strict=True):
        for mine, its in zip(*map(jax.tree.leaves, (ours.params, theirs.params)), strict=True):
            np.testing.assert_array_equal(mine, its)


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


# Each damage of a file -----------------------------------------------------------------


def missing(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])


def garbage(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(500))


def nuls(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def no_utf8(file: Path) -> None:
    file.write_bytes(b'{"\xff\xfe": 1}\n' + file.read_bytes())


def a_list(file: Path) -> None:
    file.write_text("[]\n")


def a_number(file: Path) -> None:
    file.write_text("5\n")


def a_dictionary(file: Path) -> None:
    file.write_text("{}\n")


def nested(file: Path) -> None:
    file.write_text("[" * 100_000 + "\n")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "kept").write_text("something of somebody")


def a_loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES = (
    missing, empty, cut, garbage, nuls, no_utf8, a_list, a_number, a_dictionary, nested, a_folder,
    a_loop, a_pipe,
)  # fmt: skip
# What has taken a place that nobody but the user may clear.
TAKEN = (a_folder, a_loop, a_pipe)
JSON_AND_ARRAYS = (
    "metrics.jsonl", "chunks.json", "config.json", "summary.json", "labels.npz", "ids.npz",
    "data.json",
)  # fmt: skip
OUTPUT = ("report.html", "figures/learning_curves.png", "tables/results.csv")
FAST = (missing, cut, a_folder)
TABLE = [
    pytest.param(
        state, file, damage, marks=() if damage in FAST and (i + j) % 2 else pytest.mark.slow
    )
    for i, state in enumerate(("complete", "stopped"))
    for j, file in enumerate(JSON_AND_ARRAYS)
    for damage in DAMAGES
]


def assert_refused(name: str, question: Callable[[], object]) -> None:
    with pytest.raises(rj.UserError) as error:
        question()
    assert name in str(error.value) and "\n" not in str(error.value)


def assert_loads(workdir: Path, whole: Path, file: str) -> None:
    """`load` answers with what was trained, or names the file."""
    try:
        for ours, its in zip(rj.load(workdir), rj.load(whole), strict=True):
            steps = {
                line["step"]: line for line in read_metrics(whole) if line["member"] == its.name
            }
            for line in ours.lines:
                assert line["test_loss"] == steps[line["step"]]["test_loss"]
            np.testing.assert_array_equal(ours.labels.labels, its.labels.labels)
            np.testing.assert_array_equal(ours.labels.ids, its.labels.ids)
            if (workdir / CHECKPOINTS / "24").exists():
                for mine, one in zip(*map(jax.tree.leaves, (ours.params, its.params)), strict=True):
                    np.testing.assert_array_equal(mine, one)
    except rj.UserError as error:
        assert file in str(error) and "\n" not in str(error)


def assert_reports(workdir: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The report draws what was measured, or names the file."""
    code = report.main([str(workdir)])
    said = capsys.readouterr().err
    assert code in (0, 2) and said.count("\n") == (code == 2)
    assert code == 0 or file in said


@pytest.mark.parametrize(("state", "file", "damage"), TABLE)
def test_a_damaged_file_is_made_again_or_refused_by_its_name(
    state: str,
    file: str,
    damage: Callable[[Path], None],
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(page, "write_report", lambda workdir, found: None)  # it takes long
    workdir = copy_of(whole, state, tmp_path)
    if not (workdir / file).exists():
        return
    damage(workdir / file)
    before = content(workdir)
    assert_loads(workdir, whole, file)
    if state == "complete":
        assert_reports(workdir, file, capsys)
    if file == "config.json" or damage in TAKEN:
        assert_refused(str(workdir / file), lambda: run(workdir))
        assert content(workdir) == before
        return
    said = run(workdir)
    cut_in_vain = state == "stopped" and damage is cut and file == "metrics.jsonl"
    if not cut_in_vain:  # what it lost comes after the checkpoint
        assert any(file in line for line in said.splitlines())
    assert_same(workdir, whole)
    assert "Complete already" in run(workdir)
