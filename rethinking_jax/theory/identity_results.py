"""What networks that have seen one image return for others: rows, a figure and verdicts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Plot, seeds_curve
from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import holm, mean_interval, p_above_0
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.workdir.metrics import Json, text_of

PLACE = "Zhang et al. 2020, abstract"
SURE = 0.05  # adjusted p-values up to this are no chance
UP_TO = 10  # the layers up to which networks generalize from one example, in the abstract
SHALLOW = (
    f"Networks of up to {UP_TO} layers are nearer to the identity than to a constant function."
)
NEEDS_SHALLOW = f"Needs 2 seeds, and networks of up to {UP_TO} layers."
NEEDS_DEEP = f"Needs 2 seeds, and networks of more than {UP_TO} layers."
DEEP = "The deepest network is nearer to the constant function: it memorizes."
COLUMNS = (
    Column("layers", "depth"),
    Column("steps", "steps", "{:,.0f}"),
    Column("like the image given", "identity", text_of),
    Column("like the training image", "constant", text_of),
    Column("difference", "margin", "{:+.4f}"),
    Column("from", "low", "{:+.4f}"),
    Column("to", "high", "{:+.4f}"),
)
NOTE = (
    "Correlations over pixels between what a network returns for a held-out image and that image, "
    "or the one training image; means over images and seeds. The identity has 1 in the first "
    "column, the constant function in the second. The interval is of 95 % over seeds."
)


class Learned(NamedTuple):
    """What one network has learned.

    Attributes:
      depth: its number of layers.
      seed: of its weights and of its training image.
      steps: how many it took to fit.
      loss: the mean squared error then.
      identity: the mean correlation of its outputs with its inputs.
      constant: that with its training image.
    """

    depth: int
    seed: int
    steps: int
    loss: float
    identity: float
    constant: float


def correlations(outputs: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Returns the correlation over pixels of each output with an image: float64 [n].

    Args:
      outputs: [n, h, w, c].
      images: as many, or one for all.

    Returns:
      0 where one of the two has the same value everywhere.
    """
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (outputs, images))
    a, b = (x - x.mean(1, keepdims=True) for x in (a, b))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: np.ndarray = (a * b).sum(1) / np.where(norms > 0, norms, 1.0)
    return found


def by_depth(learned: Sequence[Learned]) -> dict[int, list[Learned]]:
    """Returns the networks of each depth, in the order of seeds."""
    found: dict[int, list[Learned]] = {}
    for one in learned:
        found.setdefault(one.depth, []).append(one)
    return found


def _margins(own: Sequence[Learned]) -> list[float]:
    """Returns by how much each is more like the identity than like the constant function."""
    return [one.identity - one.constant for one in own]


def rows_of(learned: Sequence[Learned]) -> list[Json]:
    """Returns a row for each depth."""
    rows = []
    for depth, own in by_depth(learned).items():
        margin = mean_interval(_margins(own), "seeds")
        rows.append(
            {
                "name": f"depth={depth}",
                "depth": depth,
                "seeds": len(own),
                "steps": float(np.mean([one.steps for one in own])),
                "loss": float(np.max([one.loss for one in own])),
                "identity": float(np.mean([one.identity for one in own])),
                "constant": float(np.mean([one.constant for one in own])),
                "margin": margin.value,
                "low": margin.low,
                "high": margin.high,
            }
        )
    return rows


def identity_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("identity", "The identity or a constant function", COLUMNS, rows, NOTE)


def identity_plot(learned: Sequence[Learned]) -> Plot:
    """Draws both correlations against depth."""
    depths = by_depth(learned)
    note = f"mean of {len(next(iter(depths.values())))} seeds, band from least to most"
    curves = [
        seeds_curve(
            label, depths, [[getattr(one, key) for one in own] for own in depths.values()]
        )._replace(note=note)
        for label, key in (
            ("with the image given: the identity", "identity"),
            ("with the training image: a constant", "constant"),
        )
    ]
    return Plot(
        "identity_by_depth",
        "What networks learn from one image, by depth",
        "Correlation of what a network returns for held-out images.",
        "layers",
        "correlation",
        curves,
        log="x",
    )


def verdicts(learned: Sequence[Learned]) -> list[Verdict]:
    """Judges what shallow networks learn, and what the deepest one does."""
    depths = by_depth(learned)
    shallow = {depth: _margins(own) for depth, own in depths.items() if depth <= UP_TO}
    deepest = max(depths)
    return [
        _judged(SHALLOW, shallow, 1),
        _judged(DEEP, {deepest: _margins(depths[deepest])} if deepest > UP_TO else {}, -1),
    ]


def _judged(claim: str, margins: dict[int, list[float]], sign: int) -> Verdict:
    """Judges whether the margins of some depths all have a sign, by Holm.

    It is "no" where a mean has the other one, and not measured where seeds leave it open.
    """
    if not margins or len(next(iter(margins.values()))) < 2:
        return _said(claim, None, NEEDS_SHALLOW if sign > 0 else NEEDS_DEEP)
    adjusted = holm([p_above_0([sign * one for one in own]) for own in margins.values()])
    found = {depth: mean_interval(own, "seeds") for depth, own in margins.items()}
    true = True if max(adjusted) <= SURE else None
    if min(sign * one.value for one in found.values()) <= 0:
        true = False
    texts = [
        f"{depth} {one.value:+.4f} ({one.low:+.4f} to {one.high:+.4f})"
        for depth, one in found.items()
    ]
    seeds = len(next(iter(margins.values())))
    return _said(
        claim,
        true,
        "Correlation of outputs with inputs, less that with the training image, by layers, with "
        f"95 % intervals over {seeds} seeds: {'; '.join(texts)}. Largest p by Holm: "
        f"{max(adjusted):.2g}.",
    )


def _said(claim: str, true: bool | None, ours: str) -> Verdict:
    paper = f"Up to {UP_TO} layers generalize from one example, deeper ones often fail."
    return verdict(claim, PLACE, true, ours, paper, of_paper=False)
