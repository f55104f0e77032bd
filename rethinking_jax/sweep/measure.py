"""What is measured at the end of an epoch: our metrics, and what a user measures besides."""

import math
from collections.abc import Mapping, Sequence
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.processes import fetch, is_primary
from rethinking_jax.step.metrics import running_metrics, split_metrics
from rethinking_jax.step.optimizer import learning_rate_schedule
from rethinking_jax.step.state import Running, Sums, TrainState
from rethinking_jax.step.train import make_apply
from rethinking_jax.sweep.build import make_model, make_preprocess_of
from rethinking_jax.sweep.engine import Chunk, Run
from rethinking_jax.sweep.norms import MeasureNorms
from rethinking_jax.sweep.position import Position, restored, taken
from rethinking_jax.sweep.recorder import with_facts
from rethinking_jax.sweep.stage import Measure, MeasureMembers, Stage
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Line

# What `summary.json` says of a run besides its config, its metrics and what `Run` holds.
IN_SUMMARY = ("parameters", "flops_per_image", "checkpoints")


def is_due(chunk: Chunk, position: Position) -> bool:
    """Says whether an epoch that is to be measured is trained and not measured yet."""
    lines = position.lines[chunk.runs[position.active[0]].name]
    before = lines[-1]["step"] if lines else 0
    epoch, rest = divmod(position.step, chunk.steps_per_epoch)
    wanted = epoch % chunk.config.measure_every == 0 or epoch == chunk.config.epochs
    return bool(position.step > before and rest == 0 and wanted)


def measured(
    chunk: Chunk,
    stage: Stage,
    position: Position,
    norms: MeasureNorms,
    besides: MeasureMembers,
) -> Position:
    """Evaluates at the end of an epoch and writes a line for each member that goes on.

    Args:
      chunk: all members.
      stage: where lines and progress go.
      position: after the last step of the epoch.
      norms: what a line holds of the measures that the config asks for.
      besides: what a user measures besides.

    Returns:
      The position with these lines and with sums over nothing, or as it was where the run is
      asked to stop in the middle.

    Raises:
      UserError: what is measured besides has the name of something else.
    """
    running = position.carry[1]
    sums = _evaluated(chunk, stage, position)
    state = None if sums is None else _recorded(chunk, stage, position)
    if sums is None or state is None:
        return position
    between = partial(_goes_on, stage, "margins")
    weighed = norms(position.active, state, position.feed, between)
    if weighed is None:
        return position
    found, more = (sums, fetch(running)), besides(position.active, state)
    lines = []
    for slot, member in enumerate(position.active):
        run, own = chunk.runs[member], jax.tree.map(partial(_at, slot), found)
        line = _line(chunk, stage, position, run, *own) | weighed[slot]
        lines.append(_joined(run, line, more[slot]))
    if is_primary():
        metrics.append_lines(stage.metrics_file, lines)
    for line in lines:
        position.lines[line["member"]].append(line)
        stage.write_scalars(line)
    stage.progress.epoch(lines)
    return position._replace(carry=(state, jax.tree.map(jnp.zeros_like, running)))


def _goes_on(stage: Stage, what: str, share: float) -> str | None:
    """Shows the share of something that is measured, and says why to stop, or None."""
    stage.progress.measuring(what, share)
    return stage.stop_requested()


def _at(slot: int, leaf: np.ndarray) -> np.ndarray:
    member: np.ndarray = leaf[slot]
    return member


def _line(
    chunk: Chunk,
    stage: Stage,
    position: Position,
    run: Run,
    sums: dict[str, Sums],
    running: Running,
) -> Line:
    """Makes the line of one member, from its own sums over the splits."""
    size, classes = chunk.train_size, chunk.dataset.num_classes
    line = {
        "member": run.name,
        "epoch": position.step // chunk.steps_per_epoch,
        "step": position.step,
        "learning_rate": _learning_rate(run, position.step, chunk.steps_per_epoch),
        **running_metrics(running),
        **split_metrics("train", sums["train"], run.has_corrupted_labels, classes),
    }
    for split in chunk.dataset.measured:
        corrupted = split == "test" and run.config.corrupt_test_labels
        line |= split_metrics(split, sums[split], corrupted, classes)
    line["images_per_second"] = round(position.speed, 1)
    line["elapsed_seconds"] = round(stage.elapsed(), 3)
    if chunk.dataset.streamed:
        line["waiting_for_input"] = round(position.waited, 4)
    evaluated = int(sums["train"]["accuracy"].count)
    if evaluated < size:
        line["train_evaluated"] = evaluated
    return line


