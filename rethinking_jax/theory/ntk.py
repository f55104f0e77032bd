"""A wide network and its tangent kernel: the least norm of section 5, beyond linear models.

Around its start a network is linear in its weights, with the features of its gradient, and the
wider it is the longer that holds (Jacot, Gabriel and Hongler, 2018). Gradient descent on squared
loss then ends at the interpolant that moves the weights least, whose predictions are
f0(x) + K(x, X) K(X, X)^-1 (y - f0(X)), K the kernel of these features at the start.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import curve, verdict
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError
from rethinking_jax.theory.data import Task, rows
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json

TEST = 200  # test images on which predictions are compared
STEPS = 20_000  # most steps of gradient descent
FITTED = 1e-3  # |y - f| / |y - f0| of a training set that is fitted
SHRINKS = 0.5  # most that the distance at the widest network may be of that at the narrowest

COLUMNS = (
    Column("labels", "name"),
    Column("width", "width", "{:,}"),
    Column("seeds", "seeds"),
    Column("to the kernel's prediction", "distance", "{:.3f}"),
    Column("least", "least", "{:.3f}"),
    Column("most", "most", "{:.3f}"),
    Column("weights moved", "moved", "{:.4f}"),
    Column("kernel to its limit", "to_limit", "{:.3f}"),
    Column("steps", "steps", "{:,.0f}"),
    Column("train residual", "residual", "{:.1e}"),
)
NOTE = (
    "One hidden ReLU layer without biases, one output, labels +1 for the first half of the classes "
    "and -1 for the rest, images of norm 1, full batches. to the kernel's prediction: distance on "
    f"{TEST} test images of the trained network's outputs, over how far the prediction moved them "
    "from the start. weights moved: over their norm. kernel to its limit: relative distance to the "
    "closed form for infinite width. Means over the seeds; least and most of them."
)

Params = dict[str, jax.Array]
Weights = TypeVar("Weights")  # any tree of arrays


def init(width: int, dimension: int, seed: int) -> Params:
    """Draws independent standard normal weights; their scale is in `forward`."""
    rng = generator(seed, "ntk_weights")
    first, last = rng.normal(size=(dimension, width)), rng.normal(size=width)
    return {"first": jnp.asarray(first, jnp.float32), "last": jnp.asarray(last, jnp.float32)}


def forward(params: Params, x: jax.Array) -> jax.Array:
    """Maps [n, d] to outputs [n]: sqrt(2 / width) sum_j a_j relu(w_j . x)."""
    hidden = jax.nn.relu(jnp.matmul(x, params["first"], precision="highest"))
    scale = jnp.sqrt(2.0 / params["last"].shape[0])
    outputs: jax.Array = scale * jnp.matmul(hidden, params["last"], precision="highest")
    return outputs


def empirical(
    apply: Callable[[Weights, jax.Array], jax.Array], params: Weights, x: jax.Array, y: jax.Array
) -> jax.Array:
    """Returns the tangent kernel of a one-output network between [n, d] and [m, d]: [n, m].

    It is made of inner products of gradients. A column is a gradient at one y, pulled back and
    pushed forward along all x: no gradient of more than one output is held.
    """
    _, pull = jax.vjp(lambda p: apply(p, y), params)

    def column(one: jax.Array) -> jax.Array:
        pushed: jax.Array = jax.jvp(lambda p: apply(p, x), (params,), pull(one))[1]
        return pushed

    columns: jax.Array = jax.lax.map(column, jnp.eye(len(y)))
    return columns.T


def infinite(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the limit of `empirical` for `forward` at infinite width, of rows of norm 1.

    It is made of arc-cosine kernels of u = x.y: u k0(u) + k1(u), where k0 = 1 - t / pi,
    k1 = (sin t + (pi - t) u) / pi and t = arccos u (Cho and Saul, 2009). The first term comes
    from the first layer's gradients, the second from the last one's.
    """
    u = np.clip(x @ y.T, -1, 1)
    t = np.arccos(u)
    limit: np.ndarray = u * (1 - t / np.pi) + (np.sin(t) + (np.pi - t) * u) / np.pi
    return limit


class Trained(NamedTuple):
    """Where gradient descent ended.

    Attributes:
      params: the weights.
      steps: number of steps.
      residual: |y - f| / |y - f0| of the training set.
    """

    params: Params
    steps: int
    residual: float


def descend(params: Params, x: jax.Array, y: jax.Array, rate: float) -> Trained:
    """Descends the gradient of |f(x) - y|^2 / 2 until x is fitted, or for `STEPS` steps."""

    def loss(p: Params) -> tuple[jax.Array, jax.Array]:
        left = forward(p, x) - y
        return 0.5 * (left**2).sum(), jnp.linalg.norm(left)

    begin = loss(params)[1]

    def step(carry: tuple[Params, jax.Array, jax.Array]) -> tuple[Params, jax.Array, jax.Array]:
        p, count, _ = carry
        grads, left = jax.grad(loss, has_aux=True)(p)
        return jax.tree.map(lambda w, g: w - rate * g, p, grads), count + 1, left / begin

    def go_on(carry: tuple[Params, jax.Array, jax.Array]) -> jax.Array:
        return (carry[2] > FITTED) & (carry[1] < STEPS)

    @jax.jit
    def run(p: Params) -> tuple[Params, jax.Array, jax.Array]:
        return jax.lax.while_loop(go_on, step, (p, jnp.int32(0), jnp.float32(1)))

    found, count, _ = run(params)
    return Trained(found, int(count), float(loss(found)[1] / begin))


