"""Chunks of earlier sessions, cut again where the command lets fewer runs train together.

After running out of memory a user resumes with fewer `max_members`, or with vectorize=loop. A
checkpoint holds all members of a chunk, so each new chunk is given its members' part.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeAlias

import jax
import numpy as np

from rethinking_jax.config import Member
from rethinking_jax.host.processes import all_agree
from rethinking_jax.step.state import Carry
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.groups import chunk_name, places_of
from rethinking_jax.sweep.position import fresh
from rethinking_jax.workdir import checkpoint, metrics
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath

Names: TypeAlias = Sequence[str]  # the names of the runs of a chunk


def cut_again(
    stored: Sequence[Names],
    members: Sequence[Member],
    lines: Mapping[str, Sequence[Line]],
    devices: Sequence[jax.Device],
) -> list[Names]:
    """Returns the chunks of earlier sessions as this command trains them on.

    A chunk that is through stays as it is, and so does one that is small enough.

    Args:
      stored: the chunks of earlier sessions.
      members: the runs of the command.
      lines: what was measured of each run, by its name.
      devices: to spread the members over.
    """
    configs = {member.name: member.config for member in members}

    def largest(names: Names) -> int:
        config = configs[names[0]]
        if all(metrics.finished(lines.get(name, []), configs[name]) for name in names):
            return len(names)
        loop = config.vectorize == "loop"
        return places_of(config, devices) if loop else int(config.max_members) or len(names)

    return [
        names[i : i + size]
        for names in stored
        if configs.keys() >= set(names)
        for size in [largest(names)]
        for i in range(0, len(names), size)
    ]


def divide_checkpoints(
    chunks: Sequence[Chunk], stored: Sequence[Names], folder: AnyPath
) -> list[AnyPath]:
    """Gives each chunk that was cut out of a stored one its members' part of the checkpoints.

    What is there already stays: the state at a step never changes.

    Args:
      chunks: the chunks that train now.
      stored: the chunks of earlier sessions.
      folder: where each chunk has its folder of checkpoints.

    Returns:
      The folders of checkpoints that are needed no more, once `chunks` are stored.
    """
    whole_of = {name: names for names in stored for name in names}
    old = []
    for chunk in chunks:
        names = [run.name for run in chunk.runs]
        whole = whole_of.get(names[0], names)
        if len(whole) > len(names):
            old.append(folder / chunk_name(whole))
            part = np.array([whole.index(name) for name in names])
            _divide(old[-1], folder / chunk.name, _template(chunk, len(whole)), part)
    return [path for path in dict.fromkeys(old) if path.exists()]


def _template(chunk: Chunk, members: int) -> Carry:
    """Returns the shapes of a checkpoint of so many members like those of a chunk."""

    def many(leaf: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((members, *leaf.shape[1:]), leaf.dtype)

    template: Carry = jax.tree.map(many, jax.eval_shape(partial(fresh, chunk)))
    return template


def _divide(old: AnyPath, new: AnyPath, template: Carry, part: np.ndarray) -> None:
    """Saves some members of each whole checkpoint of a folder in another one."""
    steps = checkpoint.saved_steps(old)
    if not steps:
        return
    with checkpoint.open_manager(new, len(steps), lambda step: None) as manager:
        for step in steps:
            whole = checkpoint.restore(old, step, template)
            if all_agree(whole is not None):
                own = jax.tree.map(lambda leaf: leaf[part], whole)
                checkpoint.save(manager, step, own)
