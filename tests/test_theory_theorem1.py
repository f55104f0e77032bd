"""Theorem 1 against the triangular system of its proof, and the command around it."""

import io
import json
import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rethinking_jax import experiment
from rethinking_jax.config import Member
from rethinking_jax.errors import UserError
from rethinking_jax.report import __main__ as report
from rethinking_jax.theory import relu_network as net
from rethinking_jax.theory import theorem1, trained_width
from rethinking_jax.theory.data import Task, Tasks
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/theorem1.py"


def points(count: int, size: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, size), dtype=np.float32)


def test_the_weights_solve_the_triangular_system_of_the_proof() -> None:
    x = points(40)
    y = np.random.default_rng(1).normal(size=40)  # any real labels
    network, z = net.build(x, y, seed=3)
    order = np.argsort(z)
    system = np.maximum(z[order][:, None] - network.thresholds, 0)
    assert np.array_equal(system, np.tril(system))
    assert np.diag(system).min() > 0
    assert np.diag(system).min() == pytest.approx(np.linalg.eigvals(system).real.min())
    expected = np.linalg.solve(system, y[order])
    np.testing.assert_allclose(network.outgoing, expected, rtol=1e-8)
    np.testing.assert_allclose(z, x.astype(float) @ network.direction, rtol=1e-12)
    assert network.weights == 2 * 40 + 7


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([1, 2, 5, 33]), st.integers(2, 9), st.integers(0, 2**31 - 1))
def test_both_networks_take_any_labels(count: int, depth: int, seed: int) -> None:
    x = points(count, seed=seed)
    y = np.random.default_rng(seed).integers(0, 1000, count)
    network, z = net.build(x, y, seed)
    deep = net.build_deep(x, y, depth, seed)
    for values in (
        net.evaluate_sorted(network, z, np.float64),
        net.evaluate(network, x, np.float64),
        net.evaluate_deep(deep, x, np.float64),
    ):
        np.testing.assert_allclose(values, y, atol=1e-6)
    # b_1 < z_1 < b_2 < z_2 < ...
    woven = np.ravel(np.column_stack([network.thresholds, np.sort(z)]))
    assert (np.diff(woven) > 0).all()


