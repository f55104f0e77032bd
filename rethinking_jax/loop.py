"""The epochs of one chunk of runs: train, measure, write, checkpoint, stop, resume.

The order within an epoch makes a kill harmless at any moment: metrics lines reach the
disk before the checkpoint of their epoch is started, and a restart cuts the lines back
to the checkpoint that it resumes from.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from rethinking_jax import checkpoint, metrics, sweep
from rethinking_jax.errors import RunFailed
from rethinking_jax.mesh import slots, spread
from rethinking_jax.metrics import Line
from rethinking_jax.optimizer import learning_rate_schedule
from rethinking_jax.program import zero_running
from rethinking_jax.progress import ProgressReport
from rethinking_jax.sweep import Chunk, Run
from rethinking_jax.train import Examples, Running, TrainState

Carry = tuple[TrainState, Running]
Images = tuple[jax.Array, jax.Array]


class Stage(NamedTuple):
    """What the loop needs from the outside world."""

    workdir: Path
    command: str  # shown as the way to resume
    progress: ProgressReport
    stop_requested: Callable[[], str | None]  # why to stop, or None
    elapsed: Callable[[], float]  # seconds, earlier sessions included
    write_scalars: Callable[[Line], None]  # to TensorBoard, or nowhere
    place: str = ""  # of the chunk among all, such as "3/33 ", for the live line

    @property
    def metrics_file(self) -> Path:
        """Where the lines of all members go."""
        return self.workdir / "metrics.jsonl"

    def checkpoints(self, chunk: Chunk) -> Path:
        """The folder of a chunk's checkpoints."""
        return self.workdir / "checkpoints" / chunk.name


class Position(NamedTuple):
    """A chunk between two steps."""

    step: int
    whole: Carry  # all members, on the host; those that go on as they were when one left
    active: tuple[int, ...]  # the members that go on
    carry: Carry  # their states, and what fills up the devices (see `mesh.slots`)
    examples: tuple[Examples, Examples]  # training and test set, their labels
    lines: dict[str, list[Line]]  # of each member, so far


def is_complete(chunk: Chunk, stage: Stage, lines: dict[str, list[Line]]) -> bool:
    """Whether a chunk needs no more training: its lines end and its last state is saved."""
    own = [lines.get(run.name, []) for run in chunk.runs]
    if not all(metrics.finished(own[i], run.config) for i, run in enumerate(chunk.runs)):
        return False
    step = max(member[-1]["step"] for member in own)
    if chunk.runs[0].config.checkpoint_every == 0 or _nothing_to_save(own, step):
        return True
    return step in checkpoint.saved_steps(stage.checkpoints(chunk))


def train_chunk(chunk: Chunk, stage: Stage) -> None:
    """Trains the runs of a chunk to their ends, from their last checkpoint if there is one.

    What comes of it are lines in `metrics.jsonl` and checkpoints.

    Raises:
      RunFailed: stopped by a signal; the message says what is saved.
    """
    config = chunk.runs[0].config
    images = sweep.images(chunk)
    position = _resume(chunk, stage, images)
    per_epoch = sweep.steps_per_epoch(config, len(chunk.runs[0].train_labels))
    done = position.step / per_epoch
    with (
        stage.progress.showing(stage.place + chunk.name, config.epochs, done),
        _open_manager(chunk, stage, position.lines) as manager,
    ):
        while position.active:
            before = position.active
            position, speed = _train_epoch(chunk, stage, position)
            epoch, rest = divmod(position.step, per_epoch)
            if rest == 0:
                position = _measure_epoch(chunk, stage, images, position, speed)
            reason = stage.stop_requested() if position.active else None
            left = position.active != before  # a member that ends is saved as it ended
            due = rest == 0 and epoch % max(config.checkpoint_every, 1) == 0
            if reason or left or due:
                _save(chunk, manager, position)
            if reason:
                raise RunFailed(_stopped(chunk, stage, manager, position, reason))


def _resume(chunk: Chunk, stage: Stage, images: Images) -> Position:
    """Where the chunk stands: at its newest whole checkpoint, or at the very start."""
    fresh = partial(_fresh, chunk)
    restored = checkpoint.restore_latest(
        stage.checkpoints(chunk), jax.eval_shape(fresh), stage.progress.message
    )
    step, whole = jax.device_get(restored or (0, fresh()))
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
    metrics.write_lines(stage.metrics_file, [*others, *kept])
    if step:
        stage.progress.message(f"{chunk.name}: resuming from step {step:,}")
    active = _unfinished(chunk, lines, range(len(names)))
    return Position(step, whole, active, *_take(chunk, images, whole, active), lines)


def _fresh(chunk: Chunk) -> Carry:
    state = chunk.program.init(sweep.hyper(chunk.runs))
    return state, zero_running(len(chunk.runs))


@contextmanager
def _open_manager(
    chunk: Chunk, stage: Stage, lines: dict[str, list[Line]]
) -> Iterator[ocp.CheckpointManager | None]:
    """The chunk's checkpoints, or None where the config wants none; waits for the last save."""

    def score(step: int) -> float | None:
        at_step = [line["test_accuracy"] for own in lines.values() for line in own
                   if line["step"] == step]  # fmt: skip
        return sum(at_step) / len(at_step) if at_step else None

    config = chunk.runs[0].config
    if config.checkpoint_every == 0:
        yield None
        return
    keep = config.checkpoints_to_keep
    with checkpoint.open_manager(stage.checkpoints(chunk), keep, score) as manager:
        yield manager


