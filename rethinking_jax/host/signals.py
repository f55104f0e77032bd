"""SIGTERM, Ctrl-C and preemption notices ask a run to stop; it saves first."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import jax
from jax.experimental import multihost_utils

from rethinking_jax.cli import STOPS


@contextmanager
def stop_requests() -> Iterator[Callable[[], str | None]]:
    """Within this context the first signal is remembered, the second acts as usual.

    It acts after all where the context ends as if there had been none: all was trained by then.

    Several processes agree: a signal or a preemption notice to one of them stops all after
    the same step. They have to ask equally often.

    Yields:
      A function: the reason to stop, or None. In a thread that is not the main one
      (where Python allows no handlers) it never gives one.
    """
    if jax.process_count() > 1:
        with _ctrl_c_as_sigterm():
            yield _agreed_requests()
        return
    received: list[signal.Signals] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def remember(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        signal.signal(number, before[signal.Signals(number)])

    before = {n: signal.signal(n, remember) or signal.SIG_DFL for n in STOPS}
    try:
        yield lambda: STOPS[received[0]] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in received:
        usual = before[number]
        # Raised again, it would count as one that came twice (`rethinking_jax.cli.begin`).
        usual(number, None) if callable(usual) else signal.raise_signal(number)


def _agreed_requests() -> Callable[[], str | None]:
    """Asks JAX's own notifier of SIGTERM, whose point of agreement is a number of questions."""
    asked, reached = 0, False

    def reason() -> str | None:
        nonlocal asked, reached
        if not reached:
            asked += 1
            reached = multihost_utils.reached_preemption_sync_point(asked)
        return "SIGTERM or a preemption notice to one of the processes" if reached else None

    return reason


@contextmanager
def _ctrl_c_as_sigterm() -> Iterator[None]:
    """Sends SIGTERM to this process where the user presses Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
