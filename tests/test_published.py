"""Our scores beside published ones: rank correlations with their intervals, and files by id."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from scipy.stats import spearmanr

from rethinking_jax.data.load import load_dataset
from rethinking_jax.theory.published import correlation

EXACT = "--config=configs/memorization.py:train_examples=200,runs=20,learner=nearest,label_noise=0"


@pytest.mark.parametrize("shared", [0.0, 1.0, 3.0])
def test_the_interval_covers_as_often_as_it_says(shared: float) -> None:
    rng, covered = np.random.default_rng(0), 0
    rho = shared**2 / (1 + shared**2)  # of two normal scores with a part in common
    true = 6 / np.pi * np.arcsin(rho / 2)
    for _ in range(400):
        common = shared * rng.normal(size=80)
        a, b = common + rng.normal(size=(2, 80))
        r, low, high, count = correlation(a, b)
        assert count == 80
        assert r == pytest.approx(spearmanr(a, b).statistic)
        covered += low <= true <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_what_is_no_number_is_left_out() -> None:
    a = np.array([1.0, 2, np.nan, 3, 4, 5])
    r, low, high, count = correlation(a, np.array([1.0, 2, 9, 3, 4, np.nan]))
    assert (round(r, 6), count) == (1.0, 4)
    assert low < 1
    r, low, high, count = correlation(a[:3], a[:3])
    assert np.isnan(r)
    assert (low, high, count) == (-1, 1, 2)


def test_scores_are_read_by_id(answer: Command, tmp_path: Path) -> None:
    ids = load_dataset("mnist5k", train_examples=200).train.ids
    first = answer(EXACT, f"--workdir={tmp_path / 'first'}")
    assert first.returncode == 0, first.stderr
    scores = np.load(tmp_path / "first" / "scores.npz")
    assert scores["id"].tolist() == ids.tolist()
    turned = np.random.default_rng(0).permutation(200)
    file = tmp_path / "theirs.npz"
    np.savez(file, ids=ids[turned], same=scores["mem_nearest"][turned], no=np.arange(200.0))
    named = f"{EXACT},published={file}:same+{file}:no"
    done = answer(named, f"--workdir={tmp_path / 'second'}")
    assert done.returncode == 0, done.stderr
    members = json.loads((tmp_path / "second" / "summary.json").read_text())["members"]
    same, other = (row for row in members if "published" in row)
    assert (same["ours"], same["published"]) == ("mem_nearest", "theirs.npz:same")
    assert same["correlation"] == pytest.approx(1)
    assert other["low"] < 0 < other["high"]
    assert "theirs.npz:same" in (tmp_path / "second" / "report.html").read_text()


def test_a_file_that_is_wrong_is_one_line(answer: Command, tmp_path: Path) -> None:
    file = tmp_path / "few.npz"
    np.savez(file, few=np.zeros(3))
    for name, said in ((f"{file}:few", "has 3 scores"), ("no.npz", "there is no file no.npz")):
        done = answer(f"{EXACT},published={name}", f"--workdir={tmp_path / 'run'}")
        assert done.returncode == 2
        assert f"config.published='{name}'" in done.stderr
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "run" / "config.json").exists()
