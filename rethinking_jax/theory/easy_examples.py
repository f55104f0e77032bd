"""Which examples are easy: how often one epoch gets each right, over many inits and orders.

Arpit et al. (2017), A closer look at memorization in deep networks, section 3.1 and Figure 1: after
one epoch some real images are right in every run and others in none, as if the network had learned
patterns that they share. Gaussian inputs are all about as hard as each other, and images with
random labels lie between. All runs of a setting share one corruption, so that what is left between
runs is the initial weights and the order; see `rethinking_jax.scores.dispersion`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, Picture, picture
from rethinking_jax.analysis.intervals import LEVEL
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.config import Member, Overrides
from rethinking_jax.config.key import Key
from rethinking_jax.corruption import corruption_seed
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed
from rethinking_jax.sweep.recorder import Recording
from rethinking_jax.theory.difficulty import Measured, equally_hard, measure, told, verdicts
from rethinking_jax.theory.fitting import TRAINING_KEYS, training_config
from rethinking_jax.theory.kind import (
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    at_least,
    check_network,
)
from rethinking_jax.theory.stability import check_count
from rethinking_jax.workdir.metrics import text_of

POINTS = 400  # of a curve
SHOWN = 10  # pictures of a row

COLUMNS = (
    Column("labels and images", "name"),
    Column("runs", "runs"),
    Column("examples", "examples", "{:,}"),
    Column("right", "accuracy", text_of),
    Column("dispersion", "dispersion", "{:.2f}"),
    Column("95 % interval", "interval", words=True),
    Column("if equally hard", "null", words=True),
    Column("p", "p", "{:.4f}"),
    Column("within a label", "within", "{:.2f}"),
    Column("95 % interval", "within_interval", words=True),
    Column("right in all runs", "always", text_of),
    Column("right in none", "never", text_of),
)
NOTE = (
    "Dispersion: the variance over examples of the number of runs that are right, divided by that "
    "of a binomial; 1 if all examples are equally hard. Its interval is a jackknife over runs. If "
    "equally hard: where 95 % of dispersions lie by chi-square, were answers independent; p: the "
    "share of a parametric bootstrap that is as large. Within a label: the same among examples of "
    "one given label, so that how often a label occurs makes no difference."
)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains every init of every setting for an epoch, and compares which examples are right.

    Raises:
      UserError: there are fewer than two examples, or fewer than in a batch.
      RunFailed: stopped by a signal, or diverged.
    """
    config = members[0].config
    dataset = tools.tasks.dataset(config)
    for _, own in members:
        check_count(len(dataset.train), own.batch_size)
    base = training_config(
        config,
        momentum=0.0 if config.optimizer == "sgd" else 0.9,
        stop_when_fitted=False,
        record_examples=True,
        measure_every=config.epochs,
    )
    runs = [one for member in members for one in _runs(member)]
    with tools.open_lab() as lab:
        lines = lab.train(base, runs, cropped(dataset, config.crop_size))
        diverged = [name for name, own in lines.items() if own[-1]["train_loss"] is None]
        if diverged:
            raise RunFailed(f"{diverged[0]} diverged: try a smaller --config.learning_rate")
        recorded = {
            member.name: lab.examples([one["name"] for one in _runs(member)]).splits["train"]
            for member in members
        }
    measured = {name: measure(name, own, recorded[name]) for name, own in members}
    for name, found in measured.items():
        tools.say(f"{name}: right {text_of(found.row['accuracy'])}, {told(found.all)}")
    rows = [found.row for found in measured.values()]
    return Findings(
        rows,
        _facts(config, dataset),
        [table("easy_examples", "How far examples differ in difficulty", COLUMNS, rows, NOTE)],
        [_plot(config, measured)],
        verdicts({found.row["corruption"]: found for found in measured.values()}),
        [_gallery(members, recorded, dataset)],
        _scores(recorded),
    )


KIND = Kind(
    run,
    keys=(
        Key(
            "runs",
            100,
            "Runs of each setting, with seeds from seed on and one corruption.",
            range=at_least(3, ", for an interval"),
        ),
    ),
    training={
        "model": "mlp",
        "hidden_sizes": (128,),
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 50,
        "epochs": 1,
        "preprocess": "paper",
    },
    one_for_all=(*EXAMPLE_KEYS, "crop_size", "seed", "runs", "epochs"),
    check=check_network,
)


