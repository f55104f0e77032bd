"""Our training as contestants run it: a chunk's engine without what a run writes."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from rethinking_jax.step.state import Carry, Examples, Running, TrainState
from rethinking_jax.sweep.engine import Chunk, Feed
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import spread
from rethinking_jax.sweep.program import Program, zero_running


def feed_of(chunk: Chunk) -> Feed:
    """Puts the examples of all members of a chunk on one device."""
    return chunk.engine.open(chunk)(range(len(chunk.runs)))


def fresh_carries(chunks: Sequence[Chunk]) -> list[Carry]:
    """Makes new weights for the members of each chunk, ready on the device.

    They are spread over the devices as a run's are, and as a step returns them: for arrays that lie
    in another way JAX would compile the step anew.
    """
    carries = [
        spread((chunk.engine.init(hyper(chunk.runs)), zero_running(len(chunk.runs))), chunk.mesh)
        for chunk in chunks
    ]
    ready: list[Carry] = jax.block_until_ready(carries)
    return ready


def train(feed: Feed, carry: Carry, epochs: int) -> TrainState:
    """Trains the members of a feed for some epochs, and returns them; consumes `carry`."""
    for epoch in range(epochs):
        for piece in feed.train(carry, epoch, 0):
            carry = piece.carry
        state, running = jax.block_until_ready(carry)
        carry = state, jax.tree.map(jnp.zeros_like, running)
    return carry[0]


def train_full_batches(
    program: Program,
    scan: bool,
    state: TrainState,
    running: Running,
    train: Examples,
    order: jax.Array,
    count: int,
) -> Carry:
    """Trains `count` batches in one scan, or in a call each with one in flight, as a run does."""
    if scan:
        return program.train_batches(state, running, train, order, jnp.int32(0), count=count)
    for k in range(count):
        previous = running
        state, running = program.train_batches(state, running, train, order, jnp.int32(k), count=1)
        jax.block_until_ready(previous)
    return state, running
