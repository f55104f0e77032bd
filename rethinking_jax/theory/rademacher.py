"""Section 2.2: Rademacher complexity, estimated by fitting random signs.

    R = E_sigma sup_h (1/n) sum_i sigma_i h(x_i),  sigma_i = +1 or -1 with equal chances.

For networks the supremum is searched by training on the signs as labels of two classes. With h
the sign of the difference of the two logits, the sum is 2 * train accuracy - 1, and the same
value is approached within the class of p(1) - p(0), the difference of the softmax
probabilities, by scaling up the last layer. What training finds is at most the supremum: the
estimate is a lower bound. Every draw of signs is a member of one sweep, with a seed of its own.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import Findings, verdict
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.config.key import ABOVE_0, Key, Range
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data import Dataset, subset
from rethinking_jax.errors import UserError
from rethinking_jax.step.preprocess import center_crop, to_unit
from rethinking_jax.theory import closed_forms, cover
from rethinking_jax.theory.data import rows
from rethinking_jax.theory.fitting import Lab, dataset_of, parameters, training_config
from rethinking_jax.theory.kind import DATA_KEYS, EXAMPLE_KEYS, Kind, Tools, at_least, check_network
from rethinking_jax.workdir.metrics import Json, text_of

FEWER = 4  # the factor between two numbers of points
FEW = 10  # points whose 2^10 signs are all taken
DIMENSIONS, KNOWN_DRAWS = 5, 40  # dimensions and draws where all dichotomies are enumerated
CLOSE = 3.0  # standard errors that an estimate may be off; two are passed by every fourth seed
EMPTY = 0.95  # an estimate from which on a bound says nothing
NEAR = 0.1  # how much of a known supremum training may miss
# With fewer examples than this an epoch is several passes, and members that have fitted stay: a
# group that they leave is compiled again, which takes longer.
LEAVE = 1000

COLUMNS = (
    Column("network", "name"),
    Column("parameters", "parameters", "{:,}"),
    Column("points", "points", "{:,}"),
    Column("draws", "draws"),
    Column("estimate", "estimate", "{:.4f}"),
    Column("standard error", "error", "{:.4f}"),
    Column("draws fitted", "fitted", partial(text_of, digits=2)),
)
NOTE = (
    "Estimate: mean over draws of 2 * train accuracy - 1 of the best epoch, a lower bound of the "
    "supremum. 1 is the most there is; a bound on the error of one half or more allows a coin."
)
FORMULAS = (
    Column("class", "name", words=True),
    Column("points", "points", "{:,}"),
    Column("draws", "draws", "{:,}"),
    Column("estimate", "estimate", "{:.5f}"),
    Column("standard error", "error", "{:.5f}"),
    Column("exact mean", "exact", "{:.5f}"),
    Column("lower bound", "lower", "{:.5f}"),
    Column("upper bound", "upper", "{:.5f}"),
    Column("deviation", "deviation", "{:+.2f}"),
)
FORMULAS_NOTE = (
    "The supremum is exact for each draw of signs. Exact mean: over all 2^n signs. Deviation, in "
    "standard errors: of the estimate from that mean, else of the mean square from its formula."
)
KNOWN = (
    Column("class", "name", words=True),
    Column("points", "points"),
    Column("draws", "draws"),
    Column("trained", "estimate", "{:.4f}"),
    Column("supremum, same draws", "supremum", "{:.4f}"),
    Column("draws where training reached it", "reached", partial(text_of, digits=2)),
    Column("mean over all signs", "exact", "{:.4f}"),
)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Estimates the complexity for every network and number of points, and checks the method.

    Raises:
      UserError: fewer points than are needed.
      RunFailed: stopped by a signal.
    """
    config = members[0].config
    whole = tools.tasks.dataset(config)
    if len(whole.train.labels) < FEW:
        raise UserError(f"config.train_examples={config.train_examples}: at least {FEW} are needed")
    counts = sizes(len(whole.train.labels), config.sizes)
    formulas = closed_form_rows(config, whole, counts)
    tools.say("classes with a closed form are measured")
    with tools.open_lab() as lab:
        known = known_row(config, lab)
        networks = [
            network_row(name, own, subset(whole, count, config.data_seed), lab)
            for name, own in members
            for count in counts
        ]
    for row in networks:
        tools.say("{name}, {points:,} points: {estimate:.3f} +- {error:.3f}".format(**row))
    return Findings(
        [*networks, *formulas, known],
        _facts(config, counts[-1]),
        _tables(networks, formulas, known),
        [_plot(networks, formulas)],
        _verdicts(networks, formulas, known),
    )


