"""Processes that work through a list, and end with the one that began them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

_counter: "Synchronized[int] | None" = None  # in a worker, what all of them have done


class Workers:
    """A pool of processes, and a count that its tasks add to by `add_to_count`."""

    def __init__(self, pool: ProcessPoolExecutor, counter: "Synchronized[int]") -> None:
        """Keeps what `begin_workers` has made."""
        self.pool, self._counter = pool, counter

    @property
    def count(self) -> int:
        """The sum of what all tasks have added so far."""
        return self._counter.value


@contextmanager
def begin_workers(number: int) -> Iterator[Workers]:
    """Opens a pool of `number` processes; at its end, what has not begun is dropped."""
    # Processes are not forked: TensorFlow, which may just have prepared the set, does not
    # survive that.
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    pool = ProcessPoolExecutor(number, context, initializer=_begin, initargs=(counter,))
    try:
        yield Workers(pool, counter)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def add_to_count(done: int) -> None:
    """Adds to the count of all workers; a task calls it in its worker."""
    if _counter is None:
        raise RuntimeError("add_to_count is for the tasks of begin_workers")
    with _counter.get_lock():
        _counter.value += done


def _begin(counter: "Synchronized[int]") -> None:
    global _counter
    _counter = counter
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed; it would wait for another task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
