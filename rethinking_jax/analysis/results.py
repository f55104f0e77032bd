"""A finished workdir as plain values, its runs grouped for the paper's comparisons.

A group holds the runs that differ in their seed only; a series holds the groups that differ
in corruption and label noise only: one curve of the paper's Figures 1b and 1c. A family
holds the series that differ in explicit regularizers only: a model's rows of Tables 1, 2, 4.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir import damage, metrics
from rethinking_jax.workdir.metrics import Json, Line, fitted
from rethinking_jax.workdir.share import SHARE
from rethinking_jax.workdir.storage import AnyPath, check_readable

# The keys of a summary that are about the data set.
COUNTS = ("num_classes", "train_examples", "test_examples")
# The settings that differ in their labels only: together they span label noise from 0 to 1.
LABEL_SETTINGS = ("true_labels", "partially_corrupted_labels", "random_labels")
# Explicit regularizers, the paper's and two that came later, by the config key of each, which is
# 0 or "" where it is off.
REGULARIZERS = {
    "augmentation": "augmentation",
    "dropout": "dropout_rate",
    "weight_decay": "weight_decay",
    "mixup": "mixup_alpha",
    "sharpness-aware": "sam_radius",
}
LATER = ("mixup", "sharpness-aware")


class Picture(NamedTuple):
    """A picture that the run drew from its data: the file figures/NAME.png, or what `kind` says."""

    title: str
    caption: str
    kind: str = "png"


# The pictures by their names. A report that is written again finds them in the workdir.
PICTURES = {
    "corruptions": Picture(
        "Training images and the labels they are trained with",
        "Of some classes the first image, as the network sees it in every epoch, before "
        "preprocessing; below it its label, marked where it is not the true one.",
    ),
    "augmentations": Picture(
        "Augmented training images",
        "As stored, then as the network saw them in its first epochs, by what was applied.",
    ),
    "decision_map": Picture(
        "What the network answers over the plane, during training",
        "The probability of class 1 at each point, of the first run on each data set, as its "
        "checkpoints have it, and its training points. The last frame is figures/decision_map.png.",
        "gif",
    ),
}


class Results(NamedTuple):
    """What a workdir of trained runs holds.

    Attributes:
      summary: the content of summary.json.
      lines: the lines of each run, see `rethinking_jax.workdir.metrics.by_member`.
      config: the content of config.json; its `sweep` is a list of overrides.
      pictures: the PNG or GIF of each of `PICTURES` that there is, by its name.
      fit_threshold: the train accuracy that counts as fitted, see `fitted.judged_at`; or None.
    """

    summary: Json
    lines: dict[str, list[Line]]
    config: Json
    pictures: Mapping[str, bytes] = MappingProxyType({})
    fit_threshold: float | None = None

    @property
    def validated(self) -> bool:
        """Says if validation chose hyper-parameters, so that no epoch looked at the test set."""
        return bool(self.config.get("validation_examples"))

    @property
    def share(self) -> str:
        """Which share of a sweep its runs are, such as "2/4"; "" where they are all of it."""
        return str(self.config.get(SHARE, ""))

    @property
    def models(self) -> list[str]:
        """The names of the models of its runs."""
        return list(dict.fromkeys(member["model"] for member in self.summary["members"]))

    @property
    def swept(self) -> list[str]:
        """The keys that the sweep sets, in its order."""
        return list(dict.fromkeys(key for run in self.config["sweep"] or [] for key in run))

    @property
    def configs(self) -> list[Json]:
        """The resolved config of each run, in the order of the summary.

        The summary of an earlier version has none: there a run has the overrides of the sweep.
        """
        overrides = self.config["sweep"] or [{}]
        return [
            member.get("config", {**self.config, **override})
            for member, override in zip(self.summary["members"], overrides, strict=True)
        ]


class Group(NamedTuple):
    """Runs that differ in their seed only, the lines of each, and `Results.fit_threshold`."""

    setting: str
    label_noise: float
    config: Json
    members: tuple[Json, ...]
    lines: tuple[list[Line], ...]
    fit_threshold: float | None = None

    @property
    def seeds(self) -> int:
        """The number of runs."""
        return len(self.members)

    @property
    def regularizers(self) -> tuple[str, ...]:
        """The names in `REGULARIZERS` that are switched on; a key that is absent is off."""
        return tuple(name for name, key in REGULARIZERS.items() if self.config.get(key))

    @property
    def of_the_paper(self) -> bool:
        """Says whether the paper knows all its regularizers."""
        return set(LATER).isdisjoint(self.regularizers)

    @property
    def augmentation(self) -> str:
        """The names of its augmentations, joined by +; "" for none."""
        return str(self.config.get("augmentation", ""))

    def values(self, key: str) -> list[Any]:
        """Returns a metric of the last epoch, or another entry of the summary, for each run."""
        return [member.get(key) for member in self.members]

    def to_accuracy(self, level: float, unit: str = "step") -> list[int | None]:
        """Returns the steps, or the epochs, of each run until it had this train accuracy."""
        return [next((x[unit] for x in own if fitted(x, level)), None) for own in self.lines]

    def steps_to_loss(self, key: str, bound: float) -> list[int | None]:
        """Returns the steps of each run until a loss was at most `bound`; None for never."""
        return [
            next((x["step"] for x in own if x[key] is not None and x[key] <= bound), None)
            for own in self.lines
        ]

    def test_accuracy(self) -> list[float]:
        """Returns the accuracy of each run on the true labels of the test set."""
        return [true_test_accuracy(member) for member in self.members]

    def test_accuracies(self, true_labels: bool = True) -> list[list[float]]:
        """Returns the accuracy of each run at each epoch, on true test labels or on its own."""
        return [
            [true_test_accuracy(x) if true_labels else x["test_accuracy"] for x in own]
            for own in self.lines
        ]

    def best_test_accuracy(self) -> list[float]:
        """Returns the highest accuracy of any epoch on the true test labels, for each run."""
        return list(map(max, self.test_accuracies()))

    def corrupted_test_accuracy(self) -> list[float] | None:
        """Returns the accuracies on corrupted test labels; None where they were not measured."""
        if not all("test_accuracy_true_labels" in member for member in self.members):
            return None
        return self.values("test_accuracy")


class Series(NamedTuple):
    """Groups that differ in corruption and label noise only.

    Attributes:
      name: the name of the model, and whatever else the sweep varies.
      family: the same name without regularizers.
      model, dataset: what its runs train, and on what.
      num_classes, train_examples, test_examples: the numbers of the data set; None: not known.
      groups: its groups, in the order of the config.
    """

    name: str
    family: str
    model: str
    dataset: str
    num_classes: int | None
    train_examples: int | None
    test_examples: int | None
    groups: tuple[Group, ...]

    def of(self, setting: str) -> Group | None:
        """Returns the group of a setting; label noise 0 is true labels, 1 is random labels."""
        return next((group for group in self.groups if group.setting == setting), None)

    def by_label_noise(self) -> list[Group]:
        """Returns one group for each level of label noise, by rising levels."""
        levels: dict[float, Group] = {}
        for group in self.groups:
            if group.setting in LABEL_SETTINGS:
                levels.setdefault(group.label_noise, group)
        return [levels[level] for level in sorted(levels)]


class Family(NamedTuple):
    """Series that differ in explicit regularizers only."""

    name: str
    series: tuple[Series, ...]

    @property
    def first(self) -> Series:
        """One of its series, for what they share: model, data set and its numbers."""
        return self.series[0]

    def groups(self, setting: str) -> list[Group]:
        """Returns all groups of a setting, with whatever regularizers."""
        return [group for one in self.series for group in one.groups if group.setting == setting]

    def of(self, setting: str, *regularizers: str) -> Group | None:
        """Returns the group with just these regularizers, of several strengths the best in test."""
        found = [g for g in self.groups(setting) if g.regularizers == regularizers]
        return max(found, key=lambda group: float(np.mean(group.test_accuracy())), default=None)


def true_test_accuracy(line: Line) -> float:
    """Returns the test accuracy in a line or a summary's entry, on the true labels."""
    key = "test_accuracy_true_labels"
    return float(line[key if key in line else "test_accuracy"])


