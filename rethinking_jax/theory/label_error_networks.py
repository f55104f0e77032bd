"""What `label_errors` looks at in the networks themselves while they train.

The recorder keeps what a network answers for the label of an example. Some scores need more:
gradients at the start and early on, the outputs of layers, and the probabilities of all classes.
They are kept in a file for each chunk, which is written before the last lines of its runs: a chunk
that is complete has its file.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.analysis.findings import finite
from rethinking_jax.errors import UserError, first_line
from rethinking_jax.host.processes import fetch
from rethinking_jax.models.mlp import MLP, Linear
from rethinking_jax.scores.gradient_norm import dense, per_example
from rethinking_jax.scores.nearest import neighbours
from rethinking_jax.scores.prediction_depth import NEIGHBOURS, activations, prediction_depth
from rethinking_jax.scores.ranking import auroc
from rethinking_jax.step.state import Facts, TrainState, facts_of
from rethinking_jax.sweep.build import make_model, make_preprocess_of
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.stage import MeasureMembers
from rethinking_jax.theory.label_error_runs import role
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath, make_folder, write_atomically

FOLDER = "networks"  # of a workdir, with the files
AGAIN = ": remove the whole work directory, and run again"
EARLY = 0.1  # of the epochs, as Paul et al. (2021) look after 20 of 200
DEPTH_RUNS = ("init=0", "init=1")  # the runs of a corruption whose prediction depths are found

LEAST = NEIGHBOURS + 1  # examples, so that each has that many others

Kept = Mapping[str, Mapping[str, np.ndarray]]  # by the name of a run, then of what is kept


class Wanted(NamedTuple):
    """What is kept of the networks besides the records: see `watch`."""

    gradients: bool
    depth: bool


class Look(NamedTuple):
    """What can be seen of the members of a chunk, each compiled once.

    Attributes:
      gradient_norms: (their variables, labels int32 [members, n]) -> float32 [members, n].
      probabilities: their variables -> float32 [members, n, classes].
      layers: variables of one of them -> float32 [n, features] for each layer but the inputs.
      inputs: what the networks are given, float32 [n, h, w, c].
    """

    gradient_norms: Callable[[Any, jax.Array], jax.Array]
    probabilities: Callable[[Any], jax.Array]
    layers: Callable[[Any], Sequence[jax.Array]]
    inputs: jax.Array


class Now(NamedTuple):
    """The members of a chunk that go on, at one moment.

    Attributes:
      names: of the runs.
      variables: theirs, a tree of arrays [members, ...].
      facts: what is recorded of the training examples, each [members, n].
      labels: the given labels, int32 [members, n].
      corrupted: whether these are not the true ones, bool [members, n].
    """

    names: tuple[str, ...]
    variables: Any
    facts: Facts
    labels: jax.Array
    corrupted: np.ndarray


def early_epoch(epochs: int) -> int:
    """Returns the epoch after which "early" scores are taken."""
    return max(1, round(EARLY * epochs))


def watch(chunk: Chunk, folder: AnyPath, wanted: Wanted) -> MeasureMembers:
    """Makes what looks at the networks of a chunk, and adds to their lines how well they rank.

    Args:
      chunk: runs of `label_error_runs`.
      folder: where what is kept of them goes.
      wanted: what is kept of the runs on all examples. Of those on folds it is the
        probabilities at the end, of those on subsets nothing.
    """
    look, last, early = _look(chunk), chunk.config.epochs, early_epoch(chunk.config.epochs)
    roles = {role(run.name) for run in chunk.runs}
    kept: dict[str, np.ndarray] = {}
    if "init" in roles and wanted.gradients:
        start = chunk.engine.init(hyper(chunk.runs))
        now = _now(chunk, range(len(chunk.runs)), start.variables, {})
        kept |= _by_run(now, "gradient_norm_start", look.gradient_norms(now.variables, now.labels))

    def measure(active: tuple[int, ...], state: TrainState) -> list[Line]:
        epoch = int(fetch(state.step)[0]) // chunk.steps_per_epoch
        now = _now(chunk, active, state.variables, _train_facts(state))
        if "init" in roles and epoch == early:
            kept.update(_early(look, now, wanted))
        if "init" in roles and epoch == last and wanted.depth:
            kept.update(_depths(look, now))
        if "fold" in roles and epoch == last:
            kept.update(_by_run(now, "probabilities", look.probabilities(now.variables)))
            kept.update(_by_run(now, "held_out", _held_out(chunk, active)))
        if epoch == last and kept:
            _write(folder, chunk.name, kept)
        return _ranking(now) if "init" in roles else [{} for _ in active]

    return measure


def read(folder: AnyPath, names: Sequence[str]) -> Kept:
    """Reads what was kept of some runs.

    Raises:
      UserError: a file is damaged, or a run is in none.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for file in sorted(folder.glob("*.npz")) if folder.is_dir() else []:
        try:
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
                for key in arrays.files:
                    run, _, fact = key.rpartition("|")
                    found.setdefault(run, {})[fact] = arrays[key]
        except Exception as error:  # damage shows as any: of zipfile, zlib, NumPy or struct
            raise UserError(f"{file} is damaged ({first_line(error)}){AGAIN}") from None
    if missing := set(names) - found.keys():
        raise UserError(f"{folder} has nothing of {sorted(missing)[0]!r}{AGAIN}")
    return found


def _write(folder: AnyPath, name: str, kept: Mapping[str, np.ndarray]) -> None:
    make_folder(folder)
    content = io.BytesIO()
    np.savez_compressed(content, **kept)  # type: ignore[arg-type]  # see `sweep.recorder`
    write_atomically(folder / f"{name}.npz", content.getvalue())


