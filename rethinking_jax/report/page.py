"""The report: a page that opens from a file, without a network, and the files beside it."""

import base64
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from rethinking_jax.analysis import drawing, example_scores, gallery_files
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.galleries import Picture
from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.table import write_tables
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.report.section import Section, section
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically


def write_report(workdir: AnyPath, found: Results | TheoryResults | Unfinished) -> None:
    """Writes figures/, tables/ and report.html of one workdir; of one not finished the page alone.

    Where there are scores of examples it writes scores.csv again, too.

    Raises:
      OSError: they cannot be written.
    """
    shown = section(found)
    if isinstance(found, Unfinished):  # the files are those of the command that works there
        write_page(workdir / "report.html", [shown])
        return
    for plot, source in zip(shown.plots, shown.sources, strict=True):
        drawing.write(plot, source, workdir / "figures")
    for gallery, source in shown.galleries:
        gallery_files.write(gallery, source, workdir / "figures")
    write_tables(shown.tables, workdir / "tables")
    if shown.scores is not None:
        example_scores.write_csv(workdir, shown.scores)
    write_atomically(workdir / "report.html", render([shown], beside_files=True))


def write_page(path: AnyPath, sections: Sequence[Section]) -> None:
    """Writes one page of sections, the same bytes every time."""
    write_atomically(path, render(sections))


def page(several: Sequence[Results | TheoryResults]) -> str:
    """Returns the page of several workdirs as HTML that loads nothing from anywhere."""
    return render([section(found) for found in several])


class Key(NamedTuple):
    """An entry of a figure's legend, which switches its curve on and off.

    Attributes:
      label: the name of the curve.
      tooltip: what more is to be known of it, or "".
      shown: whether the curve starts switched on.
      style: how it looks.
      kind: "Lines", "Points" or "Bars".
    """

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
      notes: sentences on what its lines, points or bars are means of.
      svg: the drawing.
      legend: an entry for each curve.
      data: what the script needs to find the points, with the values of the points.
    """

    id: str
    plot: Plot
    notes: list[str]
    svg: Markup
    legend: list[Key]
    data: Json


def render(sections: Sequence[Section], beside_files: bool = False) -> str:
    """Returns the page of sections as HTML; one that lies beside the files of a workdir links them.

    Args:
      sections: what the page shows.
      beside_files: whether it is a workdir's own page.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rethinking_jax", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    charts = [
        [chart(plot, f"s{i}f{j}") for j, plot in enumerate(section.plots)]
        for i, section in enumerate(sections)
    ]
    data = {one.id: one.data for own in charts for one in own}
    return environment.get_template("page.html.j2").render(
        sections=list(zip(sections, charts, strict=True)),
        data=_embedded(data),
        image_of=_image,
        beside_files=beside_files,
    )


def _image(picture: Picture) -> str:
    """Returns a picture of a gallery as an address that holds all of it."""
    content = base64.b64encode(gallery_files.png(picture.pixels)).decode()
    return f"data:image/png;base64,{content}"


def chart(plot: Plot, identity: str) -> Chart:
    """Draws a figure for the page; `identity` begins every id in it."""
    picture = drawing.draw(plot, identity)
    return Chart(
        identity,
        plot,
        list(dict.fromkeys(f"{_kind(c)}: {c.note}." for c in plot.curves if c.note)),
        # Drawn by matplotlib from numbers and from labels of this package: markup, not text.
        Markup(picture.svg),
        [
            Key(c.label, c.note or c.remark, c.shown, drawing.style(i, c), _kind(c))
            for i, c in enumerate(plot.curves)
        ],
        {
            **picture.scale,
            "names": [plot.x_label, plot.y_label],
            "curves": [
                [[_short(value) for value in point] for point in zip(*columns, strict=True)]
                for columns in map(_columns, plot.curves)
            ],
            **_called(plot),
        },
    )


def _called(plot: Plot) -> Json:
    """Returns what the points of each curve are called, where some have a name."""
    called = [list(curve.names) for curve in plot.curves]
    return {"called": called} if any(called) else {}


def _kind(curve: Curve) -> str:
    return "Points" if curve.marks else "Bars" if curve.bars else "Lines"


def _columns(curve: Curve) -> list[Sequence[float]]:
    if curve.marks and curve.low == curve.high:
        return [curve.x, curve.y]
    best = [curve.best] if curve.best else []
    return [curve.x, curve.y, curve.low, curve.high, *best]


def _short(value: float) -> float | None:
    """Returns a number of five digits; what they would round to 1, as no accuracy is, stays."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.5g}")
    return value if short == 1 else short


def _embedded(data: Json) -> Markup:
    """Returns JSON that no text in it can end: every < is written as an escape."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup(text)