def _facts(config: ConfigDict, most: int) -> dict[str, str]:
    return {
        "data": f"{config.dataset}, up to {most:,} images",
        "method": f"random signs as labels of two classes, {config.draws} draws as one sweep, "
        f"{config.optimizer}, learning rate {config.learning_rate:g}, at most {config.epochs} "
        "epochs",
        "outputs": "h = sign of the difference of the two logits, in [-1, 1]; the supremum over "
        "p(1) - p(0) is at least as large",
        "meaning": "with probability 1 - delta the error is at most the training error plus R "
        "plus 3 sqrt(log(2 / delta) / 2n)",
    }


KIND = Kind(
    run,
    keys=(
        Key(
            "draws",
            6,
            "Draws of random signs for each network and number of points.",
            range=at_least(2, ", for an error"),
        ),
        Key(
            "exact_draws",
            400,
            "Draws of random signs for the classes with a closed form.",
            range=at_least(2, ", for an error"),
        ),
        Key(
            "sizes",
            4,
            "How many numbers of points there are: all, a quarter of them, a sixteenth, ...",
            range=Range(1, 20, "from 1 to 20"),
        ),
        Key(
            "gamma",
            0.02,
            "The gamma of exp(-gamma * squared distance), the kernel of one of these classes.",
            range=ABOVE_0,
        ),
    ),
    shared=DATA_KEYS,  # the signs are the labels
    training={
        "model": "mlp_1x512",
        "hidden_sizes": (),
        "optimizer": "adam",
        "learning_rate": 0.002,
        "batch_size": 50,
        "epochs": 60,
        "preprocess": "paper",
    },
    needs={"data_seed": None},  # the smaller sets are parts that it draws
    one_for_all=(*EXAMPLE_KEYS, "sizes", "gamma", "exact_draws"),
    check=check_network,
)


