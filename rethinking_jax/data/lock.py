"""A lock that lets one process through at a time, where the platform has locks."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def one_at_a_time(path: str | Path, doing: str, say: Callable[[str], None]) -> Iterator[None]:
    """Holds a lock on the file `path`, whose folder it makes; a remote path is not locked.

    Args:
      path: the path of the lock, which stays.
      doing: what the other process does, for the line that says so.
      say: is given that line.
    """
    if "://" in str(path):
        yield
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("fcntl") is None:
        yield
        return
    import fcntl

    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that {doing}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # the file system has no locks
        yield
