"""Runs that go on with more epochs than they were begun with."""

import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from conftest import read_metrics, read_summary
from ml_collections import ConfigDict

import rethinking_jax as rj
from rethinking_jax.errors import UserError
from rethinking_jax.experiment import training
from rethinking_jax.workdir.folder import Folder

SAMPLED = {"name": "sampled", "train_eval_examples": 50}
# Two that train as one program, one that is through, and those whose last epoch is not like others.
SWEEP = [
    {"name": "plain"},
    {"name": "other", "seed": 1},
    {"name": "fits", "stop_when_fitted": True, "fit_threshold": 0.12},
    {"name": "seldom", "measure_every": 2},
    SAMPLED,
]


def config_of(epochs: int, **changes: object) -> ConfigDict:
    config = rj.base_config()
    config.model, config.hidden_sizes, config.train_examples = "mlp", (4,), 200
    config.corruption, config.gradient_norm, config.stop_when_fitted = "random_labels", True, False
    config.vectorize, config.epochs = "vmap", epochs
    config.update(changes)
    return config


def train(workdir: Path, epochs: int, sweep: list[dict] = SWEEP, **changes: object) -> Path:
    rj.run(config_of(epochs, sweep=sweep, **changes), workdir, report=False)
    return workdir


@pytest.fixture(scope="module")
def short(one_device: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("short") / "run", 3)


@pytest.fixture(scope="module")
def sampled(one_device: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One run, with few epochs and with all."""
    folder = tmp_path_factory.mktemp("sampled")
    return train(folder / "short", 3, [SAMPLED]), train(folder / "whole", 5, [SAMPLED])


def by_member(workdir: Path) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for line in read_metrics(workdir):
        found.setdefault(line["member"], []).append(line)
    return found


def assert_same(workdir: Path, reference: Path) -> None:
    """In all that is measured, and in the networks."""
    assert by_member(workdir) == by_member(reference)
    assert read_summary(workdir) == read_summary(reference)
    for name in ("config.json", "chunks.json", "data.json"):
        assert json.loads((workdir / name).read_text()) == json.loads(
            (reference / name).read_text()
        )
    for ours, theirs in zip(rj.load(workdir), rj.load(reference), strict=True):
        if ours.config.checkpoint_every:
            jax.tree.map(np.testing.assert_array_equal, ours.params, theirs.params)


def epochs_of(workdir: Path) -> dict[str, list[int]]:
    return {name: [line["epoch"] for line in own] for name, own in by_member(workdir).items()}


def test_it_ends_as_one_that_had_these_epochs_from_the_start(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workdir = shutil.copytree(short, tmp_path / "run")
    train(workdir, 5)
    said = capsys.readouterr().out
    assert_same(workdir, train(tmp_path / "whole", 5))
    assert "plain+1: resuming from step 6" in said
    # The end of the shorter run is no epoch that the longer one measures, or measures like that.
    for name in ("seldom", "sampled"):
        assert f"{name}: resuming from step 4" in said
    assert "of 5, fits" not in said  # it has fitted, and stays as it is
    assert epochs_of(short)["seldom"] == [2, 3]
    assert epochs_of(workdir)["seldom"] == [2, 4, 5]
    assert epochs_of(workdir)["fits"] == epochs_of(short)["fits"] == [1]
    train(workdir, 5)
    assert "Complete already" in capsys.readouterr().out


@pytest.mark.parametrize("owner", [Folder, training])
def test_a_kill_at_its_beginning_costs_nothing(
    owner: Any,
    sampled: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the workdir is that of the longer run, and when it just has become its own."""
    short, whole = sampled
    workdir = shutil.copytree(short, tmp_path / "run")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, "begin" if owner is Folder else "train_chunk", killed)
        with pytest.raises(KeyboardInterrupt):
            train(workdir, 5, [SAMPLED])
    begun = json.loads((workdir / "config.json").read_text())["epochs"]
    assert begun == (3 if owner is Folder else 5)
    if owner is Folder:  # it is still the shorter run's, which makes again what is lacking
        train(workdir, 3, [SAMPLED])
        assert_same(workdir, short)
    train(workdir, 5, [SAMPLED])
    assert_same(workdir, whole)


def test_fewer_epochs_and_what_else_would_be_another_run_are_refused(short: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in short.rglob("*")}
    with pytest.raises(UserError, match=r"epochs \(3 there, 2 now\)\. .*more, not fewer"):
        train(short, 2)
    with pytest.raises(UserError, match=r"another config: momentum \(0.9 there, 0.8 now\)\. "):
        train(short, 4, momentum=0.8)
    assert {path: path.stat().st_mtime_ns for path in short.rglob("*")} == before
