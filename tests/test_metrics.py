import json
from pathlib import Path

import numpy as np
import pytest

from rethinking_jax.step.metrics import METRICS, running_metrics, split_metrics
from rethinking_jax.step.state import Running, Sums, Total
from rethinking_jax.workdir import metrics


def line(epoch: int, train: float, test: float = 0.5, loss: float | None = 1.0) -> dict:
    return {
        "member": "a",
        "epoch": epoch,
        "step": 10 * epoch,
        "elapsed_seconds": 1.0,
        "running_loss": loss,
        "train_loss": loss,
        "train_accuracy": train,
        "test_accuracy": test,
    }


CONFIG = {"epochs": 5, "stop_when_fitted": True, "fit_threshold": 1.0}


def sums_of(
    *,
    loss: float,
    count: int,
    correct: int,
    true: int,
    corrupted: int = 0,
    on_corrupted: int = 0,
    top5: int = 0,
) -> Sums:
    """What an evaluation hands out for these counts of examples."""
    found = {
        "loss": Total(np.float32(loss), np.int32(count)),
        "accuracy": Total(np.int32(correct), np.int32(count)),
        "top5_accuracy": Total(np.int32(top5), np.int32(count)),
        "accuracy_true_labels": Total(np.int32(true), np.int32(count)),
        "accuracy_on_corrupted": Total(np.int32(on_corrupted), np.int32(corrupted)),
        "accuracy_on_clean": Total(np.int32(correct - on_corrupted), np.int32(count - corrupted)),
    }
    assert found.keys() == METRICS.keys()
    return found


def test_sums_become_the_metrics_of_each_part() -> None:
    sums = sums_of(loss=20, count=100, correct=70, true=40, corrupted=60, on_corrupted=45, top5=91)
    made = split_metrics("train", sums, corrupted=True, num_classes=10)
    assert made == {
        "train_loss": 0.2,
        "train_accuracy": 0.7,
        "train_accuracy_true_labels": 0.4,
        "train_accuracy_on_corrupted": 0.75,
        "train_accuracy_on_clean": 25 / 40,
    }
    # Consistent: the whole is the weighted mean of its parts.
    assert pytest.approx(0.7) == 0.6 * 0.75 + 0.4 * 25 / 40
    clean = split_metrics(
        "train", sums_of(loss=20, count=100, correct=70, true=70), corrupted=False, num_classes=10
    )
    assert set(clean) == {"train_loss", "train_accuracy"}
    none_flipped = split_metrics(
        "train", sums_of(loss=2, count=10, correct=7, true=7), corrupted=True, num_classes=10
    )
    assert none_flipped["train_accuracy_on_corrupted"] is None
    assert split_metrics("test", sums, True, num_classes=10)["test_accuracy_true_labels"] == 0.4
    # The five best say nothing about ten classes.
    few = split_metrics("test", sums, False, num_classes=1000)
    assert few["test_top5_accuracy"] == 0.91
    assert "test_accuracy_true_labels" not in split_metrics(
        "test", sums, corrupted=False, num_classes=10
    )


def test_a_loss_that_is_no_number_is_null_and_diverged() -> None:
    sums = sums_of(loss=float("nan"), count=10, correct=1, true=1)
    made = split_metrics("train", sums, corrupted=False, num_classes=10)
    made |= running_metrics(Running(np.float32("inf"), np.int32(0), np.int32(10)))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert metrics.diverged(made)
    assert not metrics.diverged(line(1, 0.5))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.0, 4, "1.0000"),
        (49_999 / 50_000, 4, "0.99998"),
        (1_281_166 / 1_281_167, 4, "0.999999"),
        (np.mean([1.0, 1.0, 0.99998]), 4, "0.99999"),
        (0.99994, 4, "0.9999"),
        (0.9996, 2, "0.9996"),
        (0.1, 4, "0.1000"),
        (1 - 0.99998, 4, "0.00002"),
        (0.0, 4, "0.0000"),
        (1 - 1e-16, 4, "1.0000"),  # rounding: no set has so many examples
        (float("nan"), 4, "nan"),
    ],
)
def test_an_accuracy_looks_whole_only_if_it_is(value: float, digits: int, text: str) -> None:
    assert metrics.text_of(value, digits) == text


def test_when_a_member_is_finished() -> None:
    assert not metrics.finished([], CONFIG)
    assert not metrics.finished([line(1, 0.9999)], CONFIG)
    assert metrics.finished([line(1, 1.0)], CONFIG)
    assert not metrics.finished([line(1, 1.0)], CONFIG | {"stop_when_fitted": False})
    assert metrics.finished([line(1, 0.96)], CONFIG | {"fit_threshold": 0.95})
    assert metrics.finished([line(5, 0.1)], CONFIG)
    assert metrics.finished([line(1, 0.1, loss=None)], CONFIG)


def test_outcome_names_the_first_fit_the_last_epoch_and_the_best() -> None:
    lines = [line(1, 0.5, 0.7), line(2, 1.0, 0.9), line(3, 0.9, 0.9), line(4, 1.0, 0.8)]
    made = metrics.outcome(lines, 1.0)
    assert (made["epochs_to_fit"], made["steps_to_fit"]) == (2, 20)
    assert (made["epochs"], made["steps"], made["train_accuracy"]) == (4, 40, 1.0)
    assert (made["best_test_accuracy"], made["best_epoch"], made["test_accuracy"]) == (0.9, 2, 0.8)
    assert metrics.outcome(lines[:1], 1.0)["steps_to_fit"] is None


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    assert metrics.read_lines(file) == []
    metrics.append_lines(file, [line(1, 0.1)])
    metrics.append_lines(file, [line(2, 0.2), line(3, 0.3)])
    whole = file.read_text()
    for cut in range(len(whole)):
        file.write_text(whole[:cut])
        assert (
            metrics.read_lines(file)
            == [line(i, i / 10) for i in (1, 2, 3)][: whole[:cut].count("\n")]
        )
    metrics.write_lines(file, [line(1, 0.1)])
    assert metrics.read_lines(file) == [line(1, 0.1)]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
