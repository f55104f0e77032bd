"""Cholesky factorization in place, by LAPACK, and in blocks where its 32-bit indices end.

The upper triangle of a matrix becomes U of A = U' U; what is below the diagonal stays as it was.
Blocks are NumPy's products and LAPACK's triangular solutions, so the time is that of products.
"""

import numpy as np
import scipy.linalg

from rethinking_jax.data.watch import Watch, silent

BLOCK = 1000  # rows and columns of a block
# A matrix of up to so many rows is one call of LAPACK, of a minute or so in which no progress can
# be shown. Beyond 46,340 rows that call ends with a segmentation fault.
WHOLE = 20_000
BILLION = 10**9
WORK = "factoring, billions of operations"


def _blocks(count: int) -> list[slice]:
    return [slice(i, min(i + BLOCK, count)) for i in range(0, count, BLOCK)]


def factor_in_place(matrix: np.ndarray, watch: Watch = silent) -> bool:
    """Factors a symmetric matrix [n, n], of which the upper triangle is read.

    Args:
      matrix: float32 or float64; it becomes its factor.
      watch: is told how much of the work is done.

    Returns:
      Whether it is positive definite to its precision; if not, the upper triangle is lost.
    """
    if len(matrix) <= WHOLE:
        (potrf,) = scipy.linalg.get_lapack_funcs(("potrf",), (matrix,))
        # Its transpose is in LAPACK's order, so no copy is made.
        factor, failed = potrf(matrix.T, lower=1, overwrite_a=1, clean=0)
        assert np.shares_memory(factor, matrix)
        return not failed
    count, blocks = len(matrix), _blocks(len(matrix))
    for i, here in enumerate(blocks):
        watch(WORK, _operations(here.start, count), _operations(count, count))
        done = matrix[: here.start, here]
        below = np.tril(matrix[here, here], -1)
        for there in blocks[i:]:
            matrix[here, there] -= done.T @ matrix[: here.start, there]
        try:
            corner = scipy.linalg.cholesky(matrix[here, here], check_finite=False)
        except np.linalg.LinAlgError:
            matrix[here, here] = np.triu(matrix[here, here]) + below
            return False
        matrix[here, here] = corner + below
        for there in blocks[i + 1 :]:
            matrix[here, there] = _solve(corner, matrix[here, there], transposed=True)
    return True


def _operations(rows: int, count: int) -> int:
    """Returns the billions of operations until so many rows of a factor [n, n] are there."""
    return round(rows**2 * (count - 2 * rows / 3) / BILLION)


def solve_factored(factor: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Returns the inverse of U' U times [n, k]; of the factor [n, n] the upper triangle is read."""
    x = vectors.astype(factor.dtype)
    blocks = _blocks(len(factor))
    for here in blocks:
        left = x[here] - factor[: here.start, here].T @ x[: here.start]
        x[here] = _solve(factor[here, here], left, transposed=True)
    for here in reversed(blocks):
        left = x[here] - factor[here, here.stop :] @ x[here.stop :]
        x[here] = _solve(factor[here, here], left, transposed=False)
    return x


def _solve(corner: np.ndarray, vectors: np.ndarray, transposed: bool) -> np.ndarray:
    solution: np.ndarray = scipy.linalg.solve_triangular(
        corner, vectors, trans=int(transposed), check_finite=False
    )
    return solution


def restore(matrix: np.ndarray, diagonal: np.ndarray) -> None:
    """Mirrors the lower triangle into the upper one and writes this diagonal [n]."""
    blocks = _blocks(len(matrix))
    for i, here in enumerate(blocks):
        for there in blocks[i:]:
            tile = matrix[there, here]
            if here == there:
                tile = np.tril(tile, -1)
                tile = tile + tile.T
            matrix[here, there] = tile.T
    np.fill_diagonal(matrix, diagonal)


def lower_product(matrix: np.ndarray, diagonal: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Returns a symmetric matrix times [n, k] in float64, from what lies below its diagonal."""
    result: np.ndarray = diagonal[:, None].astype(np.float64) * vectors
    blocks = _blocks(len(matrix))
    for i, here in enumerate(blocks):
        for there in blocks[: i + 1]:
            tile = matrix[here, there].astype(np.float64)
            if here == there:
                tile = np.tril(tile, -1)
            result[here] += tile @ vectors[there]
            result[there] += tile.T @ vectors[here]
    return result
