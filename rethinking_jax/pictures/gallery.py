"""Grids of training images: a row for each augmentation of a run, or for each corruption."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis import drawing
from rethinking_jax.corruption import corrupt
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.translate import Translate
from rethinking_jax.step.augment import augment, parse
from rethinking_jax.step.preprocess import center_crop, to_unit
from rethinking_jax.sweep.engine import Run
from rethinking_jax.workdir.storage import AnyPath, make_folder

IMAGES = 2  # images that augmentations are shown on
EPOCHS = 4  # epochs that they are shown in
SAMPLES = 6  # classes whose first image shows what a corruption does
# On a slide labels stand beside their images: fewer of them where they have more letters.
SHORT_LABEL, FEWER_SAMPLES = 3, 4
NAME_WIDTH = 26  # characters of a row's name that fit beside its images
WRONG = "#c0392b"  # the colour of a label that is not the true one


class AugmentedRow(NamedTuple):
    """What one augmentation makes of some images.

    Attributes:
      name: the name of the augmentation, or of several joined by +.
      before: the images as they are stored, uint8 [images, h, w, c].
      after: the images in each epoch, uint8 [epochs, images, h', w', c].
    """

    name: str
    before: np.ndarray
    after: np.ndarray


class CorruptedRow(NamedTuple):
    """What one setting makes of some images and their labels.

    Attributes:
      name: the name of the setting, as a reader is shown it.
      images: the images, uint8 [n, h, w, c].
      labels: the names of the classes that they are trained with.
      wrong: which of these are not the true ones.
    """

    name: str
    images: np.ndarray
    labels: tuple[str, ...]
    wrong: tuple[bool, ...]


def augmented(runs: Iterable[tuple[ConfigDict, Dataset]]) -> list[AugmentedRow]:
    """Shows what the augmentations of some runs make of their first training images.

    There is a row for each augmentation by itself and for those that a run combines, drawn with
    the seed of the first run that has it: the very pixels of its first epochs, before
    preprocessing. Without any augmentation the result is [].

    Args:
      runs: the config of each run and its data set.
    """
    rows: dict[str, AugmentedRow] = {}
    for config, dataset in runs:
        names = parse(config.augmentation)
        kinds = [(name,) for name in names] + [names] * (len(names) > 1)
        for kind in kinds:
            if "+".join(kind) not in rows:
                rows["+".join(kind)] = _augmented_row(kind, config, dataset)
    return list(rows.values())


def corrupted(runs: Sequence[tuple[Run, Dataset]], translate: Translate) -> list[CorruptedRow]:
    """Shows what the settings of some runs make of the same training images and their labels.

    There is a row for each setting, of the first run that has it; [] where there is only one
    setting, more than one data set, or points.

    Args:
      runs: each run with what it trains on, and its data set.
      translate: gives the names of settings in the reader's language.
    """
    first: dict[str, tuple[Run, Dataset]] = {}
    for run, dataset in runs:
        first.setdefault(run.config.corruption, (run, dataset))
    if len(first) < 2 or len({run.config.dataset for run, _ in runs}) > 1:
        return []
    if runs[0][1].holds_points:
        return []
    return [
        _corrupted_row(setting, run, dataset, translate)
        for setting, (run, dataset) in first.items()
    ]


def _corrupted_row(setting: str, run: Run, dataset: Dataset, translate: Translate) -> CorruptedRow:
    true = dataset.train.labels
    _, starts = np.unique(true, return_index=True)
    chosen = starts[:SAMPLES]
    labels = run.train_labels[chosen]
    name = setting.replace("_", " ")
    return CorruptedRow(
        translate(name) if name in SPANISH else name,  # one of the user's own has English alone
        _pixels(_corrupted_images(run.config, dataset, chosen)),
        tuple(dataset.class_names[label] for label in labels),
        tuple((labels != true[chosen]).tolist()),
    )


def _corrupted_images(config: ConfigDict, dataset: Dataset, positions: np.ndarray) -> jax.Array:
    """Returns training images as the run's corruption leaves them, [positions, h, w, c]."""
    chosen = dataset.train.ids[positions], dataset.train.read(positions)
    return corrupt(config, dataset).images("train", *chosen)


def _augmented_row(kind: tuple[str, ...], config: ConfigDict, dataset: Dataset) -> AugmentedRow:
    images = _corrupted_images(config, dataset, np.arange(IMAGES))
    ids = jnp.asarray(dataset.train.ids[:IMAGES])
    size = config.crop_size

    @jax.jit
    def of_epoch(epoch: jax.Array) -> jax.Array:
        return center_crop(augment(kind, config.seed, epoch, ids, images, size), size)

    after = np.stack([_pixels(of_epoch(jnp.int32(epoch))) for epoch in range(EPOCHS)])
    return AugmentedRow("+".join(kind), _pixels(images), after)


