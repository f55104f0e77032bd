"""What the commands have in common: how they parse, how they are stopped, how they end."""

import argparse
import atexit
import contextlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn

from rethinking_jax.errors import UserError, nearest

# Signals that ask a command to stop, and what messages call them.
STOPS = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "Ctrl-C"}
HELP = frozenset({"--help", "-h", "--helpfull", "--helpshort"})  # what asks for a command's help
END_SECONDS = 10.0  # how long a command may take to end after its last line


class Stopped(KeyboardInterrupt):
    """A signal asks the command to stop.

    Of a plain KeyboardInterrupt that passes through `exec`, as dataclasses call it, Python
    remembers that there was one. In the end it kills itself, and the exit code is lost.
    """


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UserError` where argparse would print its usage."""

    def error(self, message: str) -> NoReturn:
        """Raises the message of a mistake in the command line, with the nearest option's name.

        Raises:
          UserError: always.
        """
        _, unknown, given = message.partition("unrecognized arguments: ")
        near = nearest(given.partition("=")[0], self._option_string_actions) if unknown else ""
        raise UserError(f"{message}{near}")


def whole_number(least: int) -> Callable[[str], int]:
    """Returns what turns an option's text into a whole number of at least `least`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, at least {least}")
        return int(text)

    return parse


def begin() -> None:
    """Prepares the process of a command; to be called before what takes long to import.

    From here on the first Ctrl-C or SIGTERM raises `Stopped` with the signal's name,
    unless `rethinking_jax.host.signals` waits for it. The second of the same kind ends the
    process at once, also within a program that XLA compiles, where Python handles no signal.
    What a terminal cannot show is printed as an escape. Where the reader of the output has gone, as
    `head` goes, the process ends without a word of it.
    """
    # Python has None for a stream that is closed; the next file would be opened in its place.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    atexit.register(_flush)
    sys.excepthook = _last_word
    sys.unraisablehook = _uncaught
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, _stop)
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)
    threading.Thread(target=_end_at_second, args=(heard,), daemon=True).start()
    os.register_at_fork(after_in_child=_listen_no_more)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, lambda *_: None)  # `_end_at_second` sees the next one
    raise Stopped(STOPS[signal.Signals(number)])


def _last_word(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Ends a command that was stopped so early that it has not begun to look for it."""
    if not isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    os._exit(fail(f"{reason(error)} before anything was written", 1))


def _uncaught(found: "sys.UnraisableHookArgs") -> None:
    """Shows what nobody can catch, but not what tensorstore says of each array of a failed save.

    JAX has Python call it whenever objects are collected. A signal that comes just then raises what
    is dropped there, and the command would go on.
    """
    if isinstance(found.exc_value, KeyboardInterrupt):
        _end_at_once(f"{reason(found.exc_value)}; what is saved stays")
    if str(found.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(found)


def _end_at_second(heard: int) -> None:
    """Reads the number of each signal that comes; ends the process at one that came before."""
    before: set[int] = set()
    while number := os.read(heard, 1):
        if number[0] in before & set(STOPS):
            again = STOPS[signal.Signals(number[0])]
            _end_at_once(f"ended at once by a second {again}; what is saved stays")
        before.add(number[0])


def _end_at_once(line: str) -> NoReturn:
    if os.isatty(1):
        os.write(1, b"\x1b[?25h")  # a bar hides the cursor
    # The stream may be locked by what goes on; the file is not.
    os.write(2, f"rethinking_jax: {line}\n".encode())
    os._exit(1)


def _listen_no_more() -> None:
    """Leaves signals to the usual handlers, in a child that is a fork of a command."""
    signal.set_wakeup_fd(-1)
    for number in STOPS:
        if signal.getsignal(number) == _stop:
            signal.signal(number, signal.SIG_DFL)


def reason(error: BaseException) -> str:
    """Returns why a command ends early, in one line: a signal, or what went wrong."""
    if isinstance(error, KeyboardInterrupt):
        return f"stopped by {str(error) or 'Ctrl-C'}"
    return " ".join(f"{type(error).__name__}: {error}".split())


def show(text: str) -> int:
    """Prints what a command was asked for, such as its help, as far as anybody reads it.

    Returns:
      The exit code, which is 1 where the output can hold no more, as on a full disk.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _let_go()
    except OSError as error:
        _let_go()
        return fail(f"standard output takes no more ({error.strerror})", 1)
    return 0


def _flush() -> None:
    """Prints what is left at the end; Python would complain where the reader has gone."""
    with contextlib.suppress(ValueError):  # it is closed
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _let_go()


def _let_go() -> None:
    """Drops what standard output cannot pass on, so that Python does not try it again."""
    with contextlib.suppress(OSError, ValueError):  # it is no file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(error: object, code: int, process: str = "") -> int:
    """Prints why a command ends, as one line on stderr, and returns its exit code.

    Args:
      error: what is printed, its line breaks as spaces, and what else cannot be shown as escapes.
      code: 1 where the work failed, 2 where the user made a mistake.
      process: which of several processes speaks, such as "process 1 of 2: ".
    """
    line = f"rethinking_jax: {process}{' '.join(str(error).split())}"
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    with contextlib.suppress(OSError):  # nobody can read it, and the code says it, too
        print(shown, file=sys.stderr, flush=True)
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
        for number in STOPS:
            # As Python ends it forgets its handlers, and a signal would change the code.
            signal.signal(number, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        threading.Thread(target=end_late, daemon=True).start()
    except (OSError, ValueError, RuntimeError):  # a closed output; no thread can be started
        os._exit(code)
    sys.exit(code)
