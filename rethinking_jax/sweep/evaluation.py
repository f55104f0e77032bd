"""How a group of runs is evaluated: sums over a split, and what is found of each example."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.facts import Moment
from rethinking_jax.step.metrics import zero_sums
from rethinking_jax.step.state import Examples, PyTree, Steps, Sums, TrainState
from rethinking_jax.sweep.axes import EXAMPLE_AXES, over_data, over_members
from rethinking_jax.sweep.held import take

# Told the share of a split that is evaluated, it says why to stop, or None.
Between: TypeAlias = Callable[[float], str | None]


def never(share: float) -> None:
    """Says that nothing is a reason to stop."""


class Evaluate(Protocol):
    """Sums the metrics of every member over examples."""

    def __call__(
        self,
        state: TrainState,
        examples: Examples,
        positions: jax.Array | None = None,
        between: Between = never,
    ) -> PyTree:
        """Returns Sums of [m], or None where `between` two batches something says to stop.

        Positions are each member's own, int32 [m, examples]; None: all.
        """


def _batch(
    mesh: Mesh,
    image_shape: tuple[int, ...],
    examples: Examples,
    positions: jax.Array | None,
    k: jax.Array,
    size: int,
) -> tuple[Examples, jax.Array]:
    """Returns batch k of one run's examples, and which count: some may only fill up the last."""
    n = len(examples.labels) if positions is None else len(positions)
    place = over_data(k * size + jnp.arange(size), mesh)
    chosen = jnp.minimum(place, n - 1)
    if positions is not None:
        chosen = positions[chosen]
    return over_data(take(examples, chosen, image_shape), mesh), place < n


def _batches(batch_size: int, n: int, mesh: Mesh) -> tuple[int, int]:
    """Returns the size of a batch, which the devices can share, and how many make n examples."""
    parts = mesh.shape["data"]
    size = parts * -(-min(batch_size, n) // parts)
    return size, -(-n // size)


def make_evaluate(
    steps: Steps,
    image_shape: tuple[int, ...],
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Callable[..., PyTree]],
) -> Evaluate:
    """Makes `evaluate`, see `Program`; `jit` compiles with the options of a group."""

    def in_loop(one: Callable[[jax.Array], Sums], batches: int, n: int) -> Sums:
        def body(sums: Sums, k: jax.Array) -> tuple[Sums, None]:
            return jax.tree.map(jnp.add, sums, one(k)), None

        total: Sums = jax.lax.scan(body, zero_sums(), jnp.arange(batches))[0]
        return total

    def joined(each: Sequence[Sums], n: int) -> Sums:
        total: Sums = jax.tree.map(lambda *leaves: sum(leaves), *each)
        return total

    batches = partial(_batch, mesh, image_shape)
    return _over_batches(steps.evaluate, batches, in_loop, joined, batch_size, scan, mesh, jit)


def make_examine(
    steps: Steps,
    image_shape: tuple[int, ...],
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Callable[..., PyTree]],
) -> Callable[..., PyTree]:
    """Makes `examine`, see `Program`; `jit` compiles with the options of a group."""

    def one_batch(state: TrainState, batch: Examples, counted: jax.Array) -> Moment:
        return steps.examine(state, batch)

    def in_loop(one: Callable[[jax.Array], Moment], batches: int, n: int) -> Moment:
        each: Moment = jax.lax.map(one, jnp.arange(batches))
        return {name: leaf.reshape(-1)[:n] for name, leaf in each.items()}

    def joined(each: Sequence[Moment], n: int) -> Moment:
        found: Moment = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, 1)[:, :n], *each)
        return found

    batches = partial(_batch, mesh, image_shape)
    return _over_batches(one_batch, batches, in_loop, joined, batch_size, scan, mesh, jit)


def _over_batches(
    one_batch: Callable[[TrainState, Examples, jax.Array], PyTree],
    batch_of: Callable[..., tuple[Examples, jax.Array]],
    in_loop: Callable[[Callable[[jax.Array], PyTree], int, int], PyTree],
    joined: Callable[[Sequence[PyTree], int], PyTree],
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Callable[..., PyTree]],
) -> Callable[..., PyTree]:
    """Makes a function of (state, examples, positions, between) that takes batch after batch.

    Batches that are calls of their own wait for the one before, so that between two of them a run
    can be asked to stop; the function returns None then.

    Args:
      one_batch: (state, batch, counted) -> what is found of a batch of one run.
      batch_of: (examples, positions, k, size) -> batch k of one run, and which examples count.
      in_loop: (what finds batch k of one run, number of batches, n) -> what is found of all, in
        one program.
      joined: (what is found of each batch of all members, n) -> the same of calls one by one.
      batch_size, scan, mesh: see `rethinking_jax.sweep.program.make_program`.
      jit: compiles.
    """
    own = NamedSharding(mesh, PartitionSpec("member"))

    @partial(jit, static_argnames="size", out_shardings=own)
    def one(
        state: PyTree, examples: Examples, positions: PyTree, k: jax.Array, size: int
    ) -> PyTree:
        def of_run(state: PyTree, examples: Examples, positions: PyTree, k: jax.Array) -> PyTree:
            return one_batch(state, *batch_of(examples, positions, k, size))

        axes = (0, EXAMPLE_AXES, 0, None)
        return over_members(of_run, axes, mesh)(state, examples, positions, k)

    @partial(jit, static_argnames=("size", "batches", "n"), out_shardings=own)
    def many(
        state: PyTree, examples: Examples, positions: PyTree, size: int, batches: int, n: int
    ) -> PyTree:
        def of_run(state: PyTree, examples: Examples, positions: PyTree) -> PyTree:
            def find(k: jax.Array) -> PyTree:
                return one_batch(state, *batch_of(examples, positions, k, size))

            return in_loop(find, batches, n)

        return over_members(of_run, (0, EXAMPLE_AXES, 0), mesh)(state, examples, positions)

    def all_batches(
        state: TrainState,
        examples: Examples,
        positions: jax.Array | None = None,
        between: Between = never,
    ) -> PyTree:
        n = (examples.labels if positions is None else positions).shape[-1]
        size, batches = _batches(batch_size, n, mesh)
        if scan:
            return many(state, examples, positions, size=size, batches=batches, n=n)
        call = partial(one, state, examples, positions, size=size)
        each = _one_by_one(lambda k: call(jnp.int32(k)), batches, between)
        return None if each is None else joined(each, n)

    return all_batches


def _one_by_one(
    call: Callable[[int], PyTree], batches: int, between: Between
) -> list[PyTree] | None:
    """Finds what is found of each batch, with one in flight; None where asked to stop between."""
    each: list[PyTree] = []
    for k in range(batches):
        if k and between(k / batches):
            return None
        each.append(call(k))
        jax.block_until_ready(each[-2:-1])
    return each
