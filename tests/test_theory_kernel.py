"""Kernel machines against SciPy in float64, closed forms, and what cannot be solved."""

import io
import json
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
import scipy.linalg
import scipy.signal
from conftest import Command
from helpers.words import left_in_english
from rich.console import Console

from rethinking_jax import experiment
from rethinking_jax.data import watch
from rethinking_jax.errors import UserError
from rethinking_jax.report import __main__ as report
from rethinking_jax.theory import (
    cholesky,
    features,
    kernel,
    kernel_matrix,
    kernel_solve,
    random_filters,
)
from rethinking_jax.theory.data import Task, Tasks, rows
from rethinking_jax.theory.kernel_cg import conjugate_gradients, nystroem
from rethinking_jax.theory.kernel_matrix import Kernel
from rethinking_jax.theory.kernel_verdicts import verdicts
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


def held(matrix: np.ndarray) -> Kernel:
    """A kernel of this matrix, on no test examples."""
    return Kernel(len(matrix), matrix, lambda chosen: matrix[chosen], lambda alpha: alpha[:0])


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that 300 examples take several, the last of them smaller."""
    monkeypatch.setattr(kernel_matrix, "ROWS", 128)
    monkeypatch.setattr(cholesky, "BLOCK", 128)
    monkeypatch.setattr(cholesky, "WHOLE", 0)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["in place", "on a device", "cg"])
def test_predictions_and_coefficients_are_scipy_s(
    task: Task, kind: type, ridge: float, solver: str, small_blocks: None
) -> None:
    train, cross = reference(task, 0.02)
    targets = np.eye(10)[task.train_labels]
    expected = scipy.linalg.solve(train + ridge * np.eye(300), targets, assume_a="pos")
    images = rows(task.train_images), rows(task.test_images)
    options = {"held": solver != "cg", "host": solver == "in place"}
    made = kernel_matrix.gaussian(*images, 0.02, kind, **options)
    assert isinstance(made.train, {"in place": np.ndarray, "cg": type(None)}.get(solver, jax.Array))
    found_rows = np.asarray(made.rows(np.array([299, 4])))
    atol = 1e-5 if kind is np.float32 else 1e-12
    np.testing.assert_allclose(found_rows, train[[299, 4]], atol=atol)
    solve = kernel_solve.solve if made.train is not None else partial(cg, seed=0)
    found = solve(made, targets, ridge)
    # A float32 kernel is another matrix: its solution is exact, for that matrix.
    assert found.residual < (1e-7 if solver == "cg" else 1e-11)
    assert found.converged
    tolerance = 1e-3 if kind is np.float32 else 1e-6 if solver == "cg" else 1e-9
    assert np.abs(found.coefficients - expected).max() < tolerance * np.abs(expected).max()
    predicted = made.predict(found.coefficients)
    assert np.array_equal(predicted.argmax(1), (cross @ expected).argmax(1))
    assert np.abs(predicted - cross @ expected).max() < tolerance
    np.testing.assert_allclose(found.fitted, train @ found.coefficients, atol=tolerance)
    if made.train is not None:  # and can be solved again, with another ridge
        np.testing.assert_allclose(made.train, train, atol=atol)


def cg(made: Kernel, targets: np.ndarray, ridge: float, seed: int) -> kernel_solve.Solution:
    """With a preconditioner of low rank: with one of full rank there is nothing to iterate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_solve, "RANK", 60)
        found = kernel_solve.solve_cg(made, targets, ridge, seed)
    assert "rank 60" in found.solver
    assert int(found.solver.split()[-2]) > 5
    return found


def test_a_float32_factorization_refined_gives_float64_digits(task: Task) -> None:
    made = kernel_matrix.gaussian(rows(task.train_images), rows(task.test_images), 0.02, np.float32)
    targets = np.eye(10)[task.train_labels]
    below = np.tril(made.train.astype(np.float64), -1)
    expected = scipy.linalg.solve(below + below.T + np.eye(300), targets)
    found = kernel_solve.solve(made, targets, 0.0)
    assert "float32, refined" in found.solver
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-9 * np.abs(expected).max())


