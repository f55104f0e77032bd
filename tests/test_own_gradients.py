"""The gradients that a CPU trains with are those of the plain layers: values, ties, odd sizes."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax.models import (
    convolution,
    create_model,
    normalization,
    pooling,
)
from rethinking_jax.sweep.build import for_cpu
from rethinking_jax.sweep.mesh import make_mesh

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


@pytest.mark.parametrize(
    ("shape", "kernel", "strides", "padding"),
    [
        ((4, 6, 5, 3), (3, 3, 3, 2), (1, 1), "SAME"),  # fewer features than channels
        ((3, 5, 6, 2), (3, 3, 2, 4), (1, 1), "SAME"),
        ((2, 6, 7, 3), (1, 1, 3, 2), (1, 1), "SAME"),
        ((2, 7, 8, 3), (2, 4, 3, 1), (1, 1), "VALID"),
        ((2, 5, 5, 3), (3, 3, 3, 2), (1, 1), ((2, 0), (0, 3))),
        ((2, 7, 6, 3), (5, 5, 3, 2), (1, 1), "SAME"),
        ((2, 22, 23, 2), (3, 3, 2, 3), (2, 2), "SAME"),  # by phases
        ((2, 23, 22, 2), (3, 2, 2, 3), (2, 2), "VALID"),
        ((1, 31, 32, 1), (3, 3, 1, 2), (3, 3), ((1, 1), (0, 2))),
        ((2, 8, 7, 2), (3, 3, 2, 3), (2, 2), "SAME"),
        ((2, 5, 6, 2), (1, 1, 2, 3), (2, 2), "SAME"),
    ],
)
def test_convolution_is_that_of_lax(
    shape: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, int], padding: Any
) -> None:
    rng = np.random.default_rng(0)
    numbers = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    agree(
        lambda x, k: convolution.conv_general_dilated(x, k, strides, padding, **numbers),
        lambda x, k: jax.lax.conv_general_dilated(x, k, strides, padding, **numbers),
        rng.normal(size=shape),
        rng.normal(size=kernel),
    )


def test_members_under_vmap_have_the_gradients_of_each_alone() -> None:
    rng = np.random.default_rng(0)
    x, kernel = (
        rng.normal(size=s).astype(np.float32) for s in ((2, 4, 12, 11, 3), (2, 3, 3, 3, 2))
    )

    def loss(x: jax.Array, kernel: jax.Array) -> jax.Array:
        y = convolution.conv_general_dilated(x, kernel, (1, 1), "SAME")
        y = normalization.batch_norm_relu(y, jnp.ones(2), jnp.zeros(2), 1e-3).values
        return (pooling.max_pool(y, 3, 2) ** 2).sum()

    both = jax.jit(jax.vmap(jax.grad(jax.checkpoint(loss), (0, 1))))(x, kernel)
    alone = jax.jit(jax.grad(loss, (0, 1)))
    for k in range(2):
        for found, expected in zip(both, alone(x[k], kernel[k]), strict=True):
            np.testing.assert_allclose(found[k], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("backend", "devices", "expected"),
    [("cpu", 1, True), ("cpu", 2, False), ("gpu", 1, False), ("tpu", 1, False)],
)
def test_one_cpu_device_alone_trains_with_own_gradients(
    backend: str, devices: int, expected: bool
) -> None:
    """On accelerators, and where devices share a batch, the program stays that of Flax's layers."""
    assert for_cpu(backend, make_mesh(jax.devices(), 1, devices)) == expected
    assert "custom_vjp" not in str(gradient_program("inception_small", for_cpu=False))
    assert "custom_vjp" in str(gradient_program("inception_small", for_cpu=True))


@functools.cache
def gradient_program(name: str, for_cpu: bool) -> Any:
    model = create_model(name, num_classes=3, for_cpu=for_cpu)
    x = jnp.zeros((2, 8, 8, 3))
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), x, train=False))
    return jax.make_jaxpr(lambda v: model.apply(v, x, train=True, mutable=["batch_stats"])[0])(
        variables
    )


@pytest.mark.parametrize(
    "name",
    ["alexnet_small", "inception_small", "wide_resnet_28_1", "vgg_small", "mobilenet_small"],
)
def test_variables_are_named_as_without_own_gradients(name: str) -> None:
    """So checkpoints of either are those of both."""
    x = jnp.zeros((1, 8, 8, 3))

    def trained(for_cpu: bool) -> Any:
        model = create_model(name, num_classes=3, for_cpu=for_cpu)
        variables = model.init(jax.random.key(0), x, train=False)
        _, updated = model.apply(variables, x, train=True, mutable=["batch_stats"])
        return variables, updated

    own, plain = (jax.eval_shape(functools.partial(trained, way)) for way in (True, False))
    assert jax.tree.structure(own) == jax.tree.structure(plain)
    assert jax.tree.leaves(own) == jax.tree.leaves(plain)
