"""How much room a text needs, and the largest type in which it fits.

Widths are those of DejaVu Sans, which comes with matplotlib. The deck is set in Arial, or what
takes its place, which is narrower: a text that fits here fits there.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageFont

POINTS = 72.0  # of an inch
LEADING = 1.2  # the height of a line, in sizes of its type
# The width of Arial in that of DejaVu Sans is 0.89, in bold 0.83; a little more is kept free.
NARROWER, NARROWER_BOLD = 0.93, 0.87
UNIT = 100  # the size in which widths are measured


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, UNIT)


def width(text: str, size: float, bold: bool = False) -> float:
    """Returns the width of a line of text in inches; `size` is that of its type in points."""
    narrower = NARROWER_BOLD if bold else NARROWER
    return _font(bold).getlength(text) * narrower * size / UNIT / POINTS


def lines(text: str, size: float, room: float, bold: bool = False) -> int:
    """Returns how many lines a text takes that is broken at spaces.

    Args:
      text: the text, a paragraph.
      size: of its type, in points.
      room: the width of a line, in inches.
      bold: whether it is set in bold.
    """
    count, now = 1, ""
    for word in text.split():
        longer = f"{now} {word}".strip()
        if now and width(longer, size, bold) > room:
            count, now = count + 1, word
        else:
            now = longer
        # A word that is wider than the line is broken within.
        count += int(width(now, size, bold) // room) if " " not in now else 0
    return count


def height(
    paragraphs: Sequence[str], size: float, room: float, after: float = 0.0, bold: bool = False
) -> float:
    """Returns the height of paragraphs in inches, with `after` points below each."""
    return sum(
        (lines(one, size, room, bold) * LEADING * size + after) / POINTS for one in paragraphs
    )


def largest(
    paragraphs: Sequence[str], room: tuple[float, float], sizes: Sequence[int], after: float
) -> int:
    """Returns the largest of some sizes, given from large to small, in which paragraphs fit.

    Args:
      paragraphs: what is set.
      room: width and height, in inches.
      sizes: in points; where nothing fits, the last is taken.
      after: points below each paragraph.
    """
    across, down = room
    fitting = (size for size in sizes if height(paragraphs, size, across, after) <= down)
    return next(fitting, sizes[-1])
