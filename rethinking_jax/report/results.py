"""A finished workdir as plain values, its runs grouped for the paper's comparisons.

A group holds the runs that differ in their seed only; a series holds the groups that differ
in corruption and label noise only: one curve of the paper's Figures 1b and 1c.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rethinking_jax import metrics
from rethinking_jax.errors import UserError
from rethinking_jax.metrics import Line

MEMBER_KEYS = ("name", "model", "corruption", "label_noise", "seed", "steps_to_fit", "diverged")
SUMMARY_KEYS = ("experiment", "dataset", "device", "versions", "wall_seconds", "members")
# What a label corruption may replace: together they span label noise from 0 to 1.
LABEL_SETTINGS = ("true_labels", "partially_corrupted_labels", "random_labels")


class Results(NamedTuple):
    """What a workdir holds.

    Attributes:
      summary: as in summary.json.
      lines: of each run, see `rethinking_jax.metrics.by_member`.
      config: as in config.json; its `sweep` is a list of overrides.
    """

    summary: dict[str, Any]
    lines: dict[str, list[Line]]
    config: dict[str, Any]


class Group(NamedTuple):
    """Runs that differ in their seed only, and the lines of each."""

    setting: str
    label_noise: float
    config: dict[str, Any]
    members: tuple[dict[str, Any], ...]
    lines: tuple[list[Line], ...]

    @property
    def seeds(self) -> int:
        """How many runs there are."""
        return len(self.members)

    def values(self, key: str) -> list[Any]:
        """A metric of the last epoch, or another entry of the summary, of each run."""
        return [member.get(key) for member in self.members]

    def steps_to_fit(self) -> list[int | None]:
        """Steps until the config's fit_threshold was reached; None where it never was."""
        return self.values("steps_to_fit")

    def steps_to_loss(self, key: str, bound: float) -> list[int | None]:
        """Steps until a loss was at most `bound`, of each run; None where it never was."""
        return [
            next((x["step"] for x in own if x[key] is not None and x[key] <= bound), None)
            for own in self.lines
        ]

    def test_accuracy(self) -> list[float]:
        """On the true labels of the test set, of each run."""
        key = "test_accuracy_true_labels"
        return [member.get(key, member["test_accuracy"]) for member in self.members]

    def corrupted_test_accuracy(self) -> list[float] | None:
        """On test labels corrupted like the training set's, where that was measured."""
        if not all("test_accuracy_true_labels" in member for member in self.members):
            return None
        return self.values("test_accuracy")


class Series(NamedTuple):
    """Groups that differ in corruption and label noise only.

    Attributes:
      name: the model, and whatever else the sweep varies.
      dataset: of its runs; num_classes and test_examples belong to it (None: not known).
    """

    name: str
    model: str
    dataset: str
    num_classes: int | None
    test_examples: int | None
    groups: tuple[Group, ...]

    def of(self, setting: str) -> Group | None:
        """The group of a setting; label noise 0 counts as true labels, 1 as random labels."""
        return next((group for group in self.groups if group.setting == setting), None)

    def by_label_noise(self) -> list[Group]:
        """One group for each level of label noise, rising."""
        levels: dict[float, Group] = {}
        for group in self.groups:
            if group.setting in LABEL_SETTINGS:
                levels.setdefault(group.label_noise, group)
        return [levels[level] for level in sorted(levels)]


