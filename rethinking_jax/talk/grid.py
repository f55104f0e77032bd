"""Tables that the reader of a deck can edit."""

from typing import TYPE_CHECKING, Any, NamedTuple

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Inches, Pt

from rethinking_jax.talk import fit, theme
from rethinking_jax.talk.slide import Grid

if TYPE_CHECKING:
    from pptx.shapes.graphfrm import GraphicFrame
    from pptx.slide import Slide

SIZES = (24, 22, 20, 18)  # of the type, in points, from large to small
ACROSS, DOWN = 0.1, 0.05  # inches kept free within a cell, at each side


class Measured(NamedTuple):
    """How a table is set, in inches.

    Attributes:
      size: of its type, in points.
      widths: of its columns.
      heights: of its rows.
      fits: whether no word and no cell but titles is broken in lines.
    """

    size: int
    widths: list[float]
    heights: list[float]
    fits: bool


def measured(grid: Grid, room: tuple[float, float]) -> Measured:
    """Returns how a table is set in a room, its width and height in inches."""
    several = [_set(grid, size, room[0]) for size in SIZES]
    fitting = (one for one in several if one.fits and sum(one.heights) <= room[1])
    return next(fitting, several[-1])


def _set(grid: Grid, size: int, room: float) -> Measured:
    """Gives columns what their cells need, then what their titles do; titles take several lines."""
    padding = 2 * ACROSS + 0.06
    cells = [max(fit.width(row[i], size) for row in grid.rows) for i in range(len(grid.columns))]
    words = [
        max(fit.width(word, size, bold=True) for word in title.split()) for title in grid.columns
    ]
    least = [max(pair) + padding for pair in zip(cells, words, strict=True)]
    whole = [fit.width(title, size, bold=True) + padding for title in grid.columns]
    wanted = [max(pair) for pair in zip(least, whole, strict=True)]
    spare = room - sum(least)
    asked = sum(wanted) - sum(least)
    if spare <= 0:  # texts are broken in lines, long ones first
        widths = [one * room / sum(least) for one in least]
    elif asked > spare:
        widths = [
            low + (high - low) * spare / asked for low, high in zip(least, wanted, strict=True)
        ]
    else:
        # A narrow table is not torn apart over the whole slide.
        widths = [one + min((spare - asked) / len(wanted), 0.5) for one in wanted]
    rows = [(grid.columns, True), *((row, False) for row in grid.rows)]
    heights = [
        max(
            fit.lines(text, size, own - padding + 0.001, bold)
            for text, own in zip(row, widths, strict=True)
        )
        * fit.LEADING * size / fit.POINTS + 2 * DOWN + 0.02
        for row, bold in rows
    ]  # fmt: skip
    return Measured(size, widths, heights, spare >= 0)


def add(slide: "Slide", grid: Grid, corner: tuple[float, float], how: Measured) -> "GraphicFrame":
    """Adds a table to a slide, its upper left corner at a place in inches."""
    count = len(grid.rows) + 1
    whole = sum(how.widths), sum(how.heights)
    place = [Inches(length) for length in (*corner, *whole)]
    frame = slide.shapes.add_table(count, len(grid.columns), *place)
    made: Any = frame.table
    made.horz_banding = False
    for column, own in zip(made.columns, how.widths, strict=True):
        column.width = Inches(own)
    for i, (row, own) in enumerate(zip([grid.columns, *grid.rows], how.heights, strict=True)):
        made.rows[i].height = Inches(own)
        for j, text in enumerate(row):
            _fill(made.cell(i, j), text, how.size, head=i == 0, words=j == 0, shaded=i % 2 == 0)
    return frame


def _fill(cell: Any, text: str, size: int, *, head: bool, words: bool, shaded: bool) -> None:
    cell.margin_left = cell.margin_right = Inches(ACROSS)
    cell.margin_top = cell.margin_bottom = Inches(DOWN)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    fill = theme.ACCENT if head else theme.PALE if shaded else "FFFFFF"
    cell.fill.fore_color.rgb = theme.color(fill)
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT if words else PP_ALIGN.RIGHT
    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold = Pt(size), head
    run.font.color.rgb = theme.color("FFFFFF" if head else theme.INK)
