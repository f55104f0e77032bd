"""A train step with gradients of its own is the one of the definitions, written in NumPy float64.

Weights and examples are handed over; what the steps do with them is written anew below.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax.models.layers import ConvUnit, ImageModel, max_pool, pooled_logits
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import Examples, Hyper
from rethinking_jax.step.train import make_steps

SHAPE, CLASSES, BATCH, STEPS = (22, 21, 3), 4, 8, 12
RATE, MOMENTUM = 0.01, 0.9
STRIDES = (1, 2, 1)  # of the convolutions; the second has an input gradient by phases


class Network(ImageModel):
    """Every layer with a gradient of its own, in few channels."""

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        for features, size, stride in zip((4, 5, 3), (3, 3, 1), STRIDES, strict=True):
            x = ConvUnit(features, size, stride, for_cpu=self.for_cpu)(x, train=train)
        return pooled_logits(max_pool(x, 3, 2, for_cpu=self.for_cpu), self, train)


def pads(side: int, size: int, stride: int) -> tuple[int, int]:
    missing = max((-(-side // stride) - 1) * stride + size - side, 0)
    return missing // 2, missing - missing // 2


def views(x: np.ndarray, size: int, stride: int, fill: float) -> tuple[np.ndarray, list]:
    """The padded x, and for each place of the window where it lies in x for all outputs."""
    around = [pads(side, size, stride) for side in x.shape[1:3]]
    h, w = (-(-side // stride) for side in x.shape[1:3])
    places = [
        (slice(None), slice(i, i + stride * (h - 1) + 1, stride),
         slice(j, j + stride * (w - 1) + 1, stride))
        for i in range(size) for j in range(size)
    ]  # fmt: skip
    return np.pad(x, [(0, 0), *around, (0, 0)], constant_values=fill), places


def unpadded(x: np.ndarray, like: np.ndarray, size: int, stride: int) -> np.ndarray:
    (top, _), (left, _) = (pads(side, size, stride) for side in like.shape[1:3])
    return x[:, top : top + like.shape[1], left : left + like.shape[2]]


def unit(x: np.ndarray, layer: Any, stride: int) -> tuple[np.ndarray, Any]:
    """Convolution, batch norm and ReLU; also (gradient of the output -> those of x and layer)."""
    kernel, shift = layer["Conv_0"]["kernel"], layer["BatchNorm_0"]["bias"]
    size = len(kernel)
    padded, places = views(x, size, stride, 0.0)
    flat = kernel.reshape(-1, *kernel.shape[2:])
    z = sum(padded[place] @ k for place, k in zip(places, flat, strict=True))
    deviation = np.sqrt(z.var((0, 1, 2)) + 1e-3)
    normal = (z - z.mean((0, 1, 2))) / deviation
    y = np.maximum(normal + shift, 0)

    def back(given: np.ndarray) -> tuple[np.ndarray, Any]:
        given = given * (y > 0)
        means = given.mean((0, 1, 2)), (given * normal).mean((0, 1, 2))
        dz = (given - means[0] - normal * means[1]) / deviation
        dx, dk = np.zeros(padded.shape), np.zeros(flat.shape)
        for n, place in enumerate(places):
            dx[place] += dz @ flat[n].T
            dk[n] = np.einsum("bhwc,bhwo->co", padded[place], dz)
        gradients = {
            "Conv_0": {"kernel": dk.reshape(kernel.shape)},
            "BatchNorm_0": {"bias": given.sum((0, 1, 2))},
        }
        return unpadded(dx, x, size, stride), gradients

    return y, back


def pool(x: np.ndarray) -> tuple[np.ndarray, Any]:
    padded, places = views(x, 3, 2, -np.inf)
    seen = np.stack([padded[place] for place in places])
    first = seen.argmax(0)  # of equal ones the first

    def back(given: np.ndarray) -> np.ndarray:
        dx = np.zeros(padded.shape)
        for n, place in enumerate(places):
            dx[place] += given * (first == n)
        return unpadded(dx, x, 3, 2)

    return seen.max(0), back


def gradients(params: Any, images: np.ndarray, labels: np.ndarray) -> Any:
    x, backs, found = images / 255.0, [], {}
    for k, stride in enumerate(STRIDES):
        x, back = unit(x, params[f"ConvUnit_{k}"], stride)
        backs.append(back)
    x, unpool = pool(x)
    features, head = x.mean((1, 2)), params["Dense_0"]
    logits = features @ head["kernel"] + head["bias"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    given = (powers / powers.sum(1, keepdims=True) - np.eye(CLASSES)[labels]) / len(labels)
    found["Dense_0"] = {"kernel": features.T @ given, "bias": given.sum(0)}
    spread = (given @ head["kernel"].T)[:, None, None] / (x.shape[1] * x.shape[2])
    given = unpool(np.broadcast_to(spread, x.shape))
    for k in reversed(range(len(STRIDES))):
        given, found[f"ConvUnit_{k}"] = backs[k](given)
    return found


def trained_twin(params: Any, batches: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    """SGD with momentum: the velocity is momentum times itself plus the gradient."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    velocity = jax.tree.map(np.zeros_like, params)
    for images, labels in batches:
        found = gradients(params, images, labels)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, found)
        params = jax.tree.map(lambda p, v: p - RATE * v, params, velocity)
    return params


@pytest.mark.parametrize("for_cpu", [True, False])
def test_steps_are_those_of_the_definitions(for_cpu: bool) -> None:
    rng = np.random.default_rng(0)
    batches = [
        (rng.integers(0, 256, (BATCH, *SHAPE), dtype=np.uint8), rng.integers(0, CLASSES, BATCH))
        for _ in range(STEPS)
    ]
    preprocess = make_preprocess("none", jnp.zeros(3), jnp.ones(3))
    network = Network(CLASSES, for_cpu=for_cpu)
    steps = make_steps(network, make_optimizer("sgd", 1.0, 1000, "all"), preprocess, SHAPE)
    hyper = Hyper(jnp.int32(0), jnp.float32(RATE), jnp.float32(MOMENTUM), *[jnp.float32(0)] * 3)
    state = jax.jit(steps.init)(hyper)
    expected, train = trained_twin(state.params, batches), jax.jit(steps.train)
    start = state.params
    for images, labels in batches:
        own = jnp.asarray(labels, jnp.int32)
        ids = jnp.arange(BATCH, dtype=jnp.uint32)
        state, _ = train(state, Examples(jnp.asarray(images), own, own, ids))
    moved = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), state.params, start)
    assert min(jax.tree.leaves(moved)) > 1e-3
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), state.params, expected)
