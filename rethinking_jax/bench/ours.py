"""Our training as contestants run it: the steps of `sweep.loop` without what a run writes."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from rethinking_jax.step.state import Examples, Running, TrainState
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.groups import Chunk
from rethinking_jax.sweep.program import Program, zero_running


def train_examples(chunk: Chunk) -> Examples:
    """Returns the training set of all members of a chunk, on one device."""
    return groups.examples(chunk, groups.images(chunk), range(len(chunk.runs)))["train"]


def fresh_states(chunks: Sequence[Chunk]) -> list[TrainState]:
    """Makes new weights for the members of each chunk, ready on the device."""
    states = [chunk.program.init(groups.hyper(chunk.runs)) for chunk in chunks]
    jax.block_until_ready(states)
    return states


def train_chunk(chunk: Chunk, train: Examples, state: TrainState, epochs: int) -> None:
    """Trains the members of a chunk for some epochs; `state` is used up."""
    config, program = chunk.runs[0].config, chunk.program
    assert isinstance(program, Program)
    size = train.labels.shape[1]
    for epoch in range(epochs):
        running = zero_running(len(chunk.runs))
        order = program.order(state.hyper.seed, jnp.int32(epoch))
        state, running = train_full_batches(
            program, chunk.scan, state, running, train, order, size // config.batch_size
        )
        if size % config.batch_size and config.last_batch == "train":
            state, running = program.train_rest(state, running, train, order)
        jax.block_until_ready(running)


def train_full_batches(
    program: Program,
    scan: bool,
    state: TrainState,
    running: Running,
    train: Examples,
    order: jax.Array,
    count: int,
) -> tuple[TrainState, Running]:
    """Trains `count` batches in one scan, or in a call each with one in flight, as a run does."""
    if scan:
        return program.train_batches(state, running, train, order, jnp.int32(0), count=count)
    for k in range(count):
        previous = running
        state, running = program.train_batches(state, running, train, order, jnp.int32(k), count=1)
        jax.block_until_ready(previous)
    return state, running
