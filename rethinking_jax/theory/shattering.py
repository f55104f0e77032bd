"""Section 2.2: which share of all labelings of n points a network fits, as n grows.

A class that fits all 2^n dichotomies of some n points has a VC dimension of at least n, and the
bounds of VC theory say nothing about n points. Every dichotomy is a member of one sweep. A
dichotomy that training does not find may exist all the same, so shares are lower bounds; of
linear classifiers Cover's theorem says the exact share.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import Findings, curve, verdict
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.config.key import AT_LEAST_1, Key, one_of
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data import subset
from rethinking_jax.errors import UserError
from rethinking_jax.step.preprocess import center_crop
from rethinking_jax.sweep.engine import Run
from rethinking_jax.theory import cover
from rethinking_jax.theory.data import Tasks, rows
from rethinking_jax.theory.fitting import Lab, dataset_of, parameters, training_config
from rethinking_jax.theory.kind import (
    DATA_KEYS,
    EXAMPLE_KEYS,
    Kind,
    Tools,
    at_least,
    check_network,
    dataset_name,
)
from rethinking_jax.workdir.metrics import Json, Line, text_of

# Numbers of points, as multiples of a network's weights; Cover's share is 1/2 at 2.
LADDER = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5)
PASSES = 100  # how often an epoch goes over the points
HALF = 0.5  # the share of dichotomies that defines capacity
NONE_LEFT = 0.05  # a share below which no larger number of points is tried
CLOSE = 0.05  # the share of dichotomies that are separable and that training may miss
CLOSE_SAMPLE = 3  # standard deviations that a sample's share may be off Cover's

COLUMNS = (
    Column("network", "name"),
    Column("weights", "weights", "{:,}"),
    Column("points", "points", "{:,}"),
    Column("points / weights", "ratio", "{:.2f}"),
    Column("dichotomies", "dichotomies", "{:,}"),
    Column("all of them", "exhaustive"),
    Column("share fitted", "fraction", text_of),
    Column("separable", "separable", text_of),
    Column("Cover's share", "cover", text_of),
)
NOTE = (
    "Weights: of the difference of the two logits, which is all that classes depend on. All of "
    "them: every dichotomy but for exchanged classes, else a sample drawn by seed. Separable: the "
    "share of these very dichotomies that a hyperplane separates, by linear programs."
)
CAPACITY = (
    Column("network", "name"),
    Column("weights", "weights", "{:,}"),
    Column("parameters", "parameters", "{:,}"),
    Column("shattered", "shattered"),
    Column("capacity", "capacity", "{:.1f}"),
    Column("capacity / weights", "per_weight", "{:.2f}"),
)
CAPACITY_NOTE = (
    "Shattered: the most points of which every dichotomy was tried and fitted. Capacity: the "
    "number of points of which half of the dichotomies are fitted, interpolated."
)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Measures the share of dichotomies that each network fits, for growing numbers of points.

    Raises:
      UserError: there are not as many images as points.
      RunFailed: stopped by a signal.
    """
    config = members[0].config
    most = max(counts(weights(own))[-1] for _, own in members)
    measured: list[Json] = []
    with tools.open_lab() as lab:
        for name, own in members:
            points = make_points(own, most, tools.tasks)
            for count in counts(weights(own)):
                row = measure(name, own, points[:count], lab)
                measured.append(row)
                tools.say(
                    f"{name}, {count:,} points: {text_of(row['fraction'], 3)} of the dichotomies"
                )
                if row["fraction"] < NONE_LEFT:
                    break
    capacities = [
        _capacity([row for row in measured if row["name"] == name]) for name, _ in members
    ]
    facts = {
        "points": f"{most:,} at most, in {config.dimensions} dimensions: "
        + (
            "Gaussian" if config.points == "gaussian" else f"random projections of {config.dataset}"
        ),
        "method": f"at most {config.dichotomies} dichotomies of each set of points, as one sweep: "
        f"{config.optimizer}, learning rate {config.learning_rate:g}, "
        f"{config.epochs * PASSES:,} steps on all points at once, {config.starts} starts",
    }
    tables = [
        table("shattering", "Share of dichotomies that are fitted", COLUMNS, measured, NOTE),
        table("capacity", "Memorization capacity", CAPACITY, capacities, CAPACITY_NOTE),
    ]
    return Findings(
        [*measured, *capacities], facts, tables, [_plot(measured)], _verdicts(measured, capacities)
    )


KIND = Kind(
    run,
    keys=(
        Key(
            "points",
            "gaussian",
            "What is labeled: Gaussian points, or images, random projections of a data set's.",
            choices=("gaussian", "images"),
        ),
        Key("dimensions", 4, "Dimensions of the points.", range=AT_LEAST_1),
        Key(
            "dichotomies",
            64,
            "The most dichotomies that are trained of each set of points.",
            range=at_least(2),
        ),
        Key("starts", 3, "Initial weights that each is trained from.", range=AT_LEAST_1),
    ),
    shared=DATA_KEYS,  # the dichotomies are the labels
    training={
        "model": "mlp",
        "hidden_sizes": (4,),
        "optimizer": "adam",
        "learning_rate": 0.03,
        "epochs": 30,  # each has 100 steps
    },
    needs=dict.fromkeys((*EXAMPLE_KEYS, "crop_size"), one_of("points", "images")),
    one_for_all=(*EXAMPLE_KEYS, "crop_size", "points", "dimensions"),
    check=check_network,
    data_name=lambda config: (
        "Gaussian points" if config.points == "gaussian" else dataset_name(config)
    ),
)


