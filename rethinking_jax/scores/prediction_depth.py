"""Prediction depth: the layer from which on an example's neighbours agree with the network.

Baldock, Maennel and Neyshabur (2021), Deep Learning Through the Lens of Example Difficulty,
section 2: a k-nearest-neighbours probe is put on the inputs and on the outputs of every layer, and
the depth of an example is the first layer from which on all probes say what the network says. An
example that a network has memorized against its neighbours' labels is settled late or never.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.scores import nearest

NEIGHBOURS = 30


def activations(
    model: nn.Module, variables: dict[str, Any], inputs: jax.Array
) -> tuple[jax.Array, ...]:
    """Returns what each part of a network makes of the inputs, in eval mode.

    Args:
      model: a network of `models`; its parts are the modules that it is directly made of.
      variables: its "params" and, where it has some, "batch_stats".
      inputs: float32 [n, h, w, c], what the network is given.

    Returns:
      float32 [n, features] for each part, in the order in which they are called: the outputs of
      a part that has a place for each pixel are their means over the places. The inputs are not
      among them, and the logits are the last.
    """
    logits, seen = model.apply(
        variables, inputs, train=False, capture_intermediates=True, mutable=["intermediates"]
    )
    parts = [
        jnp.asarray(own["__call__"][0])
        for own in seen["intermediates"].values()
        if isinstance(own, dict) and "__call__" in own
    ]
    flat = [part if part.ndim == 2 else part.mean((1, 2)) for part in parts if part.ndim in (2, 4)]
    if flat and flat[-1].shape == logits.shape:  # the last part makes the logits
        flat.pop()
    return (*flat, jnp.asarray(logits))


def depths(probes: Sequence[np.ndarray], predictions: np.ndarray) -> np.ndarray:
    """Returns the first layer from which on every probe agrees with the network.

    Args:
      probes: int [n] for each layer, the inputs first: what its probe says.
      predictions: int [n], what the network says.

    Returns:
      float64 [n], from 0, the inputs, to the number of layers, where the last one disagrees.
    """
    agrees = np.array([probe == predictions for probe in probes])
    # The layers from the last one down for as long as all agree.
    settled = np.cumprod(agrees[::-1], axis=0).sum(0)
    return np.asarray(len(probes) - settled, np.float64)


def prediction_depth(
    near: Sequence[np.ndarray], labels: np.ndarray, predictions: np.ndarray
) -> np.ndarray:
    """Returns the prediction depth of each training example, see `depths`.

    Each probe asks an example's nearest others in the training set for their given labels: the
    example itself, whose label would answer for it, is not asked.

    Args:
      near: positions of each example's nearest others, int [n, k] for each layer, the inputs
        first, see `activations` and `nearest.neighbours`.
      labels: int [n], the given labels.
      predictions: int [n], what the network says in the end.
    """
    probes = [nearest.vote(labels, own, own.shape[1]) for own in near]
    return depths(probes, predictions)
