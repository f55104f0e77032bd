"""How many runs fit on a device at once: an estimate, made before anything is trained."""

import math
from collections.abc import Callable, Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from rethinking_jax.step.state import PyTree, TrainState

# Share of the free memory that members may take: the rest is for the compiler's own buffers
# and for being wrong.
SHARE = 0.7
# How many times the estimate an accelerator was found to take, at most: 1.4 to 9 times for networks
# that convolve, whose intermediate values it pads.
ESTIMATE_IS_OFF = 10


def member_bytes(
    model: nn.Module,
    init: Callable[[], TrainState],
    image_shape: tuple[int, ...],
    batch_size: int,
    eval_batch_size: int,
    train_size: int,
) -> int:
    """Estimates, from above, the device memory that one more member takes, in bytes.

    It counts the member's state twice (the new beside the old) and one gradient; of the forward
    pass every intermediate value of a training batch, for the backward pass may want it, or
    the largest three of an evaluation batch; labels and order of the examples.

    Args:
      model: a network, whose forward pass is traced; nothing is computed.
      init: makes the state of one member, see `rethinking_jax.step.train.init_state`.
      image_shape: (h, w, c).
      batch_size: examples of a train step.
      eval_batch_size: examples of an evaluation step.
      train_size: number of training examples.
    """
    state = jax.eval_shape(init)

    def values(size: int, train: bool) -> list[int]:
        def forward(variables: PyTree, images: jax.Array) -> PyTree:
            rngs = {"dropout": jax.random.key(0)}
            return model.apply(variables, images, train=train, mutable=["batch_stats"], rngs=rngs)

        images = jax.ShapeDtypeStruct((size, *image_shape), jnp.float32)
        traced = jax.make_jaxpr(forward)(state.variables, images)
        return [*_sizes(traced.jaxpr), 4 * math.prod(images.shape)]

    training = sum(values(batch_size, True))
    evaluation = sum(sorted(values(eval_batch_size, False))[-3:])
    return (
        2 * _tree_bytes(state)
        + _tree_bytes(state.params)
        + max(training, evaluation)
        + 4 * 3 * train_size
    )


def step_bytes(
    init: Callable[[], TrainState], image_shape: tuple[int, ...], batch_size: int
) -> int:
    """Estimates what one member of a group reads and writes again and again in a train step.

    That is its state, a gradient, and the pixels of its batch as they are read and as they are
    preprocessed, in bytes. Where these of all members exceed a processor's cache, a step waits for
    memory.

    Args:
      init: makes the state of one member, see `rethinking_jax.step.train.init_state`.
      image_shape: (h, w, c).
      batch_size: examples of a train step.
    """
    state = jax.eval_shape(init)
    pixels = 4 * batch_size * math.prod(image_shape)
    return _tree_bytes(state) + _tree_bytes(state.params) + 2 * pixels


def _tree_bytes(tree: PyTree) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _sizes(jaxpr: Jaxpr) -> Iterator[int]:
    """Yields the bytes of the value of every operation, those of nested functions included."""
    for equation in jaxpr.eqns:
        inner = [value for value in equation.params.values() if isinstance(value, ClosedJaxpr)]
        if inner:
            for value in inner:
                yield from _sizes(value.jaxpr)
            continue
        for variable in equation.outvars:
            result: PyTree = variable.aval
            if jnp.issubdtype(result.dtype, jnp.number):
                yield math.prod(result.shape) * result.dtype.itemsize
