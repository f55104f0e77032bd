"""Rademacher complexity against enumeration, and the engine that trains on random signs."""

import itertools
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from scipy.spatial.distance import cdist

from rethinking_jax import config as configs
from rethinking_jax.config.recipe import network
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.errors import UserError
from rethinking_jax.sweep import groups
from rethinking_jax.theory import closed_forms, cover, fitting, rademacher, settings
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/rademacher.py"


def points(count: int = 7, size: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, size))


def every_sign(count: int) -> np.ndarray:
    return np.array(list(itertools.product([-1.0, 1.0], repeat=count)))


def test_suprema_are_those_of_a_search() -> None:
    """A random search comes near each formula and never above; the maximizer attains it."""
    x, signs = points(), every_sign(7)[::9]
    rng = np.random.default_rng(1)
    w = rng.normal(size=(20_000, 4))
    balls = {
        closed_forms.l2_ball: w / np.linalg.norm(w, axis=1, keepdims=True)
        / np.linalg.norm(x, axis=1).max(),
        closed_forms.l1_ball: np.concatenate(
            [w / np.abs(w).sum(1, keepdims=True), np.eye(4), -np.eye(4)]
        ) / np.abs(x).max(),
    }  # fmt: skip
    for formula, ball in balls.items():
        outputs = ball @ x.T
        assert np.abs(outputs).max() <= 1 + 1e-12  # as a network's
        searched = (signs @ outputs.T / 7).max(1)
        exact = formula(x, signs)
        assert (searched <= exact + 1e-12).all()
        np.testing.assert_allclose(searched, exact, rtol=0.03)


def test_the_kernel_ball_in_its_feature_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """K = F F': the ball of norm 1 over features is an l2 ball of rows of F."""
    monkeypatch.setattr(closed_forms, "BLOCK", 3)  # rows come in three parts
    x, signs = points(), every_sign(7)
    kernel = np.exp(-0.3 * cdist(x, x, "sqeuclidean"))
    features = np.linalg.cholesky(kernel)
    expected = np.linalg.norm(signs @ features, axis=1) / 7
    np.testing.assert_allclose(closed_forms.kernel_ball(0.3)(x, signs), expected, rtol=1e-10)


def test_bounds_hold_for_the_exact_mean() -> None:
    x, signs = points(), every_sign(7)
    for formula, bounds in (
        (closed_forms.l2_ball, closed_forms.l2_bounds(x)),
        (closed_forms.l1_ball, closed_forms.l1_bounds(x)),
        (closed_forms.kernel_ball(0.3), closed_forms.kernel_bounds(x)),
    ):
        values = formula(x, signs)
        assert (bounds.lower or 0) <= values.mean() <= bounds.upper
        if bounds.second_moment is not None:
            assert (values**2).mean() == pytest.approx(bounds.second_moment, rel=1e-10)


def test_half_of_all_signs_have_the_mean_of_all() -> None:
    x = points(6)
    half, whole = rademacher.all_signs(6), every_sign(6)
    assert half.shape == (32, 6)
    assert len(np.unique(np.concatenate([half, -half]), axis=0)) == 64
    for formula in (closed_forms.l2_ball, closed_forms.l1_ball):
        assert formula(x, half).mean() == pytest.approx(formula(x, whole).mean())


def test_drawn_signs_are_the_labels_of_the_runs() -> None:
    """The same draw for the formulas and for the sweep; copies of a point share their sign."""
    ids = np.array([5, 90, 7, 1000], np.uint32)
    images = np.zeros((4, 1, 2, 1), np.float32)
    dataset = fitting.dataset_of(images, ids, repeats=3)
    config = theory_config("rademacher")
    trained = fitting.training_config(config, corruption="random_labels", batch_size=4)
    drawn = closed_forms.draw_signs(np.arange(60), ids)
    assert drawn.shape == (60, 4)
    for seed in (0, 51):
        trained.seed = seed
        run = groups.label_run(configs.members(trained)[0], dataset)
        np.testing.assert_array_equal(2 * run.train_labels.reshape(3, 4) - 1, [drawn[seed]] * 3)
    # Fair and independent: each correlation of 1,000 draws has a deviation of 0.032.
    many = closed_forms.draw_signs(np.arange(1000), ids)
    assert np.abs(many.mean(0)).max() < 0.12
    assert np.abs(many.T @ many / 1000 - np.eye(4)).max() < 0.12


def test_the_runs_of_a_network_are_one_sweep() -> None:
    config = fitting.training_config(theory_config("rademacher", batch_size=4))
    config.sweep = configs.runs(configs.sweep("seed", range(5)))
    members = configs.members(config)
    dataset = fitting.dataset_of(np.zeros((8, 4, 4, 1), np.uint8), np.arange(8, dtype=np.uint32))
    datasets = {dataset_key(config): dataset}
    (chunk,) = groups.make_chunks(
        members, datasets, "cpu", jax.devices()[:1], report=lambda text: None
    )
    assert len(chunk.runs) == 5


BIG = {"name": "a", "parameters": 9, "points": 10, "estimate": 1.0, "error": 0.0}
SMALL = {**BIG, "name": "b", "parameters": 5}
FORMULA = {"deviation": 0.5, "estimate": 0.2, "error": 0.01, "lower": 0.1, "upper": 0.3}
ENUMERATED = {"points": 9, "draws": 2, "beyond": 0.0, "supremum": 0.9, "estimate": 0.85}


