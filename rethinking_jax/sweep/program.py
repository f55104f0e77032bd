"""The compiled functions of one group of runs whose examples are on the device.

A group is any number of runs that share everything static: architecture, optimizer,
batch size, data shape. Every array of a run gets a leading axis "member"; the members
are spread over the axis "member" of a mesh, several on one device are `vmap`ped, and a
run alone is a group of one, through the same functions. Where the mesh's axis "data" has
several devices, each takes its part of every batch: gradients, batch statistics and sums
are the whole batch's.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.metrics import zero_sums
from rethinking_jax.step.state import Examples, Hyper, Running, Steps, Sums, TrainState
from rethinking_jax.step.train import epoch_order

# Images, true labels and ids exist once for all members; the labels are each member's own.
EXAMPLE_AXES = Examples(images=None, labels=0, true_labels=None, ids=None)  # type: ignore[arg-type]


class Program(NamedTuple):
    """The jitted functions of a group; `m` members, `n` training examples.

    All but `init` want m to be a multiple of the mesh's axis "member", and every array
    there (see `rethinking_jax.sweep.mesh`).

    init: Hyper of [m] -> TrainState of [m, ...].
    order: (seeds int32 [m], epoch) -> int32 [m, n].
    train_batches: (state, running, examples, order, first, count) -> (state, running),
      `count` full batches from batch `first` on in one call; donates the state.
    train_rest: (state, running, examples, order) -> (state, running), the last,
      smaller batch of an epoch.
    evaluate: (state, examples) -> Sums of [m].
    """

    init: Callable[[Hyper], TrainState]
    order: Callable[[jax.Array, jax.Array | np.integer], jax.Array]
    train_batches: Callable[..., tuple[TrainState, Running]]
    train_rest: Callable[..., tuple[TrainState, Running]]
    evaluate: Callable[[TrainState, Examples], Sums]


def make_program(
    steps: Steps,
    *,
    train_size: int,
    batch_size: int,
    eval_batch_size: int,
    scan: bool,
    mesh: Mesh,
    compiler_options: Mapping[str, str] | None = None,
) -> Program:
    """Builds the functions of a group; nothing is compiled before the first call.

    Args:
      steps: of one run, see `rethinking_jax.step.train.make_steps`.
      train_size: n, the number of training examples.
      batch_size: examples per step; a multiple of the devices of the axis "data".
      eval_batch_size: examples per evaluation batch.
      scan: evaluate in one `lax.scan`, not batch by batch (see `use_scan`).
      mesh: the devices, see `rethinking_jax.sweep.mesh.make_mesh`.
      compiler_options: of XLA, for training and evaluation, see `xla_options`.
    """
    jit = partial(jax.jit, compiler_options=dict(compiler_options or {}))
    spread = partial(over_members, mesh=mesh)
    own = NamedSharding(mesh, PartitionSpec("member"))
    train_batches, train_rest = _make_train(steps, train_size, batch_size, mesh)

    def train_many(*args: Any, count: int) -> tuple[TrainState, Running]:
        axes = (0, 0, EXAMPLE_AXES, 0, None)
        return spread(partial(train_batches, count=count), axes)(*args)

    return Program(
        # On one device: what every member starts from is made once, and sent out.
        init=jax.jit(over_members(steps.init, (0,))),
        order=jax.jit(spread(partial(epoch_order, n=train_size), (0, None)), out_shardings=own),
        train_batches=jit(train_many, static_argnames="count", donate_argnums=0, out_shardings=own),
        train_rest=jit(
            spread(train_rest, (0, 0, EXAMPLE_AXES, 0)), donate_argnums=0, out_shardings=own
        ),
        evaluate=_make_evaluate(steps, eval_batch_size, scan, mesh, jit),
    )


def zero_running(members: int, gradient_norm: bool = False) -> Running:
    """Nothing seen yet, for each member of a group."""
    return jax.tree.map(lambda leaf: jnp.zeros((members,), leaf.dtype), Running.zero(gradient_norm))


def over_data(batch: Any, mesh: Mesh) -> Any:
    """Parts the leading axis of a batch among the devices of the axis "data"."""
    if mesh.shape["data"] == 1:
        return batch
    return jax.lax.with_sharding_constraint(batch, PartitionSpec("data"))


def _make_train(
    steps: Steps, train_size: int, batch_size: int, mesh: Mesh
) -> tuple[Callable[..., tuple[TrainState, Running]], Callable[..., tuple[TrainState, Running]]]:
    """`train_batches` and `train_rest` of one run, see `Program`."""

    def one_batch(
        carry: tuple[TrainState, Running], examples: Examples, chosen: jax.Array
    ) -> tuple[TrainState, Running]:
        state, running = carry
        chosen = over_data(chosen, mesh)
        batch = jax.tree.map(lambda leaf: leaf[chosen], examples)
        state, sums = steps.train(state, over_data(batch, mesh))
        return state, jax.tree.map(jnp.add, running, sums)

    def train_batches(
        state: TrainState,
        running: Running,
        examples: Examples,
        order: jax.Array,
        first: jax.Array,
        count: int,
    ) -> tuple[TrainState, Running]:
        def body(carry: Any, k: jax.Array) -> tuple[Any, None]:
            chosen = jax.lax.dynamic_slice_in_dim(order, k * batch_size, batch_size)
            return one_batch(carry, examples, chosen), None

        if count == 1:  # no loop: XLA's CPU convolutions are slow inside one
            return body((state, running), first)[0]
        return jax.lax.scan(body, (state, running), first + jnp.arange(count))[0]

    def train_rest(
        state: TrainState, running: Running, examples: Examples, order: jax.Array
    ) -> tuple[TrainState, Running]:
        return one_batch((state, running), examples, order[-(train_size % batch_size) :])

    return train_batches, train_rest


def use_scan(backend: str, convolutional: bool) -> bool:
    """Whether many steps go into one `lax.scan`.

    XLA's CPU backend runs convolutions inside a loop 20 to 35 times slower than one
    jitted step at a time (jax-ml/jax#12868); everywhere else scan saves the dispatch.
    """
    return not (backend == "cpu" and convolutional)


@cache
def xla_options(backend: str, convolutional: bool) -> dict[str, str]:
    """Compiler options that make a program faster, {} where there are none.

    XLA's own library for products on CPUs trains the small AlexNet 1.5 and the small
    Inception 1.4 times as fast (docs/bench). It is experimental: an XLA that does not know
    the option goes without.
    """
    if backend != "cpu" or not convolutional:
        return {}
    options = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return options


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a computation of its own, which XLA fuses with nothing outside.

    On a CPU XLA computes a pixel that is augmented anew for every use: for an image's mean,
    its deviation and the input of the network. Measured by `bench augment`. For one device:
    the partitioner does not look into such a computation.
    """

    def called(*args: Any) -> Any:
        with set_xla_metadata(inlineable="false"):
            return jax.jit(function)(*args)

    return called


def over_members(
    function: Callable[..., Any], axes: Sequence[Any], mesh: Mesh | None = None
) -> Callable[..., Any]:
    """Maps a function of one run over the leading member axis of its arguments.

    Each place on the mesh's axis "member" maps over its own members, without
    communication. One member alone is squeezed instead of vmapped: a batched convolution
    over a batch of one is another, slower operation. The axis "data" is left to the
    partitioner of XLA (see `over_data`).

    Args:
      function: of positional arguments that are trees of arrays.
      axes: as `in_axes` of `jax.vmap`, 0 or None (shared) per argument.
      mesh: None, or one whose axis "member" divides the number of members.
    """

    def mapped(*args: Any) -> Any:
        if _members(args, axes) > 1:
            return jax.vmap(function, tuple(axes))(*args)
        first = [_take_first(arg, axis) for arg, axis in zip(args, axes, strict=True)]
        return jax.tree.map(lambda leaf: leaf[None], function(*first))

    if mesh is None or mesh.size == 1:
        return mapped
    own, shared = PartitionSpec("member"), PartitionSpec()
    specs = jax.tree.map(
        lambda axis: shared if axis is None else own, tuple(axes), is_leaf=lambda x: x is None
    )
    # Nothing here is replicated by computing it twice, so there is nothing to check.
    return jax.shard_map(
        mapped, mesh=mesh, in_specs=specs, out_specs=own, axis_names={"member"}, check_vma=False
    )


def _members(args: Sequence[Any], axes: Sequence[Any]) -> int:
    own = next(arg for arg, axis in zip(args, axes, strict=True) if axis == 0)
    return jax.tree.leaves(own)[0].shape[0]


def _take_first(arg: Any, axis: Any) -> Any:
    if isinstance(axis, Examples):
        return dataclasses.replace(arg, labels=arg.labels[0])
    return arg if axis is None else jax.tree.map(lambda leaf: leaf[0], arg)


def _make_evaluate(
    steps: Steps,
    batch_size: int,
    scan: bool,
    mesh: Mesh,
    jit: Callable[..., Any],
) -> Callable[[TrainState, Examples], Sums]:
    own = NamedSharding(mesh, PartitionSpec("member"))
    parts = mesh.shape["data"]

    def one_batch(state: TrainState, examples: Examples, k: jax.Array, size: int) -> Sums:
        n = examples.labels.shape[0]
        position = over_data(k * size + jnp.arange(size), mesh)
        chosen = jnp.minimum(position, n - 1)
        batch = jax.tree.map(lambda leaf: leaf[chosen], examples)
        return steps.evaluate(state, over_data(batch, mesh), position < n)

    def all_batches(state: TrainState, examples: Examples, size: int, batches: int) -> Sums:
        def body(sums: Sums, k: jax.Array) -> tuple[Sums, None]:
            return jax.tree.map(jnp.add, sums, one_batch(state, examples, k, size)), None

        return jax.lax.scan(body, zero_sums(), jnp.arange(batches))[0]

    @partial(jit, static_argnames="size", out_shardings=own)
    def one(state: TrainState, examples: Examples, k: jax.Array, size: int) -> Sums:
        axes = (0, EXAMPLE_AXES, None)
        return over_members(partial(one_batch, size=size), axes, mesh)(state, examples, k)

    @partial(jit, static_argnames=("size", "batches"), out_shardings=own)
    def many(state: TrainState, examples: Examples, size: int, batches: int) -> Sums:
        function = partial(all_batches, size=size, batches=batches)
        return over_members(function, (0, EXAMPLE_AXES), mesh)(state, examples)

    def evaluate(state: TrainState, examples: Examples) -> Sums:
        n = examples.labels.shape[-1]
        size = parts * -(-min(batch_size, n) // parts)
        batches = -(-n // size)
        if scan:
            return many(state, examples, size=size, batches=batches)
        each = [one(state, examples, jnp.int32(k), size=size) for k in range(batches)]
        return jax.tree.map(lambda *leaves: sum(leaves), *each)

    return evaluate
