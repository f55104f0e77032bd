"""After the paper: which score finds the labels that are wrong?

Labels of a training set are corrupted, networks are trained on them, and every score that the
literature has for the purpose ranks the examples. What is corrupted is known here, so each ranking
is judged: "corrupted" is a given label that is not the true one. All runs of a corruption share its
labels, so that scores are compared on the same errors, and intervals are over corruptions.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member
from rethinking_jax.config.key import AT_LEAST_0, AT_LEAST_1, Key, above_0
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.scores.nearest import neighbours
from rethinking_jax.scores.ranking import spearman
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.sweep.build import make_preprocess_of
from rethinking_jax.theory import label_error_networks as networks
from rethinking_jax.theory import label_error_plots, label_error_ranks, label_error_tables
from rethinking_jax.theory.fitting import TRAINING_KEYS, Lab, training_config
from rethinking_jax.theory.kind import EXAMPLE_KEYS, Kind, Tools, at_least, check_network
from rethinking_jax.theory.label_error_runs import (
    MAX_MEMBERS,
    Cell,
    cells,
    overrides,
    positions,
)
from rethinking_jax.theory.label_error_scores import (
    NEIGHBOURS,
    SCORES,
    Found,
    check_measured,
    found_of,
    measured_in,
    named,
)
from rethinking_jax.theory.label_error_verdicts import Evidence, verdicts
from rethinking_jax.workdir.metrics import Line


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains the networks of all corruptions of all settings, and judges every score.

    Raises:
      UserError: there are too few examples for the batches, the folds or the neighbours, or no
        runs for a score that is asked for.
      RunFailed: stopped by a signal, or diverged.
    """
    config = members[0].config
    dataset = cropped(tools.tasks.dataset(config), config.crop_size)
    count = len(dataset.train.labels)
    for _, own in members:
        check_count(own, count)
    every = cells(members)
    check_measured(every)
    with tools.open_lab() as lab:
        lines = _train(lab, config, every, dataset)
        found = _found(lab, every, dataset)
    measured = label_error_ranks.rows(found)
    shown, snapshots = label_error_tables.reference(found), _snapshots(every, lines)
    evidence = Evidence(
        measured,
        {name: own["auroc_loss"] for name, own in snapshots.items()},
        networks.early_epoch(config.epochs),
        *_norms(found, config, dataset),
        _wins(found),
    )
    facts = {"data": f"{config.dataset}: {count:,} training examples", **_method(members, every)}
    return Findings(
        measured,
        facts,
        label_error_tables.tables(measured, found),
        label_error_plots.plots(shown, snapshots),
        verdicts(evidence),
        label_error_plots.galleries([one for one in found if not one.cell.corruption], dataset),
        _scores(shown[0], dataset),
    )


def check(config: ConfigDict) -> None:
    """Checks one run's network, its corruption, and the scores that are asked for.

    Raises:
      UserError: the message says what would be right.
    """
    check_network(config)
    known = [name for name, one in CORRUPTIONS.items() if one.labels is not None or one.from_file]
    if config.corruption not in known:
        raise UserError(
            f"config.corruption={config.corruption}: there must be wrong labels to find, so it is "
            f"one of {', '.join(known)}"
        )
    if config.folds == 1:
        raise UserError("config.folds=1 must be 0, for none, or at least 2")
    if config.subsets % BLOCKS:
        raise UserError(
            f"config.subsets={config.subsets} must be a multiple of {BLOCKS}: of so many runs each "
            "example is left out of the same number"
        )
    named(config.scores)


def check_count(config: ConfigDict, count: int) -> None:
    """Refuses a training set that is too small.

    Raises:
      UserError: the message has the least that would be right.
    """
    least = max(2 * config.batch_size, networks.LEAST, config.folds, BLOCKS)
    if count < least:
        raise UserError(
            f"{count:,} training examples with config.batch_size={config.batch_size} must be at "
            f"least {least:,}"
        )


KIND = Kind(
    run,
    keys=(
        Key(
            "corruptions",
            3,
            "How often the labels of a setting are corrupted anew; intervals are over these.",
            range=at_least(2, ", for an interval"),
        ),
        Key(
            "inits",
            10,
            "Networks of each corruption that train on all examples.",
            range=AT_LEAST_1,
        ),
        Key(
            "folds",
            5,
            "Networks of each corruption that train on all but one of so many parts, for "
            "probabilities of examples that a network has not seen; 0: none.",
            range=AT_LEAST_0,
        ),
        Key(
            "subsets",
            0,
            "Networks of each corruption that train on 70 % of the examples, for the C-score and "
            "memorization: a multiple of 10; 0: none.",
            range=AT_LEAST_0,
        ),
        Key(
            "subset_epochs",
            20,
            "Epochs of the networks that train on 70 % of the examples.",
            range=AT_LEAST_1,
            needs=above_0("subsets", idle=True),
        ),
        Key(
            "scores",
            "all",
            f"The scores that are compared: all, or some of {'+'.join(SCORES)}.",
        ),
    ),
    training={
        "corruption": "partially_corrupted_labels",  # there must be wrong labels to find
        "model": "mlp",
        "hidden_sizes": (128,),
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 128,
        "epochs": 30,
        "preprocess": "dataset",
    },
    one_for_all=(*EXAMPLE_KEYS, *TRAINING_KEYS, "crop_size", "corruptions", "inits", "scores"),
    check=check,
)


