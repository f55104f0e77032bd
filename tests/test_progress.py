"""What is shown while runs train, by a clock that the tests turn."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from rethinking_jax import config, experiment
from rethinking_jax.sweep import progress
from rethinking_jax.sweep.progress import ProgressReport, SoFar


class Clock:
    """Of a test."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    found = Clock()
    monkeypatch.setattr(time, "monotonic", found)
    yield found


def report() -> tuple[ProgressReport, Callable[[], list[str]]]:
    """On a file that is no terminal, and its lines so far."""
    file = io.StringIO()
    console = Console(file=file, width=200)
    return ProgressReport(console), lambda: file.getvalue().splitlines()


def test_a_long_epoch_prints_a_line_a_minute_and_asks_no_sooner(clock: Clock) -> None:
    shown, lines = report()
    asked = []

    def so_far() -> SoFar:
        asked.append(clock.now)
        return SoFar(2345.6, [0.0125])

    with shown.showing("run", 250, 3.0):
        for second in range(0, 150, 5):
            clock.now = float(second)
            shown.batch(3 + second / 250, so_far)
        assert asked == [65, 130]
        # 0.26 epochs in 65 s; 246.74 are left.
        left = int(65 / 0.26 * 246.74)
        assert lines()[0] == (
            "run: epoch 3.26/250  running accuracy 0.0125  2,346 images/s  at most "
            f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
        )
        assert lines()[1].startswith("run: epoch 3.52/250  ") and len(lines()) == 2


def test_several_runs_show_their_range_and_what_is_not_known_is_left_out(clock: Clock) -> None:
    shown, lines = report()
    with shown.showing("runs", 10, 0.0):
        for accuracies in ([0.5, 0.25, 0.75], []):
            clock.now += 61
            shown.batch(0.5, lambda accuracies=accuracies: SoFar(100, accuracies))
    assert "running accuracy 0.2500 to 0.7500 (3 runs)  100 images/s" in lines()[0]
    assert "accuracy" not in lines()[1]


def test_measuring_says_so_once_a_minute(clock: Clock) -> None:
    shown, lines = report()
    line = {"epoch": 3, "train_accuracy": 0.5, "images_per_second": 10.0}
    with shown.showing("run", 250, 2.0):
        for k in range(100):
            clock.now += 1.5
            shown.measuring("train", k / 100)
        shown.batch(3.0)
        assert lines() == [
            "run: epoch 2/250  measuring train 40%",
            "run: epoch 2/250  measuring train 81%",
        ]
        shown.epoch([line])
        assert "epoch 3/250  train accuracy 0.5000  10 images/s" in lines()[2]


def test_a_terminal_gets_no_lines_but_the_live_one_says_what_it_does(clock: Clock) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=200)
    shown = ProgressReport(console)
    with shown.showing("run", 250, 0.0):
        clock.now = 61
        shown.batch(0.25, lambda: SoFar(500, [0.125]))
        (task,) = shown._bars.tasks
        assert task.fields["text"].startswith("epoch 0.25/250  running accuracy 0.1250  500")
        clock.now = 200
        shown.measuring("test", 0.5)
        assert task.fields["text"].endswith("measuring test 50%")


def test_a_run_reports_the_accuracy_and_the_speed_of_the_epoch_under_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every step is due: the last line of an epoch agrees with its metrics."""
    monkeypatch.setattr(progress, "SECONDS_WITHIN_EPOCH", -1.0)
    file = io.StringIO()
    chosen = config.base_config()
    chosen.train_examples, chosen.batch_size, chosen.epochs = 330, 64, 1
    chosen.epoch_loop, chosen.checkpoint_every = "step", 0
    summary = experiment.run(chosen, tmp_path, console=Console(file=file, width=200))
    shown = file.getvalue().splitlines()
    within = [line for line in shown if "running accuracy" in line]
    steps = [line.split("epoch ")[1].split("/")[0] for line in within]
    assert steps == ["0.17", "0.33", "0.50", "0.67", "0.83", "1.00"]
    (member,) = summary["members"]
    assert f"running accuracy {member['running_accuracy']:.4f}  " in within[-1]
    speed = float(within[-1].split("  ")[2].split(" ")[0].replace(",", ""))
    assert speed == pytest.approx(member["images_per_second"], rel=0.2)
    assert sum("measuring train 0%" in line for line in shown) == 1
    assert sum("measuring test 0%" in line for line in shown) == 1
