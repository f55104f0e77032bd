"""The measures that the key `measures` asks for: over training in figures, at its end in a table.

`rethinking_jax.step.norms` computes them; docs/measures.md says more of each.
"""

from typing import NamedTuple

from rethinking_jax.analysis.curves import MANY, Curve, Plot, band, curve_name, seeds_note
from rethinking_jax.analysis.results import Group, Results, series
from rethinking_jax.analysis.table import Column, Table, table


class Measured(NamedTuple):
    """A column of metrics.jsonl that a measure adds.

    Attributes:
      title: what it is.
      formula: how it is computed.
      positive: whether it is a norm, which is drawn on a logarithmic scale.
    """

    title: str
    formula: str
    positive: bool = True


GAMMA = "the 10th percentile of the training margins"
# By the names of the columns, in the order of the report.
COLUMNS = {
    "distance_from_start": Measured(
        "Distance from the start",
        "The root of the sum over layers of |W - W0|_F^2, where W0 is a layer's weights before the "
        "first step.",
    ),
    "frobenius_norm": Measured("Frobenius norm", "The root of the sum over layers of |W|_F^2."),
    "spectral_product": Measured(
        "Product of spectral norms", "The product over layers of |W|_2, the largest singular value."
    ),
    "stable_ranks": Measured("Sum of stable ranks", "The sum over layers of |W|_F^2 / |W|_2^2."),
    "spectral_complexity": Measured(
        "Spectral complexity",
        "R of Bartlett et al. (2017): the product of |W|_2 times (sum of (|W|_21 / |W|_2)^(2/3)) "
        "to the power 3/2.",
    ),
    "path_norm": Measured(
        "Path norm",
        "The l2 norm over all paths from an input or a bias to an output of the product of the "
        "parameters on the path.",
    ),
    "margin_10th": Measured(
        "Margin",
        "The 10th percentile over the training examples of the logit of the given label less the "
        "largest other one, in eval mode.",
        positive=False,
    ),
    "margin_over_spectral": Measured(
        "Margin over the product of spectral norms",
        f"{GAMMA.capitalize()} over the product of |W|_2.",
        positive=False,
    ),
    "normalized_margin": Measured(
        "Normalized margin",
        f"{GAMMA.capitalize()} over the spectral complexity.",
        positive=False,
    ),
    "margin_over_path": Measured(
        "Margin over the path norm", f"{GAMMA.capitalize()} over the path norm.", positive=False
    ),
}


def over_training(results: Results) -> list[Plot]:
    """Draws each measure that some run has against steps, a curve for each group of runs."""
    all_series = series(results)
    groups = [(one, group) for one in all_series for group in one.groups]
    plots = []
    for key, measured in COLUMNS.items():
        own = [(one, group) for one, group in groups if _has_number(group, key)]
        curves = [
            Curve(
                curve_name(one, group, len(all_series) > 1),
                *band(group.lines, key),
                note=seeds_note(group),
                shown=place < MANY,
            )
            for place, (one, group) in enumerate(own)
        ]
        words = measured.title, measured.formula, "thousand steps", measured.title.lower()
        plots.append(Plot(key, *words, curves, log="y" if measured.positive else ""))
    return plots


def _has_number(group: Group, key: str) -> bool:
    return any(line.get(key) is not None for own in group.lines for line in own)


def norms_table(results: Results) -> Table | None:
    """Makes a row for each run with its measures at the end; None where no run has any."""
    members = results.summary["members"]
    keys = [key for key in COLUMNS if any(key in member for member in members)]
    if not keys:
        return None
    columns = [Column("run", "name"), *(Column(COLUMNS[k].title, k, "{:.4g}") for k in keys)]
    note = "At the end of training, see the figures for what each is."
    return table("norms", "Norms and margins", columns, members, note)
