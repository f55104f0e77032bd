"""How the weights of a network start, where it is not as the network itself draws them.

The paper does not say how it initializes. What libraries and a tutorial of its time drew is told
here by the shape and place of a layer alone, so that it holds for every network.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import flax.linen as nn
import jax
from flax.traverse_util import flatten_dict, unflatten_dict

# The networks of `rethinking_jax.models` start as they draw themselves.
OWN = "model"

# The kernel and the bias of a layer: (key, shape of the kernel, place among the n layers, n).
Draw: TypeAlias = Callable[[jax.Array, tuple[int, ...], int, int], tuple[jax.Array, jax.Array]]


def _plain(kernel: nn.initializers.Initializer) -> Draw:
    """Makes a draw whose biases are zero."""

    def draw(
        key: jax.Array, shape: tuple[int, ...], place: int, layers: int
    ) -> tuple[jax.Array, jax.Array]:
        return kernel(key, shape), nn.initializers.zeros(key, shape[-1:])

    return draw


def _pytorch(
    key: jax.Array, shape: tuple[int, ...], place: int, layers: int
) -> tuple[jax.Array, jax.Array]:
    """Draws as torch.nn.Linear and Conv2d do: all uniform, up to 1 over the fan-in's root."""
    of_kernel, of_bias = jax.random.split(key)
    # A uniform draw up to b has the variance b^2 / 3.
    kernel = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")(of_kernel, shape)
    bound = _fan_in(shape) ** -0.5
    return kernel, jax.random.uniform(of_bias, shape[-1:], minval=-bound, maxval=bound)


def _tensorflow_tutorial(
    key: jax.Array, shape: tuple[int, ...], place: int, layers: int
) -> tuple[jax.Array, jax.Array]:
    """Draws as TensorFlow's CIFAR-10 tutorial did in 2016.

    Kernels are normal, cut off at two deviations: 1e-4 for convolutions, 0.04 for dense layers, 1
    over the fan-in for the last. Biases are 0.1, those of the first convolution and of the last
    layer 0.
    """
    convolves, last = len(shape) > 2, place == layers - 1
    deviation = 1e-4 if convolves else 1 / _fan_in(shape) if last else 0.04
    bias = 0.0 if last or (convolves and place == 0) else 0.1
    kernel = nn.initializers.truncated_normal(deviation)(key, shape)
    return kernel, nn.initializers.constant(bias)(key, shape[-1:])


def _fan_in(shape: tuple[int, ...]) -> int:
    """Returns the number of inputs of an output of a kernel."""
    return math.prod(shape[:-1])


INITIALIZERS: dict[str, Draw | None] = {
    OWN: None,
    "he_normal": _plain(nn.initializers.he_normal()),
    "lecun_normal": _plain(nn.initializers.lecun_normal()),
    "glorot_uniform": _plain(nn.initializers.glorot_uniform()),
    "pytorch": _pytorch,
    "tensorflow_tutorial": _tensorflow_tutorial,
}


def redrawn(initializer: str, key: jax.Array, params: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters of a network with every kernel, and bias of one, drawn anew.

    What is neither (the scales and shifts of batch norm) stays.

    Args:
      initializer: a name of `INITIALIZERS`; "model" gives the parameters back as they are.
      key: a key of JAX; each layer draws from a key of its own.
      params: the "params" of `flax.linen.Module.init`, in the order in which the network made its
        layers, so that its last layer is the last.
    """
    draw = INITIALIZERS[initializer]
    if draw is None:
        return params
    flat = flatten_dict(params)
    layers = [path[:-1] for path in flat if path[-1] == "kernel"]
    for place, layer in enumerate(layers):
        shape = flat[*layer, "kernel"].shape
        kernel, bias = draw(jax.random.fold_in(key, place), shape, place, len(layers))
        flat[*layer, "kernel"] = kernel
        if (*layer, "bias") in flat:
            flat[*layer, "bias"] = bias
    nested: dict[str, Any] = unflatten_dict(flat)
    return nested
