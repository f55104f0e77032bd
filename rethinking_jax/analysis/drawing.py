"""Figures drawn from plain numbers: files, and vector graphics inside a page."""

import io
import math
import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.many_marks import with_marks_as_paths
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.names import printable
from rethinking_jax.workdir.storage import AnyPath, make_folder

if TYPE_CHECKING:  # matplotlib is slow to import, and only needed when everything is done
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# The looks of curves: dashes and marker differ from curve to curve, so that no one needs the
# colours to tell them apart. The colours stand out from white and from black.
COLORS = (
    "#2f7ed8",
    "#d9660d",
    "#2f9e44",
    "#d6336c",
    "#8f5fd6",
    "#96703c",
    "#0c97a3",
    "#7a7f87",
)
DASHES = ((), (7, 3), (7, 2, 2, 2), (3, 2))
PAPER_DASHES = (1, 2)
# Markers, by matplotlib's name of each and its outline in the page's legend, centred at 0.
MARKERS = (
    ("o", "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0z"),
    ("s", "M-3,-3h6v6h-6z"),
    ("D", "M0,-4L4,0L0,4L-4,0z"),
    ("^", "M0,-4L4,3H-4z"),
    ("v", "M0,4L4,-3H-4z"),
    ("P", "M-1,-4h2v3h3v2h-3v3h-2v-3h-3v-2h3z"),
    ("X", "M-4,-2L-2,-4L0,-2L2,-4L4,-2L2,0L4,2L2,4L0,2L-2,4L-4,2L-2,0z"),
    ("p", "M0,-4L4,-1L2.4,4H-2.4L-4,-1z"),
)
# How matplotlib draws points without a line; where many lie on each other they are darker.
MARKS: dict[str, Any] = {"linestyle": "none", "markersize": 3.2, "markeredgewidth": 0, "alpha": 0.6}
# This stands for the colour of the text around, which matplotlib has no name for.
INK = "#010203"
WIDTH, HEIGHT = 5.2, 3.5  # inches, drawn small so that text stays readable on a phone


class Style(NamedTuple):
    """How a curve looks.

    Attributes:
      color: its colour, as #rrggbb.
      dashes: the lengths of its dashes and gaps in points; () for a solid line.
      marker: matplotlib's name of its marker.
      outline: the same marker as the path of an SVG.
    """

    color: str
    dashes: tuple[int, ...]
    marker: str
    outline: str


class Drawing(NamedTuple):
    """A figure for a page.

    Attributes:
      svg: the markup; each curve is a group with the id "<prefix>-curve-<index>", a band one
        with the id "<prefix>-band-<index>", an area "<prefix>-area-<index>".
      scale: what a script needs to find the points: view box [width, height], axes
        [left, right, top, bottom] in its units, x and y limits.
    """

    svg: str
    scale: Json


