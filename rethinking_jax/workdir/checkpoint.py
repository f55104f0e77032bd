"""Checkpoints that can be trusted: orbax, with a digest of what was saved.

Orbax writes asynchronously and commits by a rename, so a kill leaves the last
committed checkpoint. It does not notice a flipped bit in an array file; the SHA-256
of all leaves that is stored beside them does, and a checkpoint that cannot be
restored exactly as saved is given up for the one before.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers
from orbax.checkpoint.path import atomicity

from rethinking_jax.errors import lacking
from rethinking_jax.host.processes import all_agree, is_primary, wait_for_all
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.npz_handler import NpzHandler, NpzRestore, NpzSave
from rethinking_jax.workdir.storage import AnyPath

Tree = TypeVar("Tree")  # a tree of arrays


@dataclasses.dataclass
class LatestAndBest(checkpoint_managers.PreservationPolicy):
    """Keeps the last few checkpoints and the one with the highest score.

    Attributes:
      latest: how many to keep, at least 1.
      score: from a step to its score; None: not a candidate. It comes from the metrics
        file, so that a damaged checkpoint cannot mislead it.
    """

    latest: int
    score: Callable[[int], float | None]

    def should_preserve(
        self,
        checkpoints: Sequence[checkpoint_managers.PolicyCheckpointInfo],
        *,
        context: checkpoint_managers.PreservationContext,
    ) -> list[bool]:
        """Says which checkpoints to keep, in the order given (oldest first)."""
        steps = [checkpoint.step for checkpoint in checkpoints]
        scores = [(self.score(step), step) for step in steps]
        scored = [(score, -step) for score, step in scores if score is not None]
        best = -max(scored)[1] if scored else None
        return [step == best or step in steps[-self.latest :] for step in steps]


def open_manager(
    directory: AnyPath, latest: int, score: Callable[[int], float | None]
) -> ocp.CheckpointManager:
    """Opens an asynchronous orbax manager that keeps what `LatestAndBest` says.

    Half-written checkpoints of a killed process are removed.
    """
    options = ocp.CheckpointManagerOptions(
        preservation_policy=LatestAndBest(latest, score),
        cleanup_tmp_directories=True,
        enable_async_checkpointing=True,
        # Made in the background, a folder that cannot be made leaves threads that wait for it,
        # for minutes: the command would print its line and not end.
        async_options=ocp.AsyncOptions(create_directories_asynchronously=False),
        # Scores come from the metrics file; a damaged metadata file must not stop us here.
        lightweight_initialize=True,
        # A bucket has no rename: what is whole is marked. orbax knows that of gs:// alone.
        temporary_path_class=atomicity.CommitFileTemporaryPath
        if storage.is_remote(directory)
        else None,
    )
    return ocp.CheckpointManager(storage.absolute(directory), options=options)


def save(manager: ocp.CheckpointManager, step: int, tree: object) -> None:
    """Starts to save a tree of arrays; returns when the device memory may be reused.

    A step that is there already is left as it is: the state at a step never changes.
    """
    if step in manager.all_steps():
        return
    state = NpzSave(tree) if _as_npz(manager.directory) else ocp.args.StandardSave(tree)
    manager.save(
        step,
        args=ocp.args.Composite(
            state=state,
            digest=ocp.args.JsonSave({"sha256": tree_digest(tree)}),
        ),
        force=True,
    )


def restore_latest(
    directory: AnyPath, template: Tree, report: Callable[[str], None]
) -> tuple[int, Tree] | None:
    """Reads the newest checkpoint that is exactly what was saved.

    Damaged ones are removed, or saving the same step again would be skipped.

    Args:
      directory: the folder of one manager; it need not exist.
      template: a tree of `jax.ShapeDtypeStruct` or arrays, the shape of what was saved.
      report: receives one line for each damaged checkpoint.

    Returns:
      (step, tree of NumPy arrays), or None where there is none. Every process gets the same.
    """
    steps = saved_steps(directory)
    wait_for_all(f"listed {directory}")
    for step in reversed(steps):
        tree, reason = None, "another process cannot read it"
        try:
            tree = _restore(directory / str(step), template)
        except Exception as error:
            # Damage shows as any exception, from JSON, tensorstore, orbax or ourselves. What the
            # machine lacks is none: nothing may be removed for it.
            if lacking(error):
                raise
            reason = str(error).strip().split("\n")[0][:120]
        if all_agree(tree is not None) and tree is not None:
            return step, tree
        report(f"checkpoint {directory / str(step)} is damaged ({reason}): left out")
        if is_primary():
            storage.remove_tree(directory / str(step))
    return None


def restore(directory: AnyPath, step: int, template: Tree) -> Tree | None:
    """Reads the checkpoint of a step as NumPy arrays; None where it is not what was saved.

    Args:
      directory: see `restore_latest`.
      step: one of `saved_steps`.
      template: see `restore_latest`.
    """
    try:
        return _restore(directory / str(step), template)
    except Exception as error:  # see `restore_latest`
        if lacking(error):
            raise
        return None


def saved_steps(directory: AnyPath) -> list[int]:
    """Lists the steps with a committed checkpoint, ascending."""
    if not directory.is_dir():
        return []
    steps = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
    if storage.is_remote(directory):
        marked = [
            (directory / str(step) / atomicity.COMMIT_SUCCESS_FILE).exists() for step in steps
        ]
        steps = [step for step, whole in zip(steps, marked, strict=True) if whole]
    return sorted(steps)


def _as_npz(directory: AnyPath) -> bool:
    # For arrays orbax has tensorstore's drivers for files and gs:// only.
    return str(directory).startswith("s3://")


def tree_digest(tree: object) -> str:
    """Computes the SHA-256 over path, dtype, shape and bytes of every leaf."""
    sha = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(jax.device_get(tree)):
        array = np.asarray(leaf)
        sha.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def _restore(directory: AnyPath, template: Tree) -> Tree:
    # As NumPy arrays: what was saved on other devices, in other numbers, is the same here.
    template = jax.tree.map(
        lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape), template
    )
    npz = _as_npz(directory)
    state = NpzRestore(template) if npz else ocp.args.StandardRestore(template)
    handlers = {"state": NpzHandler()} if npz else {}
    with ocp.Checkpointer(
        ocp.CompositeCheckpointHandler("state", "digest", **handlers),
    ) as checkpointer:
        restored = checkpointer.restore(
            storage.absolute(directory),
            args=ocp.args.Composite(state=state, digest=ocp.args.JsonRestore()),
        )
    if tree_digest(restored["state"]) != restored["digest"]["sha256"]:
        raise ValueError("its content is not what was saved")
    found: Tree = restored["state"]
    return found