def _runs(member: Member) -> list[Overrides]:
    """Returns what each run of a setting sets."""
    config = member.config
    own = {key: config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS)}
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in own.items() if v is not None}
    shared = {**plain, "corruption_seed": corruption_seed(config)}
    return [
        {**shared, "name": f"{member.name},seed={seed}", "seed": seed}
        for seed in range(config.seed, config.seed + config.runs)
    ]


def _facts(config: ConfigDict, dataset: Dataset) -> dict[str, str]:
    plain = " without momentum" if config.optimizer == "sgd" else ""
    return {
        "data": f"{config.dataset}: {len(dataset.train):,} training images, which are trained on "
        "and looked at",
        "method": f"{config.runs} runs of each setting, each with initial weights and an order of "
        f"its own. {_after(config)}: {config.optimizer}{plain}, learning rate "
        f"{config.learning_rate:g}, batches of {config.batch_size}",
    }


def _after(config: ConfigDict) -> str:
    return f"After {config.epochs} epochs" if config.epochs > 1 else "After one epoch"


# Results -------------------------------------------------------------------------------------


def _plot(config: ConfigDict, measured: Mapping[str, Measured]) -> Plot:
    """Draws the sorted rates of each setting, and what they are if all are as hard as Gaussians."""
    curves = [_sorted_curve(name, found.rates[None]) for name, found in measured.items()]
    gaussian = [one for one in measured.values() if one.row["corruption"] == "gaussian"]
    for found in gaussian[:1]:
        runs, p = found.row["runs"], found.row["accuracy"]
        drawn = equally_hard(config, runs, len(found.rates), p)
        curves.append(_sorted_curve("equally hard", 1 - drawn / runs))
    return Plot(
        "difficulty",
        "How often each example is wrong, from the easiest to the hardest",
        f"{_after(config)}. Equally hard: binomial draws with the mean rate of Gaussian inputs; "
        "the band has 95 % of them at each place.",
        "examples",
        "share of runs that are wrong",
        curves,
    )


def _sorted_curve(label: str, rates: np.ndarray) -> Curve:
    """Returns the mean and the band of sorted rates, float64 [draws, n]."""
    count = rates.shape[1]
    places = np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))
    ordered = np.sort(rates, axis=1)[:, places]
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(ordered, [tail, 100 - tail], axis=0).tolist()
    mean = ordered.mean(0).tolist()
    note = "mean of draws, band of 95 % of them" if len(rates) > 1 else ""
    return Curve(label, (places + 1.0).tolist(), mean, low, high, note)


def _gallery(
    members: Sequence[Member], recorded: Mapping[str, Recording], dataset: Dataset
) -> Gallery:
    """Shows the easiest and the hardest examples of true labels, or else of the first setting."""
    true = [name for name, config in members if config.corruption == "true_labels"]
    name = [*true, members[0].name][0]
    found = recorded[name]
    counts, runs = found.facts["correct"].sum(0), len(found.labels)
    sure = found.facts["probability"].mean(0)
    order = np.lexsort((sure, counts))  # the hardest first; of equal counts the least probable
    always, never = int((counts == runs).sum()), int((counts == 0).sum())

    def row(label: str, places: np.ndarray) -> GalleryRow:
        return GalleryRow(label, [_picture(found, dataset, int(i)) for i in places])

    return Gallery(
        "easy_and_hard",
        "Which examples are easy, and which are hard",
        f"{_after(members[0].config)} on {name.replace('_', ' ')} {always:,} examples are right in "
        f"all {runs} runs, and {never:,} in none. Under each its label, how many runs are wrong on "
        "it, and what most of those answer.",
        [row("easiest", order[::-1][:SHOWN]), row("hardest", order[:SHOWN])],
    )


def _picture(found: Recording, dataset: Dataset, place: int) -> Picture:
    wrong = ~found.facts["correct"][:, place]
    names = dataset.class_names
    lines = [names[found.labels[0, place]], f"wrong in {wrong.sum()}"]
    if wrong.any():
        answers = np.bincount(found.facts["prediction"][wrong, place])
        lines.append(f"as {names[int(answers.argmax())]}")
    return picture(np.asarray(dataset.train.images[place]), lines)


def _scores(recorded: Mapping[str, Recording]) -> ExampleScores:
    first = next(iter(recorded.values()))
    columns = {"id": first.ids, "true_label": first.true_labels}
    for name, found in recorded.items():
        columns[f"label {name}"] = found.labels[0]
        columns[f"runs wrong {name}"] = (~found.facts["correct"]).sum(0).astype(np.int32)
    return ExampleScores(columns)
