"""SIGTERM and Ctrl-C ask a run to stop; it saves first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

REASONS = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "Ctrl-C"}


@contextmanager
def stop_requests() -> Iterator[Callable[[], str | None]]:
    """Within this context the first signal is remembered, the second acts as usual.

    Yields:
      A function: the reason to stop, or None. In a thread that is not the main one
      (where Python allows no handlers) it never gives one.
    """
    received: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def remember(number: int, frame: FrameType | None) -> None:
        received.append(REASONS[signal.Signals(number)])
        signal.signal(number, before[signal.Signals(number)])

    before = {n: signal.signal(n, remember) or signal.SIG_DFL for n in REASONS}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
