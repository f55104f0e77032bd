"""Shattering against Cover's theorem, and Cover's theorem against linear programs."""

import json
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.errors import UserError
from rethinking_jax.theory import cover, shattering
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.settings import check, theory_config

CONFIG = "--config=configs/shattering.py"


@pytest.mark.parametrize(("count", "dimensions"), [(4, 1), (5, 2), (7, 2), (6, 3), (7, 4)])
def test_linear_programs_count_what_cover_counts(count: int, dimensions: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, dimensions))
    labels = cover.separable_labels(points)
    assert len(np.unique(labels, axis=0)) == len(labels)
    assert len(labels) / 2**count == cover.separable_fraction(count, dimensions + 1)


def test_linear_programs_agree_with_a_perceptron() -> None:
    """A perceptron that ends separates; the rest has a point in both convex hulls (XOR)."""
    points = np.random.default_rng(0).normal(size=(6, 2))
    inputs = np.column_stack([points, np.ones(6)])
    for labels in cover.dichotomies(6):
        w, signs = np.zeros(3), 2 * labels - 1
        for _ in range(3000):
            wrong = np.flatnonzero(signs * (inputs @ w) <= 0)
            if not len(wrong):
                break
            w = w + signs[wrong[0]] * inputs[wrong[0]]
        assert cover.is_separable(points, labels) == (len(wrong) == 0)
    square = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    assert not cover.is_separable(square, np.array([0, 0, 1, 1]))
    assert cover.is_separable(square, np.array([0, 1, 1, 1]))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 200), st.integers(1, 60))
def test_cover_s_recursion(points: int, weights: int) -> None:
    """A new point splits the dichotomies that a hyperplane through it can make."""

    def number(n: int, d: int) -> Fraction:
        return Fraction(2 * sum(comb(n - 1, k) for k in range(d)))

    fraction = cover.separable_fraction(points, weights)
    assert fraction == pytest.approx(float(number(points, weights) / 2**points))
    if weights > 1:
        both = number(points - 1, weights) + number(points - 1, weights - 1)
        assert number(points, weights) == both
    assert cover.separable_fraction(2 * weights, weights) == 0.5
    assert cover.separable_fraction(weights, weights) == 1


def test_dichotomies_are_all_but_for_exchanged_classes() -> None:
    half = cover.dichotomies(5)
    assert half.shape == (16, 5) and half.dtype == np.int32
    assert len({tuple(row) for row in np.concatenate([half, 1 - half])}) == 32
    labels, whole = shattering.make_labels(5, 16, seed=0)
    assert whole and np.array_equal(labels, half)
    labels, whole = shattering.make_labels(6, 16, seed=0)
    assert not whole and labels.shape == (16, 6)
    more, _ = shattering.make_labels(2000, 40, seed=0)
    assert more.shape == (40, 2000) and abs(more.mean() - 0.5) < 0.01
    assert not np.array_equal(more, shattering.make_labels(2000, 40, seed=1)[0])


def test_capacity_is_where_half_are_fitted() -> None:
    assert shattering.crossing([4, 8, 12], [1.0, 0.75, 0.25]) == 10
    assert shattering.crossing([4, 8], [1.0, 0.5]) == 8
    assert shattering.crossing([4, 8], [1.0, 0.6]) is None
    assert shattering.crossing([4, 8], [0.4, 0.1]) is None


def test_weights_are_those_that_classes_depend_on() -> None:
    linear = theory_config("shattering", model="linear", hidden_sizes=(), dimensions=7)
    assert shattering.weights(linear) == 8
    assert shattering.weights(theory_config("shattering", hidden_sizes=(3, 2))) == 15 + 8 + 3
    assert shattering.counts(5) == [2, 5, 6, 8, 10, 12]


def test_points_of_images_are_projections(data_dir: Path) -> None:
    config = theory_config("shattering", points="images", data_dir=str(data_dir), dimensions=3)
    tasks = Tasks(lambda text: None)
    points = shattering.make_points(config, 40, tasks)
    assert points.shape == (40, 3) and points.dtype == np.float32
    np.testing.assert_allclose(points.std(0), 1, rtol=1e-5)
    images = np.asarray(tasks.dataset(config).train.images).reshape(-1, 784)
    order = np.random.Generator(np.random.Philox(key=0)).permutation(4000)[:40]
    pixels = images[order].astype(float)
    fit = np.linalg.lstsq(np.column_stack([pixels, np.ones(40)]), points, rcond=None)[0]
    assert np.abs(np.column_stack([pixels, np.ones(40)]) @ fit - points).max() < 1e-4
    config.train_examples = 30
    with pytest.raises(UserError, match="40 points are needed, there are 30 images"):
        shattering.make_points(config, 40, tasks)


