"""SGD on a linear model against closed forms."""

import io
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from rich.console import Console

from rethinking_jax import experiment
from rethinking_jax.analysis import results
from rethinking_jax.errors import UserError
from rethinking_jax.theory import min_norm
from rethinking_jax.theory.data import Task
from rethinking_jax.theory.settings import theory_config


def data(count: int = 6, size: int = 15) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, size)), rng.normal(size=(count, 2))


def test_the_reference_is_the_pseudo_inverse() -> None:
    x, y = data()
    least, basis = min_norm.least_norm(x, y)
    np.testing.assert_allclose(least, np.linalg.pinv(x) @ y, atol=1e-12)
    np.testing.assert_allclose(least, x.T @ np.linalg.solve(x @ x.T, y), atol=1e-12)
    np.testing.assert_allclose(x @ least, y, atol=1e-12)
    np.testing.assert_allclose(basis @ (basis.T @ x.T), x.T, atol=1e-12)


def test_one_example_has_a_closed_form() -> None:
    """w' = w + rate x (y - x w): the error shrinks by 1 - rate |x|^2 a step."""
    x, y = np.array([[3.0, 4.0]]), np.array([[2.0]])
    start = np.array([[1.0], [-2.0]])
    path = min_norm.descend(x, y, start, 0.01, batch_size=1, steps=7, seed=0)
    assert path.steps.tolist() == list(range(1, 8))
    for steps, w in zip(path.steps, path.weights, strict=True):
        error = (y - x @ start) * (1 - 0.01 * 25) ** steps
        np.testing.assert_allclose(y - x @ w, error, rtol=1e-12)
        np.testing.assert_allclose(w - start, x.T @ (x @ (w - start)) / 25, rtol=1e-12)


def test_full_batches_follow_the_closed_form_of_gradient_descent() -> None:
    """w_t = X+ y + (I - rate X'X / n)^t (w_0 - X+ y), the part outside the span included."""
    x, y = data()
    start = np.random.default_rng(2).normal(size=(15, 2))
    path = min_norm.descend(x, y, start, 0.05, batch_size=6, steps=3000, seed=0)
    least = np.linalg.pinv(x) @ y
    shrink = np.eye(15) - 0.05 * x.T @ x / 6
    for i in (0, 7, len(path.steps) - 1):
        expected = least + np.linalg.matrix_power(shrink, int(path.steps[i])) @ (start - least)
        np.testing.assert_allclose(path.weights[i], expected, atol=1e-9)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_both_limits(batch_size: int) -> None:
    x, y = data()
    least = np.linalg.pinv(x) @ y
    start = np.random.default_rng(3).normal(size=(15, 2))
    outside = start - np.linalg.pinv(x) @ (x @ start)
    rate = 1 / (x**2).sum(1).max()
    for begin, limit in ((np.zeros((15, 2)), least), (start, least + outside)):
        path = min_norm.descend(x, y, begin, rate, batch_size, steps=6000, seed=1)
        np.testing.assert_allclose(path.weights[-1], limit, atol=1e-8)
    again = min_norm.descend(x, y, start, rate, batch_size, steps=50, seed=1)
    other = min_norm.descend(x, y, start, rate, batch_size, steps=50, seed=2)
    assert not np.allclose(again.weights[-1], other.weights[-1], atol=1e-6)


def test_fourier_features_approximate_the_gaussian_kernel() -> None:
    images = np.random.default_rng(0).random((5, 6, 6, 1), dtype=np.float32)
    labels = np.zeros(5, np.int32)
    config = theory_config("min_norm", num_features=40_000)
    x, _ = min_norm.make_features(config, Task(images, labels, images, labels, 10, 0.0))
    flat = images.reshape(5, -1)
    distances = ((flat[:, None] - flat[None]) ** 2).sum(-1)
    # The standard deviation of an entry is at most 1 / sqrt(40,000) = 0.005.
    np.testing.assert_allclose(x @ x.T, np.exp(-0.02 * distances), atol=0.03)


def test_too_few_steps_are_a_no(data_dir: Path) -> None:
    def outcomes(**changes: object) -> list[str]:
        config = theory_config(
            "min_norm", data_dir=str(data_dir), train_examples=20, num_features=300, **changes
        )
        config.batch_size = 5
        from rethinking_jax.config import Member
        from rethinking_jax.theory.data import Tasks
        from rethinking_jax.theory.kind import Tools

        say = [].append
        tools = Tools(Tasks(say), say, nullcontext, lambda config, name: {}, print)
        return [v.outcome for v in min_norm.run([Member("a", config)], tools).verdicts]

    assert outcomes(steps=3000) == ["yes", "yes", "yes", "not measured"]
    assert outcomes(steps=3) == ["no", "yes", "no", "not measured"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_examples": 100, "num_features": 100}, "fewer examples than weights"),
        ({"train_examples": 30, "steps": 1, "ntk_widths": "8"}, "ntk_examples=40: there are 30"),
        ({"ntk_widths": "8+8"}, "ntk_widths='8\\+8' must be rising"),
        ({"train_examples": 10}, "batch_size=20 is more than 10"),
        ({"train_examples": 30, "learning_rate": 1e9, "steps": 200}, "diverged"),
    ],
)
def test_what_has_no_answer_is_one_line(changes: dict, words: str, data_dir: Path) -> None:
    config = theory_config("min_norm", data_dir=str(data_dir), **changes)
    folder = data_dir / "never"
    with pytest.raises(UserError, match=words):
        experiment.run(config, folder, console=Console(file=io.StringIO()))
    assert not folder.exists()


def test_the_command(answer: Command, tmp_path: Path) -> None:
    result = answer(
        "--config=configs/min_norm.py:train_examples=40,ntk_widths=16+256",
        "--config.steps=10000", "--config.ntk_examples=20", "--config.ntk_seeds=2",
        "--config.language=es",
        f"--workdir={tmp_path / 'run'}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    zero, other, narrow, wide = summary["members"]
    assert (narrow["width"], wide["width"]) == (16, 256)
    assert narrow["distance"] > wide["distance"] > 0
    halved = wide["distance"] <= narrow["distance"] / 2
    assert summary["verdicts"][-1]["outcome"] == ("yes" if halved else "no")
    assert zero["to_least_norm"] < 1e-3 > other["to_predicted"]
    assert other["to_least_norm"] == pytest.approx(other["outside"], rel=1e-3)
    assert zero["norm"] == pytest.approx(zero["least_norm"], rel=1e-3)
    assert other["norm"] > zero["norm"]
    with pytest.raises(UserError, match="min_norm, an experiment of theory"):
        results.read(tmp_path / "run")
    for name in ("figures/min_norm.svg", "figures/ntk.png", "tables/min_norm.csv", "report.html"):
        assert (tmp_path / "run" / name).exists()
    assert left_in_english(tmp_path / "run") == []
