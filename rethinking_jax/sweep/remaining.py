"""How much longer training takes, from the epochs that were measured."""

from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple, TypeAlias

from rethinking_jax.step.flops import forward_flops
from rethinking_jax.sweep.build import input_shape, make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Line

LAST = 5  # epochs that count: more would hide for long that a machine has become slower


class Ahead(NamedTuple):
    """What some runs that train together have before them.

    Attributes:
      kind: what takes the same time for an epoch has the same, such as all seeds of a network.
      members: how many runs they are.
      work: how much an epoch of one of them computes; only the ratio to that of others matters.
      epochs: the most epochs that are left, with the share of one that is under way.
      may_stop: whether they end sooner where they have fitted.
    """

    kind: Hashable
    members: int
    work: float
    epochs: float
    may_stop: bool


class Pace(NamedTuple):
    """How long the last epochs took of one kind and number of members.

    Attributes:
      work: how much such an epoch computes, of all members.
      seconds: the time from the end of one epoch to that of the next, measuring, saving and the
        departure of members included.
      first: whether all that is known is a first epoch, which is compiled, too.
    """

    work: float
    seconds: tuple[float, ...]
    first: bool


# By kind and number of members; what was measured last comes last.
Paces: TypeAlias = dict[tuple[Hashable, int], Pace]


class Left(NamedTuple):
    """How long something takes yet.

    Attributes:
      seconds: the time.
      at_most: whether it may well be less: runs may have fitted, or all that is known is an epoch
        that was compiled, too.
      compared: whether some of it was never measured, and is judged by its work.
    """

    seconds: float
    at_most: bool
    compared: bool


def measured(paces: Paces, own: Ahead, seconds: float, first: bool) -> Paces:
    """Returns the paces with one more epoch.

    Args:
      paces: what was measured before.
      own: what trained, with the members that took part.
      seconds: how long the epoch took.
      first: whether it was the first one of a chunk, which may have been compiled.
    """
    key = own.kind, own.members
    known = paces.get(key)
    others = {other: pace for other, pace in paces.items() if other != key}
    # A number of members that is new is compiled anew, too.
    if known is None or (first and known.first):
        return {**others, key: Pace(own.members * own.work, (seconds,), True)}
    if not first:
        kept = () if known.first else known.seconds
        known = known._replace(seconds=(*kept, seconds)[-LAST:], first=False)
    return {**others, key: known}


def left(ahead: Sequence[Ahead], paces: Paces) -> Left | None:
    """Returns how long it takes to train what is ahead; None where nothing was measured yet.

    What has no pace of its own takes as much longer than the last that has one as it computes more.
    """
    if not paces:
        return None
    last = list(paces.values())[-1]
    seconds, at_most, compared = 0.0, False, False
    for one in ahead:
        pace = paces.get((one.kind, one.members))
        ratio = 1.0 if pace else one.members * one.work / last.work
        seconds += one.epochs * ratio * fmean((pace or last).seconds)
        at_most |= one.may_stop or (pace or last).first
        compared |= pace is None
    return Left(seconds, at_most, compared)


def told(found: Left) -> str:
    """Says how long something takes yet: "at most 0:04:00 left"."""
    words = [*(["at most"] if found.at_most else []), *(["about"] if found.compared else [])]
    seconds = int(found.seconds)
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{' '.join(words or ['about'])} {clock} left"


def of_chunk(chunk: Chunk, members: int, epochs: float) -> Ahead:
    """Returns what some members of a chunk have before them that have so many epochs left."""
    config, data = chunk.config, chunk.dataset
    forward = forward_flops(make_model(config, data.num_classes), input_shape(config, data))
    evaluated = (config.train_eval_examples or chunk.train_size) + len(data.test.labels)
    # A step computes about three times as much as the network does forward.
    images = 3 * chunk.train_size + evaluated / config.measure_every
    return Ahead(id(chunk.engine), members, forward * images, epochs, config.stop_when_fitted)


def of_lines(chunk: Chunk, lines: Mapping[str, Sequence[Line]]) -> Ahead:
    """Returns what a chunk has before it whose runs have come so far as their lines."""
    going_on = [
        own[-1]["epoch"] if own else 0
        for run in chunk.runs
        for own in [lines.get(run.name, [])]
        if not metrics.finished(own, run.config)
    ]
    done = min(going_on, default=chunk.config.epochs)
    return of_chunk(chunk, len(going_on), chunk.config.epochs - done)