def _held_out(chunk: Chunk, active: Sequence[int]) -> np.ndarray:
    """Says which examples some runs do not train on, bool [runs, n]."""
    found = np.ones((len(active), len(chunk.dataset.train)), bool)
    for row, member in zip(found, active, strict=True):
        subset = chunk.runs[member].subset
        row[slice(None) if subset is None else subset] = False
    return found


def _train_facts(state: TrainState) -> Facts:
    facts = facts_of(state)
    assert facts is not None  # the runs of a cell record their examples
    return facts["train"]


def _now(chunk: Chunk, active: Sequence[int], variables: Any, facts: Facts) -> Now:
    """Takes the members that go on; what fills up the devices comes after them."""
    own_variables, own_facts = jax.tree.map(lambda leaf: leaf[: len(active)], (variables, facts))
    labels = np.stack([chunk.runs[member].train_labels for member in active])
    names = tuple(chunk.runs[member].name for member in active)
    corrupted = labels != chunk.dataset.train.labels
    return Now(names, own_variables, own_facts, jnp.asarray(labels), corrupted)


def _by_run(now: Now, fact: str, found: jax.Array | np.ndarray) -> dict[str, np.ndarray]:
    values = np.asarray(fetch(found))
    return {f"{name}|{fact}": own for name, own in zip(now.names, values, strict=True)}


def _early(look: Look, now: Now, wanted: Wanted) -> dict[str, np.ndarray]:
    kept = _by_run(now, "early_error_norm", now.facts["error_norm"])
    if wanted.gradients:
        found = look.gradient_norms(now.variables, now.labels)
        kept |= _by_run(now, "gradient_norm_early", found)
    return kept


# How well the facts of an epoch rank, by the name in a line: larger is more suspicious.
SNAPSHOTS: dict[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]] = {
    "auroc_loss": lambda facts: facts["loss"],
    "auroc_error_norm": lambda facts: facts["error_norm"],
    "auroc_margin": lambda facts: -facts["margin"],
    "auroc_cumulative_loss": lambda facts: facts["loss_sum"],
    "auroc_area_under_margin": lambda facts: -facts["margin_sum"],
    "auroc_wrong_events": lambda facts: -facts["correct_count"],
}


def _ranking(now: Now) -> list[Line]:
    """Returns the AUROC of each member's own facts at this epoch, for its line."""
    names = ("loss", "error_norm", "margin", "loss_sum", "margin_sum", "correct_count")
    seen = {name: np.asarray(fetch(now.facts[name])) for name in names}
    found = {name: auroc(of(seen), now.corrupted) for name, of in SNAPSHOTS.items()}
    return [
        {name: finite(values[slot]) for name, values in found.items()}
        for slot in range(len(now.names))
    ]


def _depths(look: Look, now: Now) -> dict[str, np.ndarray]:
    """Returns the prediction depths of the runs that `DEPTH_RUNS` names."""
    found = dict[str, np.ndarray]()
    inputs = np.asarray(look.inputs)
    of_inputs = neighbours(inputs.reshape(len(inputs), -1), NEIGHBOURS)
    labels, predictions = np.asarray(now.labels), np.asarray(fetch(now.facts["prediction"]))
    for slot, name in enumerate(now.names):
        if name.rpartition(",")[2] in DEPTH_RUNS:
            one = jax.tree.map(lambda leaf, slot=slot: leaf[slot], now.variables)
            near = [neighbours(np.asarray(layer), NEIGHBOURS) for layer in look.layers(one)]
            depth = prediction_depth([of_inputs, *near], labels[slot], predictions[slot])
            found[f"{name}|prediction_depth"] = depth
    return found


def _look(chunk: Chunk) -> Look:
    """Compiles what looks at the members of a chunk, one after another."""
    config, dataset = chunk.config, chunk.dataset
    model = make_model(config, dataset.num_classes)
    inputs = make_preprocess_of(config, dataset)(jnp.asarray(dataset.train.images))
    batch = min(int(config.eval_batch_size), len(inputs))
    norms = partial(_gradient_norms, model, inputs)

    def probabilities(variables: Any) -> jax.Array:
        def one(image: jax.Array) -> jax.Array:
            return jax.nn.softmax(jnp.asarray(model.apply(variables, image[None], train=False)))[0]

        found: jax.Array = jax.lax.map(one, inputs, batch_size=batch)
        return found

    return Look(
        jax.jit(
            lambda variables, labels: jax.lax.map(lambda own: norms(*own), (variables, labels))
        ),
        jax.jit(lambda variables: jax.lax.map(probabilities, variables)),
        jax.jit(lambda variables: activations(model, variables, inputs)),
        inputs,
    )


def _gradient_norms(
    model: nn.Module, inputs: jax.Array, variables: Any, labels: jax.Array
) -> jax.Array:
    """Returns the gradient norms of one network: in closed form where its layers are dense."""
    params = variables["params"]
    if isinstance(model, Linear) or (isinstance(model, MLP) and not model.sigmoid):
        # Flax numbers the layers, and a tree that went through JAX has them by name: 10 before 2.
        names = sorted(params, key=lambda name: int(name.rpartition("_")[2]))
        own = [(params[name]["kernel"], params[name]["bias"]) for name in names]
        return dense(own, inputs.reshape(len(inputs), -1), labels)

    def logits(params: Any, images: jax.Array) -> jax.Array:
        return jnp.asarray(model.apply({**variables, "params": params}, images, train=False))

    return per_example(logits, params, inputs, labels)
