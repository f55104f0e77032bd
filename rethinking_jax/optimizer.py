"""Optimizers, the learning-rate schedule and the weight-decay mask, all from optax.

A transformation is built inside the jitted step from the run's own numbers, which
are arrays: a sweep over learning rates is one program.
"""

from collections.abc import Callable
from typing import Any

import jax
import optax
from flax import struct

OPTIMIZERS = ("sgd", "adam")
WEIGHT_DECAY_MASKS = ("all", "kernels")


@struct.dataclass
class Hyper:
    """What differs between the runs of a group: scalars, float32 (seed: int32)."""

    seed: jax.Array
    learning_rate: jax.Array
    momentum: jax.Array
    weight_decay: jax.Array
    dropout_rate: jax.Array


def learning_rate_schedule(
    base: float | jax.Array, decay: float, decay_steps: int
) -> optax.Schedule:
    """base * decay ** floor(step / decay_steps): x 0.95 per epoch in appendix A."""
    return optax.exponential_decay(base, decay_steps, decay, staircase=True)


def make_optimizer(
    name: str, decay: float, decay_steps: int, mask: str
) -> Callable[[Hyper], optax.GradientTransformation]:
    """How to build the transformation of one run from its `Hyper`.

    Args:
      name: "sgd" (with heavy-ball momentum) or "adam" (momentum is its first beta).
      decay: factor on the learning rate every `decay_steps` steps; 1 keeps it.
      decay_steps: steps, at least 1.
      mask: which parameters decay: "all", or "kernels" (not biases and batch norm).

    Returns:
      A function from `Hyper` to a transformation whose state's structure does not
      depend on the values. Weight decay is an l2 penalty: its gradient enters before
      the momentum, as in the paper's time.
    """

    def build(hyper: Hyper) -> optax.GradientTransformation:
        schedule = learning_rate_schedule(hyper.learning_rate, decay, decay_steps)
        if name == "adam":
            direction = optax.scale_by_adam(b1=hyper.momentum)
        else:
            direction = optax.trace(decay=hyper.momentum)
        return optax.chain(
            optax.add_decayed_weights(
                hyper.weight_decay,
                mask=_kernels if mask == "kernels" else None,
            ),
            direction,
            optax.scale_by_learning_rate(schedule),
        )

    return build


def _kernels(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)