def sizes(count: int, levels: int) -> list[int]:
    """Returns `count`, a quarter of it, a sixteenth, ..., ascending; none below 10."""
    found = [count // FEWER**level for level in range(levels)]
    return sorted({size for size in found if size >= FEW} | {count})


# Networks -------------------------------------------------------------------------------


def network_row(name: str, config: ConfigDict, dataset: Dataset, lab: Lab) -> Json:
    """Estimates the complexity of one network on all training images of a data set."""
    images = np.asarray(dataset.train.images)
    count = len(images)
    signed = dataset_of(images, dataset.train.ids, -(-LEAVE // count))
    trained = training_config(
        config,
        batch_size=min(config.batch_size, count),
        last_batch="drop",
        stop_when_fitted=count >= LEAVE,
        corruption="random_labels",
    )
    seeds = range(config.seed, config.seed + config.draws)
    values = correlations(f"{name},n={count}", seeds, trained, signed, lab)
    shape = center_crop(np.zeros((1, *images.shape[1:])), config.crop_size).shape[1:]
    return {
        "kind": "network",
        "name": name,
        "parameters": parameters(trained, shape),
        "points": count,
        **_mean(values),
        "fitted": float(np.mean(values == 1)),
        "values": values.tolist(),
    }


def correlations(
    name: str, seeds: Iterable[int], trained: ConfigDict, signed: Dataset, lab: Lab
) -> np.ndarray:
    """Trains on the signs of each seed; returns (1/n) sum sigma_i h(x_i) of each best epoch."""
    runs = [{"name": f"{name},sigma={seed}", "seed": int(seed)} for seed in seeds]
    lines = lab.train(trained, runs, signed).values()
    return np.array([max(2 * line["train_accuracy"] - 1 for line in own) for own in lines])


def _mean(values: np.ndarray) -> Json:
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return {"draws": len(values), "estimate": float(values.mean()), "error": error}


# Classes with a closed form ---------------------------------------------------------------


def closed_form_rows(config: ConfigDict, whole: Dataset, counts: Sequence[int]) -> list[Json]:
    """Measures each class for ten points, of which all signs are taken, and for more points."""
    classes = {
        "linear, l2 ball": (closed_forms.l2_ball, closed_forms.l2_bounds),
        "linear, l1 ball": (closed_forms.l1_ball, closed_forms.l1_bounds),
        "Gaussian kernel": (closed_forms.kernel_ball(config.gamma), closed_forms.kernel_bounds),
    }
    seeds = np.arange(config.seed, config.seed + config.exact_draws)
    drawn = []
    for count in sorted({FEW, *counts}):
        part = subset(whole, count, config.data_seed).train
        images = center_crop(np.asarray(part.images), config.crop_size)
        points = rows(np.asarray(to_unit(images))).astype(np.float64)  # type: ignore[arg-type]
        drawn.append((points, closed_forms.draw_signs(seeds, part.ids)))
    result = []
    for name, (supremum, bounds) in classes.items():
        for points, signs in drawn:
            values, known = supremum(points, signs), bounds(points)
            row = {"kind": "formula", "name": name, "points": len(points), **_mean(values)}
            row |= {"lower": known.lower, "upper": known.upper, "exact": None, "deviation": None}
            if len(points) == FEW:
                row["exact"] = float(supremum(points, all_signs(FEW)).mean())
                row["deviation"] = _deviation(values, row["exact"])
            elif known.second_moment is not None:
                row["deviation"] = _deviation(values**2, known.second_moment)
            result.append(row)
    return result


def all_signs(count: int) -> np.ndarray:
    """Returns half of all signs, float64 [2^(n - 1), n]; the other half has the same suprema."""
    return np.asarray(2.0 * cover.dichotomies(count) - 1)


def _deviation(values: np.ndarray, expected: float) -> float:
    found = _mean(values)
    off, error = found["estimate"] - expected, found["error"]
    # Where all values are equal, only rounding is left.
    return float(off / error) if error > 1e-12 else float(abs(off) > 1e-9) * 1e9


def known_row(config: ConfigDict, lab: Lab) -> Json:
    """Trains linear classifiers of ten Gaussian points, and enumerates to find the supremum."""
    rng = generator(config.seed, "rademacher_points")
    points = rng.normal(size=(FEW, DIMENSIONS)).astype(np.float32)
    ids = np.arange(FEW, dtype=np.uint32)
    signed = dataset_of(points.reshape(FEW, 1, DIMENSIONS, 1), ids, repeats=20)
    trained = training_config(
        config,
        model="linear",
        hidden_sizes=(),
        optimizer="adam",
        learning_rate=0.1,
        epochs=30,
        batch_size=FEW,
        crop_size=0,
        preprocess="none",
        stop_when_fitted=False,
        corruption="random_labels",
    )
    seeds = np.arange(config.seed, config.seed + KNOWN_DRAWS)
    values = correlations("known", seeds, trained, signed, lab)
    reachable = 2.0 * cover.separable_labels(points) - 1
    signs = closed_forms.draw_signs(seeds, ids)
    supremum = (signs @ reachable.T).max(1) / FEW
    return {
        "kind": "known",
        "name": f"linear classifiers, {DIMENSIONS} dimensions",
        "points": FEW,
        **_mean(values),
        "supremum": float(supremum.mean()),
        "reached": float(np.mean(np.isclose(values, supremum))),
        "beyond": float(np.max(values - supremum)),
        "exact": float((all_signs(FEW) @ reachable.T).max(1).mean() / FEW),
    }


# Results ----------------------------------------------------------------------------------


def _tables(networks: list[Json], formulas: list[Json], known: Json) -> list[Table]:
    title = "Classes whose supremum is a formula, outputs in [-1, 1]"
    title_known = "Does training find the supremum? Where it can be enumerated"
    return [
        table("rademacher", "Rademacher complexity of networks", COLUMNS, networks, NOTE),
        table("closed_forms", title, FORMULAS, formulas, FORMULAS_NOTE),
        table("known", title_known, KNOWN, [known]),
    ]


def _plot(networks: list[Json], formulas: list[Json]) -> Plot:
    curves = []
    for name in dict.fromkeys(row["name"] for row in [*networks, *formulas]):
        own = [row for row in [*networks, *formulas] if row["name"] == name]
        x, y = ([float(row[key]) for row in own] for key in ("points", "estimate"))
        low, high = ([row["estimate"] + s * 2 * row["error"] for row in own] for s in (-1, 1))
        curves.append(Curve(name, x, y, low, high, "mean over draws, band of two standard errors"))
    caption = (
        "Networks: a lower bound, found by training on random signs. The other classes: exact for "
        "each draw, scaled to outputs in [-1, 1], they fall with the square root of n."
    )
    title = "Empirical Rademacher complexity"
    level = (0.5, "above: allows a coin's error")
    return Plot("rademacher", title, caption, "points", "estimate", curves, level, log="x")


def _verdicts(networks: list[Json], formulas: list[Json], known: Json) -> list[Verdict]:
    return [
        _empty(networks),
        _falls(networks),
        _agrees(formulas),
        verdict(
            "Where the supremum can be enumerated, training comes near it and never above.",
            "a check of the method",
            known["beyond"] <= 1e-6 and known["supremum"] - known["estimate"] <= NEAR,
            f"Linear classifiers of {known['points']} points in {DIMENSIONS} dimensions, "
            f"{known['draws']} draws: {known['estimate']:.3f} trained, {known['supremum']:.3f} the "
            "supremum.",
            "Linear programs say which signs a hyperplane takes.",
            of_paper=False,
        ),
    ]


def _empty(networks: list[Json]) -> Verdict:
    most = max(row["parameters"] for row in networks)
    own = [row for row in networks if row["parameters"] == most]
    last = own[-1]
    worst = min(row["estimate"] - 2 * row["error"] for row in own)
    return verdict(
        "A network that fits random signs has a Rademacher complexity of about 1, and the bound "
        "says nothing.",
        "section 2.2",
        worst >= EMPTY,
        f"{last['name']} ({most:,} parameters): {last['estimate']:.3f} +- {last['error']:.3f} on "
        f"{last['points']:,} points, the least on fewer {min(r['estimate'] for r in own):.3f}.",
        "About 1 for networks that fit random labels.",
    )


def _falls(networks: list[Json]) -> Verdict:
    claim = "It falls when there are more points than a network can memorize."
    least = min(row["parameters"] for row in networks)
    own = [row for row in networks if row["parameters"] == least]
    first, last = own[0], own[-1]
    if len(own) < 2:
        return verdict(claim, "section 2.2", None, "Needs several numbers of points.", "")
    errors = 2 * np.hypot(first["error"], last["error"])
    return verdict(
        claim,
        "follows from its definition",
        last["estimate"] < EMPTY and first["estimate"] - last["estimate"] > errors,
        f"{last['name']} ({least:,} parameters): {first['estimate']:.3f} on {first['points']:,} "
        f"points, {last['estimate']:.3f} +- {last['error']:.3f} on {last['points']:,}.",
        "No number in the paper.",
        of_paper=False,
    )


def _agrees(formulas: list[Json]) -> Verdict:
    known = [row for row in formulas if row["deviation"] is not None]
    far = max((abs(row["deviation"]) for row in known), default=float("inf"))
    within = all(
        (row["lower"] or 0) - CLOSE * row["error"]
        <= row["estimate"]
        <= row["upper"] + CLOSE * row["error"]
        for row in formulas
    )
    return verdict(
        "Linear and kernel classes have the complexity that their formulas give.",
        "a check of the method",
        far <= CLOSE and within,
        f"{len(known)} exact values: the farthest estimate is {far:.2f} standard errors off; "
        + ("all lie within their bounds." if within else "not all lie within their bounds."),
        "Proved.",
        of_paper=False,
    )
