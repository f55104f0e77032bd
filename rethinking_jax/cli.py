"""What the commands have in common: a parser whose mistakes are one line, and that line."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from rethinking_jax.errors import UserError

END_SECONDS = 10.0  # how long a command may take to end after its last line


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UserError` where argparse would print its usage."""

    def error(self, message: str) -> NoReturn:
        """Raises the message of a mistake in the command line.

        Raises:
          UserError: always.
        """
        raise UserError(message)


def whole_number(least: int) -> Callable[[str], int]:
    """Returns what turns an option's text into a whole number of at least `least`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, at least {least}")
        return int(text)

    return parse


def fail(error: object, code: int, process: str = "") -> int:
    """Prints why a command ends, as one line on stderr, and returns its exit code.

    Args:
      error: what is printed, its line breaks as spaces.
      code: 1 where the work failed, 2 where the user made a mistake.
      process: which of several processes speaks, such as "process 1 of 2: ".
    """
    line = f"rethinking_jax: {process}{' '.join(str(error).split())}"
    print(line, file=sys.stderr, flush=True)
    return code


def end(code: int) -> NoReturn:
    """Ends this process with `code`, whatever other libraries have left behind in it.

    Python waits at its end for threads that are not daemons: one that waits for what will never
    come, after a failed save, would keep a job on a cluster until its limit.

    Raises:
      SystemExit: always, so that Python ends as usual where that takes no longer.
    """

    def end_late() -> None:
        time.sleep(END_SECONDS)
        os._exit(code)

    try:
        sys.stdout.flush()
        sys.stderr.flush()
        threading.Thread(target=end_late, daemon=True).start()
    except (OSError, ValueError, RuntimeError):  # a closed output; no thread can be started
        os._exit(code)
    sys.exit(code)
