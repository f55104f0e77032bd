"""Whose states a folder of checkpoints holds, and what speaks against one of its checkpoints."""

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial

import numpy as np

from rethinking_jax import config as configs
from rethinking_jax.step.state import Carry
from rethinking_jax.sweep.engine import Run
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.checkpoint import Objection, Whose
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath, short_name

# What a state holds of the config of its run.
HELD = ("seed", "learning_rate", "momentum", "weight_decay", "dropout_rate")


def chunk_name(names: Sequence[str]) -> str:
    """Returns the name of the folder of checkpoints of runs that train together.

    No two chunks of a workdir, which share no run, have the same.

    Args:
      names: the names of the runs.
    """
    if len(names) == 1 and re.search(r"\+\d+$", names[0]):
        # This run is called as several would be whose first has the rest of its name.
        return short_name(f"{names[0]}+0")
    return former_chunk_name(names)


def former_chunk_name(names: Sequence[str]) -> str:
    """Returns the name of the same folder in the version before, which two chunks could share."""
    return short_name(names[0] + (f"+{len(names) - 1}" if len(names) > 1 else ""))


def folder_of(checkpoints: AnyPath, names: Sequence[str]) -> AnyPath:
    """Returns the folder of checkpoints of some runs, that of the version before if it is there."""
    folder, former = checkpoints / chunk_name(names), checkpoints / former_chunk_name(names)
    return former if former.is_dir() and not folder.exists() else folder


def whose(runs: Sequence[configs.Member | Run]) -> Whose:
    """Says whose the states of runs are that train together; their batch sizes are known."""
    own = [run.config for run in runs]
    names = tuple(run.name for run in runs)
    return Whose(names, configs.runs_digest(own), cache(partial(configs.shorter_digests, own)))


def objection_of(
    runs: Sequence[configs.Member | Run], lines: Mapping[str, Sequence[Line]]
) -> Objection[Carry]:
    """Makes a function that compares the states of runs with their step, configs and lines.

    It asks what has always been saved, and so it knows the checkpoints of every version.

    Args:
      runs: the runs, in the order of the members of a checkpoint.
      lines: what was measured of each run, by its name.
    """

    def objection(step: int, carry: Carry) -> str | None:
        for key in HELD:
            found = np.asarray(getattr(carry[0].hyper, key))
            wanted = np.array([run.config[key] for run in runs], found.dtype)
            if not np.array_equal(found, wanted):
                return f"it is of runs with {key}={_short(found)}, not {_short(wanted)}"
        for run, taken in zip(runs, carry[0].step.tolist(), strict=True):
            own = [line for line in lines.get(run.name, []) if line["step"] <= step]
            # Once a run is through, the checkpoints of others have it as it ended.
            reached = own[-1]["step"] if metrics.finished(own, run.config) else step
            if taken != reached:
                return f"it has {run.name} at step {taken:,}, not {reached:,}"
        return None

    return objection


def _short(values: np.ndarray) -> str:
    shown = [f"{value:g}" for value in np.unique(values)]
    return "/".join(shown[:3] + ["..."] * (len(shown) > 3))
