"""The two ways a command ends other than well, and the name that was perhaps meant."""

import difflib
from collections.abc import Iterable


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