def test_beyond_float32_the_factor_of_a_shifted_matrix_preconditions(small_blocks: None) -> None:
    """100 pairs of neighbours, so near that a pivot of float32 is nothing but rounding."""
    matrix = np.kron(np.eye(100), [[1, 1 - 2**-21], [1 - 2**-21, 1]]).astype(np.float32)
    exact = matrix.astype(np.float64)
    targets = np.random.default_rng(0).normal(size=(200, 3))
    least = kernel_solve.solve(held(matrix.copy()), targets, 0.0)
    assert "singular: least norm by eigenvalues, rank 100 of 200" in least.solver
    # Where memory does not hold eigenvectors:
    found = kernel_solve.solve(held(matrix.copy()), targets, 0.0, free=matrix.nbytes)
    assert "singular to float32: Cholesky float32 of K + 2.4e-05 I" in found.solver
    assert found.residual < 1e-9
    expected = np.linalg.solve(exact, targets)
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("whole", [0, cholesky.WHOLE])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_factor_lies_above_the_diagonal_and_the_matrix_below(
    kind: type, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cholesky, "BLOCK", 30)
    monkeypatch.setattr(cholesky, "WHOLE", whole)
    told: list[tuple[int, int]] = []
    x = np.random.default_rng(0).normal(size=(100, 120))
    original = (x @ x.T / 120 + np.eye(100)).astype(kind)
    matrix, diagonal = original.copy(), original.diagonal().copy()
    monkeypatch.setattr(cholesky, "BILLION", 1000)
    assert cholesky.factor_in_place(matrix, lambda what, done, total: told.append((done, total)))
    # n^3 / 3 operations in all, of which the first 90 rows are 97 %.
    assert told == ([] if whole else [(0, 333), (72, 333), (216, 333), (324, 333)])
    close = {"atol": 1e-5 if kind is np.float32 else 1e-12}
    np.testing.assert_allclose(np.triu(matrix), scipy.linalg.cholesky(original), **close)
    assert np.array_equal(np.tril(matrix, -1), np.tril(original, -1))
    vectors = np.random.default_rng(1).normal(size=(100, 3))
    solved = cholesky.solve_factored(matrix, vectors)
    np.testing.assert_allclose(solved, np.linalg.solve(original, vectors), **close)
    product = cholesky.lower_product(matrix, diagonal, vectors)
    expected = original.astype(np.float64) @ vectors
    np.testing.assert_allclose(product, expected, rtol=1e-6, atol=1e-6)
    cholesky.restore(matrix, diagonal)
    assert np.array_equal(matrix, np.tril(original) + np.tril(original, -1).T)
    np.fill_diagonal(matrix, 0)
    assert not cholesky.factor_in_place(matrix)


def test_conjugate_gradients_end_in_as_many_steps_as_there_are_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(50, 50)))[0]
    matrix = (basis * np.repeat([1.0, 5.0, 40.0, 300.0, 2000.0], 10)) @ basis.T
    targets = rng.normal(size=(50, 4))
    targets[:, 3] = 0  # already solved
    options = {"enough": 1e-9, "most": 50, "patience": 50}
    found = conjugate_gradients(lambda v: matrix @ v, lambda v: v, targets, **options)
    assert 5 <= found.steps <= 7  # 5, were it not for rounding
    np.testing.assert_allclose(found.solution, np.linalg.solve(matrix, targets), atol=1e-8)
    best = conjugate_gradients(
        lambda v: matrix @ v, lambda v: np.linalg.solve(matrix, v), targets, **options
    )
    assert best.steps == 1


