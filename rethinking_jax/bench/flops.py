"""How much a train step computes, counted from the model, and how fast a machine multiplies."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


def layer_macs(model: nn.Module, image_shape: tuple[int, int, int]) -> list[int]:
    """Multiply-accumulates of the forward pass of one image, layer by layer.

    Convolutions and dense layers alone: everything else is a few operations per
    activation. Padding counts as if it were multiplied, as is usual. Nothing is computed.

    Args:
      model: a Linen module of `rethinking_jax.models`.
      image_shape: (h, w, c).

    Returns:
      One number for each layer, in the order in which the model calls them.
    """
    macs: list[int] = []

    def count(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        output = call(*args, **kwargs)
        if isinstance(context.module, nn.Conv | nn.Dense) and context.method_name == "__call__":
            kernel = context.module.variables["params"]["kernel"]
            positions = math.prod(output.shape[1:-1])
            macs.append(positions * math.prod(kernel.shape))
        return output

    with nn.intercept_methods(count):
        jax.eval_shape(
            lambda x: model.init(jax.random.key(0), x, train=False),
            jnp.zeros((1, *image_shape)),
        )
    return macs


def train_flops(macs: list[int]) -> int:
    """Floating-point operations of one image in a train step.

    Each layer is multiplied three times: forward, for the gradient of its weights and for
    that of its input. The first layer's input is the image, which needs no gradient: for
    MLP 1x512, whose first layer is nearly all of it, that makes 2 and not 3.

    Args:
      macs: see `layer_macs`; a multiply-accumulate is two operations.
    """
    return 2 * (3 * sum(macs) - macs[0])


def matmul_flops(size: int) -> int:
    """Of the product of two matrices of size x size."""
    return 2 * size**3