# Training ------------------------------------------------------------------------------------


def _train(
    lab: Lab, config: ConfigDict, every: Sequence[Cell], dataset: Dataset
) -> dict[str, list[Line]]:
    """Trains all runs of all cells as one sweep.

    Raises:
      RunFailed: stopped by a signal, or diverged.
    """
    runs = [own for cell in every for own in overrides(cell)]
    count = len(dataset.train.labels)
    subset = {name: own for cell in every for name, own in positions(cell, count).items()}
    names = [str(own["name"]) for own in runs]
    needs = {SCORES[name].needs for cell in every for name in measured_in(cell)}
    wanted = networks.Wanted("gradients" in needs, "depth" in needs)
    folder = lab.stage.workdir / networks.FOLDER
    lines = lab.train(
        training_config(config, stop_when_fitted=False, max_members=MAX_MEMBERS),
        runs,
        dataset,
        lambda index, run: run._replace(subset=subset.get(names[index])),
        lambda chunk: networks.watch(chunk, folder, wanted),
    )
    diverged = [name for name, own in lines.items() if own[-1]["train_loss"] is None]
    if diverged:
        raise RunFailed(f"{diverged[0]} diverged: try a smaller --config.learning_rate")
    return lines


def _found(lab: Lab, every: Sequence[Cell], dataset: Dataset) -> list[Found]:
    """Computes all scores of all cells."""
    names = [name for cell in every for name in (*cell.whole, *cell.folds)]
    kept = networks.read(lab.stage.workdir / networks.FOLDER, names)
    pixels = np.asarray(dataset.train.images, np.float32)
    near = neighbours(pixels.reshape(len(pixels), -1), NEIGHBOURS)
    found = []
    for cell in every:
        recorded = {"whole": lab.examples(cell.whole)}
        if cell.subsets:
            recorded["subsets"] = lab.examples(cell.subsets)
        found.append(found_of(cell, recorded, kept, near))
    return found


# What came of it -----------------------------------------------------------------------------


def _snapshots(
    every: Sequence[Cell], lines: Mapping[str, list[Line]]
) -> dict[str, dict[str, np.ndarray]]:
    """Returns the AUROC after each epoch, float64 [draws, epochs], by setting and key of a line.

    Settings in which a corruption leaves every label as it is are left out.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for name in dict.fromkeys(cell.setting for cell in every):
        own = [cell for cell in every if cell.setting == name]
        for key in networks.SNAPSHOTS:
            values = [[[line[key] for line in lines[one]] for one in cell.whole] for cell in own]
            if not any(value is None for draw in values for one in draw for value in one):
                found.setdefault(name, {})[key] = np.asarray(values, np.float64).mean(1)
    return found


def _norms(
    found: Sequence[Found], config: ConfigDict, dataset: Dataset
) -> tuple[Sequence[float], float]:
    """Returns how GraNd at the start goes with the norm of the input, and how these differ."""
    prepare = make_preprocess_of(training_config(config), dataset)
    inputs = np.asarray(prepare(jnp.asarray(dataset.train.images)), np.float64)
    norms = np.linalg.norm(inputs.reshape(len(inputs), -1), axis=1)
    by_draw: dict[int, list[float]] = {}
    for one in found:
        if "gradient_norm_start" in one.scores:
            value = spearman(one.scores["gradient_norm_start"], norms)
            by_draw.setdefault(one.cell.corruption, []).append(value)
    correlation = [float(np.mean(own)) for own in by_draw.values()]
    return correlation, float(norms.std() / norms.mean())


def _wins(found: Sequence[Found]) -> dict[str, float]:
    """Returns how often each score is the best, of those that all settings with errors have."""
    corrupted = [one for one in found if one.corrupted.any()]
    if not corrupted:
        return {}
    names = [name for name in SCORES if all(name in one.scores for one in corrupted)]
    return label_error_ranks.wins(corrupted, names)


def _scores(one: Found, dataset: Dataset) -> ExampleScores:
    """Returns the scores of one corruption for others to use, larger for what is suspicious."""
    train = dataset.train
    labels = {"true_label": train.labels, "label": one.labels, "corrupted": one.corrupted}
    return ExampleScores({"id": train.ids, **labels, **one.scores})


def _method(members: Sequence[Member], every: Sequence[Cell]) -> dict[str, str]:
    config = members[0].config
    runs = sum(len(cell.whole) + len(cell.folds) + len(cell.subsets) for cell in every)
    subsets = [cell for cell in every if cell.subsets]
    told = {
        "method": f"{config.corruptions} corruptions of each setting, {config.inits} networks on "
        f"all examples of each, one sweep of {runs} runs: {config.optimizer}, learning rate "
        f"{config.learning_rate:g}, batches of {config.batch_size}, {config.epochs} epochs",
        "early scores": f"after epoch {networks.early_epoch(config.epochs)}",
    }
    folds = max(len(cell.folds) for cell in every)
    if folds:
        told["out of fold"] = f"one network for each of {folds} folds"
    if subsets:
        own = subsets[0]
        told["subsets"] = (
            f"{own.setting}: {len(own.subsets)} networks on 70 % of the examples, "
            f"{own.config.subset_epochs} epochs"
        )
    return told
