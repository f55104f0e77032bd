"""A sweep that was stopped goes on in smaller chunks, as if nothing had been."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from conftest import read_metrics
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.config import Member, runs
from rethinking_jax.errors import RunFailed
from rethinking_jax.experiment import stage
from rethinking_jax.sweep import recut
from rethinking_jax.sweep.saved import whose
from rethinking_jax.workdir import checkpoint, metrics

pytestmark = pytest.mark.usefixtures("one_device", "one_engine")
RUNS = 4
AT_THE_STOP = 14  # lines that are written when the sweep is stopped
ROUNDING = 2e-3  # of losses after eight epochs


def sweep_config(**resources: Any) -> ConfigDict:
    """Four runs, of which the third fits long before the others."""
    config = configs.base_config()
    config.dataset, config.model, config.hidden_sizes = "mnist5k", "mlp", (16,)
    config.train_examples, config.batch_size, config.epochs = 200, 50, 8
    config.corruption, config.fit_threshold = "partially_corrupted_labels", 0.65
    rates = (0.01, 0.02, 0.1, 0.005)
    config.sweep = runs([{"seed": i, "learning_rate": rate} for i, rate in enumerate(rates)])
    config.vectorize, config.epoch_loop, config.checkpoint_every = "vmap", "step", 1
    config.update(resources)
    return config


def run(workdir: Path, **resources: Any) -> Any:
    return experiment.run(
        sweep_config(**resources), workdir, report=False, console=Console(file=StringIO())
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("whole")
    run(workdir)
    return workdir


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped after the first step of the fifth epoch; three members go on."""

    @contextmanager
    def stop_requests() -> Iterator[Any]:
        def reason() -> str | None:
            begun = lines.exists() and len(lines.read_text().splitlines())
            return "a test" if begun and begun >= AT_THE_STOP else None

        yield reason

    workdir = tmp_path_factory.mktemp("stopped")
    lines = workdir / "metrics.jsonl"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RunFailed, match="a test: saved"):
        patch.setattr(stage, "stop_requests", stop_requests)
        run(workdir)
    return workdir


@pytest.mark.parametrize(
    ("resources", "sizes"),
    [({"max_members": 2}, [2, 2]), ({"max_members": 3}, [3, 1]), ({"vectorize": "loop"}, [1] * 4)],
)
def test_it_ends_as_the_uninterrupted_sweep(
    resources: dict[str, Any], sizes: list[int], whole: Path, stopped: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    shutil.copytree(stopped, workdir)
    summary = run(workdir, **resources)
    stored = json.loads((workdir / "chunks.json").read_text())
    assert [len(names) for names in stored] == sizes
    kept = read_metrics(stopped)
    assert 0 < len(kept) < len(read_metrics(workdir)) and all(
        line in read_metrics(workdir) for line in kept
    )
    expected = {(line["member"], line["epoch"]): line for line in read_metrics(whole)}
    found = {(line["member"], line["epoch"]): line for line in read_metrics(workdir)}
    assert len(read_metrics(workdir)) == len(found) and found.keys() == expected.keys()
    for key, line in found.items():
        assert line["step"] == expected[key]["step"]
        for name in ("running_loss", "train_loss", "test_loss"):
            assert line[name] == pytest.approx(expected[key][name], rel=ROUNDING)
    # Each member's folder has its last state, and nothing is left of the old chunk.
    folders = {member["checkpoints"] for member in summary["members"]}
    assert {f"checkpoints/{path.name}" for path in (workdir / "checkpoints").iterdir()} == folders
    assert len(folders) == len(sizes)
    for member in summary["members"]:
        assert max(checkpoint.saved_steps(workdir / member["checkpoints"])) >= member["steps"]


def test_more_members_leave_the_chunks_as_they_are(stopped: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(stopped, first)
    run(first, max_members=2)
    assert [len(names) for names in json.loads((first / "chunks.json").read_text())] == [2, 2]
    shutil.copytree(first, second)
    (second / "summary.json").unlink()
    run(second, max_members=4)
    assert (second / "chunks.json").read_text() == (first / "chunks.json").read_text()
    assert read_metrics(second) == read_metrics(first)


def test_only_what_is_too_large_and_not_through_is_cut() -> None:
    config = sweep_config(max_members=2)
    members = [Member(name, config) for name in "abcdefg"]
    through = [{"train_loss": 0.1, "running_loss": 0.1, "epoch": 8, "train_accuracy": 0.0}]
    lines: dict[str, Any] = {"a": through, "b": through, "c": through}
    stored = [["a", "b", "c"], ["d", "e", "f"], ["g"], ["gone", "too"]]
    cut = recut.cut_again(stored, members, lines, jax.devices())
    assert cut == [["a", "b", "c"], ["d", "e"], ["f"], ["g"]]
    config.max_members = 0
    assert recut.cut_again(stored, members, lines, jax.devices()) == stored[:3]
    config.vectorize = "loop"
    assert recut.cut_again(stored[:2], members, lines, jax.devices() * 2) == [
        ["a", "b", "c"], ["d", "e"], ["f"]
    ]  # fmt: skip


def test_a_part_is_exactly_what_was_saved(stopped: Path, tmp_path: Path) -> None:
    from rethinking_jax.data.runs import load_datasets
    from rethinking_jax.sweep import groups

    folder = tmp_path / "checkpoints"
    shutil.copytree(stopped / "checkpoints", folder)
    stored = json.loads((stopped / "chunks.json").read_text())
    members = configs.members(sweep_config())
    data = load_datasets(members, lambda text: None)

    def chunks_of(names: list[list[str]]) -> list[Any]:
        return groups.make_chunks(members, data, "cpu", jax.devices(), names, lambda text: None)

    ((whole,), parts) = chunks_of(stored), chunks_of([stored[0][:1], stored[0][1:]])
    lines = metrics.by_member(read_metrics(stopped))
    (old,) = recut.divide_checkpoints(parts, stored, folder, lines)
    assert old == folder / whole.name
    template = recut._template(whole, RUNS)
    saved = checkpoint.restore_latest(old, template, whose(whole.runs), print)
    assert saved is not None
    for chunk, part in zip(parts, (slice(0, 1), slice(1, 4)), strict=True):
        template = recut._template(chunk, len(chunk.runs))
        own = whose(chunk.runs)
        found = checkpoint.restore_latest(folder / chunk.name, template, own, print)
        assert found is not None and found[0] == saved[0]
        assert checkpoint.saved_steps(folder / chunk.name) == checkpoint.saved_steps(old)
        for ours, theirs in zip(*map(jax.tree.leaves, (found[1], saved[1])), strict=True):
            np.testing.assert_array_equal(ours, theirs[part])