def test_the_preconditioner_is_the_inverse_of_a_kernel_of_its_rank() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    apply = nystroem(held(x @ x.T), 0.3, 12, seed=0)
    vectors = x @ rng.normal(size=(6, 3))  # on the span; elsewhere nothing is known
    expected = np.linalg.solve(x @ x.T + 0.3 * np.eye(40), vectors)
    values = np.linalg.eigvalsh(x @ x.T)[-6:]
    found = apply(vectors) / (values[0] + 0.3)  # scaled to be 1 on what is not the span
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_too_few_steps_are_said_to_have_solved_nothing(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_solve, "RANK", 2)
    monkeypatch.setattr(kernel_solve, "CG_STEPS", 2)
    images = rows(task.train_images), rows(task.test_images)
    made = kernel_matrix.gaussian(*images, 0.02, np.float64, held=False)
    targets = np.eye(10)[task.train_labels]
    found = kernel_solve.solve_cg(made, targets, 0.0, seed=0)
    assert not found.converged
    assert "not converged" in found.solver
    left = np.linalg.norm(reference(task, 0.02)[0] @ found.coefficients - targets)
    assert found.residual == pytest.approx(left / np.linalg.norm(targets), rel=1e-6)


def test_the_closed_form_for_two_points() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    made = kernel_matrix.gaussian(x, x[:1], 0.02, np.float64)
    k = np.exp(-0.02 * 25)
    np.testing.assert_allclose(made.train, [[1, k], [k, 1]], rtol=1e-12)
    found = kernel_solve.solve(made, np.eye(2), 0.25)
    expected = np.array([[1.25, -k], [-k, 1.25]]) / (1.25**2 - k**2)
    np.testing.assert_allclose(found.coefficients, expected, rtol=1e-12)


def test_a_large_ridge_leaves_the_labels_over_the_ridge(task: Task) -> None:
    """(K + r I) alpha = Y: alpha goes to Y / r as r grows."""
    made = kernel_matrix.gaussian(rows(task.train_images), rows(task.test_images), 0.02, np.float64)
    targets = np.eye(10)[task.train_labels]
    for ridge in (1e4, 1e6):
        found = kernel_solve.solve(made, targets, ridge)
        off = np.abs(ridge * found.coefficients - targets).max()
        assert off < np.linalg.norm(made.train, 2) / ridge


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_singular_kernel_gets_the_solution_of_least_norm_and_says_so(kind: type) -> None:
    x = np.random.default_rng(0).normal(size=(40, 6))
    gram = (x @ x.T).astype(kind)
    targets = x @ np.random.default_rng(1).normal(size=(6, 2))  # within its range
    found = kernel_solve.solve(held(gram), targets, 0.0)
    assert "singular" in found.solver
    assert "rank 6 of 40" in found.solver
    expected = np.linalg.pinv(x @ x.T) @ targets
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-3 if kind is np.float32
                               else 1e-11)  # fmt: skip
    np.testing.assert_allclose(found.fitted, targets, atol=1e-3 if kind is np.float32 else 1e-11)


def test_equal_images_with_different_labels_cannot_both_be_fitted(task: Task) -> None:
    images = task.train_images[:50].copy()
    images[7] = images[3]
    made = kernel_matrix.gaussian(rows(images), rows(images), 0.02, np.float64)
    found = kernel_solve.solve(made, np.eye(50), 0.0)
    assert "rank 49 of 50" in found.solver
    # The two get the mean of what they ask for.
    np.testing.assert_allclose(found.fitted[3, [3, 7]], [0.5, 0.5], atol=1e-9)
    ridged = kernel_solve.solve(made, np.eye(50), 0.1)
    assert "Cholesky" in ridged.solver


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


