"""The jackknife: how far a statistic moves when each part of the data is left out once."""

import numpy as np


def jackknife_error(without: np.ndarray) -> np.ndarray:
    """Returns the standard error of a statistic, float64 of the shape without the first axis.

    sqrt((G - 1) / G * sum over groups g of (without_g - their mean)^2), see Efron and Tibshirani
    (1993), An Introduction to the Bootstrap, equation 11.5, with groups in the place of points.

    Args:
      without: the statistic without one of G independent groups each, [G, ...].

    Returns:
      nan where there is only one group.
    """
    groups = len(without)
    if groups < 2:
        return np.full(without.shape[1:], np.nan)
    error: np.ndarray = np.sqrt((groups - 1) * np.var(without, axis=0))
    return error
