"""Theorem 1's counterpart: how wide a 2-layer network must be to be TRAINED to the same labels.

There is a ladder of widths for growing numbers of points. These networks learn the labels of any
other run, so they are an experiment of their own, with its own folder, results and report.
"""

import json
from collections.abc import Sequence

from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import curve, verdict
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.widths import parse
from rethinking_jax.workdir.metrics import Json, text_of

FOLDER = "trained"  # the name of this experiment's folder in the workdir
PARTS = (16, 4, 1)  # all points are divided by these for the numbers of points
FEWEST = 20  # points that are worth a training
# Keys whose values a training run takes over.
KEYS = ("dataset", "image_size", "data_seed", "crop_size", "corruption", "exclude_true_class",
        "seed")  # fmt: skip
OPTIONAL = ("label_noise", "corruption_seed", "labels_file")  # these, where a value is given

COLUMNS = (
    Column("labels", "name"),
    Column("points", "points", "{:,}"),
    Column("smallest width that fits", "width", "{:,}"),
    Column("its weights", "weights", "{:,}"),
    Column("2n + d", "weights_of_theorem", "{:,}"),
    Column("times as many", "ratio", "{:.1f}"),
    Column("epochs", "epochs", "{:,}"),
    Column("train accuracy by width", "accuracies"),
)
NOTE = (
    "One hidden ReLU layer, Adam at a constant rate of 0.001, batches of 128 at most, the same "
    "number of steps for all; fitted: every label of the training set, in eval mode. Weights count "
    "biases and an output for each class; Theorem 1's network has one output. -: no width fits in "
    "this time. A finer ladder, or longer training, finds smaller ones."
)


def measure(members: Sequence[configs.Member], tools: Tools) -> list[Json]:
    """Returns a row for each run and number of points; [] where no widths are asked for.

    Raises:
      RunFailed: training was stopped by a signal; what is complete is not trained again.
    """
    overrides: dict[str, configs.Overrides] = {}  # by what they say besides the name
    # (name, points) -> the runs of these, as (name of the run, width).
    places: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for name, config in members:
        for width in parse(config.trained_widths, "trained_widths"):
            for count in _sizes(len(tools.tasks.dataset(config).train.labels)):
                what = _run(config, width, count)
                # Runs of theory that differ in other keys have their networks in common.
                run = overrides.setdefault(
                    json.dumps(what), {"name": f"{name}, {count} points, width {width}", **what}
                )
                places.setdefault((name, count), []).append((run["name"], width))
    if not overrides:
        return []
    base = _base(members[0].config, list(overrides.values()))
    tools.say(f"training {len(overrides)} networks of {len(set(places))} sets of points")
    summary = tools.run_experiment(base, FOLDER)
    found = {member["name"]: member for member in summary["members"]}
    config_of = dict(members)
    rows = []
    for (name, count), runs in places.items():
        own = [(width, found[run]) for run, width in runs]
        image = tools.tasks(config_of[name]).train_images[0]
        rows.append(_row(name, count, image.size, own))
        tools.say(f"{name}, {count:,} points, train accuracy by width: {rows[-1]['accuracies']}")
    return rows


def _sizes(count: int) -> list[int]:
    return [count // part for part in PARTS if part == 1 or count // part >= FEWEST]


def _run(config: ConfigDict, width: int, count: int) -> configs.Overrides:
    own = {key: config[key] for key in KEYS}
    optional = {key: config[key] for key in OPTIONAL if config[key] not in (None, "")}
    return {
        **own,
        **optional,
        "train_examples": count,
        "hidden_sizes": [width],
        "batch_size": min(128, count),
    }


def _base(config: ConfigDict, overrides: Sequence[configs.Overrides]) -> ConfigDict:
    base = configs.base_config()
    base.update(
        experiment="trained_widths",
        dataset=config.dataset,
        data_dir=config.data_dir,
        manual_dir=config.manual_dir,
        language=config.language,
        model="mlp",
        hidden_sizes=(1,),
        optimizer="adam",
        learning_rate=0.001,
        lr_decay=1.0,
        checkpoint_every=0,  # a network takes seconds
        train_eval_examples=1000,  # enough to look at until a network seems fitted
    )
    most = max(run["train_examples"] for run in overrides)
    # All get the same number of steps, so that few points are not given less time.
    longer = [
        {**run, "epochs": config.trained_epochs * (most // run["train_examples"])}
        for run in overrides
    ]
    base.sweep = configs.runs(longer)
    return base


def _row(name: str, count: int, dimension: int, own: Sequence[tuple[int, Json]]) -> Json:
    fitted = next(((w, m) for w, m in own if m["steps_to_fit"] is not None), None)
    least = 2 * count + dimension
    return {
        "name": name,
        "points": count,
        "width": fitted and fitted[0],
        "weights": fitted and fitted[1]["parameters"],
        "weights_of_theorem": least,
        "ratio": fitted and fitted[1]["parameters"] / least,
        "epochs": fitted and fitted[1]["epochs_to_fit"],
        "accuracies": ", ".join(f"{w}: {text_of(m['train_accuracy'])}" for w, m in own),
        "trained": {str(w): m["train_accuracy"] for w, m in own},
    }


def tables(rows: Sequence[Json]) -> list[Table]:
    """Returns one table, or none where nothing was trained."""
    title = "Trained: the smallest width that fits the same labels"
    return [table("trained_widths", title, COLUMNS, rows, NOTE)] if rows else []


def plots(rows: Sequence[Json]) -> list[Plot]:
    """Draws train accuracy against width, a curve for each number of points."""
    curves = [
        curve(
            f"{row['name']}, {row['points']:,} points",
            [float(width) for width in row["trained"]],
            list(row["trained"].values()),
        )
        for row in rows
    ]
    title = "Trained 2-layer networks: train accuracy by width"
    caption = "After the same number of steps, or where every label was fitted."
    made = Plot("trained_widths", title, caption, "width", "train accuracy", curves, log="x")
    return [made] if rows else []


def verdicts(rows: Sequence[Json]) -> list[Verdict]:
    """Judges whether training reaches what the construction does, and at what size."""
    fitted = [row for row in rows if row["width"] is not None]
    missing = "Needs trained_widths, such as 16+64+256+1024."
    listed = "; ".join(
        f"{row['name'].replace('_', ' ')}, {row['points']:,} points: "
        + (f"width {row['width']:,}, {row['ratio']:.1f} x (2n + d)" if row["width"] else "none")
        for row in rows
    )
    return [
        verdict(
            "Gradient descent finds these labels too, at some width of the ladder.",
            "section 2.1, for 2 layers",
            len(fitted) == len(rows) if rows else None,
            f"Smallest width that fits: {listed}." if rows else missing,
            "Train accuracy 0.9934 on random labels (CIFAR-10, MLP 1x512).",
        ),
        verdict(
            "The smallest of these widths that fits all points has more weights than the "
            "construction.",
            "not a claim of the paper",
            all(row["ratio"] > 1 for row in fitted if row["points"] == rows[-1]["points"])
            if fitted and rows[-1] in fitted
            else None,
            f"Weights over 2n + d: {listed}." if rows else missing,
            "2n + d weights are enough.",
            of_paper=False,
        ),
    ]
