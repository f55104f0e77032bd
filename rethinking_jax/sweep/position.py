"""Where a chunk of runs stands between two steps, and which of its members go on.

A checkpoint holds all members of a chunk; the devices hold those that go on, and copies that
fill up the places of the mesh.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.host.processes import fetch, is_primary, wait_for_all
from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.state import Carry, extended, facts_of
from rethinking_jax.sweep import saved
from rethinking_jax.sweep.engine import Chunk, Feed, Feeds
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import slots, spread
from rethinking_jax.sweep.program import zero_running
from rethinking_jax.sweep.recorder import with_no_facts
from rethinking_jax.sweep.stage import Stage
from rethinking_jax.workdir import checkpoint, metrics
from rethinking_jax.workdir.metrics import Line


class Position(NamedTuple):
    """A chunk between two steps."""

    step: int
    whole: Carry  # all members, on the host; those that go on as they were when one left
    active: tuple[int, ...]  # the members that go on
    carry: Carry  # their states, and what fills up the devices (see `mesh.slots`)
    feed: Feed  # their examples
    lines: dict[str, list[Line]]  # the lines of each member so far
    speed: float = 0.0  # images per second of each member in this epoch; 0: not trained here
    waited: float = 0.0  # share of its time that was spent waiting for input


def fresh(chunk: Chunk) -> Carry:
    """Makes the states of a chunk's members before their first step, as checkpoints hold them."""
    state = with_no_facts(chunk, chunk.engine.init(hyper(chunk.runs)))
    if LOSSES[chunk.config.loss].remembers:
        shape = (len(chunk.runs), len(chunk.dataset.train), chunk.dataset.num_classes)
        state = extended(state, targets=jnp.zeros(shape))
    return state, zero_running(len(chunk.runs), chunk.config.gradient_norm)


def restored(
    chunk: Chunk, stage: Stage, lines: Mapping[str, list[Line]]
) -> tuple[int, Carry] | None:
    """Reads the newest checkpoint of a chunk that is whole and agrees with its lines, or None."""
    template = jax.eval_shape(partial(fresh, chunk))
    disagrees = saved.objection_of(chunk.runs, lines)

    def objection(step: int, carry: Carry) -> str | None:
        return disagrees(step, carry) or _lines_missing(chunk, stage, lines, step, carry)

    return checkpoint.restore_latest(
        stage.checkpoints(chunk),
        template,
        saved.whose(chunk.runs),
        stage.progress.message,
        objection,
    )


def _lines_missing(
    chunk: Chunk, stage: Stage, lines: Mapping[str, list[Line]], step: int, carry: Carry
) -> str | None:
    """Says why the lines up to a checkpoint are not what it was saved after."""
    per_epoch, file = chunk.steps_per_epoch, stage.metrics_file
    for i, run in enumerate(chunk.runs):
        own = [line for line in lines.get(run.name, []) if line["step"] <= step]
        if wrong := metrics.flaw(own, run.config, per_epoch):
            return f"{file} has {wrong}"
        epochs = metrics.measured_epochs(run.config, step // per_epoch)
        # Saved between the last step of an epoch and its measurement, it has sums over it yet.
        if epochs and epochs[-1] * per_epoch == step and carry[1].count[i] > 0:
            epochs = epochs[:-1]
        if metrics.finished(own, run.config):
            continue
        if len(own) < len(epochs):
            return f"{file} lacks epoch {epochs[len(own)]} of {run.name}"
        # What is summed until the next measurement was measured away, at an end that is none now.
        if step > (own[-1]["step"] if own else 0) and carry[1].count[i] == 0:
            return f"it is the end of {run.name} with fewer epochs than {run.config.epochs}"
    return None


def resumed(chunk: Chunk, stage: Stage, feeds: Feeds) -> Position:
    """Finds where a chunk stands: at its newest right checkpoint, or at the very start.

    The metrics file is cut back to that step.
    """
    names = [run.name for run in chunk.runs]
    every = metrics.read_lines(stage.metrics_file)
    found = metrics.by_member(every)
    step, whole = restored(chunk, stage, found) or (0, jax.device_get(fresh(chunk)))
    lines = {name: [x for x in found.get(name, []) if x["step"] <= step] for name in names}
    ends = [i for i, name in enumerate(names) if lines[name] and lines[name][-1]["step"] == step]
    partly = any(whole[0].step[i] == step and i not in ends for i in range(len(names)))
    # Saved before its measurement, a state has recorded nothing of it.
    unrecorded = facts_of(whole[0]) is not None and any(whole[1].count[i] > 0 for i in ends)
    if step and (partly or unrecorded):
        # Measured of some members only, or not of every example: it is measured again.
        for i in ends:
            lines[names[i]].pop()
    elif ends:
        # Saved between the last step of an epoch and its measurement, which came after all.
        whole = whole[0], jax.tree.map(np.zeros_like, whole[1])
    # In the order in which an uninterrupted run writes them: by epoch, then by member.
    kept = sorted((line for name in names for line in lines[name]), key=lambda line: line["epoch"])
    others = [line for line in every if line["member"] not in names]
    wait_for_all(f"read {chunk.name}")
    if is_primary():
        metrics.write_lines(stage.metrics_file, [*others, *kept])
    if step:
        stage.progress.message(f"{chunk.name}: resuming from step {step:,}")
    elif found.keys() & set(names):
        stage.progress.message(
            f"{chunk.name}: training starts again, for no checkpoint agrees with its lines"
        )
    active = unfinished(chunk, lines, range(len(names)))
    return Position(step, whole, active, *taken(chunk, feeds, whole, active), lines)


def unfinished(
    chunk: Chunk, lines: Mapping[str, list[Line]], candidates: Iterable[int]
) -> tuple[int, ...]:
    """Says which of some members of a chunk go on, by their lines."""
    runs = chunk.runs
    return tuple(i for i in candidates if not metrics.finished(lines[runs[i].name], runs[i].config))


def taken(chunk: Chunk, feeds: Feeds, whole: Carry, active: Sequence[int]) -> tuple[Carry, Feed]:
    """Puts the states and examples of the members that go on onto the devices of the chunk."""
    chosen = slots(active or (0,), len(chunk.runs), chunk.mesh.shape["member"])
    carry = jax.tree.map(lambda leaf: leaf[np.array(chosen)], whole)
    return spread(carry, chunk.mesh), feeds(chosen)


def everyone(position: Position) -> Carry:
    """Returns the states of all members on the host, those that are through as they ended."""
    if not position.active:
        return position.whole

    def put(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        merged = np.array(old)  # a copy: a checkpoint of the old one may still be on its way
        merged[list(position.active)] = new[: len(position.active)]
        return merged

    merged: Carry = jax.tree.map(put, position.whole, fetch(position.carry))
    return merged


def without(chunk: Chunk, feeds: Feeds, position: Position, still: tuple[int, ...]) -> Position:
    """Lets members of a chunk go; `still` are those that stay."""
    if still == position.active:
        return position
    whole = everyone(position)
    carry, feed = taken(chunk, feeds, whole, still)
    return position._replace(whole=whole, active=still, carry=carry, feed=feed)
