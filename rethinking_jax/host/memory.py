"""How much memory a device has left."""

import jax
import psutil


def free_bytes(device: jax.Device) -> int:
    """Returns the bytes that a device reports as free, or on a CPU what the machine can give.

    The latter counts the pages of files that the system would drop: after reading a data set
    they can be most of the memory.
    """
    stats = device.memory_stats() or {}
    if "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats["bytes_in_use"])
    return int(psutil.virtual_memory().available) // jax.local_device_count()
