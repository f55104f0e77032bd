"""What was read of a data set, so that a workdir goes on with the same data only.

A fingerprint has the digests of what a run reads, and which files that came from. The digests
decide. The files only say whether it is worth to look: their names, sizes and times cost little.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.config import Member
from rethinking_jax.data.dataset import Dataset, Reader, Split
from rethinking_jax.data.given_labels import files_of
from rethinking_jax.data.load import origin_of
from rethinking_jax.data.origin import Request
from rethinking_jax.errors import UserError
from rethinking_jax.step.preprocess import center_crop
from rethinking_jax.workdir.folder import Fingerprint
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath

SAMPLE = 128  # images of each split that are looked at where they are not all in memory
NAMES = {"train": "training set", "test": "test set", "validation": "validation set"}


def digests_of(dataset: Dataset, crop_size: int) -> dict[str, Json]:
    """Returns digests of what a run reads of each split, by the split's name and what it is.

    All pixels count where they are in memory. Of a streamed split some images do, with the
    version and the size of its records.

    Args:
      dataset: the data set, before any corruption.
      crop_size: the side to which images are cropped first; 0 leaves them whole.
    """
    found = {name: _of_split(split, crop_size) for name, split in dataset.splits.items()}
    given = {f"labels in {file}": _sha(own.labels) for file, own in dataset.given.items()}
    return {**found, "train": {**found["train"], **given}}


def _of_split(split: Split, crop_size: int) -> Json:
    positions = np.unique(np.linspace(0, len(split) - 1, SAMPLE).astype(np.int64))
    streamed = isinstance(split.stored, Reader)
    # On the host: a program of the device for each shape would cost more than all the rest.
    images = split.read(positions) if streamed else np.asarray(split.stored)[positions]
    sample = center_crop(jnp.asarray(images), crop_size)
    found: Json = {
        "examples": len(split),
        "labels": _sha(split.labels),
        "ids": _sha(split.ids),
        "sampled pixels": _sha(np.asarray(sample)),
    }
    if isinstance(split.stored, Reader):
        return {**found, "records": split.stored.records}
    return {**found, "pixels": _sha(np.asarray(split.stored))}


def _sha(array: np.ndarray) -> str:
    sha = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()[:16]


def source_of(configs: Sequence[ConfigDict]) -> Json | None:
    """Returns what the files are that some runs read, without reading them.

    Args:
      configs: the configs of the runs, at least one, which have one data set in common; their
        labels may be given in files.

    Returns:
      "files" and "bytes" (how many), "newest" (the path of the file that was written last),
      "written" (when, in nanoseconds), and "listing", a digest of all names, sizes and times. None
      where nothing is made of local files, or they are not there.
    """
    first = configs[0]
    request = Request(first.dataset, first.data_dir, first.manual_dir)
    try:
        paths = [*origin_of(request).files(request), *files_of(configs)]
        files = [(path, path.stat()) for path in paths]
    except (OSError, UserError):
        return None
    if not files:
        return None
    sha = hashlib.sha256()
    for path, stat in files:
        name = os.fsencode(f"{path.parent.name}/{path.name}")  # which need not be UTF-8
        sha.update(name + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    newest, stat = max(files, key=lambda file: file[1].st_mtime_ns)
    return {
        "files": len(files),
        "bytes": sum(each.st_size for _, each in files),
        "newest": str(newest.absolute()),
        "written": stat.st_mtime_ns,
        "listing": sha.hexdigest()[:16],
    }


def may_differ(stored: Sequence[Fingerprint], members: Sequence[Member]) -> bool:
    """Says whether files that runs were trained on were written since, moved or copied.

    Files that are gone are no reason: results stay complete without the data they are of.
    """
    config_of = dict(members)
    for one in stored:
        own = [config_of[name] for name in one.runs if name in config_of]
        now = source_of(own) if own and one.source else None
        if now and one.source and now["listing"] != one.source["listing"]:
            return True
    return False


def check_same(stored: Sequence[Fingerprint], now: Sequence[Fingerprint], workdir: AnyPath) -> None:
    """Refuses data that are not those of a workdir; what only one of the two knows is let pass.

    Raises:
      UserError: with what differs.
    """
    for before in stored:
        for after in now:
            if not set(before.runs) & set(after.runs):
                continue
            if changes := _changes(before.digests, after.digests):
                raise UserError(
                    f"--workdir={workdir} was made with other data: {changes} changed since"
                    f"{_newest(before.source, after.source)}. Bring the data back, or take "
                    "another --workdir"
                )


def _changes(before: dict[str, Json], after: dict[str, Json]) -> str:
    """Returns what differs in words, or ''; such as "the pixels of the test set"."""
    found = []
    for split in [name for name in before if name in after]:
        then, now, name = before[split], after[split], NAMES.get(split, f"{split} set")
        if then["examples"] != now["examples"]:
            counts = f"({then['examples']:,} there, {now['examples']:,} now)"
            found.append(f"the number of examples of the {name} {counts}")
            continue
        differing = [what for what in then if then[what] != now.get(what, then[what])]
        if "pixels" in differing:
            differing.remove("sampled pixels")
        found += [f"the {what} of the {name}" for what in differing]
    return ", ".join(found)


def _newest(before: Json | None, after: Json | None) -> str:
    """Names a file that was written since; '' where none is known."""
    if not before or not after or after["written"] <= before["written"]:
        return ""
    when = datetime.fromtimestamp(after["written"] / 1e9).isoformat(" ", "seconds")
    return f" ({after['newest']} was written {when})"
