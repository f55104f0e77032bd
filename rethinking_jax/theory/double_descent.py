"""Double descent by least squares on random Fourier features (Belkin et al. 2019, Figure 2).

Squared loss on one-hot labels has one solution while there are fewer features N than examples n;
beyond that it has many, and the one of least norm is taken. Either N grows at a fixed n, or n at a
fixed N. Where the two are equal the labels are just interpolated, the norm and the test error
peak, and both fall again beyond. A ridge that is chosen on held-out examples stands beside it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.table import Column, spread, table
from rethinking_jax.config import Member
from rethinking_jax.config.data_keys import redraw_probability
from rethinking_jax.config.key import AT_LEAST_0, Key
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.errors import UserError
from rethinking_jax.theory.data import Tasks, rows
from rethinking_jax.theory.descent_verdicts import RIDGE_SHOWN, Axis, verdicts
from rethinking_jax.theory.features import draw_fourier
from rethinking_jax.theory.kind import (
    EXAMPLE_KEYS,
    Kind,
    Tools,
    at_least,
    check_images_stay,
)
from rethinking_jax.theory.least_squares import Spectrum, solutions, spectrum
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json, text_of

# Ridges that held-out examples choose among; the squared norm of an example is about 1.
RIDGES = tuple(np.geomspace(1e-6, 10, 15))
FEATURES = (
    "50+100+200+400+600+750+850+900+950+1000+1050+1100+1200+1400+1800+2500+4000+6000+10000+16000"
)

COLUMNS = (
    Column("labels", "name"),
    Column("examples", "examples", "{:,}"),
    Column("features", "features", "{:,}"),
    Column("train error", "train_error", text_of),
    Column("test error", "test_error", text_of),
    Column("train loss", "train_loss", "{:.3g}"),
    Column("test loss", "test_loss", "{:.3g}"),
    Column("norm", "norm", "{:.3g}"),
    Column("least singular value", "smallest", "{:.0e}"),
    Column("ridge", "ridge", "{:.0e}"),
    Column("its test error", "ridge_error", text_of),
    Column("its test loss", "ridge_loss", "{:.3g}"),
)
NOTE = (
    "Means over the draws, with the least and the greatest. Loss: squared, summed over classes. "
    "Test labels are true. Norm: of all coefficients. Least singular value: of the features, over "
    "the largest; below 5e-7 it would count as 0. Ridge: that with the least squared loss on the "
    "held-out examples, whose labels are as noisy as the training labels."
)


class Sample(NamedTuple):
    """Examples of one draw.

    Attributes:
      pixels: float64 [n, pixels], from 0 to 1.
      labels: int [n] for each run, in the order of the runs.
    """

    pixels: np.ndarray
    labels: list[np.ndarray]

    def first(self, count: int) -> "Sample":
        """Returns the first `count` examples."""
        return Sample(self.pixels[:count], [own[:count] for own in self.labels])


class Draw(NamedTuple):
    """The examples of one draw, and how many classes they have."""

    train: Sample
    held_out: Sample
    test: Sample
    num_classes: int


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Solves least squares for every size, draw and run; one decomposition serves all runs.

    Raises:
      UserError: the data set has too few training examples.
    """
    config = members[0].config
    measured: list[Json] = []
    for draw in range(config.draws):
        drawn = make_draw(members, config.seed + draw, tools.tasks)
        fourier = draw_fourier(
            drawn.train.pixels.shape[1], sizes(config, "features")[-1], config.seed + draw
        )
        for count in sizes(config, "features"):
            maps = [fourier.first(count).of(part.pixels) for part in drawn[:3]]
            for examples in sizes(config, "examples"):
                own = drawn._replace(train=drawn.train.first(examples))
                found = measure(own, maps[0][:examples], maps[1], maps[2])
                measured += [
                    {
                        "name": name,
                        "label_noise": redraw_probability(one),
                        "draw": draw,
                        "examples": examples,
                        "features": count,
                        **row,
                    }
                    for (name, one), row in zip(members, found, strict=True)
                ]
        tools.say(f"draw {draw + 1} of {config.draws} is solved")
    axis = axis_of(config)
    return Findings(
        measured,
        _facts(config, drawn),
        [table("double_descent", axis.title, COLUMNS, _means(measured), NOTE)],
        _plots(measured, axis),
        verdicts(measured, axis),
    )


