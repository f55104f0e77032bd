"""A cache of decoded images of one size: raw uint8 in files of some thousand images each.

    <cache_dir>/<dataset>-<version>/images-<size>/manifest.json
    <cache_dir>/<dataset>-<version>/images-<size>/train-00000-of-00313.u8 ...

The manifest says what the images are, what made their pixels and which files are whole,
with their checksums. `cache.write` makes it.
"""

import hashlib
import json
import os
import random
import shlex
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath, is_remote

FORMAT = 1
MANIFEST = "manifest.json"
CHECKED_BYTES = 1 << 30  # some 0.9 s of one core's time


class Shard(NamedTuple):
    """One file of a cache, which holds the images `start` to `stop` of a split.

    Attributes:
      split: the split of tfds.
      file: the file's name.
      start: the position of its first image.
      stop: the position after that of its last image.
      sha256: the checksum of the file; "" until it is written.
    """

    split: str
    file: str
    start: int
    stop: int
    sha256: str


class Layout(NamedTuple):
    """What a manifest says.

    Attributes:
      dataset: the name of the set.
      image_size: the side that was asked for; 0 left the images as they were.
      image_shape: the shape of every image, (h, w, c).
      pixels: what decoded the images, see `images.describe`.
      class_names: the classes' names.
      test_split: the split of tfds to test on; "" where a part of train is held out.
      fingerprints: the `index.fingerprint` of each split of tfds.
      shards: the files.
    """

    dataset: str
    image_size: int
    image_shape: tuple[int, int, int]
    pixels: str
    class_names: tuple[str, ...]
    test_split: str
    fingerprints: dict[str, str]
    shards: tuple[Shard, ...]

    @property
    def image_bytes(self) -> int:
        """The number of bytes of one image."""
        return int(np.prod(self.image_shape))

    def shard_bytes(self, shard: Shard) -> int:
        """Returns the number of bytes of a file of this cache."""
        return (shard.stop - shard.start) * self.image_bytes


