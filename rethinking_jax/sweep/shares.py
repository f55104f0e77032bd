"""The runs of a sweep in parts, so that independent jobs train one part each."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from ml_collections import ConfigDict

from rethinking_jax.config import Member, Overrides, parse_sweep, runs
from rethinking_jax.errors import UserError
from rethinking_jax.sweep.groups import group_key
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.share import SHARE, WHOLE

# How far a cut may move to the end of a group, as a share of the runs of a task.
LEEWAY = 0.25


class Share(NamedTuple):
    """One of several parts of a sweep: `task` from 1 to `tasks`."""

    task: int
    tasks: int

    @property
    def text(self) -> str:
        """The share as `--runs` takes it, such as "2/4"."""
        return f"{self.task}/{self.tasks}"

    def keys(self, sweep: Sequence[Overrides]) -> Json:
        """Returns what config.json says of the share, given the whole sweep."""
        return {SHARE: self.text, WHOLE: list(sweep)}


def share_of(text: str, config: ConfigDict) -> Share:
    """Returns the share that a text such as "2/4" names.

    Args:
      text: what `--runs` was given.
      config: the config of all runs.

    Raises:
      UserError: it names none, or the runs of the config must stay together.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if not found:
        raise UserError(f"--runs={text}: expected TASK/TASKS, such as --runs=1/4")
    share = Share(int(found[1]), int(found[2]))
    if not 1 <= share.task <= share.tasks:
        raise UserError(f"--runs={text}: tasks are counted from 1 to {share.tasks}")
    if "kind" in config:
        raise UserError(
            f"--runs={text} has no effect on config.kind={config.kind}, which is measured as a "
            "whole: it is for sweeps of runs that train"
        )
    count = len(parse_sweep(config))
    if share.tasks > count:
        raise UserError(f"--runs={text}: there are {count} runs, and so at most {count} tasks")
    if config.validation_examples:
        raise UserError(
            f"--runs={text}: config.validation_examples={config.validation_examples} chooses "
            "among all runs, which must be in one command"
        )
    return share


def places(members: Sequence[Member], share: Share) -> list[int]:
    """Returns which runs a share has, as places in the sweep, ascending.

    Runs that train as one program are put side by side, groups in the order of their first runs,
    and this row is cut, see `cuts`. So every run is in just one share, and a share depends on the
    config alone.
    """
    groups: dict[str, list[int]] = {}
    for place, member in enumerate(members):
        groups.setdefault(group_key(member.config), []).append(place)
    row = [place for group in groups.values() for place in group]
    first, end = cuts([len(group) for group in groups.values()], share.tasks)[share.task - 1 :][:2]
    return sorted(row[first:end])


def cuts(sizes: Sequence[int], tasks: int) -> list[int]:
    """Returns where a row of groups is cut into shares, none of them empty: from 0 to its length.

    Shares have the same number of runs, to one; but a cut moves to the nearest end of a group that
    is at most a quarter of a share away, for a group that is cut is compiled twice.

    Args:
      sizes: the number of runs of each group.
      tasks: the number of shares, at most that of all runs.
    """
    ends = list(accumulate(sizes))
    whole = ends[-1] / tasks  # the runs of a share

    def cut(task: int) -> int:
        place = ends[-1] * task // tasks
        end = min(ends, key=lambda end: abs(end - task * whole))
        # Of a share of less than two runs there is nothing to give away.
        return end if whole >= 2 and abs(end - task * whole) <= LEEWAY * whole else place

    return [0, *(cut(task) for task in range(1, tasks)), ends[-1]]


def part(config: ConfigDict, members: Sequence[Member], share: Share) -> ConfigDict:
    """Returns the config of the runs of a share alone.

    Args:
      config: of all runs, which may be of one run that no sweep names.
      members: all runs, checked as a whole: a key that only some runs use is one of all.
      share: which of them.
    """
    own = config.copy_and_resolve_references()
    if config.sweep:
        overrides = parse_sweep(config)
        own.sweep = runs([overrides[place] for place in places(members, share)])
    return own
