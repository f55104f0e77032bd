"""How the examples of a chunk reach its program: from the device, or batch by batch from a disk.

The loop sees the same two functions either way. Which examples are in batch k of epoch e is
a function of (seed, e, k), the same for both (`rethinking_jax.step.train.epoch_order`).
"""

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.data.batches import HostBatch, read_batches
from rethinking_jax.data.dataset import Split
from rethinking_jax.step.state import Examples, Raw, Running, Sums, TrainState
from rethinking_jax.step.train import epoch_order
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import steps_per_epoch
from rethinking_jax.sweep.groups import Chunk
from rethinking_jax.sweep.mesh import own_rows, share_out
from rethinking_jax.sweep.program import Program
from rethinking_jax.sweep.stream_program import StreamProgram

Carry = tuple[TrainState, Running]
# Told the share of a split that is evaluated, it says why to stop, or None.
Between = Callable[[float], str | None]


class Taken(NamedTuple):
    """A chunk after some more batches of an epoch."""

    carry: Carry
    done: int  # batches of the epoch that are trained
    waited: float  # seconds that the devices may have waited for input, since the last


Pieces = Generator[Taken, None, None]
Batches = Generator[Raw, None, None]


class Feed(NamedTuple):
    """Examples and program of a chunk.

    train: (carry, epoch, first) -> the rest of the epoch from batch `first` on, in pieces.
      A carry is used up when the next piece is asked for.
    evaluate: (state, split, between) -> Sums of each member over a split of the data set or
      "train_sample" (`config.train_eval_examples`); None where it was stopped. A streamed
      split calls `between` before each of its batches.
    """

    train: Callable[[Carry, int, int], Pieces]
    evaluate: Callable[[TrainState, str, Between], Sums | None]


def train_sample(config: Any, train_size: int) -> np.ndarray:
    """The positions that `config.train_eval_examples` looks at, int64, ascending."""
    key = jax.random.fold_in(purpose_key(config.data_seed, "order"), 2**31 - 1)
    order = np.asarray(jax.random.permutation(key, train_size))
    return np.sort(order[: config.train_eval_examples]).astype(np.int64)


# Examples on the device -----------------------------------------------------------------


def resident_feed(chunk: Chunk, images: Mapping[str, jax.Array], chosen: Sequence[int]) -> Feed:
    """The feed of some members of a chunk whose images are on its devices.

    Args:
      chunk: of all members.
      images: see `rethinking_jax.sweep.groups.images`.
      chosen: indices of members, see `rethinking_jax.sweep.mesh.slots`.
    """
    splits = groups.examples(chunk, images, chosen)
    train = splits["train"]
    config, program = chunk.runs[0].config, chunk.program
    assert isinstance(program, Program)
    if config.train_eval_examples:
        splits["train_sample"] = _part(train, train_sample(config, train.true_labels.shape[0]))

    def evaluate(state: TrainState, split: str, between: Between) -> Sums:
        return program.evaluate(state, splits[split])

    replaced = groups.replacements(chunk, chosen)
    return Feed(partial(_train_resident, chunk, program, train, replaced), evaluate)


def _part(examples: Examples, positions: np.ndarray) -> Examples:
    return Examples(
        examples.images[positions],
        examples.labels[:, positions],
        examples.true_labels[positions],
        examples.ids[positions],
    )


@jax.jit
def _with_copies(order: jax.Array, replaced: jax.Array) -> jax.Array:
    """Orders [m, n] where example j stands in the place of example i; (i, j) of [m, 2]."""
    return jnp.where(order == replaced[:, :1], replaced[:, 1:], order)


def _train_resident(
    chunk: Chunk,
    program: Program,
    train: Examples,
    replaced: jax.Array | None,
    carry: Carry,
    epoch: int,
    first: int,
) -> Pieces:
    config = chunk.runs[0].config
    size = train.labels.shape[1]
    full = size // config.batch_size
    state, running = carry
    order = program.order(state.hyper.seed, np.int32(epoch))
    if replaced is not None:
        order = _with_copies(order, replaced)
    done = first
    if chunk.scan and first == 0:
        state, running = program.train_batches(
            state, running, train, order, np.int32(0), count=full
        )
        done = full
        # A scanned epoch is one piece with its last, smaller batch, where it has one.
        if done == steps_per_epoch(config, size):
            yield Taken((state, running), done, 0.0)
    while done < full:
        previous = running
        state, running = program.train_batches(
            state, running, train, order, np.int32(done), count=1
        )
        done += 1
        jax.block_until_ready(previous)  # one step in flight: a stop must not wait for many
        yield Taken((state, running), done, 0.0)
    if done < steps_per_epoch(config, size):
        state, running = program.train_rest(state, running, train, order)
        yield Taken((state, running), done + 1, 0.0)


