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
from rethinking_jax.sweep import saved
from rethinking_jax.sweep.engine import Chunk, Run
from rethinking_jax.sweep.groups import places_of
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
    chunks: Sequence[Chunk],
    stored: Sequence[Names],
    folder: AnyPath,
    lines: Mapping[str, Sequence[Line]],
) -> list[AnyPath]:
    """Gives each chunk that was cut out of a stored one its members' part of the checkpoints.

    What is there already stays: the state at a step never changes. A folder that the version
    before called otherwise is taken over, too.

    Args:
      chunks: the chunks that train now.
      stored: the chunks of earlier sessions.
      folder: where each chunk has its folder of checkpoints.
      lines: what was measured of each run, by its name.

    Returns:
      The folders of checkpoints that are needed no more, once `chunks` are stored.
    """
    run_of = {run.name: run for chunk in chunks for run in chunk.runs}
    whole_of = {name: names for names in stored if run_of.keys() >= set(names) for name in names}
    old = []
    for chunk in chunks:
        names = [run.name for run in chunk.runs]
        whole = whole_of.get(names[0], names)
        source = saved.folder_of(folder, whole)
        if source != folder / chunk.name and set(names) <= set(whole):
            old.append(source)
            _divide(source, chunk, [run_of[name] for name in whole], folder / chunk.name, lines)
    kept = [folder / chunk.name for chunk in chunks]
    return [path for path in dict.fromkeys(old) if path.exists() and path not in kept]


def _template(chunk: Chunk, members: int) -> Carry:
    """Returns the shapes of a checkpoint of so many members like those of a chunk."""

    def many(leaf: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((members, *leaf.shape[1:]), leaf.dtype)

    template: Carry = jax.tree.map(many, jax.eval_shape(partial(fresh, chunk)))
    return template


def _divide(
    old: AnyPath,
    chunk: Chunk,
    whole: Sequence[Run],
    new: AnyPath,
    lines: Mapping[str, Sequence[Line]],
) -> None:
    """Saves a chunk's members of each whole checkpoint of a folder in another one."""
    steps = checkpoint.saved_steps(old)
    if not steps:
        return
    names = [run.name for run in whole]
    part = np.array([names.index(run.name) for run in chunk.runs])
    template, all_runs = _template(chunk, len(whole)), saved.whose(whole)
    objection, own = saved.objection_of(whole, lines), saved.whose(chunk.runs)
    with checkpoint.open_manager(new, len(steps), lambda step: None) as manager:
        for step in steps:
            found = checkpoint.restore(old, step, template, all_runs, objection)
            if all_agree(found is not None):
                states = jax.tree.map(lambda leaf: leaf[part], found)
                checkpoint.save(manager, step, states, own)
