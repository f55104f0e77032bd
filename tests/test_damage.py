"""A workdir with any damage ends as if nothing had been, or is refused in one line: never wrong."""

import io
import json
import math
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import read_metrics, read_summary
from ml_collections import ConfigDict
from rich.console import Console

import rethinking_jax as rj
from rethinking_jax import experiment
from rethinking_jax.analysis import results
from rethinking_jax.report import __main__ as report
from rethinking_jax.report import page
from rethinking_jax.sweep import saved
from rethinking_jax.workdir import checkpoint, metrics

EPOCHS, PER_EPOCH, STEPS = 6, 4, (16, 24)  # the steps of the checkpoints that are kept
CHECKPOINTS = "checkpoints/a+1"
pytestmark = pytest.mark.usefixtures("one_device", "one_engine")


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
    "data.json", "commands.json",
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
    # What a kill leaves as well: lines cut off behind the checkpoint, and no summary. An earlier
    # version kept no commands.
    silent = {("metrics.jsonl", cut), ("summary.json", missing), ("commands.json", missing)}
    if (file, damage) not in silent:
        assert any(file in line for line in said.splitlines())
    assert_same(workdir, whole)
    assert "Complete already" in run(workdir)


@pytest.mark.slow
def test_any_file_cut_anywhere(whole: Path, tmp_path: Path) -> None:
    """Whatever is cut, gone, zeros or lengthened: it ends right, or one line names the file."""
    rng, refused = np.random.default_rng(0), 0
    for i in range(60):
        workdir = copy_of(whole, ("complete", "stopped")[i % 2], tmp_path / str(i))
        file = rng.choice(sorted(content(workdir)))
        data = (workdir / file).read_bytes()
        at = int(rng.integers(len(data) + 1))
        more = (b"", bytes(len(data) - at), rng.bytes(30), data[:at])[i // 2 % 4]
        (workdir / file).write_bytes(data[:at] + more)
        try:
            run(workdir)
        except rj.UserError as error:
            refused += 1
            assert file in str(error) and "\n" not in str(error)
            continue
        try:
            assert_same(workdir, whole)
        except rj.UserError as error:
            # The results are right; only the weights of the end are gone, and said how to get.
            step = workdir / CHECKPOINTS / "24"
            assert file.startswith(f"{CHECKPOINTS}/24/") and f"{step} is damaged" in str(error)
            shutil.rmtree(step)
            (workdir / "summary.json").unlink()
            assert "resuming from step 16" in run(workdir)
            assert_same(workdir, whole)
        shutil.rmtree(workdir)
    assert refused < 15


# Lines, and whose they are -------------------------------------------------------------


def lines_of(workdir: Path) -> list[str]:
    return (workdir / "metrics.jsonl").read_text().splitlines(keepends=True)


def without_the_third(lines: list[str]) -> list[str]:
    return lines[:2] + lines[3:]


def tail_again(lines: list[str]) -> list[str]:
    return lines + lines[-3:]


def line_of_nobody(lines: list[str]) -> list[str]:
    return [*lines, lines[0].replace('"a"', '"zz"')]


def no_number(lines: list[str]) -> list[str]:
    values = {**json.loads(lines[2]), "train_accuracy": math.nan, "test_loss": 10**400}
    return [*lines[:2], json.dumps(values) + "\n", *lines[3:]]


def tail_of_another_session(lines: list[str]) -> list[str]:
    return lines + [
        line.replace('"elapsed_seconds": ', '"elapsed_seconds": 1') for line in lines[-2:]
    ]


def other_order(lines: list[str]) -> list[str]:
    return lines[2:4] + lines[:2] + lines[4:]


def none_of_one(lines: list[str]) -> list[str]:
    return [line for line in lines if json.loads(line)["member"] != "b"]


def another_step(lines: list[str]) -> list[str]:
    return [line.replace('"step": 8', '"step": 9') for line in lines]


def last_missing(lines: list[str]) -> list[str]:
    return lines[:-1]


def two_last_epochs_missing(lines: list[str]) -> list[str]:
    return lines[:-4]


@pytest.mark.parametrize(
    ("damage", "start", "said"),
    [
        (without_the_third, 0, "has epoch 3 of a where epoch 2 belongs"),
        (tail_again, None, "3 lines that are damaged or there twice"),
        (line_of_nobody, None, "has lines of 'zz', which is no run"),
        (no_number, 0, "1 lines that are damaged or there twice"),
        (tail_of_another_session, 16, "a line of a for epoch 6 after its end"),
        (other_order, 0, "has epoch 2 of a where epoch 1 belongs"),
        (none_of_one, 0, "metrics.jsonl has no line of 'b'"),
        (another_step, 0, "has step 9 of a in epoch 2 of 4 steps each"),
        (last_missing, 16, "epochs of b is 6 there, 5 in the lines"),
        (two_last_epochs_missing, 16, "epochs of a is 6 there, 4 in the lines"),
    ],
)
@pytest.mark.parametrize("state", ["complete", pytest.param("stopped", marks=pytest.mark.slow)])
def test_each_measured_epoch_has_one_line_or_an_earlier_checkpoint_is_taken(
    state: str,
    damage: Callable[[list[str]], list[str]],
    start: int | None,
    said: str,
    whole: Path,
    tmp_path: Path,
) -> None:
    workdir = copy_of(whole, "complete", tmp_path)
    if state == "stopped":
        (workdir / "summary.json").unlink()
    (workdir / "metrics.jsonl").write_text("".join(damage(lines_of(workdir))))
    if damage not in (tail_again, line_of_nobody):  # of two equal lines one says all
        assert_refused("metrics.jsonl", lambda: rj.load(workdir)) if state == "complete" else None
    heard = run(workdir)
    if state == "complete":
        assert said in heard
    if start == 0:
        assert "a+1: training starts again" in heard
    elif start:
        assert f"checkpoint {workdir / CHECKPOINTS / '24'} is left out: " in heard
        assert f"resuming from step {start}" in heard
    assert_same(workdir, whole)
    assert "Complete already" in run(workdir)


MISSING = object()


def test_each_number_of_a_summary_is_what_the_lines_say(whole: Path, tmp_path: Path) -> None:
    for key, value in (
        ("test_accuracy", 0.99), ("steps_to_fit", 4), ("labels_sha256", "0"), ("model", "cnn"),
        ("config", {}), ("name", ["b"]), ("best_test_accuracy", MISSING), ("device", MISSING),
    ):  # fmt: skip
        workdir = copy_of(whole, "complete", tmp_path / key)
        summary = json.loads((workdir / "summary.json").read_text())
        part = summary if key in summary else summary["members"][1]
        part[key] = value
        if value is MISSING:
            del part[key]
        (workdir / "summary.json").write_text(json.dumps(summary))
        if key != "labels_sha256":  # a report reads no labels
            assert_refused("summary.json", partial(results.read, workdir))
        heard = run(workdir)
        assert "what is wrong is made again" in heard and "resuming" not in heard
        assert_same(workdir, whole)


def test_the_summary_of_another_config_is_not_believed(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(other, small(learning_rate=0.1))
    workdir = copy_of(whole, "complete", tmp_path)
    shutil.copy(other / "summary.json", workdir)
    assert "summary.json is that of another config: learning_rate" in run(workdir)
    assert_same(workdir, whole)


def test_lines_that_no_checkpoint_fits_are_trained_again(whole: Path, tmp_path: Path) -> None:
    workdir = copy_of(whole, "stopped", tmp_path)
    lines = [json.loads(line) for line in lines_of(workdir)]
    metrics.write_lines(workdir / "metrics.jsonl", lines[:2])
    heard = run(workdir)
    assert "lacks epoch 2 of a" in heard and "a+1: training starts again" in heard
    assert_same(workdir, whole)


def test_without_its_config_nobody_knows_whose_a_workdir_is(whole: Path, tmp_path: Path) -> None:
    workdir = copy_of(whole, "stopped", tmp_path)
    (workdir / "config.json").unlink()
    before = content(workdir)
    # Lines of the same epochs, of another learning rate.
    assert_refused("config.json is missing", lambda: run(workdir, small(learning_rate=0.1)))
    assert content(workdir) == before


# Folders of checkpoints ----------------------------------------------------------------


def collision(**changes: object) -> ConfigDict:
    """Two runs that train together, and one that is called as their folder is."""
    runs = [{"name": "a", "seed": 0}, {"name": "b", "seed": 1}]
    return small(sweep=rj.runs([*runs, {"name": "a+1", "seed": 5, "batch_size": 70}]), **changes)


def test_no_two_chunks_share_a_folder(tmp_path: Path) -> None:
    run(tmp_path / "together", collision())
    together = {one["name"]: one for one in read_summary(tmp_path / "together")["members"]}
    assert together["a+1"] == read_summary_of("a+1", tmp_path / "alone")
    folders = [together[name]["checkpoints"] for name in ("a", "b", "a+1")]
    assert folders[0] == folders[1] == CHECKPOINTS != folders[2]
    for one in rj.load(tmp_path / "together"):
        assert one.params


NAMES = ("a", "a+1", "a+2", "a+1+1", "a+", "+1", "a b", "a_b", "a b+1", "..", ".", "", "x" * 300)


def test_the_names_of_folders_are_unique() -> None:
    """Of chunks that share no run, as those of a workdir."""
    chunks = [[name, *map(str, range(more))] for name in NAMES for more in range(3)]
    made: dict[str, list[str]] = {}
    for chunk in chunks:
        name = saved.chunk_name(chunk)
        assert made.setdefault(name, chunk)[0] == chunk[0] and made[name] == chunk
        assert "/" not in name and name not in ("", ".", "..") and len(name) < 130


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the version before, which kept the digest of the states alone."""
    workdir = tmp_path_factory.mktemp("former") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "_digest", lambda step, tree, whose: checkpoint.tree_digest(tree))
        run(workdir)
    for file in workdir.glob("checkpoints/*/*/digest/metadata"):
        file.write_text(json.dumps({"sha256": json.loads(file.read_text())["sha256"]}))
    return workdir


def test_a_workdir_of_the_version_before_goes_on(former: Path, whole: Path, tmp_path: Path) -> None:
    workdir = copy_of(former, "stopped", tmp_path)
    assert rj.load(workdir)[0].params
    heard = run(workdir)
    assert "resuming from step 16" in heard and "left out" not in heard
    assert_same(workdir, whole)


@pytest.mark.parametrize("version", ["former", "whole"])
def test_a_renamed_step_is_left_out_in_every_version(
    version: str, request: pytest.FixtureRequest, whole: Path, tmp_path: Path
) -> None:
    workdir = copy_of(request.getfixturevalue(version), "stopped", tmp_path)
    folder = workdir / CHECKPOINTS
    for name in ("20", "100000"):
        shutil.copytree(folder / "16", folder / name)
    with pytest.raises(rj.UserError, match=r"100000 is damaged or of another run"):
        _ = rj.load(workdir)[0].params
    heard = run(workdir)
    for name in ("20", "100000"):
        assert f"checkpoint {folder / name} is left out: it " in heard
    assert "resuming from step 16" in heard
    assert_same(workdir, whole)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["former", "whole"])
def test_checkpoints_of_other_runs_are_left_out_in_every_version(
    version: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A chunk's folder under a name of another run, as two chunks shared it before."""
    expected = read_summary_of("a+1", tmp_path / "expected")
    workdir = copy_of(request.getfixturevalue(version), "stopped", tmp_path)
    heard = run(workdir, collision())
    assert "resuming from step 16" in heard and "left out" not in heard
    made = {one["name"]: one for one in read_summary(workdir)["members"]}
    assert made["a+1"] == expected
    folder = workdir / made["a+1"]["checkpoints"]
    shutil.rmtree(folder)
    shutil.copytree(workdir / CHECKPOINTS, folder)
    (workdir / "summary.json").unlink()
    heard = run(workdir, collision())
    assert f"checkpoint {folder / '16'} is left out: it" in heard
    assert {one["name"]: one for one in read_summary(workdir)["members"]} == made


def read_summary_of(name: str, workdir: Path) -> dict:
    run(workdir, small(sweep=rj.runs([{"name": name, "seed": 5, "batch_size": 70}])))
    found: dict = read_summary(workdir)["members"][0]
    return found


def test_a_folder_that_was_called_otherwise_is_taken_over(tmp_path: Path) -> None:
    config, workdir = small(sweep=rj.runs([{"name": "a+1", "seed": 5}])), tmp_path / "run"
    run(workdir, config)
    expected = read_summary(workdir)
    (workdir / expected["members"][0]["checkpoints"]).rename(workdir / CHECKPOINTS)
    (workdir / "summary.json").unlink()
    shutil.rmtree(workdir / CHECKPOINTS / "24")
    assert rj.load(workdir)[0].params
    assert "resuming from step 16" in run(workdir, config)
    assert read_summary(workdir) == expected
    assert not (workdir / CHECKPOINTS).exists()


def test_a_file_where_a_folder_should_be_is_named(whole: Path, tmp_path: Path) -> None:
    for name in ("checkpoints", CHECKPOINTS, "figures", "tables"):
        workdir = copy_of(whole, "stopped", tmp_path / name)
        shutil.rmtree(workdir / name, ignore_errors=True)
        (workdir / name).write_text("stray")
        message = f"{workdir / name} is a file, where a folder should be: move it away"
        assert_refused(message, lambda workdir=workdir: run(workdir))
        assert (workdir / name).read_text() == "stray"


# Workdirs of theory --------------------------------------------------------------------


@pytest.fixture(scope="module")
def theory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("theory") / "run"
    run(workdir, rj.theory_config("kernel", dataset="mnist5k", train_examples=40))
    return workdir


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        pytest.param(file, damage, marks=() if damage in (cut, a_folder) else pytest.mark.slow)
        for file in ("config.json", "summary.json", "findings.json")
        for damage in DAMAGES
    ],
)
def test_a_damaged_workdir_of_theory_is_measured_anew_or_refused(
    file: str,
    damage: Callable[[Path], None],
    theory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(page, "write_report", lambda workdir, found: None)  # it takes long
    config = rj.theory_config("kernel", dataset="mnist5k", train_examples=40)
    workdir = tmp_path / "run"
    shutil.copytree(theory, workdir)
    expected = content(workdir)
    damage(workdir / file)
    assert_reports(workdir, file, capsys)
    if file == "config.json" or damage in TAKEN:
        assert_refused(str(workdir / file), lambda: run(workdir, config))
        return
    heard = run(workdir, config)
    assert damage is missing or any(file in line for line in heard.splitlines())
    made, known = (json.loads(one["summary.json"]) for one in (content(workdir), expected))
    for one in (*made["members"], *known["members"]):
        one.pop("seconds", None)
    assert (made["members"], made["verdicts"]) == (known["members"], known["verdicts"])
    assert "Complete already" in run(workdir, config)
