"""Several processes: who is who, a sum over all of them, and how each ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, Command
from helpers.processes import free_port

from rethinking_jax.errors import UserError
from rethinking_jax.host import distributed
from rethinking_jax.host.distributed import Meeting, find_meeting

PSUM = str(Path(__file__).parent / "psum.py")
STEP = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1"}
SKY = {
    "SKYPILOT_NUM_NODES": "2",
    "SKYPILOT_NODE_RANK": "1",
    "SKYPILOT_NODE_IPS": "10.0.0.4\n10.0.0.7",
}
TPU = {"TPU_ML_PLATFORM": "JAX"}
MPI = {
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "1",
}
JAX = {
    "JAX_COORDINATOR_ADDRESS": "host0:99",
    "JAX_NUM_PROCESSES": "3",
    "JAX_PROCESS_ID": "2",
}
PORT_8476 = (("JAX_COORDINATOR_PORT", "8476"),)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        # A batch script, or a shell of salloc: SLURM_NTASKS is there, a step is not.
        STEP,
        {**STEP, "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"},
        {**SKY, "SKYPILOT_NUM_NODES": "1"},
        {"OMPI_COMM_WORLD_SIZE": "1"},
        {**TPU, "TPU_WORKER_HOSTNAMES": "localhost"},
        {**TPU, "TPU_SKIP_MDS_QUERY": "1"},
        {**TPU, "TPU_WORKER_HOSTNAMES": "a,b", "JAX_PLATFORMS": "cpu"},
        {"TPU_WORKER_HOSTNAMES": "a,b"},  # jax found no TPU here
    ],
    ids=str,
)
def test_a_process_alone_waits_for_nobody(environ: dict[str, str]) -> None:
    assert find_meeting(environ) is None


def test_flags_come_before_variables_and_variables_before_the_cluster() -> None:
    by_flags = Meeting("the flags", "deactivate", "[::1]:8000", 2, 0)
    assert find_meeting({**JAX, **SKY}, "[::1]:8000", 2, 0) == by_flags
    by_variables = Meeting("the environment", "deactivate", "host0:99", 3, 2)
    assert find_meeting({**JAX, **SKY}) == by_variables


def test_clusters() -> None:
    assert find_meeting(SKY) == Meeting("SkyPilot", "deactivate", "10.0.0.4:8476", 2, 1)
    pod = find_meeting({**TPU, **SKY})  # a TPU slice that SkyPilot made: jax knows its hosts
    assert pod == Meeting("Cloud TPU", environment=PORT_8476)
    gke = find_meeting({**TPU, "TPU_WORKER_HOSTNAMES": "a,b"})
    assert gke == Meeting("Cloud TPU", "gketpu", environment=PORT_8476)
    slices = find_meeting({**TPU, "TPU_WORKER_HOSTNAMES": "a", "MEGASCALE_NUM_SLICES": "2"})
    assert slices == gke
    assert find_meeting({**TPU, "JAX_COORDINATOR_PORT": "7"}) == Meeting("Cloud TPU")


@pytest.mark.parametrize(
    ("nodes", "visible", "devices"),
    [
        ("4", "0,1,2,3", ()),  # one task for a host with four GPUs: all of them
        ("4", None, ()),
        ("1", "0,1,2,3", None),  # four tasks on it: one each, as jax does
        ("1", "2", ()),  # the cluster shows each task its own only, which is its number 0
        ("1", None, None),
    ],
)
def test_gpus_of_a_task(nodes: str, visible: str | None, devices: tuple[int, ...] | None) -> None:
    shown = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    step = {**STEP, **shown, "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": nodes}
    assert find_meeting(step) == Meeting("SLURM", "slurm", local_device_ids=devices)
    own = find_meeting({**step, "JAX_LOCAL_DEVICE_IDS": "1"})
    assert own == Meeting("SLURM", "slurm", local_device_ids=None)


def test_open_mpi_with_and_without_the_address_of_process_0() -> None:
    assert find_meeting({**MPI, "OMPI_MCA_orte_hnp_uri": "x"}) == Meeting(
        "Open MPI", "ompi", local_device_ids=()
    )
    given = find_meeting({**MPI, "JAX_COORDINATOR_ADDRESS": "host0:99"})
    assert given == Meeting("Open MPI", "deactivate", "host0:99", 4, 3, ())
    with pytest.raises(UserError, match="JAX_COORDINATOR_ADDRESS=HOST:PORT"):
        find_meeting(MPI)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("", 2, None), ["--num_processes=2: ", "--coordinator_address and --process_id missing"]),
        (("h:1", None, None), ["--coordinator_address=h:1: ", "--num_processes and --process_id"]),
        (("h:1", 2, None), ["--process_id missing"]),
        (("", None, 0), ["--process_id=0: "]),
        (("h:1", 2, 2), ["--process_id=2", "from 0 to 1", "--num_processes=2"]),
        (("h:1", 2, -1), ["--process_id=-1", "from 0 to 1"]),
        (("h:1", 0, 0), ["--num_processes=0", "at least 1"]),
        (("h", 2, 0), ["--coordinator_address=h:", "HOST:PORT"]),
        (("h:70000", 2, 0), ["--coordinator_address=h:70000:", "HOST:PORT"]),
        (("h:x", 2, 0), ["HOST:PORT"]),
    ],
    ids=str,
)
def test_flags_that_cannot_be(flags: tuple, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        find_meeting({}, *flags)
    for word in words:
        assert word in str(error.value)


def test_variables_that_cannot_be() -> None:
    with pytest.raises(UserError, match="JAX_PROCESS_ID=x: expected a whole number"):
        find_meeting({**JAX, "JAX_PROCESS_ID": "x"})
    with pytest.raises(UserError, match="JAX_NUM_PROCESSES and JAX_PROCESS_ID missing"):
        find_meeting({"JAX_COORDINATOR_ADDRESS": "h:1"})


def test_the_command_refuses_half_of_the_flags(answer: Command, tmp_path: Path) -> None:
    result = answer("--num_processes=2", f"--workdir={tmp_path / 'run'}")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "--coordinator_address and --process_id missing" in result.stderr
    assert not (tmp_path / "run").exists()


# Real processes ---------------------------------------------------------------------


def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


def start_psum(
    environment: dict[str, str], address: str, index: int, *arguments: str
) -> subprocess.Popen[str]:
    own = {
        **environment,
        "PYTHONPATH": f"{REPOSITORY}",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "COORDINATOR": address,
        "COUNT": "2",
        "INDEX": str(index),
    }
    return subprocess.Popen([sys.executable, PSUM, *arguments], env=own, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def test_two_processes_add_over_all_their_devices(environment: dict[str, str]) -> None:
    address = free_address()
    both = [start_psum(environment, address, i, "3") for i in range(2)]
    out = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], out
    assert "sum 10 over 4 devices in 2 processes" in out[0][0]
    assert "sum" not in out[1][0]  # only process 0 prints
    assert all("is gone" not in stderr for _, stderr in out)


@pytest.mark.parametrize("index", [0, 1])
def test_nobody_answers(environment: dict[str, str], index: int) -> None:
    address = free_address()
    process = start_psum(environment, address, index, "1", "2")
    _, stderr = process.communicate(timeout=60)  # JAX alone waits for five minutes
    assert process.returncode == 2
    assert stderr.strip().count("\n") == 0, stderr
    assert f"did not meet at {address} within 2 s" in stderr


def test_a_port_in_use_is_named(environment: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start_psum(environment, address, 0, "1", "20")
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"cannot meet at {address}" in stderr.splitlines()[-1]
    assert "port in use" in stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_other_with_a_clear_last_line(
    environment: dict[str, str], victim: int, tmp_path: Path
) -> None:
    address = free_address()
    both = [start_psum(environment, address, i, "100000") for i in range(2)]
    for process in both:  # both are in the middle of it
        assert process.stdout is not None
        assert any(line == "round\n" for line in process.stdout)
    both[victim].kill()
    other = 1 - victim
    _, stderr = both[other].communicate(timeout=60)
    # 134 where jax ends the process itself, 1 where the failed sum reaches Python first.
    assert both[other].returncode in (1, -signal.SIGABRT)
    last = stderr.splitlines()[-1]
    assert last.startswith(f"rethinking_jax: process {other} of 2 ended because another process")
    assert "run the same command on all of them again" in last
    both[victim].communicate(timeout=60)


def test_a_signal_to_the_witness_does_not_silence_it(environment: dict[str, str]) -> None:
    """Schedulers signal every process of a job before they kill it."""
    address = free_address()
    process = start_psum({**environment}, address, 0, "100000")
    other = start_psum({**environment}, address, 1, "100000")
    assert process.stdout is not None
    assert any(line == "round\n" for line in process.stdout)
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], text=True,
                            capture_output=True, check=True)  # fmt: skip
    for child in map(int, listed.stdout.split()):
        os.kill(child, signal.SIGTERM)
    process.kill()
    _, stderr = process.communicate(timeout=60)
    assert stderr.splitlines()[-1].startswith("rethinking_jax: process 0 of 2 ended because")
    other.kill()
    other.communicate(timeout=60)


def test_alone_nothing_is_started_and_finish_is_the_code() -> None:
    distributed.start()
    assert not distributed.describe()
    assert distributed.finish(7) == 7
    assert not distributed.is_lost(RuntimeError("Gloo"))
