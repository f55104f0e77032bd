"""The engine of runs whose images are on the devices, once for all members of a chunk."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.corruption import corrupt
from rethinking_jax.data.dataset import Array, Split
from rethinking_jax.step.facts import Moment
from rethinking_jax.step.state import Carry, Examples, Sums, TrainState
from rethinking_jax.sweep.engine import (
    Chunk,
    Engine,
    Feed,
    Feeds,
    Pieces,
    Taken,
    train_sample,
)
from rethinking_jax.sweep.evaluation import Between
from rethinking_jax.sweep.held import as_images, flat
from rethinking_jax.sweep.mesh import share, spread
from rethinking_jax.sweep.program import Program

# Pixel corruptions are drawn this many examples at a time: the random bits of a whole
# set would take several times its memory.
CORRUPTION_BATCH = 2000


def resident_engine(program: Program, scan: bool) -> Engine:
    """Makes an engine of a program; with `scan` the full batches of an epoch are one call."""

    def open_chunk(chunk: Chunk) -> Feeds:
        return partial(_feed, program, chunk, images(chunk))

    return Engine(program.init, open_chunk, scan)


def _feed(
    program: Program, chunk: Chunk, shared: Mapping[str, jax.Array], chosen: Sequence[int]
) -> Feed:
    splits = examples(chunk, shared, chosen)
    train, subsets = splits["train"], _subsets(chunk, chosen)
    positions = {"train": subsets}
    if chunk.config.train_eval_examples:
        sample = train_sample(chunk.config, chunk.train_size)
        splits["train_sample"] = train if subsets is not None else _part(train, sample)
        positions["train_sample"] = None if subsets is None else subsets[:, sample]

    def evaluate(state: TrainState, split: str, between: Between) -> Sums | None:
        sums: Sums | None = program.evaluate(state, splits[split], positions.get(split), between)
        return sums

    def examine(state: TrainState, split: str, between: Between) -> Moment | None:
        found: Moment | None = program.examine(state, splits[split], None, between)
        return found

    def reordered(order: jax.Array) -> jax.Array:
        if subsets is not None:
            order = _of_subsets(order, subsets)
        return order if replaced is None else _with_copies(order, replaced)

    replaced = _replacements(chunk, chosen)
    return Feed(partial(_train, program, chunk, train, reordered), evaluate, examine)


def _train(
    program: Program,
    chunk: Chunk,
    train: Examples,
    reordered: Callable[[jax.Array], jax.Array],
    carry: Carry,
    epoch: int,
    first: int,
) -> Pieces:
    """Trains the rest of an epoch, see `Feed`.

    `reordered` makes positions in the training set of an order of 0, 1, 2, ..., both int32 [m, n].
    """
    full = chunk.train_size // chunk.config.batch_size
    state, running = carry
    order = reordered(program.order(state.hyper.seed, np.int32(epoch)))
    done = first
    if chunk.engine.scan and first == 0:
        state, running = program.train_batches(
            state, running, train, order, np.int32(0), count=full
        )
        done = full
        # A scanned epoch is one piece with its last, smaller batch, where it has one.
        if done == chunk.steps_per_epoch:
            yield Taken((state, running), done, 0.0)
    while done < full:
        previous = running
        state, running = program.train_batches(
            state, running, train, order, np.int32(done), count=1
        )
        done += 1
        jax.block_until_ready(previous)  # one step in flight: a stop must not wait for many
        yield Taken((state, running), done, 0.0)
    if done < chunk.steps_per_epoch:
        state, running = program.train_rest(state, running, train, order)
        yield Taken((state, running), done + 1, 0.0)


@jax.jit
def _with_copies(order: jax.Array, replaced: jax.Array) -> jax.Array:
    """Puts example j in the place of example i into orders [m, n]; (i, j) of [m, 2]."""
    return jnp.where(order == replaced[:, :1], replaced[:, 1:], order)


@jax.jit
def _of_subsets(order: jax.Array, subsets: jax.Array) -> jax.Array:
    """Returns the examples of subsets [m, n] in orders of their places, [m, n]."""
    return jnp.take_along_axis(subsets, order, axis=1)


def _part(whole: Examples, positions: np.ndarray) -> Examples:
    return Examples(
        whole.images[positions],
        whole.labels[:, positions],
        whole.true_labels[positions],
        whole.ids[positions],
    )


def images(chunk: Chunk) -> dict[str, jax.Array]:
    """Puts the images of each split, corrupted as its runs want it, on each of its devices.

    They are rows [n, h * w * c], see `rethinking_jax.sweep.held`.
    """
    splits = chunk.dataset.splits.items()
    return {split: share(_corrupted(chunk, split, part), chunk.mesh) for split, part in splits}


def _corrupted(chunk: Chunk, split: str, part: Split) -> Array:
    stored, shape = flat(part.images), chunk.dataset.image_shape
    drawn = corrupt(chunk.config, chunk.dataset)
    if drawn.corruption.images is None:
        return stored

    @jax.jit
    def change(ids: jax.Array, rows: jax.Array) -> jax.Array:
        return flat(drawn.images(split, ids, as_images(rows, shape)))

    parts = [
        change(part.ids[i : i + CORRUPTION_BATCH], stored[i : i + CORRUPTION_BATCH])
        for i in range(0, len(part.ids), CORRUPTION_BATCH)
    ]
    return jnp.concatenate(parts)


def examples(
    chunk: Chunk, shared: Mapping[str, jax.Array], chosen: Sequence[int]
) -> dict[str, Examples]:
    """Returns the splits of some members of a chunk, by name.

    Args:
      chunk: all members.
      shared: the images of each split, see `images`.
      chosen: indices of members, as many as the mesh can divide.

    Returns:
      Examples whose labels are int32 [len(chosen), n], each on its member's device.
    """
    runs, mesh = [chunk.runs[i] for i in chosen], chunk.mesh
    result = {}
    for split, part in chunk.dataset.splits.items():
        labels = np.stack([run.labels_of(split, part) for run in runs])
        true, ids = share((part.labels, part.ids), mesh)
        result[split] = Examples(shared[split], spread(labels, mesh), true, ids)
    return result


def _replacements(chunk: Chunk, chosen: Sequence[int]) -> jax.Array | None:
    """Returns the positions (i, j) of `Run.replaced`, int32 [len(chosen), 2]; None: no run has any.

    A member that has every example has (-1, -1), which are no positions.
    """
    if all(run.replaced is None for run in chunk.runs):
        return None
    pairs = jnp.array([chunk.runs[i].replaced or (-1, -1) for i in chosen], jnp.int32)
    placed: jax.Array = spread(pairs, chunk.mesh)
    return placed


def _subsets(chunk: Chunk, chosen: Sequence[int]) -> jax.Array | None:
    """Returns the positions of `Run.subset`, int32 [len(chosen), m]; None: runs have every one."""
    own = [chunk.runs[i].subset for i in chosen]
    parts = [part for part in own if part is not None]
    if not parts:
        return None
    placed: jax.Array = spread(np.stack(parts).astype(np.int32), chunk.mesh)
    return placed
