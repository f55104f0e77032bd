"""How far twins are apart, measured while they train; see `stability`."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.host.processes import fetch
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep.build import make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.held import as_images
from rethinking_jax.sweep.mesh import slots
from rethinking_jax.sweep.resident import examples, images
from rethinking_jax.sweep.stage import MeasureMembers
from rethinking_jax.workdir.metrics import Line

Params = Mapping[str, Any]  # a tree of arrays, as Flax has it


def watch(chunk: Chunk) -> MeasureMembers:
    """Makes what measures the twins of a chunk after each epoch, see `compare`.

    Raises:
      UserError: twins are in different chunks.
    """
    names = [run.name for run in chunk.runs]
    first = [name.rpartition("=")[0] + "=0" for name in names]
    if not set(first) <= set(names):
        raise UserError(
            "config.seeds and config.twins: so many runs do not fit into memory at once, and "
            "twins have to: take fewer"
        )
    shared, losses = images(chunk), _losses(chunk)

    def measure(active: tuple[int, ...], state: TrainState) -> list[Line]:
        chosen = slots(active, len(names), chunk.mesh.shape["member"])
        splits = examples(chunk, shared, chosen)
        train, test = (
            np.asarray(fetch(losses(state, splits[name].images, splits[name].labels)))
            for name in ("train", "test")
        )
        params = fetch(state.params)
        where = {names[member]: slot for slot, member in enumerate(active)}
        result: list[Line] = []
        for slot, member in enumerate(active):
            line = {
                "bounded_train": float(train[slot].mean()),
                "bounded_test": float(test[slot].mean()),
            }
            twin = where.get(first[member])
            replaced = chunk.runs[member].replaced
            if twin is not None and replaced is not None:
                line |= compare(params, train, test, twin, slot, replaced[0])
            result.append(line)
        return result

    return measure


def _losses(chunk: Chunk) -> Callable[[TrainState, jax.Array, jax.Array], jax.Array]:
    """Returns a function that computes 1 - p(label), float32 [members, n].

    It takes the members' state, images [n, h * w * c] and each member's labels [members, n].
    """
    config, dataset = chunk.config, chunk.dataset
    model = make_model(config, dataset.num_classes)
    prepare = make_preprocess(config.preprocess, *dataset.moments)

    def of_one(variables: dict[str, Params], pixels: jax.Array, own: jax.Array) -> jax.Array:
        inputs = prepare(as_images(pixels, dataset.image_shape))
        logits = jnp.asarray(model.apply(variables, inputs, train=False))
        return 1 - jnp.take_along_axis(jax.nn.softmax(logits), own[:, None], axis=1)[:, 0]

    def losses(state: TrainState, pixels: jax.Array, labels: jax.Array) -> jax.Array:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return jax.vmap(of_one, in_axes=(0, None, 0))(variables, pixels, labels)

    return jax.jit(losses)


def compare(
    params: object, train: np.ndarray, test: np.ndarray, a: int, b: int, replaced: int
) -> Line:
    """Measures how far two members are apart.

    Args:
      params: weights of all members, a tree of arrays [members, ...].
      train: losses of the training examples, float32 [members, n].
      test: losses of the test examples, float32 [members, m].
      a: the member with all examples.
      b: its twin.
      replaced: the training example that the twin has not seen.
    """
    leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(params)]
    apart = sum(((leaf[a] - leaf[b]) ** 2).sum() for leaf in leaves)
    size = sum((leaf[a] ** 2).sum() + (leaf[b] ** 2).sum() for leaf in leaves)
    off = {"train": np.abs(train[a] - train[b]), "test": np.abs(test[a] - test[b])}
    return {
        "twin_distance": float(np.sqrt(apart / size)),
        **{f"twin_{split}_mean": float(found.mean()) for split, found in off.items()},
        **{f"twin_{split}_most": float(found.max()) for split, found in off.items()},
        "twin_own": float(off["train"][replaced]),
    }
