"""Several processes as one run: when to call jax.distributed, and how each of them ends.

Where the cluster says who is who (TPU VMs, SLURM, Open MPI), jax reads it. What jax does not
read is SkyPilot's variables and JAX_NUM_PROCESSES and JAX_PROCESS_ID; see `find_meeting`.
"""

import atexit
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

import jax

from rethinking_jax.errors import UserError

# On TPU VMs jax listens at 8482, which the firewall rules of Cloud TPU do not open between
# slices; 8476 they do (jax-ml/jax#35905).
PORT = 8476
WAIT_SECONDS = 300  # how long to wait for the others, as jax does
HEARTBEAT_SECONDS = 40  # a process that is silent for so long counts as dead
AGREE_SECONDS = 10  # how long one that failed waits for the others to end in the same way
# What the errors of a collective say when the other side went away.
LOST = re.compile(r"gloo|nccl|UNAVAILABLE|coordination|heartbeat|socket|connection", re.IGNORECASE)

STATUS = re.compile(r"[A-Z_]+: ")  # how XLA's errors begin, such as "INTERNAL: "


class Meeting(NamedTuple):
    """Where this process meets the others, and as which of them."""

    source: str  # who says so, for messages
    method: str | None = None  # jax's `cluster_detection_method`; None: jax looks for itself
    coordinator_address: str | None = None
    num_processes: int | None = None
    process_id: int | None = None
    local_device_ids: tuple[int, ...] | None = None  # (): every device that this process sees
    environment: tuple[tuple[str, str], ...] = ()  # variables to set before jax looks


class _Process(NamedTuple):
    """This process among the others."""

    process_id: int
    num_processes: int
    witness: subprocess.Popen[bytes]


_here: _Process | None = None
_tried = False  # whether this process has begun to meet others


def find_meeting(
    environ: Mapping[str, str],
    coordinator_address: str = "",
    num_processes: int | None = None,
    process_id: int | None = None,
) -> Meeting | None:
    """Decides whether this process is one of several, and who says so.

    The flags come first, then JAX_COORDINATOR_ADDRESS with JAX_NUM_PROCESSES and
    JAX_PROCESS_ID, then the cluster: Cloud TPU, SkyPilot, SLURM, Open MPI.

    Args:
      environ: `os.environ`, as it is after jax was imported (which marks a TPU VM there).
      coordinator_address: the flag --coordinator_address, '' where it is not given.
      num_processes: the flag --num_processes.
      process_id: the flag --process_id.

    Returns:
      What to give to `jax.distributed.initialize`, or None for a process alone.

    Raises:
      UserError: some of the three flags or variables without the others, or with values
        that cannot be.
    """
    given = {
        "--coordinator_address": coordinator_address or None,
        "--num_processes": num_processes,
        "--process_id": process_id,
    }
    if any(value is not None for value in given.values()):
        return _explicit(given, "the flags")
    names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
    variables = {name: environ.get(name) or None for name in names}
    if variables["JAX_NUM_PROCESSES"] or variables["JAX_PROCESS_ID"]:
        return _explicit(variables, "the environment")
    found = _tpu(environ) or _skypilot(environ) or _slurm(environ) or _open_mpi(environ)
    if found is None and variables["JAX_COORDINATOR_ADDRESS"]:
        return _explicit(variables, "the environment")
    return found


def _explicit(given: Mapping[str, str | int | None], source: str) -> Meeting:
    """Takes three values as they were given by `source`, after a check."""
    missing = [name for name, value in given.items() if value is None]
    address, count, index = given
    if missing:
        there = ", ".join(f"{key}={value}" for key, value in given.items() if value is not None)
        raise UserError(
            f"{there}: {' and '.join(missing)} missing. It takes {address}=HOST:PORT (where "
            f"process 0 runs), {count} and {index} together, or none of them"
        )
    number, own = _whole(given, count), _whole(given, index)
    match = re.fullmatch(r"(\[[^]]+\]|[^:]+):(\d+)", str(given[address]))
    if not match or not 0 < int(match[2]) < 65536:
        raise UserError(
            f"{address}={given[address]}: expected HOST:PORT, such as 10.0.0.1:{PORT}, the host "
            "of process 0 and a port that is free there"
        )
    if number < 1:
        raise UserError(f"{count}={number}: must be at least 1")
    if not 0 <= own < number:
        raise UserError(
            f"{index}={own}: must be from 0 to {number - 1}, since {count}={number} "
            "(the first process is 0)"
        )
    return Meeting(source, "deactivate", str(given[address]), number, own)


