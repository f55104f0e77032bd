"""What is found out about a data set at some cost is kept in files: arrays, and what they are of.

A file is taken only where it names the very data that are wanted and all of its checksums are
right. Else it is made anew, so whoever deletes one loses nothing but time.
"""

import contextlib
import errno
import io
import os
import socket
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.origin import Say
from rethinking_jax.workdir.storage import AnyPath, is_remote, write_atomically

VARIABLE = "RETHINKING_JAX_CACHE"
MADE_OF = "fingerprint"
ANYONE_WRITES = 0o222  # the bits of a mode
ABANDONED_SECONDS = 24 * 3600.0  # after which nobody still writes a half-written file


def user_folder() -> Path | None:
    """Returns the folder of this user for what cannot be kept beside the data.

    It is $RETHINKING_JAX_CACHE, else `rethinking_jax` in the user's folder for caches; None where
    the user has no home.
    """
    given = os.environ.get(VARIABLE)
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = os.path.expanduser(given or os.path.join(caches, "rethinking_jax"))
    return None if folder.startswith("~") else Path(folder)


def read_kept(
    folders: Sequence[AnyPath], name: str, made_of: str, wanted: Sequence[str], say: Say
) -> dict[str, np.ndarray] | None:
    """Returns the arrays that a file in one of some folders keeps; None where none fits.

    Args:
      folders: the folders to look in, one after the other.
      name: the name of the file.
      made_of: what the arrays must be of, see `write_kept`.
      wanted: the names of the arrays that must be there.
      say: is given a line where a file is damaged.
    """
    for path in (folder / name for folder in folders):
        try:
            with _opened(path) as file, zipfile.ZipFile(file) as archive:
                if str(_member(archive, f"{MADE_OF}.npy")) != made_of:
                    continue
                names = {f"{one}.npy" for one in wanted} | set(archive.namelist())
                found = {one.removesuffix(".npy"): _member(archive, one) for one in names}
                del found[MADE_OF]
        except OSError:  # it is not there, or not to be read
            continue
        except Exception as error:  # damage has as many types as there are bytes
            say(f"{path} is damaged ({one_line(error)}): it is made anew")
            continue
        with contextlib.suppress(OSError):  # so that `make_room` finds which were used of late
            os.utime(path)
        return found
    return None


def write_kept(
    folders: Sequence[AnyPath], name: str, made_of: str, arrays: Mapping[str, np.ndarray]
) -> AnyPath:
    """Keeps arrays in a file, whole or not at all, whatever other processes do at the same time.

    Args:
      folders: the folders of which the first takes it that can be written.
      name: the name of the file.
      made_of: all that the arrays depend on, in words.
      arrays: the arrays by their names.

    Returns:
      The path of the file.

    Raises:
      OSError: no folder can be written; it says why the first cannot.
    """
    problem: OSError | None = None
    for folder in folders:
        try:
            _write(folder / name, {MADE_OF: np.array(made_of), **arrays})
            return folder / name
        except OSError as error:
            problem = problem or error
    raise problem or OSError("there is no folder to keep it in")


def make_room(folder: Path, pattern: str, most_bytes: int, path: Path) -> None:
    """Deletes the files that were not used for longest, until the rest take `most_bytes` or less.

    Args:
      folder: the folder that is looked through.
      pattern: which files count, as of `Path.glob`.
      most_bytes: how many bytes they may take in all.
      path: one of them, which stays.
    """
    try:
        for half in folder.glob("*/.*.tmp"):
            if time.time() - half.stat().st_mtime > ABANDONED_SECONDS:
                half.unlink()
        found = [(one.stat(), one) for one in folder.glob(pattern) if one != path]
        room = most_bytes - path.stat().st_size
        for stat, one in sorted(found, key=lambda file: -file[0].st_mtime):
            room -= stat.st_size
            if room < 0:
                one.unlink()
    except OSError:
        pass  # another process makes room, too


def _opened(path: AnyPath) -> IO[bytes]:
    return io.BytesIO(path.read_bytes()) if is_remote(path) else open(path, "rb")


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Returns one array of an archive, all of whose bytes were read and have the right checksum."""
    with archive.open(name) as member:
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
        if member.read(1):
            raise ValueError(f"{name} is longer than it says")
    return array


def _write(path: AnyPath, arrays: Mapping[str, np.ndarray]) -> None:
    if is_remote(path):
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        write_atomically(path, content.getvalue())
        return
    existing = next(each for each in path.absolute().parents if each.exists())
    if not existing.stat().st_mode & ANYONE_WRITES:  # which keeps all but a superuser from it
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(existing))
    path.parent.mkdir(parents=True, exist_ok=True)
    # The half-written file has a name of its own: several processes may make the same.
    half = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")
    try:
        with open(half, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
