"""Small networks, batches and states for the train step, and the same step in NumPy."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.models import create_model
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import Examples, Hyper, Running, TrainState
from rethinking_jax.sweep.held import flat

SHAPE = (5, 4, 3)
CLASSES = 7


def plain(images: jax.Array) -> jax.Array:
    return make_preprocess("paper", jnp.zeros(3), jnp.ones(3))(images)


def prepared(state: TrainState, images: jax.Array, ids: jax.Array) -> jax.Array:
    return plain(images)


def hyper(
    seed: int = 0,
    rate: float = 0.1,
    momentum: float = 0.9,
    decay: float = 0.0,
    dropout: float = 0.0,
) -> Hyper:
    return Hyper(jnp.int32(seed), *map(jnp.float32, (rate, momentum, decay, dropout, 0.0)))


def batch(n: int, seed: int = 0) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(seed)
    images = jnp.asarray(rng.integers(0, 256, (n, *SHAPE)), jnp.uint8)
    return images, jnp.asarray(rng.integers(0, CLASSES, n), jnp.int32)


def seen(images: jax.Array, labels: jax.Array) -> Examples:
    """A batch on its true labels."""
    return Examples(images, labels, labels, jnp.arange(len(labels), dtype=jnp.uint32))


def mlp(sizes: tuple[int, ...] = (9, 6)) -> nn.Module:
    return create_model("mlp", num_classes=CLASSES, hidden_sizes=sizes)


class TinyConvNet(nn.Module):
    """A convolution and batch norm, as in the large models, but compiled in no time."""

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = nn.Conv(8, (3, 3))(x)
        x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9)(x))
        return nn.Dense(CLASSES)(x.mean((1, 2)))


def numpy_loss_and_gradient(
    layers: list[dict[str, np.ndarray]], x: np.ndarray, y: np.ndarray
) -> tuple[float, list[dict[str, np.ndarray]], np.ndarray]:
    """Back-propagation by hand, float64."""
    activations = [x.reshape(len(x), -1)]
    for i, layer in enumerate(layers):
        z = activations[-1] @ layer["kernel"] + layer["bias"]
        activations.append(z if i == len(layers) - 1 else np.maximum(z, 0))
    logits = activations[-1]
    shifted = logits - logits.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(y))
    loss = -log_softmax[rows, y].mean()
    delta = np.exp(log_softmax)
    delta[rows, y] -= 1
    delta /= len(y)
    grads = []
    for i in reversed(range(len(layers))):
        grads.append({"kernel": activations[i].T @ delta, "bias": delta.sum(0)})
        delta = (delta @ layers[i]["kernel"].T) * (activations[i] > 0)
    return loss, grads[::-1], logits


def numpy_input(images: jax.Array) -> np.ndarray:
    x = np.asarray(images, np.float64) / 255
    mean = x.mean((1, 2, 3), keepdims=True)
    std = x.std((1, 2, 3), keepdims=True)
    return (x - mean) / np.maximum(std, 1 / np.sqrt(x[0].size))


def layers_of(params: dict) -> list[dict[str, np.ndarray]]:
    return [
        {part: np.asarray(params[name][part], np.float64) for part in ("kernel", "bias")}
        for name in sorted(params)
    ]


def members(values: list[Hyper]) -> Hyper:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *values)


def no_sums(m: int) -> Running:
    return jax.tree.map(lambda leaf: jnp.zeros((m,), leaf.dtype), Running.zero())


def train_examples(n: int, m: int) -> Examples:
    """A training set of m members, whose images are held as the engine holds them."""
    images, labels = batch(n)
    noisy = jnp.stack([jnp.roll(labels, i) for i in range(m)])
    return Examples(flat(images), noisy, labels, jnp.arange(n, dtype=jnp.uint32))
