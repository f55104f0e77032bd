"""How much memory a device has left, and whether this process may have any."""

import importlib.util

import jax
import psutil

from rethinking_jax.errors import UserError

# What a process takes of its address space, mostly for the stacks and heaps of threads that XLA
# and array_record start for each core; measured on 2, 16 and 64 cores.
BASE_BYTES, BYTES_PER_CORE = int(2.2 * 2**30), 100 * 2**20


def check_address_space() -> None:
    """Refuses a limit on the address space (`ulimit -v`) that leaves no room for threads.

    array_record waits for ever for a thread that may not start, and XLA crashes.

    Raises:
      UserError: names the limit and what is needed.
    """
    if importlib.util.find_spec("resource") is None:
        return  # Windows has no such limit
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    cores = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 1
    needed = BASE_BYTES + BYTES_PER_CORE * cores
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise UserError(
            f"ulimit -v {limit // 1024} (address space of {limit / 2**30:.1f} GiB) is too little "
            f"memory: on {cores} cores it takes {needed / 2**30:.1f} GiB to begin. Raise the "
            "limit, or take it away: ulimit -v unlimited"
        )


def free_bytes(device: jax.Device) -> int:
    """Returns the bytes that a device reports as free, or on a CPU what the machine can give.

    The latter counts the pages of files that the system would drop: after reading a data set
    they can be most of the memory.
    """
    stats = device.memory_stats() or {}
    if "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats["bytes_in_use"])
    return host_free_bytes() // jax.local_device_count()


def host_free_bytes() -> int:
    """Returns the bytes that the machine can give, whatever its devices have."""
    return int(psutil.virtual_memory().available)
