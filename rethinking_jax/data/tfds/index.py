"""The labels and ids of a streamed split, found in one pass over its records and kept."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np

from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.kept import read_kept, user_folder, write_kept
from rethinking_jax.data.origin import say_nothing
from rethinking_jax.data.tfds import Builder
from rethinking_jax.data.tfds.records import Records, split_labels
from rethinking_jax.data.watch import Watch
from rethinking_jax.data.workers import begin_workers
from rethinking_jax.workdir.storage import AnyPath, absolute, open_path

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


def kept_folders(cache_dir: str, builder: Builder) -> tuple[AnyPath, ...]:
    """Returns the folders in which something of a set may be kept, the first one first.

    That is `dataset_folder`; and, because prepared sets may lie where nobody can write, one of
    this user for the sets of that place.
    """
    folder, own = dataset_folder(cache_dir, builder), user_folder()
    if cache_dir or own is None:
        return (folder,)
    place = os.fspath(absolute(open_path(builder.data_dir)))
    return folder, own / f"{folder.name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def load_indices(
    splits: Sequence[Records],
    fingerprints: dict[str, str],
    folders: Sequence[AnyPath],
    say: Callable[[str], None],
    watch: Watch,
    workers: int = 0,
) -> list[Index]:
    """Returns the index of each split, read from `folders` or made now and kept there.

    Args:
      splits: the records whose indices are wanted.
      fingerprints: the `fingerprint` of each split.
      folders: see `kept_folders`; where none can be written, nothing is kept.
      say: is given a line where nothing can be kept.
      watch: is told how far the pass is.
      workers: the number of processes for the pass over a large split; 0 takes threads.

    Raises:
      UserError: a record cannot be read, or a label lies outside the classes.
    """
    indices, problem = [], None
    for records in splits:
        expected = fingerprints[records.split]
        found = read_index(folders, records.split, expected, records.digest, say)
        if found is None:
            found = _pass_over(records, watch, workers)
            arrays = {
                **found._asdict(),
                "ids_rule": np.array(IDS_RULE),
                "records": np.array(records.digest),
            }
            try:
                write_kept(folders, index_name(records.split), expected, arrays)
            except OSError as error:
                problem = error
        indices.append(found)
    if problem:
        say(not_kept(f"the index of {splits[0].name}", folders[0], problem))
    return indices


def not_kept(what: str, folder: AnyPath, problem: OSError) -> str:
    """Returns the line that something cannot be kept, and why."""
    return (
        f"{what} cannot be kept in {folder} ({one_line(problem)}): it is made anew each time, "
        "unless cache_dir names a folder that can be written"
    )


def index_name(split: str) -> str:
    """Returns the name of the file in which the index of a split is kept."""
    return f"index-{split}.npz"


def read_index(
    folders: Sequence[AnyPath],
    split: str,
    expected: str,
    digest: str = "",
    say: Callable[[str], None] = say_nothing,
) -> Index | None:
    """Returns the index that a folder keeps; None where there is none that is whole and fits.

    Args:
      folders: the folders to look in.
      split: the split of tfds.
      expected: its `fingerprint`.
      digest: its `Records.digest`; "" where that is not known.
      say: is given a line where a file is damaged.
    """
    found = read_kept(folders, index_name(split), expected, ("labels", "ids", "ids_rule"), say)
    if found is None or int(found["ids_rule"]) != IDS_RULE:
        return None
    if digest and str(found.get("records", "")) != digest:
        return None
    return Index(found["labels"], found["ids"])


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
