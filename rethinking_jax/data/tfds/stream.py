"""Sets of tfds that are too large for memory: labels and ids here, images read when needed."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.data.cache.read import (
    CachedImages,
    Layout,
    cache_folder,
    check_content,
    manifest_text,
    prepare_command,
    read_manifest,
    unfinished,
)
from rethinking_jax.data.dataset import Dataset, Read, Reader, Shape, Split
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.origin import Request
from rethinking_jax.data.tfds import Builder
from rethinking_jax.data.tfds.decoded import decoding_reader
from rethinking_jax.data.tfds.index import (
    Index,
    fingerprint,
    kept_folders,
    load_indices,
    read_index,
    records_of,
)
from rethinking_jax.data.tfds.load import tfds_dataset
from rethinking_jax.data.tfds.prepare import is_prepared, open_builder, prepared_builder
from rethinking_jax.data.tfds.records import open_records, say_unread, split_shape
from rethinking_jax.data.watch import Spoken
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath, is_remote

# Putting slices together costs another copy, so a batch should be one.
CACHED_SLICE_BYTES = 1 << 26


def stream_tfds(request: Request) -> Dataset:
    """Opens a set of tfds for reading in batches; see `load.open_streamed`."""
    name, say, kind = request.name, request.say, request.kind
    builder = open_builder(name, request.data_dir)
    folders = kept_folders(request.cache_dir, builder)
    folder = folders[0]
    if is_remote(folder) and kind == "auto":
        kind = "stream"
    cached, layout, why_not = _found_cache(request, kind, builder, folder)
    if layout and not is_prepared(builder):
        found = _from_cache_alone(request, folders, cached, layout)
        if found:
            say(_checked(request, cached, layout))
            return found
    builder = prepared_builder(name, request.data_dir, request.manual_dir, say)
    splits = [records for records in open_records(name, builder) if records]
    say_unread(builder, splits, say)
    prints = {records.split: fingerprint(builder, records.split) for records in splits}
    indices = load_indices(splits, prints, folders, say, request.watch or Spoken(say))
    if layout:
        say(_checked(request, cached, layout))
        return _dataset(
            request, layout.class_names, _cached_readers(cached, layout, folders), indices
        )
    if kind == "auto":
        say(f"streaming {name}, decoding as it goes: {why_not}")
    readers = [
        decoding_reader(records, request.image_size, prints[records.split], folders)
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
    request: Request, folders: tuple[AnyPath, ...], cached: Path, layout: Layout
) -> Dataset | None:
    """Returns a set whose records are not there; None where cache and indices do not suffice."""
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    indices = [read_index(folders, split, layout.fingerprints[split]) for split in splits]
    found = [index for index in indices if index]
    if len(found) < len(indices):
        return None
    readers = _cached_readers(cached, layout, folders)
    return _dataset(request, layout.class_names, readers, found)


def _cached_readers(folder: Path, layout: Layout, folders: tuple[AnyPath, ...]) -> list[Reader]:
    splits = ["train", layout.test_split] if layout.test_split else ["train"]
    return [
        dataclasses.replace(
            cached_reader(CachedImages(str(folder), layout, split), layout.image_shape),
            records=records_of(layout.fingerprints[split]),
            made_of=manifest_text(layout),  # which has the checksums of all files
            folders=folders,
        )
        for split in splits
    ]


def cached_reader(read: Read, shape: Shape) -> Reader:
    """Returns a reader of images that are decoded already, in slices of equal bytes."""
    slice_size = int(np.clip(CACHED_SLICE_BYTES // np.prod(shape), 16, 4096))
    return Reader(read, shape, slice_size, "cache")


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
