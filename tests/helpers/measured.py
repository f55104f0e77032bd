"""Our numbers beside the paper's, as rows of tables, from docs/results/*.json.

A file there has the numbers of one workdir (`python -m rethinking_jax.report WORKDIR
--numbers=FILE.json`). The name of its experiment says which table it belongs to: the runs of a
config of the paper stand beside the paper's numbers, and all others in a table of their own.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conftest import REPOSITORY

from rethinking_jax.analysis import belkin, paper
from rethinking_jax.analysis.claims import NOT_MEASURED
from rethinking_jax.analysis.regularizers import listed
from rethinking_jax.analysis.table import Column, Spread, spread
from rethinking_jax.config import recipe
from rethinking_jax.theory import critical_results, norm_results, published, robust_results
from rethinking_jax.theory.kernel_noise_pages import BESIDE, beside_rows
from rethinking_jax.workdir.metrics import Json, text_of

FOLDER = REPOSITORY / "docs" / "results"
UNMEASURED = "not measured"
# The experiments whose runs are those of a table or figure of the paper.
CLOCK = "figure1_clock"
TABLE_1, TABLE_4 = ("table1", "cifar10_random"), ("table4",)
ACCURACY = text_of
NETWORK, LABELS = Column("network", "network"), Column("labels or pixels", "setting")
WITHIN, EPOCHS = Column("within its spread", "within"), Column("epochs", "epochs")
RUNS = Column("seeds, device, date: file", "runs")


class Found(NamedTuple):
    """Runs of a file that differ in their seed only: the finished ones, or all if none is.

    Attributes:
      file: the name of the file.
      numbers: what it holds.
      runs: its entries for these runs.
    """

    file: str
    numbers: Json
    runs: list[Json]

    def __getattr__(self, key: str) -> Any:
        """What the first run says of `key`, which all share."""
        return self.runs[0][key]

    @property
    def finished(self) -> bool:
        return bool(self.runs[0]["finished"])

    def of(self, key: str) -> Spread | None:
        return spread([run.get(key) for run in self.runs])


def read(folder: Path = FOLDER) -> dict[str, Json]:
    """Reads the files of a folder, by their names without .json."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def found_in(files: dict[str, Json]) -> list[Found]:
    """Returns the groups of runs of all files."""
    grouped: dict[tuple, list[Json]] = {}
    for file, numbers in files.items():
        for run in numbers.get("runs", []):
            key = (file, run["series"], run["setting"], run["label_noise"])
            grouped.setdefault(key, []).append(run)
    return [
        Found(key[0], files[key[0]], [run for run in runs if run["finished"]] or runs)
        for key, runs in grouped.items()
    ]


def the_papers(found: Iterable[Found], experiments: Sequence[str]) -> list[Found]:
    """Returns the groups of these experiments that are the paper's but for the seed.

    Files of `CLOCK` are left out: their runs look for another way to train that would explain it.
    """
    return [
        one
        for one in found
        if one.numbers["experiment"] in experiments
        and not one.file.startswith(CLOCK)
        and one.comparable.startswith("yes")
        and _as_in_appendix(one.runs[0])
    ]


def _as_in_appendix(run: Json) -> bool:
    """Says whether a run was trained as the paper's were (appendix A)."""
    rate = recipe.appendix_learning_rate(run["model"])
    right = {"optimizer": "sgd", "learning_rate": rate, "momentum": 0.9, "batch_size": 128}
    # The random labels of augmented images are fitted in more epochs, at a rate that stays.
    decays = (0.95, 0.999) if run["augmentation"] else (0.95,)
    slow = run.get("lr_decay_steps") in (0, recipe.CIFAR_DECAY_STEPS, None)
    known = {key: run.get(key, value) for key, value in right.items()}
    start = run.get("initializer", "model"), run.get("init_scale", 1.0)
    as_drawn = start == ("model", 1.0)
    return known == right and run.get("lr_decay", 0.95) in decays and slow and as_drawn


