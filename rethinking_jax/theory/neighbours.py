"""The k nearest neighbours as a learner: what it answers on test examples."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.theory.kernel_matrix import ROWS, squared_distances


def nearest(train: np.ndarray, test: np.ndarray, first: int) -> np.ndarray:
    """Returns the nearest training examples of each test example, int64 [m, first], nearest first.

    Distances are Euclidean and are computed in float64. Of training examples at the same
    distance the one at the smaller position comes first.

    Args:
      train: rows, float [n, d].
      test: rows, float [m, d].
      first: how many neighbours, from 1 to n.
    """
    with jax.enable_x64(True):
        y = jnp.asarray(train, jnp.float64)
        norms = (y**2).sum(1)
        parts = (jnp.asarray(test[i : i + ROWS], jnp.float64) for i in range(0, len(test), ROWS))
        return np.concatenate([np.asarray(_nearest(x, y, norms, first)) for x in parts])


@partial(jax.jit, static_argnums=3)
def _nearest(x: jax.Array, y: jax.Array, y_norms: jax.Array, first: int) -> jax.Array:
    # Of equal numbers top_k takes those at smaller positions first.
    return jax.lax.top_k(-squared_distances(x, y, y_norms), first)[1]


def vote(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns the class that most neighbours have, int64 [m]; of several the smallest.

    This is how scikit-learn's KNeighborsClassifier settles ties, too.

    Args:
      labels: the labels of the neighbours of each example, int [m, k].
      classes: the number of classes.
    """
    counts = (labels[:, :, None] == np.arange(classes)).sum(1)
    answers: np.ndarray = counts.argmax(1)
    return answers
