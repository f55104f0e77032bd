"""What a kernel machine answers on each example when that example is left out of its training.

No refitting is needed (Wahba 1990; Rasmussen and Williams 2006, equation 5.12): with
A = (K + ridge I)^-1 and alpha = A y, the machine without example i gives on it

    y_i - alpha_i / A_ii.
"""

import numpy as np


def held_out_outputs(kernel: np.ndarray, targets: np.ndarray, ridge: float) -> np.ndarray:
    """Returns the outputs on each example without it, float64 [n, classes].

    Args:
      kernel: positive definite with the ridge, float64 [n, n].
      targets: what is fitted, such as labels one-hot, [n, classes].
      ridge: what is added to the diagonal, at least 0.

    Raises:
      scipy.linalg.LinAlgError: the matrix is singular in float64.
    """
    from scipy.linalg import cholesky, lapack  # slow to import

    factor = cholesky(kernel + ridge * np.eye(len(kernel)), lower=True)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    wanted = np.asarray(targets, np.float64)
    found: np.ndarray = wanted - inverse @ wanted / inverse.diagonal()[:, None]
    return found


def fitted_outputs(kernel: np.ndarray, targets: np.ndarray, ridge: float) -> np.ndarray:
    """Returns the outputs on each example with it, float64 [n, classes]; see `held_out_outputs`."""
    if ridge == 0:
        return np.array(targets, np.float64)
    from scipy.linalg import solve  # slow to import

    regular = kernel + ridge * np.eye(len(kernel))
    found: np.ndarray = kernel @ solve(regular, targets.astype(np.float64), assume_a="pos")
    return found
