"""Learners whose memorization is known exactly, beside the estimate of networks.

The nearest neighbour has a closed form over all subsets (see `scores.nearest`), and a kernel
machine is left-one-out without refitting (see `scores.leave_one_out`). The latter is memorization
in the whole training set, which is less than in a subset of it, and of one machine: -1, 0 or 1.
"""

from typing import NamedTuple

import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.host.memory import host_free_bytes
from rethinking_jax.scores import leave_one_out, nearest
from rethinking_jax.scores.contrast import contrast, group_sums
from rethinking_jax.scores.subsets import BLOCKS, balanced, trained_on
from rethinking_jax.theory import kernel_matrix
from rethinking_jax.theory.data import rows
from rethinking_jax.theory.subset_runs import Setting, left_out

GAMMA = 0.02  # of exp(-gamma * squared distance), of pixels from 0 to 1, as in `kernel`
MATRICES = 4  # float64 [n, n] that are held at once where a kernel machine is left-one-out


class Nearest(NamedTuple):
    """The nearest neighbour on one setting.

    Attributes:
      exact: the memorization scores by the closed form, float64 [n].
      estimated: the same from the subsets of the runs, float64 [n].
      runs: how many of these leave an example out, float64 [n].
    """

    exact: np.ndarray
    estimated: np.ndarray
    runs: np.ndarray


def nearest_neighbour(setting: Setting) -> Nearest:
    """Returns the scores of the nearest neighbour among pixels, exactly and from subsets."""
    config, labels = setting.config, setting.task.train_labels
    subsets = balanced(len(labels), config.runs // BLOCKS, left_out(config), config.seed, "subsets")
    kept = subsets.shape[1]
    near = nearest.neighbours(rows(setting.task.train_images), nearest.depth(len(labels), kept))
    trained = trained_on(subsets, len(labels))
    sums = group_sums(trained, nearest.answers(labels, near, trained), BLOCKS)
    exact = nearest.memorization(labels, near, kept)
    return Nearest(exact, contrast(sums).value, sums.outside_runs.sum(0))


def share_within(found: Nearest, errors: float) -> float:
    """Returns the share of examples whose estimate is as near to the exact score as chance allows.

    Args:
      found: scores of both kinds.
      errors: how many standard errors are allowed, of a normal number; the estimate is a
        binomial one, whose tails are taken exactly.
    """
    from scipy.stats import binom, norm  # slow to import

    wrong = np.round(found.estimated * found.runs)
    # An example is right in all runs that have it, so that its score is how often it is wrong.
    law = binom(found.runs, np.clip(found.exact, 0, 1))
    tails = np.minimum(law.cdf(wrong), law.sf(wrong - 1))
    return float(np.mean(tails >= norm.sf(errors)))


def kernel_machine(setting: Setting) -> np.ndarray:
    """Returns the leave-one-out scores of a Gaussian kernel machine that fits, float64 [n].

    Raises:
      UserError: its matrices do not fit into memory.
    """
    labels, points = setting.task.train_labels, rows(setting.task.train_images)
    wanted = MATRICES * 8 * len(labels) ** 2
    free = host_free_bytes()
    if wanted > free:
        raise UserError(
            f"config.learner={setting.config.learner}: the kernel machine of {len(labels):,} "
            f"examples needs {wanted / 2**30:.1f} GiB, there are {free / 2**30:.1f}: leave kernel "
            "out, or take fewer train_examples"
        )
    kernel = kernel_matrix.gaussian(points, points[:1], GAMMA, np.float64, host=True).train
    targets = np.eye(setting.task.num_classes)[labels]
    outputs = leave_one_out.held_out_outputs(np.asarray(kernel), targets, 0.0)
    # Without a ridge the machine fits every label that it has.
    wrong: np.ndarray = outputs.argmax(1) != labels
    return wrong.astype(np.float64)
