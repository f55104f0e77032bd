"""The compiled functions of one run whose examples are streamed.

As `rethinking_jax.sweep.program`, but a batch comes from the host, before any corruption, and is
corrupted inside the step. A streamed run has all devices to itself, so a group is one run.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.state import Examples, Hyper, Raw, Running, Steps, Sums, TrainState
from rethinking_jax.sweep.program import over_data, over_members

# (hyper of one run, split, batch) -> the batch as the run sees it.
Corrupt = Callable[[Hyper, str, Raw], Examples]


class StreamProgram(NamedTuple):
    """The jitted functions of one run; its arrays have a leading axis of one member.

    init: Hyper of [1] -> TrainState of [1, ...].
    train_batch: (state, running, Raw) -> (state, running); donates the state.
    evaluate_batch: (state, sums, Raw, counted bool [b], split) -> Sums of [1], added to.
    """

    init: Callable[[Hyper], TrainState]
    train_batch: Callable[..., tuple[TrainState, Running]]
    evaluate_batch: Callable[..., Sums]


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
      mesh: with one place on the axis "member".
      compiler_options: see `rethinking_jax.sweep.program.xla_options`.
    """
    jit = partial(
        jax.jit,
        compiler_options=dict(compiler_options or {}),
        out_shardings=NamedSharding(mesh, PartitionSpec("member")),
    )

    def train_batch(state: TrainState, running: Running, raw: Raw) -> tuple[TrainState, Running]:
        batch = over_data(corrupt(state.hyper, "train", over_data(raw, mesh)), mesh)
        state, sums = steps.train(state, batch)
        return state, jax.tree.map(jnp.add, running, sums)

    def evaluate_batch(
        state: TrainState, sums: Sums, raw: Raw, counted: jax.Array, split: str
    ) -> Sums:
        batch = over_data(corrupt(state.hyper, split, over_data(raw, mesh)), mesh)
        return jax.tree.map(jnp.add, sums, steps.evaluate(state, batch, counted))

    def evaluate_many(*args: Any, split: str) -> Sums:
        function = partial(evaluate_batch, split=split)
        result: Sums = over_members(function, (0, 0, None, None), mesh)(*args)
        return result

    return StreamProgram(
        init=jax.jit(over_members(steps.init, (0,))),
        train_batch=jit(over_members(train_batch, (0, 0, None), mesh), donate_argnums=0),
        evaluate_batch=jit(evaluate_many, static_argnames="split"),
    )