def test_the_plan_follows_from_memory() -> None:
    def plan(
        count: int,
        free: float,
        solver: str = "auto",
        precision: str = "auto",
        blockwise: bool = True,
    ) -> kernel_solve.Plan:
        return kernel_solve.plan(
            solver, precision, count, 784 * count, int(free), host=True, blockwise=blockwise
        )

    assert plan(10_000, 20e9)[:3] == ("cholesky", np.float64, True)
    # All of Fashion-MNIST beside 14.4 GB of matrix.
    whole = plan(60_000, 20e9)
    assert whole[:3] == ("cholesky", np.float32, True)
    assert 14.4e9 < whole.needed < 18e9
    assert plan(60_000, 10e9)[:3] == ("cg", np.float64, False)
    assert plan(60_000, 40e9, "cg")[:3] == ("cg", np.float64, False)
    assert plan(20_000, 10e9, "cg", blockwise=False)[:3] == ("cg", np.float64, True)
    assert not kernel_solve.plan(
        "auto", "float32", 60_000, 0, 20 * 10**9, host=False, blockwise=True
    ).held  # a device's factor lies beside the matrix


@pytest.mark.parametrize("host", [True, False])
@pytest.mark.parametrize("solver", ["auto", "cholesky"])
def test_what_does_not_fit_names_the_largest_number_that_does(solver: str, host: bool) -> None:
    def plan(count: int) -> kernel_solve.Plan:
        size = 20 * count
        return kernel_solve.plan(solver, "float64", count, size, 10**9, host=host, blockwise=False)

    with pytest.raises(UserError, match="60,000 training examples need") as caught:
        plan(60_000)
    largest = int(str(caught.value).split("train_examples=")[1].split()[0])
    assert largest > 1000
    assert plan(largest).dtype is np.float64
    with pytest.raises(UserError):
        plan(largest + 2)


def test_verdicts_follow_the_numbers() -> None:
    common = {"ridge": 0.0, "num_classes": 10, "test_examples": 1000, "train_error": 0.0,
              "test_deviation": 0.02, "converged": True}  # fmt: skip
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
        return [v.outcome for v in verdicts(rows)]

    assert outcomes({}, {}, {}) == ["yes"] * 5
    assert outcomes({"train_error": 0.01}, {}, {})[0] == "no"
    # A quarter of the way from chance to no error, as for networks: the paper's 0.46 is a yes.
    assert outcomes({"test_error": 0.67}, {}, {})[1] == "yes"
    assert outcomes({"test_error": 0.68}, {}, {})[1] == "no"
    # Six binomial deviations, and three of those over renamings of the classes.
    assert outcomes({}, {"test_error": 0.841}, {})[2] == "yes"
    assert outcomes({}, {"test_error": 0.839}, {})[2] == "no"
    assert outcomes({}, {}, {"norm": 30})[3] == "no"
    assert outcomes({}, {"norm": 30}, {})[4] == "no"
    # What is no solution says nothing, for or against.
    unsolved = outcomes({"converged": False, "train_error": 0.1}, {}, {})
    assert [unsolved[i] for i in (0, 3, 4)] == ["yes", "not measured", "not measured"]
    assert [v.outcome for v in verdicts(measured[:1])][2:] == ["not measured"] * 3


