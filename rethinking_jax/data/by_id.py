"""Arrays of files that say something of each example, such as labels or published scores, by id.

A file is named PATH.npz, or PATH.npz:ARRAY where it holds several. An array stands in the order of
the ids 0, 1, 2, ..., or beside an array `ids` that says whose its values are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

import numpy as np

from rethinking_jax.data.dataset import one_line
from rethinking_jax.errors import UserError, nearest

IDS = "ids"  # the array that says whose the others are
# Refuses a file, with what is wrong.
Refuse: TypeAlias = Callable[[str], NoReturn]


def place(name: str) -> tuple[Path, str]:
    """Parts PATH.npz:ARRAY into its file and the name of the array, "" for none."""
    path, found, array = name.partition(".npz:")
    return Path(path + ".npz" if found else name).expanduser(), array


def refuser(key: str, name: str) -> Refuse:
    """Returns what raises the one line that names a config key, its file, and what is wrong."""

    def refuse(why: str) -> NoReturn:
        raise UserError(f"config.{key}={name!r}: {why}")

    return refuse


def read_values(
    key: str, name: str, ids: np.ndarray, whole: bool, what: str, kinds: str
) -> tuple[str, np.ndarray]:
    """Reads the value of each of some examples.

    Args:
      key: the config key that names the file, for messages.
      name: PATH.npz, or PATH.npz:ARRAY.
      ids: uint32 [n], the ids of the examples, ascending.
      whole: whether these are all examples of a training set, not a part.
      what: what a value is, for messages, such as "label".
      kinds: the kinds of dtypes that are right, such as "iu" for whole numbers.

    Returns:
      The name of the array, and its values in the order of `ids`, [n].

    Raises:
      UserError: the file is not there or cannot be read, or lacks a value of an example.
    """
    refuse = refuser(key, name)
    array, values, known = _read(name, refuse)
    if values.ndim != 1 or values.dtype.kind not in kinds:
        wanted = "whole numbers" if kinds == "iu" else "numbers"
        refuse(f"{array!r} holds {values.dtype} {list(values.shape)}, not {wanted} [n]")
    if known is None:
        known = _in_order(array, len(values), ids, whole, what, refuse)
    elif known.shape != values.shape or known.dtype.kind not in "iu":
        refuse(f"{array!r} has {len(values):,} {what}s, and {IDS!r} must have as many ids")
    order = np.argsort(known, kind="stable")
    known, values = known[order], values[order]
    if (known[1:] == known[:-1]).any():
        twice = known[1:][known[1:] == known[:-1]][0]
        refuse(f"{IDS!r} has the id {twice} twice")
    places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    missing = ids[known[places] != ids] if len(known) else ids
    if len(missing):
        count = f"{len(missing):,} of the {len(ids):,} training examples"
        refuse(f"{array!r} has no {what} for {count}, such as that with the id {missing[0]}")
    return array, values[places]


def _in_order(
    array: str, count: int, wanted: np.ndarray, whole: bool, what: str, refuse: Refuse
) -> np.ndarray:
    """Returns the ids of values that stand in their order, from 0 on, after a look at how many."""
    least = int(wanted[-1]) + 1
    exactly = whole and least == len(wanted)
    if count < least or (exactly and count > least):
        refuse(
            f"{array!r} has {count:,} {what}s, and the training examples have ids up to "
            f"{least - 1:,}: there must be {least:,}{'' if exactly else ' or more'}, or an array "
            f"{IDS!r} that says whose they are"
        )
    return np.arange(count)


def _read(name: str, refuse: Refuse) -> tuple[str, np.ndarray, np.ndarray | None]:
    """Reads an array of a file: its name, its values, and the ids beside it where there are any."""
    path, array = place(name)
    if not path.is_file():
        refuse(f"there is no file {path}")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = [one for one in file.files if not _has_ids(one)]
            if not array and len(arrays) == 1:
                array = arrays[0]
            values = file[array] if array in file.files else None
            ids = [] if values is None else [file[key] for key in file.files if _has_ids(key)]
    except Exception as error:  # damage shows as any: of zipfile, zlib or NumPy
        refuse(f"it cannot be read as an .npz file of plain arrays ({one_line(error)})")
    held = one_line(", ".join(arrays)) or "none"
    if not array:
        refuse(f"it holds several arrays, so one must be named, as in {path}:NAME ({held})")
    if values is None:
        refuse(f"it has no array {array!r}{nearest(array, arrays)} (it holds {held})")
    return array, values, _ids_of(values, ids, refuse)


def _has_ids(array: str) -> bool:
    """Says whether an array is of ids; a work directory of several training sets numbers them."""
    return array == IDS or (array.startswith(f"{IDS} ") and array[len(IDS) + 1 :].isdigit())


def _ids_of(values: np.ndarray, ids: Sequence[np.ndarray], refuse: Refuse) -> np.ndarray | None:
    """Chooses the ids of values: the only ones, or of several those that are as many."""
    if len(ids) <= 1:
        return ids[0] if ids else None
    fitting = [one for one in ids if one.shape == values.shape]
    if not fitting or any(not np.array_equal(one, fitting[0]) for one in fitting):
        refuse(f"it has the ids of {len(ids)} training sets, and none of them alone fits")
    return fitting[0]
