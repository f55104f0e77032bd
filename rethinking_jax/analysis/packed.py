"""A finished workdir in one small file: what its report is drawn from, to send and to commit.

A sweep that was trained in shares is packed as if one workdir had all its runs. It is a zip file
with the config, the summary and the metrics or findings of the workdir, and its pictures of images.
Labels and checkpoints are left out, and so is where things lie on the machine of whoever ran it. A
report of it is the same page as one of the workdir.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from rethinking_jax.analysis import findings, results
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.numbers import PLACES, without_places
from rethinking_jax.analysis.results import PICTURES, Results
from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically

CONFIG, SUMMARY, METRICS = "config.json", "summary.json", "metrics.jsonl"
OF_RUNS = (METRICS, *(f"figures/{name}.{one.kind}" for name, one in PICTURES.items()))
OF_THEORY = ("findings.json", "scores.npz")
NAMES = (CONFIG, SUMMARY, *OF_RUNS, *OF_THEORY)
# The same workdir gives the same bytes, whenever it is packed: the earliest time of a zip file.
TIME = (1980, 1, 1, 0, 0, 0)
# The config keys that only say where things lie.
WHERE = [place.removeprefix("config.") for place in PLACES if place.startswith("config.")]


def is_packed(path: AnyPath) -> bool:
    """Says whether a path is a file that `write` could have written, and no workdir."""
    return path.suffix == ".zip" and path.is_file()


def write(workdir: AnyPath, file: AnyPath) -> None:
    """Packs a finished workdir into a zip file, the same bytes every time.

    Raises:
      UserError: the workdir cannot be read, or it is not finished.
      OSError: the file cannot be written.
    """
    read(workdir)
    names = OF_THEORY if results.is_theory(workdir) else OF_RUNS
    kept = [name for name in (CONFIG, SUMMARY, *names) if (workdir / name).exists()]
    _write({name: _content(name, (workdir / name).read_bytes()) for name in kept}, file)


def write_joined(found: Results, file: AnyPath) -> None:
    """Packs a sweep whose shares are joined, the same bytes every time.

    Args:
      found: what `rethinking_jax.analysis.shares.joined` returns.
      file: the zip file.

    Raises:
      OSError: the file cannot be written.
    """
    lines = [_bytes(line) for of_run in found.lines.values() for line in of_run]
    contents = {
        CONFIG: _content(CONFIG, _bytes(found.config)),
        SUMMARY: _content(SUMMARY, _bytes(found.summary)),
        METRICS: b"".join(lines),
    }
    _write(contents, file)


def read(path: AnyPath) -> Results | TheoryResults:
    """Reads a finished workdir, or a file that `write` made of one.

    Raises:
      UserError: it is none, or it is damaged.
    """
    if is_packed(path):
        with opened(path) as folder:
            return read(folder)
    return findings.read(path) if results.is_theory(path) else results.read(path)


@contextmanager
def opened(file: AnyPath) -> Iterator[Path]:
    """Unpacks a file that `write` made, and gives the folder, which is there for a while only.

    Raises:
      UserError: the file is none, or it is damaged, also where that shows only when the folder
        is read.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(BytesIO(file.read_bytes())) as pack:
                for name in set(NAMES) & set(pack.namelist()):
                    pack.extract(name, folder)
            yield Path(folder)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise UserError(f"{file} is no packed workdir: {first_line(error)}") from None
        except UserError as error:
            raise UserError(f"{file} is no packed workdir: {error}") from None


def _write(contents: Mapping[str, bytes], file: AnyPath) -> None:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as pack:
        for name, content in contents.items():
            pack.writestr(_entry(name), content)
    write_atomically(file, whole.getvalue())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _content(name: str, content: bytes) -> bytes:
    """Returns a file of a workdir, without where things lie on its machine."""
    if name == CONFIG:
        return _bytes(_without_where(json.loads(content)))
    if name == SUMMARY:
        summary = json.loads(content)
        members = [_without_where_of_member(one) for one in summary["members"]]
        command = without_places(summary.get("command"))
        return _bytes({**summary, "command": command, "members": members})
    return content


def _without_where_of_member(member: Json) -> Json:
    if "config" not in member:
        return member
    return {**member, "config": _without_where(member["config"])}


def _without_where(config: Json) -> Json:
    """Empties the keys of a config, and of the runs of its sweep, that say where things lie."""
    kept = {key: "" if key in WHERE else value for key, value in config.items()}
    runs = config.get("sweep") or []
    return {**kept, "sweep": [_without_where(run) for run in runs]} if runs else kept


def _bytes(value: Json) -> bytes:
    return (json.dumps(value) + "\n").encode()
