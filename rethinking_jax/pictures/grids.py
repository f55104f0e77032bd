"""Grids of images, a row for each augmentation or corruption, as figures in files."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.language import Translate
from rethinking_jax.workdir.storage import AnyPath, make_folder


class Row(NamedTuple):
    """What one augmentation makes of some images.

    Attributes:
      name: of the augmentation, or of several joined by +.
      before: uint8 [images, h, w, c].
      after: uint8 [epochs, images, h', w', c].
    """

    name: str
    before: np.ndarray
    after: np.ndarray


def write(rows: Sequence[Row], title: str, translate: Translate, path: AnyPath) -> None:
    """Writes the grid as .png and .svg; each image has a block of columns, by epoch.

    Args:
      rows: of the same images and epochs.
      title: above all.
      translate: the words' language.
      path: of the .png; the folder is made where there is none.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs, count = rows[0].after.shape[:2]
    columns = count * (1 + epochs)
    make_folder(path.parent)
    with drawing.settings():
        figure = Figure(figsize=(1.3 + 0.8 * columns, 0.7 + 0.85 * len(rows)))
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=10, x=0.02, ha="left")
        # The first column holds the names; thin ones part the images.
        widths = [1.3 / 0.8, *([1.0] * (1 + epochs) + [0.25]) * count]
        grid = figure.add_gridspec(
            len(rows), len(widths), width_ratios=widths, wspace=0.06, hspace=0.08,
            left=0.01, right=0.995, bottom=0.01, top=1 - 0.62 / figure.get_figheight(),
        )  # fmt: skip
        for i, row in enumerate(rows):
            label = figure.add_subplot(grid[i, 0])
            label.axis("off")
            text = row.name.replace("+", " +\n")
            label.text(0.05, 0.5, text, fontsize=9, va="center")
            for k in range(count):
                for j, image in enumerate([row.before[k], *row.after[:, k]]):
                    axes = figure.add_subplot(grid[i, 1 + k * (2 + epochs) + j])
                    axes.axis("off")
                    axes.imshow(*_shown(image), vmin=0, vmax=255, interpolation="nearest")
                    if i == 0:
                        name = translate("epoch {n}", n=j) if j else translate("stored")
                        axes.set_title(name, fontsize=8, pad=3)
        for kind in ("png", "svg"):
            drawing.save(figure, path.with_suffix(f".{kind}"), dpi=110)


class Sample(NamedTuple):
    """What one setting makes of some images and their labels.

    Attributes:
      name: of the setting, for the reader.
      images: uint8 [n, h, w, c].
      labels: the names of the classes they are trained with; wrong: which are not the true ones.
    """

    name: str
    images: np.ndarray
    labels: tuple[str, ...]
    wrong: tuple[bool, ...]


WRONG = "#c0392b"


def write_samples(rows: Sequence[Sample], title: str, path: AnyPath) -> None:
    """Writes the grid as .png and .svg, in large type; wrong labels are red behind an arrow.

    Args:
      rows: of the same images.
      title: above all.
      path: of the .png; the folder is made where there is none.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    make_folder(path.parent)
    columns = len(rows[0].images)
    with drawing.settings():
        figure = Figure(figsize=(12.8, 0.9 + 1.25 * len(rows)))
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=22)
        grid = figure.add_gridspec(
            len(rows), columns + 1, width_ratios=[2.4, *[1] * columns], wspace=0.08, hspace=0.36,
            left=0.01, right=0.99, bottom=0.05, top=1 - 0.8 / figure.get_figheight(),
        )  # fmt: skip
        for i, row in enumerate(rows):
            head = figure.add_subplot(grid[i, 0])
            head.axis("off")
            head.text(0.02, 0.5, row.name, fontsize=17, va="center")
            for j, image in enumerate(row.images):
                axes = figure.add_subplot(grid[i, j + 1])
                axes.imshow(*_shown(image), vmin=0, vmax=255, interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                wrong = row.wrong[j]
                label = f"\u2192 {row.labels[j]}" if wrong else row.labels[j]
                axes.set_xlabel(
                    label, fontsize=14, labelpad=2, color=WRONG if wrong else "black",
                    fontweight="bold" if wrong else "normal",
                )  # fmt: skip
        for kind in ("png", "svg"):
            drawing.save(figure, path.with_suffix(f".{kind}"), dpi=110)


def _shown(image: np.ndarray) -> tuple[np.ndarray, str]:
    """The image as matplotlib wants it, and a color map; of other channels the first alone."""
    return (image, "gray") if image.shape[-1] == 3 else (image[..., 0], "gray")
