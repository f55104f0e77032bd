"""How near held-out examples are to another answer, while networks learn true labels or noise.

Arpit et al. (2017), A closer look at memorization in deep networks, section 4 and Figures 7 to 9: a
network that fits noise has another answer in a small box around more of the examples that it has
not seen, and the more the longer it trains. `rethinking_jax.scores.critical` searches in the box.
Runs of all settings share seeds, so that settings are compared seed by seed.
"""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member, Overrides, recipe
from rethinking_jax.config.data_keys import redraw_probability
from rethinking_jax.config.key import AT_LEAST_1, Key, Range
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.processes import fetch
from rethinking_jax.models import convolves
from rethinking_jax.scores.critical import ITERATIONS, critical_samples
from rethinking_jax.step.state import TrainState
from rethinking_jax.step.train import make_apply
from rethinking_jax.sweep.axes import over_members
from rethinking_jax.sweep.build import make_model, make_preprocess_of
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.held import as_images
from rethinking_jax.sweep.resident import images
from rethinking_jax.sweep.stage import MeasureMembers
from rethinking_jax.theory.critical_results import Course, critical_plots, critical_table, rows_of
from rethinking_jax.theory.critical_verdicts import verdicts
from rethinking_jax.theory.fitting import TRAINING_KEYS, training_config
from rethinking_jax.theory.kind import (
    DATA_KEYS,
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    at_least,
    check_network,
    seeds_of,
)
from rethinking_jax.theory.stability import check_count
from rethinking_jax.workdir.metrics import Line

# At the first radius some digits are critical for an MLP on true labels, and for one on random
# labels not all of them; the second is the paper's.
RADIUS = "1+0.3"
# After how many iterations the share that is found is written down, besides all of them.
MEASURED_AFTER = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains every setting with every seed, and searches for critical samples while they train.

    Raises:
      UserError: the data are points, or there are fewer examples than in a batch.
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = members[0].config
    dataset = cropped(tools.tasks.dataset(config), config.crop_size)
    if dataset.holds_points:
        raise UserError(
            f"config.dataset={config.dataset}: config.radius is in pixels of images, and these are "
            "points"
        )
    for _, own in members:
        check_count(len(dataset.train), own.batch_size)
    chosen = searched(config, len(dataset.test))
    runs = [_run(member, seed) for member in members for seed in seeds_of(config)]
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
            measure=partial(_watch, config, chosen),
        )
    courses = [
        _course(member, seed, lines[_name(member, seed)])
        for member in members
        for seed in seeds_of(config)
    ]
    rows = rows_of(courses)
    for row in rows:
        tools.say(f"{row['name']}, radius {row['radius']:g}: {row['last']:.4f} critical at the end")
    tables, plots = [critical_table(rows)], critical_plots(courses)
    return Findings(rows, _facts(config, dataset, len(chosen)), tables, plots, verdicts(courses))


def _facts(config: ConfigDict, dataset: Dataset, chosen: int) -> dict[str, str]:
    return {
        "data": f"{config.dataset}: {len(dataset.train):,} training images; the search is around "
        f"{chosen:,} of {len(dataset.test):,} test images, which are corrupted as the training "
        "images of a run are",
        "method": f"{config.model} {list(config.hidden_sizes)}, {config.optimizer}, learning rate "
        f"{config.learning_rate:g}, batches of {config.batch_size}, {config.epochs} epochs; "
        f"{config.seeds} seeds; {config.iterations} iterations of the search",
    }


def radii_of(config: ConfigDict) -> list[float]:
    """Returns the radii of a config, on the scale 0 to 255; the first is the one that is judged.

    Raises:
      UserError: the key has something else than numbers above 0, or one of them twice.
    """
    radii = recipe.numbers("radius", config.radius)
    if not all(0 < radius < 256 for radius in radii) or len(set(radii)) < len(radii):
        raise UserError(
            f"config.radius={config.radius}: must be different numbers above 0 and below 256, "
            "joined by +, such as 1+0.3"
        )
    return radii


def searched(config: ConfigDict, count: int) -> np.ndarray:
    """Returns the positions of the test examples that are searched around, int32 ascending.

    Args:
      config: of the experiment; its key `examples` says how many, 0 for all.
      count: the number of test examples.

    Raises:
      UserError: there are fewer.
    """
    if config.examples > count:
        raise UserError(
            f"config.examples={config.examples}: there are only {count:,} test examples"
        )
    order = generator(config.seed, "critical_examples").permutation(count)
    return np.sort(order[: config.examples or count]).astype(np.int32)