def is_theory(workdir: AnyPath) -> bool:
    """Says whether a workdir is that of a finished experiment of theory, which has a kind."""
    file = workdir / "summary.json"
    return file.exists() and "kind" in _json(file, damage.SUMMARY_KEYS)


def read(workdir: AnyPath) -> Results:
    """Reads a finished workdir.

    Raises:
      UserError: there is none, it is not finished, or a file in it cannot be understood.
    """
    check_readable(workdir)
    damage.check_places(workdir)
    if not workdir.is_dir():
        if workdir.exists():
            raise UserError(f"{workdir} is a file, not a workdir")
        raise UserError(f"{workdir}: there is no such folder")
    if not (workdir / "summary.json").exists():
        if not (workdir / "config.json").exists():
            raise UserError(f"{workdir} is not a workdir: it has no summary.json")
        raise UserError(
            f"{workdir} is not finished: it has no summary.json. The command that started it, with "
            f"--workdir={workdir}, finishes it and writes its report"
        )
    summary = _json(workdir / "summary.json", damage.SUMMARY_KEYS)
    if "kind" in summary:
        raise UserError(
            f"{workdir} holds {summary['kind']}, an experiment of theory: "
            "rethinking_jax.analysis.findings.read reads it"
        )
    config = _json(workdir / "config.json", ("sweep", "dataset"))
    lines = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    if wrong := damage.of_results(workdir, config, summary, lines):
        raise UserError(f"{wrong}: the command that started it, with --workdir={workdir}, mends it")
    return Results(summary, lines, config, read_pictures(workdir))


def read_pictures(workdir: AnyPath) -> dict[str, bytes]:
    """Reads the PNG or GIF of each of `PICTURES` that a workdir has."""
    files = {
        name: workdir / "figures" / f"{name}.{picture.kind}" for name, picture in PICTURES.items()
    }
    return {name: file.read_bytes() for name, file in files.items() if file.exists()}


