"""Section 5: SGD on a linear model with more weights than examples finds the least norm.

Every gradient of the squared loss is a combination of examples. So SGD from w = 0 stays in
their span, where there is one interpolant only: X' (X X')^-1 y, the one of least norm. From
another start the part of the start outside the span stays for good, and what SGD converges
to is that interpolant plus this very part.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import Findings, curve, finite, verdict
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.config.key import ABOVE_0, AT_LEAST_1, Key, Need, Range, one_of
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError
from rethinking_jax.theory import ntk
from rethinking_jax.theory.data import Task, rows
from rethinking_jax.theory.features import draw_fourier
from rethinking_jax.theory.kind import Kind, Tools, at_least, not_empty
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json, text_of

LOOKS = 40  # how often the weights are looked at on the way
PIECE = 1024  # most steps in one call
REACHED = 1e-3  # relative distance that counts as having converged
ROUNDING = 1e-9  # relative size of what only rounding can have put outside the span

COLUMNS = (
    Column("labels", "name"),
    Column("start", "start"),
    Column("examples", "examples", "{:,}"),
    Column("weights", "dimension", "{:,}"),
    Column("steps", "steps", "{:,}"),
    Column("to least norm", "to_least_norm", "{:.1e}"),
    Column("to predicted", "to_predicted", "{:.1e}"),
    Column("moved outside span", "moved_outside", "{:.1e}"),
    Column("norm", "norm", "{:.2f}"),
    Column("train error", "train_error", text_of),
    Column("test error", "test_error", text_of),
)
NOTE = (
    "to least norm: |w - X+ y| / |X+ y| after the last step. to predicted: the same to X+ y plus "
    "the start's part outside the span of the examples. moved outside span: how far SGD took the "
    "weights outside the span, over |X+ y|; rounding alone. Both starts see the same batches."
)


Carry = tuple[jax.Array, optax.OptState]  # weights [d, k] and the optimizer's state


class Path(NamedTuple):
    """Weights on the way.

    Attributes:
      steps: numbers of steps, [t].
      weights: the weights after these steps, float64 [t, d, k].
    """

    steps: np.ndarray
    weights: np.ndarray


class Problem(NamedTuple):
    """A linear model with more weights than examples.

    Attributes:
      x: features of the training examples, float64 [n, d].
      y: one-hot labels, float64 [n, k].
      others: features of the test examples, float64 [m, d].
      least: the interpolant of least norm, X+ y, float64 [d, k].
      basis: an orthonormal basis of the examples' span, float64 [d, n].
    """

    x: np.ndarray
    y: np.ndarray
    others: np.ndarray
    least: np.ndarray
    basis: np.ndarray

    def outside(self, weights: np.ndarray) -> np.ndarray:
        """Returns the part of weights [d, k] that lies outside the span of the examples."""
        part: np.ndarray = weights - self.basis @ (self.basis.T @ weights)
        return part


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Runs SGD from zero and from another start for each run.

    Raises:
      UserError: there are not fewer examples than weights, or no interpolant.
    """
    measured: list[Json] = []
    networks: list[Json] = []
    curves: list[Curve] = []
    for name, config in members:
        for row, path in measure(config, tools.tasks(config)):
            row["name"] = name
            measured.append(row)
            label = f"{name}, from {row['start']}"
            for key, what in (("least", "the least norm"), ("predicted", "the predicted")):
                if key == "least" or row["start"] != "zero":
                    distances = [value or None for value in path[key]]
                    curves.append(curve(f"{label}: to {what}", path["steps"], distances))
            tools.say(f"{label}: distance {row['to_least_norm']:.1e}, {row['seconds']:.0f} seconds")
    for name, config in members:
        networks += ntk.measure(name, config, tools.tasks(config), tools.say)
    made = table("min_norm", "Where SGD ends", COLUMNS, measured, NOTE)
    return Findings(
        measured + networks,
        _facts(members[0].config, measured[0]),
        [made, *ntk.tables(networks)],
        [_plot(curves), *ntk.plots(networks)],
        _verdicts(measured) + ntk.verdicts(networks),
    )


