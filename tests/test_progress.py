"""What is shown while runs train, by a clock that the tests turn."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rethinking_jax import config, experiment
from rethinking_jax.sweep import progress, remaining
from rethinking_jax.sweep.progress import ProgressReport, SoFar
from rethinking_jax.sweep.remaining import Ahead, Paces


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


def runs(epochs: float = 10.0, kind: str = "mlp", **changes: float) -> Ahead:
    return Ahead(kind, 1, 1.0, epochs, False)._replace(**changes)


def line(epoch: int, accuracy: float = 0.5) -> dict:
    return {"epoch": epoch, "train_accuracy": accuracy, "images_per_second": 10.0}


def test_a_long_epoch_prints_a_line_a_minute_and_asks_no_sooner(clock: Clock) -> None:
    shown, lines = report()
    asked = []

    def so_far() -> SoFar:
        asked.append(clock.now)
        return SoFar(2345.6, [0.0125])

    with shown.showing("run", 250, runs(247.0)):
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
    with shown.showing("runs", 10, runs(10.0)):
        for accuracies in ([0.5, 0.25, 0.75], []):
            clock.now += 61
            shown.batch(0.5, lambda accuracies=accuracies: SoFar(100, accuracies))
    assert "running accuracy 0.2500 to 0.7500 (3 runs)  100 images/s" in lines()[0]
    assert "accuracy" not in lines()[1]


def test_measuring_says_so_once_a_minute(clock: Clock) -> None:
    shown, lines = report()
    with shown.showing("run", 250, runs(248.0)):
        for k in range(100):
            clock.now += 1.5
            shown.measuring("train", k / 100)
        shown.batch(3.0)
        assert lines() == [
            "run: epoch 2/250  measuring train 40%",
            "run: epoch 2/250  measuring train 81%",
        ]
        shown.epoch([line(3)])
        assert "epoch 3/250  train accuracy 0.5000  10 images/s" in lines()[2]


def test_a_terminal_gets_no_lines_but_the_live_one_says_what_it_does(clock: Clock) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=200)
    shown = ProgressReport(console)
    with shown.showing("run", 250, runs(250.0)):
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


# How much is left ---------------------------------------------------------------------

SECONDS = st.floats(0.001, 10_000)
EPOCHS = st.integers(1, 300)


def paced(own: Ahead, *epochs: float, paces: Paces | None = None) -> Paces:
    """What is known after a chunk whose epochs took so long."""
    paces = paces or {}
    for i, seconds in enumerate(epochs):
        paces = remaining.measured(paces, own, seconds, first=i == 0)
    return paces


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.tuples(SECONDS, st.lists(EPOCHS, max_size=4)), min_size=1, max_size=4), EPOCHS)
def test_of_epochs_that_always_take_the_same_time_the_rest_is_their_sum(
    kinds: list[tuple[float, list[int]]], compiling: int
) -> None:
    """Whatever the first epoch took besides, and however many runs of each kind are to come."""
    paces: Paces = {}
    for i, (seconds, _) in enumerate(kinds):
        own = runs(kind=f"{i}", work=seconds * 7)
        paces = paced(own, seconds + compiling, seconds, seconds, paces=paces)
    ahead = [runs(epochs, f"{i}") for i, (_, many) in enumerate(kinds) for epochs in many]
    found = remaining.left(ahead, paces)
    assert found is not None and not found.at_most and not found.compared
    assert found.seconds == pytest.approx(
        sum(seconds * epochs for seconds, many in kinds for epochs in many)
    )
    # What was never measured takes as much longer than the last as there is more to compute.
    last, more = kinds[-1][0], runs(3.0, "new", work=2.5 * 7 * kinds[-1][0], members=4)
    compared = remaining.left([*ahead, more], paces)
    assert compared is not None and compared.compared
    assert compared.seconds == pytest.approx(found.seconds + 3 * 4 * 2.5 * last)


@settings(derandomize=True, database=None, deadline=None)
@given(SECONDS, SECONDS, st.integers(2, 50))
def test_a_change_of_speed_is_followed_within_a_few_epochs(
    before: float, after: float, many: int
) -> None:
    known = paced(runs(), *[before] * many)
    for count in range(1, remaining.LAST + 1):
        known = remaining.measured(known, runs(), after, first=False)
        found = remaining.left([runs(1.0)], known)
        assert found is not None
        share = count / min(remaining.LAST, many - 1 + count)
        assert found.seconds == pytest.approx(before + share * (after - before))
    assert found.seconds == pytest.approx(after)


def test_it_says_at_most_where_less_is_likely_and_about_where_it_is_judged() -> None:
    def said(ahead: Ahead, paces: Paces) -> str:
        found = remaining.left([ahead], paces)
        return remaining.told(found) if found else ""

    known = paced(runs(), 9.0, 2.0)
    assert said(runs(), {}) == ""
    assert said(runs(), known) == "about 0:00:20 left"
    assert said(runs(1900.5), known) == "about 1:03:21 left"
    assert said(runs(may_stop=True), known) == "at most 0:00:20 left"
    assert said(runs(work=3.0, kind="other", may_stop=True), known) == "at most about 0:01:00 left"
    # The first epoch was compiled, too.
    assert said(runs(), paced(runs(), 9.0)) == "at most 0:01:30 left"
    # A number of runs that is new is compiled anew; two chunks of an epoch each are two first ones.
    assert said(runs(members=2), paced(runs(members=2), 8.0, paces=known)) == "at most 0:01:20 left"
    assert said(runs(), paced(runs(), 3.0, paces=paced(runs(), 9.0))) == "at most 0:00:30 left"
    assert said(runs(), paced(runs(), 9.0, paces=known)) == "about 0:00:20 left"


def test_a_sweep_counts_the_runs_to_come_and_shows_the_last_epoch_once(clock: Clock) -> None:
    """Epochs of 10 s with all that belongs to them; the first one of all takes a minute."""
    shown, lines = report()
    for i, later in enumerate(([runs(4.0), runs(3.0, "cnn", work=5.0)], [runs(4.0)], [])):
        with shown.showing(f"run {i + 1} of 3", 4, runs(4.0), later):
            for epoch in range(1, 5):
                clock.now += 60.0 if clock.now == 0 else 10.0
                shown.epoch([line(epoch)])
    texts = [text.split("images/s")[1].strip() for text in lines()]
    assert texts[:4] == [
        "at most 0:03:00 left, at most about 0:22:00 left in all",
        "about 0:00:20 left, about 0:03:30 left in all",
        "about 0:00:10 left, about 0:03:20 left in all",
        "",
    ]
    assert texts[4:] == [
        "about 0:00:30 left, about 0:01:10 left in all",
        "about 0:00:20 left, about 0:01:00 left in all",
        "about 0:00:10 left, about 0:00:50 left in all",
        "",
        "about 0:00:30 left",
        "about 0:00:20 left",
        "about 0:00:10 left",
        "",
    ]
    assert [text.split(":")[0] for text in lines()] == [
        f"run {i}" + " of 3" for i in (1, 2, 3) for _ in range(4)
    ]


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(("pause", "epochs"), [(10.0, 10), (0.1, 10), (10.0, 7)])
def test_the_last_epoch_has_one_line_however_a_run_ends(
    pause: float, epochs: int, terminal: bool, clock: Clock
) -> None:
    """With time between epochs and without, out of epochs and fitted before; on a terminal, too."""
    file = io.StringIO()
    shown = ProgressReport(Console(file=file, force_terminal=terminal, width=200))
    with shown.showing("run", 10, runs()):
        for epoch in range(1, epochs + 1):
            clock.now += pause
            shown.epoch([line(epoch)])
    last = f"run: epoch {epochs}/10  train accuracy 0.5000  10 images/s"
    assert file.getvalue().count(last) == 1
    if terminal:  # the live line is cleared before
        assert file.getvalue().endswith(f"\r\x1b[2K\x1b[?25h{last}\n")
    else:
        assert file.getvalue().splitlines()[-1].startswith(last)