def test_the_deep_network_has_the_corollary_s_size() -> None:
    x, y = points(1000), np.arange(1000) % 10
    for depth in (2, 3, 5, 11):
        deep = net.build_deep(x, y, depth, seed=0)
        assert len(deep.layers) == depth - 1
        assert deep.width == -(-1000 // (depth - 1)) + 3
        # One unit of two weights beside the points' own and two that hand on, in each layer.
        assert deep.weights == 2 * 1000 + 7 + 1 + 4 * (depth - 1)


def test_both_ways_to_evaluate_agree_between_the_points() -> None:
    x, y = points(50), np.arange(50) % 10
    network, _ = net.build(x, y, seed=0)
    others = points(200, seed=9)
    direct = net.evaluate(network, others, np.float64)
    z = others.astype(float) @ network.direction
    terms = np.maximum(z[:, None] - network.thresholds, 0) @ network.outgoing
    np.testing.assert_allclose(direct, terms, rtol=1e-9, atol=1e-9)
    sums = net.evaluate_sorted(network, z, np.float64)
    np.testing.assert_allclose(sums, terms, rtol=1e-9, atol=1e-9)


def test_equal_points_are_merged_or_named() -> None:
    x = points(6)
    x[4] = x[1]
    labels = np.array([0, 7, 2, 3, 7, 5])
    assert net.distinct(x, labels).tolist() == [0, 1, 2, 3, 5]
    labels[4] = 8
    with pytest.raises(UserError, match=r"at 1 and 4 .* labels 7 and 8"):
        net.distinct(x, labels)
    with pytest.raises(UserError, match="same projection"):
        net.build(x, labels, seed=0)


def test_a_network_that_misses_a_label_is_a_no() -> None:
    config = theory_config("theorem1")
    x, y = points(30), np.arange(30) % 10
    row = {"name": "a", **theorem1.measure(config, x, y)}
    assert [v.outcome for v in theorem1._verdicts([row])] == ["yes", "yes", "yes"]
    for key, value, which in (
        ("exact_float64", 0.9, 0),
        ("weights", 91, 0),
        ("deep_exact_float64", 0.9, 1),
        ("width", 300, 1),
        ("exact_float32", 0.9, 2),
    ):
        outcomes = [v.outcome for v in theorem1._verdicts([{**row, key: value}])]
        assert outcomes[which] == "no"
        assert outcomes.count("yes") == 2


def test_the_points_are_not_all_of_one_class(data_dir: Path) -> None:
    """mnist5k is in the order of its classes; float32 would look better than it is."""
    config = theory_config("theorem1", data_dir=str(data_dir), sampled_points=20)
    seen = []

    class Recorded(Tasks):
        def __call__(self, config: object) -> Task:
            return super().__call__(config)._replace(train_labels=np.arange(4000) // 400)

    tools = Tools(Recorded(seen.append), seen.append, nullcontext, lambda config, name: {}, print)
    found = theorem1.run([Member("a", config)], tools)
    assert [row["points"] for row in found.members] == [10, 30, 100, 300, 1000, 3000, 4000]
    assert found.members[0]["error_float32"] > 0
    assert found.members[-1]["exact_float64"] == 1
    assert found.members[-1]["exact_float32"] < 1


def test_the_command_keeps_the_contract_of_a_workdir(
    answer: Command, data_dir: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    arguments = (CONFIG, "--config.train_examples=100", "--config.trained_widths=",
                 f"--workdir={workdir}")  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    assert {row["name"] for row in summary["members"]} == {"true_labels", "random_labels"}
    for row in summary["members"]:
        assert row["exact_float64"] == row["deep_exact_float64"] == 1
        assert row["weights"] == 2 * row["points"] + 784
    outcomes = [verdict["outcome"] for verdict in summary["verdicts"]]
    assert outcomes[:2] == ["yes", "yes"]
    assert outcomes[3:] == ["not measured", "not measured"]  # nothing was trained
    assert not (workdir / "trained").exists()
    random = [row for row in summary["members"] if row["corruption"] == "random_labels"]
    assert abs(random[0]["flipped_fraction"] - 0.9) < 0.1
    for name in ("figures/theorem1.png", "tables/theorem1.csv", "tables/corollary1.md"):
        assert (workdir / name).stat().st_size > 100
    page = (workdir / "report.html").read_text()
    assert "2n + d weights takes any labels" in page
    for known in ("https://arxiv.org", "http://www.w3.org", "http-equiv"):
        page = page.replace(known, "")
    assert "http" not in page
    before = (workdir / "summary.json").read_bytes()
    console = Console(file=io.StringIO())
    config = theory_config("theorem1", train_examples=100, data_dir=str(data_dir))
    config.sweep = json.dumps(json.loads((workdir / "config.json").read_text())["sweep"])
    assert experiment.run(config, workdir, console=console) == json.loads(before)
    assert "Complete already" in console.file.getvalue()
    assert (workdir / "summary.json").read_bytes() == before
    config.seed = 1
    with pytest.raises(UserError, match=r"seed \(0 there, 1 now\)"):
        experiment.run(config, workdir, console=console)
    assert left_in_english(workdir) == []


def test_a_workdir_is_drawn_again_from_its_files(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = theory_config("theorem1", train_examples=30, data_dir=str(data_dir))
    workdir = tmp_path / "run"
    experiment.run(config, workdir, console=Console(file=io.StringIO()))
    drawn = [
        workdir / name for name in ("report.html", "figures/theorem1.svg", "tables/theorem1.csv")
    ]
    before = [file.read_bytes() for file in drawn]
    summary = (workdir / "summary.json").read_bytes()
    for file in drawn:
        file.unlink()
    assert report.main([str(workdir)]) == 0
    assert [file.read_bytes() for file in drawn] == before
    assert (workdir / "summary.json").read_bytes() == summary
    other = tmp_path / "other"
    experiment.run(config, other, console=Console(file=io.StringIO()))
    assert report.main([str(workdir), str(other), f"--output={tmp_path / 'all.html'}"]) == 0
    together = (tmp_path / "all.html").read_text()
    assert together.count("<h2>theorem1 on mnist5k</h2>") == 2
    ids = re.findall(r'\bid="([^"]*)"', together)
    assert len(ids) == len(set(ids)) and {"s0f0", "s1f0"} <= set(ids)
    (workdir / "findings.json").unlink()
    assert report.main([str(workdir)]) == 2
    assert "measures it anew" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--config.depth=1", ["config.depth=1", "at least 2"]),
        ("--config.trained_widths=64+16", ["config.trained_widths='64+16'", "rising"]),
        ("--config.trained_widths=wide", ["config.trained_widths='wide'", "joined by +"]),
        ("--config.epochs=3", ["config.epochs", "not a config key"]),
        ("--config.kind=kernel", ["config.kind=kernel", "configs/kernel.py"]),
        ("--config.train_examples=9999", ["9999", "4,000"]),
    ],
)
def test_bad_input_is_one_line(
    argument: str, words: list[str], answer: Command, tmp_path: Path
) -> None:
    result = answer(CONFIG, argument, f"--workdir={tmp_path / 'run'}")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert not (tmp_path / "run").exists()


def test_equal_images_with_different_labels_end_the_run(tmp_path: Path) -> None:
    images = np.zeros((6, 4, 4), np.uint8)
    images[:, 0, 0] = [0, 1, 2, 1, 4, 5]
    file = tmp_path / "mine.npz"
    labels = np.array([0, 1, 0, 2, 0, 1])
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels)
    config, console = theory_config("theorem1", dataset=str(file)), Console(file=io.StringIO())
    with pytest.raises(UserError, match="at 1 and 3 are equal images with the labels 1 and 2"):
        experiment.run(config, tmp_path / "run", console=console)
    assert not (tmp_path / "run").exists()
    labels[3] = 1
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels)
    summary = experiment.run(config, tmp_path / "run", console=console)
    assert summary["members"][-1]["points"] == 5
    assert "1 images that equal another" in console.file.getvalue()


