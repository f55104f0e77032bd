"""Theorem 1: a 2-layer ReLU network with 2n + d weights takes any n labels, and is built here.

c(x) = sum_j w_j max(<a, x> - b_j, 0). With z_i = <a, x_i> all different and in order and
b_1 < z_1 < b_2 < z_2 < ..., c is piecewise linear along a: between b_j and b_(j+1) its slope
is w_1 + ... + w_j, and each slope follows from the label that the next point asks for. That
is the triangular system of the paper's proof, solved in O(n) time and memory after a sort.

Corollary 1 says the same for depth k and width O(n / k). The points are cut into k - 1 groups of
neighbours, one for each hidden layer. A layer has a unit for each of its points, one more
that ends the slope behind the last of them, one that hands <a, x> on and one that hands on
the sum so far. At every data point that sum is the label of a data point, hence (labels are
counted from 0) not negative, and passes the ReLU as it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError

# A threshold lies at this share of the gap between two points. Each slope passes on a ninth of
# the error of the one before; at nine tenths it would be ninefold.
THRESHOLD = 0.1
CHUNK = 250  # points for which all terms are summed at once


class Network(NamedTuple):
    """Theorem 1's network.

    Attributes:
      direction: a, float64 [d].
      thresholds: b, float64 [n], in rising order.
      outgoing: w, float64 [n].
    """

    direction: np.ndarray
    thresholds: np.ndarray
    outgoing: np.ndarray

    @property
    def weights(self) -> int:
        """How many weights there are."""
        return sum(part.size for part in self)


class DeepNetwork(NamedTuple):
    """Corollary 1's network.

    Attributes:
      direction: a, float64 [d].
      start: a number below <a, x> of every point x.
      layers: thresholds and outgoing weights of each hidden layer's own units; the unit that
        ends the slope is the last.
    """

    direction: np.ndarray
    start: float
    layers: list[tuple[np.ndarray, np.ndarray]]

    @property
    def width(self) -> int:
        """How many units the widest hidden layer has, with the two that hand on."""
        return max(len(thresholds) for thresholds, _ in self.layers) + 2

    @property
    def weights(self) -> int:
        """How many weights there are: a, the start, the units' own, two that hand on a layer."""
        own = sum(part.size for layer in self.layers for part in layer)
        return self.direction.size + 1 + own + 2 * len(self.layers)


