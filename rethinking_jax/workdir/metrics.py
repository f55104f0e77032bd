"""What is measured, one line per member and epoch, and what follows from the lines.

`metrics.jsonl` is the record of a run. Everything derived (fitted or not, steps to
fit, the best epoch, the summary) is a pure function of its lines, so a resumed run
has nothing else to remember.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rethinking_jax.workdir.storage import AnyPath, append, write_atomically

if TYPE_CHECKING:  # a report reads metrics without JAX
    from rethinking_jax.step.state import Running, Sums

Line = dict[str, Any]
# What a JSON file holds (a config, a summary): which type a value has only its key says.
Json = dict[str, Any]

# Data sets with this many classes are measured by top-5 accuracy too.
TOP5_CLASSES = 100


def running_metrics(running: "Running") -> Line:
    """Means over the mini-batches since the last line, each with the model of its moment.

    Args:
      running: of one member, NumPy scalars.
    """
    count = int(running.count)
    line = {
        "running_loss": _finite(float(running.loss) / count),
        "running_accuracy": int(running.correct) / count,
    }
    if running.gradient_norm is not None:
        line["gradient_norm"] = _finite(float(running.gradient_norm) / count)
    return line


def train_metrics(sums: "Sums", corrupted: bool, num_classes: int) -> Line:
    """The fixed model on the training set, or on `count` images of it, as the run sees it.

    Args:
      sums: of one member, NumPy scalars.
      corrupted: whether labels are corrupted; if so the accuracy against the true
        labels and the accuracy on the corrupted and on the clean part are there too
        (None where a part is empty).
      num_classes: from 100 on, top-5 accuracy is there too.
    """
    count = int(sums.count)
    line = _accuracy("train", sums, num_classes)
    if corrupted:
        wrong = int(sums.corrupted)
        on_corrupted = int(sums.correct_on_corrupted)
        line |= {
            "train_accuracy_true_labels": int(sums.correct_true) / count,
            "train_accuracy_on_corrupted": _ratio(on_corrupted, wrong),
            "train_accuracy_on_clean": _ratio(int(sums.correct) - on_corrupted, count - wrong),
        }
    return line


def held_out_metrics(split: str, sums: "Sums", corrupted: bool, num_classes: int) -> Line:
    """The fixed model on the test set or another that is not trained on.

    Args:
      split: its name, which the keys begin with.
      sums: of one member, NumPy scalars.
      corrupted: whether its labels are; if so the accuracy on the true ones is there too.
      num_classes: from 100 on, top-5 accuracy is there too.
    """
    line = _accuracy(split, sums, num_classes)
    if corrupted:
        line[f"{split}_accuracy_true_labels"] = int(sums.correct_true) / int(sums.count)
    return line


def judged_on(line: Mapping[str, Any]) -> str:
    """The split whose accuracy says which epoch is the best: "validation" where there is one."""
    return "validation" if "validation_accuracy" in line else "test"


def _accuracy(split: str, sums: "Sums", num_classes: int) -> Line:
    count = int(sums.count)
    line = {
        f"{split}_loss": _finite(float(sums.loss) / count),
        f"{split}_accuracy": int(sums.correct) / count,
    }
    if num_classes >= TOP5_CLASSES:
        line[f"{split}_top5_accuracy"] = int(sums.correct_top5) / count
    return line


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _finite(value: float) -> float | None:
    # JSON has no NaN; null says "not a number" to every reader.
    return value if math.isfinite(value) else None


# What follows from the lines of one member ------------------------------------------


def diverged(line: Line) -> bool:
    """Whether the loss stopped being a number."""
    return line["train_loss"] is None or line["running_loss"] is None


def fitted(line: Line, threshold: float) -> bool:
    """Whether the network takes the labels of the training set, in eval mode."""
    return bool(line["train_accuracy"] >= threshold)


def finished(lines: Sequence[Line], config: Mapping[str, Any]) -> bool:
    """Whether a member is through: diverged, fitted (where that stops it), or out of epochs."""
    if not lines:
        return False
    last = lines[-1]
    if diverged(last) or last["epoch"] >= config["epochs"]:
        return True
    return bool(config["stop_when_fitted"]) and fitted(last, config["fit_threshold"])


def outcome(lines: Sequence[Line], threshold: float) -> dict[str, Any]:
    """What a member came to: its final metrics, when it fitted, its best epoch.

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
    """The lines of each member, in order."""
    result: dict[str, list[Line]] = {}
    for line in lines:
        result.setdefault(line["member"], []).append(line)
    return result


# The file -------------------------------------------------------------------------


def read_lines(path: AnyPath) -> list[Line]:
    """The complete lines of a metrics file; [] where there is none.

    What follows a line cut off by a crash was never acknowledged and is left out.
    """
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().split("\n")[:-1]:
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def append_lines(path: AnyPath, lines: Iterable[Line]) -> None:
    """Adds lines and waits until the disk has them: a checkpoint may rely on it."""
    append(path, "".join(json.dumps(line) + "\n" for line in lines))


def write_lines(path: AnyPath, lines: Iterable[Line]) -> None:
    """Replaces the file by these lines, at once or not at all."""
    write_atomically(path, "".join(json.dumps(line) + "\n" for line in lines))