def test_the_command_solves_mnist5k_subsets(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    result = answer(
        "--config=configs/kernel.py:train_examples=300,kernel=gaussian,ridge=0",
        "--config.language=es",
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
    assert left_in_english(workdir) == []
    page = workdir / "report.html"
    assert "Afirmaciones" in page.read_text() and "Claims" not in page.read_text()
    assert report.main([str(workdir), "--language=en"]) == 0  # whatever its config says
    assert "Claims" in page.read_text() and "Afirmaciones" not in page.read_text()


def test_machines_that_differ_in_another_key_are_told_apart(data_dir: Path, tmp_path: Path) -> None:
    """A wide kernel's norm is not compared with a narrow one's, nor shown as that kernel's."""
    kernels = (("gaussian", 0.01), ("gaussian", 0.05), ("gabor", 0.01))
    config = theory_config("kernel", data_dir=str(data_dir), train_examples=200)
    config.sweep = json.dumps(
        [
            {"kernel": name, "gamma": gamma, "corruption": labels}
            for name, gamma in kernels
            for labels in ("true_labels", "random_labels")
        ]
    )
    summary = experiment.run(config, tmp_path / "run", console=Console(file=io.StringIO()))
    found = summary["members"]
    pairs = list(zip(found[::2], found[1::2], strict=True))
    assert [true["variant"] for true, _ in pairs] == ["gamma=0.01", "gamma=0.05", "gamma=0.01"]
    table = (tmp_path / "run" / "tables" / "kernel.md").read_text()
    assert table.count("gamma=0.05") == 2 and table.count("gamma=0.01") == 4
    *_, wavelets, random = [one["ours"] for one in summary["verdicts"]]
    assert wavelets.count("on pixels") == 1 and wavelets.endswith("on wavelets (gamma=0.01).")
    assert random == "Norm over that of true labels: " + ", ".join(
        f"{name} gamma={gamma} {other['norm'] / true['norm']:.2f}"
        for (name, gamma), (true, other) in zip(kernels, pairs, strict=True)
    ) + "."  # fmt: skip


def test_both_solvers_find_the_same_on_mnist5k(data_dir: Path, tmp_path: Path) -> None:
    members = {}
    for solver in ("cholesky", "cg"):
        config = theory_config("kernel", data_dir=str(data_dir), train_examples=300, solver=solver)
        console = Console(file=io.StringIO())
        (members[solver],) = experiment.run(config, tmp_path / solver, console=console)["members"]
    assert "conjugate gradients" in members["cg"]["solver"]
    for key in ("train_error", "test_error"):
        assert members["cg"][key] == members["cholesky"][key]
    assert members["cg"]["norm"] == pytest.approx(members["cholesky"]["norm"], rel=1e-5)


def test_too_many_examples_end_the_run_before_it_starts(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = theory_config("kernel", data_dir=str(data_dir))
    monkeypatch.setattr(kernel, "free_bytes", lambda device: 10**7)
    with pytest.raises(UserError, match=r"--config.train_examples=\d+ fit"):
        experiment.run(config, tmp_path / "run", console=Console(file=io.StringIO()))
    assert not (tmp_path / "run").exists()


def test_long_work_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10**6, 40))
    monkeypatch.setattr(watch.time, "monotonic", lambda: float(next(clock)))
    said: list[str] = []
    matrix = np.diag(np.arange(1.0, 6.0))
    conjugate_gradients(
        lambda v: matrix @ v, lambda v: v, np.ones((5, 1)),
        enough=1e-9, most=81, patience=9, watch=watch.Spoken(said.append),
    )  # fmt: skip
    # A step takes 40 seconds by this clock; the first one says nothing.
    assert said[:2] == [
        "conjugate gradients until solved, steps: 1 of 81, 0.025 a second, 0:53:20 left",
        "conjugate gradients until solved, steps: 2 of 81, 0.025 a second, 0:52:40 left",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kernel": "gaussian"}, [("making the kernel, rows", k, 30) for k in (0, 12, 24)]),
        (
            {"kernel": "random_conv", "filters": 9},
            [("making the kernel, filters", k, 9) for k in (0, 4, 8)],
        ),
        ({"kernel": "linear"}, []),
    ],
)
def test_a_kernel_says_how_much_of_it_is_made(
    changes: dict[str, str | int],
    told: list[tuple[str, int, int]],
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel_matrix, "ROWS", 12)
    monkeypatch.setattr(random_filters, "BLOCK_FILTERS", 4)
    config = theory_config("kernel", data_dir=str(data_dir), train_examples=30, **changes)
    task, said = Tasks(lambda line: None)(config), list[tuple[str, int, int]]()
    kernel.make_kernel(config, task, np.float64, watch=lambda *how: said.append(how))
    assert said == told
