"""A cache is written here: by all cores, resumable file by file, trusting nothing half-written."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.data import images
from rethinking_jax.data.cache.read import (
    MANIFEST,
    Layout,
    Shard,
    cut,
    file_sha256,
    manifest_text,
    read_manifest,
    unfinished,
)
from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.lock import one_at_a_time
from rethinking_jax.data.tfds.records import Records, split_shape
from rethinking_jax.data.watch import Watch, clock
from rethinking_jax.data.workers import add_to_count, begin_workers
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.workdir.storage import write_atomically

IMAGES_PER_FILE = 4096
TIMED_IMAGES = 32
# What the manifest and the file system need beside the images.
SPARE_BYTES = 1 << 24
SECONDS_BETWEEN_LOOKS = 0.3


class Task(NamedTuple):
    """One file that a worker writes, or keeps where it is whole.

    Attributes:
      records: the records of its split.
      folder: the folder of the cache.
      shard: the file, with its checksum where an earlier run has written it.
      layout: the whole cache.
    """

    records: Records
    folder: str
    shard: Shard
    layout: Layout


def write_cache(
    splits: Sequence[Records],
    fingerprints: dict[str, str],
    folder: Path,
    image_size: int,
    *,
    workers: int,
    say: Callable[[str], None],
    watch: Watch,
    verify: bool = False,
    images_per_file: int = 0,
) -> None:
    """Makes the cache in `folder` whole; what is there and right stays.

    Args:
      splits: the training records, and those to test on where there are any.
      fingerprints: the fingerprint of each split.
      folder: see `read.cache_folder`.
      image_size: see `images.fit`; 0 only where all images have one size.
      workers: the number of processes.
      say: is given the size, the free disk and the time before it starts, in lines.
      watch: is told how many images are done.
      verify: whether to read every file that is there and to write those anew whose checksum
        is wrong; a cache that is not whole is checked like that anyway.
      images_per_file: the images in each file, of which another number than before begins
        anew; 0 is `IMAGES_PER_FILE`.

    Raises:
      UserError: the disk lacks room, or an image cannot be read.
      RunFailed: the disk is full; what is written stays.
    """
    per_file = images_per_file or IMAGES_PER_FILE
    layout = _layout(splits, fingerprints, image_size, per_file)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with one_at_a_time(folder / ".lock", "is writing this cache", say):
            layout, is_whole = _found(layout, folder, say)
            if is_whole and not verify:
                say(f"the cache in {folder} is whole: {len(layout.shards)} files")
                return
            _announce(splits, layout, folder, workers, say)
            kept = _write_all(splits, layout, folder, workers, watch)
    except OSError as error:
        raise UserError(
            f"the cache cannot be written in {existing} ({one_line(error)}): give another "
            "--cache_dir"
        ) from error
    say(f"{len(layout.shards)} files: {kept} kept, {len(layout.shards) - kept} written")


def _found(layout: Layout, folder: Path, say: Callable[[str], None]) -> tuple[Layout, bool]:
    """Returns the layout with what an earlier run has written, and whether that is all of it."""
    found = read_manifest(folder)
    if found:
        is_whole = not unfinished(folder, found)
        if _unwritten(found) == layout:
            return found, is_whole
        if is_whole and _unwritten(found)._replace(pixels=layout.pixels) == layout:
            say(
                f"the cache in {folder} was {found.pixels}; here they would be {layout.pixels}. "
                "It is kept: delete that folder to make it anew"
            )
            return found, True
        say(f"the cache in {folder} is of other images or pixels: making it anew")
    for file in folder.glob("*.u8"):
        file.unlink()
    return layout, False


def _layout(
    splits: Sequence[Records], fingerprints: dict[str, str], image_size: int, images_per_file: int
) -> Layout:
    shape = split_shape(splits[0], image_size)
    shards = [shard for r in splits for shard in cut(r.split, len(r), images_per_file)]
    return Layout(
        splits[0].name,
        image_size,
        shape,
        images.describe(),
        splits[0].class_names,
        splits[1].split if len(splits) > 1 else "",
        fingerprints,
        tuple(shards),
    )


def _unwritten(layout: Layout) -> Layout:
    return layout._replace(shards=tuple(shard._replace(sha256="") for shard in layout.shards))


def _announce(
    splits: Sequence[Records],
    layout: Layout,
    folder: Path,
    workers: int,
    say: Callable[[str], None],
) -> None:
    """Says what is to come.

    Raises:
      UserError: the disk has no room for it.
    """
    todo = [s for s in layout.shards if not _is_there(folder, layout, s)]
    if not todo:
        say(f"checking the checksums of all {len(layout.shards)} files in {folder}")
        return
    needed = sum(map(layout.shard_bytes, todo))
    free = shutil.disk_usage(folder).free
    total = sum(map(layout.shard_bytes, layout.shards))
    parts = f" ({gigabytes(needed)} of it to write)" if needed < total else ""
    if needed + SPARE_BYTES > free:
        raise UserError(
            f"the cache in {folder} takes {gigabytes(total)}{parts} and its disk has "
            f"{gigabytes(free)} free: make room, give another --cache_dir or a smaller --cache"
        )
    seconds = _seconds_per_image(splits[0], layout)
    count = sum(shard.stop - shard.start for shard in todo)
    say(
        f"cache in {folder}: {sum(len(r) for r in splits):,} images of "
        f"{'x'.join(map(str, layout.image_shape))}, {gigabytes(total)}{parts}; free disk "
        f"{gigabytes(free)}; about {clock(count * seconds / workers)} with {workers} worker(s)"
    )


def _is_there(folder: Path, layout: Layout, shard: Shard) -> bool:
    path = folder / shard.file
    try:
        return bool(shard.sha256) and path.stat().st_size == layout.shard_bytes(shard)
    except OSError:
        return False


def _seconds_per_image(records: Records, layout: Layout) -> float:
    count = min(TIMED_IMAGES, len(records))
    started = time.perf_counter()
    for _ in _pixels(records, layout, range(count)):
        pass
    return (time.perf_counter() - started) / count


def gigabytes(count: int) -> str:
    """Returns a number of bytes in words, such as "1.5 GB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1000:,.1f} kB"


