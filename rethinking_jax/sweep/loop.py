"""The epochs of one chunk of runs: train, measure, write, checkpoint, stop, resume.

The order within an epoch makes a kill harmless at any moment: metrics lines reach the
disk before the checkpoint of their epoch is started, and a restart cuts the lines back
to the checkpoint that it resumes from. With several processes all of them come here, find
the same, and the first one writes.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import NamedTuple

import jax
import orbax.checkpoint as ocp

from rethinking_jax.errors import RunFailed
from rethinking_jax.sweep import recorder, remaining
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.measure import is_due, measured
from rethinking_jax.sweep.norms import norms_of
from rethinking_jax.sweep.position import Position, everyone, resumed, unfinished, without
from rethinking_jax.sweep.progress import SoFar
from rethinking_jax.sweep.saved import whose
from rethinking_jax.sweep.stage import Stage, saves
from rethinking_jax.workdir import checkpoint, metrics
from rethinking_jax.workdir.metrics import Line


def is_complete(chunk: Chunk, stage: Stage, lines: Mapping[str, list[Line]]) -> bool:
    """Says whether a chunk needs no more training: its lines end and its last state is saved."""
    own, per_epoch = [lines.get(run.name, []) for run in chunk.runs], chunk.steps_per_epoch
    for run, its in zip(chunk.runs, own, strict=True):
        if not metrics.finished(its, run.config) or metrics.flaw(its, run.config, per_epoch):
            return False
    if not recorder.is_written(chunk, [len(its) for its in own], stage.workdir):
        return False
    step: int = max(member[-1]["step"] for member in own)
    if not saves(chunk.config) or _nothing_to_save(own, step):
        return True
    last = chunk.config.epochs * per_epoch
    return any(step <= at <= last for at in checkpoint.saved_steps(stage.checkpoints(chunk)))


def train_chunk(chunk: Chunk, stage: Stage) -> None:
    """Trains the runs of a chunk to their ends, from their last checkpoint if there is one.

    What comes of it are lines in `metrics.jsonl` and checkpoints.

    Raises:
      RunFailed: stopped by a signal; the message says what is saved.
      UserError: see `rethinking_jax.sweep.measure.measured`.
    """
    config, per_epoch = chunk.config, chunk.steps_per_epoch
    feeds, norms, besides = chunk.engine.open(chunk), norms_of(chunk), stage.measure(chunk)
    position = resumed(chunk, stage, feeds)
    rest = config.epochs - position.step / per_epoch
    own = remaining.of_chunk(chunk, len(position.active), rest)
    with (
        stage.progress.showing(stage.place + chunk.name, config.epochs, own, stage.later),
        _open_saver(chunk, stage, position.lines) as saver,
    ):
        while position.active:
            before = position.active
            if not is_due(chunk, position):
                position = _train_epoch(chunk, stage, saver, position)
            if is_due(chunk, position):
                position = measured(chunk, stage, position, norms, besides)
                still = unfinished(chunk, position.lines, before)
                position = without(chunk, feeds, position, still)
            epoch, within = divmod(position.step, per_epoch)
            reason = stage.stop_requested() if position.active else None
            left = position.active != before  # a member that ends is saved as it ended
            due = within == 0 and config.checkpoint_every and epoch % config.checkpoint_every == 0
            if reason or left or due:
                _save(saver, position)
            if reason:
                raise RunFailed(_stopped(chunk, stage, saver, position, reason))
        epochs = [len(position.lines[run.name]) for run in chunk.runs]
        recorder.write_part(chunk, everyone(position)[0], epochs, stage.workdir)


class Saver(NamedTuple):
    """What saves a chunk, and whose states it says they are."""

    manager: ocp.CheckpointManager
    whose: checkpoint.Whose


@contextmanager
def _open_saver(
    chunk: Chunk, stage: Stage, lines: Mapping[str, list[Line]]
) -> Iterator[Saver | None]:
    """Opens a chunk's checkpoints, None where the config wants none; waits for the last save."""

    def score(step: int) -> float | None:
        at_step = [line[f"{metrics.judged_on(line)}_accuracy"] for own in lines.values()
                   for line in own if line["step"] == step]  # fmt: skip
        return sum(at_step) / len(at_step) if at_step else None

    if not saves(chunk.config):
        yield None
        return
    keep = chunk.config.checkpoints_to_keep
    with checkpoint.open_manager(stage.checkpoints(chunk), keep, score) as manager:
        yield Saver(manager, whose(chunk.runs))


def _save(saver: Saver | None, position: Position) -> None:
    if saver and not _nothing_to_save(position.lines.values(), position.step):
        checkpoint.save(saver.manager, position.step, everyone(position), saver.whose)


def _nothing_to_save(lines: Iterable[list[Line]], step: int) -> bool:
    """Says whether all that changed last is members whose loss stopped being a number."""
    ended = [own[-1] for own in lines if own and own[-1]["step"] == step]
    return bool(ended) and all(map(metrics.diverged, ended))


def _train_epoch(chunk: Chunk, stage: Stage, saver: Saver | None, position: Position) -> Position:
    """Trains the rest of the current epoch, or less of it if the run is asked to stop."""
    started = time.perf_counter()
    config, per_epoch = chunk.config, chunk.steps_per_epoch
    size = chunk.train_size
    epoch, first = divmod(position.step, per_epoch)
    seen, waited = 0, 0.0
    trained = position.feed.train(position.carry, epoch, first)
    with closing(stage.profile(trained, position.step, per_epoch)) as pieces:
        for piece in pieces:
            waited += piece.waited
            step = epoch * per_epoch + piece.done
            position = position._replace(step=step, carry=piece.carry)
            seen = min(piece.done * config.batch_size, size) - first * config.batch_size
            stage.progress.batch(step / per_epoch, partial(_so_far, position, seen, started))
            if piece.done == per_epoch or stage.stop_requested():
                break
            if config.checkpoint_every_steps and step % config.checkpoint_every_steps == 0:
                _save(saver, position)
    jax.block_until_ready(position.carry[1])
    seconds = time.perf_counter() - started
    return position._replace(speed=seen / seconds, waited=waited / seconds)


def _so_far(position: Position, seen: int, started: float) -> SoFar:
    """Says how an epoch goes; it waits for the last step."""
    members, running = len(position.active), position.carry[1]
    accuracies = []
    # Processes look at different times: what all of them must fetch together is left out.
    if running.correct.is_fully_addressable or running.correct.is_fully_replicated:
        correct, count = jax.device_get((running.correct, running.count))
        accuracies = (correct[:members] / count[:members]).tolist()
    return SoFar(members * seen / (time.perf_counter() - started), accuracies)


def _stopped(
    chunk: Chunk,
    stage: Stage,
    saver: Saver | None,
    position: Position,
    reason: str,
) -> str:
    """Waits for the last save and says what is saved, for the message of a stopped run."""
    if saver is None:
        return (
            f"stopped by {reason}: with checkpoint_every=0 {chunk.name} is not saved and "
            f"starts again with the same command: {stage.command}"
        )
    saver.manager.wait_until_finished()
    saved = stage.checkpoints(chunk) / str(position.step)
    return f"stopped by {reason}: saved {saved}; to go on, run again: {stage.command}"
