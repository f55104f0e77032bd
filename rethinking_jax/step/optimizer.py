"""Optimizers, the learning-rate schedule and the weight-decay mask, all from optax.

A transformation is built inside the jitted step from the run's own numbers, which
are arrays: a sweep over learning rates is one program.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import optax

from rethinking_jax.step.state import Hyper, PyTree

OPTIMIZERS = ("sgd", "adam", "rmsprop")
WEIGHT_DECAY_MASKS = ("all", "kernels")
WEIGHT_DECAY_KINDS = ("coupled", "decoupled")

# From the numbers of a run to its transformation, whose state has one structure for all numbers.
BuildOptimizer: TypeAlias = Callable[[Hyper], optax.GradientTransformation]


def learning_rate_schedule(
    base: float | jax.Array, decay: float, decay_steps: int
) -> optax.Schedule:
    """Returns base * decay ** floor(step / decay_steps); appendix A has x 0.95 per epoch."""
    return optax.exponential_decay(base, decay_steps, decay, staircase=True)


def make_optimizer(
    name: str,
    decay: float,
    decay_steps: int,
    mask: str,
    epsilon: float = 0.0,
    weight_decay_kind: str = "coupled",
) -> BuildOptimizer:
    """Returns how to build the transformation of one run from its `Hyper`.

    Args:
      name: "sgd" (with heavy-ball momentum), "adam" (momentum is its first beta) or
        "rmsprop" (decay 0.9, as TensorFlow has it: epsilon under the root, squares start
        at 1; then momentum).
      decay: factor on the learning rate every `decay_steps` steps; 1 keeps it.
      decay_steps: number of steps, at least 1.
      mask: which parameters decay: "all", or "kernels" (not biases and batch norm).
      epsilon: the constant in the denominator of adam and rmsprop; 0 stands for 1e-8.
        TensorFlow's Inception recipe had 1.
      weight_decay_kind: "coupled" is the l2 penalty (weight_decay / 2) * ||w||^2 of the loss,
        as in the paper's time: its gradient, weight_decay * w, enters before momentum and
        scaling. "decoupled" (SGDW and AdamW, Loshchilov and Hutter 2019) takes
        learning rate * weight_decay * w off the parameters after them.
    """

    def build(hyper: Hyper) -> optax.GradientTransformation:
        schedule = learning_rate_schedule(hyper.learning_rate, decay, decay_steps)
        if name == "adam":
            direction = optax.scale_by_adam(b1=hyper.momentum, eps=epsilon or 1e-8)
        elif name == "rmsprop":
            direction = optax.chain(
                optax.scale_by_rms(decay=0.9, eps=epsilon or 1e-8, initial_scale=1.0),
                optax.trace(decay=hyper.momentum),
            )
        else:
            direction = optax.trace(decay=hyper.momentum)
        shrink = optax.add_decayed_weights(
            hyper.weight_decay, mask=_kernels if mask == "kernels" else None
        )
        parts = (shrink, direction) if weight_decay_kind == "coupled" else (direction, shrink)
        return optax.chain(*parts, optax.scale_by_learning_rate(schedule))

    return build


def _kernels(params: PyTree) -> PyTree:
    """Marks the matrices and convolution kernels of a tree of parameters."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)
