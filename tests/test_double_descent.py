"""Double descent: the solver against theory, where curves peak, and the commands."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from rethinking_jax.analysis import drawing, findings
from rethinking_jax.analysis.bump import bump, rise_and_fall
from rethinking_jax.analysis.curves import Plot, seeds_curve
from rethinking_jax.config import members
from rethinking_jax.errors import UserError
from rethinking_jax.theory import double_descent, min_norm
from rethinking_jax.theory import settings as theory
from rethinking_jax.theory.descent_verdicts import Axis, verdicts
from rethinking_jax.theory.features import draw_fourier
from rethinking_jax.theory.least_squares import solutions, spectrum

CONFIG = "--config=configs/double_descent.py"


def least_norm(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return solutions(spectrum(x), y, [0.0])[0]


# The solver ------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [5, 20, 42, 90])
def test_risk_is_that_of_theory_at_any_size(dimension: int) -> None:
    """Isotropic Gaussian design, n = 30: exact for finite n, below and above interpolation."""
    rng, n, noise, size = np.random.default_rng(dimension), 30, 0.5, 2.0
    risks = []
    for _ in range(300):
        x, beta = rng.normal(size=(n, dimension)), rng.normal(size=(dimension, 1))
        beta *= size / np.linalg.norm(beta)
        y = x @ beta + noise * rng.normal(size=(n, 1))
        risks.append(float(((least_norm(x, y) - beta) ** 2).sum()))
    if dimension < n - 1:
        exact = noise**2 * dimension / (n - dimension - 1)
    else:
        exact = size**2 * (1 - n / dimension) + noise**2 * n / (dimension - n - 1)
    error = np.std(risks, ddof=1) / np.sqrt(len(risks))
    assert abs(np.mean(risks) - exact) < 3 * error


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))


@settings(deadline=None, max_examples=60)
@given(shapes)
def test_solutions_are_those_of_others(shape: tuple[int, int, int]) -> None:
    """The pseudo-inverse's, also where examples are equal; with a ridge scikit-learn's."""
    n, d, seed = shape
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, 3))
    x[n // 2 :] = x[: n - n // 2] if seed % 2 and n > 1 else x[n // 2 :]
    without, small, large = solutions(spectrum(x), y, [0.0, 0.1, 10.0])
    # Nearly singular features have no digits that two solvers must share.
    if np.linalg.cond(x) < 1e4 or np.linalg.matrix_rank(x) < min(n, d):
        np.testing.assert_allclose(without, np.linalg.pinv(x, rcond=1e-6) @ y, atol=1e-6, rtol=1e-6)
    for ridge, ours in ((0.1, small), (10.0, large)):
        theirs = Ridge(alpha=ridge, fit_intercept=False).fit(x, y).coef_.reshape(3, d).T
        np.testing.assert_allclose(ours, theirs, atol=1e-8)
    assert np.linalg.norm(large) <= np.linalg.norm(small) + 1e-12


def test_least_norm_is_where_descent_from_0_and_a_vanishing_ridge_end() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 15)), rng.normal(size=(6, 2))
    found = least_norm(x, y)
    rate = 1 / (x**2).sum(1).max()
    path = min_norm.descend(x, y, np.zeros((15, 2)), rate, batch_size=6, steps=6000, seed=0)
    np.testing.assert_allclose(found, path.weights[-1], atol=1e-8)
    ridges = 10.0 ** np.arange(-12, 0, 2)
    off = [np.abs(one - found).max() for one in solutions(spectrum(x), y, ridges)]
    assert off == sorted(off) and off[0] < 1e-11


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 9), st.integers(2, 30), st.integers(0, 10**6))
def test_an_order_of_features_changes_nothing(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, other = rng.normal(size=(n, d)), rng.normal(size=(n, 2)), rng.normal(size=(4, d))
    if np.linalg.cond(x) > 1e4:
        return
    order = rng.permutation(d)
    again = least_norm(x[:, order], y)
    np.testing.assert_allclose(other[:, order] @ again, other @ least_norm(x, y), atol=1e-5)
    assert np.linalg.norm(again) == pytest.approx(np.linalg.norm(least_norm(x, y)), rel=1e-5)


@pytest.mark.parametrize("count", [20, 40, 41, 60, 300])
def test_true_labels_are_interpolated_from_the_threshold_on(count: int) -> None:
    rng = np.random.default_rng(0)

    def sample(size: int) -> double_descent.Sample:
        return double_descent.Sample(rng.random((size, 50)), [rng.integers(0, 3, size)])

    drawn = double_descent.Draw(sample(40), sample(30), sample(20), 3)
    fourier = draw_fourier(50, 300, seed=1).first(count)
    (row,) = double_descent.measure(drawn, *(fourier.of(part.pixels) for part in drawn[:3]))
    if count >= 40:
        assert row["train_error"] == 0 and row["train_loss"] < 1e-12
    else:
        assert row["train_loss"] > 0.01
    # By hand, for the examples that are told apart by the largest answer.
    x, other = (fourier.of(part.pixels) for part in (drawn.train, drawn.test))
    weights = np.linalg.pinv(x) @ np.eye(3)[drawn.train.labels[0]]
    wrong = (other @ weights).argmax(1) != drawn.test.labels[0]
    assert row["test_error"] == pytest.approx(wrong.mean())
    assert row["norm"] == pytest.approx(np.linalg.norm(weights), rel=1e-6)


def test_fewer_features_are_the_first_ones() -> None:
    pixels = np.random.default_rng(0).random((3, 7))
    many = draw_fourier(7, 20, seed=4)
    np.testing.assert_allclose(many.first(5).of(pixels), 2 * many.of(pixels)[:, :5], rtol=1e-12)


# Verdicts --------------------------------------------------------------------------------

PLACES = (20, 50, 90, 100, 110, 400)


def rows(
    key: str = "features",
    clean: tuple[float, ...] = (0.5, 0.4, 0.5, 0.7, 0.5, 0.2),
    noisy: tuple[float, ...] = (0.6, 0.5, 0.6, 0.8, 0.6, 0.4),
    norm: tuple[float, ...] = (1, 2, 8, 50, 9, 3),
    ridge: tuple[float, ...] = (0.5, 0.4, 0.3, 0.3, 0.3, 0.2),
    held_out: bool = True,
) -> list[dict]:
    other = "examples" if key == "features" else "features"
    return [
        {
            "name": f"noise={noise:g}", "label_noise": noise, "draw": draw, key: place, other: 100,
            "test_error": errors[i] + draw / 500, "norm": float(norm[i]),
            **({"held_out_error": errors[i], "ridge_error": ridge[i] + (draw - 1) / 500}
               if held_out else {}),
        }
        for noise, errors in ((0.0, clean), (0.2, noisy))
        for draw in range(3)
        for i, place in enumerate(PLACES)
    ]  # fmt: skip


def outcomes(key: str = "features", **changes: object) -> list[str]:
    found = verdicts(rows(key, **changes), Axis(key, 100))
    return [{"not measured": "-"}.get(one.outcome, one.outcome) for one in found]


def test_each_verdict_can_be_no() -> None:
    assert outcomes() == ["yes"] * 6
    early = (0.5, 0.9, 0.5, 0.7, 0.5, 0.2)
    assert outcomes(clean=early)[:2] == ["no", "no"]
    assert outcomes(norm=(1, 90, 8, 50, 9, 3))[1] == "no"
    assert outcomes(noisy=(0.6, 0.5, 0.6, 0.8, 0.6, 0.9))[2] == "no"  # no fall
    assert outcomes(clean=(0.5, 0.15, 0.5, 0.7, 0.5, 0.2))[3] == "no"
    assert outcomes(noisy=(0.6, 0.5, 0.55, 0.6, 0.55, 0.4))[4] == "no"
    assert outcomes(ridge=(0.5, 0.4, 0.3, 0.5, 0.3, 0.2))[5] == "no"
    assert outcomes("examples") == ["yes", "yes"]
    fall = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
    assert outcomes("examples", clean=fall, noisy=fall) == ["no", "no"]


def test_without_power_nothing_is_judged() -> None:
    assert outcomes(held_out=False) == ["yes", "yes", "-", "-", "yes", "-"]
    flat = (0.5, 0.4, 0.4, 0.4, 0.4, 0.2)
    assert outcomes(clean=flat)[5] == "-"  # there is no peak that a ridge could remove
    far = verdicts(rows(), Axis("features", 700))
    assert {one.outcome for one in far} == {"not measured"}
    edge = [row for row in rows() if row["features"] <= 100]
    assert {one.outcome for one in verdicts(edge, Axis("features", 100))} == {"not measured"}
    clean = [row for row in rows() if not row["label_noise"]]
    assert [one.outcome for one in verdicts(clean, Axis("features", 100))][4] == "not measured"


# Bumps -----------------------------------------------------------------------------------


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=12))
def test_the_largest_rise_is_that_of_all_pairs(values: list[int]) -> None:
    curve = np.array(values, float)
    at = bump(curve)
    rises = [curve[j] - curve[i] for j in range(len(curve)) for i in range(j)]
    assert at.valley < at.peak <= at.end
    assert curve[at.peak] - curve[at.valley] == max(rises)
    assert curve[at.end] == curve[at.peak :].min()


def test_noise_alone_is_no_bump() -> None:
    """Falling curves with much noise: a rise is claimed in at most about 2.5 % of cases."""
    rng, claimed = np.random.default_rng(0), 0
    falling = np.linspace(0.3, 0.28, 30)
    for _ in range(200):
        rise, fall = rise_and_fall(falling + 0.01 * rng.normal(size=(3, 30)))
        claimed += rise.low > 0 and fall.low > 0
    assert claimed <= 10
    peaked = falling + 0.1 * np.exp(-((np.arange(30) - 15) ** 2) / 8)
    rise, fall = rise_and_fall(peaked + 0.01 * rng.normal(size=(3, 30)))
    assert rise.low > 0 and fall.low > 0
    assert rise.value == pytest.approx(0.09, abs=0.03)


# Figures ---------------------------------------------------------------------------------


def test_vertical_lines_are_drawn_and_kept(tmp_path: Path) -> None:
    curves = [seeds_curve("a", [1, 10, 100], [[1], [2], [1]])]
    plot = Plot("p", "t", "c", "x", "y", curves, log="x", verticals=[(10.0, "N = n here")])
    svg = drawing.draw(plot, "a").svg
    assert "N = n here" in svg
    assert "N = n here" not in drawing.draw(plot._replace(verticals=()), "a").svg
    drawing.write(plot._replace(slide=True), "", tmp_path)
    assert "N = n here" in (tmp_path / "p.svg").read_text()
    plain = json.loads(json.dumps(findings.to_json(findings.Findings([], {}, [], [plot], []))))
    assert findings.from_json(plain, []).plots[0].verticals == plot.verticals
    del plain["plots"][0]["verticals"]  # as an earlier version wrote it
    assert not findings.from_json(plain, []).plots[0].verticals


# Commands --------------------------------------------------------------------------------


def summary_of(answer: Command, workdir: Path, *arguments: str) -> dict:
    result = answer(*arguments, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return json.loads((workdir / "summary.json").read_text())


def test_the_command_of_features(answer: Command, tmp_path: Path) -> None:
    argument = f"{CONFIG}:features,examples=60,features=20+40+60+80+200,held_out=50,draws=2"
    summary = summary_of(answer, tmp_path, argument)
    assert len(summary["members"]) == 2 * 2 * 5
    for row in summary["members"]:
        assert row["examples"] == 60 and 0 < row["test_error"] < 1
        if row["features"] >= 60:
            assert row["train_error"] == 0
    by_norm = max(summary["members"], key=lambda row: row["norm"])
    assert by_norm["features"] == 60
    assert len(summary["verdicts"]) == 6
    for name in ("figures/error.svg", "figures/norm.png", "tables/double_descent.csv"):
        assert (tmp_path / name).exists()
    assert "N = n" in (tmp_path / "report.html").read_text()
    assert left_in_english(tmp_path) == []


def test_the_command_of_samples(answer: Command, tmp_path: Path) -> None:
    argument = f"{CONFIG}:samples,features=50,examples=20+40+50+60+150,draws=2"
    summary = summary_of(answer, tmp_path, argument, "--config.language=es")
    assert [one["outcome"] for one in summary["verdicts"]].count("not measured") == 0
    worst = max(summary["members"], key=lambda row: row["norm"])
    assert worst["examples"] == 50 and "ridge" not in worst
    assert left_in_english(tmp_path) == []


@pytest.mark.parametrize(
    ("argument", "count", "lesson"),
    [
        ("networks,widths=4+16,epochs=4,measure_every=2", 8, "double_descent.svg"),
        ("epochs,widths=16,epochs=6", 2, "epoch_wise.svg"),
        ("belkin,dataset=mnist5k,widths=4,epochs=4,measure_every=2", 4, "double_descent.svg"),
    ],
)
def test_the_commands_of_networks(
    argument: str, count: int, lesson: str, answer: Command, tmp_path: Path
) -> None:
    words = f"{CONFIG}:{argument},seeds=2,train_examples=60,image_size=10"
    summary = summary_of(answer, tmp_path, words, "--config.batch_size=30", "--config.language=es")
    assert len(summary["members"]) == count
    assert "prueba, ruido en las etiquetas 0.2" in (tmp_path / "figures" / lesson).read_text()
    assert "Lo que dice la clase" in (tmp_path / "report.html").read_text()


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for argument, words in (
        (":widths", "'widths' is not known"),
        (":features,noise=a", "noise=a: must be numbers"),
        (":features,examples=3500", "examples=3500 and config.held_out=1000: there are 4,000"),
        (":features,features=100", "one of them must be several"),
        (":features,examples=10+20", "one of them must be several"),
        (":features,features=", "one of them must be several"),
        (":samples,examples=20+10", "config.examples='20+10' must be rising"),
    ):
        result = answer(f"{CONFIG}{argument}", f"--workdir={workdir}")
        assert result.returncode == 2, result.stderr
        assert result.stderr.count("\n") == 1
        assert words in result.stderr
        assert not workdir.exists()
    with pytest.raises(UserError, match="all runs share their images"):
        members(theory.theory_config("double_descent", corruption="gaussian"), theory.check)