KIND = Kind(
    run,
    keys=(
        Key(
            "features",
            "fourier",
            "What the linear model is given: random Fourier features, or the pixels themselves.",
            choices=("fourier", "pixels"),
        ),
        Key(
            "num_features",
            1000,
            "Number of Fourier features.",
            range=AT_LEAST_1,
            needs=one_of("features", "fourier"),
        ),
        Key("batch_size", 20, "Examples in a step of SGD.", range=AT_LEAST_1),
        Key(
            "learning_rate",
            0.0,
            "SGD's learning rate; 0: one over the largest squared norm of an example.",
            range=Range(0, 1e12, "0 (its own choice) or above, up to 1e12"),
        ),
        Key("steps", 30_000, "Steps of SGD from each start.", range=AT_LEAST_1),
        Key(
            "start_scale",
            1.0,
            "Norm of the start that is not zero, over that of the solution.",
            range=ABOVE_0,
        ),
        Key(
            "ntk_widths",
            "",
            "Widths of the networks that are held against their tangent kernels, joined by +, such "
            "as 16+256; '' for none.",
        ),
        Key(
            "ntk_examples",
            40,
            "Training examples of these networks.",
            range=at_least(2),
            needs=not_empty("ntk_widths"),
        ),
        Key(
            "ntk_seeds",
            3,
            "Initial weights of each of these networks.",
            range=AT_LEAST_1,
            needs=not_empty("ntk_widths"),
        ),
    ),
    needs={
        "data_seed": Need(
            ("train_examples", "ntk_widths"),
            lambda config: config.train_examples > 0 or bool(config.ntk_widths),
            "train_examples above 0, or ntk_widths",
        )
    },
    check=lambda config: parse(config.ntk_widths, "ntk_widths"),
)


def _facts(config: ConfigDict, row: Json) -> dict[str, str]:
    return {
        "data": f"{config.dataset}, {row['examples']:,} training examples",
        "method": f"mini-batches of {config.batch_size}, {config.features} features, "
        f"{row['dimension']:,} weights for each class, learning rate {row['learning_rate']:.3g}, "
        "float64",
    }


def _plot(curves: list[Curve]) -> Plot:
    caption = (
        "Relative distance of the weights to the interpolant of least norm, and to this plus the "
        "start's part outside the span of the examples."
    )
    title = "SGD on squared loss, and the interpolants of a linear model"
    return Plot("min_norm", title, caption, "steps", "relative distance", curves, log="xy")


def measure(config: ConfigDict, task: Task) -> list[tuple[Json, Json]]:
    """Returns a row of numbers and the distances on the way, for each of the two starts."""
    x, others = make_features(config, task)
    y = np.eye(task.num_classes)[task.train_labels]
    check(config, x)
    problem = Problem(x, y, others, *least_norm(x, y))
    noise = generator(config.seed, "min_norm_start").normal(size=problem.least.shape)
    size = np.linalg.norm(problem.least)
    starts = {
        "zero": np.zeros_like(problem.least),
        "another": noise * config.start_scale * size / np.linalg.norm(noise),
    }
    rate = config.learning_rate or 1 / float((x**2).sum(1).max())
    return [_from_start(config, task, problem, name, start, rate) for name, start in starts.items()]


def _from_start(
    config: ConfigDict, task: Task, problem: Problem, name: str, start: np.ndarray, rate: float
) -> tuple[Json, Json]:
    """Descends from one start and says where SGD went.

    Raises:
      UserError: SGD diverged.
    """
    size, outside = np.linalg.norm(problem.least), problem.outside(start)
    started = time.perf_counter()
    path = descend(problem.x, problem.y, start, rate, config.batch_size, config.steps, config.seed)
    seconds = time.perf_counter() - started
    last = path.weights[-1]
    goals = {"least": problem.least, "predicted": problem.least + outside}
    to = {
        key: [finite(np.linalg.norm(weights - goal) / size) for weights in path.weights]
        for key, goal in goals.items()
    }
    row = {
        "start": name,
        "corruption": config.corruption,
        "examples": len(problem.x),
        "dimension": problem.x.shape[1],
        "steps": config.steps,
        "learning_rate": rate,
        "to_least_norm": to["least"][-1],
        "to_predicted": to["predicted"][-1],
        "outside": float(np.linalg.norm(outside) / size),
        "moved_outside": finite(np.linalg.norm(problem.outside(last - start)) / size),
        "norm": finite(np.linalg.norm(last)),
        "least_norm": float(size),
        "train_error": float(np.mean((problem.x @ last).argmax(1) != task.train_labels)),
        "test_error": float(np.mean((problem.others @ last).argmax(1) != task.test_labels)),
        "seconds": seconds,
    }
    if None in (row["to_least_norm"], row["moved_outside"], row["norm"]):
        raise UserError(f"config.learning_rate={rate:g}: SGD diverged. 0 takes one that converges")
    return row, {"steps": path.steps, **to}