def _save(chunk: Chunk, manager: ocp.CheckpointManager | None, position: Position) -> None:
    if manager and not _nothing_to_save(position.lines.values(), position.step):
        checkpoint.save(manager, position.step, _everyone(position))


def _train_epoch(chunk: Chunk, stage: Stage, position: Position) -> tuple[Position, float]:
    """The rest of the current epoch, or less of it if the run is asked to stop.

    Returns:
      The new position, and the images per second of each member.
    """
    started = time.perf_counter()
    config, program = chunk.runs[0].config, chunk.program
    train = position.examples[0]
    size = train.labels.shape[1]
    full = size // config.batch_size
    per_epoch = sweep.steps_per_epoch(config, size)
    epoch, first = divmod(position.step, per_epoch)
    state, running = position.carry
    order = program.order(state.hyper.seed, jnp.int32(epoch))
    done = first
    if chunk.scan and first == 0:
        state, running = program.train_batches(
            state, running, train, order, jnp.int32(0), count=full
        )
        done = full
    while done < full and not stage.stop_requested():
        previous = running
        state, running = program.train_batches(
            state, running, train, order, jnp.int32(done), count=1
        )
        done += 1
        jax.block_until_ready(previous)  # one step in flight: a stop must not wait for many
        stage.progress.batch(epoch + done / per_epoch)
    if done == full and done < per_epoch:
        state, running = program.train_rest(state, running, train, order)
        done += 1
    jax.block_until_ready(running)
    seen = min(done * config.batch_size, size) - first * config.batch_size
    speed = seen / (time.perf_counter() - started)
    return position._replace(step=epoch * per_epoch + done, carry=(state, running)), speed


def _measure_epoch(
    chunk: Chunk,
    stage: Stage,
    images: Images,
    position: Position,
    speed: float,
) -> Position:
    """Evaluates at the end of an epoch, writes the lines, and lets the finished members go."""
    state, running = position.carry
    runs = [chunk.runs[i] for i in position.active]
    train, test = (
        jax.device_get(chunk.program.evaluate(state, split)) for split in position.examples
    )
    running = jax.device_get(running)
    per_epoch = sweep.steps_per_epoch(runs[0].config, position.examples[0].labels.shape[1])
    lines = []
    for i, run in enumerate(runs):
        at = partial(jax.tree.map, lambda leaf, i=i: leaf[i])
        line = {
            "member": run.name,
            "epoch": position.step // per_epoch,
            "step": position.step,
            "learning_rate": _learning_rate(run, position.step, per_epoch),
            **metrics.running_metrics(at(running)),
            **metrics.train_metrics(at(train), run.label_noise > 0),
            **metrics.test_metrics(at(test), run.config.corrupt_test_labels),
            "images_per_second": round(speed, 1),
            "elapsed_seconds": round(stage.elapsed(), 3),
        }
        position.lines[run.name].append(line)
        stage.write_scalars(line)
        lines.append(line)
    metrics.append_lines(stage.metrics_file, lines)
    stage.progress.epoch(lines)
    still = _unfinished(chunk, position.lines, position.active)
    zero = jax.tree.map(jnp.zeros_like, position.carry[1])
    position = position._replace(carry=(state, zero))
    if still == position.active:
        return position
    whole = _everyone(position)
    carry, examples = _take(chunk, images, whole, still)
    return position._replace(whole=whole, active=still, carry=carry, examples=examples)


def _learning_rate(run: Run, step: int, per_epoch: int) -> float:
    """Of the last step taken."""
    config = run.config
    schedule = learning_rate_schedule(
        config.learning_rate, config.lr_decay, config.lr_decay_steps or per_epoch
    )
    return float(schedule(step - 1))


def _unfinished(
    chunk: Chunk, lines: dict[str, list[Line]], candidates: Iterable[int]
) -> tuple[int, ...]:
    runs = chunk.runs
    return tuple(i for i in candidates if not metrics.finished(lines[runs[i].name], runs[i].config))


def _nothing_to_save(lines: Iterable[list[Line]], step: int) -> bool:
    """Whether all that changed last is members whose loss stopped being a number."""
    ended = [own[-1] for own in lines if own and own[-1]["step"] == step]
    return bool(ended) and all(map(metrics.diverged, ended))


# Members that go on and the whole chunk -------------------------------------------


def _take(
    chunk: Chunk, images: Images, whole: Carry, active: tuple[int, ...]
) -> tuple[Carry, tuple[Examples, Examples]]:
    """The states and examples of the members that go on, on the devices of the chunk."""
    chosen = slots(active or (0,), len(chunk.runs), chunk.mesh.size)
    carry = jax.tree.map(lambda leaf: leaf[np.array(chosen)], whole)
    return spread(carry, chunk.mesh), sweep.examples(chunk, images, chosen)


def _everyone(position: Position) -> Carry:
    """The states of all members on the host, those that are through as they ended."""
    if not position.active:
        return position.whole

    def put(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        merged = np.array(old)  # a copy: a checkpoint of the old one may still be on its way
        merged[list(position.active)] = new[: len(position.active)]
        return merged

    return jax.tree.map(put, position.whole, jax.device_get(position.carry))


def _stopped(chunk: Chunk, stage: Stage, manager: Any, position: Position, reason: str) -> str:
    if manager is None:
        return (
            f"stopped by {reason}: config.checkpoint_every=0, so {chunk.name} is not saved and "
            f"starts again with the same command: {stage.command}"
        )
    manager.wait_until_finished()
    saved = stage.checkpoints(chunk) / str(position.step)
    return f"stopped by {reason}: saved {saved}; to go on, run again: {stage.command}"
