"""Checkpoints that can be trusted: orbax, with a digest of what was saved.

Orbax writes asynchronously and commits by a rename, so a kill leaves the last
committed checkpoint. It does not notice a flipped bit in an array file, nor that a
folder was renamed; the SHA-256 that is stored beside the arrays does. It covers all
leaves, the step, and whose the states are. A checkpoint that is not exactly what was
saved at its step, of these runs, is given up for the one before.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers, multihost
from orbax.checkpoint.path import atomicity

from rethinking_jax.errors import first_line, lacking
from rethinking_jax.host.processes import all_agree, is_primary, wait_for_all
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.npz_handler import NpzHandler, NpzRestore, NpzSave
from rethinking_jax.workdir.storage import AnyPath

Tree = TypeVar("Tree")  # a tree of arrays
# (step, states) -> what speaks against a whole checkpoint, or None.
Objection: TypeAlias = Callable[[int, Tree], str | None]


class Whose(NamedTuple):
    """Whose states a folder of checkpoints holds.

    Attributes:
      members: the names of the runs, in the order of the leading axis of every array.
      config: a digest of what these runs are.
      shorter: gives the digests of the same runs with fewer epochs. No step depends on how many
        are to come, and so their states are those of these runs.
    """

    members: tuple[str, ...]
    config: str
    shorter: Callable[[], Collection[str]] = tuple


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

    Raises:
      UserError: a file stands where the folder should be.
    """
    storage.check_place(directory, folder=True, write=True)
    options = ocp.CheckpointManagerOptions(
        preservation_policy=LatestAndBest(latest, score),
        cleanup_tmp_directories=True,
        enable_async_checkpointing=True,
        # Made in the background, a folder that cannot be made leaves threads that wait for it,
        # for minutes: the command would print its line and not end.
        async_options=ocp.AsyncOptions(
            create_directories_asynchronously=False,
            barrier_sync_fn=_meet if jax.process_count() > 1 else None,
        ),
        # Scores come from the metrics file; a damaged metadata file must not stop us here.
        lightweight_initialize=True,
        # A bucket has no rename: what is whole is marked. orbax knows that of gs:// alone.
        temporary_path_class=atomicity.CommitFileTemporaryPath
        if storage.is_remote(directory)
        else None,
    )
    return ocp.CheckpointManager(storage.absolute(directory), options=options)


def _meet(*, key: str, timeout_ms: int) -> None:
    """Waits for the other processes of a save, but not where this one has failed.

    orbax waits for them then, too, and they for the save: for 20 minutes, without a word.
    """
    error = sys.exc_info()[1]
    if error is not None:
        raise error
    multihost.get_barrier_sync_fn()(key=key, timeout_ms=timeout_ms)


def save(manager: ocp.CheckpointManager, step: int, tree: object, whose: Whose) -> None:
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
            digest=ocp.args.JsonSave(
                {
                    "sha256": _digest(step, tree, whose),
                    "step": step,
                    "members": whose.members,
                    "config": whose.config,
                }
            ),
        ),
        force=True,
    )


def restore_latest(
    directory: AnyPath,
    template: Tree,
    whose: Whose,
    report: Callable[[str], None],
    objection: Objection[Tree] = lambda step, tree: None,
) -> tuple[int, Tree] | None:
    """Reads the newest checkpoint that is exactly what was saved, and that nothing speaks against.

    Others are set aside, for saving a step that is there is skipped.

    Args:
      directory: the folder of one manager; it need not exist.
      template: a tree of `jax.ShapeDtypeStruct` or arrays, the shape of what was saved.
      whose: whose the states must be.
      report: receives one line for each checkpoint that is left out.
      objection: is asked of each that is whole.

    Returns:
      (step, tree of NumPy arrays), or None where there is none. Every process gets the same.
    """
    steps = saved_steps(directory)
    wait_for_all(f"listed {directory}")
    for step in reversed(steps):
        path, tree = directory / str(step), None
        try:
            tree, why = _restore(path, step, template, whose)
            why = why or objection(step, tree)
        except Exception as error:
            # Damage shows as any exception, from JSON, tensorstore, orbax or ourselves. What the
            # machine lacks is none: nothing may be removed for it.
            if lacking(error):
                raise
            why = f"it is damaged ({first_line(error)})"
        if all_agree(why is None) and tree is not None:
            return step, tree
        report(f"checkpoint {path} is left out: {why or 'another process cannot take it'}")
        if is_primary():
            _set_aside(path)
    return None


