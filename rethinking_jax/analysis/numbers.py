"""The numbers of a workdir in one small file, to keep and to commit, also of one that trains yet.

What a reader of a result wants to know stands in it: what was run, on which data, where and
when, what each run came to, and when it fitted by each measure; where the paper's Figure 1a has
a curve of the same kind, ours in few points.
"""

import json
import math
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rethinking_jax.analysis import (
    beside,
    distance,
    findings,
    paper,
    results,
    shares,
    unfinished,
)
from rethinking_jax.analysis.curves import band, middles
from rethinking_jax.analysis.fitted import FITTED_LOSS, LEVELS, OVERFIT_LOSS
from rethinking_jax.analysis.results import Group, Results, Series, true_test_accuracy
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.errors import UserError
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Json, Line
from rethinking_jax.workdir.storage import AnyPath, write_atomically, written

# Beside the train accuracies of `LEVELS` the losses by which a run may count as fitted.
# The lower ones are for runs that go on when they have fitted.
LOSSES = {
    "running_loss": (FITTED_LOSS, OVERFIT_LOSS, 0.02, 0.01, 0.005, 0.002, 0.001),
    "train_loss": (FITTED_LOSS,),
}
POINTS = 70  # of a learning curve: the paper's own Figure 1a has 69
# What a run of a group says of its last epoch, beside its losses and accuracies.
OF_A_RUN = (
    "seed",
    "flipped_fraction",
    "train_loss",
    "train_accuracy",
    "running_loss",
    "running_accuracy",
    "validation_accuracy",
    "test_loss",
    "best_epoch",
    "diverged",
    "images_per_second",
)
OF_A_GROUP = (
    "corruption_seed",
    "init_scale",
    "initializer",
    "weight_decay",
    "optimizer",
    "learning_rate",
    "lr_decay",
    "lr_decay_steps",
    "momentum",
    "batch_size",
    "crop_size",
    "measure_every",
)
OF_A_SUMMARY = (
    "dataset",
    "train_examples",
    "test_examples",
    "num_classes",
    "device",
    "versions",
    "wall_seconds",
)
# What a command has that only says where things lie on the machine of whoever typed it.
PLACES = ("workdir", "config.data_dir", "config.manual_dir", "config.cache_dir")


def write(workdir: AnyPath, file: AnyPath) -> None:
    """Writes the numbers of a workdir, finished or not, into a JSON file.

    Raises:
      UserError: the workdir cannot be read, or no epoch of any run is measured yet.
      OSError: the file cannot be written.
    """
    theory = results.is_theory(workdir)
    numbers = _of_theory(workdir) if theory else _of_runs([workdir], _read(workdir))
    write_atomically(file, _text(numbers))


def write_joined(workdirs: Sequence[AnyPath], found: shares.Read, file: AnyPath) -> None:
    """Writes the numbers of a sweep that was trained in shares into a JSON file.

    Args:
      workdirs: those of the shares.
      found: the whole sweep, see `rethinking_jax.analysis.shares`.
      file: where they are written to.

    Raises:
      UserError: no epoch of any run is measured yet.
      OSError: the file cannot be written.
    """
    if isinstance(found, Unfinished):
        begun = _begun(workdirs, found)
        command = shares.command_of_all(begun.summary["command"])
        found = begun._replace(summary={**begun.summary, "command": command})
    write_atomically(file, _text(_of_runs(workdirs, found)))


def _text(numbers: Json) -> str:
    """Returns JSON with a line for each run, so that a change of one shows as one."""
    lines = []
    for key, value in numbers.items():
        text = json.dumps(value, allow_nan=False)
        if isinstance(value, list) and value:
            text = "[\n" + ",\n".join(json.dumps(one, allow_nan=False) for one in value) + "\n]"
        lines.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _of_theory(workdir: AnyPath) -> Json:
    found = findings.read(workdir)
    return {
        **_head([workdir], found.summary, "summary.json"),
        "kind": found.summary["kind"],
        "finished": True,
        "verdicts": found.summary["verdicts"],
        "members": found.summary["members"],
    }


def _of_runs(workdirs: Sequence[AnyPath], found: Results) -> Json:
    runs = [
        {
            **_of_group(one, group),
            **_of_run(group, i),
            **(_curves(group.lines[i]) if _has_curve(one, group) else {}),
        }
        for one in results.series(found)
        for group in one.groups
        for i in range(group.seeds)
    ]
    whole = len(found.config["sweep"] or [{}])
    return {
        **_head(workdirs, found.summary, "metrics.jsonl"),
        "finished": all(run["finished"] for run in runs),
        "runs_to_come": found.summary.get("runs_to_come", 0),
        "swept": found.swept if whole > 1 else [],
        "runs": runs,
    }


def _head(workdirs: Sequence[AnyPath], summary: Json, dated: str) -> Json:
    times = [written(workdir / dated) for workdir in workdirs]
    seconds = max((time for time in times if time is not None), default=None)
    date = None if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()
    data: list[Json] = []
    for digests in (own for workdir in workdirs for own in _digests(workdir)):
        data += [] if digests in data else [digests]
    return {
        "experiment": summary["experiment"],
        "command": without_places(summary.get("command")),
        **{key: summary.get(key) for key in OF_A_SUMMARY},
        "date": date,
        "data": data,
    }


