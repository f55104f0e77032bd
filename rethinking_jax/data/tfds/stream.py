"""Sets of tfds that are too large for memory: labels and ids here, images read when needed."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.cache.read import (
    CachedImages,
    Layout,
    cache_folder,
    check_content,
    check_positions,
    prepare_command,
    read_manifest,
    unfinished,
)
from rethinking_jax.data.dataset import Dataset, Read, Reader, Shape, Split
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.origin import Request
from rethinking_jax.data.tfds import Builder
from rethinking_jax.data.tfds.index import (
    Index,
    dataset_folder,
    fingerprint,
    load_indices,
    read_index,
    records_of,
)
from rethinking_jax.data.tfds.load import tfds_dataset
from rethinking_jax.data.tfds.prepare import is_prepared, open_builder, prepared_builder
from rethinking_jax.data.tfds.records import Records, open_records, say_unread, split_shape
from rethinking_jax.data.watch import Spoken
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath, is_remote

# A task of some 40 ms where images are decoded, of some 64 MB where they are not: putting
# slices together costs another copy, so a batch should be one.
DECODED_SLICE = 16
CACHED_SLICE_BYTES = 1 << 26


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


def stream_tfds(request: Request) -> Dataset:
    """Opens a set of tfds for reading in batches; see `load.open_streamed`."""
    name, say, kind = request.name, request.say, request.kind
    builder = open_builder(name, request.data_dir)
    folder = dataset_folder(request.cache_dir, builder)
    if is_remote(folder) and kind == "auto":
        kind = "stream"
    cached, layout, why_not = _found_cache(request, kind, builder, folder)
    if layout and not is_prepared(builder):
        found = _from_cache_alone(request, folder, cached, layout)
        if found:
            say(_checked(request, cached, layout))
            return found
    builder = prepared_builder(name, request.data_dir, request.manual_dir, say)
    splits = [records for records in open_records(name, builder) if records]
    say_unread(builder, splits, say)
    prints = {records.split: fingerprint(builder, records.split) for records in splits}
    indices = load_indices(splits, prints, folder, say, request.watch or Spoken(say))
    if layout:
        say(_checked(request, cached, layout))
        return _dataset(request, layout.class_names, _cached_readers(cached, layout), indices)
    if kind == "auto":
        say(f"streaming {name}, decoding as it goes: {why_not}")
    readers = [
        _decoding_reader(records, request.image_size, records_of(prints[records.split]))
        for records in splits
    ]
    return _dataset(request, splits[0].class_names, readers, indices)


def bytes_in_memory(request: Request) -> int | None:
    """Returns how many bytes the training and test images of a tfds set take in memory.

    A set that is not prepared is prepared first: only then it says how large it is.

    Returns:
      None where that is unknown before reading: the set is unknown, or its images have
      different sizes and no `image_size` is wanted.

    Raises:
      UserError: it cannot be prepared.
    """
    name, data_dir = request.name, request.data_dir
    try:
        builder = open_builder(name, data_dir)
    except UserError:
        return None  # whoever reads it says what is wrong
    if not is_prepared(builder):
        prepared_builder(name, data_dir, request.manual_dir, request.say)
    return estimate_bytes(name, data_dir, request.image_size)


def estimate_bytes(name: str, data_dir: str, image_size: int) -> int | None:
    """Returns how many bytes the training and test images of a prepared tfds set take in memory.

    Returns:
      None where that is unknown before reading: the set is not prepared, or its images have
      different sizes and `image_size` is 0.
    """
    try:
        builder = open_builder(name, data_dir)
        if not is_prepared(builder):
            return None
        train, test = open_records(name, builder)
        shape = split_shape(train, image_size)
    except UserError:
        return None
    return (len(train) + (len(test) if test else 0)) * int(np.prod(shape))


def _found_cache(
    request: Request, kind: str, builder: Builder, folder: AnyPath
) -> tuple[Path, Layout | None, str]:
    """Returns the folder of the cache that is wanted, its content, and why there is none.

    Raises:
      UserError: a cache is asked for, and there is none that fits.
    """
    if kind == "stream":
        return Path(), None, "kind=stream"
    size = request.image_size
    cached = cache_folder(folder, size)
    layout, why_not = _cache(builder, cached)
    if layout is None and kind == "cache":
        command = prepare_command(request.name, size, request.data_dir, request.cache_dir)
        raise UserError(
            f"dataset={request.name!r} cannot be read from a cache of image_size={size}: "
            f"{why_not}. This makes it: {command}"
        )
    return cached, layout, why_not


def _cache(builder: Builder, folder: Path) -> tuple[Layout | None, str]:
    """Returns the whole cache in `folder` that fits the set; or None, and why there is none."""
    layout = read_manifest(folder)
    if layout is None:
        return None, f"there is no cache of decoded images in {folder}"
    if reason := unfinished(folder, layout):
        return None, f"the cache in {folder} is not whole: {reason}"
    if is_prepared(builder):
        for split, found in layout.fingerprints.items():
            if split not in builder.info.splits or fingerprint(builder, split) != found:
                return None, f"the cache in {folder} is of other data than {builder.data_path}"
    return layout, ""


def _checked(request: Request, cached: Path, layout: Layout) -> str:
    """Returns the line that a cache is read, after a look at its files; see `check_content`."""
    command = prepare_command(request.name, request.image_size, request.data_dir, request.cache_dir)
    files = check_content(cached, layout, command)
    return f"reading {request.name} from the cache in {cached} (the checksums of {files} are right)"


def _from_cache_alone(
    request: Request, folder: AnyPath, cached: Path, layout: Layout
) -> Dataset | None:
    """Returns a set whose records are not there; None where cache and indices do not suffice."""
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    indices = [read_index(folder, split, layout.fingerprints[split]) for split in splits]
    found = [index for index in indices if index]
    if len(found) < len(indices):
        return None
    return _dataset(request, layout.class_names, _cached_readers(cached, layout), found)


def _cached_readers(folder: Path, layout: Layout) -> list[Reader]:
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    return [
        dataclasses.replace(
            cached_reader(CachedImages(str(folder), layout, split), layout.image_shape),
            records=records_of(layout.fingerprints[split]),
        )
        for split in splits
    ]


def cached_reader(read: Read, shape: Shape) -> Reader:
    """Returns a reader of images that are decoded already, in slices of equal bytes."""
    slice_size = int(np.clip(CACHED_SLICE_BYTES // np.prod(shape), 16, 4096))
    return Reader(read, shape, slice_size, "cache")


def _decoding_reader(records: Records, image_size: int, described: str) -> Reader:
    shape = split_shape(records, image_size)
    read = DecodedImages(records, image_size, shape)
    return Reader(read, shape, DECODED_SLICE, "stream", described)


def _dataset(
    request: Request,
    class_names: tuple[str, ...],
    readers: Sequence[Reader],
    indices: Sequence[Index],
) -> Dataset:
    """Brings readers and indices together, and holds out a test split where there is none."""
    train, *tests = (
        Split(reader, index.labels, index.ids)
        for reader, index in zip(readers, indices, strict=True)
    )
    train, test = (train, tests[0]) if tests else hold_out(request.name, train, request.say)
    return tfds_dataset(request.name, train, test, class_names, request.say)
