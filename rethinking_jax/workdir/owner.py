"""Who works in a workdir: one command at a time, on whichever host.

The first process of a command writes owner.json, which says who it is, and locks that file. The
kernel gives the lock back when the process ends, however it ends. Some shared folders pass no
locks from host to host, and a bucket has none. So the owner also counts in the file, and whoever
finds another owner's file there watches by its own clock whether the count goes on.
"""

import importlib.util
import io
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path

from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.processes import refuse_together
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath

FILE = "owner.json"
BEAT_SECONDS = 5.0  # between two counts of an owner
SILENT_SECONDS = 30.0  # an owner that has not counted for so long is gone
SETTLE_SECONDS = 2.0  # without locks: until both of two who begin at once see who wrote last


@contextmanager
def owned(path: AnyPath, command: str, say: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Makes this command the owner of a workdir until the context ends.

    All processes of a command come here; the first one is the owner for all of them.

    Args:
      path: the workdir, which need not exist. What is made of it here and stays empty is removed.
      command: what was typed, to be shown to others; '' where nobody typed it.
      say: is given a line where it takes long to find out whether another owner is gone.

    Yields:
      A function to call now and then. It raises RunFailed where another command took the workdir
      because this one stood still for too long.

    Raises:
      UserError: another command is the owner, or the workdir cannot be written.
    """
    followers: list[Json] = []  # who took the workdir from this command

    def take() -> None:
        try:
            stack.enter_context(_hold(path, command, say, followers))
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"--workdir={path} cannot be written to: {reason}") from None

    def check() -> None:
        if followers:
            raise RunFailed(
                "this process stood still for so long that another command took "
                f"--workdir={path} and goes on there: {_described(followers[0])}"
            )

    with ExitStack() as stack:
        refuse_together(take)
        yield check


def current(path: AnyPath) -> Json:
    """Returns what the owner of a workdir wrote that counts there now; {} where nobody does.

    Nothing is written or locked, so that no command is disturbed.
    """
    found = _read(path / FILE)
    if not found:
        return {}
    with suppress(FileNotFoundError):  # it has ended just now
        return found if time.time() - (path / FILE).stat().st_mtime < SILENT_SECONDS else {}
    return {}


@contextmanager
def _hold(
    path: AnyPath, command: str, say: Callable[[str], None], followers: list[Json]
) -> Iterator[None]:
    """Is `owned` for the first process alone."""
    file = path / FILE
    own: Json = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "command": command or "from a notebook or a script",
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
        "machine": machine(),
        "key": secrets.token_hex(8),
        "beats": 0,
    }
    with _folder(path):
        lock = _lock(file)
        with lock or nullcontext():
            _wait_for_silence(file, lock is not None, say)
            _write(file, own)
            try:
                if lock is None:
                    _settle(file, own)
                with _beating(file, own, followers):
                    yield
            finally:
                # A bucket may be out of reach; then the next owner finds out that nobody counts.
                with suppress(Exception):
                    if _read(file).get("key") == own["key"]:
                        file.unlink(missing_ok=True)


@contextmanager
def _folder(path: AnyPath) -> Iterator[None]:
    """Makes a folder and those above it, and removes at the end which of them stayed empty."""
    missing: list[AnyPath] = []
    if not storage.is_remote(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    storage.make_folder(path)
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty
            for folder in missing:
                folder.rmdir()


def _lock(file: AnyPath) -> io.FileIO | None:
    """Returns the file, made and locked until it is closed; None where there are no locks.

    Raises:
      UserError: another process has locked it.
    """
    if storage.is_remote(file) or importlib.util.find_spec("fcntl") is None:
        return None
    import fcntl

    while True:
        try:
            opened = io.FileIO(Path(file), "a")
        except FileNotFoundError:  # an owner that ends has just removed the folder that it made
            storage.make_folder(file.parent)
            continue
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            opened.close()
            if isinstance(error, BlockingIOError):
                raise UserError(_refusal(file, _read(file))) from None
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(opened.fileno()), os.stat(file)):
                # A process that is forked later must not keep the lock when this one is gone.
                os.register_at_fork(after_in_child=opened.close)
                return opened
        opened.close()  # an owner that ends has just removed the file that was opened


def _wait_for_silence(file: AnyPath, locked: bool, say: Callable[[str], None]) -> None:
    """Waits until it is sure that the owner whom a file names, if any, is gone.

    Raises:
      UserError: it is there.
    """
    before = _read(file)
    # A lock of the same kernel would not be free if that owner were there.
    if not before or (locked and before.get("machine") == machine()):
        return
    say(f"{file} names {_described(before)}; up to {SILENT_SECONDS:g} s show whether it is gone")
    until = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < until:
        time.sleep(BEAT_SECONDS / 5)
        now = _read(file)
        if not now:
            return
        if now != before:
            raise UserError(_refusal(file, now))


def _settle(file: AnyPath, own: Json) -> None:
    """Finds out which of two who wrote at the same time is the owner: who wrote last."""
    time.sleep(SETTLE_SECONDS)
    found = _read(file)
    if found.get("key") != own["key"]:
        raise UserError(_refusal(file, found))


@contextmanager
def _beating(file: AnyPath, own: Json, followers: list[Json]) -> Iterator[None]:
    """Counts in an owner's file, until another owner writes there: that one goes to `followers`."""
    ended = threading.Event()

    def beat() -> None:
        beats = 0
        while not ended.wait(BEAT_SECONDS):
            beats += 1
            # A full disk or a bucket out of reach may be better at the next beat.
            with suppress(Exception):
                found = _read(file)
                if found and found.get("key") != own["key"]:
                    followers.append(found)
                    return
                _write(file, {**own, "beats": beats})

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def machine() -> str:
    """Returns what tells this running kernel from others; containers share it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _read(file: AnyPath) -> Json:
    """Returns what an owner wrote; {} where there is nothing, or nothing that can be read."""
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: AnyPath, own: Json) -> None:
    """Writes in place, for a lock is of the file and not of its name, and leaves no empty file."""
    text = json.dumps(own) + "\n"
    if storage.is_remote(file):
        storage.write_atomically(file, text)
        return
    with open(file, "r+", opener=lambda name, flags: os.open(name, flags | os.O_CREAT, 0o666)) as f:
        f.write(text)
        f.truncate()


def _described(owner: Json) -> str:
    if not owner:
        return "a command that has just begun"
    return (
        f"process {owner.get('process')} on {owner.get('host')} since {owner.get('since')} "
        f"({owner.get('command')})"
    )


def _refusal(file: AnyPath, owner: Json) -> str:
    """Returns the line for the one who comes second."""
    here = owner.get("machine", machine()) == machine()
    gone = "" if here else f". If it is gone for certain, remove {file}"
    return (
        f"--workdir={file.parent}: another command works there, {_described(owner)}: wait for its "
        f"end or take another --workdir{gone}"
    )
