"""Solves (K + ridge I) alpha = Y for the whole training set, exactly.

It takes a Cholesky factorization, or conjugate gradients where that does not fit into memory.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsp
import numpy as np

from rethinking_jax.data.watch import Watch, silent
from rethinking_jax.errors import UserError
from rethinking_jax.theory import cholesky
from rethinking_jax.theory.kernel_cg import conjugate_gradients, nystroem
from rethinking_jax.theory.kernel_matrix import ROWS, Kernel, Matrix, Precision

# Matrices [n, n] that a device holds at once: kernel, its sum with the ridge, factor, work space.
DEVICE_MATRICES = 4
EIGEN_MATRICES = 4  # such matrices that an eigendecomposition takes beside the kernel
BLOCKS = 6  # blocks of ROWS x n that are held on the way
REFINEMENTS = 40  # most steps of a refinement
ENOUGH = 1e-12  # a relative residual that float64 hardly makes smaller
FAILED = 1e-6  # a relative residual that says that nothing was solved
SHARE = 0.9  # the share of free memory that may be taken
RANK = 2000  # the rank of the preconditioner of solver=cg
CG_STEPS, CG_PATIENCE = 2000, 200  # most steps of solver=cg, and those without progress
CG_ENOUGH = 1e-8  # the relative residual at which it stops


class Plan(NamedTuple):
    """How a system is to be solved.

    Attributes:
      solver: "cholesky" or "cg".
      dtype: precision of the kernel matrix.
      held: whether the matrix is kept.
      needed: estimate of the memory, in bytes.
    """

    solver: str
    dtype: Precision
    held: bool
    needed: int


class Solution(NamedTuple):
    """What solves the system.

    Attributes:
      coefficients: alpha, float64 [n, k].
      fitted: the kernel matrix times alpha, float64 [n, k].
      residual: |Y - (K + ridge I) alpha| / |Y|, computed in float64.
      solver: how it was solved, in words.
      converged: whether the residual is small; False where the steps ended before.
    """

    coefficients: np.ndarray
    fitted: np.ndarray
    residual: float
    solver: str
    converged: bool = True


def plan(
    solver: str,
    precision: str,
    count: int,
    size: int,
    free: int,
    *,
    host: bool,
    blockwise: bool,
    key: str = "train_examples",
) -> Plan:
    """Chooses solver and precision by what was asked for and what fits.

    Args:
      solver: "cholesky", "cg", or "auto": cholesky where its matrix fits.
      precision: "float64", "float32", or "auto": float64 where it fits.
      count: n.
      size: how many numbers are held besides: images, features, a kernel between test and
        training examples.
      free: free memory, in bytes.
      host: whether the matrix is factored in place, see `kernel_matrix.on_host`.
      blockwise: whether rows of the kernel can be made anew whenever they are needed.
      key: the config's key that says n, for the message.

    Raises:
      UserError: it does not fit; the message says the largest n that does.
    """
    dtypes: dict[str, tuple[Precision, ...]] = {
        "auto": (np.float64, np.float32),
        "float64": (np.float64,),
        "float32": (np.float32,),
    }

    def of_size(solver: str, dtype: Precision, n: int) -> Plan:
        held = solver == "cholesky" or not blockwise
        needed = _needed(solver, dtype, held, n, math.ceil(size * n / count), host)
        return Plan(solver, dtype, held, needed)

    solvers = ("cholesky", "cg") if solver == "auto" else (solver,)
    tried = [of_size(name, dtype, count) for name in solvers for dtype in dtypes[precision]]
    for one in tried:
        if one.needed <= SHARE * free:
            return one
    least = min(tried, key=lambda one: one.needed)
    fitting = bisect_right(
        range(1, count), SHARE * free, key=lambda n: of_size(least.solver, least.dtype, n).needed
    )
    raise UserError(
        f"{count:,} training examples need {least.needed / 1e9:.1f} GB by solver={least.solver} in "
        f"{least.dtype.__name__} and {free / 1e9:.1f} GB are free: at most "
        f"--config.{key}={fitting} fit"
    )


def _needed(solver: str, dtype: Precision, held: bool, count: int, size: int, host: bool) -> int:
    """Estimates the memory of a plan, in bytes."""
    matrices = 0 if not held else 1 if solver == "cg" or host else DEVICE_MATRICES
    numbers = matrices * count**2 + size + BLOCKS * min(ROWS, count) * count
    preconditioner = 8 * 3 * min(RANK, count) * count if solver == "cg" else 0
    return np.dtype(dtype).itemsize * numbers + preconditioner


def solve(
    kernel: Kernel,
    targets: np.ndarray,
    ridge: float,
    free: float = math.inf,
    watch: Watch = silent,
) -> Solution:
    """Solves (K + ridge I) alpha = Y, by the alpha of least norm where K is singular.

    One Cholesky factorization in the kernel's own precision serves all columns; on a CPU it
    works in place: one triangle of the matrix becomes the factor, the other stays. Its
    solution is refined by conjugate gradients in float64 that it preconditions, so a float32
    factorization gives float64 digits. Where it fails, or its pivots say that K is singular to
    this precision, an eigendecomposition without the eigenvalues that are 0 to rounding gives
    the least-squares solution of least norm. Where memory does not hold that, the factor of
    K and a small multiple of I preconditions; `solver` says what was done.

    Args:
      kernel: K, of n examples, held. Its lower triangle is read; on return both are that one.
      targets: Y, float64 [n, k].
      ridge: at least 0.
      free: free memory beside the kernel, in bytes.
      watch: is told how far a factorization on the host is.
    """
    assert kernel.train is not None
    eps = float(np.finfo(kernel.train.dtype).eps)
    name, shift, singular = kernel.train.dtype.name, 0.0, ""
    if (found := _refined(kernel, targets, ridge, 0.0, watch)) is None:
        if EIGEN_MATRICES * kernel.train.nbytes <= SHARE * free:
            return _least_norm(kernel, targets, ridge)
        # All rounding errors in a pivot together can be as large as this.
        shift, singular = kernel.count * eps, f"singular to {name}: "
        found = _refined(kernel, targets, ridge, shift, watch)
        assert found is not None
    alpha, fitted, steps = found
    extra = f" of K + {shift:.1e} I" if shift else ""
    what = f"{singular}Cholesky {name}{extra}, refined {steps - 1} times"
    return _checked(alpha, fitted, targets, ridge, what)


def solve_cg(
    kernel: Kernel, targets: np.ndarray, ridge: float, seed: int, watch: Watch = silent
) -> Solution:
    """Solves the same by conjugate gradients from zero, in memory for a few columns of K.

    Args:
      kernel: K, of n examples, held or not.
      targets: Y, float64 [n, k].
      ridge: at least 0.
      seed: seed of the draw of the preconditioner's columns.
      watch: is told how many steps are done.
    """
    found = conjugate_gradients(
        lambda vectors: kernel.multiply(vectors) + ridge * vectors,
        nystroem(kernel, ridge, RANK, seed),
        targets,
        enough=CG_ENOUGH,
        most=CG_STEPS,
        patience=CG_PATIENCE,
        watch=watch,
    )
    what = f"conjugate gradients, rank {min(RANK, kernel.count):,}, {found.steps} steps"
    return _checked(found.solution, kernel.multiply(found.solution), targets, ridge, what)


def _checked(
    alpha: np.ndarray, fitted: np.ndarray, targets: np.ndarray, ridge: float, solver: str
) -> Solution:
    left = np.linalg.norm(targets - fitted - ridge * alpha)
    residual = float(left / np.linalg.norm(targets))
    if residual >= FAILED:
        solver += ", not converged"
    return Solution(alpha, fitted, residual, solver, residual < FAILED)


def _refined(
    kernel: Kernel, targets: np.ndarray, ridge: float, shift: float, watch: Watch
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Returns alpha, K alpha and steps; None where the factorization is of no use."""
    matrix = kernel.train
    assert matrix is not None
    if isinstance(matrix, np.ndarray):
        factor = _factor_host(matrix, ridge + shift, watch)
    else:
        factor = _factor_device(matrix, ridge + shift)
    eps = float(np.finfo(matrix.dtype).eps)
    # Rounding errors in a pivot add up like a random walk. A pivot far below holds nothing else.
    tiny = math.sqrt(kernel.count) * eps
    try:
        if not factor.ratio > tiny and not shift:
            return None
        found = conjugate_gradients(
            lambda vectors: factor.multiply(vectors) + ridge * vectors,
            factor.solve,
            targets,
            enough=ENOUGH,
            most=REFINEMENTS,
            patience=REFINEMENTS if shift else 3,
            watch=watch,
        )
    finally:
        factor.restore()
    fitted = kernel.multiply(found.solution)
    left = targets - fitted - ridge * found.solution
    if np.linalg.norm(left) > FAILED * np.linalg.norm(targets) and not shift:
        return None
    return found.solution, fitted, found.steps


