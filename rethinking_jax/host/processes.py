"""What several processes that make one run tell each other."""

from collections.abc import Callable
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from rethinking_jax.errors import UserError

MESSAGE_BYTES = 4096  # of a message from the first process to the others

Tree = TypeVar("Tree")  # a tree of arrays


def fetch(tree: Tree) -> Tree:
    """Returns a tree of arrays on any devices as NumPy arrays, whole in every process."""

    def one(leaf: jax.Array | np.ndarray) -> np.ndarray:
        found: np.ndarray
        if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
            found = jax.device_get(leaf)
        else:
            found = multihost_utils.process_allgather(leaf, tiled=True)
        return found

    fetched: Tree = jax.tree.map(one, tree)
    return fetched


def is_primary() -> bool:
    """Says whether this process writes what all of them found out."""
    return jax.process_index() == 0


def wait_for_all(name: str) -> None:
    """Waits until every process has come here; `name` says where."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def all_agree(yes: bool) -> bool:
    """Says whether every process says yes."""
    if jax.process_count() == 1:
        return yes
    return bool(multihost_utils.process_allgather(np.array(yes)).all())


def refuse_together(check: Callable[[], object]) -> None:
    """Runs a check in the first process; where that refuses, every process does so.

    Raises:
      UserError: what `check` raised.
    """
    said = ""
    if is_primary():
        try:
            check()
        except UserError as error:
            said = str(error)
    if jax.process_count() > 1:
        text = said.encode(errors="backslashreplace")[:MESSAGE_BYTES]
        padded = np.frombuffer(text.ljust(MESSAGE_BYTES, b"\0"), np.uint8)
        found = multihost_utils.broadcast_one_to_all(padded)
        said = np.asarray(found).tobytes().rstrip(b"\0").decode(errors="replace")
    if said:
        raise UserError(said)
