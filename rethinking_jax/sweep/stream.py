"""The engine of a run whose examples are streamed.

A batch comes from the host, before any corruption, and is corrupted inside the step. A
streamed run has all devices to itself, so a group is one run.
"""

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from ml_collections import ConfigDict

from rethinking_jax.data.batches import HostBatch, read_batches
from rethinking_jax.data.dataset import Split
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.cpu import on_cpu
from rethinking_jax.host.processes import fetch
from rethinking_jax.step.facts import Moment
from rethinking_jax.step.metrics import zero_sums
from rethinking_jax.step.state import Carry, Examples, Hyper, Running, Steps, Sums, TrainState
from rethinking_jax.step.train import epoch_order
from rethinking_jax.sweep.axes import over_data, over_members
from rethinking_jax.sweep.engine import (
    Chunk,
    Engine,
    Feed,
    Pieces,
    Taken,
    steps_per_epoch,
    train_sample,
)
from rethinking_jax.sweep.evaluation import Between
from rethinking_jax.sweep.mesh import own_rows, share_out

# (hyper of one run, split, examples with their true labels) -> the examples as the run sees them.
Corrupt: TypeAlias = Callable[[Hyper, str, Examples], Examples]


class StreamProgram(NamedTuple):
    """The jitted functions of one run; its arrays have a leading axis of one member.

    init: Hyper of [1] -> TrainState of [1, ...].
    train_batch: (state, running, batch) -> (state, running); donates the state.
    evaluate_batch: (state, sums, batch, counted bool [b], split) -> Sums of [1], added to.
    examine_batch: (state, batch, split) -> the facts of each example, [1, b].

    A batch is Examples without a leading axis, with the true labels.
    """

    init: Callable[[Hyper], TrainState]
    train_batch: Callable[[TrainState, Running, Examples], Carry]
    evaluate_batch: Callable[..., Sums]
    examine_batch: Callable[..., Moment]


def make_stream_program(
    steps: Steps,
    corrupt: Corrupt,
    mesh: Mesh,
    compiler_options: Mapping[str, str] | None = None,
) -> StreamProgram:
    """Builds the functions; nothing is compiled before the first call.

    Args:
      steps: see `rethinking_jax.step.train.make_steps`.
      corrupt: see `Corrupt`.
      mesh: the devices, with one place on the axis "member".
      compiler_options: see `rethinking_jax.sweep.program.xla_options`.
    """
    jit = partial(
        jax.jit,
        compiler_options=dict(compiler_options or {}),
        out_shardings=NamedSharding(mesh, PartitionSpec("member")),
    )

    def as_seen(state: TrainState, split: str, stored: Examples) -> Examples:
        return over_data(corrupt(state.hyper, split, over_data(stored, mesh)), mesh)

    def train_batch(state: TrainState, running: Running, stored: Examples) -> Carry:
        state, sums = steps.train(state, as_seen(state, "train", stored))
        return state, jax.tree.map(jnp.add, running, sums)

    def evaluate_batch(
        state: TrainState, sums: Sums, stored: Examples, counted: jax.Array, split: str
    ) -> Sums:
        found = steps.evaluate(state, as_seen(state, split, stored), counted)
        total: Sums = jax.tree.map(jnp.add, sums, found)
        return total

    def evaluate_many(
        state: TrainState, sums: Sums, stored: Examples, counted: jax.Array, split: str
    ) -> Sums:
        function = over_members(partial(evaluate_batch, split=split), (0, 0, None, None), mesh)
        return function(state, sums, stored, counted)

    def examine_batch(state: TrainState, stored: Examples, split: str) -> Moment:
        return steps.examine(state, as_seen(state, split, stored))

    def examine_many(state: TrainState, stored: Examples, split: str) -> Moment:
        return over_members(partial(examine_batch, split=split), (0, None), mesh)(state, stored)

    return StreamProgram(
        init=jax.jit(over_members(steps.init, (0,))),
        train_batch=jit(over_members(train_batch, (0, 0, None), mesh), donate_argnums=0),
        evaluate_batch=jit(evaluate_many, static_argnames="split"),
        examine_batch=jit(examine_many, static_argnames="split"),
    )


def stream_engine(program: StreamProgram) -> Engine:
    """Makes an engine of a program, whose chunks are one run each."""
    return Engine(program.init, lambda chunk: lambda chosen: _feed(program, chunk), False)


def _feed(program: StreamProgram, chunk: Chunk) -> Feed:
    stored = chunk.dataset.splits

    def evaluate(state: TrainState, split: str, between: Between) -> Sums | None:
        name = "train" if split == "train_sample" else split
        size = len(stored[name])
        sample = split == "train_sample"
        positions = train_sample(chunk.config, size) if sample else np.arange(size)
        return _evaluate(program, chunk, name, positions, state, between)

    def examine(state: TrainState, split: str, between: Between) -> Moment | None:
        return _examine(program, chunk, split, state, between)

    return Feed(partial(_train, program, chunk), evaluate, examine)