def cut(split: str, count: int, images_per_file: int) -> tuple[Shard, ...]:
    """Returns the files that hold the `count` images of a split."""
    files = -(-count // images_per_file)
    return tuple(
        Shard(
            split,
            f"{split}-{k:05d}-of-{files:05d}.u8",
            k * images_per_file,
            min((k + 1) * images_per_file, count),
            "",
        )
        for k in range(files)
    )


def cache_folder(folder: AnyPath, image_size: int) -> Path:
    """Returns the folder of a cache within the folder of its set, see `index.dataset_folder`.

    Raises:
      UserError: the folder is in a bucket; images are read a row at a time, from a disk.
    """
    if is_remote(folder):
        raise UserError(
            f"a cache of images needs a local disk, not {folder}: give cache_dir a local folder "
            "(what is prepared and indexed may stay where it is)"
        )
    return Path(folder) / f"images-{image_size}"


def read_manifest(folder: Path) -> Layout | None:
    """Returns what the manifest in `folder` says; None where none can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text())
        if found.pop("format") != FORMAT:
            return None
        found["shards"] = tuple(Shard(*shard) for shard in found["shards"])
        for key in ("image_shape", "class_names"):
            found[key] = tuple(found[key])
        return Layout(**found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def manifest_text(layout: Layout) -> str:
    """Returns the text of a manifest."""
    return json.dumps({"format": FORMAT, **layout._asdict()}, indent=1) + "\n"


def unfinished(folder: Path, layout: Layout) -> str:
    """Returns what keeps a cache from being whole, in words; "" where nothing does.

    It looks at the sizes of the files and not at their content.
    """
    todo = [shard for shard in layout.shards if not shard.sha256]
    if todo:
        written = len(layout.shards) - len(todo)
        return f"only {written} of its {len(layout.shards)} files are written"
    for shard, size in zip(layout.shards, _sizes(folder, layout), strict=True):
        if size != layout.shard_bytes(shard):
            what = "is missing" if size < 0 else f"has {size:,} bytes, not"
            expected = "" if size < 0 else f" {layout.shard_bytes(shard):,}"
            return f"its file {shard.file} {what}{expected}"
    return ""


def _sizes(folder: Path, layout: Layout) -> Iterator[int]:
    for shard in layout.shards:
        try:
            yield (folder / shard.file).stat().st_size
        except OSError:
            yield -1


def check_content(folder: Path, layout: Layout, command: str) -> str:
    """Compares files of a whole cache with their checksums, once at the start of a run.

    Files of up to `CHECKED_BYTES` in all are read; of a larger cache chance picks which, others
    at every start. `rethinking_jax.prepare --verify` reads all.

    Args:
      folder: the folder of the cache.
      layout: what its manifest says.
      command: what repairs it, for the message.

    Returns:
      How many files were checked, in words.

    Raises:
      UserError: a file is damaged; names it.
    """
    shards, largest = layout.shards, max(map(layout.shard_bytes, layout.shards))
    count = min(len(shards), max(1, CHECKED_BYTES // largest))
    chosen = random.SystemRandom().sample(shards, count)
    with ThreadPoolExecutor(min(count, os.cpu_count() or 1)) as pool:
        sums = pool.map(lambda shard: file_sha256(folder / shard.file), chosen)
        for shard, found in zip(chosen, sums, strict=True):
            if found != shard.sha256:
                raise UserError(
                    f"dataset={layout.dataset!r}: the cache file {folder / shard.file} is damaged: "
                    f"its checksum is not that of the manifest. This repairs it: {command} --verify"
                )
    return f"all {count:,} files" if count == len(shards) else f"{count:,} of {len(shards):,} files"


def file_sha256(path: Path) -> str:
    """Returns the checksum of a file, as manifests have it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_positions(positions: np.ndarray, count: int) -> None:
    """Raises IndexError where a position is outside a split of `count` examples."""
    if len(positions) and not 0 <= positions.min() <= positions.max() < count:
        raise IndexError(f"positions {positions.min()} to {positions.max()} of {count} examples")


class CachedImages:
    """Reads the images of one split; threads may share it, and it travels between processes.

    It uses `preadv` rather than a memory map: a file that is cut short while it is in use is
    an error here, where a map ends the process with SIGBUS.
    """

    def __init__(self, folder: str, layout: Layout, split: str) -> None:
        """Reads `split` of the whole cache in `folder`, whose files are opened when needed."""
        self._given = (folder, layout, split)
        self._folder, self._shape = Path(folder), layout.image_shape
        self._dataset, self._bytes = layout.dataset, layout.image_bytes
        self._shards = [shard for shard in layout.shards if shard.split == split]
        self._starts = np.array([shard.start for shard in self._shards])
        self._count = self._shards[-1].stop
        self._files: dict[int, int] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        """Makes it travel as its arguments: files are opened where it arrives."""
        return CachedImages, self._given

    def __del__(self) -> None:
        """Closes its files."""
        for file in self.__dict__.get("_files", {}).values():
            os.close(file)

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Returns the images at `positions` (integers [b]): uint8 [b, h, w, c].

        Raises:
          IndexError: a position outside the split.
          UserError: a file is missing or short.
        """
        positions = np.asarray(positions)
        check_positions(positions, self._count)
        images = np.empty((len(positions), *self._shape), np.uint8)
        rows = images.reshape(len(positions), self._bytes)
        where = np.searchsorted(self._starts, positions, side="right") - 1
        offsets = (positions - self._starts[where]) * self._bytes
        for row, k, offset in zip(rows, where.tolist(), offsets.tolist(), strict=True):
            self._read(row, k, offset)
        return images

    def _read(self, row: np.ndarray, k: int, offset: int) -> None:
        shard = self._shards[k]
        try:
            file = self._files.get(k)
            if file is None:
                with self._lock:
                    file = self._files.get(k)
                    if file is None:
                        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
                        file = self._files[k] = os.open(self._folder / shard.file, flags)
            # Linux reads at most 2 GiB at once, and an image is smaller.
            done = os.preadv(file, [row.data], offset)
        except OSError as error:
            raise self._broken(shard, f"cannot be read ({error.strerror})") from error
        if done != self._bytes:
            raise self._broken(shard, "is cut short")

    def _broken(self, shard: Shard, what: str) -> UserError:
        size = self._given[1].image_size
        return UserError(
            f"dataset={self._dataset!r}: the cache file {self._folder / shard.file} {what}; "
            f"this repairs it: {prepare_command(self._dataset, size, '', '')} (with the same "
            "--data_dir and --cache_dir as before)"
        )


def prepare_command(dataset: str, image_size: int, data_dir: str, cache_dir: str) -> str:
    """Returns the command that makes or repairs a cache."""
    words = ["python", "-m", "rethinking_jax.prepare", dataset]
    for flag, value in (("data_dir", data_dir), ("cache_dir", cache_dir)):
        words += [f"--{flag}={value}"] if value else []
    return shlex.join([*words, f"--cache={image_size}"])
