"""Huge pages for what the C library allocates, which it asks for from the start of a process on."""

import contextlib
import os
import sys
from pathlib import Path

TUNABLES, HUGE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
POLICY = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def begin_with_huge_pages(module: str) -> None:
    """Begins this process anew, from its own command line, where huge pages must be asked for.

    On a CPU XLA allocates what a train step holds, hundreds of megabytes where networks convolve,
    and frees it when the step ends. The system has to find every page anew, and to fill it with
    zeros, which takes much of the step where a page has 4 KiB (docs/speed.md has measurements).
    glibc asks for pages of 2 MiB if an environment variable says so when the process begins. It is
    to be called before anything is imported that takes long; whatever a process with that variable
    begins has it, too.

    Args:
      module: what `python -m` runs here. In a debugger or a profiler, which runs it itself, nothing
        begins anew.
    """
    run = sys.orig_argv[sys.orig_argv.index("-m") :] if "-m" in sys.orig_argv else []
    if run[1:2] != [module] or not sys.executable:
        return
    if (given := wanted(dict(os.environ))) is not None:
        os.environ[TUNABLES] = given
        with contextlib.suppress(OSError):  # then it goes on as it is
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def wanted(environment: dict[str, str]) -> str | None:
    """Returns what GLIBC_TUNABLES should be, or None where it is right or has no effect.

    It has one where the system leaves huge pages to programs and the C library is glibc 2.35 or
    newer. What the user says of them there is left as it is.
    """
    given = environment.get(TUNABLES, "")
    if HUGE in given or not _must_be_asked_for() or _glibc() < (2, 35):
        return None
    return ":".join(filter(None, (given, f"{HUGE}=1")))


def _must_be_asked_for() -> bool:
    try:
        return "[madvise]" in POLICY.read_text()
    except OSError:  # no Linux, or one without them
        return False


def _glibc() -> tuple[int, ...]:
    """Returns the version of glibc, or (0,) where the C library is another."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return tuple(map(int, version.split("."))) if name == "glibc" else (0,)
    except (AttributeError, OSError, ValueError):
        return (0,)
