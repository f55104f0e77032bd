"""Some training images as augmentations and corruptions give them, for figures of a run."""

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.language import Translate
from rethinking_jax.corruption import corrupt
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.pictures.grids import Row, Sample
from rethinking_jax.step.augment import augment, parse
from rethinking_jax.step.preprocess import center_crop, to_unit
from rethinking_jax.sweep.engine import Run

IMAGES = 2
EPOCHS = 4
SAMPLES = 6  # classes whose first image shows what a corruption does


def augmented(runs: Iterable[tuple[ConfigDict, Dataset]]) -> list[Row]:
    """What the augmentations of some runs make of their first training images.

    A row for each augmentation by itself and for those that a run combines, drawn with the
    seed of the first run that has it: the very pixels of its first epochs, before
    preprocessing. [] where no run has any.

    Args:
      runs: of each its config and its data set.
    """
    rows: dict[str, Row] = {}
    for config, dataset in runs:
        names = parse(config.augmentation)
        kinds = [(name,) for name in names] + [names] * (len(names) > 1)
        for kind in kinds:
            if "+".join(kind) not in rows:
                rows["+".join(kind)] = _row(kind, config, dataset)
    return list(rows.values())


def corrupted(runs: Sequence[tuple[Run, Dataset]], translate: Translate) -> list[Sample]:
    """What the settings of some runs make of the same training images and their labels.

    A row for each setting, of the first run that has it; [] where there is only one setting,
    more than one data set, or points.

    Args:
      runs: of each what it trains on, and its data set.
      translate: the names of settings in the reader's language.
    """
    first: dict[str, tuple[Run, Dataset]] = {}
    for run, dataset in runs:
        first.setdefault(run.config.corruption, (run, dataset))
    if len(first) < 2 or len({run.config.dataset for run, _ in runs}) > 1:
        return []
    if runs[0][1].holds_points:
        return []
    return [_sample(setting, run, dataset, translate) for setting, (run, dataset) in first.items()]


def _sample(setting: str, run: Run, dataset: Dataset, translate: Translate) -> Sample:
    true = dataset.train.labels
    _, starts = np.unique(true, return_index=True)
    chosen = starts[:SAMPLES]
    labels = run.train_labels[chosen]
    return Sample(
        translate(setting.replace("_", " ")),
        _pixels(_corrupted_images(run.config, dataset, chosen)),
        tuple(dataset.class_names[label] for label in labels),
        tuple((labels != true[chosen]).tolist()),
    )


def _corrupted_images(config: ConfigDict, dataset: Dataset, positions: np.ndarray) -> jax.Array:
    """Training images as the run's corruption leaves them, [positions, h, w, c]."""
    chosen = dataset.train.ids[positions], dataset.train.read(positions)
    return corrupt(config, dataset).images("train", *chosen)


def _row(kind: tuple[str, ...], config: ConfigDict, dataset: Dataset) -> Row:
    images = _corrupted_images(config, dataset, np.arange(IMAGES))
    ids = jnp.asarray(dataset.train.ids[:IMAGES])
    size = config.crop_size

    @jax.jit
    def of_epoch(epoch: jax.Array) -> jax.Array:
        return center_crop(augment(kind, config.seed, epoch, ids, images, size), size)

    after = np.stack([_pixels(of_epoch(jnp.int32(epoch))) for epoch in range(EPOCHS)])
    return Row("+".join(kind), _pixels(images), after)


def _pixels(images: jax.Array) -> np.ndarray:
    """uint8, of which Gaussian noise is cut off at black and white."""
    return np.round(255 * np.clip(np.asarray(to_unit(images)), 0, 1)).astype(np.uint8)