# Examples from a disk -------------------------------------------------------------------


def stream_feed(chunk: Chunk) -> Feed:
    """The feed of a run whose examples are streamed."""
    config, stored = chunk.runs[0].config, chunk.dataset.splits

    def evaluate(state: TrainState, split: str, between: Between) -> Sums | None:
        name = "train" if split == "train_sample" else split
        size = len(stored[name])
        positions = train_sample(config, size) if split == "train_sample" else np.arange(size)
        return _evaluate_streamed(chunk, stored[name], positions, name, state, between)

    return Feed(partial(_train_streamed, chunk), evaluate)


def _train_streamed(chunk: Chunk, carry: Carry, epoch: int, first: int) -> Pieces:
    run = chunk.runs[0]
    assert isinstance(chunk.program, StreamProgram)
    train, size = chunk.dataset.train, run.config.batch_size
    order = np.asarray(epoch_order(run.config.seed, epoch, len(train.labels)))
    full = len(order) // size
    rows = [order[first * size : full * size].reshape(-1, size)]
    if full < steps_per_epoch(run.config, len(order)):
        rows.append(order[None, full * size :])
    state, running = carry
    done = first
    for positions in rows:
        if not len(positions):
            continue
        with closing(_device_batches(chunk, train, positions)) as batches:
            started = time.perf_counter()
            for batch in batches:
                # A step that still runs says that the devices did not wait.
                idle = done == first or running.loss.is_ready()  # type: ignore[attr-defined]
                waited = time.perf_counter() - started if idle else 0.0
                previous = running
                state, running = chunk.program.train_batch(state, running, batch)
                done += 1
                jax.block_until_ready(previous)
                yield Taken((state, running), done, waited)
                started = time.perf_counter()


def _evaluate_streamed(
    chunk: Chunk,
    stored: Split,
    positions: np.ndarray,
    split: str,
    state: TrainState,
    between: Between,
) -> Sums | None:
    assert isinstance(chunk.program, StreamProgram)
    parts = chunk.mesh.shape["data"]
    size = parts * -(-min(chunk.runs[0].config.eval_batch_size, len(positions)) // parts)
    rows = -(-len(positions) // size)
    padded = np.resize(positions, rows * size).reshape(rows, size)
    counted = (np.arange(rows * size) < len(positions)).reshape(rows, size)
    sums = jax.tree.map(lambda leaf: np.zeros((1,), leaf.dtype), Sums.zero())
    own = own_rows(size, chunk.mesh)
    with closing(_device_batches(chunk, stored, padded)) as batches:
        for k, (batch, which) in enumerate(zip(batches, counted, strict=True)):
            if between(k / rows):
                return None
            previous = sums
            counts = share_out(which[own], size, chunk.mesh)
            sums = chunk.program.evaluate_batch(state, sums, batch, counts, split=split)
            jax.block_until_ready(previous)
    return sums


def _device_batches(chunk: Chunk, stored: Split, positions: np.ndarray) -> Batches:
    """The batches of these positions, int64 [steps, b]; each process reads its own rows."""
    config, size = chunk.runs[0].config, positions.shape[1]
    threads = config.read_threads or os.cpu_count() or 1
    batches = read_batches(
        stored,
        positions[:, own_rows(size, chunk.mesh)],
        threads=threads,
        workers=config.read_workers,
    )
    with closing(batches):
        ahead: Raw | None = None
        for batch in batches:
            on_device = _put(batch, size, chunk)
            if ahead is not None:
                yield ahead
            ahead = on_device  # the copy of the next batch runs beside the step of this one
        if ahead is not None:
            yield ahead


def _put(batch: HostBatch, size: int, chunk: Chunk) -> Raw:
    return Raw(*share_out((batch.images, batch.labels, batch.ids), size, chunk.mesh))