def _joined(run: Run, line: Line, more: Line) -> Line:
    """Returns a line with what a user measures, whose names must be new."""
    known = {*line, *metrics.outcome([line], 1.0), *run.config, *run._fields, *IN_SUMMARY}
    if taken_names := sorted(known & more.keys()):
        raise UserError(
            f"measure: {taken_names[0]!r} is the name of something that is recorded already: "
            "take another"
        )
    return line | more


def _learning_rate(run: Run, step: int, per_epoch: int) -> float:
    """Returns the learning rate of the last step taken."""
    config = run.config
    decay_steps = config.lr_decay_steps or per_epoch
    return _scheduled(config.learning_rate, config.lr_decay, decay_steps, step - 1)


@cache  # the hundreds of members of a chunk have few values among them
def _scheduled(base: float, decay: float, decay_steps: int, step: int) -> float:
    return float(learning_rate_schedule(base, decay, decay_steps)(step))


def _evaluated(chunk: Chunk, stage: Stage, position: Position) -> dict[str, Sums] | None:
    """Sums over the training set and over `Dataset.measured`; None where asked to stop.

    Where the config wants a sample of the training set, the whole of it is looked at
    before a member counts as fitted, and at the end.
    """
    config, size = chunk.config, chunk.train_size

    def over(split: str) -> Sums | None:
        name = "train" if split == "train_sample" else split
        stage.progress.measuring(name, 0.0)

        sums = position.feed.evaluate(position.carry[0], split, partial(_goes_on, stage, name))
        return None if sums is None else fetch(sums)

    last = position.step // chunk.steps_per_epoch == config.epochs
    sampled = 0 < config.train_eval_examples < size and not last
    train = over("train_sample" if sampled else "train")
    if train is not None and sampled:
        active, right = slice(len(position.active)), train["accuracy"]
        if (right.sum[active] / right.count[active] >= config.fit_threshold).any():
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


def _recorded(chunk: Chunk, stage: Stage, position: Position) -> TrainState | None:
    """Returns the states with what is found of every example; None where asked to stop."""

    between = partial(_goes_on, stage, "every example")
    epoch = position.step // chunk.steps_per_epoch
    return with_facts(chunk, position.feed, position.carry[0], epoch, between)


def evaluate_trained(chunk: Chunk, stage: Stage, chosen: Sequence[int], split: str) -> Sums:
    """Evaluates some members of a chunk that is through, as they ended, on any split.

    Args:
      chunk: whose last checkpoint is whole, see `rethinking_jax.sweep.loop.is_complete`.
      stage: where its checkpoints and lines are.
      chosen: indices of members.
      split: a name of `Dataset.splits`.

    Raises:
      RunFailed: stopped by a signal, or the checkpoint is damaged.
    """
    lines = stage.lines()
    whole = restored(chunk, stage, lines)
    last = max(lines[chunk.runs[i].name][-1]["step"] for i in chosen)
    if whole is None or whole[0] < last:
        raise RunFailed(f"{stage.checkpoints(chunk)} was damaged: run again: {stage.command}")
    carry, feed = taken(chunk, chunk.engine.open(chunk), whole[1], chosen)
    sums = feed.evaluate(carry[0], split, lambda share: stage.stop_requested())
    if sums is None:
        raise RunFailed(
            f"stopped by {stage.stop_requested()}: every run is trained and saved in "
            f"{stage.workdir}; to go on, run again: {stage.command}"
        )
    on_host: Sums = fetch(sums)
    return on_host


def of_each_run(measure: Measure, chunk: Chunk) -> MeasureMembers:
    """Makes a function that measures the members of a chunk one by one, as a user wants it."""
    model = make_model(chunk.config, chunk.dataset.num_classes)
    apply = jax.jit(make_apply(model, make_preprocess_of(chunk.config, chunk.dataset)))

    def members(active: tuple[int, ...], state: TrainState) -> list[Line]:
        variables = fetch(state.variables)
        found = []
        for slot, member in enumerate(active):
            own = jax.tree.map(partial(_at, slot), variables)
            numbers = measure(chunk.runs[member], own, partial(apply, own))
            if not isinstance(numbers, Mapping):
                raise UserError(f"measure returned {numbers!r}: it must return names and numbers")
            found.append({name: _number(name, value) for name, value in numbers.items()})
        return found

    return members


def _number(name: str, value: object) -> float | None:
    """Returns a user's number as JSON has it: None where it is not finite."""
    try:
        number = np.asarray(value).item()
        return number if math.isfinite(number) else None
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"measure: {name}={value!r} must be one number") from None