@pytest.mark.slow
def test_the_smallest_width_is_the_first_whose_run_fitted(data_dir: Path, tmp_path: Path) -> None:
    """One unit cannot: its logits are affine in one number, which separates few classes."""
    config = theory_config(
        "theorem1",
        data_dir=str(data_dir),
        train_examples=80,
        sampled_points=20,
        corruption="random_labels",
        trained_widths="1+64",
        trained_epochs=50,
    )
    workdir = tmp_path / "run"
    summary = experiment.run(config, workdir, console=Console(file=io.StringIO()))
    few, all_ = (row for row in summary["members"] if "trained" in row)
    assert (few["points"], all_["points"]) == (20, 80)
    for row in (few, all_):
        assert row["trained"]["1"] < 1 == row["trained"]["64"]
        assert row["width"] == 64
        assert row["weights"] == 64 * 785 + 65 * 10
        assert row["ratio"] == row["weights"] / (2 * row["points"] + 784)
    trained = json.loads((workdir / "trained" / "summary.json").read_text())
    runs = {run["name"]: run for run in trained["members"]}
    assert len(runs) == 4
    # As many steps for few points as for all, and the labels that the construction takes.
    steps = {name: run["steps"] for name, run in runs.items()}
    assert steps["random_labels, 20 points, width 1"] == 200
    assert steps["random_labels, 80 points, width 1"] == 50
    task = Tasks(lambda line: None)(config)
    with np.load(workdir / "trained" / "labels.npz") as labels:
        assert np.array_equal(labels["random_labels, 80 points, width 64"], task.train_labels)
    assert (workdir / "figures" / "trained_widths.png").exists()
    assert [v["outcome"] for v in summary["verdicts"]][3:] == ["yes", "yes"]


def test_a_ladder_that_is_too_short_is_a_no() -> None:
    def row(points: int, width: int | None, ratio: float | None) -> dict:
        return {"name": "a", "points": points, "width": width, "ratio": ratio}

    def outcomes(*rows: dict) -> list[str]:
        return [v.outcome for v in trained_width.verdicts(rows)]

    assert outcomes(row(10, 4, 0.5), row(40, 16, 1.5)) == ["yes", "yes"]
    assert outcomes(row(10, 4, 0.5), row(40, None, None)) == ["no", "not measured"]
    assert outcomes(row(10, 4, 2.0), row(40, 4, 0.9)) == ["yes", "no"]
    assert outcomes() == ["not measured"] * 2


def test_time_to_train_without_widths_is_refused(tmp_path: Path) -> None:
    config = theory_config("theorem1", trained_epochs=7)
    with pytest.raises(UserError, match=r"trained_epochs=7 has no effect: .* trained_widths"):
        experiment.run(config, tmp_path / "run")
