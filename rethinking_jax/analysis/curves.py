"""What a figure shows, as plain numbers: which curves, through which points."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import group_name
from rethinking_jax.analysis.results import Group, Series
from rethinking_jax.workdir.metrics import Line

# More curves than this are told apart badly: the rest starts switched off.
MANY = 8


class Curve(NamedTuple):
    """A line through points, with a band where there are several seeds; or marks, or bars.

    Attributes:
      label: its name in the legend.
      x: where its points stand; the middles of bars.
      y: its value at each point, the mean over seeds.
      low, high: the least and the greatest value of any seed at each point, or the ends of an
        interval that `note` names.
      note: what its values are means of, or "".
      shown: whether it starts switched on.
      paper: whether its numbers are the paper's, not ours.
      best: the highest mean so far, for an area above the line; () for none.
      remark: what else is to be known of its points, or "".
      marks: whether its points are drawn without a line, as a scatter.
      bars: whether each point is the top of a bar, as in a histogram; bars touch.
      names: what each point is called, such as "example 17"; () where points have no names.
    """

    label: str
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    note: str = ""
    shown: bool = True
    paper: bool = False
    best: Sequence[float] = ()
    remark: str = ""
    marks: bool = False
    bars: bool = False
    names: Sequence[str] = ()


class Plot(NamedTuple):
    """A figure: curves over common axes, with the words around them and how they are drawn.

    Attributes:
      name: the name of its files.
      title, caption: what stands above and below it.
      x_label, y_label: the names of its axes.
      curves: its lines.
      level: the height of a horizontal line and its name, or None.
      models: the models in it, where they are not all of the workdir's.
      log: the axes that have a logarithmic scale; values there are positive or nan, see
        `rethinking_jax.analysis.drawable`.
      slide: whether its files are in large type, for a lecture.
      verticals: vertical lines, each by its place on the x axis and its name.
    """

    name: str
    title: str
    caption: str
    x_label: str
    y_label: str
    curves: list[Curve]
    level: tuple[float, str] | None = None
    models: tuple[str, ...] = ()
    log: Literal["", "x", "y", "xy"] = ""
    slide: bool = False
    verticals: Sequence[tuple[float, str]] = ()


# The points of a line: x, then mean, least and greatest value over seeds.
Band = tuple[list[float], list[float], list[float], list[float]]


def band(lines: Sequence[Sequence[Line]], key: str) -> Band:
    """Returns the mean and the extremes over seeds of a metric in training.

    Args:
      lines: the lines of each seed, which share their steps as far as each goes.
      key: the metric's key in a line.

    Returns:
      Thousand steps, mean, minimum and maximum, each of the length of the longest run. A seed
      that has stopped keeps its last value, so that every mean is over the same seeds; nan
      where a loss was not a number.
    """
    longest = max(lines, key=len)
    steps = [line["step"] / 1000 for line in longest]
    values = np.array(
        [
            [_number(own[min(i, len(own) - 1)].get(key)) for i in range(len(longest))]
            for own in lines
        ]
    )
    return steps, list(values.mean(0)), list(values.min(0)), list(values.max(0))


def middles(found: Band) -> Band:
    """Returns a band of means over steps with each mean at the middle of them.

    Args:
      found: a band whose points are means over the steps since the point before, at the last one.
    """
    ends = found[0]
    middle = [(before + end) / 2 for before, end in zip([0.0, *ends], ends, strict=False)]
    return (middle, *found[1:])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def seeds_curve(
    label: str, x: Iterable[float], values: Sequence[Sequence[float]], note: str = ""
) -> Curve:
    """Returns the line through the means of the seeds' values at each x, with their extremes."""
    return Curve(
        label,
        [float(place) for place in x],
        [float(np.mean(own)) for own in values],
        [float(min(own)) for own in values],
        [float(max(own)) for own in values],
        note,
    )


def seeds_note(group: Group) -> str:
    """Says what a curve over several seeds shows; "" for one."""
    return "" if group.seeds == 1 else f"mean of {group.seeds} seeds, band from least to most"


def curve_name(one: Series, group: Group, several: bool) -> str:
    """Returns a group's name in a figure of one series or of several."""
    return f"{one.name}: {group_name(group)}" if several else group_name(group)


def marks(
    label: str, x: Sequence[float], y: Sequence[float], names: Sequence[str] = (), note: str = ""
) -> Curve:
    """Returns a scatter of points, in the order of x, so that arrow keys go from left to right.

    Args:
      label: its name in the legend.
      x: where the points stand on the horizontal axis, [n].
      y: where they stand on the vertical one, [n].
      names: what each point is called, or () for no names.
      note: what the points are, or "".
    """
    order = np.argsort(np.asarray(x, float), kind="stable").tolist()
    across, up = ([float(values[i]) for i in order] for values in (x, y))
    own = tuple(names[i] for i in order) if names else ()
    return Curve(label, across, up, up, up, note, marks=True, names=own)