def weights(config: ConfigDict) -> int:
    """Returns how many numbers the difference of the two logits depends on."""
    return parameters(training_config(config), (1, config.dimensions, 1), num_classes=1)


def counts(weights: int) -> list[int]:
    """Returns numbers of points on the way past a network's capacity, ascending, at least 2."""
    return sorted({max(2, round(multiple * weights)) for multiple in LADDER})


def make_points(config: ConfigDict, count: int, tasks: Tasks) -> np.ndarray:
    """Makes points in general position, float32 [count, d]: Gaussian, or projections of images.

    Raises:
      UserError: there are not as many images.
    """
    if config.points == "gaussian":
        drawn = generator(config.seed, "shattering_points").normal(size=(count, config.dimensions))
        return drawn.astype(np.float32)
    dataset = tasks.dataset(config)
    if len(dataset.train.labels) < count:
        raise UserError(
            f"config.train_examples={config.train_examples}: {count:,} points are needed, there "
            f"are {len(dataset.train.labels):,} images"
        )
    part = subset(dataset, count, config.data_seed).train
    cropped = center_crop(np.asarray(part.images), config.crop_size)
    images = rows(cropped).astype(np.float64)
    directions = generator(config.seed, "shattering_directions").normal(
        size=(images.shape[1], config.dimensions)
    )
    found = images @ directions
    # They get one scale in every direction, as Gaussian points have.
    scaled: np.ndarray = (found - found.mean(0)) / np.maximum(found.std(0), 1e-12)
    return scaled.astype(np.float32)


def make_labels(count: int, most: int, seed: int) -> tuple[np.ndarray, bool]:
    """Makes dichotomies, int32 [m, count], and whether these are all but for exchanged classes."""
    if count <= 62 and 2 ** (count - 1) <= most:
        return cover.dichotomies(count), True
    rng = generator(seed, "shattering_labels")
    return rng.integers(0, 2, (most, count), dtype=np.int32), False


