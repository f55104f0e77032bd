"""Training through wrong labels: which methods resist them, and what is memorized and corrected.

At first a network gives most wrongly labelled examples their true class, and later it learns the
labels that they have ("early learning", Liu et al. 2020). Every method trains on the same labels
from the same weights, so that methods are compared seed by seed. Some training examples are held
out with their noisy labels: on them plain training is stopped early, as one could without
clean labels.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.wrong_labels import corrected_share, memorized_share
from rethinking_jax.config import Member, Overrides
from rethinking_jax.config.joined import names_of
from rethinking_jax.config.key import AT_LEAST_1, Key, Range
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.processes import fetch
from rethinking_jax.step.state import TrainState
from rethinking_jax.step.train import make_apply
from rethinking_jax.sweep.build import make_model, make_preprocess_of
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.mesh import share, slots
from rethinking_jax.sweep.stage import MeasureMembers
from rethinking_jax.theory.fitting import TRAINING_KEYS, training_config
from rethinking_jax.theory.kind import (
    DATA_KEYS,
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    at_least,
    check_images_stay,
    check_network,
    seeds_of,
)
from rethinking_jax.theory.robust_distance import distance_plot
from rethinking_jax.theory.robust_methods import METHODS, PLAIN
from rethinking_jax.theory.robust_results import (
    Course,
    robust_plots,
    robust_table,
    rows_of,
)
from rethinking_jax.theory.robust_verdicts import verdicts
from rethinking_jax.workdir.metrics import Line

# The names of what is measured besides, in metrics.jsonl.
HELD_OUT, DISTANCE = "held_out_accuracy", "distance_from_start"
TRUE = "true labels"  # the name of the runs without noise, which the others are compared with


class Noise(NamedTuple):
    """The labels of one run of a config, for one seed.

    Attributes:
      name: the name of the run of the config.
      config: its config.
      seed: of weights, orders and, where the config names no other, of the labels.
      wrong: the share of the training labels that are wrong.
    """

    name: str
    config: ConfigDict
    seed: int
    wrong: float


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains every method on every kind of noise with every seed, and compares them.

    Raises:
      UserError: there are fewer examples than in a batch, or none to hold out.
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = members[0].config
    dataset = cropped(tools.tasks.dataset(config), config.crop_size)
    count = len(dataset.train)
    kept = kept_positions(config, count)
    noises = [
        Noise(name, own, seed, _wrong_share(own, seed, dataset.train.labels, kept, tools))
        for name, own in members
        for seed in seeds_of(own)
    ]
    methods = names_of(config, "methods", METHODS)
    pairs = [(noise, method) for method in methods for noise in noises]
    if PLAIN in methods and all(noise.wrong for noise in noises):
        pairs += [(noise, PLAIN) for noise in _without_noise(config)]
    runs = [_run(noise, method) for noise, method in pairs]
    with tools.open_lab() as lab:
        lines = lab.train(
            training_config(
                config,
                stop_when_fitted=False,
                max_members=config.max_members,
                measure_every=config.measure_every,
            ),
            runs,
            dataset,
            lambda index, run: run._replace(subset=kept),
            partial(_watch, np.setdiff1d(np.arange(count), kept)),
        )
    courses = [_course(noise, method, lines[_name(noise, method)]) for noise, method in pairs]
    for name, _ in members:
        plain = [one.last for one in courses if (one.name, one.method) == (name, PLAIN)]
        if plain:
            tools.say(f"{name}: plain training ends at test accuracy {np.mean(plain):.4f}")
    facts = {
        "data": f"{config.dataset}: {len(kept):,} training images, {count - len(kept):,} held out "
        f"with noisy labels, {len(dataset.test):,} test images with true ones",
        "method": f"{config.model} {list(config.hidden_sizes)}, {config.optimizer}, learning rate "
        f"{config.learning_rate:g}, batches of {config.batch_size}, {config.epochs} epochs; "
        f"{config.seeds} seeds, each with labels of its own, which all methods share; plain "
        "training also on true labels",
    }
    rows = rows_of(courses)
    plots = [*robust_plots(courses), *distance_plot(courses)]
    return Findings(rows, facts, [robust_table(rows)], plots, verdicts(courses))


def _without_noise(config: ConfigDict) -> list[Noise]:
    """Returns true labels for each seed: what plain training on wrong ones is compared with."""
    own = config.copy_and_resolve_references()
    own.corruption, own.labels_file = "true_labels", ""
    return [Noise(TRUE, own, seed, 0.0) for seed in seeds_of(own)]


def kept_positions(config: ConfigDict, count: int) -> np.ndarray:
    """Returns the positions of the examples that are trained on, int32 ascending.

    Raises:
      UserError: none would be held out, or fewer than a batch would be left.
    """
    held = int(config.held_out * count)
    if not held or count - held < config.batch_size:
        raise UserError(
            f"config.held_out={config.held_out:g} of {count:,} training examples: there must be at "
            f"least 1, and at least config.batch_size={config.batch_size} others"
        )
    order = generator(config.seed, "held_out_labels").permutation(count)
    return np.sort(order[held:]).astype(np.int32)


def _wrong_share(
    config: ConfigDict, seed: int, true: np.ndarray, kept: np.ndarray, tools: Tools
) -> float:
    """Returns the share of the labels that a run trains on that are not the true ones."""
    own = config.copy_and_resolve_references()
    own.seed = seed
    return float(np.mean(tools.tasks(own).train_labels[kept] != true[kept]))


def _name(noise: Noise, method: str) -> str:
    return f"{noise.name},{method},seed={noise.seed}"


def _run(noise: Noise, method: str) -> Overrides:
    own = {key: noise.config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS)}
    own |= {"seed": noise.seed, "name": _name(noise, method), **METHODS[method].keys(noise.wrong)}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in own.items()
        if value is not None
    }


def _watch(held: np.ndarray, chunk: Chunk) -> MeasureMembers:
    """Makes what measures the accuracy on held-out examples with the labels of each run."""
    model = make_model(chunk.config, chunk.dataset.num_classes)
    apply = make_apply(model, make_preprocess_of(chunk.config, chunk.dataset))
    pixels = share(np.asarray(chunk.dataset.train.images)[held], chunk.mesh)

    @jax.jit
    def accuracies(state: TrainState, labels: jax.Array) -> jax.Array:
        def of_one(own: TrainState, given: jax.Array) -> jax.Array:
            return jnp.mean(jnp.argmax(apply(own.variables, pixels), -1) == given)

        return jax.vmap(of_one)(state, labels)

    def measure(active: tuple[int, ...], state: TrainState) -> list[Line]:
        chosen = slots(active, len(chunk.runs), chunk.mesh.shape["member"])
        labels = np.stack([chunk.runs[i].train_labels[held] for i in chosen])
        found = np.asarray(fetch(accuracies(state, labels)))
        return [{HELD_OUT: float(found[slot])} for slot in range(len(active))]

    return measure


def _course(noise: Noise, method: str, lines: Sequence[Line]) -> Course:
    """Returns how one run went.

    Raises:
      RunFailed: it diverged.
    """
    if lines[-1]["train_loss"] is None:
        raise RunFailed(f"{_name(noise, method)} diverged: try a smaller --config.learning_rate")
    return Course(
        noise.name,
        noise.config.corruption,
        method,
        noise.seed,
        noise.wrong,
        [line["epoch"] for line in lines],
        [line["test_accuracy"] for line in lines],
        [line[HELD_OUT] for line in lines],
        [memorized_share(line) for line in lines],
        [corrected_share(line, noise.wrong) for line in lines],
        [line["train_accuracy"] for line in lines],
        [line[DISTANCE] for line in lines] if DISTANCE in lines[0] else [],
    )


def check(config: ConfigDict) -> None:
    """Checks one run: its methods and network, and that its labels alone are corrupted.

    Raises:
      UserError: the message says what would be right.
    """
    names_of(config, "methods", METHODS)
    check_network(config)
    check_images_stay(config, "images stay as they are here")


KIND = Kind(
    run,
    keys=(
        Key("methods", "+".join(METHODS), "The ways to train that are compared, joined by +."),
        Key(
            "seeds",
            3,
            "Seeds, each with labels of its own.",
            range=at_least(2, ", for an interval"),
        ),
        Key(
            "held_out",
            0.1,
            "The share of the training examples that is held out with its noisy labels, for "
            "stopping early.",
            range=Range(0.001, 0.9, "from 0.001 to 0.9"),
        ),
        Key("measure_every", 1, "The number of epochs between two measurements.", range=AT_LEAST_1),
    ),
    shared=(*DATA_KEYS, *LABEL_KEYS, "max_members"),
    training={
        "model": "mlp",
        "hidden_sizes": (512,),
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 128,
        "epochs": 60,
        "preprocess": "paper",
        "max_members": 30,
    },
    one_for_all=(
        *EXAMPLE_KEYS,
        "crop_size",
        "seed",
        "epochs",
        "batch_size",
        "methods",
        "seeds",
        "held_out",
        "measure_every",
    ),
    check=check,
)
