"""Layers in bfloat16: what they compute, and that sums over a batch are float32's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from rethinking_jax.models import create_model, mixed_precision

NHWC = ("NHWC", "HWIO", "NHWC")


def numbers(shape: tuple[int, ...], seed: int = 0, dtype: str = "float32") -> jax.Array:
    drawn = np.random.default_rng(seed).normal(size=shape)
    return jnp.asarray(drawn.astype(np.float32), dtype)


@settings(deadline=None, max_examples=15)
@given(
    side=st.integers(4, 9),
    size=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["SAME", "VALID", ((0, 1), (2, 1))]),
    groups=st.sampled_from([1, 2, 4]),
)
def test_the_gradient_of_a_kernel_is_that_of_lax(
    side: int, size: int, stride: int, padding: object, groups: int
) -> None:
    x, kernel = numbers((3, side, side + 1, 4)), numbers((size, size, 4 // groups, 8), 1)
    strides = (stride, stride)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(x.shape[1:3], (size, size), strides, padding)
    around = tuple(map(tuple, padding))

    def convolve(kernel: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(
            x, kernel, strides, around, dimension_numbers=NHWC, feature_group_count=groups
        )

    out, back = jax.vjp(convolve, kernel)
    above = numbers(out.shape, 2)
    found = mixed_precision.kernel_gradient((size, size), strides, around, groups, x, above)
    np.testing.assert_allclose(found, back(above)[0], rtol=1e-4, atol=1e-4)


def test_sums_over_a_batch_of_bfloat16_are_those_of_float64() -> None:
    """With 4,000 examples sums that kept eight bits would be off by a part in a hundred."""
    x, kernel = numbers((4000, 6), 0, "bfloat16"), numbers((6, 5), 1)
    above = numbers((4000, 5), 2, "bfloat16")
    _, back = jax.vjp(lambda k: mixed_precision.dot_general(x, k, None), kernel)
    wanted = np.asarray(x, np.float64).T @ np.asarray(above, np.float64)
    (found,) = back(above)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-3)
    images, kernel = numbers((800, 3, 3, 2), 3, "bfloat16"), numbers((1, 1, 2, 4), 4)
    above = numbers((800, 3, 3, 4), 5, "bfloat16")
    around = ((0, 0), (0, 0))
    found = mixed_precision.kernel_gradient((1, 1), (1, 1), around, 1, images, above)
    pairs = "nhwc,nhwf->cf", np.asarray(images, np.float64), np.asarray(above, np.float64)
    np.testing.assert_allclose(found[0, 0], np.einsum(*pairs), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("model", ["mlp_1x64", "alexnet_small", "inception_small"])
def test_a_network_in_bfloat16_is_near_the_same_in_float32(model: str) -> None:
    """Its logits and its gradients, which are float32 of the same shapes."""
    name, sizes = ("mlp", (64,)) if model == "mlp_1x64" else (model, ())
    images = numbers((4, 28, 28, 3))
    results = []
    for dtype in ("float32", "bfloat16"):
        net = create_model(name, num_classes=10, hidden_sizes=sizes, dtype=dtype)
        variables = net.init(jax.random.key(0), images, train=False)

        def loss(params: dict, net: object = net, variables: dict = variables) -> tuple:
            logits = net.apply(variables | {"params": params}, images, train=False)
            return jnp.sum(logits**2), logits

        grads, logits = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
        flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(grads)])
        assert {leaf.dtype for leaf in jax.tree.leaves(grads)} == {jnp.dtype("float32")}
        results.append((np.asarray(logits), flat, jax.tree.structure(grads)))
    (logits, grads, shape), (narrow, its_grads, its_shape) = results
    assert shape == its_shape
    assert np.linalg.norm(narrow - logits) < 0.05 * np.linalg.norm(logits)
    assert np.linalg.norm(its_grads - grads) < 0.15 * np.linalg.norm(grads)
