"""Norms and margins of networks that fit true labels and of those that fit random ones.

Networks of several widths train on several numbers of examples until they fit their labels alike:
to the same training loss. Runs of one seed share weights at the start, examples and orders, so
that labels are compared seed by seed.
"""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member, Overrides
from rethinking_jax.config.key import ABOVE_0, AT_LEAST_1, Key
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.corruption.labels import redraw
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.step.norms import MEASURES
from rethinking_jax.sweep.engine import Run
from rethinking_jax.theory.fitting import TRAINING_KEYS, training_config
from rethinking_jax.theory.kind import (
    DATA_KEYS,
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    at_least,
    check_images_stay,
    seeds_of,
)
from rethinking_jax.theory.norm_results import (
    OTHER,
    RANDOM,
    TRUE,
    Fit,
    cell_rows,
    cell_table,
    measure_rows,
    measure_table,
    norm_plots,
)
from rethinking_jax.theory.norm_verdicts import verdicts
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Line


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains every width on every number of examples, and compares norms and margins.

    Raises:
      UserError: there are fewer examples than a size.
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = members[0].config
    dataset = cropped(tools.tasks.dataset(config), config.crop_size)
    count, sizes = len(dataset.train), parse(config.sizes, "sizes")
    if sizes[-1] > count:
        raise UserError(
            f"config.sizes={config.sizes}: {config.dataset} has {count:,} training examples here"
        )
    cells = [
        (member, n, width, seed)
        for n in sizes
        for width in parse(config.widths, "widths")
        for member in members
        for seed in seeds_of(config)
    ]
    runs = [_run(*cell) for cell in cells]

    def on_its_own(index: int, run: Run) -> Run:
        _, n, _, seed = cells[index]
        order = generator(seed, "norm_examples").permutation(count)
        return run._replace(subset=np.sort(order[:n]).astype(np.int32))

    with tools.open_lab() as lab:
        lines = lab.train(
            training_config(
                config,
                model="mlp",
                measures="+".join(MEASURES),
                measure_every=config.measure_every,
                stop_when_fitted=False,
                max_members=config.max_members,
            ),
            runs,
            dataset,
            on_its_own,
        )
    fits = [_fit(config, *cell, lines[own["name"]]) for cell, own in zip(cells, runs, strict=True)]
    for name, _ in members:
        found = [one.line is not None for one in fits if one.name == name]
        tools.say(f"{name}: {sum(found)} of {len(found)} runs fit")
    of_measures = measure_rows(fits)
    of_cells = cell_rows(fits)
    return Findings(
        [*of_measures, *of_cells],
        _facts(config, dataset, sizes),
        [measure_table(of_measures), cell_table(of_cells)],
        norm_plots(fits),
        verdicts(fits),
    )


def _facts(config: ConfigDict, dataset: Dataset, sizes: Sequence[int]) -> dict[str, str]:
    return {
        "data": f"{config.dataset}: {', '.join(f'{n:,}' for n in sizes)} of "
        f"{len(dataset.train):,} training examples, drawn by seed, {len(dataset.test):,} test "
        "images",
        "method": f"MLPs with one hidden layer of {config.widths.replace('+', ', ')} units, "
        f"{config.optimizer}, learning rate {config.learning_rate:g}, batches of "
        f"{config.batch_size}, {config.epochs} epochs, {config.seeds} seeds; each is measured "
        f"where its training loss first is {config.fitted_loss:g} or less",
    }


def _run(member: Member, n: int, width: int, seed: int) -> Overrides:
    own = {key: member.config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS) if key in member.config}
    own |= {"seed": seed, "name": f"{member.name},n={n},width={width},seed={seed}"}
    own |= {"hidden_sizes": [width]}
    return {key: value for key, value in own.items() if value is not None}


def _fit(
    config: ConfigDict, member: Member, n: int, width: int, seed: int, lines: Sequence[Line]
) -> Fit:
    """Returns what a run is like where its training loss first is small enough.

    Raises:
      RunFailed: it diverged.
    """
    name, own = member
    if lines[-1]["train_loss"] is None:
        raise RunFailed(f"{lines[-1]['member']} diverged: try a smaller --config.learning_rate")
    small = (line for line in lines if line["train_loss"] <= config.fitted_loss)
    return Fit(name, _labels(own), n, width, seed, next(small, None))


def _labels(config: ConfigDict) -> str:
    """Says whether a run has true labels, random ones, or others."""
    corruption = CORRUPTIONS[config.corruption]
    noise = corruption.probability(config.label_noise)
    if corruption.labels is redraw and noise == 1:
        return RANDOM
    return OTHER if noise or corruption.from_file else TRUE


def check(config: ConfigDict) -> None:
    """Checks one run: that its labels alone are corrupted, and its sizes and widths.

    Raises:
      UserError: the message says what would be right.
    """
    check_images_stay(config, "norms are compared on the same images")
    for key in ("sizes", "widths"):
        if not parse(config[key], key):
            raise UserError(f"config.{key}='' must be one or more rising numbers joined by +")


KIND = Kind(
    run,
    keys=(
        Key("sizes", "250+1000+4000", "Numbers of training examples, joined by +."),
        Key("widths", "128+512", "Widths of the one hidden layer, joined by +."),
        Key(
            "seeds",
            3,
            "Seeds, each with weights, examples and labels of its own.",
            range=at_least(2, ", for an interval"),
        ),
        Key(
            "fitted_loss",
            0.01,
            "The training loss at which networks are compared: the first measured epoch with this "
            "or less counts.",
            range=ABOVE_0,
        ),
        Key("measure_every", 2, "The number of epochs between two measurements.", range=AT_LEAST_1),
    ),
    shared=(*DATA_KEYS, *LABEL_KEYS, "max_members"),
    training={
        "optimizer": "sgd",
        "learning_rate": 0.03,
        "batch_size": 128,
        "epochs": 120,
        "preprocess": "paper",
    },
    one_for_all=(
        *EXAMPLE_KEYS,
        "crop_size",
        "seed",
        "optimizer",
        "learning_rate",
        "batch_size",
        "epochs",
        "preprocess",
        "sizes",
        "widths",
        "seeds",
        "fitted_loss",
        "measure_every",
    ),
    check=check,
)