def style(index: int, curve: Curve) -> Style:
    """Returns the look of the index-th curve of a figure; the paper's curves are dotted."""
    marker, outline = MARKERS[index % len(MARKERS)]
    dashes = DASHES[(index + index // len(MARKERS)) % len(DASHES)]
    return Style(
        COLORS[index % len(COLORS)], PAPER_DASHES if curve.paper else dashes, marker, outline
    )


def write(plot: Plot, source: str, folder: AnyPath, kinds: Sequence[str] = ("png", "svg")) -> None:
    """Writes <name>.png and <name>.svg with the curves that start switched on, and a legend.

    Args:
      plot: what is drawn.
      source: whose numbers these are, for the title: such a file travels alone.
      folder: where the files go; it is made where there is none.
      kinds: the endings of the files that are written.
    """
    make_folder(folder)
    shown = [i for i, curve in enumerate(plot.curves) if curve.shown]
    with settings():
        figure, axes = _draw(plot, shown)
        if plot.slide:
            _as_slide(figure, axes, plot, source)
        else:
            figure.set_size_inches(7, 4.7)
            axes.legend(fontsize=8, ncols=1 + (len(axes.lines) > 12))
            title = "\n".join(_folded(line, 95) for line in (plot.title, source))
            axes.set_title(title, fontsize=9, pad=20 if plot.verticals else None)
        for kind in kinds:
            save(figure, folder / f"{plot.name}.{kind}", dpi=150)


def _as_slide(figure: "Figure", axes: "Axes", plot: Plot, source: str) -> None:
    """Makes a figure a slide: 16 : 9, large type, thick lines, and the source in small print."""
    figure.set_size_inches(12.8, 7.2)
    figure.set_layout_engine("constrained", h_pad=0.12)
    # The title stands over the whole slide: beside a legend the axes are too narrow for it.
    figure.suptitle(_folded(plot.title, 56), fontsize=24)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(20)
    axes.tick_params(which="both", labelsize=17)
    curves = [line for line in axes.lines if line.get_gid()]  # all but the level and verticals
    for line in curves:
        line.set_linewidth(3.2)
        line.set_markersize(5 if line.get_linestyle() == "None" else 9)
    for text in axes.texts:
        text.set_fontsize(16)
    if len(curves) > 4:
        axes.legend(fontsize=16, loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif len(curves) > 1:  # what one curve is the title and the axis say
        axes.legend(fontsize=16)
    figure.supxlabel(plain(source), fontsize=10, x=0.01, ha="left", color=INK)


def _label_decades(axis: "Axis") -> None:
    """Labels a logarithmic axis by powers of ten, a short one by twice and 5 times them, too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high < 150 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def save(figure: "Figure", path: AnyPath, dpi: int) -> None:
    """Writes a figure of matplotlib in the format of its path's ending, into a bucket too."""
    image = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    figure.savefig(image, format=kind, dpi=dpi, metadata=METADATA[kind])
    path.write_bytes(image.getvalue())


def draw(plot: Plot, prefix: str, undrawn: Collection[int] = ()) -> Drawing:
    """Draws a figure for a page, without legend, in the colours of the text around it.

    Args:
      plot: what is drawn.
      prefix: what every id in it begins with, so that several figures fit into one page.
      undrawn: the indices of curves that the axes have room for, and that are left out.
    """
    with settings():
        figure, axes = _draw(plot, range(len(plot.curves)))
        left_out = {f"{part}-{i}" for i in undrawn for part in ("curve", "band", "area")}
        for artist in axes.get_children():
            artist.set_visible(artist.get_visible() and artist.get_gid() not in left_out)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata=METADATA["svg"])
        width, height = WIDTH * 72, HEIGHT * 72
        box = axes.get_window_extent()
        corners = box.x0, box.y0, box.x1, box.y1
        left, bottom, right, top = (float(value) * 72 / figure.dpi for value in corners)
    # Only the svg element is kept, without XML prologue and metadata.
    svg = text.getvalue()
    # A style sheet would hold for the whole page, and the font is the page's.
    for part in (r"<metadata>.*?</metadata>\s*", r"<style.*?</style>\s*", r"font-family: [^;]*; "):
        svg = re.sub(part, "", svg, flags=re.DOTALL)
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = with_marks_as_paths(svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg)
    scale = {
        "axes": [round(float(value), 3) for value in (left, right, height - top, height - bottom)],
        "view": [width, height],
        "x": [float(value) for value in axes.get_xlim()],
        "y": [float(value) for value in axes.get_ylim()],
        **({"log": plot.log} if plot.log else {}),
    }
    return Drawing(svg, scale)


METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}


@contextmanager
def settings() -> Iterator[None]:
    """Within this context matplotlib writes the same bytes every time, for every user.

    A matplotlibrc of the user has no effect: it may ask for what is not installed, such as TeX.
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "rethinking_jax",  # the same bytes every time
                "image.composite_image": False,  # each image keeps its own pixels
                "font.size": 10.5,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        )
        yield


def check_matplotlib() -> None:
    """Refuses to begin what ends with figures where matplotlib does not load.

    Raises:
      UserError: MPLBACKEND names no backend, or a matplotlibrc is not a text.
    """
    try:
        import matplotlib  # noqa: F401
    except (ImportError, OSError, ValueError) as error:
        raise UserError(
            f"matplotlib, which draws the figures, does not load: {error} (it looks at MPLBACKEND, "
            "MATPLOTLIBRC, and matplotlibrc in this folder and in ~/.config/matplotlib)"
        ) from None


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = None
) -> "Figure":
    """Makes an empty figure of matplotlib, its sizes in inches, that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _draw(plot: Plot, indices: Sequence[int]) -> "tuple[Figure, Axes]":
    figure = new_figure(WIDTH, HEIGHT, layout="constrained")
    axes = figure.subplots()
    for index in indices:
        _add_curve(axes, plot.curves[index], index)
    if plot.level:
        height, name = plot.level
        axes.axhline(height, color=INK, linewidth=0.8, alpha=0.6)
        axes.annotate(
            plain(name), (0.01, height), (0, 3), ("axes fraction", "data"), "offset points"
        )
    _add_verticals(axes, plot.verticals)
    axes.set_xlabel(plain(plot.x_label))
    axes.set_ylabel(plain(plot.y_label))
    if "x" in plot.log:
        axes.set_xscale("log")
    if "y" in plot.log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(*_limits(plot, indices))
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            _label_decades(axis)
    if "x" not in plot.log:
        axes.locator_params(axis="x", nbins=6)  # labels of short runs have many digits
    axes.grid(alpha=0.2, color=INK)
    axes.tick_params(which="both", color=INK, labelcolor=INK)
    for part in (axes.xaxis.label, axes.yaxis.label, *axes.texts):
        part.set_color(INK)
    for spine in axes.spines.values():
        spine.set_color(INK)
    return figure, axes


def _add_verticals(axes: "Axes", lines: Sequence[tuple[float, str]]) -> None:
    """Draws vertical lines with their names above the axes: the first to the left of its line."""
    sides = ["center"] if len(lines) == 1 else ["right", *["left"] * (len(lines) - 1)]
    for (place, name), side in zip(lines, sides, strict=False):
        axes.axvline(place, color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (4, 3)))
        axes.annotate(
            plain(name), (place, 1), (0, 3), ("data", "axes fraction"), "offset points", ha=side
        )


