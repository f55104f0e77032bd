"""A measurement in a process of its own, so that the peak of its memory is its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jax

from rethinking_jax.bench.results import Record
from rethinking_jax.errors import RunFailed, UserError


def in_own_process(module: str, words: Sequence[str], what: str) -> Record:
    """Runs a module of `rethinking_jax.bench` and returns the JSON of the last line that it prints.

    Args:
      module: its name, such as "members".
      words: its arguments.
      what: what is measured there, for the message.

    Raises:
      UserError: the process ended with code 2; the message is its last line.
      RunFailed: it ended with another one, killed for lack of memory perhaps.
    """
    result = subprocess.run(
        [sys.executable, "-m", f"rethinking_jax.bench.{module}", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        last = (result.stderr.strip().split("\n") or [""])[-1]
        if result.returncode == 2:
            raise UserError(last)
        reason = last or f"exit code {result.returncode}"
        raise RunFailed(f"the process with {what} failed: {reason}")
    found: Record = json.loads(result.stdout.strip().split("\n")[-1])
    return found


def peak_bytes() -> int:
    """Returns the most memory so far, of the device where it keeps count, else of this process."""
    stats = jax.devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return int(stats["peak_bytes_in_use"])
    return host_peak_bytes()


def host_peak_bytes() -> int:
    """Returns the most memory that this process had so far."""
    # On Linux getrusage would not do: a child starts there with the peak of its parent.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource  # there is none on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
