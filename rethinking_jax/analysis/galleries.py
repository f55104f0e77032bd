"""A gallery: rows of small pictures of examples, each with words under it, as plain values."""

import base64
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.workdir.metrics import Json

SIDE = 64  # pixels: a larger image is shrunk, so that a page of hundreds stays small


class Picture(NamedTuple):
    """A small picture of an example; `picture` makes one of an image.

    Attributes:
      pixels: uint8 [h, w, 1] in grey or [h, w, 3] in colour.
      lines: the lines of text under it, such as its id, its given and its true label.
    """

    pixels: np.ndarray
    lines: Sequence[str]


class GalleryRow(NamedTuple):
    """Pictures that stand together.

    Attributes:
      label: what they have in common.
      pictures: the pictures, from left to right.
    """

    label: str
    pictures: Sequence[Picture]


class Gallery(NamedTuple):
    """A figure of pictures.

    Attributes:
      name: the name of its files.
      title, caption: what stands above and below it.
      rows: its rows, from top to bottom.
    """

    name: str
    title: str
    caption: str
    rows: Sequence[GalleryRow]


def picture(image: np.ndarray, lines: Sequence[str], side: int = SIDE) -> Picture:
    """Makes a small picture of an image as a data set holds it.

    Args:
      image: uint8 [h, w] or [h, w, c]; or float on the scale 0 to 1, where what lies beyond,
        as of Gaussian noise, is cut off at black and white. Of other than 3 channels the first
        is shown.
      lines: the lines of text under it.
      side: the most pixels of its height and width; a larger image becomes the means of blocks.
    """
    pixels = np.asarray(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    pixels = pixels if pixels.shape[-1] == 3 else pixels[..., :1]
    if pixels.dtype != np.uint8:
        pixels = 255 * np.clip(np.nan_to_num(pixels.astype(np.float32)), 0, 1)
    block = -(-max(pixels.shape[:2]) // side)
    if block > 1:
        pixels = _means(pixels, block)
    return Picture(np.round(pixels).astype(np.uint8), tuple(lines))


def _means(pixels: np.ndarray, block: int) -> np.ndarray:
    """Returns the means of blocks of [h, w, c]; where one reaches beyond, the edge is repeated."""
    beyond = [(0, -pixels.shape[axis] % block) for axis in (0, 1)]
    whole = np.pad(pixels.astype(np.float32), [*beyond, (0, 0)], "edge")
    height, width, channels = whole.shape
    blocks = whole.reshape(height // block, block, width // block, block, channels)
    return np.asarray(blocks.mean((1, 3)))


def to_json(gallery: Gallery) -> Json:
    """Returns a gallery as values that JSON can hold; pixels are raw bytes in base64."""
    rows = [
        {"label": row.label, "pictures": [_plain(one) for one in row.pictures]}
        for row in gallery.rows
    ]
    return {**gallery._asdict(), "rows": rows}


def _plain(one: Picture) -> Json:
    return {
        "shape": list(one.pixels.shape),
        "pixels": base64.b64encode(np.ascontiguousarray(one.pixels).tobytes()).decode(),
        "lines": list(one.lines),
    }


def from_json(plain: Json) -> Gallery:
    """Returns the gallery that `to_json` was given.

    Raises:
      KeyError, TypeError, ValueError: it is damaged.
    """
    rows = [
        GalleryRow(row["label"], [_picture(one) for one in row["pictures"]])
        for row in plain["rows"]
    ]
    return Gallery(**{**plain, "rows": rows})


def _picture(plain: Json) -> Picture:
    content = base64.b64decode(plain["pixels"], validate=True)
    pixels = np.frombuffer(content, np.uint8).reshape(plain["shape"])
    return Picture(pixels, tuple(plain["lines"]))
