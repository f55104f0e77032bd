"""Kills, stops and damage through the real command: the end is always the same."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command, read_metrics, read_summary
from helpers.processes import start, wait_for_lines

from rethinking_jax.sweep import resident
from rethinking_jax.sweep.engine import Taken
from rethinking_jax.workdir import metrics

pytestmark = pytest.mark.usefixtures("one_engine")
# Two runs as one program, then one with pixels of its own; a few seconds in all.
SWEEP = (
    '[{"corruption": "random_labels"}, {"corruption": "true_labels"}, '
    '{"corruption": "random_pixels"}]'
)
RUNS = (
    "--config=configs/quickstart.py",
    f"--config.sweep={SWEEP}",
    "--config.epochs=14",
    "--config.checkpoint_every=2",
    "--config.train_examples=1500",
    "--config.stop_when_fitted=False",
    "--config.vectorize=vmap",
)
# It takes its steps one at a time, as convolutional nets do on a CPU, and stops between two.
STEPS = (
    "--config=configs/quickstart.py",
    "--config.sweep=",
    "--config.corruption=random_labels",
    "--config.model=mlp",
    "--config.hidden_sizes=(16,)",
    "--config.epoch_loop=step",
    "--config.epochs=2",
    "--config.train_examples=600",
    "--config.batch_size=64",
    "--config.checkpoint_every=1",
)

# Where and how fast a run is computed and saved, not what is run.
RESOURCES = (
    "--config.checkpoint_every=3",
    "--config.checkpoints_to_keep=1",
    "--config.vectorize=loop",
    "--config.max_members=1",
    "--config.epoch_loop=step",
)


@pytest.fixture(scope="module")
def uninterrupted(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a process of its own, as those are that are killed and stopped."""
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"
    result = command(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return workdir


@pytest.fixture(scope="module")
def reference(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in this process, which has more devices: rounding may differ."""
    workdir = tmp_path_factory.mktemp("reference") / "run"
    result = answer(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return workdir


def assert_same(workdir: Path, reference: Path) -> None:
    assert read_metrics(workdir) == read_metrics(reference)
    assert read_summary(workdir) == read_summary(reference)


@pytest.mark.slow
def test_killed_again_and_again_it_ends_as_if_never_interrupted(
    command: Command, answer: Command, environment: dict[str, str], uninterrupted: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    workdir = tmp_path / "run"
    total = len(read_metrics(uninterrupted))
    rng = np.random.default_rng()
    for lines in (1, 6, 17, total - 1):
        process = start(environment, *RUNS, f"--workdir={workdir}")
        wait_for_lines(workdir, lines, process)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate()
    result = command(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert_same(workdir, uninterrupted)
    again = answer(*RUNS, f"--workdir={workdir}")
    assert again.returncode == 0
    assert "Complete already" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_says_how_to_resume(
    number: signal.Signals,
    command: Command,
    environment: dict[str, str],
    uninterrupted: Path,
    tmp_path: Path,
) -> None:
    workdir = tmp_path / "run"
    process = start(environment, *RUNS, f"--workdir={workdir}")
    wait_for_lines(workdir, 3, process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in stderr
    line = stderr.strip()
    assert line.count("\n") == 0
    assert f"--workdir={workdir}" in line
    done = len(read_metrics(workdir)) // 2
    assert f"{workdir}/checkpoints/random_labels+1/{done * 12}" in line
    result = command(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0
    assert f"resuming from step {done * 12}" in result.stdout
    assert_same(workdir, uninterrupted)


@pytest.mark.slow
def test_a_signal_in_mid_epoch_saves_that_very_step(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert answer(*STEPS, f"--workdir={whole}").returncode == 0
    train = resident._train

    def signalled(*given: Any) -> Iterator[Taken]:
        for taken in train(*given):
            if (given[-2], taken.done) == (1, 4):  # the fourth step of the second epoch
                os.kill(os.getpid(), signal.SIGTERM)
            yield taken

    with monkeypatch.context() as patch:
        patch.setattr(resident, "_train", signalled)
        assert answer(*STEPS, f"--workdir={cut}").returncode == 1
    steps = [int(path.name) for path in (cut / "checkpoints" / "random_labels").iterdir()]
    assert max(steps) == 14
    assert answer(*STEPS, f"--workdir={cut}").returncode == 0
    assert_same(cut, whole)


def interrupted(reference: Path, tmp_path: Path) -> Path:
    """The reference as a kill would leave it in its last run, as it writes a line."""
    workdir = tmp_path / "run"
    shutil.copytree(reference, workdir)
    (workdir / "summary.json").unlink()
    lines = (workdir / "metrics.jsonl").read_text().splitlines(keepends=True)
    (workdir / "metrics.jsonl").write_text("".join(lines[:-1]) + lines[-1][:40])
    return workdir


def newest(workdir: Path) -> Path:
    folder = workdir / "checkpoints" / "random_pixels"
    return max((path for path in folder.iterdir() if path.name.isdecimal()),
               key=lambda path: int(path.name))  # fmt: skip


@pytest.mark.parametrize("damage", ["truncated", "one bit"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_taken(
    damage: str, answer: Command, reference: Path, tmp_path: Path
) -> None:
    workdir = interrupted(reference, tmp_path)
    last = newest(workdir)
    file = max((p for p in last.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 16
    file.write_bytes(content[: len(content) // 2] if damage == "truncated" else content)
    result = answer(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert f"checkpoint {last} is left out: it is damaged" in result.stdout
    assert f"resuming from step {int(last.name) - 24}" in result.stdout
    assert_same(workdir, reference)
    assert newest(workdir).name == last.name


def test_resources_may_change_when_a_run_is_resumed(
    answer: Command, reference: Path, tmp_path: Path
) -> None:
    workdir = interrupted(reference, tmp_path)
    shutil.rmtree(newest(workdir))
    more = answer(*RUNS, *RESOURCES, "--config.epochs=13", f"--workdir={workdir}")
    assert more.returncode == 2
    assert "another config: epochs (14 there, 13 now). Take" in more.stderr
    result = answer(*RUNS, *RESOURCES, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert "resuming from step" in result.stdout
    made, expected = (
        [(line["member"], line["epoch"]) for line in read_metrics(folder)]
        for folder in (workdir, reference)
    )
    assert made == expected
    assert json.loads((workdir / "config.json").read_text())["checkpoint_every"] == 3
    again = answer(*RUNS, f"--workdir={workdir}")  # with the first resources once more
    assert again.returncode == 0
    assert "Complete already" in again.stdout


def test_a_kill_between_the_end_and_the_summary(
    answer: Command, reference: Path, tmp_path: Path
) -> None:
    workdir = interrupted(reference, tmp_path)
    shutil.copy(reference / "metrics.jsonl", workdir)
    shutil.rmtree(workdir / "figures")
    result = answer(*RUNS, f"--workdir={workdir}")
    assert result.returncode == 0
    assert "resuming" not in result.stdout
    assert_same(workdir, reference)
    assert (workdir / "figures" / "learning_curves.png").stat().st_size > 10_000


def test_another_config_in_the_same_workdir_is_refused(answer: Command, reference: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in reference.rglob("*")}
    result = answer(
        *RUNS, f"--workdir={reference}", "--config.learning_rate=0.02", "--config.momentum=0.8"
    )
    assert result.returncode == 2
    assert "learning_rate (0.01 there, 0.02 now)" in result.stderr
    assert "momentum (0.9 there, 0.8 now)" in result.stderr
    assert "epochs" not in result.stderr
    assert {path: path.stat().st_mtime_ns for path in reference.rglob("*")} == before


def test_it_resumes_from_another_data_folder_but_not_onto_other_labels(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 8, 8)).astype(np.uint8)
    labels = rng.integers(0, 4, 300)
    file = tmp_path / "mine.npz"
    arguments = (
        "--config=configs/quickstart.py",
        "--config.sweep=",
        f"--config.dataset={file}",
        "--config.epochs=6",
        "--config.stop_when_fitted=False",
        "--config.batch_size=50",
        f"--workdir={tmp_path / 'run'}",
    )
    np.savez(file, x_train=images[:250], y_train=labels[:250], x_test=images[250:],
             y_test=labels[250:])  # fmt: skip
    append = metrics.append_lines

    def signalled(*given: Any) -> None:
        append(*given)
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(metrics, "append_lines", signalled)
        assert answer(*arguments).returncode == 1
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    labels[7] = (labels[7] + 1) % 4
    np.savez(file, x_train=images[:250], y_train=labels[:250], x_test=images[250:],
             y_test=labels[250:])  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 2
    assert "other data: the labels of the training set changed since" in result.stderr
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before
    labels[7] = (labels[7] - 1) % 4
    np.savez(file, x_train=images[:250], y_train=labels[:250], x_test=images[250:],
             y_test=labels[250:])  # fmt: skip
    result = answer(*arguments, f"--config.data_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    assert "resuming from step 5" in result.stdout
    assert read_summary(tmp_path / "run")["members"][0]["epochs"] == 6
    assert os.path.exists(tmp_path / "run" / "labels.npz")
