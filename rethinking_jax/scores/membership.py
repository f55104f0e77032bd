"""Membership inference: from a run's answer on an example, has it trained on it?

The likelihood-ratio attack of Carlini et al. (2022), section V, online and with the other runs as
shadow models: confidences log(p / (1 - p)) of the given label are taken for normal, with one
mean and variance over the runs that train on an example and others over those that do not. The run
that is attacked is left out of both, with all runs of its group: in a balanced design these have
to have the example where it lacks it, and would tell of it even without any training. With few
runs the variances are too uncertain, and all examples share one.
"""

import numpy as np

POOLED_BELOW = 64  # runs: with fewer, variances are pooled over the examples
CHUNK = 4096  # examples whose densities are held at once, where they share nothing
LEAST_LOSS = float(np.finfo(np.float32).eps)  # a loss in float32 is no nearer to 0 than this


def logit_confidence(loss: np.ndarray) -> np.ndarray:
    """Returns log(p / (1 - p)) of the given label, float64, from its loss -log p.

    The loss tells more than p where p is near 1. Below the precision of float32 both say nothing:
    the confidence is at most 15.9.

    Args:
      loss: cross-entropy in nats, at least 0.
    """
    own = np.maximum(np.asarray(loss, np.float64), LEAST_LOSS)
    found: np.ndarray = -own - np.log(-np.expm1(-own))
    return found


def likelihood_ratios(confidence: np.ndarray, trained: np.ndarray, size: int) -> np.ndarray:
    """Returns log p(confidence | trained on) - log p(confidence | not), float64 [runs, n].

    Args:
      confidence: float [runs, n], see `logit_confidence`.
      trained: whether a run trains on an example, bool [runs, n]; without any one group there are
        at least 2 runs of each kind for each example.
      size: the number of runs of a group, which are one after the other.
    """
    runs, count = trained.shape
    if runs - size < POOLED_BELOW:
        return _ratios(np.asarray(confidence, np.float64), trained, size, pooled=True)
    found = np.empty((runs, count))
    for at in range(0, count, CHUNK):
        part = slice(at, at + CHUNK)
        own = np.asarray(confidence[:, part], np.float64)
        found[:, part] = _ratios(own, trained[:, part], size, pooled=False)
    return found


def _ratios(x: np.ndarray, trained: np.ndarray, size: int, pooled: bool) -> np.ndarray:
    x = x - x.mean(0)  # so that squares lose no digits
    inside = _log_density(x, trained, size, pooled)
    found: np.ndarray = inside - _log_density(x, ~trained, size, pooled)
    return found


def _log_density(x: np.ndarray, chosen: np.ndarray, size: int, pooled: bool) -> np.ndarray:
    """Returns the log density of each value under the chosen runs of other groups, [runs, n]."""
    grouped = x.reshape(-1, size, x.shape[1])
    own = np.where(chosen, x, 0).reshape(grouped.shape)
    # Sums over the runs of all other groups, [groups, 1, n].
    runs, total, squares = (
        part.sum((0, 1)) - part.sum(1, keepdims=True)
        for part in (chosen.reshape(grouped.shape), own, own**2)
    )
    mean = total / runs
    variance = (squares - runs * mean**2) / (runs - 1)
    if pooled:
        variance = variance.mean(2, keepdims=True)
    # All runs may agree to the last digit, where a confidence is at its limit.
    variance = np.maximum(variance, 1e-6)
    density = -0.5 * (np.log(2 * np.pi * variance) + (grouped - mean) ** 2 / variance)
    found: np.ndarray = density.reshape(x.shape)
    return found


def permuted(trained: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns for each example the runs of each group in a random order: a null, bool [runs, n].

    It is as balanced as the true subsets, and tells nothing of what a run has trained on. To
    exchange whole subsets would tell a little: neighbouring runs of a group leave out some of the
    same examples, whichever subsets of the design they have.

    Args:
      trained: whether a run trains on an example, bool [runs, n].
      size: the number of runs of a group.
      rng: draws the orders.
    """
    grouped = trained.reshape(-1, size, trained.shape[1])
    return rng.permuted(grouped, axis=1).reshape(trained.shape)
