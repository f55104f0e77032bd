"""Changes of labels: each is a pure function of one example."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import jax


class LabelNoise(NamedTuple):
    """What a run says about the noise in its labels.

    Attributes:
      p: the probability in [0, 1] with which a label is changed; may be traced.
      num_classes: the number of classes, k.
      exclude_true_class: whether a changed label must differ from the true one.
    """

    p: float | jax.Array
    num_classes: int
    exclude_true_class: bool = False


def redraw(key: jax.Array, label: jax.Array, noise: LabelNoise) -> jax.Array:
    """Draws a label anew with probability p, uniformly from the classes (section 2.1).

    The true class can be drawn too, so the fraction really flipped is about
    p (k - 1) / k, unless `exclude_true_class`, where it is about p. The draws do not
    depend on p: the labels flipped at a small p are a subset of those at a larger one.

    Args:
      key: the example's own key.
      label: int32 scalar, the true class in [0, k).
      noise: the run's p and k.

    Returns:
      int32 scalar, the label of this example for the whole run.
    """
    import jax
    import jax.numpy as jnp

    redraw_key, class_key = jax.random.split(key)
    redrawn = jax.random.uniform(redraw_key) < noise.p
    if noise.exclude_true_class:
        shift = jax.random.randint(class_key, (), 1, noise.num_classes)
        drawn = (label + shift) % noise.num_classes
    else:
        drawn = jax.random.randint(class_key, (), 0, noise.num_classes)
    return jnp.where(redrawn, drawn, label)


def pair_flip(key: jax.Array, label: jax.Array, noise: LabelNoise) -> jax.Array:
    """Turns a label into the next class with probability p, the last class into the first.

    It is the pair noise of Han et al. (2018, section 4): which wrong class a label becomes is a
    function of the true one. A label that is changed is never the true one, so the fraction really
    flipped is about p. The draws do not depend on p, as those of `redraw`.

    Args:
      key: the example's own key.
      label: int32 scalar, the true class in [0, k).
      noise: the run's p and k.

    Returns:
      int32 scalar, the label of this example for the whole run.
    """
    import jax
    import jax.numpy as jnp

    flipped = jax.random.uniform(key) < noise.p
    return jnp.where(flipped, (label + 1) % noise.num_classes, label)


class GivenLabels(NamedTuple):
    """Labels that somebody gives, such as those that people wrote, by the ids of their examples.

    Attributes:
      ids: uint32 [n], ascending; no two are equal.
      labels: int32 [n], the label of each.
    """

    ids: np.ndarray
    labels: np.ndarray

    def of(self, ids: jax.Array | np.ndarray) -> jax.Array:
        """Returns the labels of some examples, int32 [m], whose ids (uint32 [m]) are among these.

        Inside a program the table is a constant of it.
        """
        import jax.numpy as jnp

        places = jnp.searchsorted(jnp.asarray(self.ids), jnp.asarray(ids))
        return jnp.asarray(self.labels)[places]
