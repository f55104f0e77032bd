"""A command of this package in a process of its own, which ends in time and with its parent.

    python -m rethinking_jax.bench.leash MODULE [ARGUMENT ...]

is such a process. It does what `python -m MODULE ARGUMENT ...` does until its standard input is
closed, which happens however the process at the other end ends: then it ends at once, with all
that it has started. What it held of a GPU's memory is free afterwards.
"""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

GRACE = 10.0  # seconds, at most a quarter of its time, that a command has to save what it has
SAID_EVERY = 30.0  # seconds between two lines that say how a command goes


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
      code: its exit code; below 0 the signal that ended it; None where even that did not.
      late: whether it was ended because its time was over.
      said: the last line that it printed.
      seconds: how long it ran.
    """

    code: int | None
    late: bool
    said: str
    seconds: float


def run(words: Sequence[str], log: Path, seconds: float, tell: Callable[[str], None]) -> Ended:
    """Runs a command and waits for its end.

    Args:
      words: the module and its arguments.
      log: the file that takes what the command prints.
      seconds: after so long it has ended. It is asked to by SIGTERM a little before.
      tell: is given the last line that the command printed, now and then.
    """
    started = time.monotonic()
    grace = min(GRACE, seconds / 4)
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "rethinking_jax.bench.leash", *words],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches it through this process alone
        )
    try:
        late = not _ended_by(started + seconds - grace, child, log, tell)
    finally:
        _end(child, grace)
    return Ended(child.returncode, late, last_line(log), time.monotonic() - started)


def _ended_by(
    deadline: float, child: "subprocess.Popen[bytes]", log: Path, tell: Callable[[str], None]
) -> bool:
    """Waits for the end of a command, and says whether it came before the deadline."""
    told = ""
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(min(left, SAID_EVERY))
            return True
        if (line := last_line(log)) != told:
            tell(told := line)
    return False


def _end(child: "subprocess.Popen[bytes]", grace: float) -> None:
    """Ends a command and what it has started; first it is asked to."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, GRACE)):
        if child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
                os.killpg(child.pid, number)
                child.wait(patience)
    assert child.stdin is not None
    child.stdin.close()


def last_line(log: Path) -> str:
    """Returns the last line of a log that is not empty, without the name of this package."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return said.removeprefix("rethinking_jax: ")


def end_with_parent() -> None:
    """Waits until standard input is closed; then ends this process and what it has started."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(words: Sequence[str]) -> None:
    """Runs a module as if it were the command."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
