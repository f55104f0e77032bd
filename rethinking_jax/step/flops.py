"""How many floating-point operations a network takes, counted from what JAX traces."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var

from rethinking_jax.step.state import PyTree


def layer_macs(model: nn.Module, image_shape: tuple[int, int, int]) -> list[int]:
    """Counts the multiply-accumulates of the forward pass of one image, layer by layer.

    Convolutions and dense layers alone: everything else is a few operations per
    activation. Padding counts as if it were multiplied, as is usual. Nothing is computed.

    Args:
      model: a Linen module of `rethinking_jax.models`.
      image_shape: (h, w, c).

    Returns:
      One number for each layer, in the order in which the model calls them.
    """
    image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    variables = jax.eval_shape(lambda x: model.init(jax.random.key(0), x, train=False), image)
    return product_macs(lambda v, x: model.apply(v, x, train=False), variables, image)


def product_macs(function: Callable[..., PyTree], *args: PyTree) -> list[int]:
    """Counts the multiply-accumulates of each product of matrices and each convolution.

    Args:
      function: takes trees of arrays, and JAX can trace it.
      args: such trees, or their shapes as `jax.ShapeDtypeStruct`.

    Returns:
      One number for each, in order; those in a `lax.scan` times its length, those in a
      `lax.while_loop` once, those in every branch of a `lax.cond`.
    """
    return list(_macs(jax.make_jaxpr(function)(*args).jaxpr))


@cache
def forward_flops(model: nn.Module, image_shape: tuple[int, int, int]) -> int:
    """Counts the floating-point operations of one image's forward pass: two of each multiply."""
    return 2 * sum(layer_macs(model, image_shape))


def _macs(jaxpr: Jaxpr) -> Iterator[int]:
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        if name == "dot_general":
            left, out = _shape(equation.invars[0]), _shape(equation.outvars[0])
            contracted = params["dimension_numbers"][0][0]
            yield math.prod(out) * math.prod(left[axis] for axis in contracted)
        elif name == "conv_general_dilated":
            kernel, out = _shape(equation.invars[1]), _shape(equation.outvars[0])
            features = kernel[params["dimension_numbers"].rhs_spec[0]]
            # A kernel has the input channels of one group.
            yield math.prod(out) * math.prod(kernel) // features
        times = params["length"] if name == "scan" else 1
        for inner in _inner(params):
            yield from (times * macs for macs in _macs(inner))


def _shape(variable: Var | Literal) -> tuple[int, ...]:
    return tuple(variable.aval.shape)  # type: ignore[attr-defined]  # an array has a shape


def _inner(params: Mapping[str, object]) -> Iterator[Jaxpr]:
    """Yields the functions within an operation, such as the branches of a condition."""
    for value in jax.tree.leaves(params, is_leaf=lambda x: isinstance(x, ClosedJaxpr | Jaxpr)):
        if isinstance(value, ClosedJaxpr):
            yield value.jaxpr
        elif isinstance(value, Jaxpr):
            yield value


def train_flops(macs: list[int]) -> int:
    """Counts the floating-point operations of one image in a train step.

    Each layer is multiplied three times: forward, for the gradient of its weights and for
    that of its input. The first layer's input is the image, which needs no gradient: for
    MLP 1x512, whose first layer is nearly all of it, that makes 2 and not 3.

    Args:
      macs: see `layer_macs`; a multiply-accumulate is two operations.
    """
    return 2 * (3 * sum(macs) - macs[0])


def matmul_flops(size: int) -> int:
    """Counts the floating-point operations of the product of two matrices of size x size."""
    return 2 * size**3
