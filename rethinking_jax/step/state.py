"""Every type that flows through a step: a run's numbers, its state, its examples, its sums.

All are trees of arrays of ONE run; a group of runs has a leading axis of members.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct


@struct.dataclass
class Hyper:
    """What differs between the runs of a group: scalars, float32 (seed: int32)."""

    seed: jax.Array
    learning_rate: jax.Array
    momentum: jax.Array
    weight_decay: jax.Array
    dropout_rate: jax.Array
    label_noise: jax.Array  # p, where labels are corrupted inside the step


@struct.dataclass
class TrainState:
    """A run between two steps: all that a checkpoint has to hold."""

    step: jax.Array  # int32, steps taken
    hyper: Hyper
    params: Any
    batch_stats: Any
    opt_state: Any


@struct.dataclass
class Examples:
    """Examples as one run sees them, on the device: a whole split, or a batch of it."""

    images: jax.Array  # uint8 (float32 for gaussian) [n, h, w, c]
    labels: jax.Array  # int32 [n], corrupted
    true_labels: jax.Array  # int32 [n]
    ids: jax.Array  # uint32 [n]


@struct.dataclass
class Raw:
    """A batch as it is stored, on the devices of the axis "data"."""

    images: jax.Array  # uint8 [b, h, w, c]
    labels: jax.Array  # int32 [b], the true ones
    ids: jax.Array  # uint32 [b]


@struct.dataclass
class MixedLabels:
    """Two labels of each example of a batch, and how much of the first."""

    first: jax.Array  # int32 [b]
    second: jax.Array  # int32 [b]
    share: jax.Array  # float32 [b], of `first`

    @property
    def major(self) -> jax.Array:
        """The label with the larger share, int32 [b]."""
        return jnp.where(self.share >= 0.5, self.first, self.second)


@struct.dataclass
class Running:
    """Sums over the mini-batches of the current epoch, each seen by the model of its moment."""

    loss: jax.Array  # float32, sum over examples
    correct: jax.Array  # int32
    count: jax.Array  # int32
    # float32, the l2 norm of each step's gradient times its examples; None: not measured.
    gradient_norm: jax.Array | None = None

    @classmethod
    def zero(cls, gradient_norm: bool = False) -> "Running":
        """Nothing seen yet."""
        none = jnp.zeros((), jnp.int32)
        return cls(jnp.zeros(()), none, none, jnp.zeros(()) if gradient_norm else None)


@struct.dataclass
class Sums:
    """Exact counts and the summed loss over some examples, in eval mode."""

    loss: jax.Array  # float32
    count: jax.Array  # int32
    correct: jax.Array  # int32, against the labels of the run
    correct_true: jax.Array  # int32, against the true labels
    corrupted: jax.Array  # int32, examples whose label is not the true one
    correct_on_corrupted: jax.Array  # int32, against the label of the run
    correct_top5: jax.Array  # int32, the run's label is among the five largest logits

    @classmethod
    def zero(cls) -> "Sums":
        """Nothing seen yet."""
        return cls(jnp.zeros(()), *(jnp.zeros((), jnp.int32) for _ in range(6)))
