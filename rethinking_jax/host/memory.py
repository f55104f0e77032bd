"""How much memory a device has left, whether this process may have any, and what it gives back."""

import ctypes
import importlib.util
import sys

import jax
import psutil

from rethinking_jax.errors import UserError

# What a process takes of its address space, mostly for the stacks and heaps of threads that XLA
# and array_record start for each core; measured on 2, 16 and 64 cores.
BASE_BYTES, BYTES_PER_CORE = int(2.2 * 2**30), 100 * 2**20

# Parameters of mallopt, as in glibc's <malloc.h>.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_TRIM_BY_DEFAULT, _MMAP_BY_DEFAULT = 128 * 2**10, 65_536


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
    glibc = _glibc()
    if glibc is not None:
        glibc.malloc_trim(0)  # what this process has kept is free, too
    return int(psutil.virtual_memory().available)


def keep_freed_memory() -> bool:
    """Keeps the memory that this process frees, for what it allocates next.

    On a CPU XLA allocates what a train step holds, hundreds of megabytes where networks convolve,
    and frees it when the step ends. glibc returns so much to the system at once, which then has
    to find every page anew, and to fill it with zeros (`bench train` measures what that costs).
    Threads must not have begun to allocate in arenas of their own, so this comes before JAX looks
    for its devices; afterwards it has little effect, and does no harm.

    Returns:
      Whether the C library is one that can be told so.
    """
    glibc = _glibc()
    if glibc is None:
        return False
    # Other arenas than the first map what is large, whatever they are told.
    settings = {_ARENA_MAX: 1, _MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}
    return all(glibc.mallopt(key, value) for key, value in settings.items())


def return_freed_memory() -> None:
    """Undoes `keep_freed_memory`: what is large is mapped, and returned when it is freed."""
    glibc = _glibc()
    if glibc is not None:
        glibc.mallopt(_MMAP_MAX, _MMAP_BY_DEFAULT)
        glibc.mallopt(_TRIM_THRESHOLD, _TRIM_BY_DEFAULT)
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Returns the C library of this process where it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
