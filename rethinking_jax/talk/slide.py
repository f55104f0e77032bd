"""What one slide says and shows, as plain values, in the language of the deck."""

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
      name: its name in the legend.
      x, y: its points; nan is a gap.
      paper: whether its numbers are the paper's, which are drawn dashed.
      color: the number of its colour, so that charts side by side have the same; None: its place,
        or that of our line of the same network.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    paper: bool = False
    color: int | None = None


class Chart(NamedTuple):
    """A chart of lines, which the reader of the deck can edit.

    Attributes:
      title: what it shows, which is its alternative text, too.
      x_label, y_label: the names of its axes.
      lines: what it draws.
      log: whether the x axis is logarithmic.
      top: where the y axis ends; None: at its highest value.
      bottom: where it begins.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log: bool = False
    top: float | None = None
    bottom: float = 0.0


class Grid(NamedTuple):
    """A table: the titles of its columns, and its rows of as many texts; the first holds words."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Picture(NamedTuple):
    """A picture: the bytes of a PNG file, and what it shows in words."""

    content: bytes
    words: str


class Slide(NamedTuple):
    """A slide of the talk.

    Attributes:
      title: one line.
      points: what stands beside or above what it shows.
      script: what is said.
      source: what its numbers are of, in small print.
      charts: its charts, at most two.
      grid: its table, or None.
      picture: its picture, or None.
      opening: whether it opens the talk: its points stand below a large title.
      missing: the config file, with its argument, that measures what the slide would show; ""
        where its numbers are there.
    """

    title: str
    points: Sequence[str]
    script: str
    source: str = ""
    charts: Sequence[Chart] = ()
    grid: Grid | None = None
    picture: Picture | None = None
    opening: bool = False
    missing: str = ""


class Timed(NamedTuple):
    """A slide, and the seconds that are spoken to it."""

    slide: Slide
    seconds: int