def share_name(radius: float, iterations: int) -> str:
    """Returns the name in metrics.jsonl of the share that is found within some iterations."""
    return f"critical_{radius:g}_by_{iterations}"


def looked_at(config: ConfigDict) -> list[int]:
    """Returns after how many iterations the share that is found is written down."""
    return [count for count in MEASURED_AFTER if count < config.iterations] + [config.iterations]


def _name(member: Member, seed: int) -> str:
    return f"{member.name},seed={seed}"


def _run(member: Member, seed: int) -> Overrides:
    own = {key: member.config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS)}
    own |= {"seed": seed, "name": _name(member, seed)}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in own.items()
        if value is not None
    }


def _watch(config: ConfigDict, chosen: np.ndarray, chunk: Chunk) -> MeasureMembers:
    """Makes what searches for critical samples of the members of a chunk."""
    radii, counts = radii_of(config), looked_at(config)
    search = _search(config, chunk)
    held = as_images(images(chunk)["test"][chosen], chunk.dataset.image_shape)
    ids = chunk.dataset.test.ids[chosen]

    def measure(active: tuple[int, ...], state: TrainState) -> list[Line]:
        lines: list[Line] = [{} for _ in active]
        for radius in radii:
            found = np.asarray(fetch(search(state, held, ids, np.float32(radius))))
            for line, own in zip(lines, found[: len(active)], strict=True):
                for count in counts:
                    share = np.mean((own > 0) & (own <= count))
                    line[share_name(radius, count)] = float(share)
        return lines

    return measure


def _search(config: ConfigDict, chunk: Chunk) -> Callable[..., jax.Array]:
    """Makes the search of all members of a chunk around the same examples: int32 [m, n]."""
    model = make_model(chunk.config, chunk.dataset.num_classes)
    apply = make_apply(model, make_preprocess_of(chunk.config, chunk.dataset))

    def of_one(state: TrainState, held: jax.Array, ids: jax.Array, radius: jax.Array) -> jax.Array:
        return critical_samples(
            partial(apply, state.variables),
            held,
            ids,
            radius,
            seed=state.hyper.seed,
            step=state.step,
            iterations=config.iterations,
            unroll=convolves(model),
        )

    return jax.jit(over_members(of_one, (0, None, None, None), chunk.mesh))


def _course(member: Member, seed: int, lines: Sequence[Line]) -> Course:
    """Returns how one run went.

    Raises:
      RunFailed: it diverged.
    """
    if lines[-1]["train_loss"] is None:
        raise RunFailed(f"{_name(member, seed)} diverged: try a smaller --config.learning_rate")
    config = member.config
    counts = looked_at(config)
    return Course(
        name=member.name,
        corruption=config.corruption,
        label_noise=redraw_probability(config),
        seed=seed,
        epochs=[line["epoch"] for line in lines],
        train=[line["train_accuracy"] for line in lines],
        test=[line["test_accuracy"] for line in lines],
        counts=counts,
        found={
            radius: [[line[share_name(radius, count)] for count in counts] for line in lines]
            for radius in radii_of(config)
        },
    )


def check(config: ConfigDict) -> None:
    """Checks one run: its radii, and its network.

    Raises:
      UserError: the message says what would be right.
    """
    radii_of(config)
    check_network(config)


KIND = Kind(
    run,
    keys=(
        Key(
            "radius",
            RADIUS,
            "Half the side of the box around an example, on the scale 0 to 255 of pixels before "
            "any preprocessing; several joined by +, of which the first is judged.",
        ),
        Key("iterations", ITERATIONS, "How often the search moves pixels.", range=AT_LEAST_1),
        Key(
            "examples",
            500,
            "The number of test examples that are searched around; 0: all.",
            range=Range(0, wanted="0 (all) or a number of examples"),
        ),
        Key("seeds", 3, "Seeds, which all settings share.", range=at_least(2, ", for an interval")),
        Key("measure_every", 3, "The number of epochs between two searches.", range=AT_LEAST_1),
    ),
    shared=(*DATA_KEYS, *LABEL_KEYS, "max_members"),
    training={
        "model": "mlp",
        "hidden_sizes": (512, 512),
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "batch_size": 128,
        "epochs": 60,
        "preprocess": "dataset",
        "max_members": 30,
    },
    one_for_all=(
        *EXAMPLE_KEYS,
        "crop_size",
        "seed",
        "epochs",
        "radius",
        "iterations",
        "examples",
        "seeds",
        "measure_every",
    ),
    check=check,
)
