"""What a search for critical samples came to: rows, their table, and figures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.intervals import paired
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.workdir.metrics import Json, text_of

TRUE = "true_labels"
COLUMNS = (
    Column("labels and images", "name"),
    Column("radius", "radius", "{:g}"),
    Column("train acc.", "train", text_of),
    Column("test acc.", "test", text_of),
    Column("critical at first", "first", text_of),
    Column("at the end", "last", text_of),
    Column("growth", "growth", "{:+.4f}"),
    Column("less true labels", "more", "{:+.4f}"),
    Column("from", "low", "{:+.4f}"),
    Column("to", "high", "{:+.4f}"),
    Column("in half the iterations", "half", text_of),
)
NOTE = (
    "Means over seeds. Critical: the share of held-out images around which the search finds "
    "another answer within the radius in every pixel, on the scale 0 to 255; a lower bound, for it "
    "may miss some. At first: at the first epoch that is measured. Less true labels: the "
    "difference at the end, paired over seeds, with its 95 % interval. In half the iterations: "
    "what was found by then; where it is near the share at the end, more would find little more."
)


class Course(NamedTuple):
    """How one run went, a value for each measured epoch.

    Attributes:
      name: the setting, a run of the config.
      corruption: how its labels or images were corrupted.
      label_noise: the probability with which a label was changed.
      seed: of the run.
      epochs: their numbers.
      train, test: accuracies, on the labels of the run and on true ones.
      counts: the numbers of iterations after which the share that is found is known; the last is
        all of them.
      found: by radius the share that was found, [epochs][counts].
    """

    name: str
    corruption: str
    label_noise: float
    seed: int
    epochs: list[int]
    train: list[float]
    test: list[float]
    counts: list[int]
    found: dict[float, list[list[float]]]

    def ratio(self, radius: float) -> list[float]:
        """Returns the critical sample ratio at each measured epoch, after all iterations."""
        return [own[-1] for own in self.found[radius]]


def by_setting(courses: Sequence[Course]) -> dict[str, list[Course]]:
    """Returns the courses of each setting, in the order of seeds."""
    found: dict[str, list[Course]] = {}
    for one in courses:
        found.setdefault(one.name, []).append(one)
    return found


def true_of(courses: Sequence[Course]) -> list[Course]:
    """Returns the courses on true labels and images; none where there is no such setting."""
    return next((own for own in by_setting(courses).values() if is_true(own[0])), [])


def is_true(course: Course) -> bool:
    """Says whether a run has the data set as it is."""
    return course.corruption == TRUE


def rows_of(courses: Sequence[Course]) -> list[Json]:
    """Returns a row for each setting and radius."""
    true = true_of(courses)
    return [
        _row(own, radius, true) for own in by_setting(courses).values() for radius in own[0].found
    ]


def _row(own: Sequence[Course], radius: float, true: Sequence[Course]) -> Json:
    ratios = [one.ratio(radius) for one in own]
    first, last = (float(np.mean([one[at] for one in ratios])) for at in (0, -1))
    compared = true and not is_true(own[0])
    more = (
        paired([one[-1] for one in ratios], [one.ratio(radius)[-1] for one in true])
        if compared
        else None
    )
    half = max((n for n in own[0].counts if 2 * n <= own[0].counts[-1]), default=own[0].counts[0])
    return {
        "name": own[0].name,
        "corruption": own[0].corruption,
        "label_noise": own[0].label_noise,
        "radius": radius,
        "seeds": len(own),
        "train": float(np.mean([one.train[-1] for one in own])),
        "test": float(np.mean([one.test[-1] for one in own])),
        "first": first,
        "last": last,
        "growth": last - first,
        "more": more and more.value,
        "low": more and more.low,
        "high": more and more.high,
        "half": float(np.mean([one.found[radius][-1][one.counts.index(half)] for one in own])),
    }


def critical_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("critical_samples", "Critical samples", COLUMNS, rows, NOTE)


# Figures --------------------------------------------------------------------------------------


def critical_plots(courses: Sequence[Course]) -> list[Plot]:
    """Draws the ratio over epochs for each radius, accuracies beside, and the search's progress."""
    settings = by_setting(courses)
    plots = []
    for radius in courses[0].found:
        ratios = [
            _curve(name, own[0].epochs, [one.ratio(radius) for one in own])
            for name, own in settings.items()
        ]
        plots.append(
            Plot(
                f"critical_samples_{radius:g}",
                f"Critical sample ratio while training, radius {radius:g}",
                "The share of held-out images with another answer in the box around them, as far "
                "as the search finds it: a lower bound.",
                "epoch",
                "critical sample ratio",
                ratios,
            )
        )
    for key, title, caption in (
        ("train", "training", "On the labels that a run has."),
        ("test", "test", "On true labels; of noise images those that the run is tested on."),
    ):
        curves = [
            _curve(name, own[0].epochs, [getattr(one, key) for one in own])
            for name, own in settings.items()
        ]
        axes = "epoch", f"{title} accuracy"
        plots.append(
            Plot(f"{key}_accuracy", f"{title.capitalize()} accuracy", caption, *axes, curves)
        )
    return [*plots, *(_search_plot(settings, radius) for radius in courses[0].found)]


def _search_plot(settings: dict[str, list[Course]], radius: float) -> Plot:
    curves = [
        _curve(name, own[0].counts, [one.found[radius][-1] for one in own])
        for name, own in settings.items()
    ]
    return Plot(
        f"search_{radius:g}",
        f"What the search has found, radius {radius:g}",
        "At the end of training. Where a line still rises, more iterations would find more.",
        "iterations of the search",
        "share found",
        curves,
    )


def _curve(label: str, x: Sequence[float], values: Sequence[Sequence[float]]) -> Curve:
    """Returns the line of a setting; values are [seeds][x]."""
    note = f"mean of {len(values)} seeds, band from least to most"
    return seeds_curve(label, x, np.array(values).T.tolist(), note)