def measure(name: str, config: ConfigDict, points: np.ndarray, lab: Lab) -> Json:
    """Measures the share of dichotomies of the points [n, d] that a network fits."""
    count, dimensions = points.shape
    labels, exhaustive = make_labels(count, config.dichotomies, config.seed)
    trained = training_config(
        config, batch_size=count, crop_size=0, preprocess="none", stop_when_fitted=False
    )
    ids = np.arange(count, dtype=np.uint32)
    labelled = dataset_of(points.reshape(count, 1, dimensions, 1), ids, PASSES)

    def change(index: int, run: Run) -> Run:
        own = labels[index // config.starts]
        return run._replace(train_labels=np.tile(own, PASSES), test_labels=own)

    runs = [
        {"name": f"{name},n={count},dichotomy={i},start={start}", "seed": config.seed + start}
        for i in range(len(labels))
        for start in range(config.starts)
    ]
    each = [_fitted(own) for own in lab.train(trained, runs, labelled, change).values()]
    fitted = np.reshape(each, (-1, config.starts)).any(1)
    weight_count = weights(config)
    linear = config.model == "linear"
    return {
        "name": name,
        "starts": config.starts,
        "weights": weight_count,
        "parameters": parameters(trained, (1, dimensions, 1)),
        "linear": linear,
        "points": count,
        "ratio": count / weight_count,
        "dichotomies": len(labels),
        "exhaustive": "yes" if exhaustive else "no",
        "fraction": float(np.mean(fitted)),
        "separable": (
            float(np.mean([cover.is_separable(points, own) for own in labels])) if linear else None
        ),
        "cover": cover.separable_fraction(count, weight_count) if linear else None,
    }


def _fitted(lines: Sequence[Line]) -> bool:
    """Says whether the network of any epoch takes every label."""
    return any(line["train_accuracy"] == 1 for line in lines)


def _capacity(own: Sequence[Json]) -> Json:
    first = own[0]
    found = crossing([row["points"] for row in own], [row["fraction"] for row in own])
    shattered = [r["points"] for r in own if r["exhaustive"] == "yes" and r["fraction"] == 1]
    return {
        **{key: first[key] for key in ("name", "weights", "parameters", "linear")},
        "shattered": max(shattered, default=None),
        "capacity": found,
        "per_weight": found / first["weights"] if found is not None else None,
    }


def crossing(points: Sequence[int], fractions: Sequence[float]) -> float | None:
    """Returns where a line through the shares first falls to one half; None where it does not."""
    for i in range(1, len(points)):
        high, low = fractions[i - 1 : i + 1]
        if high >= HALF > low or high > HALF >= low:
            return points[i - 1] + (high - HALF) / (high - low) * (points[i] - points[i - 1])
    return None


def _plot(measured: list[Json]) -> Plot:
    curves = []
    for name in dict.fromkeys(row["name"] for row in measured):
        own = [row for row in measured if row["name"] == name]
        x = [row["ratio"] for row in own]
        curves.append(
            curve(f"{name}, {own[0]['weights']} weights", x, [r["fraction"] for r in own])
        )
        if own[0]["linear"]:
            count = own[0]["weights"]
            every = range(2, int(LADDER[-1] * count) + 1)
            exact = [cover.separable_fraction(n, count) for n in every]
            known = curve("Cover's theorem", [n / count for n in every], exact)
            curves.append(known._replace(paper=True))
    caption = (
        "Share of the dichotomies of n points that training fits. Cover's theorem holds for linear "
        "classifiers: of 2^n, 2 times the sum of C(n - 1, k) over k < weights."
    )
    title = "How many labelings of n points are fitted"
    level = (HALF, "capacity")
    return Plot("shattering", title, caption, "points / weights", "share fitted", curves, level)


def _verdicts(measured: list[Json], capacities: list[Json]) -> list[Verdict]:
    return [
        _cover(measured),
        _vc(capacities, measured),
        _grows(capacities),
        _every_label(measured),
    ]


def _cover(measured: list[Json]) -> Verdict:
    own = [row for row in measured if row["linear"]]
    within = [
        0 <= row["separable"] - row["fraction"] <= CLOSE
        and abs(row["separable"] - row["cover"])
        <= (1e-9 if row["exhaustive"] == "yes" else CLOSE_SAMPLE * _chance(row))
        for row in own
    ]
    pairs = ", ".join(
        f"{text_of(row['fraction'], 3)}, {text_of(row['separable'], 3)} and "
        f"{text_of(row['cover'], 3)} of {row['points']} points"
        for row in own
    )
    return verdict(
        "Linear classifiers fit the share of dichotomies that Cover's theorem counts.",
        "a check of the method",
        all(within) if own else None,
        f"Trained, separable in the sample, Cover's: {pairs}."
        if own
        else "Needs the network linear.",
        "Proved (Cover 1965), for points in general position.",
        of_paper=False,
    )


def _chance(row: Json) -> float:
    """Returns the standard deviation of a sampled share about Cover's."""
    return float(np.sqrt(row["cover"] * (1 - row["cover"]) / row["dichotomies"]))


def _vc(capacities: list[Json], measured: list[Json]) -> Verdict:
    claim = "A linear classifier shatters as many points as it has weights, and no more."
    own = [row for row in capacities if row["linear"]]
    beyond = [
        row
        for row in measured
        if row["linear"] and row["exhaustive"] == "yes" and row["points"] == row["weights"] + 1
    ]
    if not own or not beyond:
        ours = "Needs the network linear, and all dichotomies of one point more than its weights."
        return verdict(claim, "a check of the method", None, ours, "", of_paper=False)
    return verdict(
        claim,
        "a check of the method",
        own[0]["shattered"] == own[0]["weights"] and beyond[0]["fraction"] < 1,
        f"{own[0]['shattered']} points shattered, {own[0]['weights']} weights; of one more "
        f"{text_of(beyond[0]['fraction'], 3)} of all dichotomies.",
        "The VC dimension of hyperplanes.",
        of_paper=False,
    )


def _grows(capacities: list[Json]) -> Verdict:
    claim = "Capacity grows with the number of weights."
    own = sorted((r for r in capacities if not r["linear"]), key=lambda row: row["weights"])
    known = [row["capacity"] for row in own]
    if len(own) < 2 or None in known:
        ours = "Needs two networks, each with shares above and below one half."
        return verdict(claim, "section 2.2", None, ours, "")
    listed = ", ".join(f"{r['name']} {r['capacity']:.0f} of {r['weights']} weights" for r in own)
    return verdict(
        claim,
        "section 2.2",
        all(a < b for a, b in pairwise(known)),
        f"{listed}; {min(r['per_weight'] for r in own):.2f} to "
        f"{max(r['per_weight'] for r in own):.2f} points per weight. Training may miss some.",
        "Theorem 1: 2n + d weights suffice for n points.",
    )


def _every_label(measured: list[Json]) -> Verdict:
    own = [row for row in measured if not row["linear"] and row["ratio"] <= 0.6]
    return verdict(
        "Networks fit any labels of half as many points as they have weights.",
        "section 2.2",
        all(row["fraction"] == 1 for row in own) if own else None,
        "Share fitted: "
        + ", ".join(
            f"{row['name']} {text_of(row['fraction'], 3)} of {row['points']}" for row in own
        )
        + "."
        if own
        else "Needs a network with a hidden layer.",
        "Theorem 1: some network of 2n + d weights does; here SGD or Adam has to find it.",
    )
