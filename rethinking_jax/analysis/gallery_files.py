"""A gallery as files: all its pictures in one PNG and one SVG, and the PNG of each for a page."""

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.galleries import Gallery, Picture
from rethinking_jax.workdir.storage import AnyPath, make_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 10  # pictures beside each other
LETTERS = 24  # in a line of text under a picture
# Inches: the side of a picture, the height of a line of text under it, of a label, of the title.
SIDE, LINE, LABEL, TITLE = 0.95, 0.13, 0.32, 0.55


class Placed(NamedTuple):
    """A picture, or the label of a row, and where its upper left corner is, in inches."""

    what: Picture | str
    x: float
    y: float


def write(gallery: Gallery, source: str, folder: AnyPath) -> None:
    """Writes <name>.png and <name>.svg of all pictures with the lines of text under them.

    Args:
      gallery: what is drawn.
      source: whose examples these are, for the title: such a file travels alone.
      folder: where the files go; it is made where there is none.
    """
    make_folder(folder)
    with drawing.settings():
        placed, width, height = _places(gallery)
        figure = drawing.new_figure(width, height)
        axes = figure.add_axes((0, 0, 1, 1))
        for one in placed:
            if isinstance(one.what, str):
                axes.text(one.x, one.y + 0.25, drawing.plain(one.what), fontsize=9)
            else:
                _add_picture(axes, one.what, one.x, one.y)
        title = "\n".join(drawing.plain(line) for line in (gallery.title, source))
        axes.text(0.15, 0.1, title, fontsize=10, va="top")
        axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
        axes.axis("off")
        for kind in ("png", "svg"):
            drawing.save(figure, folder / f"{gallery.name}.{kind}", dpi=110)


def _places(gallery: Gallery) -> tuple[list[Placed], float, float]:
    """Returns where everything stands, and the width and the height of it all, in inches."""
    pictures = [one for row in gallery.rows for one in row.pictures]
    lines = [line for one in pictures for line in _folded(one.lines)]
    across = max(SIDE, 0.065 * max(map(len, lines), default=0)) + 0.12
    placed, y = [], TITLE
    for row in gallery.rows:
        placed.append(Placed(row.label, 0.15, y))
        y += LABEL
        for start in range(0, len(row.pictures), COLUMNS):
            own = row.pictures[start : start + COLUMNS]
            placed += [Placed(one, 0.15 + i * across, y) for i, one in enumerate(own)]
            y += SIDE + LINE * max(len(_folded(one.lines)) for one in own) + 0.15
    most = min(COLUMNS, max((len(row.pictures) for row in gallery.rows), default=1))
    words = max(map(len, (gallery.title, *(row.label for row in gallery.rows))))
    return placed, 0.3 + max(most * across, 0.085 * words, 4.0), y + 0.1


def _add_picture(axes: "Axes", one: Picture, x: float, y: float) -> None:
    """Draws a picture within a square, and its lines of text under that."""
    height, width = one.pixels.shape[:2]
    scale = SIDE / max(height, width)
    pixels = np.broadcast_to(one.pixels, (height, width, 3))
    place = (x, x + scale * width, y + SIDE, y + SIDE - scale * height)
    axes.imshow(pixels, extent=place, interpolation="none", aspect="auto")
    text = "\n".join(map(drawing.plain, _folded(one.lines)))
    axes.text(x, y + SIDE + 0.05, text, fontsize=7, va="top", linespacing=1.15)


def _folded(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, LETTERS)]


def png(pixels: np.ndarray) -> bytes:
    """Returns the PNG of uint8 [h, w, 1] or [h, w, 3], the same bytes every time."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).save(content, "png")
    return content.getvalue()