def shown(one: Found) -> Json:
    """Returns what every row says of its runs, and the group that it is of."""
    return {"of": one, "epochs": _epochs(one), "runs": _runs(one)}


def _runs(one: Found) -> str:
    device = one.numbers["device"] or "a device that is not known yet"
    return f"{seeds(one)}, {device}, {one.numbers['date']}: {one.file}"


def seeds(one: Found) -> str:
    return f"{len(one.runs)} seed{'s' * (len(one.runs) > 1)}"


def _epochs(one: Found) -> str:
    reached, whole = one.of("epochs"), one.of("epochs_in_all")
    assert reached and whole
    text = (
        f"{reached.min:g}" if reached.min == reached.max else f"{reached.min:g} to {reached.max:g}"
    )
    return text if one.finished else f"{text} of {whole.max:g}: not finished"


def difference(ours: Spread | None, theirs: object) -> float | None:
    return 100 * (ours.mean - theirs) if ours and isinstance(theirs, float) else None


def within(model: str, *points: float | None) -> str | None:
    known = [abs(value) <= 100 * paper.SPREAD[model] for value in points if value is not None]
    return ("yes" if all(known) else "no") if known else None


# Table 1 --------------------------------------------------------------------------------

POINTS = "{:+.2f}"
COLUMNS_1 = (
    NETWORK,
    LABELS,
    Column("regularizers", "regularizers"),
    Column("train accuracy", "train", ACCURACY, UNMEASURED),
    Column("paper's", "paper_train", ACCURACY),
    Column("points", "train_points", POINTS),
    Column("test accuracy", "test", ACCURACY, UNMEASURED),
    Column("paper's", "paper_test", ACCURACY),
    Column("points", "test_points", POINTS),
    WITHIN,
    EPOCHS,
    RUNS,
)


