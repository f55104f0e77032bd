"""The epochs of one chunk of runs: train, measure, write, checkpoint, stop, resume.

The order within an epoch makes a kill harmless at any moment: metrics lines reach the
disk before the checkpoint of their epoch is started, and a restart cuts the lines back
to the checkpoint that it resumes from. With several processes all of them come here, find
the same, and the first one writes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from rethinking_jax.errors import RunFailed
from rethinking_jax.host.processes import fetch, is_primary, wait_for_all
from rethinking_jax.step.optimizer import learning_rate_schedule
from rethinking_jax.step.state import Running, Sums, TrainState
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import steps_per_epoch
from rethinking_jax.sweep.feed import Carry, Feed, resident_feed, stream_feed
from rethinking_jax.sweep.groups import Chunk, Run
from rethinking_jax.sweep.mesh import slots, spread
from rethinking_jax.sweep.profiling import Watch
from rethinking_jax.sweep.program import zero_running
from rethinking_jax.sweep.progress import ProgressReport, SoFar
from rethinking_jax.workdir import checkpoint, metrics
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath

Images = dict[str, jax.Array] | None  # by split; None: streamed
# (the members that go on, their states) -> what the line of each holds besides.
Measure = Callable[[tuple[int, ...], TrainState], Sequence[Line]]


def measures_nothing(active: tuple[int, ...], state: TrainState) -> Sequence[Line]:
    """The `Measure` of runs that are looked at one by one."""
    return [{} for _ in active]


class Stage(NamedTuple):
    """What the loop needs from the outside world."""

    workdir: AnyPath
    command: str  # shown as the way to resume
    progress: ProgressReport
    stop_requested: Callable[[], str | None]  # why to stop, or None
    elapsed: Callable[[], float]  # seconds, earlier sessions included
    write_scalars: Callable[[Line], None]  # to TensorBoard, or nowhere
    profile: Watch  # traces some of the pieces of an epoch, or none
    place: str = ""  # of the chunk among all, such as "3/33 ", for the live line
    measure: Measure = measures_nothing  # of several members together, at the end of an epoch

    @property
    def metrics_file(self) -> AnyPath:
        """Where the lines of all members go."""
        return self.workdir / "metrics.jsonl"

    def checkpoints(self, chunk: Chunk) -> AnyPath:
        """The folder of a chunk's checkpoints."""
        return self.workdir / "checkpoints" / chunk.name


class Position(NamedTuple):
    """A chunk between two steps."""

    step: int
    whole: Carry  # all members, on the host; those that go on as they were when one left
    active: tuple[int, ...]  # the members that go on
    carry: Carry  # their states, and what fills up the devices (see `mesh.slots`)
    feed: Feed  # of those
    lines: dict[str, list[Line]]  # of each member, so far
    speed: float = 0.0  # images per second of each member in this epoch; 0: not trained here
    waited: float = 0.0  # share of its time that was spent waiting for input


def is_complete(chunk: Chunk, stage: Stage, lines: dict[str, list[Line]]) -> bool:
    """Whether a chunk needs no more training: its lines end and its last state is saved."""
    own = [lines.get(run.name, []) for run in chunk.runs]
    if not all(metrics.finished(own[i], run.config) for i, run in enumerate(chunk.runs)):
        return False
    step = max(member[-1]["step"] for member in own)
    if not _saves(chunk.runs[0].config) or _nothing_to_save(own, step):
        return True
    return step in checkpoint.saved_steps(stage.checkpoints(chunk))


def train_chunk(chunk: Chunk, stage: Stage) -> None:
    """Trains the runs of a chunk to their ends, from their last checkpoint if there is one.

    What comes of it are lines in `metrics.jsonl` and checkpoints.

    Raises:
      RunFailed: stopped by a signal; the message says what is saved.
    """
    config = chunk.runs[0].config
    images = None if chunk.dataset.streamed else groups.images(chunk)
    position = _resume(chunk, stage, images)
    per_epoch = steps_per_epoch(config, len(chunk.runs[0].train_labels))
    done = position.step / per_epoch
    with (
        stage.progress.showing(stage.place + chunk.name, config.epochs, done),
        _open_manager(chunk, stage, position.lines) as manager,
    ):
        while position.active:
            before = position.active
            if not _to_measure(chunk, position):
                position = _train_epoch(chunk, stage, manager, position)
            if _to_measure(chunk, position):
                position = _measure_epoch(chunk, stage, images, position)
            epoch, rest = divmod(position.step, per_epoch)
            reason = stage.stop_requested() if position.active else None
            left = position.active != before  # a member that ends is saved as it ended
            due = rest == 0 and config.checkpoint_every and epoch % config.checkpoint_every == 0
            if reason or left or due:
                _save(chunk, manager, position)
            if reason:
                raise RunFailed(_stopped(chunk, stage, manager, position, reason))


