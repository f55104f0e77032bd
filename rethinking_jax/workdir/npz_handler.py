"""How orbax writes arrays as one .npz object, to buckets where its own format cannot go.

Orbax does all else as always: when to save, which checkpoints to keep, which are whole.
"""

import dataclasses
import io

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from orbax.checkpoint import future

from rethinking_jax.host.processes import is_primary

FILE = "arrays.npz"


class NpzHandler(ocp.AsyncCheckpointHandler):
    """Saves a tree of NumPy arrays, which every process has, from the first process."""

    async def async_save(self, directory: epath.Path, args: "NpzSave") -> list[future.Future]:
        """Starts to write; the arrays must stay as they are."""

        async def write() -> None:
            self.save(directory, args)

        return [future.CommitFutureAwaitingContractedSignals(write(), name="npz_save")]

    def save(self, directory: epath.Path, args: "NpzSave") -> None:
        """Writes the leaves of the tree, in the first process."""
        if is_primary():
            content = io.BytesIO()
            np.savez(content, *map(np.asarray, jax.tree.leaves(args.tree)))
            (directory / FILE).write_bytes(content.getvalue())

    def restore(self, directory: epath.Path, args: "NpzRestore") -> object:
        """Reads the tree as it was saved, with the structure of the template."""
        structure = jax.tree.structure(args.template)
        with np.load(io.BytesIO((directory / FILE).read_bytes())) as file:
            leaves = [file[f"arr_{i}"] for i in range(len(file.files))]
        return jax.tree.unflatten(structure, leaves)


@ocp.args.register_with_handler(NpzHandler, for_save=True)
@dataclasses.dataclass
class NpzSave(ocp.args.CheckpointArgs):
    """What to save: a tree of arrays."""

    tree: object


@ocp.args.register_with_handler(NpzHandler, for_restore=True)
@dataclasses.dataclass
class NpzRestore(ocp.args.CheckpointArgs):
    """What to restore: a tree of the structure of a template."""

    template: object
