"""One run over several devices and processes: the same numbers as on one."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import chex
import jax
import numpy as np
import pytest
from conftest import Command, read_metrics, read_summary
from helpers.processes import free_port
from helpers.steps import SHAPE, TinyConvNet, hyper, members, no_sums, plain, train_examples

from rethinking_jax.step.objective import Objective
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.state import Examples, Running, TrainState
from rethinking_jax.step.train import make_steps
from rethinking_jax.sweep.mesh import make_mesh, own_rows, share, share_out, spread
from rethinking_jax.sweep.program import make_program
from rethinking_jax.workdir.checkpoint import saved_steps
from rethinking_jax.workdir.owner import owned

pytestmark = pytest.mark.usefixtures("no_report", "one_engine")
# Half of the labels redrawn, batches that two and four devices can share, no stop.
RUN = (
    "--config=configs/quickstart.py",
    "--config.sweep=",
    "--config.corruption=partially_corrupted_labels",
    "--config.train_examples=640",
    "--config.batch_size=64",
    "--config.epochs=3",
    "--config.stop_when_fitted=False",
    "--config.lr_decay_steps=390",
)
LOSSES = ("running_loss", "train_loss", "test_loss")


def train(places: int, data: int, accumulate: int = 1) -> tuple[TrainState, Running, list[float]]:
    """Twenty steps of two members with batch norm: state, sums, and the loss after each step."""
    steps = make_steps(
        TinyConvNet(),
        make_optimizer("sgd", 0.95, 10, "all"),
        plain,
        SHAPE,
        Objective(accumulate=accumulate),
    )
    mesh = make_mesh(jax.devices(), places, data)
    program = make_program(
        steps,
        train_size=160,
        image_shape=SHAPE,
        batch_size=8,
        eval_batch_size=24,
        scan=False,
        mesh=mesh,
    )
    state = spread(program.init(members([hyper(0, 0.05), hyper(1, 0.02)])), mesh)
    given = train_examples(160, 2)
    own = Examples(
        share(given.images, mesh),
        spread(given.labels, mesh),
        share(given.true_labels, mesh),
        share(given.ids, mesh),
    )
    running, losses = spread(no_sums(2), mesh), []
    order = program.order(state.hyper.seed, np.int32(0))
    for k in range(20):
        state, running = program.train_batches(state, running, own, order, np.int32(k), count=1)
        losses.append(np.asarray(running.loss))
    evaluated = program.evaluate(state, own)
    return jax.device_get((state, evaluated, losses))


@pytest.fixture(scope="module")
def on_one_device() -> tuple[TrainState, Running, list[float]]:
    return train(1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("places", "data"), [(1, 4), (1, 8), (2, 4), (2, 2)])
def test_devices_that_share_batches_compute_what_one_does(
    places: int, data: int, on_one_device: tuple
) -> None:
    """Gradients, batch statistics (of the global batch) and sums, over 20 steps."""
    state, evaluated, losses = train(places, data)
    alone, alone_evaluated, alone_losses = on_one_device
    np.testing.assert_allclose(losses, alone_losses, rtol=2e-5)
    chex.assert_trees_all_close(state.batch_stats, alone.batch_stats, rtol=2e-4, atol=1e-5)
    chex.assert_trees_all_close(state.params, alone.params, rtol=2e-3, atol=1e-4)
    assert (evaluated["loss"].count == 160).all()
    np.testing.assert_allclose(evaluated["loss"].sum, alone_evaluated["loss"].sum, rtol=1e-4)


@pytest.mark.slow
def test_micro_batches_on_devices_that_share_them(on_one_device: tuple) -> None:
    """Two devices and one take the same micro-batches, and their norm sees each alone."""
    shared, alone = train(1, 2, accumulate=2), train(1, 1, accumulate=2)
    np.testing.assert_allclose(shared[2], alone[2], rtol=2e-5)
    assert not np.allclose(alone[2], on_one_device[2], rtol=1e-3)


def test_a_batch_is_parted_in_its_order() -> None:
    mesh = make_mesh(jax.devices(), 1, 4)
    rows = np.arange(24, dtype=np.uint8).reshape(8, 3)
    assert own_rows(8, mesh) == slice(0, 8)  # this process has all devices
    parted = share_out(rows, 8, mesh)
    held = [np.asarray(shard.data) for shard in parted.addressable_shards]
    np.testing.assert_array_equal(np.concatenate(held), rows)
    assert {part.shape for part in held} == {(2, 3)}


# The command ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In memory, on one device."""
    workdir = tmp_path_factory.mktemp("parallel") / "reference"
    result = answer(*RUN, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return workdir


def assert_same_numbers(workdir: Path, reference: Path) -> None:
    """Losses within float32 rounding, counts exactly but for what rounding may tip."""
    lines, expected = read_metrics(workdir), read_metrics(reference)
    assert [line["step"] for line in lines] == [line["step"] for line in expected]
    for line, other in zip(lines, expected, strict=True):
        for key in LOSSES:
            assert line[key] == pytest.approx(other[key], rel=1e-4), key
        for key in ("running_accuracy", "train_accuracy", "test_accuracy"):
            assert line[key] == pytest.approx(other[key], abs=0.005), key
    digests = [
        read_summary(folder)["members"][0]["labels_sha256"] for folder in (workdir, reference)
    ]
    assert digests[0] == digests[1]


def with_devices(environment: dict[str, str], count: int) -> dict[str, str]:
    flags = f"{environment['XLA_FLAGS']} --xla_force_host_platform_device_count={count}"
    return {**environment, "XLA_FLAGS": flags}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [
    ("--config.data_devices=4",),
    ("--config.input=stream",),
    ("--config.input=stream", "--config.eval_batch_size=77", "--config.read_threads=3"),
])  # fmt: skip
def test_four_devices_equal_one(
    changes: tuple[str, ...], reference: Path, answer: Command, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    result = answer(*RUN, *changes, f"--workdir={workdir}", devices=4)
    assert result.returncode == 0, result.stderr
    assert "4 x CPU" in result.stdout
    assert_same_numbers(workdir, reference)


@pytest.mark.slow
def test_a_run_moves_between_devices_and_from_memory_to_a_stream(
    reference: Path, command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    """Stopped in mid-epoch on 4 devices; resumed on 1 for an epoch, then on 8."""
    workdir = tmp_path / "run"
    everywhere = (*RUN, "--config.checkpoint_every_steps=7", f"--workdir={workdir}")
    for devices, changes, lines in ((4, ("--config.input=stream",), 1), (1, (), 2)):
        process = subprocess.Popen(
            [sys.executable, "-m", "rethinking_jax.main", *everywhere, *changes],
            env=with_devices(environment, devices),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda lines=lines: written(workdir) >= lines, [process])
        process.kill()
        process.communicate()
    result = command(*everywhere, "--config.data_devices=8", env=with_devices(environment, 8))
    assert result.returncode == 0, result.stderr
    assert "resuming from step" in result.stdout or "Complete already" in result.stdout
    assert_same_numbers(workdir, reference)


def written(workdir: Path) -> int:
    file = workdir / "metrics.jsonl"
    return file.read_text().count("\n") if file.exists() else 0


def wait_for(
    condition: object, processes: list[subprocess.Popen[str]], seconds: float = 120
) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        if any(process.poll() not in (None, 0) for process in processes):
            pytest.fail(str([process.communicate() for process in processes]))
        time.sleep(0.02)


@pytest.mark.parametrize(("changes", "said"), [
    (("--config.data_devices=3",), "multiple of 3"),
    (("--config.data_devices=5",), "more than the 4 devices"),
    (("--config.accumulate=3",), "multiple of 3"),
    (("--config.input=stream", "--config.train_examples=641"), "--config.last_batch=drop"),
    (("--config.input=stream", "--config.batch_size=30"), "multiple of 4"),
    (("--config.input=stream", "--config.train_examples=-1"), "train_examples"),
])  # fmt: skip
def test_batches_that_cannot_be_parted_are_refused(
    changes: tuple[str, ...], said: str, answer: Command, tmp_path: Path
) -> None:
    arguments = (*RUN, *changes, f"--workdir={tmp_path / 'run'}")
    result = answer(*arguments, devices=4)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


# Several processes ----------------------------------------------------------------------


def start(environment: dict[str, str], workdir: Path, *changes: str) -> list[subprocess.Popen[str]]:
    """The same command twice, two devices each."""
    port = free_port()
    words = [sys.executable, "-m", "rethinking_jax.main", *RUN, *changes, f"--workdir={workdir}"]
    ranks = [
        [f"--coordinator_address=127.0.0.1:{port}", "--num_processes=2", f"--process_id={rank}"]
        for rank in range(2)
    ]
    return [
        subprocess.Popen(
            [*words, *rank],
            env=with_devices(environment, 2),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ranks
    ]


SWEEP = '[{"seed": 0}, {"seed": 1}, {"seed": 2}]'


@pytest.mark.parametrize("kind", ["memory", pytest.param("stream", marks=pytest.mark.slow)])
def test_two_processes_equal_one(
    kind: str, reference: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    processes = start(environment, tmp_path / "run", f"--config.input={kind}")
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert "4 x CPU" in ends[0][0]
    # Gloo's threads write over one another, which may leave an empty line.
    spoken = [line for line in ends[1][0].splitlines() if not re.search("Gloo|peer ranks", line)]
    assert not any(spoken)  # the first speaks for both
    assert_same_numbers(tmp_path / "run", reference)


@pytest.mark.slow
def test_both_processes_are_refused_where_another_command_works(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with owned(tmp_path, "python -m the.first", print):
        processes = start(environment, tmp_path)
        ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [2, 2], ends
    for rank, (_, stderr) in enumerate(ends):
        (line,) = [line for line in stderr.splitlines() if "rethinking_jax: " in line]
        assert f"process {rank} of 2: --workdir={tmp_path}: another command works there" in line
        assert "python -m the.first" in line


@pytest.mark.slow
def test_a_sweep_over_two_processes_equals_one_process(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    """Three members on four devices of two processes: one of them trains a copy."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    result = command(*RUN, f"--config.sweep={SWEEP}", f"--workdir={alone}")
    assert result.returncode == 0, result.stderr
    processes = start(environment, together, f"--config.sweep={SWEEP}")
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    by_name = [
        {(line["member"], line["epoch"]): line for line in read_metrics(folder)}
        for folder in (alone, together)
    ]
    assert by_name[0].keys() == by_name[1].keys()
    for key, line in by_name[0].items():
        for loss in LOSSES:
            assert by_name[1][key][loss] == pytest.approx(line[loss], rel=1e-4)


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_at_the_same_step(
    reference: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    processes = start(environment, workdir, "--config.input=stream")
    wait_for(lambda: written(workdir) >= 1, processes)
    processes[1].send_signal(signal.SIGTERM)
    ends = [process.communicate(timeout=60) for process in processes]
    if [process.returncode for process in processes] != [0, 0]:  # the signal came before the end
        assert [process.returncode for process in processes] == [1, 1], ends
        folder = workdir / "checkpoints" / "partially_corrupted_labels"
        last = folder / str(saved_steps(folder)[-1])
        for _, stderr in ends:
            assert f"saved {last}; to go on" in stderr
    processes = start(environment, workdir, "--config.input=stream")
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert_same_numbers(workdir, reference)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_is_killed_ends_the_other_and_both_resume(
    victim: int, reference: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    longer = ("--config.input=stream", "--config.checkpoint_every_steps=7")
    processes = start(environment, workdir, *longer)
    wait_for(lambda: written(workdir) >= 1, processes)
    os.kill(processes[victim].pid, signal.SIGKILL)
    killed = time.monotonic()
    survivor = processes[1 - victim]
    stderr = survivor.communicate(timeout=90)[1]
    assert time.monotonic() - killed < 60
    processes[victim].communicate()
    if survivor.returncode:  # else it had just ended its work
        assert "another process is gone" in stderr.strip().split("\n")[-1]
    processes = start(environment, workdir, *longer)
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert_same_numbers(workdir, reference)
    assert json.loads((workdir / "summary.json").read_text())["members"][0]["epochs"] == 3
