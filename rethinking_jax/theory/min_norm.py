"""Section 5: SGD on a linear model with more weights than examples finds the least norm.

Every gradient of the squared loss is a combination of examples. So SGD from w = 0 stays in
their span, where there is one interpolant only: X' (X X')^-1 y, the one of least norm. From
another start the part of the start outside the span stays for good, and what SGD converges
to is that interpolant plus this very part.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import Findings, curve, finite, verdict
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.config.key import Key, Range
from rethinking_jax.config.keys import ABOVE_0, AT_LEAST_1
from rethinking_jax.errors import UserError
from rethinking_jax.theory import ntk
from rethinking_jax.theory.data import Task, generator, rows
from rethinking_jax.theory.kind import ANYTHING, Kind, Tools, at_least
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json

FEATURES, START, BATCHES = 5, 6, 7  # purposes of draws
GAMMA = 0.02  # of the Gaussian kernel that the random Fourier features approximate
LOOKS = 40  # at the weights on the way
PIECE = 1024  # steps in one call
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
    Column("train error", "train_error", "{:.4f}"),
    Column("test error", "test_error", "{:.4f}"),
)
NOTE = (
    "to least norm: |w - X+ y| / |X+ y| after the last step. to predicted: the same to X+ y plus "
    "the start's part outside the span of the examples. moved outside span: how far SGD took the "
    "weights outside the span, over |X+ y|; rounding alone. Both starts see the same batches."
)


class Path(NamedTuple):
    """Weights on the way: steps [t], and at these steps weights float64 [t, d, k]."""

    steps: np.ndarray
    weights: np.ndarray


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """SGD from zero and from another start for each run.

    Raises:
      UserError: there are not fewer examples than weights, or no interpolant.
    """
    measured: list[Json] = []
    networks: list[Json] = []
    curves = []
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
    first = measured[0]
    facts = {
        "data": f"{members[0].config.dataset}, {first['examples']:,} training examples",
        "method": f"mini-batches of {members[0].config.batch_size}, "
        f"{members[0].config.features} features, {first['dimension']:,} weights for each class, "
        f"learning rate {first['learning_rate']:.3g}, float64",
    }
    caption = (
        "Relative distance of the weights to the interpolant of least norm, and to this plus the "
        "start's part outside the span of the examples."
    )
    title = "SGD on squared loss, and the interpolants of a linear model"
    plot = Plot("min_norm", title, caption, "steps", "relative distance", curves, log="xy")
    made = table("min_norm", "Where SGD ends", COLUMNS, measured, NOTE)
    return Findings(
        measured + networks,
        facts,
        [made, *ntk.tables(networks)],
        [plot, *ntk.plots(networks)],
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
        Key("num_features", 1000, "Number of Fourier features.", range=AT_LEAST_1),
        Key("batch_size", 20, "Examples in a step of SGD.", range=AT_LEAST_1),
        Key(
            "learning_rate",
            0.0,
            "SGD's learning rate; 0: one over the largest squared norm of an example.",
            range=Range(0, 1e12, "0 (its own choice) or above"),
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
        Key("ntk_examples", 40, "Training examples of these networks.", range=at_least(2)),
        Key("ntk_seeds", 3, "Initial weights of each of these networks.", range=AT_LEAST_1),
    ),
    effects={
        "num_features": ("features", "fourier"),
        "ntk_examples": ("ntk_widths", ANYTHING),
        "ntk_seeds": ("ntk_widths", ANYTHING),
    },
    check=lambda config: parse(config.ntk_widths, "ntk_widths"),
)


def measure(config: ConfigDict, task: Task) -> list[tuple[Json, Json]]:
    """A row of numbers and the distances on the way, for each of the two starts."""
    x, others = make_features(config, task)
    y = np.eye(task.num_classes)[task.train_labels]
    check(config, x)
    least, basis = least_norm(x, y)
    size = np.linalg.norm(least)
    noise = generator(config.seed, START).normal(size=least.shape)
    starts = {
        "zero": np.zeros_like(least),
        "another": noise * config.start_scale * size / np.linalg.norm(noise),
    }
    rate = config.learning_rate or 1 / float((x**2).sum(1).max())
    result = []
    for name, start in starts.items():
        outside = start - basis @ (basis.T @ start)
        started = time.perf_counter()
        path = descend(x, y, start, rate, config.batch_size, config.steps, config.seed)
        seconds = time.perf_counter() - started
        last = path.weights[-1]
        moved = (last - start) - basis @ (basis.T @ (last - start))
        to = {
            key: [finite(np.linalg.norm(w - goal) / size) for w in path.weights]
            for key, goal in (("least", least), ("predicted", least + outside))
        }
        row = {
            "start": name,
            "corruption": config.corruption,
            "examples": len(x),
            "dimension": x.shape[1],
            "steps": config.steps,
            "learning_rate": rate,
            "to_least_norm": to["least"][-1],
            "to_predicted": to["predicted"][-1],
            "outside": float(np.linalg.norm(outside) / size),
            "moved_outside": finite(np.linalg.norm(moved) / size),
            "norm": finite(np.linalg.norm(last)),
            "least_norm": float(size),
            "train_error": float(np.mean((x @ last).argmax(1) != task.train_labels)),
            "test_error": float(np.mean((others @ last).argmax(1) != task.test_labels)),
            "seconds": seconds,
        }
        if None in (row["to_least_norm"], row["moved_outside"], row["norm"]):
            raise UserError(
                f"config.learning_rate={rate:g}: SGD diverged. 0 takes one that converges"
            )
        result.append((row, {"steps": path.steps, **to}))
    return result


def make_features(config: ConfigDict, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """float64 [n, d] and [m, d]: pixels, or sqrt(2 / d) cos(omega x + phase) of them."""
    x, others = (rows(p).astype(np.float64) for p in (task.train_images, task.test_images))
    if config.features == "pixels":
        return x, others
    rng, count = generator(config.seed, FEATURES), config.num_features
    omega = rng.normal(size=(x.shape[1], count)) * np.sqrt(2 * GAMMA)
    phase = rng.uniform(0, 2 * np.pi, count)
    first, second = (np.sqrt(2 / count) * np.cos(p @ omega + phase) for p in (x, others))
    return first, second


def check(config: ConfigDict, x: np.ndarray) -> None:
    """Refuses what has no interpolant, or only one.

    Raises:
      UserError: with what would be right.
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
    """X+ y [d, k], and an orthonormal basis [d, n] of the examples' span."""
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
    """Mini-batch SGD on the mean of |x w - y|^2 / 2, in float64.

    Args:
      x: [n, d]; y: [n, k]; start: [d, k].
      learning_rate: constant.
      batch_size: examples of a step, drawn by `seed` without repetition within a step.
      steps: in all.

    Returns:
      The weights at the start and about `LOOKS` times, ever more rarely, to the last step.
    """
    looks = np.unique(np.geomspace(1, steps, LOOKS).astype(int))
    with jax.enable_x64(True):
        optimizer = optax.sgd(learning_rate)
        data, labels = jnp.asarray(x), jnp.asarray(y)

        def loss(w: jax.Array, chosen: jax.Array) -> jax.Array:
            errors = data[chosen] @ w - labels[chosen]
            return 0.5 * (errors**2).sum(1).mean()

        def step(carry: tuple[jax.Array, Any], chosen: jax.Array) -> tuple[Any, None]:
            w, state = carry
            updates, state = optimizer.update(jax.grad(loss)(w, chosen), state)
            return (optax.apply_updates(w, updates), state), None

        scan = jax.jit(lambda carry, batches: jax.lax.scan(step, carry, batches)[0])
        w = jnp.asarray(start)
        carry, kept, at = (w, optimizer.init(w)), [start], 0
        rng = generator(seed, BATCHES)
        for look in looks:
            # Pieces of powers of two: few programs to compile, and few batches held at once.
            while at < look:
                size = min(PIECE, 1 << int(look - at).bit_length() - 1)
                batches = rng.permuted(np.tile(np.arange(len(x)), (size, 1)), axis=1)
                carry = scan(carry, jnp.asarray(batches[:, :batch_size]))
                at += size
            kept.append(np.asarray(carry[0]))
        # 0 has no place on a logarithmic scale of steps: the start is left out.
        return Path(looks, np.stack(kept[1:]))


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