def _to_measure(chunk: Chunk, position: Position) -> bool:
    """Whether an epoch that is looked at is trained and not measured yet."""
    run = chunk.runs[position.active[0]]
    lines = position.lines[run.name]
    measured = lines[-1]["step"] if lines else 0
    per_epoch = steps_per_epoch(run.config, len(run.train_labels))
    epoch, rest = divmod(position.step, per_epoch)
    looked_at = epoch % run.config.measure_every == 0 or epoch == run.config.epochs
    return position.step > measured and rest == 0 and looked_at


def _resume(chunk: Chunk, stage: Stage, images: Images) -> Position:
    """Where the chunk stands: at its newest whole checkpoint, or at the very start."""
    step, whole = _restored(chunk, stage) or (0, jax.device_get(fresh(chunk)))
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
    active = _unfinished(chunk, lines, range(len(names)))
    return Position(step, whole, active, *_take(chunk, images, whole, active), lines)


def fresh(chunk: Chunk) -> Carry:
    """The states of a chunk's members before their first step, as its checkpoints hold them."""
    state = chunk.program.init(groups.hyper(chunk.runs))
    return state, zero_running(len(chunk.runs), chunk.runs[0].config.gradient_norm)


@contextmanager
def _open_manager(
    chunk: Chunk, stage: Stage, lines: dict[str, list[Line]]
) -> Iterator[ocp.CheckpointManager | None]:
    """The chunk's checkpoints, or None where the config wants none; waits for the last save."""

    def score(step: int) -> float | None:
        at_step = [line[f"{metrics.judged_on(line)}_accuracy"] for own in lines.values()
                   for line in own if line["step"] == step]  # fmt: skip
        return sum(at_step) / len(at_step) if at_step else None

    config = chunk.runs[0].config
    if not _saves(config):
        yield None
        return
    keep = config.checkpoints_to_keep
    with checkpoint.open_manager(stage.checkpoints(chunk), keep, score) as manager:
        yield manager


def _saves(config: ConfigDict) -> bool:
    return bool(config.checkpoint_every or config.checkpoint_every_steps)


def _save(chunk: Chunk, manager: ocp.CheckpointManager | None, position: Position) -> None:
    if manager and not _nothing_to_save(position.lines.values(), position.step):
        checkpoint.save(manager, position.step, _everyone(position))


def _train_epoch(
    chunk: Chunk, stage: Stage, manager: ocp.CheckpointManager | None, position: Position
) -> Position:
    """The rest of the current epoch, or less of it if the run is asked to stop."""
    started = time.perf_counter()
    config = chunk.runs[0].config
    size = len(chunk.runs[0].train_labels)
    per_epoch = steps_per_epoch(config, size)
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
                _save(chunk, manager, position)
    jax.block_until_ready(position.carry[1])
    seconds = time.perf_counter() - started
    return position._replace(speed=seen / seconds, waited=waited / seconds)


def _so_far(position: Position, seen: int, started: float) -> SoFar:
    """How an epoch goes; it waits for the last step."""
    members, running = len(position.active), position.carry[1]
    accuracies = []
    # Processes look at different times: what all of them must fetch together is left out.
    if running.correct.is_fully_addressable or running.correct.is_fully_replicated:
        correct, count = jax.device_get((running.correct, running.count))
        accuracies = (correct[:members] / count[:members]).tolist()
    return SoFar(members * seen / (time.perf_counter() - started), accuracies)


def _measure_epoch(chunk: Chunk, stage: Stage, images: Images, position: Position) -> Position:
    """Evaluates at the end of an epoch, writes the lines, and lets the finished members go.

    Asked to stop in the middle it leaves the position as it was.
    """
    state, running = position.carry
    runs = [chunk.runs[i] for i in position.active]
    found = _evaluate(chunk, stage, position)
    if found is None:
        return position
    sums = found, fetch(running)
    besides = stage.measure(position.active, state)
    lines = []
    for i, run in enumerate(runs):
        own = jax.tree.map(lambda leaf, i=i: leaf[i], sums)
        lines.append(_line(chunk, stage, position, run, *own) | besides[i])
        position.lines[run.name].append(lines[-1])
        stage.write_scalars(lines[-1])
    if is_primary():
        metrics.append_lines(stage.metrics_file, lines)
    stage.progress.epoch(lines)
    still = _unfinished(chunk, position.lines, position.active)
    zero = jax.tree.map(jnp.zeros_like, position.carry[1])
    position = position._replace(carry=(state, zero))
    if still == position.active:
        return position
    whole = _everyone(position)
    carry, feed = _take(chunk, images, whole, still)
    return position._replace(whole=whole, active=still, carry=carry, feed=feed)


def _line(
    chunk: Chunk,
    stage: Stage,
    position: Position,
    run: Run,
    sums: dict[str, Sums],
    running: Running,
) -> Line:
    """What is measured of one member, from its own sums over the splits."""
    size, classes = len(run.train_labels), chunk.dataset.num_classes
    per_epoch = steps_per_epoch(run.config, size)
    line = {
        "member": run.name,
        "epoch": position.step // per_epoch,
        "step": position.step,
        "learning_rate": _learning_rate(run, position.step, per_epoch),
        **metrics.running_metrics(running),
        **metrics.train_metrics(sums["train"], run.label_noise > 0, classes),
    }
    for split in chunk.dataset.measured:
        corrupted = split == "test" and run.config.corrupt_test_labels
        line |= metrics.held_out_metrics(split, sums[split], corrupted, classes)
    line["images_per_second"] = round(position.speed, 1)
    line["elapsed_seconds"] = round(stage.elapsed(), 3)
    if chunk.dataset.streamed:
        line["waiting_for_input"] = round(position.waited, 4)
    if sums["train"].count < size:
        line["train_evaluated"] = int(sums["train"].count)
    return line


