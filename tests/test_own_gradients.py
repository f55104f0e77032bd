"""The gradients that a CPU trains with are those of the plain layers: values, ties, odd sizes."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax.models import normalization, pooling

Ours = Callable[..., Any]


def agree(ours: Ours, plain: Ours, *args: np.ndarray, tolerance: float = 1e-11) -> None:
    """Both functions have the same values, and the same gradients by every argument."""
    with jax.enable_x64(True):
        given = [jnp.asarray(arg) for arg in args]
        found, expected = (
            jax.jit(lambda *a, f=f: jax.vjp(f, *a)[0])(*given) for f in (ours, plain)
        )
        rng = np.random.default_rng(1)
        weights = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), expected)
        back = [
            jax.jit(lambda w, *a, f=f: jax.vjp(f, *a)[1](w))(weights, *given) for f in (ours, plain)
        ]
    for actual, wanted in zip(
        *map(jax.tree.leaves, ((found, back[0]), (expected, back[1]))), strict=True
    ):
        assert actual.dtype == wanted.dtype == jnp.float64
        np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance)


def plain_norm(x: jax.Array, scale: jax.Array, shift: jax.Array) -> normalization.Normal:
    mean = x.mean((0, 1, 2))
    variance = ((x - mean) ** 2).mean((0, 1, 2))
    normal = (x - mean) / jnp.sqrt(variance + 1e-3)
    return normalization.Normal(jax.nn.relu(normal * scale + shift), mean, variance)


@pytest.mark.parametrize("shape", [(4, 5, 3, 2), (2, 1, 1, 3), (3, 40, 2, 1)])
def test_batch_norm_with_relu_is_that_of_the_definition(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, scale, shift = 3 + rng.normal(size=shape), *rng.normal(size=(2, shape[-1]))
    own = lambda *args: normalization.batch_norm_relu(*args, 1e-3)  # noqa: E731
    agree(own, plain_norm, x, scale, shift)


def test_batch_norm_in_bfloat16_has_moments_in_float32() -> None:
    x = (100 + np.random.default_rng(0).normal(size=(64, 8, 8, 4))).astype(jnp.bfloat16)
    normal = normalization.batch_norm_relu(jnp.asarray(x), jnp.ones(4), jnp.zeros(4), 1e-3)
    assert [leaf.dtype for leaf in normal] == [jnp.bfloat16, jnp.float32, jnp.float32]
    # In bfloat16 the mean of 4096 numbers of about 100 would be a multiple of a half.
    np.testing.assert_allclose(normal.mean, x.astype(np.float64).mean((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("use_scale", [False, True])
def test_batch_norm_moves_the_averages_of_flax(use_scale: bool) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype(np.float32)
    flax = nn.BatchNorm(use_running_average=False, momentum=0.9, epsilon=1e-3, use_scale=use_scale)
    ours = normalization.BatchNorm(0.9, 1e-3, use_scale)
    variables = flax.init(jax.random.key(0), x)
    jax.tree.map(np.testing.assert_array_equal, ours.init(jax.random.key(0), x), variables)
    expected, updated = flax.apply(variables, x, mutable=["batch_stats"])
    values, moved = ours.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(values, nn.relu(expected), atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), moved, updated)


@pytest.mark.parametrize(
    ("sides", "size", "stride", "padding"),
    [
        ((8, 7), 3, 2, "SAME"),
        ((1, 2), 3, 2, "SAME"),
        ((9, 6), 3, 2, "VALID"),
        ((7, 4), 2, 2, "SAME"),
        ((5, 6), 3, 1, "SAME"),
        ((7, 9), 2, 3, "VALID"),
        ((6, 5), 5, 2, ((2, 1), (1, 3))),
    ],
)
@pytest.mark.parametrize("ties", [False, True])
def test_max_pool_is_that_of_flax(
    sides: tuple[int, int], size: int, stride: int, padding: Any, ties: bool
) -> None:
    """Where several places are the largest, the first of them has the whole gradient."""
    x = np.random.default_rng(0).normal(size=(2, *sides, 3))
    window = {"strides": (stride, stride), "padding": padding}
    agree(
        lambda x: pooling.max_pool(x, size, stride, padding),
        lambda x: nn.max_pool(x, (size, size), **window),
        np.maximum(np.round(x), 0) if ties else x,
    )
