"""What fitted networks' norms and margins came to: rows, tables and figures."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Plot, marks, seeds_curve
from rethinking_jax.analysis.intervals import Difference, mean_interval
from rethinking_jax.analysis.norms import COLUMNS
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.workdir.metrics import Json, Line, text_of

TRUE, RANDOM, OTHER = "true", "random", "other"  # the labels of a network
# What is judged: norms, and norms over margins, by name: the column, and the power of it. All are
# said to be larger for random labels.
JUDGED: dict[str, tuple[str, int]] = {
    "distance from the start": ("distance_from_start", 1),
    "Frobenius norm": ("frobenius_norm", 1),
    "spectral complexity": ("spectral_complexity", 1),
    "path norm": ("path_norm", 1),
    "spectral complexity over margin": ("normalized_margin", -1),
    "path norm over margin": ("margin_over_path", -1),
}
# What is only shown.
FURTHER: dict[str, tuple[str, int]] = {
    "product of spectral norms": ("spectral_product", 1),
    "product of spectral norms over margin": ("margin_over_spectral", -1),
    "sum of stable ranks": ("stable_ranks", 1),
    "margin": ("margin_10th", 1),
}
MEASURED = {**JUDGED, **FURTHER}

MEASURE_COLUMNS = (
    Column("measure", "measure"),
    Column("random over true labels", "ratio", "{:.2f}"),
    Column("from", "low", "{:.2f}"),
    Column("to", "high", "{:.2f}"),
    Column("power of n, true labels", "slope_true", "{:+.3f}"),
    Column("power of n, random labels", "slope_random", "{:+.3f}"),
    Column("difference", "slope", "{:+.3f}"),
    Column("from", "slope_low", "{:+.3f}"),
    Column("to", "slope_high", "{:+.3f}"),
    Column("Kendall's tau with the gap", "tau", "{:+.2f}"),
)
NOTE = (
    "Random over true labels: geometric mean over numbers of examples n, widths and seeds of pairs "
    "of networks that share all but their labels. Power of n: the slope of the logarithm of a "
    "measure against that of n. Each with its 95 % interval over seeds. Kendall's tau is over all "
    "networks, those on partly random labels included, between the measure and train accuracy less "
    "test accuracy on true labels."
)
CELL_COLUMNS = (
    Column("labels", "name"),
    Column("examples", "examples", "{:,}"),
    Column("width", "width", "{:,}"),
    Column("fitted", "fitted"),
    Column("epochs", "epochs", "{:.1f}"),
    Column("test acc.", "test_accuracy", text_of),
    *(Column(one.title, key, "{:.4g}") for key, one in COLUMNS.items()),
)
CELL_NOTE = (
    "Means over the seeds that fit, each where its training loss first is small enough; fitted: "
    "how many do."
)


class Fit(NamedTuple):
    """A network that was trained, and what was measured of it once it fitted.

    Attributes:
      name: the run of the config: its labels.
      labels: TRUE where it has the true ones, RANDOM where all are drawn anew, else OTHER.
      examples: how many it trains on.
      width: its hidden units.
      seed: of the run.
      line: what was measured of it where its training loss first was small enough; None where it
        never was.
    """

    name: str
    labels: str
    examples: int
    width: int
    seed: int
    line: Line | None

    @property
    def cell(self) -> tuple[int, int, int]:
        """What it shares with the networks that it is compared with."""
        return self.examples, self.width, self.seed

    def value(self, measure: str) -> float:
        """Returns a measure of `MEASURED`; nan where it is not a positive number."""
        column, power = MEASURED[measure]
        found = self.line.get(column) if self.line else None
        return float(found**power) if found is not None and found > 0 else math.nan

    @property
    def gap(self) -> float:
        """Train accuracy less test accuracy; nan where it does not fit."""
        line = self.line
        return line["train_accuracy"] - line["test_accuracy"] if line else math.nan


def seeds_of(fits: Sequence[Fit]) -> list[int]:
    """Returns the seeds of some networks, ascending."""
    return sorted({one.seed for one in fits})


def log_ratios(fits: Sequence[Fit], measure: str) -> list[float]:
    """Returns for each seed the mean over sizes and widths of log(random / true).

    It is nan where one of the networks does not fit, or has no positive number; [] without pairs.
    """
    true, random = (_by_cell(fits, labels, measure) for labels in (TRUE, RANDOM))
    both = sorted(true.keys() & random.keys())
    return [
        float(np.mean([random[cell] - true[cell] for cell in both if cell[2] == seed]))
        for seed in sorted({cell[2] for cell in both})
    ]


def slopes(fits: Sequence[Fit], labels: str, measure: str) -> list[float]:
    """Returns for each seed the mean over widths of the slope of log(measure) against log(n).

    It is nan as in `log_ratios`; [] where there are fewer than two sizes.
    """
    found = _by_cell(fits, labels, measure)
    if len({cell[0] for cell in found}) < 2:
        return []
    by_seed: dict[int, dict[int, list[tuple[float, float]]]] = {}
    for (n, width, seed), value in sorted(found.items()):
        by_seed.setdefault(seed, {}).setdefault(width, []).append((math.log(n), value))
    return [float(np.mean([_slope(points) for points in own.values()])) for own in by_seed.values()]


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = np.array(points).T
    return float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))


def _by_cell(fits: Sequence[Fit], labels: str, measure: str) -> dict[tuple[int, int, int], float]:
    """Returns the logarithms of a measure of the networks with one kind of labels."""
    return {one.cell: math.log(one.value(measure)) for one in fits if one.labels == labels}


def tau(fits: Sequence[Fit], measure: str) -> float:
    """Returns Kendall's tau between a measure and the gap of the networks that have both."""
    from scipy.stats import kendalltau  # slow to import

    pairs = np.array([(one.value(measure), one.gap) for one in fits])
    pairs = pairs[np.isfinite(pairs).all(1)]
    return float(kendalltau(*pairs.T).statistic) if len(pairs) > 1 else math.nan


