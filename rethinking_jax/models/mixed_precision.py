"""Layers that compute in bfloat16 and whose parameters get gradients in float32.

A gradient is a sum over a batch. Where devices share the batch, XLA adds their parts in the type
of the product that makes them; in bfloat16 each addition would keep eight bits. Here such products
are float32, as the units that multiply bfloat16 make them anyway. Parameters stay float32 until a
layer computes with them, so that nothing is rounded on the way back to them either.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypedDict

import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import lax
from jax.typing import DTypeLike

from rethinking_jax.models.convolution import NHWC, Pair

# The kernel's gradient is a convolution, too, where batch and channels have changed places.
_OF_KERNEL = ("CHWN", "IHWO", "HWNC")


class DenseFields(TypedDict, total=False):
    """Fields of `nn.Dense`."""

    dtype: DTypeLike
    promote_dtype: Callable[..., Any]
    dot_general: Callable[..., jax.Array]


class ConvFields(TypedDict, total=False):
    """Fields of `nn.Conv`."""

    dtype: DTypeLike
    promote_dtype: Callable[..., Any]
    conv_general_dilated: Callable[..., jax.Array]


def dense_fields(dtype: DTypeLike) -> DenseFields:
    """Returns what an `nn.Dense` is given to compute in a dtype.

    In bfloat16 its bias is added in float32, and the output is float32: cast what is made of it.
    """
    if dtype != jnp.bfloat16:
        return {"dtype": dtype}
    return {"dtype": dtype, "promote_dtype": _inputs_only, "dot_general": dot_general}


def conv_fields(dtype: DTypeLike) -> ConvFields:
    """Returns what an `nn.Conv` is given to compute in a dtype, see `dense_fields`."""
    if dtype != jnp.bfloat16:
        return {"dtype": dtype}
    return {
        "dtype": dtype,
        "promote_dtype": _inputs_only,
        "conv_general_dilated": conv_general_dilated,
    }


def _inputs_only(
    x: jax.Array, kernel: jax.Array, bias: jax.Array | None, *, dtype: DTypeLike
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    (cast,) = promote_dtype(x, dtype=dtype)
    return cast, kernel, bias


def dot_general(x: jax.Array, kernel: jax.Array, dimensions: object, **others: Any) -> jax.Array:
    """Multiplies [..., n] by a kernel, float32 [n, features], in the type of x.

    `nn.Dense` takes it in place of `lax.dot_general`; the dimensions are those of such a layer.
    """
    return _multiply(x, kernel)


@jax.custom_vjp
def _multiply(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return x @ kernel.astype(x.dtype)


def _multiply_forward(
    x: jax.Array, kernel: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _multiply(x, kernel), (x, kernel)


def _multiply_backward(
    kept: tuple[jax.Array, jax.Array], given: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = kept
    batch = tuple(range(x.ndim - 1))
    d_kernel = lax.dot_general(
        x, given, ((batch, batch), ((), ())), preferred_element_type=jnp.float32
    )
    return given @ kernel.astype(x.dtype).T, d_kernel


_multiply.defvjp(_multiply_forward, _multiply_backward)


def conv_general_dilated(
    x: jax.Array,
    kernel: jax.Array,
    window_strides: Sequence[int],
    padding: str | Sequence[Pair],
    *,
    feature_group_count: int = 1,
    **others: Any,
) -> jax.Array:
    """Convolves [b, h, w, c] with a kernel, float32 [rows, columns, c / groups, features].

    `nn.Conv` takes it in place of `lax.conv_general_dilated`. The result has the dtype of x. On
    TPUs the kernel's gradient is a float32 from the start; elsewhere libraries have no such
    convolution, and it is one of bfloat16 that is cast.

    Args:
      x: floating.
      kernel: see above.
      window_strides: for rows and columns.
      padding: "SAME", "VALID", or (before, after) of rows and columns.
      feature_group_count: number of groups of channels.
      others: `nn.Conv` gives dimension numbers, precision, and dilations that are 1.
    """
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], window_strides, padding)
    around = tuple(tuple(pair) for pair in padding)
    return _convolve(x, kernel, tuple(window_strides), around, feature_group_count)


def _plain(
    x: jax.Array, kernel: jax.Array, strides: Pair, around: tuple[Pair, ...], groups: int
) -> jax.Array:
    return lax.conv_general_dilated(
        x, kernel, strides, around, dimension_numbers=NHWC, feature_group_count=groups
    )


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolve(
    x: jax.Array, kernel: jax.Array, strides: Pair, around: tuple[Pair, ...], groups: int
) -> jax.Array:
    return _plain(x, kernel.astype(x.dtype), strides, around, groups)


def _convolve_forward(
    x: jax.Array, kernel: jax.Array, strides: Pair, around: tuple[Pair, ...], groups: int
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, strides, around, groups), (x, kernel)


def _convolve_backward(
    strides: Pair,
    around: tuple[Pair, ...],
    groups: int,
    kept: tuple[jax.Array, jax.Array],
    given: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    x, kernel = kept
    narrow = kernel.astype(x.dtype)
    (d_x,) = jax.linear_transpose(lambda x: _plain(x, narrow, strides, around, groups), x)(given)

    def cast(x: jax.Array, given: jax.Array) -> jax.Array:
        by_kernel = jax.linear_transpose(
            lambda kernel: _plain(x, kernel, strides, around, groups), narrow
        )
        (found,) = by_kernel(given)
        return jnp.asarray(found, jnp.float32)

    wide = partial(kernel_gradient, kernel.shape[:2], strides, around, groups)
    return d_x, lax.platform_dependent(x, given, tpu=wide, default=cast)


_convolve.defvjp(_convolve_forward, _convolve_backward)


def kernel_gradient(
    size: tuple[int, ...],
    strides: Pair,
    around: tuple[Pair, ...],
    groups: int,
    x: jax.Array,
    given: jax.Array,
) -> jax.Array:
    """Returns the gradient of a kernel, float32 [rows, columns, c / groups, features].

    Args:
      size: rows and columns of the kernel.
      strides: of rows and columns.
      around: the padding (before, after) of rows and columns.
      groups: number of groups of channels.
      x: the input [b, h, w, c].
      given: the gradient of the output, [b, h', w', features], in the dtype of x.
    """
    reach = [(out - 1) * stride + 1 for out, stride in zip(given.shape[1:3], strides, strict=True)]
    padding = [
        (before, span + side - whole - 1 - before)
        for (before, _), span, side, whole in zip(around, reach, size, x.shape[1:3], strict=True)
    ]
    return lax.conv_general_dilated(
        x,
        given,
        (1, 1),
        padding,
        rhs_dilation=strides,
        dimension_numbers=_OF_KERNEL,
        batch_group_count=groups,
        preferred_element_type=jnp.float32,
    )