def measure(name: str, config: ConfigDict, task: Task, say: Callable[[str], None]) -> list[Json]:
    """Returns a row for each width of the config; [] where it asks for none.

    Raises:
      UserError: there are fewer training examples than it asks for.
    """
    found: list[Json] = []
    if not (widths := parse(config.ntk_widths, "ntk_widths")):
        return found
    x, y, others = _data(config, task)
    for width in widths:
        seeds = [_one(width, x, y, others, config.seed + seed) for seed in range(config.ntk_seeds)]
        means = {key: float(np.mean([one[key] for one in seeds])) for key in seeds[0]}
        distances = [one["distance"] for one in seeds]
        found.append(
            {
                "name": name,
                "width": width,
                "seeds": len(seeds),
                "examples": len(x),
                **means,
                "least": min(distances),
                "most": max(distances),
            }
        )
        say(f"{name}, width {width:,}: {means['distance']:.3f} from the kernel's prediction")
    return found


def _data(config: ConfigDict, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns images float32 [n, d] of norm 1, labels float32 [n] of +-1, test images [m, d]."""
    count = len(task.train_labels)
    if config.ntk_examples > count:
        raise UserError(f"config.ntk_examples={config.ntk_examples}: there are {count:,}")
    chosen = generator(config.data_seed, "ntk_examples").permutation(count)[: config.ntk_examples]
    images = rows(task.train_images)[chosen], rows(task.test_images)[:TEST]
    # A black image has no direction and stays 0.
    x, others = (p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-6) for p in images)
    labels = np.where(task.train_labels[chosen] < task.num_classes / 2, 1.0, -1.0)
    return x, labels.astype(np.float32), others


def _one(
    width: int, x: np.ndarray, y: np.ndarray, others: np.ndarray, seed: int
) -> dict[str, float]:
    """Trains one network and compares it with its tangent kernel at the start."""
    params = init(width, x.shape[1], seed)
    both = jnp.asarray(np.concatenate([x, others]))
    kernel = np.asarray(empirical(forward, params, both, jnp.asarray(x)), np.float64)
    start = np.asarray(forward(params, both), np.float64)
    train, cross = kernel[: len(x)], kernel[len(x) :]
    moved = cross @ np.linalg.solve(train, y - start[: len(x)])
    trained = descend(params, jnp.asarray(x), jnp.asarray(y), 1 / float(np.linalg.norm(train, 2)))
    ended = np.asarray(forward(trained.params, jnp.asarray(others)), np.float64)
    limit = infinite(x.astype(np.float64), x.astype(np.float64))
    change = jax.tree.map(lambda a, b: a - b, trained.params, params)
    return {
        "distance": float(np.linalg.norm(ended - start[len(x) :] - moved) / np.linalg.norm(moved)),
        "moved": _norm(change) / _norm(params),
        "to_limit": float(np.linalg.norm(train - limit) / np.linalg.norm(limit)),
        "steps": float(trained.steps),
        "residual": trained.residual,
    }


def _norm(tree: Params) -> float:
    return float(np.sqrt(sum(float((leaf**2).sum()) for leaf in jax.tree.leaves(tree))))


def tables(found: Sequence[Json]) -> list[Table]:
    """Returns one table, or none where nothing was measured."""
    title = "A network trained from its start, and its tangent kernel there"
    return [table("ntk", title, COLUMNS, found, NOTE)] if found else []


def plots(found: Sequence[Json]) -> list[Plot]:
    """Draws distances by width, with a band from the least to the most of the seeds."""
    curves = []
    for name in dict.fromkeys(row["name"] for row in found):
        own = [row for row in found if row["name"] == name]
        widths = [row["width"] for row in own]
        made = curve(f"{name}: to the kernel's prediction", widths, [r["distance"] for r in own])
        low, high = ([row[key] for row in own] for key in ("least", "most"))
        curves.append(made._replace(low=low, high=high, note=f"mean of {own[0]['seeds']} seeds"))
        for key, what in (("to_limit", "its kernel to infinite width's"), ("moved", "weights")):
            curves.append(curve(f"{name}: {what}", widths, [row[key] for row in own]))
    title = "A trained network nears its tangent kernel's interpolant as it gets wider"
    caption = "Relative distances; weights: how far they moved from their start."
    if not found:
        return []
    return [Plot("ntk", title, caption, "width", "relative distance", curves, log="xy")]


def verdicts(found: Sequence[Json]) -> list[Verdict]:
    """Judges whether the distance falls with the width, for every run."""
    enough, held, texts = bool(found), True, []
    for name in dict.fromkeys(row["name"] for row in found):
        own = [row for row in found if row["name"] == name]
        distances = [row["distance"] for row in own]
        enough &= len(own) > 1 and all(row["residual"] <= 2 * FITTED for row in own)
        falls = all(a > b for a, b in itertools.pairwise(distances))
        held &= falls and distances[-1] <= SHRINKS * distances[0]
        texts.append(
            f"{name.replace('_', ' ')}: {distances[0]:.3f} at width {own[0]['width']:,}, "
            f"{distances[-1]:.3f} at {own[-1]['width']:,}"
        )
    return [
        verdict(
            "The wider a network, the nearer gradient descent ends to the interpolant of least "
            "norm in its gradients' features.",
            "section 5, beyond linear models",
            held if enough else None,
            f"Distance to the tangent kernel's prediction: {'; '.join(texts)}."
            if enough
            else "Needs two or more ntk_widths, all fitted.",
            "No number in the paper; the limit is Jacot et al. (2018).",
        )
    ]
