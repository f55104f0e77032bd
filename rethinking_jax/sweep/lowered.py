"""The programs of a chunk for shapes alone: nothing is read, and no device need be there.

What is lowered here is what `rethinking_jax.sweep.resident` and `rethinking_jax.sweep.stream` call,
for the devices of the chunk's mesh. `lowered.compile()` then says what memory a program takes, on
devices that are here as on those of a topology (`jax.experimental.topologies`).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.stages import Lowered

from rethinking_jax.corruption import corrupt
from rethinking_jax.data.dataset import Split
from rethinking_jax.step.metrics import zero_sums
from rethinking_jax.step.state import Examples, PyTree
from rethinking_jax.sweep.build import build_program, build_stream_program
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.held import flat
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import slots
from rethinking_jax.sweep.program import Program, zero_running
from rethinking_jax.sweep.stream import StreamProgram

MEMBER, DATA, SHARED = PartitionSpec("member"), PartitionSpec("data"), PartitionSpec()


class Step(NamedTuple):
    """One program of a chunk.

    Attributes:
      lower: traces it.
      calls: how often the program, or the body of its loop, runs in an epoch.
      loop: how often the body of its loop runs in one call; 1 where it has none.
      held_bytes: what a device holds meanwhile besides the program's arguments.
    """

    lower: Callable[[], Lowered]
    calls: int
    loop: int
    held_bytes: int


def steps_of(chunk: Chunk, backend: str) -> dict[str, Step]:
    """Returns the programs of a chunk by name: "train" and "evaluate".

    Args:
      chunk: whose data set may have shapes in the place of images.
      backend: "cpu", "gpu" or "tpu", that of the chunk's devices.
    """
    if chunk.dataset.streamed:
        return _streamed(chunk, build_stream_program(chunk.config, chunk.dataset, backend,
                                                     chunk.mesh))  # fmt: skip
    program = build_program(chunk.config, chunk.dataset, backend, chunk.mesh, chunk.train_size)
    return _resident(chunk, program)


def members_of(chunk: Chunk) -> int:
    """Returns how many members the program of a chunk trains, copies that fill it included."""
    count = len(chunk.runs)
    return len(slots(range(count), count, chunk.mesh.shape["member"]))


def bytes_of(tree: PyTree) -> int:
    """Returns the bytes that a tree of shapes with shardings takes on each device, unpadded."""

    def own(leaf: jax.ShapeDtypeStruct) -> int:
        shape: tuple[int, ...] = leaf.sharding.shard_shape(leaf.shape)
        return math.prod(shape) * int(leaf.dtype.itemsize)

    return sum(map(own, jax.tree.leaves(tree)))


def evaluated(chunk: Chunk) -> dict[str, int]:
    """Returns how many examples of each split are evaluated after an epoch."""
    sample = int(chunk.config.train_eval_examples)
    train = min(sample, chunk.train_size) if sample else chunk.train_size
    measured = {split: len(chunk.dataset.splits[split]) for split in chunk.dataset.measured}
    return {"train": train, **measured}


# A chunk whose examples are on the devices --------------------------------------------


def _resident(chunk: Chunk, program: Program) -> dict[str, Step]:
    mesh, config, members = chunk.mesh, chunk.config, members_of(chunk)
    state, running = _carry(chunk, program.init, members)
    splits = {name: _examples(chunk, name, members) for name in chunk.dataset.splits}
    order = _shape((members, chunk.train_size), jnp.int32, mesh, MEMBER)
    first = _shape((), jnp.int32, mesh, SHARED)
    full = chunk.train_size // config.batch_size
    count = full if chunk.engine.scan else 1
    size = min(config.eval_batch_size, chunk.train_size)
    positions = None if chunk.engine.scan else order.update(shape=(members, size))
    whole = bytes_of(splits)

    def train() -> Lowered:
        return _lower(program.train_batches, state, running, splits["train"], order, first,
                      count=count)  # fmt: skip

    def evaluate() -> Lowered:
        # Batch by batch, the program is that of one batch.
        return jax.jit(program.evaluate).lower(state, splits["train"], positions)

    held = whole - bytes_of(splits["train"])
    batches = {split: -(-n // config.eval_batch_size) for split, n in evaluated(chunk).items()}
    loop = -(-chunk.train_size // config.eval_batch_size) if chunk.engine.scan else 1
    besides = held + bytes_of((running, order))
    return {
        "train": Step(train, chunk.steps_per_epoch, count, held),
        "evaluate": Step(evaluate, sum(batches.values()), loop, besides),
    }


def _examples(chunk: Chunk, name: str, members: int) -> Examples:
    """Returns the shapes of a split, see `rethinking_jax.sweep.resident.examples`."""
    part, mesh = chunk.dataset.splits[name], chunk.mesh
    images = _images(chunk, name, part)
    return Examples(
        _shape(images.shape, images.dtype, mesh, SHARED),
        _shape((members, len(part)), jnp.int32, mesh, MEMBER),
        _shape((len(part),), jnp.int32, mesh, SHARED),
        _shape((len(part),), jnp.uint32, mesh, SHARED),
    )


def _images(chunk: Chunk, name: str, part: Split) -> PyTree:
    """Returns the shape of the images of a split as they lie on the devices, corrupted."""
    drawn = corrupt(chunk.config, chunk.dataset)
    ids = jax.ShapeDtypeStruct(part.ids.shape, part.ids.dtype)
    stored = jax.ShapeDtypeStruct(part.images.shape, part.images.dtype)
    return jax.eval_shape(lambda ids, images: flat(drawn.images(name, ids, images)), ids, stored)


# A run whose examples are streamed ----------------------------------------------------


def _streamed(chunk: Chunk, program: StreamProgram) -> dict[str, Step]:
    mesh, config = chunk.mesh, chunk.config
    state, running = _carry(chunk, program.init, 1)
    parts = mesh.shape["data"]
    counts = evaluated(chunk)
    # All batches are as large as that of the largest split, if not the last of a small one.
    size = parts * -(-min(config.eval_batch_size, max(counts.values())) // parts)
    batch, batch_of_eval = _batch(chunk, config.batch_size), _batch(chunk, size)
    sums = _over(jax.eval_shape(lambda: jax.tree.map(lambda leaf: leaf[None], zero_sums())), mesh)
    counted = _shape((size,), jnp.bool_, mesh, DATA)

    def train() -> Lowered:
        return _lower(program.train_batch, state, running, batch)

    def evaluate() -> Lowered:
        return _lower(program.evaluate_batch, state, sums, batch_of_eval, counted, split="train")

    # The copy of the next batch runs beside the step of this one.
    return {
        "train": Step(train, chunk.steps_per_epoch, 1, bytes_of(batch)),
        "evaluate": Step(
            evaluate, sum(-(-n // size) for n in counts.values()), 1, bytes_of(batch_of_eval)
        ),
    }


def _batch(chunk: Chunk, size: int) -> Examples:
    mesh, shape = chunk.mesh, chunk.dataset.image_shape
    labels = _shape((size,), jnp.int32, mesh, DATA)
    return Examples(
        _shape((size, *shape), jnp.uint8, mesh, DATA),
        labels,
        labels,
        _shape((size,), jnp.uint32, mesh, DATA),
    )


# Both -------------------------------------------------------------------------------


def _carry(chunk: Chunk, init: Callable[..., PyTree], members: int) -> tuple[PyTree, PyTree]:
    """Returns the shapes of the state and the sums of some members, each on its own devices."""
    one = jax.eval_shape(lambda: hyper(chunk.runs[:1]))
    many = jax.tree.map(lambda leaf: leaf.update(shape=(members, *leaf.shape[1:])), one)
    running = jax.eval_shape(lambda: zero_running(members, chunk.config.gradient_norm))
    return _over(jax.eval_shape(init, many), chunk.mesh), _over(running, chunk.mesh)


def _over(tree: PyTree, mesh: Mesh) -> PyTree:
    """Spreads shapes of [members, ...] over the devices of the members."""
    return jax.tree.map(lambda leaf: _shape(leaf.shape, leaf.dtype, mesh, MEMBER), tree)


def _shape(shape: tuple[int, ...], dtype: PyTree, mesh: Mesh, spec: PartitionSpec) -> PyTree:
    """Returns a `jax.ShapeDtypeStruct`, for which the types of `Examples` have no word."""
    return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(mesh, spec))


def _lower(function: Callable[..., PyTree], *args: PyTree, **static: PyTree) -> Lowered:
    """Lowers a jitted function, which the types of `Program` call a plain one."""
    lowered: Lowered = function.lower(*args, **static)  # type: ignore[attr-defined]
    return lowered