def table_1(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each of Table 1, or more where several files have it."""
    own = the_papers(found, TABLE_1)
    return [row for theirs in paper.TABLE_1 for row in _rows_1(theirs, own)]


def _rows_1(theirs: paper.Row, found: Sequence[Found]) -> list[Json]:
    shared = {
        "network": paper.MODELS[theirs.model],
        "setting": theirs.setting.replace("_", " "),
        "regularizers": listed(theirs.regularizers),
        "paper_train": theirs.train_accuracy,
        "paper_test": theirs.test_accuracy,
    }
    rows = []
    for one in found:
        known = one.model, one.setting, tuple(one.regularizers), one.augmentation
        if paper.table_1(*known) != theirs:
            continue
        train, test = one.of("train_accuracy"), one.of("test_accuracy")
        row = {**shared, "train": train, "test": test, **shown(one)}
        if one.finished:
            points = (
                difference(train, theirs.train_accuracy),
                difference(test, theirs.test_accuracy),
            )
            row |= {"train_points": points[0], "test_points": points[1], "cells": 2}
            row["within"] = within(theirs.model, *points)
        rows.append(row)
    return rows or [{**shared, "train": None, "test": None}]


# Table 4 --------------------------------------------------------------------------------

COLUMNS_4 = (
    NETWORK,
    Column("regularizer", "regularizers"),
    Column("weight decay", "coefficient", "{:g}"),
    Column("train accuracy", "train", ACCURACY, UNMEASURED),
    Column("paper's", "paper_train", ACCURACY),
    Column("points", "train_points", POINTS),
    WITHIN,
    EPOCHS,
    RUNS,
)


def table_4(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each of Table 4."""
    result = []
    own = [one for one in the_papers(found, TABLE_4) if one.setting == "random_labels"]
    for (model, kind), theirs in paper.TABLE_4.items():
        shared = {"network": paper.MODELS[model], "regularizers": kind, "paper_train": theirs}
        rows = []
        for one in own:
            if one.model != model or kind != _kind(one):
                continue
            # Of new images in every epoch the mean over mini-batches is all there is.
            train = one.of("running_accuracy" if one.augmentation else "train_accuracy")
            row = {**shared, "train": train, **shown(one)}
            if kind == "weight decay":
                row["coefficient"] = one.weight_decay
            if one.finished:
                points = difference(train, theirs)
                row |= {"train_points": points, "within": within(model, points), "cells": 1}
            rows.append(row)
        result += rows or [{**shared, "train": None}]
    return result


def _kind(one: Found) -> str | None:
    """Returns the name in Table 4 of what is switched on, if it has one."""
    key = tuple(one.regularizers), one.augmentation
    theirs = paper.table_4(one.model, *key)
    if theirs is None:
        return None
    if key[0] == paper.DECAY:
        return "weight decay"
    return "random crop" if key[1] == "crop" else "flip and rotation"


# Kernels and other theory, lessons and other runs ---------------------------------------

COLUMNS_3 = (
    Column("data", "data"),
    Column("preprocessing", "preprocessing"),
    Column("training examples", "n", "{:,}", UNMEASURED),
    Column("train error", "train", ACCURACY),
    Column("test error", "test", ACCURACY),
    Column("paper's", "paper_test", "{:.3f}"),
    Column("points", "points", POINTS),
    Column("norm", "norm", "{:,.0f}"),
    Column("paper's", "paper_norm", "{:,.0f}"),
    Column("residual", "residual", "{:.1g}"),
    Column("device, date: file", "runs"),
)


def _solved(file: str, numbers: Json) -> str:
    return f"{numbers['device']}, {numbers['date']}: {file}"


THEIR_FILTERS = 32_000
PREPROCESSING = {"gaussian": "none", "gabor": "Gabor wavelets"}
DATA = {"mnist": "MNIST", "cifar10": "CIFAR-10"}


def _preprocessing(member: Json) -> str | None:
    """Returns which row's preprocessing a solution has; a ridge belongs to random filters alone."""
    if member["kernel"] == "random_conv":
        whole = member["train_examples"] == 50_000
        return paper.CONV + ", l2 penalty" * (member["ridge"] > 0) if whole else None
    return PREPROCESSING.get(member["kernel"]) if member["ridge"] == 0 else None


def _filters(member: Json, theirs: str) -> str:
    """Returns what a row says of random filters: how many, and what is done before and after."""
    if not member.get("whitening"):
        return theirs
    return (
        f"{member['filters']:,} random convolutional filters, ridge {member['ridge']:g}, patches "
        f"whitened ({member['whitening']:g}), threshold {member['threshold']:g}"
    )


def table_3(files: dict[str, Json]) -> list[Json]:
    """Returns a row for each of Table 3, on true labels."""
    rows = []
    for theirs in paper.TABLE_3:
        shared = {
            "data": theirs.data,
            "preprocessing": theirs.preprocessing,
            "paper_test": theirs.test_error,
            "paper_norm": theirs.norm,
        }
        own = [
            {
                **shared,
                "preprocessing": ", ".join(
                    filter(None, (_filters(member, theirs.preprocessing), member.get("variant")))
                ),
                "n": member["train_examples"],
                "train": member["train_error"],
                "test": member["test_error"],
                "points": 100 * (member["test_error"] - theirs.test_error),
                "norm": member["norm"],
                "residual": member.get("residual"),
                "runs": _solved(file, numbers),
                "cells": int(
                    (theirs.data, member["train_examples"]) == ("CIFAR-10", 50_000)
                    and member.get("filters", THEIR_FILTERS) == THEIR_FILTERS
                ),
            }
            for file, numbers in files.items()
            if numbers.get("kind") == "kernel"
            for member in numbers["members"]
            if DATA.get(member["dataset"]) == theirs.data
            and _preprocessing(member) == theirs.preprocessing
            and member["corruption"] == "true_labels"
        ]
        rows += own or [{**shared, "n": None}]
    return rows


COLUMNS_BELKIN = (*BESIDE, Column("device, date: file", "runs"))


def kernel_noise(files: dict[str, Json]) -> list[Json]:
    """Returns a row for each error of Belkin, Ma and Mandal (2018) that we have, of most draws."""
    rows: dict[belkin.Cell, Json] = {}
    for file, numbers in files.items():
        found = beside_rows(numbers["members"]) if numbers.get("kind") == "kernel_noise" else []
        for row in found:
            cell = belkin.Cell(*(row[field] for field in belkin.Cell._fields))
            if cell not in rows or row["draws"] > rows[cell]["draws"]:
                rows[cell] = {**row, "runs": _solved(file, numbers)}
    return [rows[cell] for cell in belkin.CELLS if cell in rows]


COLUMNS_PUBLISHED = (*published.COLUMNS, Column("device, date: file", "runs"))
COLUMNS_CRITICAL = (*critical_results.COLUMNS, Column("device, date: file", "runs"))
COLUMNS_ROBUST = (*robust_results.COLUMNS, Column("device, date: file", "runs"))
COLUMNS_NORMS = (*norm_results.MEASURE_COLUMNS, Column("device, date: file", "runs"))


def of_kind(files: dict[str, Json], kind: str, key: str) -> list[Json]:
    """Returns the members of the experiments of a kind that have a key, with their device."""
    return [
        {**member, "runs": _solved(file, numbers)}
        for file, numbers in files.items()
        if numbers.get("kind") == kind
        for member in numbers["members"]
        if key in member
    ]


COLUMNS_THEORY = (
    Column("experiment, data", "experiment"),
    Column("claim", "claim"),
    Column("outcome", "outcome"),
    Column("ours", "ours"),
    Column("the paper's", "paper"),
    Column("device, date: file", "runs"),
)


def theory(files: dict[str, Json]) -> list[Json]:
    """Returns a row for each claim of the experiments of theory that was measured."""
    return [
        {
            **verdict,
            "kind": numbers["kind"],
            "dataset": numbers["dataset"],
            "experiment": f"{numbers['experiment']}, {numbers['dataset']}",
            "runs": _solved(file, numbers),
        }
        for file, numbers in files.items()
        for verdict in numbers.get("verdicts", [])
        if verdict["outcome"] != NOT_MEASURED
    ]


COLUMNS_OTHERS = (
    Column("experiment", "experiment"),
    Column("data", "data"),
    Column("runs", "series"),
    LABELS,
    Column("train accuracy", "train", ACCURACY),
    Column("validation accuracy", "validation", ACCURACY),
    Column("test accuracy", "test", ACCURACY),
    Column("best test accuracy", "best", ACCURACY),
    Column("epochs to train accuracy 0.9995", "fitted", "{:.1f}", "never"),
    EPOCHS,
    RUNS,
)


def epochs_to(one: Found, key: str, bound: str) -> Spread | None:
    """Returns the epochs of each seed until it fitted by a measure; None where a seed never did."""
    steps = [run["steps_to"][key][bound] for run in one.runs]
    if None in steps:
        return None
    epochs = [run["epochs"] / run["steps"] for run in one.runs]
    return spread([a * b for a, b in zip(steps, epochs, strict=True)])


def others(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each group of runs: lessons, and what is not the paper's."""
    return [
        {
            "experiment": one.numbers["experiment"],
            "data": one.dataset,
            "series": _started(one),
            "setting": one.setting.replace("_", " ")
            + (f", {one.label_noise:g}" if one.setting.startswith("partially") else ""),
            "train": one.of("train_accuracy"),
            "validation": one.of("validation_accuracy"),
            "test": one.of("test_accuracy"),
            "best": one.of("best_test_accuracy"),
            "fitted": epochs_to(one, "train_accuracy", "0.9995"),
            **shown(one),
        }
        for one in found
    ]


def _started(one: Found) -> str:
    """Returns what the runs of a row are called, with how their weights start where all do so."""
    start = one.runs[0].get("initializer", "model")
    told = start == "model" or "initializer" in one.series
    return one.series if told else f"{one.series}, initializer={start}"
