"""Tables and figures of kernels on noisy labels, beside those of Belkin, Ma and Mandal (2018)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import belkin
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import curve
from rethinking_jax.analysis.intervals import LEVEL, mean_interval
from rethinking_jax.analysis.table import Column, Table, spread, table
from rethinking_jax.workdir.metrics import Json, text_of

COLUMNS = (
    Column("learner", "learner", words=True),
    Column("examples", "examples", "{:,}"),
    Column("noise", "noise", "{:g}"),
    Column("Bayes error", "bayes_error", text_of),
    Column("test error", "test", text_of),
    Column("on true labels", "true", text_of),
    Column("train error", "train", text_of),
    Column("norm", "norm", "{:.1f}"),
    Column("ridge chosen", "ridge", "{:g}"),
    Column("its test error", "ridge_test", text_of),
)
NOTE = (
    "Means over draws, in round brackets the extremes. Test error: against test labels that are as "
    "noisy as those in training, so that the Bayes error is the least. Train error and norm: of "
    "the kernel machine that interpolates, the norm being sqrt(sum over classes of alpha' K "
    "alpha). Ridge chosen: the median of those that had the fewest errors on a held-out fifth of "
    "the training set. Of neighbours with equally many votes the smallest class wins."
)
STEPS = (
    Column("kernel", "learner", words=True),
    Column("examples", "examples", "{:,}"),
    Column("steps, true labels", "true_steps", "{:.1f}"),
    Column("steps, random labels", "random_steps", "{:.1f}"),
    Column("ratio", "ratio", "{:.2f}"),
)
STEPS_NOTE = (
    "Steps of conjugate gradients without a preconditioner, from zero, until every training label "
    "has the largest output. Means over draws, in round brackets the extremes."
)
BESIDE = (
    Column("table", "table", words=True),
    Column("learner", "learner", words=True),
    Column("noise", "noise", "{:g}"),
    Column("examples", "examples", "{:,}"),
    Column("draws", "draws"),
    Column("test error", "ours", text_of),
    Column("± for one more draw", "half", "{:.4f}"),
    Column("paper's", "paper", "{:.4f}"),
    Column("points", "points", "{:+.2f}"),
    Column("within", "within"),
)
BESIDE_NOTE = (
    "MNIST, 10,000 test digits. Test error: the mean over our draws; points are percentage points, "
    "ours less the paper's. ±: where one more draw lies with a probability of 95 %, by Student's t "
    "of our draws. The paper does not say of how many draws its numbers are."
)


class Beside(NamedTuple):
    """One of our errors beside that of Table 6 or 7.

    Attributes:
      cell: the paper's number.
      draws: the number of our draws.
      mean: their mean.
      half: half the width of the interval of one more draw.
      p: the two-sided p-value of the hypothesis that the paper's number is one more draw.
    """

    cell: belkin.Cell
    draws: int
    mean: float
    half: float
    p: float

    @property
    def within(self) -> bool:
        """Whether the paper's number is in our interval."""
        return abs(self.mean - self.cell.error) <= self.half


def beside(measured: Sequence[Json]) -> list[Beside]:
    """Returns our errors that Tables 6 and 7 have, too: those of MNIST with its whole test set."""
    found = []
    for row in measured:
        cell = belkin.cell(row["learner"], row["noise"], row["examples"])
        like = (row["dataset"], row["test_examples"]) == (belkin.DATASET, belkin.TEST_EXAMPLES)
        if cell is not None and like and row["converged"]:
            found.append(_beside(cell, row["test_errors"]))
    return found


def _beside(cell: belkin.Cell, errors: Sequence[float]) -> Beside:
    from scipy.special import stdtr, stdtrit  # slow to import

    mean, freedom = float(np.mean(errors)), len(errors) - 1
    error = float(np.std(errors, ddof=1)) * math.sqrt(1 + 1 / len(errors))
    half = error * float(stdtrit(freedom, (1 + LEVEL) / 2))
    off = abs(mean - cell.error)
    p = 2 * float(stdtr(freedom, -off / error)) if error else float(off == 0)
    return Beside(cell, len(errors), mean, half, p)


def beside_rows(measured: Sequence[Json]) -> list[Json]:
    """Returns the rows of `BESIDE`, in the order of the paper's tables."""
    own = sorted(beside(measured), key=lambda one: belkin.CELLS.index(one.cell))
    return [
        {
            **one.cell._asdict(),
            "draws": one.draws,
            "ours": one.mean,
            "half": one.half,
            "paper": one.cell.error,
            "points": 100 * (one.mean - one.cell.error),
            "within": "yes" if one.within else "no",
        }
        for one in own
    ]


