"""What training through wrong labels came to: rows, tables, figures and verdicts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.intervals import paired
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.theory.robust_methods import EARLY, PLAIN
from rethinking_jax.workdir.metrics import Json, text_of

COLUMNS = (
    Column("labels", "name"),
    Column("method", "method"),
    Column("wrong labels", "wrong", "{:.4f}"),
    Column("test acc. at the end", "last", text_of),
    Column("best over epochs", "best", text_of),
    Column("less plain at the end", "gain", "{:+.4f}"),
    Column("from", "low", "{:+.4f}"),
    Column("to", "high", "{:+.4f}"),
    Column("less plain stopped early", "over_early", "{:+.4f}"),
    Column("wrong labels memorized", "memorized", text_of),
    Column("given their true class", "corrected", text_of),
    Column("at most", "corrected_most", text_of),
)
NOTE = (
    "Means over seeds; test labels are the true ones. Less plain: the difference of test "
    "accuracies to plain training, paired over seeds, with its 95 % interval. Plain training is "
    "stopped early in the epoch with the best accuracy on held-out examples with noisy labels. "
    "Best over epochs chooses by the test set, as no one can in practice. Memorized and given "
    "their true class: of the wrongly labelled training examples, at the end and at most."
)


class Course(NamedTuple):
    """How one run went, a value for each measured epoch.

    Attributes:
      name: the run of the config.
      corruption: how its labels were corrupted.
      method: a name of `METHODS`.
      seed: of the run.
      wrong: the share of its training labels that are wrong.
      epochs: their numbers.
      test: test accuracy on true labels.
      held_out: accuracy on held-out examples with noisy labels.
      memorized: the share of the wrongly labelled training examples that are given their label.
      corrected: the share of them that are given their true class; 0 where there are none.
      train: train accuracy, on the labels that it trains on.
      distance: of the weights from where they started; empty where it is not measured.
    """

    name: str
    corruption: str
    method: str
    seed: int
    wrong: float
    epochs: list[int]
    test: list[float]
    held_out: list[float]
    memorized: list[float]
    corrected: list[float]
    train: list[float]
    distance: list[float]

    @property
    def last(self) -> float:
        """The test accuracy at the end."""
        return self.test[-1]

    @property
    def best(self) -> float:
        """The best test accuracy of any measured epoch."""
        return max(self.test)

    @property
    def early(self) -> float:
        """The test accuracy of the first epoch that does best on held-out noisy labels."""
        return self.test[int(np.argmax(self.held_out))]


def by_setting(courses: Sequence[Course]) -> dict[str, dict[str, list[Course]]]:
    """Returns the courses of each method, in the order of seeds, by the run of the config."""
    found: dict[str, dict[str, list[Course]]] = {}
    for one in courses:
        found.setdefault(one.name, {}).setdefault(one.method, []).append(one)
    return found


def rows_of(courses: Sequence[Course]) -> list[Json]:
    """Returns a row for each method on each kind of noise, that of stopping early after plain."""
    rows = []
    for name, methods in by_setting(courses).items():
        plain = methods.get(PLAIN)
        for method, own in methods.items():
            rows.append(_row(name, method, own, plain, [one.last for one in own]))
            if method == PLAIN:
                rows.append(_row(name, EARLY, own, plain, [one.early for one in own]))
    return rows


def _row(
    name: str,
    method: str,
    own: Sequence[Course],
    plain: Sequence[Course] | None,
    accuracies: Sequence[float],
) -> Json:
    stopped = method == EARLY
    places = [int(np.argmax(one.held_out)) if stopped else -1 for one in own]
    gain = paired(accuracies, [one.last for one in plain]) if plain else None
    over = paired(accuracies, [one.early for one in plain]) if plain else None
    return {
        "name": name,
        "method": method,
        "corruption": own[0].corruption,
        "seeds": len(own),
        "wrong": float(np.mean([one.wrong for one in own])),
        "last": float(np.mean(accuracies)),
        "best": float(np.mean([one.best for one in own])),
        "gain": gain and gain.value,
        "low": gain and gain.low,
        "high": gain and gain.high,
        "over_early": over and over.value,
        **_shares(own, places),
    }


def _shares(own: Sequence[Course], places: Sequence[int]) -> Json:
    """Returns the shares of the wrongly labelled examples, None where there are none."""
    if not any(one.wrong for one in own):
        return dict.fromkeys(("memorized", "corrected", "corrected_most"))
    pairs = list(zip(own, places, strict=True))
    return {
        "memorized": float(np.mean([one.memorized[at] for one, at in pairs])),
        "corrected": float(np.mean([one.corrected[at] for one, at in pairs])),
        "corrected_most": float(np.mean([max(one.corrected) for one in own])),
    }


def robust_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("robust_labels", "Training through wrong labels", COLUMNS, rows, NOTE)


# Figures --------------------------------------------------------------------------------------


def robust_plots(courses: Sequence[Course]) -> list[Plot]:
    """Draws test accuracy of all methods, and early learning of plain training, for each noise."""
    plots: list[Plot] = []
    for name, methods in by_setting(courses).items():
        curves = [_curve(method, own, "test") for method, own in methods.items()]
        plots.append(
            Plot(
                f"test_accuracy_{len(plots)}",
                f"Test accuracy while training: {name}",
                "On the true labels of the test set.",
                "epoch",
                "test accuracy",
                curves,
            )
        )
        if PLAIN in methods and any(one.wrong for one in methods[PLAIN]):
            plots.append(_early_learning_plot(name, methods[PLAIN], len(plots)))
    return plots


def _early_learning_plot(name: str, plain: Sequence[Course], place: int) -> Plot:
    return Plot(
        f"early_learning_{place}",
        f"Early learning and memorization of plain training: {name}",
        "Of the wrongly labelled training examples: at first many are given their true class, "
        "later the label that they have.",
        "epoch",
        "share of the wrongly labelled examples",
        [
            _curve("given their true class", plain, "corrected"),
            _curve("memorized", plain, "memorized"),
        ],
    )


def _curve(label: str, own: Sequence[Course], key: str) -> Curve:
    values = np.array([getattr(one, key) for one in own]).T.tolist()
    note = f"mean of {len(own)} seeds, band from least to most"
    return seeds_curve(label, own[0].epochs, values, note)
