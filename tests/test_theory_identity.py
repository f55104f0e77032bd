"""What networks learn from one image: correlations, verdicts, and the whole command."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from hypothesis import given
from hypothesis import strategies as st

from rethinking_jax.theory.identity_results import Learned, correlations, rows_of, verdicts

CONFIG = "--config=configs/identity.py"


@given(st.integers(0, 10**6), st.booleans())
def test_correlations_are_numpy_s(seed: int, shared: bool) -> None:
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(5, 4, 3, 2)).astype(np.float32)
    images = rng.normal(size=(1 if shared else 5, 4, 3, 2))
    pairs = zip(outputs, np.broadcast_to(images, outputs.shape), strict=True)
    wanted = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]
    np.testing.assert_allclose(correlations(outputs, images), wanted, atol=1e-9)
    np.testing.assert_allclose(correlations(3 * outputs + 1, outputs), 1.0, atol=1e-6)
    assert (correlations(np.ones_like(outputs), images) == 0).all()


def learned(margins: dict[int, float], seeds: int = 3, spread: float = 0.01) -> list[Learned]:
    """Networks by depth that are more like the identity by a margin."""
    return [
        Learned(depth, seed, 10, 1e-5, 0.5 + margin / 2 + spread * seed, 0.5 - margin / 2)
        for depth, margin in margins.items()
        for seed in range(seeds)
    ]


def test_each_verdict_can_be_yes_no_and_not_measured() -> None:
    def outcomes(margins: dict[int, float], **options: float) -> list[str]:
        return [one.outcome for one in verdicts(learned(margins, **options))]

    assert outcomes({1: 0.6, 10: 0.2, 20: -0.5}) == ["yes", "yes"]
    assert outcomes({1: 0.6, 10: -0.2, 20: 0.5}) == ["no", "no"]
    assert outcomes({1: 0.6, 10: 0.2, 20: -0.5}, spread=0.3) == ["not measured"] * 2
    assert outcomes({1: 0.6, 10: 0.2}) == ["yes", "not measured"]
    assert outcomes({1: 0.6, 20: -0.5}, seeds=1) == ["not measured"] * 2
    row = rows_of(learned({3: 0.4}))[0]
    assert row["margin"] == pytest.approx(0.41) and row["low"] < 0.41 < row["high"]


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:depths=2+3,channels=8,seeds=2,examples=20,image_size=8",
        "--config.fit_loss=0.003",
        "--config.language=es",
        f"--workdir={workdir}",
    )
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    rows = {row["depth"]: row for row in summary["members"]}
    assert list(rows) == [2, 3]
    assert all(row["loss"] <= 0.003 and -1 <= row["constant"] <= 1 for row in rows.values())
    assert rows[2]["identity"] > rows[2]["constant"]
    for name in ("figures/identity.png", "figures/identity_by_depth.svg", "tables/identity.csv"):
        assert (workdir / name).exists()
    assert left_in_english(workdir) == []


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for words, said in (
        ((":depths=3",), "config.depths=3: must be two or more numbers of layers"),
        ((":depths=0+3",), "config.depths=0+3: must be"),
        ((":filter_width=4",), "config.filter_width=4: must be odd"),
        ((":examples=2000",), "config.examples=2000: there are only 1,000 test images"),
        (("", '--config.sweep=[{"seed": 0}, {"seed": 1}]'), "'seed' is one for all runs"),
    ):
        result = answer(f"{CONFIG}{words[0]}", *words[1:], f"--workdir={workdir}")
        assert result.returncode == 2, (words, result.stderr)
        assert result.stderr.count("\n") == 1 and said in result.stderr
        assert not workdir.exists()
    small = ":depths=1+2,channels=2,image_size=8"
    result = answer(f"{CONFIG}{small}", "--config.steps=20", f"--workdir={workdir}")
    assert result.returncode == 1 and "take more steps" in result.stderr
