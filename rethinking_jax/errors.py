"""How a command ends other than well, in words: mistakes, failures, and what a machine lacks."""

import difflib
import errno
import os
import re
from collections.abc import Iterable

# What a machine can run out of while files are whole, and come back with.
EXHAUSTED = frozenset(
    {errno.EAGAIN, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}
)
NO_THREAD = "can't start new thread"  # as Python says it
# How tensorstore, which reads and writes checkpoints, begins the page of an error of a file.
STORE = re.compile(r'([A-Z_]+): .*?local file "([^"]*)"', re.DOTALL)
# How orbax says, as a ValueError, that somebody took away the folder it was saving to.
GONE = re.compile(r"Checkpoint directory does not exist: (.*?)\.?$")


class UserError(Exception):
    """The user's mistake: one clear line, exit code 2, nothing written.

    The message names what was given, by key where there is one, and says what
    would be right.
    """


class RunFailed(Exception):
    """The run itself failed or was stopped: one line, exit code 1.

    The message says what was saved and how to go on.
    """


def first_line(error: Exception) -> str:
    """Returns the first 120 characters of what an exception says in one line; else its type."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns ': did you mean ...?' with the nearest known name, or '' where none is near."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def file_error(error: BaseException) -> str:
    """Returns in a few words what went wrong with which file; "" where an error is of none."""
    number = _system_error(error)
    found, gone = STORE.match(str(error)), GONE.match(str(error))
    if isinstance(error, OSError):
        said, file = str(error), error.filename
    elif gone:
        said, file = os.strerror(errno.ENOENT).lower(), gone[1]
    elif found:
        said, file = found[1].replace("_", " ").lower(), found[2]
    else:
        return ""
    what = os.strerror(number).lower() if number else said
    return f"{what}: {file}" if file else what


def lacking(error: BaseException) -> str:
    """Returns what the machine lacks, such as "no space left on device", "" where it is not that.

    Whoever reads a file asks this before the file is called damaged.
    """
    text, number = str(error).strip().split("\n")[0], _system_error(error)
    if number in EXHAUSTED:
        return os.strerror(number).lower()
    if NO_THREAD in text:
        return f"{NO_THREAD}: no memory is left, or no more threads are allowed (ulimit -a)"
    if isinstance(error, MemoryError):
        return text or "no memory is left"
    return text if "RESOURCE_EXHAUSTED" in text else ""


def _system_error(error: BaseException) -> int:
    """Returns the number of the system's error that an exception is about; 0: of none."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = re.search(r"(?:OS error |os_error_code=')(\d+)", str(error))
    return int(found[1]) if found else 0
