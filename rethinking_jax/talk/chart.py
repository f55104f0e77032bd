"""Charts that the reader of a deck can edit: their numbers are in a sheet within the file."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx.chart.data import XyChartData
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from rethinking_jax.analysis.drawing import COLORS
from rethinking_jax.talk import theme
from rethinking_jax.talk.slide import Chart, Line

if TYPE_CHECKING:
    from pptx.slide import Slide

FEW_POINTS = 24  # up to so many points have a marker each
MOST_POINTS = 80  # of a line: what a screen tells apart, and a sheet still shows
# The sizes of the type, in points: of names at the axes, of the numbers there, of the legend. Two
# charts side by side are narrow.
WIDE, NARROW = (18, 16, 14), (16, 14, 14)
LEAST_WIDE = 7.0  # inches from which on a chart is wide


def add(slide: "Slide", chart: Chart, box: theme.Box) -> Any:
    """Adds a chart to a slide, and returns the frame that holds it."""
    data: Any = XyChartData()
    colors = {line.name: COLORS[_color_of(chart.lines, i) % len(COLORS)]
              for i, line in enumerate(chart.lines)}  # fmt: skip
    # LibreOffice loses a line that one with more points follows.
    drawn = sorted(map(thinned, chart.lines), key=lambda line: -len(line.x))
    for line in drawn:
        series = data.add_series(line.name)
        for x, y in zip(line.x, line.y, strict=True):
            series.add_data_point(float(f"{x:.6g}"), float(f"{y:.6g}"))
    left, top, width, height = (Inches(length) for length in box)
    frame: Any = slide.shapes.add_chart(
        XL_CHART_TYPE.XY_SCATTER_LINES, left, top, width, height, data
    )
    made = frame.chart
    names, numbers, legend = WIDE if box[2] >= LEAST_WIDE else NARROW
    made.font.size, made.font.name = Pt(names), "Arial"
    made.font.color.rgb = theme.color(theme.INK)
    made.has_title = False
    made.has_legend = len(drawn) > 1
    if made.has_legend:
        made.legend.position = XL_LEGEND_POSITION.BOTTOM
        made.legend.include_in_layout = False
        made.legend.font.size = Pt(legend)
    _axes(made, chart, names, numbers)
    for series, line in zip(made.plots[0].series, drawn, strict=True):
        _dress(series, line, colors[line.name])
    return frame


def thinned(line: Line) -> Line:
    """Returns a line with `MOST_POINTS` of its points at most, the first and the last kept."""
    finite = [(x, y) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
    line = line._replace(x=[x for x, _ in finite], y=[y for _, y in finite])
    count = len(line.x)
    if count <= MOST_POINTS:
        return line
    kept = sorted({round(i * (count - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)})
    return line._replace(x=[line.x[i] for i in kept], y=[line.y[i] for i in kept])


def _color_of(lines: Sequence[Line], place: int) -> int:
    """Returns the number of a line's colour: a line of the paper has that of ours of its name."""
    if (own := lines[place].color) is not None:
        return own
    names = list(dict.fromkeys(line.name.partition(" (")[0] for line in lines))
    return names.index(lines[place].name.partition(" (")[0])


def _axes(made: Any, chart: Chart, names: int, numbers: int) -> None:
    """Says what the axes are and where they end; `names` and `numbers` are sizes in points."""
    named = ((made.category_axis, chart.x_label), (made.value_axis, chart.y_label))
    for axis, name in named:
        axis.has_title = True
        axis.axis_title.text_frame.text = name
        run = axis.axis_title.text_frame.paragraphs[0].runs[0]
        run.font.size, run.font.bold = Pt(names), False
        axis.tick_labels.font.size = Pt(numbers)
        axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        axis.format.line.color.rgb = theme.color(theme.QUIET)
        axis.has_major_gridlines = axis is made.value_axis
        axis.has_minor_gridlines = False
        axis.tick_labels.number_format = "General"
        axis.tick_labels.number_format_is_linked = False
    made.value_axis.major_gridlines.format.line.color.rgb = theme.color("D5DCE3")
    made.value_axis.minimum_scale = chart.bottom
    if chart.top is not None:
        made.value_axis.maximum_scale = chart.top
    xs = [x for line in chart.lines for x in line.x]
    if chart.log:
        _logarithmic(made.category_axis, min(xs), max(xs))
    else:
        made.category_axis.minimum_scale = 0.0
        made.category_axis.maximum_scale = _round_end(max(xs))


def _logarithmic(axis: Any, least: float, most: float) -> None:
    """Makes an axis logarithmic, between powers of ten."""
    scaling = axis._element.find(qn("c:scaling"))
    base = etree.SubElement(scaling, qn("c:logBase"))
    base.set("val", "10")
    scaling.insert(0, base)
    axis.minimum_scale = 10.0 ** math.floor(math.log10(least) + 1e-9)
    axis.maximum_scale = 10.0 ** math.ceil(math.log10(most) - 1e-9)


def _round_end(most: float) -> float:
    """Returns the end of an axis: a round number that is `most` or a little more."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    ends = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(end * power for end in ends if end * power >= most * (1 - 1e-9))


def _dress(series: Any, line: Line, color: str) -> None:
    series.smooth = False
    series.format.line.width = Pt(2.75)
    series.format.line.color.rgb = theme.color(color)
    if line.paper:
        series.format.line.dash_style = MSO_LINE.SQUARE_DOT
    if len(line.x) <= FEW_POINTS and not line.paper:
        series.marker.style = XL_MARKER_STYLE.CIRCLE
        series.marker.size = 8
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = theme.color(color)
        series.marker.format.line.color.rgb = theme.color(color)
    else:
        series.marker.style = XL_MARKER_STYLE.NONE
