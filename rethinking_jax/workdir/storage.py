"""Where results lie: a local folder, or a bucket by etils.epath and fsspec (gs://, s3://).

A local path is a `pathlib.Path`, a remote one an `epath.Path` with the same methods. What the
two do not share is here. Nothing of epath or fsspec is imported for a local path.
"""

import hashlib
import importlib.util
import logging
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import install
from rethinking_jax.workdir.names import is_printable

if TYPE_CHECKING:
    from etils import epath

AnyPath: TypeAlias = "Path | epath.Path"

# The package that fsspec needs for a kind of bucket; the extra `cloud` has both.
PACKAGES = {"gs": "gcsfs", "s3": "s3fs"}
LONGEST_NAME = 255  # bytes, on every usual file system
# Without a network the packages would try again for a minute and more.
ANSWER_SECONDS = 20.0  # how long a bucket may take to answer


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


if any(map(_installed, PACKAGES.values())):
    # Where there is TensorFlow epath would take that, which knows no s3:// and starts slowly.
    # Here, because epath looks at this once, at the first path of whatever kind.
    os.environ.setdefault("EPATH_USE_TF", "false")


def is_remote(path: "AnyPath | str") -> bool:
    """Says whether a path names a bucket; true of every scheme, also one that is not supported."""
    return "://" in os.fspath(path)


def open_path(path: "AnyPath | str") -> AnyPath:
    """Makes a path to read and write through; `~` is expanded, and nothing is touched.

    Raises:
      UserError: a name in it cannot be one of a folder that results go to, or the path is a
        remote one of another scheme, without a bucket, or whose package is missing.
    """
    if not is_remote(path):
        return _local(path)
    scheme, _, rest = os.fspath(path).partition("://")
    if scheme not in PACKAGES:
        raise UserError(f"{path}: a path is a local folder, gs://BUCKET/... or s3://BUCKET/...")
    if not rest.strip("/"):
        raise UserError(f"{path} names no bucket: give {scheme}://BUCKET/FOLDER")
    if not _installed(PACKAGES[scheme]):
        raise UserError(
            f"{path}: {scheme}:// needs the package {PACKAGES[scheme]}: "
            f"{install('cloud')}, or give a local folder"
        )
    _set_up()
    from etils import epath

    return epath.Path(path)


def _local(path: "AnyPath | str") -> Path:
    local = Path(path).expanduser()
    whole = local.absolute()
    if not is_printable(str(whole)):
        # orbax, TensorFlow and JSON take UTF-8 only, and messages are one line.
        raise UserError(
            f"{str(path)!r} is the folder {str(whole)!r}, whose name is not UTF-8 or has control "
            "characters: take another folder"
        )
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in whole.parts):
        raise UserError(f"{path}: a folder's name has at most {LONGEST_NAME} bytes")
    return local


def _set_up() -> None:
    """Quietens the packages for buckets and keeps them from remembering listings."""
    # They log, with a trace, what they raise.
    for name in PACKAGES.values():
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from fsspec.config import conf

    for protocol in ("gs", "gcs", "s3"):
        # A listing that is kept would miss what orbax and other processes write.
        conf.setdefault(protocol, {}).setdefault("use_listings_cache", False)


def written(path: AnyPath) -> float | None:
    """Returns when a file was last written, in seconds since 1970; None where a bucket hides it."""
    stat = path.stat()
    return stat.st_mtime if isinstance(stat, os.stat_result) else stat.mtime or None


def check_readable(path: AnyPath) -> None:
    """Asks a bucket for `path`; a local path is left to its first use.

    Raises:
      UserError: the bucket does not answer, or not to this user.
    """
    if is_remote(path):
        _ask(path, lambda: path.exists())


def check_writable(path: AnyPath) -> None:
    """Refuses a folder, which need not exist, that cannot be written to; leaves nothing there.

    Raises:
      UserError: says why.
    """
    if is_remote(path):
        # Only writing shows whether there is such a bucket and a right to write to it.
        probe = path / f".{socket.gethostname()}-{os.getpid()}.tmp"

        def write_and_remove() -> None:
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)

        _ask(path, write_and_remove)
        return
    absolute_path = absolute(path)
    exists = next(p for p in (absolute_path, *absolute_path.parents) if p.exists())
    if not exists.is_dir() or not os.access(exists, os.W_OK | os.X_OK):
        raise UserError(f"{exists} is not a folder that can be written to")