class _Factor(NamedTuple):
    """A factorization of K + s I.

    Attributes:
      solve: multiplies float64 [n, k] by roughly the inverse.
      multiply: multiplies float64 [n, k] by K.
      ratio: the smallest squared pivot over the largest; 0 where there is none.
      restore: gives the matrix back, where the factor lies in it, both triangles as the lower one.
    """

    solve: Callable[[np.ndarray], np.ndarray]
    multiply: Callable[[np.ndarray], np.ndarray]
    ratio: float
    restore: Callable[[], None]


def _factor_host(matrix: np.ndarray, shift: float, watch: Watch) -> _Factor:
    diagonal = matrix.diagonal().copy()
    np.fill_diagonal(matrix, diagonal + matrix.dtype.type(shift))
    definite = cholesky.factor_in_place(matrix, watch)
    pivots = matrix.diagonal()
    return _Factor(
        lambda vectors: cholesky.solve_factored(matrix, vectors).astype(np.float64),
        lambda vectors: cholesky.lower_product(matrix, diagonal, vectors),
        float(pivots.min() / pivots.max()) ** 2 if definite else 0.0,
        lambda: cholesky.restore(matrix, diagonal),
    )


def _factor_device(matrix: Matrix, shift: float) -> _Factor:
    with jax.enable_x64(True):
        factor, pivots = _cholesky(matrix, jnp.asarray(shift, matrix.dtype))
        ratio = float(pivots.min() / pivots.max()) ** 2

    def solve(vectors: np.ndarray) -> np.ndarray:
        with jax.enable_x64(True):
            right = jnp.asarray(vectors, factor.dtype)
            return np.asarray(jsp.cho_solve((factor, True), right), np.float64)

    def multiply(vectors: np.ndarray) -> np.ndarray:
        kernel = Kernel(len(matrix), matrix, lambda chosen: matrix[chosen], lambda alpha: alpha)
        return kernel.multiply(vectors)

    return _Factor(solve, multiply, ratio if np.isfinite(ratio) else 0.0, lambda: None)


@jax.jit
def _cholesky(kernel: jax.Array, shift: jax.Array) -> tuple[jax.Array, jax.Array]:
    same = jnp.arange(len(kernel))
    factor, _ = jsp.cho_factor(kernel.at[same, same].add(shift), lower=True)
    return factor, jnp.diagonal(factor)


def _least_norm(kernel: Kernel, targets: np.ndarray, ridge: float) -> Solution:
    with jax.enable_x64(True):
        values, vectors = (np.asarray(part) for part in jnp.linalg.eigh(kernel.train))
    eps = float(np.finfo(values.dtype).eps)
    values = values.astype(np.float64) + ridge
    kept = values > len(values) * eps * values.max()
    basis = vectors[:, kept].astype(np.float64)
    alpha = basis @ ((basis.T @ targets) / values[kept, None])
    what = f"singular: least norm by eigenvalues, rank {kept.sum():,} of {len(values):,}"
    # Conflicting labels of equal images leave a residual, which is the least one.
    found = _checked(alpha, kernel.multiply(alpha), targets, ridge, what)
    return found._replace(solver=what, converged=True)