def make_draw(members: Sequence[Member], seed: int, tasks: Tasks) -> Draw:
    """Draws training and held-out examples by seed, with the labels of each run.

    Raises:
      UserError: there are too few.
    """
    config = members[0].config
    most, held = sizes(config, "examples")[-1], config.held_out
    own_tasks = []
    for _, own in members:
        own = own.copy_and_resolve_references()
        own.seed = seed
        own_tasks.append(tasks(own))
    task = own_tasks[0]
    pool = len(task.train_labels)
    if most + held > pool:
        raise UserError(
            f"config.examples={config.examples} and config.held_out={held}: there are {pool:,} "
            f"training examples, and {most + held:,} are needed"
        )
    order = generator(seed, "descent_examples").permutation(pool)
    pixels = rows(task.train_images).astype(np.float64)

    def sample(chosen: np.ndarray) -> Sample:
        return Sample(pixels[chosen], [own.train_labels[chosen] for own in own_tasks])

    test = Sample(rows(task.test_images).astype(np.float64), [own.test_labels for own in own_tasks])
    return Draw(sample(order[:most]), sample(order[most : most + held]), test, task.num_classes)


def measure(drawn: Draw, train: np.ndarray, held_out: np.ndarray, test: np.ndarray) -> list[Json]:
    """Solves one size for every run.

    Args:
      drawn: the examples and their labels.
      train, held_out, test: their features, float64 [n, N], [h, N] and [m, N]; h may be 0.

    Returns:
      A row of numbers for each run.
    """
    of = spectrum(train)
    return [_measure_run(drawn, of, held_out, test, i) for i in range(len(drawn.train.labels))]


def _measure_run(
    drawn: Draw, of: Spectrum, held_out: np.ndarray, test: np.ndarray, run: int
) -> Json:
    classes, label = np.eye(drawn.num_classes), [part.labels[run] for part in drawn[:3]]
    ridges = [0.0, *(RIDGES if len(held_out) else ())]
    weights = solutions(of, classes[label[0]], ridges)
    train_error, train_loss = _judged(of.x @ weights[0], label[0], classes)
    test_error, test_loss = _judged(test @ weights[0], label[2], classes)
    row: Json = {
        "train_error": train_error,
        "test_error": test_error,
        "train_loss": train_loss,
        "test_loss": test_loss,
        "norm": float(np.linalg.norm(weights[0])),
        "smallest": of.smallest,
    }
    if not len(held_out):
        return row
    on_held_out = [_judged(held_out @ own, label[1], classes) for own in weights]
    best = 1 + int(np.argmin([loss for _, loss in on_held_out[1:]]))
    ridge_error, ridge_loss = _judged(test @ weights[best], label[2], classes)
    return {
        **row,
        "held_out_error": on_held_out[0][0],
        "ridge": ridges[best],
        "ridge_error": ridge_error,
        "ridge_loss": ridge_loss,
    }


def _judged(answers: np.ndarray, labels: np.ndarray, classes: np.ndarray) -> tuple[float, float]:
    """Returns the share of wrong answers and the mean squared loss of answers [n, k]."""
    loss = ((answers - classes[labels]) ** 2).sum(1).mean()
    return float(np.mean(answers.argmax(1) != labels)), float(loss)


# What is asked for -------------------------------------------------------------------------


def sizes(config: ConfigDict, key: str) -> tuple[int, ...]:
    """Returns the numbers of features or of examples of a config.

    Raises:
      UserError: the key holds something else.
    """
    return parse(config[key], key)