def _evaluate(chunk: Chunk, stage: Stage, position: Position) -> dict[str, Sums] | None:
    """Training set and `Dataset.measured` of each slot; None where the run is asked to stop.

    Where the config wants a sample of the training set, the whole of it is looked at
    before a member counts as fitted, and at the end.
    """
    config, size = chunk.runs[0].config, len(chunk.runs[0].train_labels)
    state = position.carry[0]
    per_epoch = steps_per_epoch(config, size)

    def over(split: str) -> Sums | None:
        name = "train" if split == "train_sample" else split
        stage.progress.measuring(name, 0.0)

        def between(share: float) -> str | None:
            stage.progress.measuring(name, share)
            return stage.stop_requested()

        sums = position.feed.evaluate(state, split, between)
        return None if sums is None else fetch(sums)

    last = position.step // per_epoch == config.epochs
    sampled = 0 < config.train_eval_examples < size and not last
    train = over("train_sample" if sampled else "train")
    if train is not None and sampled:
        active = slice(len(position.active))
        accuracy = train.correct[active] / train.count[active]
        if (accuracy >= config.fit_threshold).any():
            train = over("train")
    if train is None:
        return None
    found = {"train": train}
    for split in chunk.dataset.measured:
        sums = over(split)
        if sums is None:
            return None
        found[split] = sums
    return found


def evaluate_trained(chunk: Chunk, stage: Stage, chosen: Sequence[int], split: str) -> Sums:
    """Some members of a chunk that is through, as they ended, on any split of its data set.

    Args:
      chunk: whose last checkpoint is whole, see `is_complete`.
      stage: see `Stage`.
      chosen: indices of members.
      split: a name of `Dataset.splits`.

    Raises:
      RunFailed: stopped by a signal, or the checkpoint is damaged.
    """
    images = None if chunk.dataset.streamed else groups.images(chunk)
    whole = _restored(chunk, stage)
    lines = metrics.by_member(metrics.read_lines(stage.metrics_file))
    last = max(lines[chunk.runs[i].name][-1]["step"] for i in chosen)
    if whole is None or whole[0] < last:
        raise RunFailed(f"{stage.checkpoints(chunk)} was damaged: run again: {stage.command}")
    carry, feed = _take(chunk, images, whole[1], tuple(chosen))
    sums = feed.evaluate(carry[0], split, lambda share: stage.stop_requested())
    if sums is None:
        raise RunFailed(f"stopped by {stage.stop_requested()}: run again: {stage.command}")
    return fetch(sums)


def _restored(chunk: Chunk, stage: Stage) -> tuple[int, Carry] | None:
    """Step and state of a chunk's newest whole checkpoint."""
    template = jax.eval_shape(partial(fresh, chunk))
    return checkpoint.restore_latest(stage.checkpoints(chunk), template, stage.progress.message)


def _learning_rate(run: Run, step: int, per_epoch: int) -> float:
    """Of the last step taken."""
    config = run.config
    decay_steps = config.lr_decay_steps or per_epoch
    return _scheduled(config.learning_rate, config.lr_decay, decay_steps, step - 1)


@cache  # the hundreds of members of a chunk have few values among them
def _scheduled(base: float, decay: float, decay_steps: int, step: int) -> float:
    return float(learning_rate_schedule(base, decay, decay_steps)(step))


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
) -> tuple[Carry, Feed]:
    """The states and examples of the members that go on, on the devices of the chunk."""
    chosen = slots(active or (0,), len(chunk.runs), chunk.mesh.shape["member"])
    carry = jax.tree.map(lambda leaf: leaf[np.array(chosen)], whole)
    feed = stream_feed(chunk) if images is None else resident_feed(chunk, images, chosen)
    return spread(carry, chunk.mesh), feed


def _everyone(position: Position) -> Carry:
    """The states of all members on the host, those that are through as they ended."""
    if not position.active:
        return position.whole

    def put(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        merged = np.array(old)  # a copy: a checkpoint of the old one may still be on its way
        merged[list(position.active)] = new[: len(position.active)]
        return merged

    return jax.tree.map(put, position.whole, fetch(position.carry))


def _stopped(chunk: Chunk, stage: Stage, manager: Any, position: Position, reason: str) -> str:
    if manager is None:
        return (
            f"stopped by {reason}: with checkpoint_every=0 {chunk.name} is not saved and "
            f"starts again with the same command: {stage.command}"
        )
    manager.wait_until_finished()
    saved = stage.checkpoints(chunk) / str(position.step)
    return f"stopped by {reason}: saved {saved}; to go on, run again: {stage.command}"