def _add_curve(axes: "Axes", curve: Curve, index: int) -> None:
    look = style(index, curve)
    if curve.bars:
        _add_bars(axes, curve, look, index)
        return
    axes.plot(
        curve.x,
        curve.y,
        color=look.color,
        marker=look.marker,
        label=plain(curve.label),
        gid=f"curve-{index}",
        **(MARKS if curve.marks else _line(curve, look)),
    )
    if curve.best:
        axes.fill_between(
            curve.x,
            curve.y,
            curve.best,
            facecolor=look.color,
            edgecolor=look.color,
            alpha=0.35,
            linewidth=1,
            gid=f"area-{index}",
        )
    if curve.low != curve.high:
        axes.fill_between(
            curve.x,
            curve.low,
            curve.high,
            color=look.color,
            alpha=0.18,
            linewidth=0,
            gid=f"band-{index}",
        )


def _line(curve: Curve, look: Style) -> dict[str, Any]:
    """Returns how matplotlib draws a line with a marker here and there."""
    return {
        "dashes": look.dashes or (None, None),
        "linewidth": 1.6,
        "markevery": max(1, len(curve.x) // 8),
        "markersize": 4.5,
    }


def _add_bars(axes: "Axes", curve: Curve, look: Style, index: int) -> None:
    """Draws the bars of a histogram as one outline, and an upright line from low to high on each.

    Each bar reaches half the way to the next one.
    """
    middles = [(a + b) / 2 for a, b in pairwise(curve.x)]
    first, last = (
        (2 * curve.x[0] - middles[0], 2 * curve.x[-1] - middles[-1])
        if middles
        else (curve.x[0] - 0.5, curve.x[0] + 0.5)
    )
    axes.stairs(
        curve.y,
        [first, *middles, last],
        fill=True,
        facecolor=f"{look.color}40",
        edgecolor=look.color,
        linewidth=1.4,
        label=plain(curve.label),
        gid=f"curve-{index}",
    )
    if curve.low != curve.high:
        # Intervals of several histograms stand beside each other, not on each other.
        aside = (index % 5 - 2) * 0.12 * (middles[0] - first if middles else 0.5)
        places = [x + aside for x in curve.x]
        axes.vlines(
            places, curve.low, curve.high, color=look.color, linewidth=1.2, gid=f"band-{index}"
        )


def _limits(plot: Plot, indices: Sequence[int]) -> tuple[float, float]:
    """Returns the limits of y: from 0, or a little below the lowest value, to above the highest.

    On a slide without a level what differs fills the axes.
    """
    values = [value for i in indices for value in plot.curves[i].high if math.isfinite(value)]
    lows = [value for i in indices for value in plot.curves[i].low if math.isfinite(value)]
    if plot.slide and not plot.level and values:
        margin = 0.05 * (max(values) - min(lows)) or 0.05
        return min(lows) - margin, max(values) + margin
    top = max([*values, plot.level[0] if plot.level else 0.0], default=0.0)
    return 1.06 * min([*lows, 0.0]), 1.06 * top or 1.0


def _folded(text: str, width: int) -> str:
    """Returns a text in lines; only these line breaks are none of its own, and are not escaped."""
    return "\n".join(map(plain, textwrap.wrap(text, width)))


def plain(text: str) -> str:
    """Returns a text in which matplotlib sees no formula and nothing that it cannot draw."""
    return printable(text).replace("$", r"\$")
