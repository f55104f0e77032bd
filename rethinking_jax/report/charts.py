"""Figures as the page holds them: the drawing, the legend, and every point for the script."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import Json

# In a figure of more curves than this, lines that start switched off are not in the drawing: the
# script draws them from their points when they are switched on. Hundreds of them, drawn and
# hidden, would make most of a page.
MOST_DRAWN = 24
# A legend of more entries than MOST_LISTED shows FIRST_LISTED of them, and folds the others.
MOST_LISTED, FIRST_LISTED = 15, 12


class Key(NamedTuple):
    """An entry of a figure's legend, which switches its curve on and off.

    Attributes:
      place: the place of the curve in its figure.
      label: the name of the curve.
      tooltip: what more is to be known of it, or "".
      shown: whether the curve starts switched on.
      style: how it looks.
      kind: "Lines", "Points" or "Bars".
    """

    place: int
    label: str
    tooltip: str
    shown: bool
    style: drawing.Style
    kind: str


class Chart(NamedTuple):
    """A figure on the page.

    Attributes:
      id: what every id in it begins with.
      plot: what it shows.
      source: whose numbers it shows.
      notes: sentences on what its lines, points or bars are means of.
      svg: the drawing.
      legend: an entry for each curve.
      data: what the script needs to find the points, with the values of the points.
    """

    id: str
    plot: Plot
    source: str
    notes: list[str]
    svg: Markup
    legend: list[Key]
    data: Json

    @property
    def listed(self) -> list[Key]:
        """The entries of the legend that are seen at once."""
        return self.legend if len(self.legend) <= MOST_LISTED else self.legend[:FIRST_LISTED]

    @property
    def folded(self) -> list[Key]:
        """The entries of the legend that are folded."""
        return self.legend[len(self.listed) :]


def chart(plot: Plot, source: str, identity: str, say: Translate) -> Chart:
    """Draws a figure for the page.

    Args:
      plot: what it shows.
      source: whose numbers it shows.
      identity: what every id in it begins with.
      say: translates into the language of its section.
    """
    picture = drawing.draw(plot, identity, _undrawn(plot))
    return Chart(
        identity,
        plot,
        source,
        list(dict.fromkeys(_note(c, say) for c in plot.curves if c.note)),
        # Drawn by matplotlib from numbers and from labels of this package: markup, not text.
        Markup(picture.svg),
        [
            Key(i, c.label, c.note or c.remark, c.shown, drawing.style(i, c), _kind(c))
            for i, c in enumerate(plot.curves)
        ],
        {
            **picture.scale,
            "names": [plot.x_label, plot.y_label],
            "curves": _points(plot.curves),
            **_called(plot),
        },
    )


def _undrawn(plot: Plot) -> list[int]:
    """Returns the curves that the script draws, if they are ever switched on."""
    if len(plot.curves) <= MOST_DRAWN:
        return []
    return [
        i
        for i, curve in enumerate(plot.curves)
        if not curve.shown and not curve.marks and not curve.bars
    ]


def _note(curve: Curve, say: Translate) -> str:
    """Says what a curve's values are means of."""
    phrases = {"Lines": "Lines: {note}.", "Points": "Points: {note}.", "Bars": "Bars: {note}."}
    return say(phrases[_kind(curve)], note=curve.note)


def _kind(curve: Curve) -> str:
    return "Points" if curve.marks else "Bars" if curve.bars else "Lines"


def _called(plot: Plot) -> Json:
    """Returns what the points of each curve are called, where some have a name."""
    called = [list(curve.names) for curve in plot.curves]
    return {"called": called} if any(called) else {}


def _points(curves: Sequence[Curve]) -> list[Json]:
    """Returns the points of each curve, column by column, in full precision.

    Where a curve stands at the places of an earlier one its `x` is the index of that one, and
    what has no interval lacks `low` and `high`: this halves the data of hundreds of runs.
    """
    first_with: dict[tuple[float, ...], int] = {}
    points = []
    for index, curve in enumerate(curves):
        first = first_with.setdefault(tuple(curve.x), index)
        columns: Json = {
            "x": _numbers(curve.x) if first == index else first,
            "y": _numbers(curve.y),
        }
        if curve.low != curve.y or curve.high != curve.y:
            columns |= {"low": _numbers(curve.low), "high": _numbers(curve.high)}
        if curve.best:
            columns["best"] = _numbers(curve.best)
        points.append(columns)
    return points


def _numbers(values: Sequence[float]) -> list[float | str | None]:
    """Returns numbers as JSON can hold them: no number is null, infinite ones are texts."""
    return [
        value if math.isfinite(value) else None if math.isnan(value) else str(value)
        for value in map(float, values)
    ]