def _whole(given: Mapping[str, str | int | None], name: str) -> int:
    try:
        return int(str(given[name]))
    except ValueError:
        raise UserError(f"{name}={given[name]}: expected a whole number") from None


def _tpu(environ: Mapping[str, str]) -> Meeting | None:
    """Finds the hosts of a TPU slice; GCE has a metadata server for them, which jax asks."""
    platforms = environ.get("JAX_PLATFORMS") or "tpu"
    if "TPU_ML_PLATFORM" not in environ or "tpu" not in platforms.split(","):
        return None
    port = () if environ.get("JAX_COORDINATOR_PORT") else (("JAX_COORDINATOR_PORT", str(PORT)),)
    hosts = environ.get("TPU_PROCESS_ADDRESSES") or environ.get("TPU_WORKER_HOSTNAMES")
    if hosts:
        several = "," in hosts or int(environ.get("MEGASCALE_NUM_SLICES") or 1) > 1
        return Meeting("Cloud TPU", "gketpu", environment=port) if several else None
    if "TPU_SKIP_MDS_QUERY" in environ:
        return None
    return Meeting("Cloud TPU", environment=port)


def _skypilot(environ: Mapping[str, str]) -> Meeting | None:
    """Finds the nodes of a SkyPilot cluster."""
    count = int(environ.get("SKYPILOT_NUM_NODES") or 1)
    if count == 1:
        return None
    first = environ["SKYPILOT_NODE_IPS"].split()[0]
    index = int(environ["SKYPILOT_NODE_RANK"])
    return Meeting("SkyPilot", "deactivate", f"{first}:{PORT}", count, index)


def _slurm(environ: Mapping[str, str]) -> Meeting | None:
    """Finds the tasks of one srun.

    The batch script itself, and a shell that salloc opens, see SLURM_NTASKS too, but they are
    alone: only the variables of the step say how many were really started.
    """
    tasks = environ.get("SLURM_STEP_NUM_TASKS", "1")
    if tasks == "1" or "SLURM_PROCID" not in environ:
        return None
    alone = tasks == environ.get("SLURM_STEP_NUM_NODES")
    return Meeting("SLURM", "slurm", local_device_ids=_devices(environ, alone))


def _open_mpi(environ: Mapping[str, str]) -> Meeting | None:
    """Finds the processes of one mpirun."""
    count = environ.get("OMPI_COMM_WORLD_SIZE", "1")
    if count == "1":
        return None
    alone = environ.get("OMPI_COMM_WORLD_LOCAL_SIZE") == "1"
    devices = _devices(environ, alone)
    if "OMPI_MCA_orte_hnp_uri" in environ:
        return Meeting("Open MPI", "ompi", local_device_ids=devices)
    address = environ.get("JAX_COORDINATOR_ADDRESS")
    if not address:
        raise UserError(
            f"mpirun started {count} processes and does not say where process 0 runs (Open MPI "
            f"5 no longer does): set JAX_COORDINATOR_ADDRESS=HOST:PORT, such as host0:{PORT}"
        )
    index = int(environ["OMPI_COMM_WORLD_RANK"])
    return Meeting("Open MPI", "deactivate", address, int(count), index, devices)


def _devices(environ: Mapping[str, str], alone: bool) -> tuple[int, ...] | None:
    """Returns the devices that a process of a cluster takes; None leaves that to jax.

    jax gives GPU i of a host to its task i, whatever there is: that leaves the other GPUs idle
    where a host has one task, and fails where the cluster shows each task a GPU of its own.

    Args:
      environ: the variables of this process.
      alone: whether it is the only one of its host.
    """
    own = "," not in (environ.get("CUDA_VISIBLE_DEVICES") or ",")
    return () if (alone or own) and "JAX_LOCAL_DEVICE_IDS" not in environ else None


# From here on, processes are started and ended --------------------------------------