@pytest.mark.parametrize(
    ("part", "changes", "which"),
    [
        ("big", {"estimate": 0.9}, 0),
        ("big", {"error": 0.1}, 0),
        ("small", {"estimate": 0.99}, 1),
        ("small", {"error": 0.4}, 1),
        ("formula", {"deviation": -3.1}, 2),
        ("formula", {"estimate": 0.34}, 2),
        ("formula", {"lower": None, "estimate": -0.04}, 2),
        ("known", {"beyond": 0.1}, 3),
        ("known", {"estimate": 0.7}, 3),
    ],
)
def test_each_verdict_can_be_no(part: str, changes: dict, which: int) -> None:
    def outcomes(**changed: dict) -> list[str]:
        big = {**BIG, "points": 99} | changed.get("big", {})
        small = {**SMALL, "points": 99, "estimate": 0.4} | changed.get("small", {})
        found = rademacher._verdicts(
            [BIG, big, SMALL, small],
            [FORMULA | changed.get("formula", {})],
            ENUMERATED | changed.get("known", {}),
        )
        return [verdict.outcome for verdict in found]

    assert outcomes() == ["yes"] * 4
    expected = ["yes"] * 4
    expected[which] = "no"
    assert outcomes(**{part: changes}) == expected


def test_sizes() -> None:
    assert rademacher.sizes(4000, 4) == [62, 250, 1000, 4000]
    assert rademacher.sizes(30, 9) == [30]
    assert rademacher.sizes(40, 9) == [10, 40]


def test_networks_have_names() -> None:
    assert network("linear")["model"] == "linear"
    assert network("mlp_2x30")["hidden_sizes"] == [30, 30]
    assert network("mlp_1x512") == {"name": "mlp_1x512", "model": "mlp_1x512", "hidden_sizes": []}
    for wrong in ("mlp", "mlp_0x5", "mlp_1x0", "lineer"):
        with pytest.raises(UserError, match="known"):
            network(wrong)


@pytest.fixture(scope="module")
def finished(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("rademacher") / "run"
    result = answer(
        f"{CONFIG}:models=mlp_1x32+linear,sizes=1,epochs=15",
        "--config.train_examples=60", "--config.crop_size=8", f"--workdir={workdir}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "known,sigma=0+39" in result.stdout
    return workdir


def test_the_command_s_numbers(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text())
    by_name = {(row["name"], row["points"]): row for row in summary["members"]}
    net = by_name["mlp_1x32", 60]
    # 64 pixels: more weights than points.
    assert net["parameters"] == 65 * 32 + 33 * 2
    assert net["estimate"] > 0.9
    known = next(row for row in summary["members"] if row["kind"] == "known")
    assert known["beyond"] <= 1e-9
    assert known["supremum"] - 0.12 < known["estimate"] <= known["supremum"]
    # Over all signs, and 40 of them: the standard error is about 0.02.
    assert abs(known["supremum"] - known["exact"]) < 0.1
    lines = [json.loads(text) for text in (finished / "metrics.jsonl").read_text().splitlines()]
    own = [line for line in lines if line["member"] == "mlp_1x32,n=60,sigma=2"]
    assert net["values"][2] == max(2 * line["train_accuracy"] - 1 for line in own)
    for name in ("figures/rademacher.svg", "tables/closed_forms.csv", "tables/known.md"):
        assert (finished / name).exists()
    assert "lower bound" in (finished / "report.html").read_text()
    assert left_in_english(finished) == []


def test_again_it_is_complete_and_a_stopped_one_goes_on(finished: Path, answer: Command) -> None:
    before = {name: (finished / name).read_bytes() for name in ("metrics.jsonl", "summary.json")}
    arguments = (
        f"{CONFIG}:models=mlp_1x32+linear,sizes=1,epochs=15",
        "--config.train_examples=60", "--config.crop_size=8", f"--workdir={finished}",
    )  # fmt: skip
    assert "Complete already" in answer(*arguments).stdout
    assert (finished / "summary.json").read_bytes() == before["summary.json"]
    # As a kill in the last sweep leaves it.
    (finished / "summary.json").unlink()
    lines = before["metrics.jsonl"].decode().splitlines(keepends=True)
    (finished / "metrics.jsonl").write_text("".join(lines[:-3]))
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    assert "linear,n=60" in result.stdout and "mlp_1x32,n=60,sigma" not in result.stdout
    again = json.loads((finished / "summary.json").read_text())
    assert again["members"] == json.loads(before["summary.json"])["members"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"draws": 1}, r"config\.draws=1 must be at least 2"),
        ({"learning_rate": 0.0}, r"config\.learning_rate=0\.0 must be above 0"),
        ({"model": "mlp_1x51"}, r"model='mlp_1x51' is not known: did you mean 'mlp_1x512'"),
        ({"optimizer": "adan"}, r"config\.optimizer='adan' is not known: did you mean 'adam'"),
    ],
)
def test_values_are_checked(changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        configs.members(theory_config("rademacher", **changes), settings.check)
    assert "corruption" not in theory_config("rademacher")  # signs are all the labels there are


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    result = answer(CONFIG, "--config.train_examples=9", f"--workdir={tmp_path / 'run'}")
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1
    assert "train_examples=9: at least 10 are needed" in result.stderr
    assert not (tmp_path / "run").exists()


def test_linear_programs_know_the_line() -> None:
    x = np.array([[0.0], [1.0], [2.0]])
    found = sorted(map(tuple, cover.separable_labels(x)))
    assert found == sorted([(0, 0, 0), (1, 1, 1), (0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)])