def tables(measured: Sequence[Json]) -> list[Table]:
    """Returns the tables of the report; Tables 6 and 7 where the data are the paper's."""
    made = [table("kernel_noise", "Test error by label noise", COLUMNS, _rows(measured), NOTE)]
    steps = step_rows(measured)
    if steps:
        title = "Steps until every label is fitted"
        made.append(table("kernel_noise_steps", title, STEPS, steps, STEPS_NOTE))
    if rows := beside_rows(measured):
        title = f"Beside Tables 6 and 7 of {belkin.PAPER}"
        made.append(table("kernel_noise_paper", title, BESIDE, rows, BESIDE_NOTE))
    return made


def _rows(measured: Sequence[Json]) -> list[Json]:
    return [
        {
            **row,
            "test": spread(row["test_errors"]),
            "true": spread(row["true_errors"]),
            "train": None if row["train_errors"] is None else max(row["train_errors"]),
            "norm": spread(row["norms"]),
            "ridge": None if row["ridges"] is None else float(np.median(row["ridges"])),
            "ridge_test": spread(row["ridge_errors"]),
        }
        for row in measured
    ]


def step_rows(measured: Sequence[Json]) -> list[Json]:
    """Returns the steps of true and of random labels for each kernel and size that has both."""
    known = {
        (row["learner"], row["examples"], row["noise"]): row["steps"]
        for row in measured
        if row["steps"] and row["noise"] in (0, 1)
    }
    return [
        {
            "learner": learner,
            "examples": examples,
            "true_steps": spread(true),
            "random_steps": spread(random),
            "ratio": spread(np.divide(random, true).tolist()),
        }
        for (learner, examples, noise), true in known.items()
        if noise == 0 and (random := known.get((learner, examples, 1.0)))
    ]


def plots(measured: Sequence[Json]) -> list[Plot]:
    """Draws the error against noise, the error against the size, and the norm against noise."""
    sizes = sorted({row["examples"] for row in measured})
    drawn = [_by_noise(measured, sizes)]
    drawn += [
        _by_size(measured, noise) for noise in sorted({row["noise"] for row in measured} & {0, 0.1})
    ]
    return [plot for plot in [*drawn, _norms(measured, sizes)] if plot.curves]


def _by_noise(measured: Sequence[Json], sizes: Sequence[int]) -> Plot:
    curves = [
        _curve(f"{learner}, {size:,} examples", own, "noise", "test_errors", size == sizes[-1])
        for size in reversed(sizes)
        for learner, own in _learners([row for row in measured if row["examples"] == size]).items()
    ]
    levels = sorted({row["noise"]: row["bayes_error"] for row in measured}.items())
    bayes = curve("Bayes error", [p for p, _ in levels], [error for _, error in levels])
    return Plot(
        "kernel_noise", "Test error by label noise",
        "Kernels interpolate: they fit every noisy label. Test labels are as noisy. As Figure 5 of "
        f"{belkin.PAPER}.",
        "probability with which a label is drawn anew", "test error", [bayes, *curves],
    )  # fmt: skip


def _by_size(measured: Sequence[Json], noise: float) -> Plot:
    here = [row for row in measured if row["noise"] == noise]
    curves = [
        _curve(learner, own, "examples", "test_errors") for learner, own in _learners(here).items()
    ]
    theirs: dict[str, list[belkin.Cell]] = {}
    for one in beside(here):
        theirs.setdefault(one.cell.learner, []).append(one.cell)
    for learner, cells in theirs.items():
        x, y = [float(own.examples) for own in cells], [own.error for own in cells]
        curves.append(curve(f"{learner}, {belkin.PAPER}", x, y)._replace(paper=True))
    name = f"kernel_noise_by_size_{noise:g}".replace(".", "_")
    bayes = here[0]["bayes_error"]
    return Plot(
        name, f"Test error by training examples at noise {noise:g}",
        "Kernels interpolate.", "training examples", "test error", curves,
        level=(bayes, "Bayes error") if bayes else None, log="x",
    )  # fmt: skip


def _norms(measured: Sequence[Json], sizes: Sequence[int]) -> Plot:
    with_norm = [row for row in measured if row["norms"]]
    curves = [
        _curve(f"{learner}, {size:,} examples", own, "noise", "norms")
        for size in reversed(sizes)
        for learner, own in _learners([r for r in with_norm if r["examples"] == size]).items()
    ]
    return Plot(
        "kernel_noise_norm", "Norm of the function that fits every label",
        "In the kernel's own space, over all classes: norms of two kernels do not compare.",
        "probability with which a label is drawn anew", "norm", curves, log="y",
    )  # fmt: skip


def _learners(rows: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for row in rows:
        found.setdefault(row["learner"], []).append(row)
    return found


def _curve(label: str, rows: Sequence[Json], x: str, values: str, shown: bool = True) -> Curve:
    """Returns the line through the means over draws, with their intervals."""
    own = sorted(rows, key=lambda row: row[x])
    found = [mean_interval(row[values], "draws") for row in own]
    note = f"mean of {len(own[0][values])} draws, band: its 95 % interval"
    return Curve(
        label,
        [float(row[x]) for row in own],
        [one.value for one in found],
        [one.low for one in found],
        [one.high for one in found],
        note,
        shown,
    )