def make_features(config: ConfigDict, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 [n, d] and [m, d]: pixels, or sqrt(2 / d) cos(omega x + phase) of them."""
    x, others = (rows(p).astype(np.float64) for p in (task.train_images, task.test_images))
    if config.features == "pixels":
        return x, others
    fourier = draw_fourier(x.shape[1], config.num_features, config.seed)
    return fourier.of(x), fourier.of(others)


def check(config: ConfigDict, x: np.ndarray) -> None:
    """Refuses features x [n, d] that have no interpolant, or only one.

    Raises:
      UserError: the message says what would be right.
    """
    count, dimension = x.shape
    if count >= dimension:
        raise UserError(
            f"config.train_examples={config.train_examples}: {count:,} examples and {dimension:,} "
            "weights for each class; fewer examples than weights are needed"
        )
    if config.batch_size > count:
        raise UserError(f"config.batch_size={config.batch_size} is more than {count:,} examples")
    rank = np.linalg.matrix_rank(x)
    if rank < count:
        raise UserError(
            f"config.features={config.features}: the {count:,} examples have rank {rank:,}, so "
            "not all labels can be fitted: take fewer (config.train_examples) or features=fourier"
        )


def least_norm(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns X+ y, [d, k], and an orthonormal basis [d, n] of the examples' span."""
    left, values, right = np.linalg.svd(x, full_matrices=False)
    return right.T @ ((left.T @ y) / values[:, None]), right.T


def descend(
    x: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    learning_rate: float,
    batch_size: int,
    steps: int,
    seed: int,
) -> Path:
    """Descends the mean of |x w - y|^2 / 2 by mini-batch SGD, in float64.

    Args:
      x: [n, d].
      y: [n, k].
      start: [d, k].
      learning_rate: constant.
      batch_size: examples of a step, drawn by `seed` without repetition within a step.
      steps: number of steps.
      seed: seed of the draws of batches.

    Returns:
      The weights about `LOOKS` times, ever more rarely, to the last step.
    """
    looks = np.unique(np.geomspace(1, steps, LOOKS).astype(int))
    rng, at, kept = generator(seed, "min_norm_batches"), 0, []
    with jax.enable_x64(True):
        scan, carry = _sgd(x, y, start, learning_rate)
        for look in looks:
            # Pieces of powers of two: few programs to compile, and few batches held at once.
            while at < look:
                size = min(PIECE, 1 << int(look - at).bit_length() - 1)
                batches = rng.permuted(np.tile(np.arange(len(x)), (size, 1)), axis=1)
                carry = scan(carry, jnp.asarray(batches[:, :batch_size]))
                at += size
            kept.append(np.asarray(carry[0]))
        return Path(looks, np.stack(kept))


def _sgd(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, learning_rate: float
) -> tuple[Callable[[Carry, jax.Array], Carry], Carry]:
    """Returns a function that takes the steps of some batches, int [t, b], and where it begins."""
    optimizer = optax.sgd(learning_rate)
    data, labels = jnp.asarray(x), jnp.asarray(y)

    def loss(w: jax.Array, chosen: jax.Array) -> jax.Array:
        errors = data[chosen] @ w - labels[chosen]
        return 0.5 * (errors**2).sum(1).mean()

    def step(carry: Carry, chosen: jax.Array) -> tuple[Carry, None]:
        w, state = carry
        updates, state = optimizer.update(jax.grad(loss)(w, chosen), state)
        return (w + jnp.asarray(updates), state), None

    w = jnp.asarray(start)
    scan = jax.jit(lambda carry, batches: jax.lax.scan(step, carry, batches)[0])
    return scan, (w, optimizer.init(w))


def _verdicts(measured: list[Json]) -> list[Verdict]:
    zero = [row for row in measured if row["start"] == "zero"]
    other = [row for row in measured if row["start"] != "zero"]
    worst = max(row["to_least_norm"] for row in zero)
    predicted = max(row["to_predicted"] for row in other)
    apart = min(row["to_least_norm"] for row in other)
    outside = min(row["outside"] for row in other)
    moved = max(row["moved_outside"] for row in measured)
    return [
        verdict(
            "SGD from zero converges to the interpolant of least norm.",
            "section 5",
            worst <= REACHED,
            f"Relative distance {worst:.1e} after {zero[0]['steps']:,} steps.",
            "Proved: w = X' alpha, and X X' alpha = y has one solution.",
        ),
        verdict(
            "SGD never leaves the span of the examples.",
            "section 5",
            moved <= ROUNDING,
            f"Relative size of what it moved outside: {moved:.1e}.",
            "Every update is a combination of examples.",
        ),
        verdict(
            "From another start SGD finds another interpolant, off by the start's part outside "
            "the span.",
            "follows from section 5",
            predicted <= REACHED < apart,
            f"Relative distance {predicted:.1e} to the predicted interpolant, {apart:.3f} to that "
            f"of least norm; the start's part outside is {outside:.3f}.",
            "No number in the paper.",
            of_paper=False,
        ),
    ]
