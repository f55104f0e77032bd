"""Convolution with its own gradients, which are faster on a CPU."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

Pair: TypeAlias = tuple[int, int]
Around: TypeAlias = tuple[Pair, Pair]  # places (before, after) beside rows and beside columns

NHWC = ("NHWC", "HWIO", "NHWC")
# The numbers of a piece of patches, which should stay in a core's cache: 3 MB.
_PIECE = 700_000
# With fewer places of the output, or more of the kernel (5x5), XLA's own gradients are as fast.
_MANY_PLACES = 100
_SMALL_KERNEL = 9


def conv_general_dilated(
    x: jax.Array,
    kernel: jax.Array,
    window_strides: Sequence[int],
    padding: str | Sequence[Pair],
    *,
    feature_group_count: int = 1,
    **others: Any,
) -> jax.Array:
    """Convolves as `lax.conv_general_dilated` does; `nn.Conv` takes it in place of that.

    Without groups its gradients are its own. XLA computes the kernel's on a CPU as a convolution
    whose window is a whole image, and the input's of a stride as one over mostly zeros.

    Args:
      x: floating [b, h, w, c].
      kernel: [rows, columns, c, features].
      window_strides: for rows and columns.
      padding: "SAME", "VALID", or (before, after) of rows and columns.
      feature_group_count: number of groups of channels.
      others: `nn.Conv` gives dimension numbers, precision, and dilations that are 1.

    Returns:
      The same dtype [b, h', w', features].
    """
    if feature_group_count != 1:
        return lax.conv_general_dilated(
            x, kernel, window_strides, padding, feature_group_count=feature_group_count, **others
        )
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], window_strides, padding)
    rows, columns = (tuple(pair) for pair in padding)
    return _convolve(x, kernel, tuple(window_strides), (rows, columns))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve(x: jax.Array, kernel: jax.Array, strides: Pair, around: Around) -> jax.Array:
    return lax.conv_general_dilated(x, kernel, strides, around, dimension_numbers=NHWC)


def _forward(
    x: jax.Array, kernel: jax.Array, strides: Pair, around: Around
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, strides, around), (x, kernel)


def _backward(
    strides: Pair, around: Around, kept: tuple[jax.Array, jax.Array], given: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = kept
    plain = partial(
        lax.conv_general_dilated,
        window_strides=strides,
        padding=around,
        dimension_numbers=NHWC,
    )
    size, places = (kernel.shape[0], kernel.shape[1]), math.prod(given.shape[1:3])
    dx: jax.Array
    if max(strides) > 1 and min(size) >= max(strides) and places >= _MANY_PLACES:
        dx = _by_phases(given, kernel, strides, around, x.shape[1:3])
    else:
        (dx,) = jax.linear_transpose(lambda x: plain(x, kernel), x)(given)
    d_kernel: jax.Array
    if math.prod(size) > (_SMALL_KERNEL if places >= _MANY_PLACES else 1):
        (d_kernel,) = jax.linear_transpose(lambda kernel: plain(x, kernel), kernel)(given)
    elif strides == (1, 1) and x.shape[-1] > given.shape[-1]:
        d_kernel = _by_shifted_output(x, given, size, around)
    else:
        d_kernel = _by_shifted_input(x, given, size, strides, around)
    return dx, d_kernel.astype(kernel.dtype)


_convolve.defvjp(_forward, _backward)


def _by_shifted_input(
    x: jax.Array, given: jax.Array, size: Pair, strides: Pair, around: Around
) -> jax.Array:
    """Multiplies what each place of the kernel sees of the input by what its output is given.

    Returns:
      The kernel's gradient, [rows, columns, c, features].
    """
    out, features = given.shape[1:3], given.shape[-1]

    def pair(x: jax.Array, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        return given, _patches(_bordered(x, around), size, strides, out)

    patch_numbers = math.prod((*out, *size, x.shape[-1])) if max(size) > 1 else 0
    product = _summed(pair, x, given, patch_numbers)
    return product.reshape(features, *size, x.shape[-1]).transpose(1, 2, 3, 0)


def _by_shifted_output(x: jax.Array, given: jax.Array, size: Pair, around: Around) -> jax.Array:
    """Multiplies the input by the outputs that each of its places takes part in, stride 1.

    It is less to shift than in `_by_shifted_input` where there are fewer features than channels.

    Returns:
      The kernel's gradient, [rows, columns, c, features].
    """
    sides, channels, features = x.shape[1:3], x.shape[-1], given.shape[-1]
    # A place m of the input is in output m + before - i by place i of the kernel.
    border = [
        (kernel - 1 - before, side + before - out)
        for kernel, (before, _), side, out in zip(
            size, around, sides, given.shape[1:3], strict=True
        )
    ]

    def pair(x: jax.Array, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x, _patches(_bordered(given, border), size, (1, 1), sides)

    patch_numbers = math.prod((*sides, *size, features)) if max(size) > 1 else 0
    product = _summed(pair, x, given, patch_numbers)
    # The first shift is that of the last place of the kernel.
    return product.reshape(channels, *size, features)[:, ::-1, ::-1].transpose(1, 2, 0, 3)


def _patches(x: jax.Array, size: Pair, strides: Pair, out: Sequence[int]) -> jax.Array:
    """Cuts windows out of x, [n, h, w, c]: [n, *out, the places of a window times c]."""
    shifted = [
        lax.slice(
            x,
            (0, i, j, 0),
            (
                x.shape[0],
                i + strides[0] * (out[0] - 1) + 1,
                j + strides[1] * (out[1] - 1) + 1,
                x.shape[3],
            ),
            (1, *strides, 1),
        )
        for i in range(size[0])
        for j in range(size[1])
    ]
    return jnp.concatenate(shifted, axis=-1)


def _summed(
    pair: Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]],
    x: jax.Array,
    given: jax.Array,
    patch_numbers: int,
) -> jax.Array:
    """Sums products over all places of all images, a few images at a time.

    Args:
      pair: from some images' inputs and gradients of outputs to what is multiplied, [n, h, w, i]
        and [n, h, w, j].
      x: [b, h, w, c].
      given: [b, h', w', features].
      patch_numbers: how many numbers the patches of an image have; 0 where they are the image.

    Returns:
      The sum of outer products, float32 or wider [i, j].
    """
    wide = jnp.promote_types(x.dtype, jnp.float32)

    def product(x: jax.Array, given: jax.Array) -> jax.Array:
        left, right = (v.reshape(-1, v.shape[-1]) for v in pair(x, given))
        return lax.dot_general(left, right, (((0,), (0,)), ((), ())), preferred_element_type=wide)

    if not patch_numbers:
        return product(x, given)
    images = len(x)
    most = max(1, min(images, _PIECE // patch_numbers))
    few = next(n for n in range(most, 0, -1) if images % n == 0)

    def body(total: jax.Array, first: jax.Array) -> tuple[jax.Array, None]:
        # Cut into parts beforehand, x has another shape, for which XLA would compute it anew.
        return total + product(*(lax.dynamic_slice_in_dim(v, first, few) for v in (x, given))), None

    shape = jax.eval_shape(lambda x, given: product(x[:few], given[:few]), x, given)
    zeros = jnp.zeros(shape.shape, shape.dtype)
    return lax.scan(body, zeros, jnp.arange(0, images, few))[0]


def _by_phases(
    given: jax.Array, kernel: jax.Array, strides: Pair, around: Around, sides: Sequence[int]
) -> jax.Array:
    """Returns the input's gradient, one convolution for each remainder of a place by the stride.

    Places of the input that lie a stride apart see the same places of the kernel, so what they are
    given is a convolution of stride 1 with that part of it.

    Returns:
      The same dtype [b, *sides, c].
    """
    counts = [
        -(-(side + before) // stride)
        for side, (before, _), stride in zip(sides, around, strides, strict=True)
    ]

    def phase(i: int, j: int) -> jax.Array:
        part = kernel[i :: strides[0], j :: strides[1]]
        border = [
            (own - 1, count - out)
            for own, count, out in zip(part.shape[:2], counts, given.shape[1:3], strict=True)
        ]
        turned = part[::-1, ::-1].swapaxes(2, 3)
        return lax.conv_general_dilated(given, turned, (1, 1), border, dimension_numbers=NHWC)

    rows = [jnp.stack([phase(i, j) for j in range(strides[1])], axis=3) for i in range(strides[0])]
    whole = jnp.stack(rows, axis=2)  # [b, count, stride, count, stride, c]
    whole = whole.reshape(
        len(given), counts[0] * strides[0], counts[1] * strides[1], kernel.shape[2]
    )
    (top, _), (left, _) = around
    return whole[:, top : top + sides[0], left : left + sides[1]]


def _bordered(x: jax.Array, border: Sequence[Pair]) -> jax.Array:
    """Pads rows and columns of [n, h, w, c] by zeros, or cuts them where a border is negative."""
    padding = [(0, 0, 0), *((*pair, 0) for pair in border), (0, 0, 0)]
    return lax.pad(x, jnp.zeros((), x.dtype), padding)