ROW = {"name": "linear", "weights": 3, "linear": True, "dichotomies": 64, "ratio": 0.5}
NET = {"name": "a", "weights": 9, "linear": False, "ratio": 0.5, "fraction": 1.0, "points": 4}


@pytest.mark.parametrize(
    ("changes", "which"),
    [
        ({"linear": {"fraction": 0.45}}, 0),
        ({"linear": {"fraction": 0.56}}, 0),  # more than there are
        ({"linear": {"separable": 0.7, "fraction": 0.7}}, 0),
        ({"beyond": {"separable": 0.86}}, 0),
        ({"capacity": {"shattered": 4}}, 1),
        ({"beyond": {"fraction": 1.0}}, 1),
        ({"larger": {"capacity": 9.0}}, 2),
        ({"net": {"fraction": 0.98}}, 3),
    ],
)
def test_each_verdict_can_be_no(changes: dict, which: int) -> None:
    def outcomes(changed: dict) -> list[str]:
        def made(name: str, row: dict) -> dict:
            return row | changed.get(name, {})

        beyond = {
            **ROW,
            "points": 4,
            "exhaustive": "yes",
            "fraction": 0.87,
            "cover": 0.875,
            "separable": 0.875,
        }
        half = {
            **ROW,
            "points": 6,
            "exhaustive": "no",
            "fraction": 0.55,
            "cover": 0.5,
            "separable": 0.55,
        }
        linear = {**ROW, "shattered": 3, "capacity": 6.0}
        small = {**NET, "capacity": 10.0, "per_weight": 1.1}
        found = shattering._verdicts(
            [made("beyond", beyond), made("linear", half), made("net", NET)],
            [
                made("capacity", linear),
                small,
                made("larger", {**small, "weights": 20, "capacity": 22}),
            ],
        )
        return [verdict.outcome for verdict in found]

    assert outcomes({}) == ["yes"] * 4
    found = outcomes(changes)
    assert found[which] == "no"
    assert outcomes({"larger": {"capacity": None}})[2] == "not measured"


def test_keys_that_do_nothing_are_refused() -> None:
    config = theory_config("shattering", dataset="fashion_mnist")
    with pytest.raises(UserError, match=r"dataset=fashion_mnist has no effect: .* points=images"):
        experiment.members(config)
    config.points = "images"
    experiment.members(config)


@pytest.mark.slow
def test_a_trained_linear_classifier_follows_cover(answer: Command, tmp_path: Path) -> None:
    """Every dichotomy of 3, 4, 5 and 6 points of the plane: training finds what exists."""
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:models=linear,dimensions=2", "--config.starts=1", "--config.epochs=30",
        "--config.language=es", f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    assert summary["dataset"] == "Gaussian points"
    shares = {row["points"]: row for row in summary["members"] if "cover" in row}
    assert sorted(shares) == [2, 3, 4, 6, 8]
    for count in (2, 3, 4, 6):
        assert shares[count]["exhaustive"] == "yes"
        assert shares[count]["fraction"] == pytest.approx(
            cover.separable_fraction(count, 3), abs=1e-9 if count < 6 else 1 / 32 + 1e-9
        )
    points = shattering.make_points(theory_config("shattering", dimensions=2), 8, Tasks(print))
    labels, _ = shattering.make_labels(8, 64, 0)
    exists = np.mean([cover.is_separable(points, own) for own in labels])
    assert exists - 0.05 <= shares[8]["fraction"] <= exists == shares[8]["separable"]
    capacity = next(row for row in summary["members"] if "capacity" in row)
    assert capacity["shattered"] == 3 and abs(capacity["capacity"] - 6) < 0.7
    outcomes = [verdict["outcome"] for verdict in summary["verdicts"]]
    assert outcomes == ["yes", "yes", "not measured", "not measured"]
    again = answer(*arguments)
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert left_in_english(workdir) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dichotomies": 1}, "dichotomies=1 must be at least 2"),
        ({"dimensions": 0}, "dimensions=0 must be at least 1"),
        ({"points": "image"}, "did you mean 'images'"),
        ({"hidden_sizes": ()}, "needs one or more widths"),
    ],
)
def test_values_are_checked(changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        configs.members(theory_config("shattering", **changes), check)
