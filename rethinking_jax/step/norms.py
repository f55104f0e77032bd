"""How large the weights of a network are, and by how much it fits: measures of one run.

The weights of a network are its parameters of two or more axes, each as a matrix W [inputs,
outputs]; that of a convolution has a row for each place of its kernel and input channel. Biases,
and what shifts and scales a batch, are left out. W0 is the same at the start of training. |.|_F is
the Frobenius norm, |.|_2 the spectral norm, and sums and products are over the weights. Numbers
in brackets are those of the equations of Jiang et al. (2020), whose measures are squares.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.step.state import PyTree

Weights = Sequence[np.ndarray]  # float64 [inputs, outputs] each

MARGIN = "margin_10th"
SHARE = 10  # per cent of the margins lie below the one that stands for all
# Matrices with a shorter side than this have all their singular values computed.
_SMALL = 40


class Network(NamedTuple):
    """What is measured of a run at one moment; what no measure asks for is empty.

    Attributes:
      weights: those that it has.
      start: those that it had before its first step, in the same order.
      path: its path norm, see `path_norm`.
      margins: of the examples that it trains on, with the labels that it has, in eval mode: the
        logit of the label less the largest other one, float [n].
    """

    weights: Weights = ()
    start: Weights = ()
    path: float = math.nan
    margins: np.ndarray = np.empty(0)


class Measure(NamedTuple):
    """One name that the key `measures` takes.

    Attributes:
      doc: what is measured, in a few words.
      of: what a line holds of it, by the names of columns.
      needs: the class attribute of the networks that it is for, a name of `NEEDS`; "" for all.
    """

    doc: str
    of: Callable[[Network], dict[str, float]]
    needs: str = ""


# What the networks have in common whose class says so by this attribute, see `models`.
NEEDS = {
    "chain": "layers one after another, without batch norm, branches or skip connections",
    "homogeneous": "sums, ReLU and maxima alone, without any normalization",
}


def matrices(params: PyTree) -> list[np.ndarray]:
    """Returns the weights of a tree of parameters, float64 [inputs, outputs] each."""
    leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(params)]
    return [leaf.reshape(-1, leaf.shape[-1]) for leaf in leaves if leaf.ndim > 1]


def distance(network: Network) -> dict[str, float]:
    """Returns the root of the sum of |W - W0|_F^2, the root of [40]."""
    pairs = zip(network.weights, network.start, strict=True)
    return {"distance_from_start": _length([now - then for now, then in pairs])}


def frobenius(network: Network) -> dict[str, float]:
    """Returns the root of the sum of |W|_F^2, the root of [42]."""
    return {"frobenius_norm": _length(network.weights)}


def spectral_norm(weight: np.ndarray) -> float:
    """Returns the largest singular value of a matrix, float64 [inputs, outputs]; nan of nan."""
    if not np.isfinite(weight).all():
        return math.nan
    if min(weight.shape) < _SMALL or not weight.any():
        return float(np.linalg.norm(weight, 2))
    from scipy.sparse.linalg import svds  # slow to import

    # Always the same start, so that the same weights have the same norm to the last bit.
    first = np.random.default_rng(0).normal(size=min(weight.shape))
    return float(svds(weight, k=1, v0=first, return_singular_vectors=False)[0])


def spectral(network: Network) -> dict[str, float]:
    """Returns what follows from the spectral norms of the weights.

    The spectral product is that of |W|_2, the root of [32]. The stable ranks are the sum of
    |W|_F^2 / |W|_2^2, [33]. The spectral complexity is R of Bartlett et al. (2017), equation 1.2,
    with reference matrices of zeros: the product of |W|_2 times (sum of (|W|_21 / |W|_2)^(2/3)) ^
    (3/2), where |W|_21 sums the l2 norms of what leads to each output.
    """
    norms = [spectral_norm(weight) for weight in network.weights]
    product = math.prod(norms)
    ranks = [np.sum(w**2) / norm**2 for w, norm in zip(network.weights, norms, strict=True) if norm]
    sums = [np.linalg.norm(weight, axis=0).sum() for weight in network.weights]
    ratios = [(own / norm) ** (2 / 3) for own, norm in zip(sums, norms, strict=True) if norm]
    return {
        "spectral_product": product,
        "stable_ranks": float(sum(ranks)),
        "spectral_complexity": float(product * sum(ratios) ** 1.5),
    }


def path_norm(model: nn.Module, params: PyTree, image_shape: Sequence[int]) -> jax.Array:
    """Returns the l2 norm over all paths of the product of the parameters on each, float32.

    Its square is what the outputs sum to where every parameter is squared and every input is 1,
    [44]; a bias is where paths start, too, and of a maximum only the largest path counts.

    Args:
      model: a network whose class is `homogeneous`.
      params: its parameters.
      image_shape: (h, w, c) of its input.
    """
    squares = jax.tree.map(jnp.square, params)
    if hasattr(model, "dtype"):
        model = model.clone(dtype=jnp.float32)
    ones = jnp.ones((1, *image_shape))
    # Accelerators round the factors of products to fewer bits unless they are asked not to.
    with jax.default_matmul_precision("highest"):
        outputs = cast(jax.Array, model.apply({"params": squares}, ones, train=False))
    return jnp.sqrt(outputs.sum())


def margin(network: Network) -> dict[str, float]:
    """Returns the 10th percentile of the margins, gamma of Jiang et al. (2020)."""
    return {MARGIN: float(np.percentile(network.margins.astype(np.float64), SHARE))}


MEASURES: dict[str, Measure] = {
    "distance": Measure("how far the weights are from their start", distance),
    "frobenius": Measure("how large all weights are together", frobenius),
    "spectral": Measure("the spectral norms of the layers, multiplied", spectral, "chain"),
    "path": Measure(
        "the norm over paths from inputs to outputs",
        lambda network: {"path_norm": network.path},
        "homogeneous",
    ),
    "margin": Measure("the margins of training examples, also over these norms", margin),
}
# Margins over norms, by what they are divided by; a line that holds both holds these.
RATIOS = {
    "margin_over_spectral": "spectral_product",
    "normalized_margin": "spectral_complexity",
    "margin_over_path": "path_norm",
}


def columns(names: Sequence[str], network: Network) -> dict[str, float]:
    """Returns the numbers of some measures of `MEASURES`, by the names of their columns."""
    found: dict[str, float] = {}
    for name, measure in MEASURES.items():
        found |= measure.of(network) if name in names else {}
    ratios = {
        name: found[MARGIN] / found[norm] if found[norm] else math.nan
        for name, norm in RATIOS.items()
        if MARGIN in found and norm in found
    }
    return found | ratios


def _length(weights: Weights) -> float:
    return float(np.sqrt(sum(np.sum(weight**2) for weight in weights)))
