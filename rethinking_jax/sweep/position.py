"""Where a chunk of runs stands between two steps, and which of its members go on.

A checkpoint holds all members of a chunk; the devices hold those that go on, and copies that
fill up the places of the mesh.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from rethinking_jax.host.processes import fetch, is_primary, wait_for_all
from rethinking_jax.step.state import Carry
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk, Feed, Feeds
from rethinking_jax.sweep.mesh import slots, spread
from rethinking_jax.sweep.program import zero_running
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
    state = chunk.engine.init(groups.hyper(chunk.runs))
    return state, zero_running(len(chunk.runs), chunk.config.gradient_norm)


def restored(chunk: Chunk, stage: Stage) -> tuple[int, Carry] | None:
    """Reads step and states of a chunk's newest whole checkpoint; None where there is none."""
    template = jax.eval_shape(partial(fresh, chunk))
    return checkpoint.restore_latest(stage.checkpoints(chunk), template, stage.progress.message)


def resumed(chunk: Chunk, stage: Stage, feeds: Feeds) -> Position:
    """Finds where a chunk stands: at its newest whole checkpoint, or at the very start.

    The metrics file is cut back to that step.
    """
    step, whole = restored(chunk, stage) or (0, jax.device_get(fresh(chunk)))
    names = [run.name for run in chunk.runs]
    lines: dict[str, list[Line]] = {name: [] for name in names}
    others = []
    for line in metrics.read_lines(stage.metrics_file):
        if line["member"] not in names:
            others.append(line)
        elif line["step"] <= step:
            lines[line["member"]].append(line)
    # In the order in which an uninterrupted run writes them: by epoch, then by member.
    kept = sorted((line for name in names for line in lines[name]), key=lambda line: line["epoch"])
    wait_for_all(f"read {chunk.name}")
    if is_primary():
        metrics.write_lines(stage.metrics_file, [*others, *kept])
    if step:
        stage.progress.message(f"{chunk.name}: resuming from step {step:,}")
    if any(own and own[-1]["step"] == step for own in lines.values()):
        # Saved between the last step of an epoch and its measurement, which came after all.
        whole = whole[0], jax.tree.map(np.zeros_like, whole[1])
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