def axis_of(config: ConfigDict) -> Axis:
    """Returns what grows, and what it is held against."""
    features, examples = sizes(config, "features"), sizes(config, "examples")
    return Axis("features", examples[0]) if len(features) > 1 else Axis("examples", features[0])


def check(config: ConfigDict) -> None:
    """Checks that labels alone are corrupted, and that either features or examples grow.

    Raises:
      UserError: the message says what would be right.
    """
    check_images_stay(config, "all runs share their images")
    counts = [len(sizes(config, key)) for key in ("features", "examples")]
    if min(counts) != 1 or max(counts) == 1:
        raise UserError(
            f"config.features={config.features!r} and config.examples={config.examples!r}: one of "
            "them must be several numbers joined by +, and the other a single one"
        )


KIND = Kind(
    run,
    keys=(
        Key("features", FEATURES, "Numbers of random features, joined by +."),
        Key("examples", "1000", "Numbers of training examples, joined by +."),
        Key("draws", 5, "Draws of examples, noise and features.", range=at_least(2)),
        Key(
            "held_out",
            1000,
            "Training examples that are set aside to choose a ridge; 0: there is no ridge.",
            range=AT_LEAST_0,
        ),
    ),
    one_for_all=(*EXAMPLE_KEYS, "crop_size", "seed", "features", "examples", "draws", "held_out"),
    check=check,
)


# Results -----------------------------------------------------------------------------------


def _facts(config: ConfigDict, drawn: Draw) -> dict[str, str]:
    return {
        "data": f"{config.dataset}, pixels from 0 to 1, {len(drawn.test.pixels):,} test images",
        "method": f"{config.draws} draws of examples, noise and features; squared loss on one-hot "
        "labels, least norm, float64",
        "features": "sqrt(2 / N) cos(v'x + b), v normal with standard deviation 1 / 5, b uniform",
    }


def _means(measured: Sequence[Json]) -> list[Json]:
    """Returns a row for each run and size, with the mean and the extremes over draws."""
    found: dict[tuple[str, int, int], list[Json]] = {}
    for row in measured:
        found.setdefault((row["name"], row["examples"], row["features"]), []).append(row)
    keys = [column.key for column in COLUMNS[3:]]
    return [
        {
            "name": name,
            "examples": examples,
            "features": features,
            **{key: spread([row[key] for row in own]) for key in keys if key in own[0]},
        }
        for (name, examples, features), own in found.items()
    ]


def _plots(measured: Sequence[Json], axis: Axis) -> list[Plot]:
    names = dict.fromkeys(row["name"] for row in measured)
    ridge = "ridge" in measured[0]

    def plot(name: str, title: str, y_label: str, keys: dict[str, str], log: bool) -> Plot:
        curves = [
            _curve(f"{run}, {what}", measured, axis, run, key)
            for run in names
            for key, what in keys.items()
            if ridge or not key.startswith("ridge")
        ]
        marked = [(float(axis.threshold), axis.mark)]
        caption = f"{axis.title}. The vertical line is the interpolation threshold."
        return Plot(
            name, title, caption, axis.label, y_label, curves, log="xy" if log else "x",
            verticals=marked,
        )  # fmt: skip

    errors = {"test_error": "test", "train_error": "training", "ridge_error": RIDGE_SHOWN}
    losses = {"test_loss": "test", "ridge_loss": RIDGE_SHOWN}
    return [
        plot("error", "Test and training error", "error", errors, log=False),
        plot("loss", "Squared test loss", "squared loss", losses, log=True),
        plot("norm", "Norm of the coefficients", "norm", {"norm": "least norm"}, log=True),
    ]


def _curve(label: str, measured: Sequence[Json], axis: Axis, run: str, key: str) -> Curve:
    values: dict[int, list[float]] = {}
    for row in measured:
        if row["name"] == run:
            values.setdefault(row[axis.key], []).append(row[key])
    draws = len(next(iter(values.values())))
    note = f"mean of {draws} draws, band from least to most"
    return seeds_curve(label, values, list(values.values()), note)
