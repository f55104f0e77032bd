"""Images as they lie on the devices: flat, one row of bytes for each.

A TPU stores an array in tiles of its last two axes, and fills up what is smaller. Of images
[n, 28, 28, 3] that makes five times their bytes; of rows [n, 2352] next to nothing. A reshape
inside a program does not help, for the array has come in tiles by then.
"""

import dataclasses
import math
from typing import TypeVar, cast

import jax
import numpy as np

from rethinking_jax.step.state import Examples

Pixels = TypeVar("Pixels", bound=np.ndarray | jax.Array)


def flat(images: Pixels) -> Pixels:
    """Returns images [n, h, w, c] as rows [n, h * w * c], of the same dtype."""
    rows = images.reshape(len(images), math.prod(images.shape[1:]))
    return cast(Pixels, rows)


def as_images(rows: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Returns rows [b, h * w * c] as images [b, h, w, c]; `shape` is (h, w, c)."""
    return rows.reshape(len(rows), *shape)


def take(examples: Examples, chosen: jax.Array, shape: tuple[int, ...]) -> Examples:
    """Returns a batch of one run, with images [b, h, w, c], of examples that are held flat.

    Args:
      examples: of one run, with images [n, h * w * c] and labels [n].
      chosen: int32 [b], positions.
      shape: (h, w, c) of a stored image.
    """
    batch: Examples = jax.tree.map(lambda leaf: leaf[chosen], examples)
    return dataclasses.replace(batch, images=as_images(batch.images, shape))