def _ask(path: AnyPath, question: Callable[[], object]) -> None:
    """Asks a bucket something, in a thread that may hang; says in one line what went wrong."""
    failed: list[Exception] = []

    def ask() -> None:
        try:
            question()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    bucket = "/".join(os.fspath(path).split("/")[:3])
    if thread.is_alive():
        raise UserError(f"{bucket} does not answer within {ANSWER_SECONDS:.0f} seconds")
    if failed:
        if isinstance(failed[0], FileNotFoundError):
            raise UserError(f"there is no bucket {bucket}: make it first")
        # Each package has exceptions of its own: credentials, rights, no network.
        reason = (str(failed[0]).strip() or type(failed[0]).__name__).split("\n")[0]
        raise UserError(f"{bucket} cannot be used with the credentials found here: {reason}")


def absolute(path: AnyPath) -> AnyPath:
    """Returns a local path from the root on; a remote one is complete as it is."""
    # epath would put the current folder in front of it.
    return path if is_remote(path) else path.absolute()


def short_name(name: str) -> str:
    """Returns a name for a file or folder that every file system takes.

    Args:
      name: any text, such as the name of a run.
    """
    safe = re.sub(r"[^A-Za-z0-9_.,=+-]", "_", name)
    # Two names may become the same, a name has a longest length, and ".." is another folder.
    if safe == name and 0 < len(safe) < 120 and not safe.startswith("."):
        return safe
    return f"{safe[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def make_folder(path: AnyPath) -> None:
    """Makes a folder and those above it; a bucket has none, only names with slashes."""
    if not is_remote(path):
        path.mkdir(parents=True, exist_ok=True)


def remove_tree(path: AnyPath) -> None:
    """Removes a folder and all in it, or what else has that name."""
    if is_remote(path):
        path.rmtree()  # type: ignore[union-attr]
    elif path.is_dir() and not Path(path).is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def check_place(path: AnyPath, folder: bool = False, write: bool = False) -> None:
    """Refuses what stands where a file or a folder of ours should be; nothing there is right.

    Args:
      path: where it should be.
      folder: whether it should be a folder.
      write: whether it will be written, too.

    Raises:
      UserError: with what it is, and what to do.
    """
    if is_remote(path) or not os.path.lexists(path):
        return
    wanted = "folder" if folder else "file"
    if not path.exists():
        raise UserError(f"{path} is a link that leads nowhere: remove it")
    if not (path.is_dir() if folder else path.is_file()):
        found = "a folder" if path.is_dir() else "a file" if path.is_file() else "no file"
        raise UserError(f"{path} is {found}, where a {wanted} should be: move it away")
    rights = os.R_OK | (os.W_OK if write else 0) | (os.X_OK if folder else 0)
    if not os.access(path, rights):
        raise UserError(
            f"{path} cannot be {'read and written' if write else 'read'} by this user: change the "
            "permissions of it"
        )


def write_atomically(path: AnyPath, content: str | bytes) -> None:
    """Writes a file so that a reader or a crash sees the old content or the new, whole.

    Raises:
      OSError: it cannot be written.
    """
    # A page may show the name of a file that is not UTF-8.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    if is_remote(path):
        try:
            path.write_bytes(data)  # an object appears when all of it has arrived
        except OSError:
            raise
        except Exception as error:  # the packages behind fsspec have exceptions of their own
            raise OSError(f"{path}: {error}") from error
        return
    temporary = Path(path.with_name(path.name + ".tmp"))
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def append(path: AnyPath, text: str) -> None:
    """Adds text to a file and waits until the disk, or the bucket, has it."""
    if is_remote(path):
        # Objects cannot grow: the whole is written anew. A line per run and epoch is little.
        write_atomically(path, (path.read_text() if path.exists() else "") + text)
        return
    with Path(path).open("a") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