def _json(path: AnyPath, keys: Sequence[str]) -> Json:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}") from None
    if not isinstance(result, dict):
        raise UserError(f"{path} is not a JSON object")
    missing = [key for key in keys if key not in result]
    if missing:
        raise UserError(f"{path} has no {missing[0]!r}")
    return result


def series(results: Results) -> list[Series]:
    """Groups the runs of a workdir; all orders are the config's own."""
    summary, configs = results.summary, results.configs
    varied = _varied(results)
    grouped: dict[tuple[str, str], dict[tuple[str, float], list[int]]] = {}
    for index, (member, own) in enumerate(zip(summary["members"], configs, strict=True)):
        key = setting_of(member, own), member["label_noise"]
        names = _names(member["model"], own, varied[member["model"]])
        grouped.setdefault(names, {}).setdefault(key, []).append(index)
    # The counts in a summary are those of one data set.
    one_dataset = "dataset" not in results.swept
    classes, train, test = (summary.get(key) if one_dataset else None for key in COUNTS)
    result = []
    for (name, family), settings in grouped.items():
        groups = tuple(
            _group(results, configs, setting, noise, indices)
            for (setting, noise), indices in settings.items()
        )
        model = groups[0].members[0]["model"]
        dataset = groups[0].config["dataset"]
        result.append(Series(name, family, model, dataset, classes, train, test, groups))
    return result


def tested_series(results: Results) -> list[Series]:
    """Groups the runs for what the paper says of the test set; [] where only some saw that."""
    return [] if results.validated else series(results)


def families(all_series: Sequence[Series]) -> list[Family]:
    """Puts series together that differ in regularizers only, in the order of their first ones."""
    grouped: dict[str, list[Series]] = {}
    for one in all_series:
        grouped.setdefault(one.family, []).append(one)
    return [Family(name, tuple(own)) for name, own in grouped.items()]


def count_seeds(groups: Sequence[Group]) -> str:
    """Says how many seeds groups have, such as "1 seed" or "3 to 5 seeds"."""
    counts = sorted({group.seeds for group in groups})
    least, most = counts[0], counts[-1]
    return f"{least} to {most} seeds" if least < most else f"{most} seed{'s' * (most != 1)}"


def _group(
    results: Results, configs: Sequence[Json], setting: str, noise: float, indices: Sequence[int]
) -> Group:
    members = tuple(results.summary["members"][i] for i in indices)
    lines = tuple(results.lines[member["name"]] for member in members)
    return Group(setting, noise, configs[indices[0]], members, lines, results.fit_threshold)


def setting_of(member: Json, config: Json) -> str:
    """Returns the paper's name of what a run does, or another where the paper has none."""
    setting = str(member["corruption"])
    if setting in LABEL_SETTINGS[1:] and config.get("exclude_true_class"):
        return f"{setting}_never_the_true_class"
    if setting == "partially_corrupted_labels":
        ends = {0.0: "true_labels", 1.0: "random_labels"}
        return ends.get(member["label_noise"], setting)
    return setting


def _varied(results: Results) -> dict[str, list[str]]:
    """Returns the keys that tell the series of each model apart, in the order of the sweep."""
    own = ("name", "model", "corruption", "label_noise", "seed")
    of_model: dict[str, list[Json]] = {}
    for member, config in zip(results.summary["members"], results.configs, strict=True):
        of_model.setdefault(member["model"], []).append(config)
    result: dict[str, list[str]] = {}
    for model, runs in of_model.items():
        keys = [key for key in results.swept if key not in own and len(_found(runs, key)) > 1]
        result[model] = [key for key in keys if not _follows_regularizers(runs, key)]
    return result


def _follows_regularizers(runs: Sequence[Json], key: str) -> bool:
    """Says whether a key, such as the epochs of augmented runs, follows from the regularizers."""
    if key in REGULARIZERS.values() or key == "dataset":
        return False
    by_regularizers: dict[str, set[str]] = {}
    for run in runs:
        on = json.dumps([run.get(name) for name in REGULARIZERS.values()])
        by_regularizers.setdefault(on, set()).add(json.dumps(run.get(key)))
    return all(len(values) == 1 for values in by_regularizers.values())


def _found(runs: Sequence[Json], key: str) -> set[str]:
    return {json.dumps(run.get(key)) for run in runs}


def _names(model: str, own: Json, varied: Sequence[str]) -> tuple[str, str]:
    """Returns the names of series and family: "mlp_1x512, weight_decay=0.0005", "mlp_1x512"."""
    regularizers = [key for key in varied if key in REGULARIZERS.values()]
    rest = [f"{key}={json.dumps(own.get(key))}" for key in varied if key not in regularizers]
    on = [f"{key}={own[key]}" for key in regularizers if own.get(key)]
    family = ", ".join([model, *rest])
    if not regularizers:
        return family, family
    return ", ".join([family, *(on or ["no regularizer"])]), family
