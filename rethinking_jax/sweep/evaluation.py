"""How a group of runs is evaluated: sums over a split, and what is found of each example."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.facts import Moment
from rethinking_jax.step.metrics import zero_sums
from rethinking_jax.step.state import Examples, PyTree, Steps, Sums, TrainState
from rethinking_jax.sweep.axes import EXAMPLE_AXES, over_data, over_members


class Evaluate(Protocol):
    """Sums the metrics of every member over examples."""

    def __call__(
        self, state: TrainState, examples: Examples, positions: jax.Array | None = None
    ) -> Sums:
        """Returns Sums of [m]; positions are each member's own, int32 [m, examples]; None: all."""


def _batch(
    mesh: Mesh, examples: Examples, positions: jax.Array | None, k: jax.Array, size: int
) -> tuple[Examples, jax.Array]:
    """Returns batch k of one run's examples, and which count: some may only fill up the last."""
    n = len(examples.labels) if positions is None else len(positions)
    place = over_data(k * size + jnp.arange(size), mesh)
    chosen = jnp.minimum(place, n - 1)
    if positions is not None:
        chosen = positions[chosen]
    batch = jax.tree.map(lambda leaf: leaf[chosen], examples)
    return over_data(batch, mesh), place < n


def _batches(batch_size: int, n: int, mesh: Mesh) -> tuple[int, int]:
    """Returns the size of a batch, which the devices can share, and how many make n examples."""
    parts = mesh.shape["data"]
    size = parts * -(-min(batch_size, n) // parts)
    return size, -(-n // size)


def make_evaluate(
    steps: Steps,
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Callable[..., PyTree]],
) -> Evaluate:
    """Makes `evaluate`, see `Program`; `jit` compiles with the options of a group."""
    own = NamedSharding(mesh, PartitionSpec("member"))

    def one_batch(
        state: TrainState,
        examples: Examples,
        positions: jax.Array | None,
        k: jax.Array,
        size: int,
    ) -> Sums:
        return steps.evaluate(state, *_batch(mesh, examples, positions, k, size))

    def all_batches(
        state: TrainState, examples: Examples, positions: jax.Array | None, size: int, batches: int
    ) -> Sums:
        def body(sums: Sums, k: jax.Array) -> tuple[Sums, None]:
            found = one_batch(state, examples, positions, k, size)
            return jax.tree.map(jnp.add, sums, found), None

        total: Sums = jax.lax.scan(body, zero_sums(), jnp.arange(batches))[0]
        return total

    @partial(jit, static_argnames="size", out_shardings=own)
    def one(
        state: TrainState,
        examples: Examples,
        positions: jax.Array | None,
        k: jax.Array,
        size: int,
    ) -> Sums:
        function = over_members(partial(one_batch, size=size), (0, EXAMPLE_AXES, 0, None), mesh)
        return function(state, examples, positions, k)

    @partial(jit, static_argnames=("size", "batches"), out_shardings=own)
    def many(
        state: TrainState, examples: Examples, positions: jax.Array | None, size: int, batches: int
    ) -> Sums:
        function = partial(all_batches, size=size, batches=batches)
        return over_members(function, (0, EXAMPLE_AXES, 0), mesh)(state, examples, positions)

    def evaluate(state: TrainState, examples: Examples, positions: jax.Array | None = None) -> Sums:
        n = (examples.labels if positions is None else positions).shape[-1]
        size, batches = _batches(batch_size, n, mesh)
        total: Sums
        if scan:
            total = many(state, examples, positions, size=size, batches=batches)
        else:
            each = [
                one(state, examples, positions, jnp.int32(k), size=size) for k in range(batches)
            ]
            total = jax.tree.map(lambda *leaves: sum(leaves), *each)
        return total

    return evaluate


def make_examine(
    steps: Steps,
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Callable[..., PyTree]],
) -> Callable[[TrainState, Examples], Moment]:
    """Makes `examine`, see `Program`; `jit` compiles with the options of a group."""
    own = NamedSharding(mesh, PartitionSpec("member"))

    def one_batch(state: TrainState, examples: Examples, k: jax.Array, size: int) -> Moment:
        return steps.examine(state, _batch(mesh, examples, None, k, size)[0])

    @partial(jit, static_argnames="size", out_shardings=own)
    def one(state: TrainState, examples: Examples, k: jax.Array, size: int) -> Moment:
        function = over_members(partial(one_batch, size=size), (0, EXAMPLE_AXES, None), mesh)
        return function(state, examples, k)

    @partial(jit, static_argnames=("size", "batches"), out_shardings=own)
    def many(state: TrainState, examples: Examples, size: int, batches: int) -> Moment:
        def all_batches(state: TrainState, examples: Examples) -> Moment:
            each: Moment = jax.lax.map(
                lambda k: one_batch(state, examples, k, size), jnp.arange(batches)
            )
            n = len(examples.labels)
            return {name: leaf.reshape(-1)[:n] for name, leaf in each.items()}

        return over_members(all_batches, (0, EXAMPLE_AXES), mesh)(state, examples)

    def examine(state: TrainState, examples: Examples) -> Moment:
        n = examples.labels.shape[-1]
        size, batches = _batches(batch_size, n, mesh)
        found: Moment
        if scan:
            found = many(state, examples, size=size, batches=batches)
        else:
            each = [one(state, examples, jnp.int32(k), size=size) for k in range(batches)]
            found = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, 1)[:, :n], *each)
        return found

    return examine
