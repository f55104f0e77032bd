"""The labels and ids of a streamed split, found in one pass over its records and kept."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np

from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.tfds import Builder
from rethinking_jax.data.tfds.load import split_labels
from rethinking_jax.data.tfds.records import Records
from rethinking_jax.data.watch import Watch
from rethinking_jax.data.workers import begin_workers
from rethinking_jax.workdir.storage import AnyPath, is_remote, open_path, write_atomically

CHUNK = 8192
FEW_CHUNKS = 12  # some seconds' work: not worth beginning processes
# Another rule for ids must not find the ids of the old one.
IDS_RULE = 1


class Index(NamedTuple):
    """The labels and ids of all records of a split, in their order.

    Attributes:
      labels: int32 [n].
      ids: uint32 [n].
    """

    labels: np.ndarray
    ids: np.ndarray


def fingerprint(builder: Builder, split: str) -> str:
    """Returns what an index or a cache of a split depends on: where it differs, both are stale."""
    info = builder.info.splits[split]
    found = {
        "version": str(builder.version),
        "split": split,
        "examples": info.num_examples,
        "bytes": int(info.num_bytes),
        "shard_lengths": list(info.shard_lengths),
    }
    return json.dumps(found)


def records_of(fingerprint: str) -> str:
    """Returns the part of a fingerprint that does not depend on how the records are cut."""
    found = json.loads(fingerprint)
    return f"{found['version']}, {found['bytes']} bytes"


def dataset_folder(cache_dir: str, builder: Builder) -> AnyPath:
    """Returns the folder of the indices and caches of a set, `<cache_dir>/<dataset>-<version>`.

    Args:
      cache_dir: the folder of all sets; "" is `rethinking_jax` beside the prepared sets.
      builder: the builder of tfds, prepared or not.
    """
    name = builder.info.full_name  # emnist/letters/3.1.0
    if cache_dir:
        root = open_path(cache_dir)
    else:
        # Where tfds lacks the code of a set, `data_dir_root` would be another folder.
        root = open_path(builder.data_dir).parents[name.count("/")] / "rethinking_jax"
    return root / name.replace("/", "-")


def load_indices(
    splits: Sequence[Records],
    fingerprints: dict[str, str],
    folder: AnyPath,
    say: Callable[[str], None],
    watch: Watch,
    workers: int = 0,
) -> list[Index]:
    """Returns the index of each split, read from `folder` or made now and kept there.

    Args:
      splits: the records whose indices are wanted.
      fingerprints: the `fingerprint` of each split.
      folder: see `dataset_folder`; where it cannot be written, nothing is kept.
      say: is given a line where nothing can be kept.
      watch: is told how far the pass is.
      workers: the number of processes for the pass over a large split; 0 takes threads.

    Raises:
      UserError: a record cannot be read, or a label lies outside the classes.
    """
    indices, problem = [], None
    for records in splits:
        expected = fingerprints[records.split]
        found = read_index(folder, records.split, expected)
        if found is None:
            found = _pass_over(records, watch, workers)
            try:
                _write(index_path(folder, records.split), found, expected)
            except OSError as error:
                problem = error
        indices.append(found)
    if problem:
        say(
            f"the index of {splits[0].name} cannot be kept in {folder} ({one_line(problem)}): it "
            "is made anew each time, unless cache_dir names a folder that can be written"
        )
    return indices


def index_path(folder: AnyPath, split: str) -> AnyPath:
    """Returns the file in which the index of a split is kept."""
    return folder / f"index-{split}.npz"


def read_index(folder: AnyPath, split: str, expected: str) -> Index | None:
    """Returns the index that `folder` keeps; None where there is none that is whole and fits."""
    try:
        content = io.BytesIO(index_path(folder, split).read_bytes())
        with np.load(content, allow_pickle=False) as file:
            if str(file["fingerprint"]) != expected or int(file["ids_rule"]) != IDS_RULE:
                return None
            return Index(file["labels"], file["ids"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None


def _pass_over(records: Records, watch: Watch, workers: int) -> Index:
    count = len(records)
    labels, texts = np.zeros(count, np.int64), [b""] * count
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    with _executor(workers if len(chunks) > FEW_CHUNKS else 0) as pool:
        # Each worker gets a chunk at a time; the records open their files where they arrive.
        for indices, found in zip(chunks, pool.map(partial(_read, records), chunks), strict=True):
            chosen = slice(indices.start, indices.stop)
            labels[chosen], texts[chosen] = found
            watch(f"indexing {records.name} {records.split}", indices.stop, count)
    return Index(*split_labels(records, labels, texts))


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    """Opens a pool of processes, because parsing is Python's work; or two threads."""
    if workers > 1:
        with begin_workers(workers) as running:
            yield running.pool
    else:
        with ThreadPoolExecutor(2) as pool:  # one reads while the other parses
            yield pool


def _read(records: Records, indices: range) -> tuple[list[int], list[bytes]]:
    labels, texts = zip(*records.read_labels(indices), strict=True)
    return list(labels), list(texts)


def _write(path: AnyPath, index: Index, expected: str) -> None:
    content = io.BytesIO()
    np.savez(
        content,
        labels=index.labels,
        ids=index.ids,
        fingerprint=np.array(expected),
        ids_rule=np.array(IDS_RULE),
    )
    if is_remote(path):
        write_atomically(path, content.getvalue())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # The half-written file has a name of its own: several processes may make the same index.
    half = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(half, "wb") as file:
            file.write(content.getvalue())
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
