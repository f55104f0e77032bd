"""Data sets too large for memory: labels and ids here, images read when they are needed."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.cache import (
    CachedImages,
    Layout,
    cache_folder,
    check_positions,
    prepare_command,
    read_manifest,
    unfinished,
)
from rethinking_jax.data.checkerboard import is_checkerboard
from rethinking_jax.data.dataset import check_splits
from rethinking_jax.data.hold_out import held_out_parts
from rethinking_jax.data.index import (
    Index,
    dataset_folder,
    fingerprint,
    load_indices,
    read_index,
)
from rethinking_jax.data.records import Records, open_records, split_shape
from rethinking_jax.data.tfds_prepare import is_prepared, open_builder, prepared_builder
from rethinking_jax.data.watch import Spoken, Watch
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath, is_remote

KINDS = ("auto", "stream", "cache")
# A task of some 40 ms where images are decoded, of some 64 MB where they are not: putting
# slices together costs another copy, so a batch should be one.
DECODED_SLICE = 16
CACHED_SLICE_BYTES = 1 << 26

Read = Callable[[np.ndarray], np.ndarray]
Reads = Sequence[tuple[Read, tuple[int, int, int]]]  # of each split, with its images' shape


class StreamedSplit(NamedTuple):
    """Labelled images whose pixels are read on demand."""

    labels: np.ndarray  # int32 [n]
    ids: np.ndarray  # uint32 [n]
    shape: tuple[int, int, int]  # (h, w, c)
    read: Read  # positions int [b], any order, repeats allowed -> uint8 [b, h, w, c]
    slice_size: int  # how many positions one task should take


class StreamedDataset(NamedTuple):
    """A training and a test split of images of one shape."""

    name: str
    class_names: tuple[str, ...]
    train: StreamedSplit
    test: StreamedSplit
    kind: str  # "stream" (decoded when read) or "cache"
    further: Mapping[str, StreamedSplit] = MappingProxyType({})  # see `dataset.Dataset`

    @property
    def num_classes(self) -> int:
        """The number of classes; labels lie in [0, num_classes)."""
        return len(self.class_names)


@dataclasses.dataclass(frozen=True)
class DecodedImages:
    """Reads records and decodes them; threads may share it, and it travels."""

    records: Records
    image_size: int
    shape: tuple[int, int, int]

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """The images at `positions` (integers [b]): uint8 [b, h, w, c]."""
        positions = np.asarray(positions)
        check_positions(positions, len(self.records))
        stacked = np.empty((len(positions), *self.shape), np.uint8)
        examples = self.records.read(positions.tolist())
        for row, example in zip(stacked, examples, strict=True):
            image = images.fit(example.image, self.image_size)
            images.check_shape(self.records.name, image.shape, self.shape)
            row[:] = image
        return stacked


@dataclasses.dataclass(frozen=True)
class Part:
    """Reads some rows of a split as if there were no others."""

    read: Read
    rows: np.ndarray

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """The images at `positions` (integers [b]) among `rows`: uint8 [b, h, w, c]."""
        return self.read(self.rows[positions])


def open_streamed(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    image_size: int = 0,
    cache_dir: str = "",
    kind: str = "auto",
    say: Callable[[str], None] | None = None,
    watch: Watch | None = None,
) -> StreamedDataset:
    """Opens a tfds set for reading in batches, preparing it first where it is not.

    Examples, labels, ids and pixels are those of `load_dataset`, in its order. With a whole
    cache the prepared set need not be there.

    Args:
      name: any image classification set of tfds, or `mnist5k`.
      data_dir: see `load_dataset`.
      manual_dir: see `load_dataset`.
      image_size: see `load_dataset`; 0 only for sets whose images have one size.
      cache_dir: where the index and caches are kept; "" is the folder `rethinking_jax`
        in the data_dir.
      kind: "stream" decodes images when they are read, "cache" reads them from a cache
        that `rethinking_jax.prepare` has made, "auto" takes a whole, fitting cache where
        there is one and streams otherwise, and says which.
      say: is given plain lines of progress.
      watch: is told how far the pass for the index is; None says it in lines.

    Raises:
      UserError: one line that names what is wrong and what would be right.
    """
    _check_arguments(name, image_size, kind)
    say = say or (lambda line: None)
    builder = open_builder(name, data_dir)
    folder = dataset_folder(cache_dir, builder)
    if is_remote(folder) and kind == "auto":
        kind = "stream"
    cached = Path() if kind == "stream" else cache_folder(folder, image_size)
    layout, why_not = (None, "kind=stream") if kind == "stream" else _cache(builder, cached)
    if layout is None and kind == "cache":
        raise UserError(
            f"dataset={name!r} cannot be read from a cache of image_size={image_size}: {why_not}. "
            f"This makes it: {prepare_command(name, image_size, data_dir, cache_dir)}"
        )
    if layout and not is_prepared(builder):
        found = _from_cache_alone(name, folder, cached, layout)
        if found:
            say(f"reading {name} from the cache in {cached}")
            return found
    builder = prepared_builder(name, data_dir, manual_dir, say)
    splits = [records for records in open_records(name, builder) if records]
    prints = {records.split: fingerprint(builder, records.split) for records in splits}
    indices = load_indices(splits, prints, folder, say, watch or Spoken(say))
    if layout:
        say(f"reading {name} from the cache in {cached}")
        return _dataset(name, "cache", layout.class_names, _cached_reads(cached, layout), indices)
    if kind == "auto":
        say(f"streaming {name}, decoding as it goes: {why_not}")
    reads = _decoding_reads(splits, image_size)
    return _dataset(name, "stream", splits[0].class_names, reads, indices)


def _check_arguments(name: str, image_size: int, kind: str) -> None:
    if kind not in KINDS:
        raise UserError(f"kind={kind!r} is not known: it can be {', '.join(KINDS)}.")
    if image_size < 0:
        raise UserError(f"image_size={image_size} is negative: give a side in pixels, or 0.")
    if _is_no_tfds(name):
        raise UserError(f"dataset={name!r} is read into memory only: sets of tfds can be streamed.")


def _is_no_tfds(name: str) -> bool:
    path = name.endswith(".npz") or name.startswith(("~", ".", "/")) or os.path.isabs(name)
    return path or is_checkerboard(name)


def ensure_prepared(name: str, data_dir: str, manual_dir: str, say: Callable[[str], None]) -> None:
    """Prepares a tfds set that is not prepared; leaves everything else alone.

    Raises:
      UserError: it cannot be prepared.
    """
    if _is_no_tfds(name):
        return
    try:
        builder = open_builder(name, data_dir)
    except UserError:
        return  # said by whoever reads it
    if not is_prepared(builder):
        prepared_builder(name, data_dir, manual_dir, say)


def estimate_bytes(name: str, data_dir: str, image_size: int) -> int | None:
    """Bytes that the training and test images of a prepared tfds set take in memory.

    None where that is unknown before reading: the set is not prepared, no tfds set or its
    images have different sizes and `image_size` is 0.
    """
    if _is_no_tfds(name):
        return None
    try:
        builder = open_builder(name, data_dir)
        if not is_prepared(builder):
            return None
        train, test = open_records(name, builder)
        shape = split_shape(train, image_size)
    except UserError:
        return None
    return (len(train) + (len(test) if test else 0)) * int(np.prod(shape))


def _cache(builder: Any, folder: Path) -> tuple[Layout | None, str]:
    """The whole cache in `folder` that fits the set, or None and why there is none."""
    layout = read_manifest(folder)
    if layout is None:
        return None, f"there is none in {folder}"
    if reason := unfinished(folder, layout):
        return None, f"the one in {folder} is not whole: {reason}"
    if is_prepared(builder):
        for split, found in layout.fingerprints.items():
            if split not in builder.info.splits or fingerprint(builder, split) != found:
                return None, f"the one in {folder} is of other data than {builder.data_path}"
    return layout, ""


def _from_cache_alone(
    name: str, folder: AnyPath, cached: Path, layout: Layout
) -> StreamedDataset | None:
    """A set whose records are not there: all from the cache and the indices beside it."""
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    indices = [read_index(folder, split, layout.fingerprints[split]) for split in splits]
    found = [index for index in indices if index]
    if len(found) < len(indices):
        return None
    return _dataset(name, "cache", layout.class_names, _cached_reads(cached, layout), found)


def _cached_reads(folder: Path, layout: Layout) -> Reads:
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    return [(CachedImages(str(folder), layout, s), layout.image_shape) for s in splits]


def _decoding_reads(splits: Sequence[Records], image_size: int) -> Reads:
    shapes = [split_shape(records, image_size) for records in splits]
    return [
        (DecodedImages(records, image_size, shape), shape)
        for records, shape in zip(splits, shapes, strict=True)
    ]


def _dataset(
    name: str,
    kind: str,
    class_names: tuple[str, ...],
    reads: Reads,
    indices: list[Index],
) -> StreamedDataset:
    """Brings readers and indices together, and holds out a test split where there is none."""
    splits = [
        StreamedSplit(index.labels, index.ids, shape, read, _slice_size(kind, shape))
        for (read, shape), index in zip(reads, indices, strict=True)
    ]
    if len(splits) == 1:
        (whole,) = splits
        parts = held_out_parts(name, whole.labels)
        splits = [
            whole._replace(labels=whole.labels[p], ids=whole.ids[p], read=Part(whole.read, p))
            for p in map(np.flatnonzero, parts)
        ]
    train, test = splits
    check_splits(name, train.shape, test.shape, class_names)
    return StreamedDataset(name, class_names, train, test, kind)


def _slice_size(kind: str, shape: tuple[int, int, int]) -> int:
    if kind == "stream":
        return DECODED_SLICE
    return int(np.clip(CACHED_SLICE_BYTES // np.prod(shape), 16, 4096))