def _pixels(images: jax.Array) -> np.ndarray:
    """Returns images as uint8; Gaussian noise is cut off at black and white."""
    shown: np.ndarray = np.round(255 * np.clip(np.asarray(to_unit(images)), 0, 1))
    return shown.astype(np.uint8)


def write_augmented(
    rows: Sequence[AugmentedRow], title: str, translate: Translate, path: AnyPath
) -> None:
    """Writes the grid as .png and .svg; each image has a block of columns, by epoch.

    Args:
      rows: what augmentations make of the same images in the same epochs.
      title: what stands above all.
      translate: gives the words in the reader's language.
      path: where the .png goes; the folder is made where there is none.
    """
    epochs, count = rows[0].after.shape[:2]
    columns = count * (1 + epochs)
    make_folder(path.parent)
    with drawing.settings():
        figure = drawing.new_figure(1.3 + 0.8 * columns, 0.7 + 0.85 * len(rows))
        figure.suptitle(drawing.plain(title), fontsize=10, x=0.02, ha="left")
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


def write_corrupted(rows: Sequence[CorruptedRow], title: str, path: AnyPath) -> None:
    """Writes the grid as .png and .svg, in large type; wrong labels are red behind an arrow.

    Args:
      rows: what settings make of the same images.
      title: what stands above all.
      path: where the .png goes; the folder is made where there is none.
    """
    make_folder(path.parent)
    columns = len(rows[0].images)
    with drawing.settings():
        figure = drawing.new_figure(12.8, 0.9 + 1.25 * len(rows))
        figure.suptitle(drawing.plain(title), fontsize=22)
        grid = figure.add_gridspec(
            len(rows), columns + 1, width_ratios=[2.4, *[1] * columns], wspace=0.08, hspace=0.36,
            left=0.01, right=0.99, bottom=0.05, top=1 - 0.8 / figure.get_figheight(),
        )  # fmt: skip
        for i, row in enumerate(rows):
            head = figure.add_subplot(grid[i, 0])
            head.axis("off")
            head.text(0.02, 0.5, textwrap.fill(row.name, NAME_WIDTH), fontsize=17, va="center")
            for j, image in enumerate(row.images):
                axes = figure.add_subplot(grid[i, j + 1])
                axes.imshow(*_shown(image), vmin=0, vmax=255, interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                wrong = row.wrong[j]
                name = drawing.plain(row.labels[j])
                label = f"\u2192 {name}" if wrong else name
                axes.set_xlabel(
                    label, fontsize=14, labelpad=2, color=WRONG if wrong else "black",
                    fontweight="bold" if wrong else "normal",
                )  # fmt: skip
        for kind in ("png", "svg"):
            drawing.save(figure, path.with_suffix(f".{kind}"), dpi=110)


def write_wide(rows: Sequence[CorruptedRow], path: AnyPath) -> None:
    """Writes the grid of `write_corrupted` as .png for a slide, labels beside their images.

    Args:
      rows: what settings make of the same images; of those with long labels fewer are shown.
      path: where the .png goes.
    """
    longest = max(len(label) for row in rows for label in row.labels)
    columns = min(len(rows[0].images), SAMPLES if longest <= SHORT_LABEL else FEWER_SAMPLES)
    with drawing.settings():
        figure = drawing.new_figure(12.1, 0.68 * len(rows))
        grid = figure.add_gridspec(
            len(rows), 1 + 2 * columns, width_ratios=[3.4, *[0.62, 8.5 / columns - 0.62] * columns],
            wspace=0.05, hspace=0.08, left=0.0, right=1.0, bottom=0.01, top=0.99,
        )  # fmt: skip
        for i, row in enumerate(rows):
            head = figure.add_subplot(grid[i, 0])
            head.axis("off")
            name = "\n".join(map(drawing.plain, textwrap.wrap(row.name, NAME_WIDTH)))
            head.text(0.0, 0.5, name, fontsize=18, va="center")
            for j in range(columns):
                axes = figure.add_subplot(grid[i, 1 + 2 * j])
                axes.imshow(*_shown(row.images[j]), vmin=0, vmax=255, interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                beside = figure.add_subplot(grid[i, 2 + 2 * j])
                beside.axis("off")
                label, color = drawing.plain(row.labels[j]), WRONG if row.wrong[j] else "black"
                text = f"\u2192 {label}" if row.wrong[j] else label
                beside.text(0.06, 0.5, text, fontsize=18, va="center", color=color)
        drawing.save(figure, path, dpi=150)


def _shown(image: np.ndarray) -> tuple[np.ndarray, str]:
    """Returns an image as matplotlib wants it, of other than 3 channels the first; a color map."""
    return (image if image.shape[-1] == 3 else image[..., 0]), "gray"