def distinct(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the indices of the points without repetitions, the first of each, in their order.

    Args:
      points: float [n, d].
      labels: numbers [n].

    Raises:
      UserError: two equal points have different labels, which no function takes.
    """
    raw = np.ascontiguousarray(points).view(np.dtype((np.void, points.strides[0]))).ravel()
    _, first, which = np.unique(raw, return_index=True, return_inverse=True)
    wrong = np.flatnonzero(labels != labels[first[which]])
    if len(wrong):
        i, j = first[which[wrong[0]]], wrong[0]
        raise UserError(
            f"Theorem 1 cannot hold: the training examples at {i} and {j} are equal images with "
            f"the labels {labels[i]} and {labels[j]}, and no function takes both. "
            "config.train_examples chooses fewer"
        )
    return np.sort(first)


def build(points: np.ndarray, labels: np.ndarray, seed: int) -> tuple[Network, np.ndarray]:
    """Builds the network of Theorem 1.

    Args:
      points: float [n, d], all different.
      labels: any real numbers [n].
      seed: seed of the direction.

    Returns:
      The network, and z = <a, x_i> as float64 [n], in the order of `points`.

    Raises:
      UserError: float64 cannot tell two projections apart.
    """
    direction, z = _project(points, seed)
    order = np.argsort(z, kind="stable")
    in_order, y = z[order], np.asarray(labels, np.float64)[order]
    thresholds, slopes = solve(_start(in_order), 0.0, in_order, y)
    return Network(direction, thresholds, np.diff(slopes, prepend=0.0)), z


def _project(points: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws a direction and projects the points; on almost any direction they all differ."""
    count, size = points.shape
    direction = generator(seed, "theorem1_projection").normal(size=size) / np.sqrt(size)
    # 60,000 images in float64 would take gigabytes, so they are projected part by part.
    parts = [points[i : i + 4096].astype(np.float64) @ direction for i in range(0, count, 4096)]
    z = np.concatenate(parts)
    in_order = np.sort(z)
    if count > 1 and np.diff(in_order).min() <= 0:
        raise UserError(
            f"config.seed={seed}: two of {count:,} points have the same projection in float64; "
            "another seed draws another direction"
        )
    return direction, z


def _start(z: np.ndarray) -> float:
    """Returns where c begins to rise: a usual gap before the first point."""
    return float(z[0] - (np.diff(z).mean() if len(z) > 1 else 1.0))


def solve(
    start: float, value: float, z: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the piecewise linear function through points in rising order.

    Args:
      start: a number below z[0] from which the function is level up to the first threshold.
      value: the function's value at `start`.
      z: where the points lie, float64 [n], rising.
      y: the values that the function takes there, float64 [n].

    Returns:
      The thresholds and the slopes behind them, float64 [n] each.
    """
    before = np.concatenate([[start], z[:-1]])
    thresholds = before + THRESHOLD * (z - before)
    with jax.enable_x64(True):
        parts = (np.diff(y, prepend=value), thresholds - before, z - thresholds)
        terms = tuple(jnp.asarray(part) for part in parts)
        _, slopes = jax.lax.scan(_next_slope, jnp.zeros(()), terms)
        return thresholds, np.asarray(slopes)


def _next_slope(slope: jax.Array, term: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
    # From point to point the old slope holds up to the threshold, the new one from there.
    rise, to_threshold, from_threshold = term
    slope = (rise - slope * to_threshold) / from_threshold
    return slope, slope


def build_deep(points: np.ndarray, labels: np.ndarray, depth: int, seed: int) -> DeepNetwork:
    """Builds the network of Corollary 1.

    Args:
      points: float [n, d], all different.
      labels: numbers [n], not negative.
      depth: layers of weights, at least 2; depth - 1 of the network's layers are hidden.
      seed: seed of the direction.

    Raises:
      UserError: float64 cannot tell two projections apart.
    """
    direction, z = _project(points, seed)
    order = np.argsort(z)
    z, y = z[order], np.asarray(labels, np.float64)[order]
    start = _start(z)
    layers = []
    last_z, last_y = start, 0.0
    parts = (np.array_split(part, depth - 1) for part in (z, y))
    for part_z, part_y in zip(*parts, strict=True):
        if len(part_z):  # a part is empty where there are more layers than points
            thresholds, slopes = solve(last_z, last_y, part_z, part_y)
            # The last unit takes the slope away at the last point, and c is level from there on.
            outgoing = np.diff(slopes, prepend=0.0, append=0.0)
            layers.append((np.append(thresholds, part_z[-1]), outgoing))
            last_z, last_y = float(part_z[-1]), float(part_y[-1])
    return DeepNetwork(direction, start, layers)


# Evaluation ---------------------------------------------------------------------------------


def evaluate_sorted(network: Network, z: np.ndarray, dtype: type) -> np.ndarray:
    """Evaluates c at points with the projections z [m], by prefix sums: O(m log n).

    Everything, the weights included, is rounded to `dtype`, float32 or float64.
    """
    z = z.astype(dtype)
    b: np.ndarray = network.thresholds.astype(dtype)
    w: np.ndarray = network.outgoing.astype(dtype)
    active = np.searchsorted(b, z, side="left")
    slope = np.concatenate([np.zeros(1, dtype), np.cumsum(w, dtype=dtype)])[active]
    offset = np.concatenate([np.zeros(1, dtype), np.cumsum(w * b, dtype=dtype)])[active]
    with np.errstate(all="ignore"):
        values: np.ndarray = slope * z - offset
    return values


def evaluate(network: Network, points: np.ndarray, dtype: type) -> np.ndarray:
    """Evaluates c at points [m, d], from the pixels, with every one of the n terms: O(m n)."""
    with jax.enable_x64(dtype is np.float64):
        a, b, w = (jnp.asarray(part, dtype) for part in network)

        @jax.jit
        def forward(x: jax.Array) -> jax.Array:
            z = jnp.dot(x, a, precision="highest")
            hidden = jax.nn.relu(z[:, None] - b)
            return jnp.dot(hidden, w, precision="highest")

        return _by_chunks(forward, points, dtype)


def evaluate_deep(network: DeepNetwork, points: np.ndarray, dtype: type) -> np.ndarray:
    """Evaluates the deep network at points [m, d], layer by layer, from the pixels."""
    with jax.enable_x64(dtype is np.float64):
        direction = jnp.asarray(network.direction, dtype)
        start = jnp.asarray(network.start, dtype)
        layers = [tuple(jnp.asarray(p, dtype) for p in layer) for layer in network.layers]

        @jax.jit
        def forward(x: jax.Array) -> jax.Array:
            # It is counted from the start, so that the unit that hands it on never cuts it.
            along = jnp.dot(x, direction, precision="highest") - start
            total = jnp.zeros_like(along)
            for thresholds, outgoing in layers:
                own = jax.nn.relu(along[:, None] - (thresholds - start))
                along, handed_on = jax.nn.relu(along), jax.nn.relu(total)
                total = handed_on + jnp.dot(own, outgoing, precision="highest")
            return total

        return _by_chunks(forward, points, dtype)


def _by_chunks(
    forward: Callable[[jax.Array], jax.Array], points: np.ndarray, dtype: type
) -> np.ndarray:
    parts = [
        np.asarray(forward(jnp.asarray(points[i : i + CHUNK], dtype)))
        for i in range(0, len(points), CHUNK)
    ]
    return np.concatenate(parts)
