"""Some training images as their augmentations give them: for a figure at the end of a run."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.augment import augment, parse
from rethinking_jax.corruption import corrupt_images
from rethinking_jax.preprocess import center_crop, to_unit
from rethinking_jax.report.pictures import Row
from rethinking_jax.source import Source

IMAGES = 2
EPOCHS = 4


def augmented(runs: Iterable[tuple[ConfigDict, Source]]) -> list[Row]:
    """What the augmentations of some runs make of their first training images.

    A row for each augmentation by itself and for those that a run combines, drawn with the
    seed of the first run that has it: the very pixels of its first epochs, before
    preprocessing. [] where no run has any.

    Args:
      runs: of each its config and its source.
    """
    rows: dict[str, Row] = {}
    for config, source in runs:
        names = parse(config.augmentation)
        kinds = [(name,) for name in names] + [names] * (len(names) > 1)
        for kind in kinds:
            if "+".join(kind) not in rows:
                rows["+".join(kind)] = _row(kind, config, source)
    return list(rows.values())


def _first_images(config: ConfigDict, source: Source) -> jax.Array:
    """The first training images as the run's corruption leaves them, [IMAGES, h, w, c]."""
    if source.streamed:
        stored = jnp.asarray(source.streamed.train.read(np.arange(IMAGES)))
    else:
        assert source.train.images is not None
        stored = source.train.images[:IMAGES]
    return corrupt_images(
        config.corruption, config.seed, "train", source.train.ids[:IMAGES], stored,
        source.mean, source.std,
    )  # fmt: skip


def _row(kind: tuple[str, ...], config: ConfigDict, source: Source) -> Row:
    images, ids = _first_images(config, source), jnp.asarray(source.train.ids[:IMAGES])
    size = config.crop_size

    @jax.jit
    def of_epoch(epoch: jax.Array) -> jax.Array:
        return center_crop(augment(kind, config.seed, epoch, ids, images, size), size)

    after = np.stack([_pixels(of_epoch(jnp.int32(epoch))) for epoch in range(EPOCHS)])
    return Row("+".join(kind), _pixels(images), after)


def _pixels(images: jax.Array) -> np.ndarray:
    """uint8, of which Gaussian noise is cut off at black and white."""
    return np.round(255 * np.clip(np.asarray(to_unit(images)), 0, 1)).astype(np.uint8)
