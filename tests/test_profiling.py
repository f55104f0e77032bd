"""A trace of some steps: what it contains, and that it changes nothing."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from conftest import Command, read_metrics
from jax.profiler import ProfileData

from rethinking_jax.bench import operations
from rethinking_jax.sweep import profiling
from rethinking_jax.sweep.engine import Pieces, Taken

pytestmark = pytest.mark.usefixtures("no_report")
# 20 steps an epoch.
RUN = (
    "--config=configs/quickstart.py",
    "--config.sweep=",
    "--config.corruption=random_labels",
    "--config.train_examples=640",
    "--config.batch_size=32",
    "--config.epochs=2",
)


def events(folder: Path) -> list[Any]:
    """All events of the one trace in a folder."""
    (file,) = folder.rglob("*.xplane.pb")
    planes = ProfileData.from_file(str(file)).planes
    return [event for plane in planes for line in plane.lines for event in line.events]


def steps(folder: Path) -> list[int]:
    """The step numbers of the annotations."""
    found = [dict(event.stats) for event in events(folder) if event.name == "train"]
    return [stats["step_num"] for stats in found if "step_num" in stats]


@pytest.fixture(scope="module")
def plain(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("plain") / "run"
    result = answer(*RUN, "--config.epoch_loop=step", f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert not (workdir / "profile").exists() and "xprof" not in result.stdout
    return workdir


def test_five_steps_after_compilation_are_traced_and_the_metrics_stay(
    answer: Command, plain: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    options = ("--config.epoch_loop=step", "--config.profile=True", f"--workdir={workdir}")
    result = answer(*RUN, *options)
    assert result.returncode == 0, result.stderr
    assert f"profile of steps 10 to 15: {workdir / 'profile'}" in result.stdout
    assert f"xprof --logdir={workdir / 'profile'}" in result.stdout
    assert steps(workdir / "profile") == [10, 11, 12, 13, 14]
    # The program of a step ran five times, from its first operation to its last.
    ran: dict[int, set[str]] = {}
    for event in events(workdir / "profile"):
        stats = dict(event.stats)
        if stats.get("hlo_module") == "jit_train_many":
            ran.setdefault(stats["run_id"], set()).add(stats["hlo_op"])
    assert len(ran) == 5 and all(each == ran[max(ran)] for each in ran.values())
    assert any("dot" in name for name in ran[max(ran)])
    assert read_metrics(workdir) == read_metrics(plain)
    # The same run, whether it is traced or not.
    again = answer(*RUN, "--config.epoch_loop=step", f"--workdir={workdir}")
    assert (again.returncode, "Complete already" in again.stdout) == (0, True)


def test_of_scanned_epochs_the_second_is_traced(
    answer: Command, plain: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    result = answer(*RUN, "--config.profile=True", f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert "profile of steps 20 to 40:" in result.stdout
    assert steps(workdir / "profile") == [20]
    assert [line["step"] for line in read_metrics(workdir)] == [20, 40]


def test_a_run_that_ends_before_says_that_nothing_is_traced(
    answer: Command, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    result = answer(*RUN, "--config.epochs=1", "--config.profile=True", f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert "config.profile: nothing is traced" in result.stdout
    assert not (workdir / "profile").exists()
    assert json.loads((workdir / "config.json").read_text())["profile"] is True


# The pieces ---------------------------------------------------------------------------


def pieces(ends: list[int], log: list[str]) -> Pieces:
    """Pieces that end at these steps of the epoch, and say when they are closed."""
    try:
        for done in ends:
            yield Taken((None, jnp.zeros(())), done, 0.0)  # type: ignore[arg-type]
    finally:
        log.append("closed")


def test_every_piece_is_handed_on_once_and_epochs_are_closed(tmp_path: Path) -> None:
    log: list[str] = []
    with profiling.step_profile(tmp_path, log.append) as watch:
        # An epoch that ends where the trace would begin, then one that is resumed.
        for start, ends in ((0, list(range(1, 11))), (13, list(range(4, 11))), (20, [1, 2])):
            watched = watch(pieces(ends, log), start, 10)
            assert [taken.done for taken in watched] == ends
    assert steps(tmp_path) == [13, 14, 15, 16, 17]
    assert log[0] == "closed" and log[1].startswith("profile of steps 13 to 18")
    assert log[2:] == ["closed", "closed"]


def test_an_epoch_that_is_left_within_the_trace_ends_it(tmp_path: Path) -> None:
    log: list[str] = []
    with profiling.step_profile(tmp_path, log.append) as watch:
        watched = watch(pieces(list(range(1, 100)), log), 0, 99)
        for taken in watched:
            if taken.done == 12:
                break
        watched.close()
    assert log[0].startswith("profile of steps 10 to 12") and log[1:] == ["closed"]


def test_a_trace_that_is_under_way_already_is_no_reason_to_stop(tmp_path: Path) -> None:
    log: list[str] = []
    with (
        jax.profiler.trace(str(tmp_path / "other")),
        profiling.step_profile(tmp_path / "own", log.append) as watch,
    ):
        watched = watch(pieces(list(range(1, 21)), []), 0, 20)
        assert [taken.done for taken in watched] == list(range(1, 21))
    assert len(log) == 1 and log[0].startswith("config.profile: nothing is traced: ")


# Which operations take the time -----------------------------------------------------------


def test_operations_of_a_trace_are_those_of_the_program(tmp_path: Path) -> None:
    @jax.jit
    def function(x: jax.Array) -> jax.Array:
        with jax.named_scope("large"):
            y = jnp.sort(x, axis=0)
        with jax.named_scope("small"):
            return jnp.cumsum(y[:2])

    x = jnp.ones((300, 300)) * jnp.arange(300)[::-1, None]
    hlo = function.lower(x).compile().as_text()
    function(x).block_until_ready()
    with jax.profiler.trace(str(tmp_path), profiler_options=profiling.trace_options()):
        function(x).block_until_ready()
    found = operations.operations(tmp_path, hlo)
    assert "sort" in found[0].name and "large" in found[0].source
    assert found[0].share > 0.5 and sum(each.share for each in found) == pytest.approx(1)
    assert [each.seconds for each in found] == sorted((e.seconds for e in found), reverse=True)


def test_a_loop_has_the_time_that_its_body_leaves() -> None:
    nested = [(0, 100, "while"), (10, 40, "dot"), (20, 30, "add"), (50, 90, "dot"), (100, 130, "x")]
    own: dict[str, float] = {}
    for name, time in operations._own_times(nested):
        own[name] = own.get(name, 0) + time
    assert own == {"while": 30, "dot": 60, "add": 10, "x": 30}
