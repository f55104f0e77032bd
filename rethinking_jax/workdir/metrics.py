"""The lines of `metrics.jsonl`, one per member and epoch, and what follows from them.

The file is the record of a run. Everything derived (fitted or not, steps to fit, the best
epoch, the summary) is a pure function of its lines, so a resumed run has nothing else to
remember. `rethinking_jax.step.metrics` says what is measured; a report reads lines without JAX.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsFloat, TypeAlias

from rethinking_jax.workdir.storage import AnyPath, append, write_atomically

# One line, as JSON has it: numbers, null and the member's name, and whatever a user measures.
Line: TypeAlias = dict[str, Any]
# What a JSON file holds (a config, a summary): which type a value has only its key says.
Json: TypeAlias = dict[str, Any]

MOST_DIGITS = 9  # of an accuracy as text: no set has more examples than they tell apart
# What every line has: whole numbers, and others.
WHOLE = ("epoch", "step")
REQUIRED = {"member", *WHOLE, "train_loss", "running_loss", "train_accuracy"}


def text_of(accuracy: SupportsFloat, digits: int = 4) -> str:
    """Returns an accuracy or an error, from 0 to 1, as text that looks whole only if it is.

    Where the digits that are asked for would round it to 0 or 1 there are as many more as tell
    it from that: 49,999 of 50,000 is 0.99998.
    """
    value = float(accuracy)
    for count in range(digits, MOST_DIGITS + 1):
        text = f"{value:.{count}f}"
        if float(text) == value or float(text) not in (0.0, 1.0):
            return text
    return f"{value:.{digits}f}"


def judged_on(line: Line) -> str:
    """Returns the split whose accuracy says which epoch is best: "validation" if there is one."""
    return "validation" if "validation_accuracy" in line else "test"


# What follows from the lines of one member ------------------------------------------


def diverged(line: Line) -> bool:
    """Says whether the loss stopped being a number."""
    return line["train_loss"] is None or line["running_loss"] is None


def fitted(line: Line, threshold: float) -> bool:
    """Says whether the network takes the labels of the training set, in eval mode."""
    return bool(line["train_accuracy"] >= threshold)


def finished(lines: Sequence[Line], config: Mapping[str, Any]) -> bool:
    """Says whether a member is through: diverged, fitted where that stops it, or out of epochs."""
    if not lines:
        return False
    last = lines[-1]
    if diverged(last) or last["epoch"] >= config["epochs"]:
        return True
    return bool(config["stop_when_fitted"]) and fitted(last, config["fit_threshold"])


def measured_epochs(config: Mapping[str, Any], last: int) -> list[int]:
    """Returns the epochs up to `last` that are measured, ascending."""
    every, epochs = config["measure_every"], config["epochs"]
    return [epoch for epoch in range(1, last + 1) if epoch % every == 0 or epoch == epochs]


def flaw(
    lines: Sequence[Line], config: Mapping[str, Any], per_epoch: int | None = None
) -> str | None:
    """Says what is wrong with the lines of a member from its first epoch to where they end.

    Args:
      lines: the lines of one member, as they stand in the file.
      config: the resolved config of the member.
      per_epoch: steps of an epoch; None: what the first line says.

    Returns:
      None where each measured epoch has just one line, in order, and none comes after the end.
    """
    per_epoch = per_epoch or (lines[0]["step"] // max(lines[0]["epoch"], 1) if lines else 1)
    for place, line in enumerate(lines):
        name, found = line["member"], line["epoch"]
        epoch = min((place + 1) * config["measure_every"], config["epochs"])
        if finished(lines[max(place - 1, 0) : place], config):
            return f"a line of {name} for epoch {found} after its end"
        if found != epoch:
            return f"epoch {found} of {name} where epoch {epoch} belongs"
        if line["step"] != found * per_epoch:
            return f"step {line['step']} of {name} in epoch {found} of {per_epoch} steps each"
    return None


def outcome(lines: Sequence[Line], threshold: float) -> Line:
    """Says what a member came to: its final metrics, when it fitted, its best epoch.

    Returns:
      Keys epochs, steps, epochs_to_fit and steps_to_fit (None where it never fitted),
      diverged, best_test_accuracy, best_epoch (best_test_top5_accuracy, of any epoch, where
      that is measured), and the metrics of its last epoch. Where there is a validation set
      its accuracy says which is best: best_validation_accuracy.
    """
    last = lines[-1]
    first_fit = next((line for line in lines if fitted(line, threshold)), None)
    split = judged_on(last)
    best = max(lines, key=lambda line: line[f"{split}_accuracy"])
    skipped = ("member", "epoch", "step", "elapsed_seconds")
    key = f"{split}_top5_accuracy"
    top5 = [line[key] for line in lines if key in line]
    return {
        "epochs": last["epoch"],
        "steps": last["step"],
        "epochs_to_fit": first_fit and first_fit["epoch"],
        "steps_to_fit": first_fit and first_fit["step"],
        "diverged": diverged(last),
        f"best_{split}_accuracy": best[f"{split}_accuracy"],
        "best_epoch": best["epoch"],
        **({f"best_{key}": max(top5)} if top5 else {}),
        **{key: value for key, value in last.items() if key not in skipped},
    }


def by_member(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Sorts lines by their member; those of each stay in order."""
    result: dict[str, list[Line]] = {}
    for line in lines:
        result.setdefault(line["member"], []).append(line)
    return result


# The file -------------------------------------------------------------------------


def read_lines(path: AnyPath) -> list[Line]:
    """Reads the whole lines of a metrics file; [] where there is none.

    What is no line of ours, such as what a crash has cut off, is left out, and so is a line
    that stands there a second time.
    """
    if not path.exists():
        return []
    texts = dict.fromkeys(path.read_bytes().split(b"\n")[:-1])
    return [line for line in map(_parsed, texts) if line is not None]


def unread(path: AnyPath) -> int:
    """Counts the ends of lines that `read_lines` leaves out: 0 in a file that nothing befell."""
    return path.read_bytes().count(b"\n") - len(read_lines(path)) if path.exists() else 0


def mend(path: AnyPath, own: Sequence[Line]) -> None:
    """Takes everything out of a metrics file but some of its lines."""
    if unread(path) or len(own) < len(read_lines(path)):
        write_lines(path, own)


def _parsed(text: bytes) -> Line | None:
    """Returns a line of ours; None where a text is anything else."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):  # bytes that are no UTF-8, or no JSON
        return None
    if not isinstance(line, dict) or not (line.keys() >= REQUIRED):
        return None
    accuracies = line["train_accuracy"], line.get(f"{judged_on(line)}_accuracy")
    numbers = [value for key, value in line.items() if key != "member"]
    right = (
        isinstance(line["member"], str)
        and all(type(line[key]) is int for key in WHOLE)
        and all(map(_is_number, accuracies))
        and all(value is None or _is_number(value) for value in numbers)
    )
    return line if right else None


def _is_number(value: object) -> bool:
    """Says whether a value is one that we write: finite, as a float too."""
    return isinstance(value, float | int) and abs(value) <= sys.float_info.max


def append_lines(path: AnyPath, lines: Iterable[Line]) -> None:
    """Adds lines and waits until the disk has them: a checkpoint may rely on it."""
    append(path, "".join(json.dumps(line) + "\n" for line in lines))


def write_lines(path: AnyPath, lines: Iterable[Line]) -> None:
    """Replaces the file by these lines, at once or not at all."""
    write_atomically(path, "".join(json.dumps(line) + "\n" for line in lines))