def batches_left(config: ConfigDict, examples: int, epoch: int, first: int = 0) -> list[np.ndarray]:
    """Returns which examples are in the batches of an epoch, from batch `first` on.

    It is a function of its arguments alone, so a run that resumes looks for nothing: it makes the
    order of the epoch, and begins in its middle.

    Args:
      config: has the run's seed, batch_size and last_batch.
      examples: how many the run trains on, n.
      epoch: the number of the epoch, from 0 on.
      first: how many of its batches are behind.

    Returns:
      Positions in [0, n): int32 [batches, batch_size], and where the last batch is smaller and is
      trained, int32 [1, rest]; no array without batches.
    """
    with on_cpu():
        order = np.asarray(epoch_order(config.seed, epoch, examples))
    size = int(config.batch_size)
    full = examples // size
    rows = [order[first * size : full * size].reshape(-1, size)]
    if max(first, full) < steps_per_epoch(config, examples):
        rows.append(order[None, full * size :])
    return [positions for positions in rows if len(positions)]


def _train(program: StreamProgram, chunk: Chunk, carry: Carry, epoch: int, first: int) -> Pieces:
    """Trains the rest of an epoch, see `Feed`."""
    train = chunk.dataset.train
    state, running = carry
    done = first
    for positions in batches_left(chunk.config, len(train), epoch, first):
        with closing(_device_batches(chunk, train, positions)) as batches:
            started = time.perf_counter()
            for batch in batches:
                # A step that still runs says that the devices did not wait.
                idle = done == first or running.loss.is_ready()  # type: ignore[attr-defined]
                waited = time.perf_counter() - started if idle else 0.0
                previous = running
                state, running = program.train_batch(state, running, batch)
                done += 1
                jax.block_until_ready(previous)
                yield Taken((state, running), done, waited)
                started = time.perf_counter()


def _evaluate(
    program: StreamProgram,
    chunk: Chunk,
    split: str,
    positions: np.ndarray,
    state: TrainState,
    between: Between,
) -> Sums | None:
    """Sums over the examples of a split at some positions; None where `between` says to stop."""
    padded = _in_batches(chunk, positions)
    rows, size = padded.shape
    counted = (np.arange(rows * size) < len(positions)).reshape(rows, size)
    sums: Sums = jax.tree.map(lambda leaf: np.zeros((1,), leaf.dtype), zero_sums())
    own = own_rows(size, chunk.mesh)
    with closing(_device_batches(chunk, chunk.dataset.splits[split], padded)) as batches:
        for k, (batch, which) in enumerate(zip(batches, counted, strict=True)):
            if between(k / rows):
                return None
            previous = sums
            counts = share_out(which[own], size, chunk.mesh)
            sums = program.evaluate_batch(state, sums, batch, counts, split=split)
            jax.block_until_ready(previous)
    return sums


def _examine(
    program: StreamProgram, chunk: Chunk, split: str, state: TrainState, between: Between
) -> Moment | None:
    """Finds the facts of every example of a split; None where `between` says to stop."""
    stored, found = chunk.dataset.splits[split], []
    padded = _in_batches(chunk, np.arange(len(stored)))
    with closing(_device_batches(chunk, stored, padded)) as batches:
        for k, batch in enumerate(batches):
            if between(k / len(padded)):
                return None
            found.append(fetch(program.examine_batch(state, batch, split=split)))
    whole: Moment = jax.tree.map(lambda *own: np.concatenate(own, 1)[:, : len(stored)], *found)
    return whole


def _in_batches(chunk: Chunk, positions: np.ndarray) -> np.ndarray:
    """Returns positions as batches that the devices can share, int64 [batches, b], filled up."""
    parts = chunk.mesh.shape["data"]
    size = parts * -(-min(chunk.config.eval_batch_size, len(positions)) // parts)
    rows = -(-len(positions) // size)
    return np.resize(positions, rows * size).reshape(rows, size)


def _device_batches(
    chunk: Chunk, stored: Split, positions: np.ndarray
) -> Generator[Examples, None, None]:
    """Yields the batches of these positions, int64 [steps, b]; a process reads its own rows.

    Raises:
      OSError: they can no longer be read.
    """
    config, size = chunk.config, positions.shape[1]
    threads = config.read_threads or os.cpu_count() or 1
    batches = read_batches(
        stored,
        positions[:, own_rows(size, chunk.mesh)],
        threads=threads,
        workers=config.read_workers,
    )
    try:
        with closing(batches):
            ahead: Examples | None = None
            for batch in batches:
                on_device = on_devices(batch, size, chunk.mesh)
                if ahead is not None:
                    yield ahead
                ahead = on_device  # the copy of the next batch runs beside the step of this one
            if ahead is not None:
                yield ahead
    except (UserError, RunFailed) as error:
        # The files were whole when the run began: nothing in the command is wrong.
        raise OSError(str(error)) from error


def on_devices(batch: HostBatch, size: int, mesh: Mesh) -> Examples:
    """Puts a batch of `size` examples, of which this process has its own rows, on the devices."""
    images, labels, ids = share_out((batch.images, batch.labels, batch.ids), size, mesh)
    return Examples(images, labels, labels, ids)