def _write_all(
    splits: Sequence[Records], layout: Layout, folder: Path, workers: int, watch: Watch
) -> int:
    """Writes or checks all files, and lets the manifest grow with each of them.

    Returns:
      How many files of an earlier run were kept.
    """
    by_split = {records.split: records for records in splits}
    tasks = [Task(by_split[s.split], str(folder), s, layout) for s in layout.shards]
    for half in folder.glob(".*.tmp"):
        half.unlink(missing_ok=True)
    # A file counts when the manifest says so: until then nothing in it is trusted.
    shards = {shard.file: shard for shard in layout.shards}
    kept = 0
    try:
        write_atomically(folder / MANIFEST, manifest_text(layout))
        for file, sha256, was_kept in _run(tasks, workers, watch, layout):
            kept += was_kept
            shards[file] = shards[file]._replace(sha256=sha256)
            layout = layout._replace(shards=tuple(shards.values()))
            write_atomically(folder / MANIFEST, manifest_text(layout))
    except (OSError, BrokenProcessPool) as error:
        done = sum(_is_there(folder, layout, shard) for shard in layout.shards)
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        reason = "no space left on device" if full else one_line(error)
        raise RunFailed(
            f"the cache in {folder} could not be written ({reason}): {done} of its "
            f"{len(layout.shards)} files are kept, and the same command goes on from there"
        ) from error
    return kept


def _run(
    tasks: list[Task], workers: int, watch: Watch, layout: Layout
) -> Iterator[tuple[str, str, bool]]:
    """Runs the tasks; yields the name, the checksum and whether it was kept of each file done."""
    total = sum(task.shard.stop - task.shard.start for task in tasks)
    what = f"caching {layout.dataset} at {layout.image_size or 'full size'}"
    if min(workers, len(tasks)) == 1:
        done = 0

        def count_here(count: int) -> None:
            nonlocal done
            done += count
            watch(what, done, total)

        for task in tasks:
            yield task.shard.file, *_write_file(task, count_here)
        return
    with begin_workers(min(workers, len(tasks))) as running:
        waiting = {running.pool.submit(_write_in_worker, task): task for task in tasks}
        while waiting:
            ready, _ = wait(waiting, SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
            watch(what, running.count, total)
            for future in ready:
                yield waiting.pop(future).shard.file, *future.result()


def _write_in_worker(task: Task) -> tuple[str, bool]:
    return _write_file(task, add_to_count)


def _write_file(task: Task, count: Callable[[int], None]) -> tuple[str, bool]:
    """Writes the file of a task, unless it is there and right.

    Returns:
      The file's checksum, and whether it was kept.
    """
    shard, path = task.shard, Path(task.folder) / task.shard.file
    images_in_file = shard.stop - shard.start
    is_there = _is_there(path.parent, task.layout, shard)
    if is_there and file_sha256(path) == shard.sha256:
        count(images_in_file)
        return shard.sha256, True
    half = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    digest = hashlib.sha256()
    try:
        with open(half, "wb") as file:
            for image in _pixels(task.records, task.layout, range(shard.start, shard.stop)):
                file.write(image)
                digest.update(image)
                count(1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    return digest.hexdigest(), False


def _pixels(records: Records, layout: Layout, indices: range) -> Iterator[bytes]:
    for example in records.read(indices):
        image = images.fit(example.image, layout.image_size)
        images.check_shape(records.name, image.shape, layout.image_shape)
        yield image.tobytes()