# Rows and tables ----------------------------------------------------------------------


def measure_rows(fits: Sequence[Fit]) -> list[Json]:
    """Returns a row for each measure: how labels move it, and how the number of examples does."""
    rows = []
    for measure in MEASURED:
        ratio = interval(log_ratios(fits, measure))
        own = [slopes(fits, labels, measure) for labels in (TRUE, RANDOM)]
        slope = interval(np.subtract(own[1], own[0]).tolist() if all(own) else [])
        means = [_finite(float(np.mean(values))) if values else None for values in own]
        rows.append(
            {
                "name": measure,
                "measure": measure,
                "seeds": len(seeds_of(fits)),
                "ratio": ratio and math.exp(ratio.value),
                "low": ratio and math.exp(ratio.low),
                "high": ratio and math.exp(ratio.high),
                "slope_true": means[0],
                "slope_random": means[1],
                "slope": slope and slope.value,
                "slope_low": slope and slope.low,
                "slope_high": slope and slope.high,
                "tau": _finite(tau(fits, measure)),
            }
        )
    return rows


def interval(values: Sequence[float]) -> Difference | None:
    """Returns the mean of one value for each seed; None where there is none, or a nan."""
    known = values and np.isfinite(values).all()
    return mean_interval(values, "seeds") if known else None


def cell_rows(fits: Sequence[Fit]) -> list[Json]:
    """Returns a row for each kind of labels, number of examples and width: means over seeds."""
    groups: dict[tuple[str, int, int], list[Fit]] = {}
    for one in fits:
        groups.setdefault((one.name, one.examples, one.width), []).append(one)
    return [_cell_row(*key, own) for key, own in groups.items()]


def _cell_row(name: str, examples: int, width: int, own: Sequence[Fit]) -> Json:
    lines = [one.line for one in own if one.line is not None]
    return {
        "name": name,
        "examples": examples,
        "width": width,
        "fitted": f"{len(lines)} of {len(own)}",
        "epochs": _mean(lines, "epoch"),
        **{column: _mean(lines, column) for column in ("test_accuracy", *COLUMNS)},
    }


def _mean(lines: Sequence[Line], column: str) -> float | None:
    values = [line[column] for line in lines]
    return None if not values or None in values else float(np.mean(values))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def measure_table(rows: Sequence[Json]) -> Table:
    """Returns the table of `measure_rows`."""
    return table("norms", "True against random labels", MEASURE_COLUMNS, rows, NOTE)


def cell_table(rows: Sequence[Json]) -> Table:
    """Returns the table of `cell_rows`."""
    return table("norms_by_size", "Norms and margins", CELL_COLUMNS, rows, CELL_NOTE)


# Figures --------------------------------------------------------------------------------


def norm_plots(fits: Sequence[Fit]) -> list[Plot]:
    """Draws each judged measure against the number of examples, and margins of all networks.

    A figure without a positive number is left out, for its axes are logarithmic.
    """
    fitted = [one for one in fits if one.line is not None]
    plots = [*(_size_plot(measure, fitted) for measure in JUDGED), _margin_plot(fitted)]
    return [plot for plot in plots if plot.curves]


def _size_plot(measure: str, fits: Sequence[Fit]) -> Plot:
    groups: dict[str, dict[int, list[float]]] = {}
    for one in fits:
        if math.isfinite(value := one.value(measure)):
            label = f"{_words(one.name)}, width {one.width}"
            groups.setdefault(label, {}).setdefault(one.examples, []).append(value)
    note = "mean over seeds, band from least to most"
    return Plot(
        measure.replace(" ", "_"),
        f"{measure[0].upper()}{measure[1:]} of fitted networks",
        "Where the training loss first is small enough, alike for all labels.",
        "training examples",
        measure,
        [seeds_curve(label, own, list(own.values()), note) for label, own in groups.items()],
        log="xy",
    )


def _margin_plot(fits: Sequence[Fit]) -> Plot:
    groups: dict[str, list[Fit]] = {}
    for one in fits:
        if math.isfinite(one.value("spectral complexity over margin")):
            groups.setdefault(_words(one.name), []).append(one)
    return Plot(
        "margins",
        "Margins of fitted networks, and the same over the spectral complexity",
        "A mark for each network: the 10th percentile of its training margins, across as it is and "
        "up normalized (Bartlett et al. 2017).",
        "margin",
        "normalized margin",
        [
            marks(
                label,
                [one.value("margin") for one in own],
                [1 / one.value("spectral complexity over margin") for one in own],
                [f"{one.examples:,} examples, width {one.width}, seed {one.seed}" for one in own],
            )
            for label, own in groups.items()
        ],
        log="y",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
