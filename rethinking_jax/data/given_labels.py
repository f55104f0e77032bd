"""Labels that are given in files, such as those that people wrote: `config.labels_file`."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.corruption import CORRUPTIONS, GivenLabels
from rethinking_jax.data.dataset import Dataset, one_line
from rethinking_jax.errors import UserError, nearest

IDS = "ids"  # the array that says whose labels the others are


def with_given_labels(dataset: Dataset, configs: Iterable[ConfigDict]) -> Dataset:
    """Returns a data set that also has the labels of the files that some of its runs name.

    Args:
      dataset: the parts that the runs are trained and tested on.
      configs: the configs of the runs; of those whose labels are not given nothing is read.

    Raises:
      UserError: a file is not there or cannot be read, or its labels are not those of the training
        examples.
    """
    found = dict(dataset.given)
    for config in configs:
        if _is_given(config) and config.labels_file not in found:
            whole = not (config.train_examples or config.get("validation_examples", 0))
            ids = dataset.train.ids
            found[config.labels_file] = read_labels(
                config.labels_file, ids, dataset.num_classes, whole
            )
    return dataclasses.replace(dataset, given=found)


def files_of(configs: Iterable[ConfigDict]) -> list[Path]:
    """Returns the files that the labels of some runs are given in, each once."""
    names = [config.labels_file for config in configs if _is_given(config)]
    return list(dict.fromkeys(_place(name)[0] for name in names))


def _is_given(config: ConfigDict) -> bool:
    """Says whether the labels of a run, of any kind of experiment, are given."""
    return "labels_file" in config and CORRUPTIONS[config.corruption].from_file


def _place(name: str) -> tuple[Path, str]:
    """Parts PATH.npz:ARRAY into its file and the name of the array, "" for none."""
    path, found, array = name.partition(".npz:")
    return Path(path + ".npz" if found else name).expanduser(), array


def read_labels(name: str, ids: np.ndarray, num_classes: int, whole: bool) -> GivenLabels:
    """Reads the labels of some examples.

    Args:
      name: PATH.npz, or PATH.npz:ARRAY.
      ids: uint32 [n], the ids of the examples in any order.
      num_classes: labels must lie in [0, num_classes).
      whole: whether these are all examples of a training set, not a part.

    Raises:
      UserError: see `with_given_labels`.
    """
    wanted = np.sort(ids)
    array, labels, known = _read(name)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        _refuse(name, f"{array!r} holds {labels.dtype} {list(labels.shape)}, not whole numbers [n]")
    if known is None:
        known = _in_order(name, array, len(labels), wanted, whole)
    elif known.shape != labels.shape or known.dtype.kind not in "iu":
        _refuse(name, f"{array!r} has {len(labels):,} labels, and {IDS!r} must have as many ids")
    order = np.argsort(known, kind="stable")
    known, labels = known[order], labels[order]
    if (known[1:] == known[:-1]).any():
        twice = known[1:][known[1:] == known[:-1]][0]
        _refuse(name, f"{IDS!r} has the id {twice} twice")
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    missing = wanted[known[places] != wanted] if len(known) else wanted
    if len(missing):
        count = f"{len(missing):,} of the {len(wanted):,} training examples"
        _refuse(name, f"{array!r} has no label for {count}, such as that with the id {missing[0]}")
    found = labels[places]
    wrong = np.flatnonzero((found < 0) | (found >= num_classes))
    if len(wrong):
        example, label = wanted[wrong[0]], found[wrong[0]]
        classes = f"outside the classes 0..{num_classes - 1}"
        _refuse(
            name, f"{array!r} gives the example with the id {example} the label {label}, {classes}"
        )
    return GivenLabels(wanted.astype(np.uint32), found.astype(np.int32))


def _in_order(name: str, array: str, count: int, wanted: np.ndarray, whole: bool) -> np.ndarray:
    """Returns the ids of labels that stand in their order, from 0 on, after a look at how many."""
    least = int(wanted[-1]) + 1
    exactly = whole and least == len(wanted)
    if count < least or (exactly and count > least):
        _refuse(
            name,
            f"{array!r} has {count:,} labels, and the training examples have ids up to "
            f"{least - 1:,}: there must be {least:,}{'' if exactly else ' or more'}, or an array "
            f"{IDS!r} that says whose they are",
        )
    return np.arange(count)


def _read(name: str) -> tuple[str, np.ndarray, np.ndarray | None]:
    """Reads an array of a file: its name, its labels, and the ids beside it where there are any."""
    path, array = _place(name)
    if not path.is_file():
        _refuse(name, f"there is no file {path}")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = [one for one in file.files if not _has_ids(one)]
            if not array and len(arrays) == 1:
                array = arrays[0]
            labels = file[array] if array in file.files else None
            ids = [] if labels is None else [file[key] for key in file.files if _has_ids(key)]
    except Exception as error:  # damage shows as any: of zipfile, zlib or NumPy
        _refuse(name, f"it cannot be read as an .npz file of plain arrays ({one_line(error)})")
    held = one_line(", ".join(arrays)) or "none"
    if not array:
        _refuse(name, f"it holds several arrays, so one must be named, as in {path}:NAME ({held})")
    if labels is None:
        _refuse(name, f"it has no array {array!r}{nearest(array, arrays)} (it holds {held})")
    return array, labels, _ids_of(name, labels, ids)


def _has_ids(array: str) -> bool:
    """Says whether an array is of ids; a work directory of several training sets numbers them."""
    return array == IDS or (array.startswith(f"{IDS} ") and array[len(IDS) + 1 :].isdigit())


def _ids_of(name: str, labels: np.ndarray, ids: Sequence[np.ndarray]) -> np.ndarray | None:
    """Chooses the ids of labels: the only ones, or of several those that are as many."""
    if len(ids) <= 1:
        return ids[0] if ids else None
    fitting = [one for one in ids if one.shape == labels.shape]
    if not fitting or any(not np.array_equal(one, fitting[0]) for one in fitting):
        _refuse(name, f"it has the ids of {len(ids)} training sets, and none of them alone fits")
    return fitting[0]


def _refuse(name: str, why: str) -> NoReturn:
    raise UserError(f"config.labels_file={name!r}: {why}")
