"""How large the weights of a network are, and how far from its start: measures of one run.

The weights of a network are its parameters of two or more axes, each as a matrix W [inputs,
outputs]; that of a convolution has a row for each place of its kernel and input channel. Biases,
and what shifts and scales a batch, are left out. W0 is the same at the start of training. Numbers
in brackets are those of the equations of Jiang et al. (2020), whose measures are squares.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from rethinking_jax.step.state import PyTree

Weights = Sequence[np.ndarray]  # float64 [inputs, outputs] each


class Network(NamedTuple):
    """What is measured of a run at one moment.

    Attributes:
      weights: those that it has.
      start: those that it had before its first step, in the same order.
    """

    weights: Weights
    start: Weights


class Measure(NamedTuple):
    """One name that the key `measures` takes.

    Attributes:
      doc: what is measured, in a few words.
      columns: what a line holds of it, by name.
    """

    doc: str
    columns: dict[str, Callable[[Network], float]]


def matrices(params: PyTree) -> list[np.ndarray]:
    """Returns the weights of a tree of parameters, float64 [inputs, outputs] each."""
    leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(params)]
    return [leaf.reshape(-1, leaf.shape[-1]) for leaf in leaves if leaf.ndim > 1]


def distance_from_start(network: Network) -> float:
    """Returns the root of the sum over layers of |W - W0|_F^2, the root of [40]."""
    pairs = zip(network.weights, network.start, strict=True)
    return _length([now - then for now, then in pairs])


def _length(weights: Weights) -> float:
    return float(np.sqrt(sum(np.sum(weight**2) for weight in weights)))


MEASURES: dict[str, Measure] = {
    "distance": Measure(
        "how far the weights are from their start", {"distance_from_start": distance_from_start}
    ),
}


def columns(names: Sequence[str], network: Network) -> dict[str, float]:
    """Returns the numbers of some measures of `MEASURES`, by the names of their columns."""
    chosen = [MEASURES[name] for name in MEASURES if name in names]
    return {name: of(network) for measure in chosen for name, of in measure.columns.items()}