def without_places(command: str | None) -> str | None:
    """Leaves out of a command where things lie; the rest is the same for everyone."""
    words = shlex.split(command or "")
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not any(word.startswith((f"--{place}=", f"-{place}=")) for place in PLACES)
        and word.lstrip("-") not in PLACES
        and before.lstrip("-") not in PLACES
    ]
    return shlex.join(kept) or None


def _digests(workdir: AnyPath) -> list[Json]:
    """Returns the digests of each data set that was read; [] where the workdir keeps none."""
    file = workdir / "data.json"
    stored = json.loads(file.read_text()) if file.exists() else []
    return [one["digests"] for one in stored if one.get("digests")]


def _has_curve(one: Series, group: Group) -> bool:
    return distance.has_curve(group, one.dataset, one.train_examples)


def _of_group(one: Series, group: Group) -> Json:
    return {
        "series": one.name,
        "comparable": beside.comparable(one, group, paper.DATASET),
        "model": group.members[0]["model"],
        "dataset": group.config["dataset"],
        "setting": group.setting,
        "label_noise": group.label_noise,
        "regularizers": group.regularizers,
        "augmentation": group.augmentation,
        **{key: own for key in OF_A_GROUP if (own := group.config.get(key)) is not None},
    }


def _of_run(group: Group, index: int) -> Json:
    """Returns what one run of a group came to."""
    member, lines = group.members[index], group.lines[index]
    config = {**group.config, **member.get("config", {})}
    whole = {"epochs": lines[-1]["epoch"], **config}
    finished = metrics.finished(lines, {"stop_when_fitted": False, "fit_threshold": 1.0, **whole})
    corrupted = "test_accuracy_true_labels" in member
    tested = [line for line in lines if "test_accuracy" in line]
    return {
        "name": member["name"],
        **{key: _short(member[key]) for key in OF_A_RUN if key in member},
        "epochs": lines[-1]["epoch"],
        "epochs_in_all": whole["epochs"],
        "steps": lines[-1]["step"],
        "finished": finished,
        **({"test_accuracy": true_test_accuracy(member)} if "test_accuracy" in member else {}),
        **({"best_test_accuracy": max(map(true_test_accuracy, tested))} if tested else {}),
        **({"test_accuracy_corrupted_labels": member["test_accuracy"]} if corrupted else {}),
        "steps_to": steps_to(lines),
    }


def _short(value: Any) -> Any:
    """Returns a float with seven digits: a loss needs no more, and accuracies have no more."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def steps_to(lines: Sequence[Line]) -> Json:
    """Returns the steps of a run until it fitted, by each measure; None where it never did."""
    by_accuracy = {
        f"{least:g}": _first(line["step"] for line in lines if line["train_accuracy"] >= least)
        for least in LEVELS
    }
    by_loss = {
        key: {
            f"{most:g}": _first(
                line["step"] for line in lines if line[key] is not None and line[key] <= most
            )
            for most in bounds
        }
        for key, bounds in LOSSES.items()
    }
    return {"train_accuracy": by_accuracy, **by_loss}


def _first(steps: Iterable[int]) -> int | None:
    return next(iter(steps), None)


def _curves(lines: Sequence[Line]) -> Json:
    """Returns the losses of the fixed network and of the batches, at ends and middles of epochs."""
    ends, fixed, _, _ = band([lines], "train_loss")
    middle, of_batches, _, _ = middles(band([lines], "running_loss"))
    return {"curve": thinned(ends, fixed), "curve_of_batches": thinned(middle, of_batches)}


def thinned(
    thousand_steps: Sequence[float], losses: Sequence[float]
) -> list[tuple[float, float | None]]:
    """Returns steps and training loss at no more than `POINTS` epochs, the last one among them."""
    every = -(-len(losses) // POINTS)
    kept = slice((len(losses) - 1) % every, None, every)
    return [
        (round(1000 * at, 1), None if math.isnan(loss) else float(f"{loss:.4g}"))
        for at, loss in zip(thousand_steps[kept], losses[kept], strict=True)
    ]


# Of runs that go on ---------------------------------------------------------------------


def _read(workdir: AnyPath) -> Results:
    """Reads the runs of a workdir; of one that is not finished those that are begun.

    Raises:
      UserError: it cannot be read, or has nothing yet.
    """
    if not unfinished.is_unfinished(workdir):
        return results.read(workdir)
    return _begun([workdir], unfinished.read(workdir))


def _begun(workdirs: Sequence[AnyPath], found: Unfinished) -> Results:
    """Returns the runs that are begun, with what the commands of their workdirs say of them.

    Raises:
      UserError: there are none yet.
    """
    begun = unfinished.begun(found)
    if not begun.summary["members"]:
        raise UserError(f"{workdirs[0]}: no epoch of any run is measured yet")
    to_come = len(found.states) - len(begun.summary["members"])
    commands = [one for workdir in workdirs for one in Folder(workdir, {}, dict).commands()]
    known = {**_of_commands(commands), "runs_to_come": to_come}
    return begun._replace(summary={**begun.summary, **known})


def _of_commands(commands: Sequence[Json]) -> Json:
    """Returns what the last command that trained was, and all devices that any was on."""
    if not commands:
        return {"command": None, "device": None, "versions": None}
    devices = "; ".join(dict.fromkeys(one["device"] for one in commands))
    return {**commands[-1], "device": devices}
