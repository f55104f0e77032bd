"""Kernel machines against SciPy in float64, closed forms, and what cannot be solved."""

import io
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.signal
from conftest import Command
from rich.console import Console

from rethinking_jax.errors import UserError
from rethinking_jax.theory import features, kernel, kernel_solve
from rethinking_jax.theory.data import Task, Tasks, rows
from rethinking_jax.theory.experiment import run_theory
from rethinking_jax.theory.settings import theory_config


@pytest.fixture(scope="module")
def task(data_dir: Path) -> Task:
    config = theory_config("kernel", data_dir=str(data_dir), train_examples=300)
    return Tasks(lambda line: None)(config)


def reference(task: Task, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Kernel matrices in float64 from differences, not from expanded squares."""
    x, y = (rows(part).astype(np.float64) for part in (task.train_images, task.test_images))
    distances = [scipy.spatial.distance.cdist(part, x, "sqeuclidean") for part in (x, y)]
    return np.exp(-gamma * distances[0]), np.exp(-gamma * distances[1])


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_predictions_and_coefficients_are_scipy_s(task: Task, kind: type, ridge: float) -> None:
    train, cross = reference(task, 0.02)
    targets = np.eye(10)[task.train_labels]
    expected = scipy.linalg.solve(train + ridge * np.eye(300), targets, assume_a="pos")
    made = kernel_solve.gaussian(rows(task.train_images), rows(task.test_images), 0.02, kind)
    np.testing.assert_allclose(made.train, train, atol=1e-5 if kind is np.float32 else 1e-12)
    found = kernel_solve.solve(made.train, targets, ridge)
    # A float32 kernel is another matrix: its solution is exact, for that matrix.
    assert found.residual < 1e-11
    tolerance = 1e-3 if kind is np.float32 else 1e-9
    assert np.abs(found.coefficients - expected).max() < tolerance * np.abs(expected).max()
    predicted = kernel_solve.product(made.cross, found.coefficients)
    assert np.array_equal(predicted.argmax(1), (cross @ expected).argmax(1))
    assert np.abs(predicted - cross @ expected).max() < tolerance


def test_a_float32_factorization_refined_gives_float64_digits(task: Task) -> None:
    made = kernel_solve.gaussian(rows(task.train_images), rows(task.test_images), 0.02, np.float32)
    targets = np.eye(10)[task.train_labels]
    expected = scipy.linalg.solve(np.asarray(made.train, np.float64), targets)
    found = kernel_solve.solve(made.train, targets, 0.0)
    assert "float32, refined" in found.solver
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-9 * np.abs(expected).max())


def test_the_closed_form_for_two_points() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    made = kernel_solve.gaussian(x, x[:1], 0.02, np.float64)
    k = np.exp(-0.02 * 25)
    np.testing.assert_allclose(made.train, [[1, k], [k, 1]], rtol=1e-12)
    found = kernel_solve.solve(made.train, np.eye(2), 0.25)
    expected = np.array([[1.25, -k], [-k, 1.25]]) / (1.25**2 - k**2)
    np.testing.assert_allclose(found.coefficients, expected, rtol=1e-12)


def test_a_large_ridge_leaves_the_labels_over_the_ridge(task: Task) -> None:
    """(K + r I) alpha = Y: alpha goes to Y / r as r grows."""
    made = kernel_solve.gaussian(rows(task.train_images), rows(task.test_images), 0.02, np.float64)
    targets = np.eye(10)[task.train_labels]
    for ridge in (1e4, 1e6):
        found = kernel_solve.solve(made.train, targets, ridge)
        off = np.abs(ridge * found.coefficients - targets).max()
        assert off < np.linalg.norm(made.train, 2) / ridge


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_singular_kernel_gets_the_solution_of_least_norm_and_says_so(kind: type) -> None:
    x = np.random.default_rng(0).normal(size=(40, 6))
    gram = jnp.asarray(x @ x.T, np.float32)
    if kind is np.float64:
        with jax.enable_x64(True):
            gram = jnp.asarray(x @ x.T)
    targets = x @ np.random.default_rng(1).normal(size=(6, 2))  # within its range
    found = kernel_solve.solve(gram, targets, 0.0)
    assert "singular" in found.solver
    assert "rank 6 of 40" in found.solver
    expected = np.linalg.pinv(x @ x.T) @ targets
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-3 if kind is np.float32
                               else 1e-11)  # fmt: skip
    np.testing.assert_allclose(found.fitted, targets, atol=1e-3 if kind is np.float32 else 1e-11)


def test_equal_images_with_different_labels_cannot_both_be_fitted(task: Task) -> None:
    images = task.train_images[:50].copy()
    images[7] = images[3]
    made = kernel_solve.gaussian(rows(images), rows(images), 0.02, np.float64)
    found = kernel_solve.solve(made.train, np.eye(50), 0.0)
    assert "rank 49 of 50" in found.solver
    # The two get the mean of what they ask for.
    np.testing.assert_allclose(found.fitted[3, [3, 7]], [0.5, 0.5], atol=1e-9)
    ridged = kernel_solve.solve(made.train, np.eye(50), 0.1)
    assert "Cholesky" in ridged.solver


def test_random_convolutional_features_are_scipy_s(task: Task) -> None:
    filters = features.random_patches(task.train_images, 70, seed=4)
    assert np.abs(filters.mean((0, 1, 2))).max() < 1e-6
    np.testing.assert_allclose((filters**2).sum((0, 1, 2)), 1, rtol=1e-5)
    found = features.convolved(task.train_images[:2], filters)
    response = scipy.signal.correlate2d(
        task.train_images[1, ..., 0], filters[..., 0, 5], mode="valid"
    )
    assert response.shape == (23, 23)
    for sign, start in ((1, 5), (-1, 75)):
        positive = np.maximum(sign * response, 0)
        quadrants = [positive[:11, :11], positive[:11, 11:], positive[11:, :11], positive[11:, 11:]]
        for i, quadrant in enumerate(quadrants):
            assert found[1, 140 * i + start] == pytest.approx(quadrant.mean(), abs=1e-5)
    # Streamed by blocks of filters, the kernel is that of all features at once.
    train, test = task.train_images[:30], task.test_images[:10]
    made = kernel_solve.from_features(
        lambda: features.blocks(train, test, filters), 30, 10, np.float64
    )
    whole, others = (features.convolved(part, filters).astype(float) for part in (train, test))
    gram = whole @ whole.T
    np.testing.assert_allclose(made.train, gram / np.diag(gram).mean(), rtol=1e-5)
    np.testing.assert_allclose(made.cross, others @ whole.T / np.diag(gram).mean(), rtol=1e-5)


def test_wavelets_answer_to_their_own_direction_and_not_to_brightness() -> None:
    x = np.tile(np.arange(42), (42, 1))
    flat = np.full((42, 42), 0.7)
    upright = 0.5 + 0.5 * np.cos(2 * np.pi * x / 5)  # varies along x, with wavelength 5
    images = np.stack([flat, upright])[..., None].astype(np.float32)
    found = features.gabor(images).reshape(2, 6, 6, 25)
    inner = found[:, 2:4, 2:4]  # beyond the reach of the border
    np.testing.assert_allclose(inner[0, ..., 0], 0.7, rtol=1e-5)
    assert np.abs(inner[0, ..., 1:]).max() < 1e-5
    strongest = inner[1, ..., 1:].mean((0, 1)).argmax()
    assert strongest == 1 * 8 + 0  # the second wavelength, the first direction


def test_what_does_not_fit_names_the_largest_number_that_does() -> None:
    free = 10**9
    assert kernel_solve.choose_precision("auto", 1000, 100, free) is np.float64
    assert kernel_solve.choose_precision("auto", 6000, 100, free) is np.float32
    with pytest.raises(UserError) as caught:
        kernel_solve.choose_precision("float64", 60_000, 10_000, free)
    largest = int(str(caught.value).split("train_examples=")[1].split()[0])
    assert kernel_solve.choose_precision("float64", largest, 10_000, free) is np.float64
    with pytest.raises(UserError):
        kernel_solve.choose_precision("float64", largest + 2, 10_000, free)


def test_verdicts_follow_the_numbers() -> None:
    common = {"ridge": 0.0, "num_classes": 10, "test_examples": 1000, "train_error": 0.0}
    measured = [
        {"kernel": k, "corruption": c, "norm": norm, "test_error": error, **common}
        for k, c, norm, error in (
            ("gaussian", "true_labels", 40, 0.03),
            ("gaussian", "random_labels", 150, 0.9),
            ("gabor", "true_labels", 50, 0.02),
        )
    ]

    def outcomes(*changed: dict) -> list[str]:
        rows = [{**row, **dict(change)} for row, change in zip(measured, changed, strict=True)]
        return [v.outcome for v in kernel._verdicts(rows)]

    assert outcomes({}, {}, {}) == ["yes"] * 5
    assert outcomes({"train_error": 0.01}, {}, {})[0] == "no"
    assert outcomes({"test_error": 0.6}, {}, {})[1] == "no"
    assert outcomes({}, {"test_error": 0.8}, {})[2] == "no"
    assert outcomes({}, {}, {"norm": 30})[3] == "no"
    assert outcomes({}, {"norm": 30}, {})[4] == "no"
    assert [v.outcome for v in kernel._verdicts(measured[:1])][2:] == ["not measured"] * 3


def test_the_command_solves_mnist5k_subsets(command: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    result = command(
        "--config=configs/kernel.py:train_examples=300,kernel=gaussian,ridge=0",
        f"--workdir={workdir}",
    )
    assert result.returncode == 0, result.stderr
    found = {
        (row["kernel"], row["corruption"]): row
        for row in json.loads((workdir / "summary.json").read_text())["members"]
    }
    true, random = (found["gaussian", f"{name}_labels"] for name in ("true", "random"))
    assert true["train_error"] == random["train_error"] == 0
    assert true["test_error"] < 0.2
    assert abs(random["test_error"] - 0.9) < 0.05
    assert random["norm"] > 1.5 * true["norm"]
    for name in ("figures/kernel.png", "tables/kernel.csv", "report.html"):
        assert (workdir / name).exists()


def test_too_many_examples_end_the_run_before_it_starts(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = theory_config("kernel", data_dir=str(data_dir))
    monkeypatch.setattr(kernel, "free_bytes", lambda device: 10**7)
    with pytest.raises(UserError, match=r"--config.train_examples=\d+ fit"):
        run_theory(config, tmp_path / "run", console=Console(file=io.StringIO()))
    assert not (tmp_path / "run").exists()
