"""Theorem 1 and Corollary 1 on real images, and how far floating point carries them."""

import time
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import Findings, curve, finite, verdict
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.config.key import AT_LEAST_1, Key
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.theory import relu_network, trained_width
from rethinking_jax.theory.data import Task, rows
from rethinking_jax.theory.kind import Kind, Tools, at_least, not_empty
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json, text_of

STEPS = (1, 3)  # these times powers of ten are the numbers of points on the way to all

COLUMNS = (
    Column("labels", "name"),
    Column("points", "points", "{:,}"),
    Column("weights", "weights", "{:,}"),
    Column("2n + d", "weights_of_theorem", "{:,}"),
    Column("largest error, float64", "error_float64", "{:.1e}"),
    Column("labels taken, float64", "exact_float64", text_of),
    Column("all terms summed, float64", "sampled_error_float64", "{:.1e}"),
    Column("largest error, float32", "error_float32", "{:.1e}"),
    Column("labels taken, float32", "exact_float32", text_of),
    Column("seconds to build", "seconds", "{:.3f}"),
)
DEEP = (
    Column("labels", "name"),
    Column("points", "points", "{:,}"),
    Column("depth", "depth"),
    Column("width", "width", "{:,}"),
    Column("weights", "deep_weights", "{:,}"),
    Column("beyond 2n + d", "deep_extra_weights", "{:,}"),
    Column("largest error, float64", "deep_error_float64", "{:.1e}"),
    Column("labels taken, float64", "deep_exact_float64", text_of),
)
NOTE = (
    "Errors are |c(x) - y| over the points, labels taken the share of them whose label is c(x) "
    "rounded. The weights are found in float64; a float32 column holds and evaluates them in "
    "float32. All terms summed: from the pixels, every one of the n terms, at a sample of points."
)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Builds and evaluates both networks for growing numbers of points of each run.

    Raises:
      UserError: equal images with different labels.
    """
    measured: list[Json] = []
    merged = {}
    for name, config in members:
        task = tools.tasks(config)
        points = rows(task.train_images)
        kept = relu_network.distinct(points, task.train_labels)
        merged[name] = len(points) - len(kept)
        if merged[name]:
            equal = "images that equal another, with its label, are merged"
            tools.say(f"{name}: {merged[name]} {equal}")
        # Some data sets are in the order of their classes, and one class is no test.
        kept = generator(config.data_seed, "theorem1_order").permutation(kept)
        for count in ladder(len(kept)):
            chosen = kept[:count]
            found = measure(config, points[chosen], task.train_labels[chosen])
            measured.append({"name": name, **_labels(config, task), **found})
            tools.say(
                f"{name}, {count:,} points: error {found['error_float64']:.1e} in float64, "
                f"{found['error_float32']:.1e} in float32"
            )
    names = dict.fromkeys(own.dataset for _, own in members)
    facts = {
        "data": f"{', '.join(names)}, {measured[-1]['dimension']:,} dimensions, "
        f"{measured[-1]['points']:,} points at most",
        "merged": ", ".join(f"{name}: {count} equal images" for name, count in merged.items()),
    }
    trained = trained_width.measure(members, tools)
    return Findings(
        measured + trained,
        facts,
        _tables(measured) + trained_width.tables(trained),
        _plots(measured) + trained_width.plots(trained),
        _verdicts(measured) + trained_width.verdicts(trained),
    )


KIND = Kind(
    run,
    keys=(
        Key(
            "depth",
            4,
            "Depth of Corollary 1's network, which has depth - 1 hidden layers.",
            range=at_least(2, ", one hidden layer"),
        ),
        Key(
            "sampled_points",
            500,
            "Number of points at which every term of the network is summed.",
            range=AT_LEAST_1,
        ),
        Key(
            "trained_widths",
            "",
            "Widths of the 2-layer networks that are trained on the same labels, joined by +, such "
            "as 16+64; '' trains none.",
        ),
        Key(
            "trained_epochs",
            200,
            "Epochs of their training with all points; fewer points get as many steps.",
            range=AT_LEAST_1,
            needs=not_empty("trained_widths"),
        ),
    ),
    one_for_all=("trained_epochs",),
    needs={"data_seed": None},  # the order of the points is drawn by it
    check=lambda config: parse(config.trained_widths, "trained_widths"),
)


def ladder(count: int) -> list[int]:
    """Returns 10, 30, 100, ... and `count` itself."""
    sizes = [step * 10**power for power in range(1, 9) for step in STEPS]
    return [*(size for size in sizes if size < count), count]


def measure(config: ConfigDict, points: np.ndarray, labels: np.ndarray) -> Json:
    """Builds both networks for points [n, d] and labels [n]; returns sizes, errors and time."""
    count, dimension = points.shape
    relu_network.build(points, labels, config.seed)  # the first call compiles
    started = time.perf_counter()
    network, z = relu_network.build(points, labels, config.seed)
    seconds = time.perf_counter() - started
    deep = relu_network.build_deep(points, labels, config.depth, config.seed)
    sample = generator(config.seed, "theorem1_sample").permutation(count)[: config.sampled_points]
    found: Json = {
        "points": count,
        "dimension": dimension,
        "weights": network.weights,
        "weights_of_theorem": 2 * count + dimension,
        "seconds": seconds,
        "sampled_points": len(sample),
        "smallest_gap": float(np.diff(np.sort(z)).min()) if count > 1 else None,
        "depth": config.depth,
        "width": deep.width,
        "deep_weights": deep.weights,
        "deep_extra_weights": deep.weights - 2 * count - dimension,
    }
    for dtype in (np.float64, np.float32):
        kind = dtype.__name__
        everywhere = relu_network.evaluate_sorted(network, z, dtype)
        sampled = relu_network.evaluate(network, points[sample], dtype)
        deeply = relu_network.evaluate_deep(deep, points[sample], dtype)
        for key, values, wanted in (
            ("", everywhere, labels),
            ("sampled_", sampled, labels[sample]),
            ("deep_", deeply, labels[sample]),
        ):
            found[f"{key}error_{kind}"] = finite(np.abs(values - wanted).max())
            found[f"{key}exact_{kind}"] = float(np.mean(np.round(values) == wanted))
    return found


def _labels(config: ConfigDict, task: Task) -> Json:
    keys = ("corruption", "seed")
    return {**{key: config[key] for key in keys}, "flipped_fraction": task.flipped_fraction}


def _tables(measured: list[Json]) -> list[Table]:
    deep = "Errors at a sample of the points, from the pixels, layer by layer."
    return [
        table("theorem1", "Theorem 1: 2n + d weights take n labels", COLUMNS, measured, NOTE),
        table("corollary1", "Corollary 1: the same, deeper", DEEP, measured, deep),
    ]


def _plots(measured: list[Json]) -> list[Plot]:
    curves = []
    for name in dict.fromkeys(row["name"] for row in measured):
        own = [row for row in measured if row["name"] == name]
        for key, label in (
            ("error_float64", "float64"),
            ("deep_error_float64", "float64, deep"),
            ("error_float32", "float32"),
        ):
            # An error of 0 has no place on a logarithmic scale.
            errors = [row[key] or None for row in own]
            curves.append(curve(f"{name}, {label}", [row["points"] for row in own], errors))
    caption = (
        "Below 0.5 rounding gives every label back. Slopes grow with the square of the number of "
        "points, for the smallest gap between projections shrinks so, and errors with the slopes."
    )
    title = "Theorem 1: the error of the network that was built"
    level = (0.5, "a label is lost")
    return [
        Plot("theorem1", title, caption, "points", "largest |c(x) - y|", curves, level, log="xy")
    ]


def _verdicts(measured: list[Json]) -> list[Verdict]:
    most = max(row["points"] for row in measured)
    exact = all(row["exact_float64"] == row["sampled_exact_float64"] == 1 for row in measured)
    counted = all(row["weights"] == row["weights_of_theorem"] for row in measured)
    worst = _worst(measured, "error_float64", "sampled_error_float64")
    last = measured[-1]
    return [
        verdict(
            "A 2-layer ReLU network with 2n + d weights takes any labels of n points.",
            "Theorem 1",
            exact and counted,
            f"Up to {most:,} points in float64: largest error {worst}; "
            f"{last['weights']:,} weights counted, 2n + d = {last['weights_of_theorem']:,}.",
            "Proved for real numbers.",
        ),
        _deep(measured),
        _float32(measured),
    ]


def _deep(measured: list[Json]) -> Verdict:
    last = measured[-1]
    exact = all(row["deep_exact_float64"] == 1 for row in measured)
    small = all(
        row["width"] <= row["points"] / (row["depth"] - 1) + 4
        and row["deep_extra_weights"] <= 4 * row["depth"]
        for row in measured
    )
    return verdict(
        "Depth k needs width O(n / k) and O(n + d) weights.",
        "Corollary 1",
        exact and small,
        f"Depth {last['depth']}, {last['points']:,} points: width {last['width']:,}, "
        f"{last['deep_extra_weights']} weights beyond 2n + d, largest error "
        f"{_worst(measured, 'deep_error_float64')}.",
        "Proved for real numbers.",
    )


def _float32(measured: list[Json]) -> Verdict:
    lost = [row["points"] for row in measured if row["exact_float32"] < 1]
    held = [row["points"] for row in measured if not lost or row["points"] < min(lost)]
    return verdict(
        "The network survives float32 as well.",
        "not a claim of the paper",
        not lost,
        f"All labels taken up to {max(held, default=0):,} points"
        + (f", some lost from {min(lost):,} on." if lost else "."),
        "The system's smallest eigenvalue is min(z_i - b_i), which shrinks with n.",
        of_paper=False,
    )


def _worst(measured: list[Json], *keys: str) -> str:
    errors = [row[key] for row in measured for key in keys]
    return "not a number" if None in errors else f"{max(errors):.1e}"