def read(workdir: Path) -> Results:
    """Reads a finished workdir.

    Raises:
      UserError: there is none, it is not finished, or a file in it cannot be understood.
    """
    if not workdir.is_dir():
        raise UserError(f"{workdir}: there is no such folder")
    if not (workdir / "summary.json").exists():
        epochs = len(metrics.read_lines(workdir / "metrics.jsonl"))
        if not (workdir / "config.json").exists():
            raise UserError(f"{workdir} is not a workdir: it has no summary.json")
        raise UserError(
            f"{workdir} is not finished: {epochs} epochs in metrics.jsonl, no summary.json. The "
            f"command that started it, with --workdir={workdir}, finishes it and writes its report"
        )
    summary = _json(workdir / "summary.json", SUMMARY_KEYS)
    config = _json(workdir / "config.json", ("sweep", "dataset"))
    lines = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    for member in summary["members"]:
        missing = [key for key in MEMBER_KEYS if key not in member]
        if missing:
            raise UserError(f"{workdir / 'summary.json'}: a run has no {missing[0]!r}")
        if member["name"] not in lines:
            raise UserError(f"{workdir / 'metrics.jsonl'} has no line of {member['name']!r}")
    if len(summary["members"]) != len(config["sweep"] or [{}]):
        raise UserError(f"{workdir}: config.json and summary.json differ in their number of runs")
    return Results(summary, lines, config)


def _json(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if not isinstance(result, dict):
        raise UserError(f"{path} is not a JSON object")
    missing = [key for key in keys if key not in result]
    if missing:
        raise UserError(f"{path} has no {missing[0]!r}")
    return result


def series(results: Results) -> list[Series]:
    """The runs of a workdir, grouped; all orders are the config's own."""
    summary, config = results.summary, results.config
    overrides = config["sweep"] or [{}]
    varied = _varied(summary["members"], overrides)
    grouped: dict[str, dict[tuple[str, float], list[int]]] = {}
    for index, (member, override) in enumerate(zip(summary["members"], overrides, strict=True)):
        key = _setting(member, {**config, **override}), member["label_noise"]
        grouped.setdefault(_series_name(member, override, varied), {}).setdefault(key, []).append(
            index
        )
    # The counts in a summary are those of one data set.
    one_dataset = not any("dataset" in override for override in overrides)
    result = []
    for name, settings in grouped.items():
        groups = tuple(
            _group(results, setting, noise, indices)
            for (setting, noise), indices in settings.items()
        )
        result.append(
            Series(
                name,
                groups[0].members[0]["model"],
                groups[0].config["dataset"],
                summary.get("num_classes") if one_dataset else None,
                summary.get("test_examples") if one_dataset else None,
                groups,
            )
        )
    return result


def _group(results: Results, setting: str, noise: float, indices: Sequence[int]) -> Group:
    overrides = results.config["sweep"] or [{}]
    members = tuple(results.summary["members"][i] for i in indices)
    return Group(
        setting,
        noise,
        {**results.config, **overrides[indices[0]]},
        members,
        tuple(results.lines[member["name"]] for member in members),
    )


def _setting(member: dict[str, Any], config: dict[str, Any]) -> str:
    """The paper's name of what a run does; another where it is not one of the paper's."""
    setting = str(member["corruption"])
    if setting in LABEL_SETTINGS[1:] and config.get("exclude_true_class"):
        return f"{setting}_never_the_true_class"
    if setting == "partially_corrupted_labels":
        ends = {0.0: "true_labels", 1.0: "random_labels"}
        return ends.get(member["label_noise"], setting)
    return setting


def _varied(
    members: Sequence[dict[str, Any]], overrides: Sequence[dict[str, Any]]
) -> dict[str, set[str]]:
    """Of each model, the keys that its runs set to more than one value."""
    values: dict[str, dict[str, set[str]]] = {}
    for member, override in zip(members, overrides, strict=True):
        own = values.setdefault(member["model"], {})
        for key, value in override.items():
            own.setdefault(key, set()).add(json.dumps(value))
    return {
        model: {key for key, found in own.items() if len(found) > 1}
        for model, own in values.items()
    }


def _series_name(
    member: dict[str, Any], override: dict[str, Any], varied: dict[str, set[str]]
) -> str:
    """Such as "mlp_1x512" or "mlp_1x512, learning_rate=0.1"."""
    own = ("name", "model", "corruption", "label_noise", "seed")
    keys = varied[member["model"]].difference(own)
    rest = [f"{key}={json.dumps(value)}" for key, value in override.items() if key in keys]
    return ", ".join([member["model"], *rest])