def restore(
    directory: AnyPath,
    step: int,
    template: Tree,
    whose: Whose,
    objection: Objection[Tree] = lambda step, tree: None,
) -> Tree | None:
    """Reads the checkpoint of a step as NumPy arrays; None where it is not what was saved.

    Args:
      directory: see `restore_latest`.
      step: one of `saved_steps`.
      template: see `restore_latest`.
      whose: see `restore_latest`.
      objection: see `restore_latest`.
    """
    try:
        tree, why = _restore(directory / str(step), step, template, whose)
        return None if why or objection(step, tree) else tree
    except Exception as error:  # see `restore_latest`
        if lacking(error):
            raise
        return None


def members_of(directory: AnyPath) -> list[str] | None:
    """Returns the names of the runs whose states a folder holds, from its newest checkpoint.

    Returns:
      None where there is no checkpoint, or only those of a version that did not keep the names.
    """
    for step in reversed(saved_steps(directory)):
        try:
            return [str(name) for name in _stored_digest(directory / str(step))["members"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def saved_steps(directory: AnyPath) -> list[int]:
    """Lists the steps with a committed checkpoint, ascending."""
    if not directory.is_dir():
        return []
    steps = [int(path.name) for path in directory.iterdir() if _is_step(path.name)]
    if storage.is_remote(directory):
        marked = [
            (directory / str(step) / atomicity.COMMIT_SUCCESS_FILE).exists() for step in steps
        ]
        steps = [step for step, whole in zip(steps, marked, strict=True) if whole]
    return sorted(steps)


def _is_step(name: str) -> bool:
    return name.isdecimal() and name == str(int(name))


def _set_aside(path: AnyPath) -> None:
    """Gives a whole checkpoint that is not taken a name that is no step; a bucket has none."""
    if storage.is_remote(path):
        storage.remove_tree(path)
        return
    aside = path.with_name(f"{path.name}.left-out")
    if aside.exists():
        storage.remove_tree(aside)
    path.rename(aside)


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


def _digest(step: int, tree: object, whose: Whose) -> str:
    """Computes the SHA-256 over a step, whose the states are, and the states."""
    text = json.dumps([step, whose.members, whose.config, tree_digest(tree)])
    return hashlib.sha256(text.encode()).hexdigest()


def _stored_digest(directory: AnyPath) -> Json:
    """Reads what is stored beside the states of a checkpoint, as orbax writes JSON."""
    return dict(json.loads((directory / "digest" / "metadata").read_text()))


def _restore(
    directory: AnyPath, step: int, template: Tree, whose: Whose
) -> tuple[Tree, str | None]:
    """Reads a checkpoint; returns it with what speaks against it, raises where it is damaged."""
    digest = _stored_digest(directory)
    stored = None
    if "members" in digest:  # the version before kept the digest of the states alone
        stored = Whose(tuple(digest["members"]), digest["config"])
        if why := _another(digest["step"], step, stored, whose):
            return template, why
    # As NumPy arrays: what was saved on other devices, in other numbers, is the same here.
    template = jax.tree.map(
        lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape), template
    )
    npz = _as_npz(directory)
    state = NpzRestore(template) if npz else ocp.args.StandardRestore(template)
    handlers = {"state": NpzHandler()} if npz else {}
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler("state", **handlers)) as checkpointer:
        restored = checkpointer.restore(
            storage.absolute(directory), args=ocp.args.Composite(state=state)
        )
    found: Tree = restored["state"]
    made = tree_digest(found) if stored is None else _digest(step, found, stored)
    if made != digest["sha256"]:
        raise ValueError("its content is not what was saved")
    shapes, wanted = ([(x.shape, x.dtype) for x in jax.tree.leaves(t)] for t in (found, template))
    return found, None if shapes == wanted else "its arrays have other shapes"


def _another(stored_step: int, step: int, stored: Whose, whose: Whose) -> str | None:
    """Says what makes a checkpoint another one than was looked for."""
    if stored_step != step:
        return f"it is that of step {stored_step:,}"
    if stored.members != whose.members:
        return f"it is of other runs ({', '.join(stored.members)})"
    known = stored.config == whose.config or stored.config in whose.shorter()
    return None if known else "it is of runs with another config"
