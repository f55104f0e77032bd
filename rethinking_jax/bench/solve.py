"""Seconds from images to the coefficients of a kernel machine, against SciPy and scikit-learn.

The images are real digits (mnist5k), the kernel is the Gaussian one of Table 3, labels are one-hot.
What differs is who makes the matrix and who solves (K + ridge I) alpha = Y. Each residual is
measured on the same matrix, in float64, so a contestant that is faster and less exact is seen.
"""

import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg

from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import Contestant, Progress, compile_seconds, interleave
from rethinking_jax.errors import UserError
from rethinking_jax.theory import kernel_solve
from rethinking_jax.theory.data import Tasks, rows
from rethinking_jax.theory.kernel_matrix import Precision, gaussian
from rethinking_jax.theory.settings import theory_config

OURS, FLOAT32, CG = "ours", "ours, float32 refined", "ours, cg"
SCIPY, SKLEARN = "SciPy", "scikit-learn"
GAMMA = 0.02  # gamma of the kernel exp(-gamma * squared distance)

# It maps images [n, d] and targets [n, k] to coefficients [n, k].
Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      examples: number of digits.
      ridge: what is added to the kernel's diagonal.
      repeats: number of rounds.
    """

    examples: int
    ridge: float
    repeats: int


def bench_solve(settings: Settings, data_dir: str, say: Progress) -> Record:
    """Measures all contestants.

    Returns:
      The record: `results.new_record` and `results.measured`, with residuals and
      compile_seconds of each contestant.

    Raises:
      UserError: mnist5k has not so many examples.
    """
    x, targets = _problem(settings, data_dir, say)
    kernel = scipy_kernel(x)
    residuals, compiled, contestants = {}, {}, []
    for name, solver in solvers(settings.ridge).items():
        say(f"warming up: {name}")
        with compile_seconds() as seconds:
            alpha = solver(x, targets)
            compiled[name] = seconds()
        left = targets - kernel @ alpha - settings.ridge * alpha
        residuals[name] = float(np.linalg.norm(left) / np.linalg.norm(targets))
        contestants.append(_contestant(name, solver, x, targets))
    seconds_of = interleave(contestants, settings.repeats, say)
    work = {contestant.name: settings.examples for contestant in contestants}
    pairs = [(one, over) for over in (SCIPY, SKLEARN) for one in (OURS, FLOAT32, CG)]
    return {
        **new_record("solve", settings._asdict()),
        **measured(seconds_of, work, pairs),
        "compile_seconds": compiled,
        "residuals": residuals,
    }


def _contestant(name: str, solver: Solver, x: np.ndarray, targets: np.ndarray) -> Contestant:
    def run(_: None) -> None:
        solver(x, targets)

    return Contestant(name, lambda: None, run, len(x))


def _problem(settings: Settings, data_dir: str, say: Progress) -> tuple[np.ndarray, np.ndarray]:
    config = theory_config("kernel", data_dir=data_dir, train_examples=settings.examples)
    task = Tasks(say)(config)
    return rows(task.train_images), np.eye(task.num_classes)[task.train_labels]


def solvers(ridge: float) -> dict[str, Solver]:
    """Returns every solver by its name; scikit-learn's where it is installed."""

    def ours(dtype: Precision, held: bool = True) -> Solver:
        def solve(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
            kernel = gaussian(x, x[:1], GAMMA, dtype, held=held)
            if not held:
                return kernel_solve.solve_cg(kernel, targets, ridge, seed=0).coefficients
            return kernel_solve.solve(kernel, targets, ridge).coefficients

        return solve

    def by_scipy(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
        kernel = scipy_kernel(x)
        kernel[np.diag_indices(len(x))] += ridge
        factor = scipy.linalg.cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
        return np.asarray(scipy.linalg.cho_solve(factor, targets, check_finite=False))

    result: dict[str, Solver] = {
        OURS: ours(np.float64),
        FLOAT32: ours(np.float32),
        CG: ours(np.float64, held=False),
        SCIPY: by_scipy,
    }
    if importlib.util.find_spec("sklearn") is not None:
        from sklearn.kernel_ridge import KernelRidge

        def by_sklearn(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
            # In float64, as the others do: else it would solve in the images' float32.
            model = KernelRidge(alpha=ridge, kernel="rbf", gamma=GAMMA)
            return np.asarray(model.fit(x.astype(np.float64), targets).dual_coef_)

        result[SKLEARN] = by_sklearn
    return result


def scipy_kernel(x: np.ndarray) -> np.ndarray:
    """Makes the kernel matrix of rows [n, d] as a NumPy user writes it: float64 [n, n]."""
    x = x.astype(np.float64)
    squares = (x**2).sum(1)
    kernel: np.ndarray = x @ x.T
    kernel *= 2
    kernel -= squares[:, None]
    kernel -= squares
    kernel *= GAMMA
    np.exp(kernel, out=kernel)
    np.fill_diagonal(kernel, 1)
    return kernel


def resolve(examples: int, ridge: str, repeats: int) -> Settings:
    """Checks what an option's type cannot.

    Raises:
      UserError: the ridge is no number, or it is below 0.
    """
    try:
        value = float(ridge)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:
        raise UserError(f"--ridge={ridge} must be a number, at least 0")
    return Settings(examples, value, repeats)