def start(
    coordinator_address: str = "",
    num_processes: int | None = None,
    process_id: int | None = None,
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Joins the other processes of this run, if there are any (see `find_meeting`).

    Must come before anything that touches a device. On CPUs jax takes gloo by default.

    Raises:
      UserError: as `find_meeting` does, or the others did not come in time.
    """
    global _here, _tried
    found = find_meeting(os.environ, coordinator_address, num_processes, process_id)
    if found is None:
        return
    _check_port(found)
    os.environ.update(found.environment)
    _tried = True
    _connect(found, wait_seconds)
    index, count = jax.process_index(), jax.process_count()
    _here = _Process(index, count, _witness(index, count))
    atexit.register(_dismiss)


def _check_port(found: Meeting) -> None:
    """Refuses a port that is taken, for jaxlib may crash on it; unknown addresses pass."""
    if found.process_id != 0 or not found.coordinator_address:
        return
    port = int(found.coordinator_address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    try:
        family = socket.AF_INET6 if both else socket.AF_INET
        socket.create_server(("", port), family=family, dualstack_ipv6=both).close()
    except OSError as error:
        raise UserError(
            f"the processes of this run ({found.source}) cannot meet at "
            f"{found.coordinator_address}: {error.strerror} (is the port in use there?)"
        ) from None


def _connect(found: Meeting, seconds: float) -> None:
    """Meets the others in a thread: jax ends a process with abort() where nobody answers."""
    failures: list[Exception] = []

    def initialize() -> None:
        devices = found.local_device_ids
        try:
            jax.distributed.initialize(
                found.coordinator_address,
                found.num_processes,
                found.process_id,
                local_device_ids=None if devices is None else list(devices),
                cluster_detection_method=found.method,
                initialization_timeout=int(2 * seconds) + 60,
                heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
            )
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=initialize, daemon=True)
    thread.start()
    thread.join(min(10.0, seconds))
    where = f" at {found.coordinator_address}" if found.coordinator_address else ""
    if thread.is_alive() and seconds > 10:
        own = found.process_id
        who = "" if own is None else f"process {own} of {found.num_processes}: "
        print(f"{who}waiting for the others{where}, up to {seconds:g} s", file=sys.stderr)
        thread.join(seconds - 10)
    if thread.is_alive():
        raise UserError(
            f"the processes of this run ({found.source}) did not meet{where} within "
            f"{seconds:g} s: start the same command for every one of them, where that port "
            "can be reached"
        )
    if failures:
        reason = str(failures[0]).strip().split("\n")[0]
        busy = " (is the port in use there?)" if "start RPC server" in reason else ""
        raise UserError(f"the processes of this run ({found.source}) cannot meet{where}: "
                        f"{reason}{busy}")  # fmt: skip


def _witness(index: int, count: int) -> subprocess.Popen[bytes]:
    """Starts a shell that outlives this process and explains an end that Python does not see.

    When a process dies, jax's C++ ends the others with abort() and a stack trace. The shell
    waits for a word on its input; if that ends without one, it has the last word.
    """
    line = (
        f"rethinking_jax: process {index} of {count} ended because another process is gone, or "
        "because it was killed itself (the last lines of each say why). To resume, run the same "
        "command on all of them again"
    )
    script = 'trap "" HUP INT TERM USR1 USR2; read -r word || printf "%s\\n" "$1" >&2'
    return subprocess.Popen(["sh", "-c", script, "sh", line], stdin=subprocess.PIPE)


def _dismiss() -> None:
    """Tells the witness that this process ends as it should."""
    if _here is not None and _here.witness.poll() is None:
        _here.witness.communicate(b"done\n")


def describe() -> str:
    """Returns "process 1 of 2: " for messages, "" for a process alone."""
    return "" if _here is None else f"process {_here.process_id} of {_here.num_processes}: "


def is_lost(error: BaseException) -> bool:
    """Says whether an error says that another process went away."""
    if _here is None:
        return False
    while not _is_from_xla(error):
        if error.__cause__ is None:
            return False
        error = error.__cause__  # orbax raises its own because of one
    return bool(LOST.search(str(error)))


def _is_from_xla(error: BaseException) -> bool:
    """Says whether an error is a status of XLA, which raises some as a `ValueError`."""
    kinds = (jax.errors.JaxRuntimeError, ValueError)
    return isinstance(error, kinds) and bool(STATUS.match(str(error)))


def finish(code: int, *, agreed: bool = True, lost: bool = False) -> int:
    """Leaves the other processes; to be called last.

    jax waits for all of them at the end (up to five minutes), and a process that failed alone
    would wait for others that wait for it.

    Args:
      code: the exit code.
      agreed: whether the others are expected to end in the same way, as they do after a
        signal or a mistake in the command.
      lost: whether another process is gone (`is_lost`); the last line then says so.

    Returns:
      `code`; where the others do not end with this process, it exits with `code` at once.
    """
    if not jax.distributed.is_initialized():
        if _tried:  # the threads of a service that did not start may crash Python's own end
            _exit(code)
        return code
    last = threading.Thread(target=jax.distributed.shutdown, daemon=True)
    if _here is not None and agreed and not lost:
        last.start()
        last.join(None if code == 0 else AGREE_SECONDS)
    if not lost:
        _dismiss()
    if _here is None or not agreed or lost or last.is_alive():
        _exit(code)
    return code


def _exit(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
