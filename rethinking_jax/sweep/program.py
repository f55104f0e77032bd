"""The compiled functions of one group of runs whose examples are on the device.

A group is any number of runs that share everything static: architecture, optimizer,
batch size, data shape. Every array of a run gets a leading axis "member"; the members
are spread over the axis "member" of a mesh, several on one device are `vmap`ped, and a
run alone is a group of one, through the same functions. Where the mesh's axis "data" has
several devices, each takes its part of every batch: gradients, batch statistics and sums
are the whole batch's.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.state import (
    Carry,
    Examples,
    Hyper,
    PyTree,
    Running,
    Steps,
    TrainState,
)
from rethinking_jax.step.train import epoch_order
from rethinking_jax.sweep.axes import EXAMPLE_AXES, over_data, over_members
from rethinking_jax.sweep.evaluation import Evaluate, make_evaluate, make_examine
from rethinking_jax.sweep.held import take

Given = ParamSpec("Given")
Result = TypeVar("Result")


class TrainBatches(Protocol):
    """Trains `count` full batches of an epoch from batch `first` on in one call."""

    def __call__(
        self,
        state: TrainState,
        running: Running,
        examples: Examples,
        order: jax.Array,
        first: jax.Array | np.integer,
        count: int,
    ) -> Carry:
        """Returns states and sums after the batches; the states given are used up."""


class Program(NamedTuple):
    """The jitted functions of a group; `m` members, `n` training examples.

    All but `init` want m to be a multiple of the mesh's axis "member", and every array
    there (see `rethinking_jax.sweep.mesh`).

    init: Hyper of [m] -> TrainState of [m, ...].
    order: (seeds int32 [m], epoch) -> int32 [m, n].
    train_batches: see `TrainBatches`; the order is int32 [m, n].
    train_rest: (state, running, examples, order) -> (state, running), the last,
      smaller batch of an epoch.
    evaluate: see `Evaluate`.
    examine: (state, examples, None, between) -> facts of every example at this moment, each
      [m, examples]; see `Evaluate`.
    """

    init: Callable[[Hyper], TrainState]
    order: Callable[[jax.Array, jax.Array | np.integer], jax.Array]
    train_batches: TrainBatches
    train_rest: Callable[[TrainState, Running, Examples, jax.Array], Carry]
    evaluate: Evaluate
    examine: Callable[..., PyTree]


def make_program(
    steps: Steps,
    *,
    train_size: int,
    image_shape: tuple[int, ...],
    batch_size: int,
    eval_batch_size: int,
    scan: bool,
    mesh: Mesh,
    compiler_options: Mapping[str, str] | None = None,
) -> Program:
    """Builds the functions of a group; nothing is compiled before the first call.

    Args:
      steps: the functions of one run, see `rethinking_jax.step.train.make_steps`.
      train_size: n, the number of training examples.
      image_shape: (h, w, c) of a stored image; examples hold them flat, see `sweep.held`.
      batch_size: examples per step; a multiple of the devices of the axis "data".
      eval_batch_size: examples per evaluation batch.
      scan: evaluate in one `lax.scan`, not batch by batch (see `use_scan`).
      mesh: the devices, see `rethinking_jax.sweep.mesh.make_mesh`.
      compiler_options: what XLA is told for training and evaluation, see `xla_options`.
    """
    jit = partial(jax.jit, compiler_options=dict(compiler_options or {}))
    spread = partial(over_members, mesh=mesh)
    own = NamedSharding(mesh, PartitionSpec("member"))
    train_batches, train_rest = _make_train(steps, train_size, image_shape, batch_size, mesh)

    def train_many(
        state: TrainState,
        running: Running,
        examples: Examples,
        order: jax.Array,
        first: jax.Array,
        count: int,
    ) -> Carry:
        function = spread(partial(train_batches, count=count), (0, 0, EXAMPLE_AXES, 0, None))
        return function(state, running, examples, order, first)

    return Program(
        # On one device: what every member starts from is made once, and sent out.
        init=jax.jit(over_members(steps.init, (0,))),
        order=jax.jit(spread(partial(epoch_order, n=train_size), (0, None)), out_shardings=own),
        train_batches=jit(train_many, static_argnames="count", donate_argnums=0, out_shardings=own),
        train_rest=jit(
            spread(train_rest, (0, 0, EXAMPLE_AXES, 0)), donate_argnums=0, out_shardings=own
        ),
        evaluate=make_evaluate(steps, image_shape, eval_batch_size, scan, mesh, jit),
        examine=make_examine(steps, image_shape, eval_batch_size, scan, mesh, jit),
    )


def zero_running(members: int, gradient_norm: bool = False) -> Running:
    """Returns sums over nothing for each member of a group."""
    one = Running.zero(gradient_norm)
    many: Running = jax.tree.map(lambda leaf: jnp.zeros((members,), leaf.dtype), one)
    return many


def _make_train(
    steps: Steps, train_size: int, image_shape: tuple[int, ...], batch_size: int, mesh: Mesh
) -> tuple[TrainBatches, Callable[[TrainState, Running, Examples, jax.Array], Carry]]:
    """Makes `train_batches` and `train_rest` of one run, see `Program`."""

    def one_batch(carry: Carry, examples: Examples, chosen: jax.Array) -> Carry:
        state, running = carry
        batch = take(examples, over_data(chosen, mesh), image_shape)
        state, sums = steps.train(state, over_data(batch, mesh))
        return state, jax.tree.map(jnp.add, running, sums)

    def train_batches(
        state: TrainState,
        running: Running,
        examples: Examples,
        order: jax.Array,
        first: jax.Array | np.integer,
        count: int,
    ) -> Carry:
        def body(carry: Carry, k: jax.Array | np.integer) -> tuple[Carry, None]:
            chosen = jax.lax.dynamic_slice_in_dim(order, k * batch_size, batch_size)
            return one_batch(carry, examples, chosen), None

        if count == 1:  # no loop: XLA's CPU convolutions are slow inside one
            return body((state, running), first)[0]
        trained: Carry = jax.lax.scan(body, (state, running), first + jnp.arange(count))[0]
        return trained

    def train_rest(
        state: TrainState, running: Running, examples: Examples, order: jax.Array
    ) -> Carry:
        return one_batch((state, running), examples, order[-(train_size % batch_size) :])

    return train_batches, train_rest


def use_scan(backend: str, convolutional: bool) -> bool:
    """Says whether many steps go into one `lax.scan`.

    XLA's CPU backend runs convolutions inside a loop 20 to 35 times slower than one
    jitted step at a time (jax-ml/jax#12868); everywhere else scan saves the dispatch.
    """
    return not (backend == "cpu" and convolutional)


@cache
def xla_options(backend: str, convolutional: bool, deterministic: bool = False) -> dict[str, str]:
    """Returns compiler options that make a program faster, or its bits the same every time.

    A GPU adds up in no fixed order where an operation scatters, as the gradient of a max pool
    does, and chooses among algorithms by a stopwatch. `deterministic` forbids both.

    XLA's own library for products on CPUs trains the small AlexNet 1.5 and the small
    Inception 1.4 times as fast (docs/bench). It is experimental: an XLA that does not know
    the option goes without.
    """
    if backend == "gpu" and deterministic:
        return {"xla_gpu_deterministic_ops": "true"}
    if backend != "cpu" or not convolutional:
        return {}
    options = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return options


def apart(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Makes a function a computation of its own, which XLA fuses with nothing outside.

    On a CPU XLA computes a pixel that is augmented anew for every use: for an image's mean,
    its deviation and the input of the network (`bench augment` measures that). It is for one
    device: the partitioner does not look into such a computation.
    """

    def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with set_xla_metadata(inlineable="false"):
            found: Result = jax.jit(function)(*args, **kwargs)
        return found

    return called
