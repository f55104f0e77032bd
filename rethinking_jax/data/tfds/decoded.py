"""The decoded images of a split: decoded when they are needed, or kept by an earlier command."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.cache.read import check_positions
from rethinking_jax.data.dataset import Reader, Shape, Split
from rethinking_jax.data.kept import make_room, read_kept, write_kept
from rethinking_jax.data.origin import Say
from rethinking_jax.data.tfds.index import IDS_RULE, load_indices, not_kept, records_of
from rethinking_jax.data.tfds.records import Records, split_labels, split_shape
from rethinking_jax.data.watch import Spoken
from rethinking_jax.workdir.storage import AnyPath, is_remote

# A task of some 40 ms.
DECODED_SLICE = 16
# What one core needs for a record and for each of its bytes, and what is too little to be kept.
SECONDS_PER_RECORD, SECONDS_PER_BYTE, FEW_SECONDS = 2e-4, 1.5e-8, 1.0
LARGEST_KEPT = 1 << 31  # bytes of the images of a split
MOST_KEPT = 1 << 32  # bytes of all decoded splits in one folder


@dataclasses.dataclass(frozen=True)
class DecodedImages:
    """Reads records and decodes them; threads may share it, and it travels between processes."""

    records: Records
    image_size: int
    shape: Shape

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Returns the images at `positions` (integers [b]): uint8 [b, h, w, c]."""
        positions = np.asarray(positions)
        check_positions(positions, len(self.records))
        stacked = np.empty((len(positions), *self.shape), np.uint8)
        examples = self.records.read(positions.tolist())
        for row, example in zip(stacked, examples, strict=True):
            image = images.fit(example.image, self.image_size)
            images.check_shape(self.records.name, image.shape, self.shape)
            row[:] = image
        return stacked


def decoding_reader(
    records: Records, image_size: int, fingerprint: str, folders: Sequence[AnyPath]
) -> Reader:
    """Returns a reader that decodes the images of a split when they are read.

    Args:
      records: the records of the split.
      image_size: see `images.fit`; 0 only where all images have one size.
      fingerprint: see `index.fingerprint`.
      folders: see `index.kept_folders`.

    Raises:
      UserError: the images have no size in common.
    """
    shape = split_shape(records, image_size)
    return Reader(
        DecodedImages(records, image_size, shape),
        shape,
        DECODED_SLICE,
        "stream",
        records_of(fingerprint),
        made_of(records, image_size, fingerprint),
        tuple(folders),
    )


def made_of(records: Records, image_size: int, fingerprint: str) -> str:
    """Returns all that the decoded images, labels and ids of a split depend on, as JSON."""
    found = {
        "set": json.loads(fingerprint),
        "records": records.digest,
        "features": str(records.features),
        "image_size": image_size,
        "pixels": images.describe(),
        "ids_rule": IDS_RULE,
    }
    return json.dumps(found)


def read_split(
    records: Records,
    image_size: int,
    fingerprint: str,
    folders: Sequence[AnyPath],
    say: Say,
    whole: bool = True,
) -> Split:
    """Returns a split in memory, as an earlier command has kept it, or decoded and kept now.

    Where only a part of it is wanted, and nothing is kept, its images are a `Reader`.

    Args:
      records: the records of the split.
      image_size: see `images.fit`.
      fingerprint: see `index.fingerprint`.
      folders: see `index.kept_folders`.
      say: is given lines of progress, and where the images are kept.
      whole: whether all images are wanted.

    Raises:
      UserError: see `load_tfds`.
    """
    name, of = f"decoded-{records.split}-{image_size}.npz", ""
    if _is_worth_keeping(records):
        of = made_of(records, image_size, fingerprint)
        if found := read_kept(folders, name, of, ("images", "labels", "ids"), say):
            return Split(found["images"], found["labels"], found["ids"])
    if not whole and (image_size or None not in records.image_shape):
        prints = {records.split: fingerprint}
        (index,) = load_indices([records], prints, folders, say, Spoken(say))
        return Split(decoding_reader(records, image_size, fingerprint, folders), *index)
    split = _decode(records, image_size, say)
    if of and split.images.nbytes <= LARGEST_KEPT:
        _keep(split, records, folders, name, of, say)
    return split


def _is_worth_keeping(records: Records) -> bool:
    seconds = SECONDS_PER_RECORD * len(records) + SECONDS_PER_BYTE * records.bytes
    return seconds >= FEW_SECONDS and records.digest != ""


def _decode(records: Records, image_size: int, say: Say) -> Split:
    labels = np.zeros(len(records), np.int64)
    texts = [b""] * len(records)

    def read(indices: range) -> Iterator[np.ndarray]:
        for index, example in zip(indices, records.read(indices), strict=True):
            labels[index], texts[index] = example.label, example.text
            yield example.image

    watch, what = Spoken(say), f"decoding {records.name} {records.split}"
    pixels = images.stack_images(records.name, len(records), read, image_size, watch, what)
    return Split(pixels, *split_labels(records, labels, texts))


def _keep(
    split: Split, records: Records, folders: Sequence[AnyPath], name: str, of: str, say: Say
) -> None:
    """Keeps a decoded split, where a local folder can be written, and says where."""
    local = [folder for folder in folders if not is_remote(folder)]
    what = f"the decoded {records.split} split of {records.name}"
    arrays = {"images": np.asarray(split.images), "labels": split.labels, "ids": split.ids}
    try:
        path = Path(write_kept(local, name, of, arrays))
    except OSError as error:
        say(not_kept(what, folders[0], error))
        return
    make_room(path.parents[1], "*/decoded-*.npz", MOST_KEPT, path)
    say(f"{what} is kept in {path} ({path.stat().st_size / 1e6:,.1f} MB)")
