"""What a benchmark leaves behind: a record in a JSON file and a table on the screen."""

import importlib.util
import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

import jax

from rethinking_jax.bench.timing import ratio, speeds
from rethinking_jax.errors import UserError
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import write_atomically

Record = Json  # what a benchmark measured, with which settings, on what device


def new_record(bench: str, settings: Json) -> Record:
    """Begins a record: what ran, with which settings, on what."""
    return {
        "bench": bench,
        "settings": settings,
        "device": describe_device(),
        "backend": jax.default_backend(),
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "versions": versions() | _torch(),
    }


def _torch() -> Json:
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    return {
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", ""),
    }


def busy(load: float) -> str:
    """Returns a warning where others use the machine, or ""; `load` is its load average before."""
    if load < 0.5:
        return ""
    return (
        f"the machine is busy (load average {load:.1f}): PyTorch's OpenMP threads wait actively "
        "for cores that others hold and fall behind by a factor, unless OMP_WAIT_POLICY=passive"
    )


def measured(
    seconds: dict[str, list[float]], work: dict[str, int], pairs: Sequence[tuple[str, str]]
) -> Record:
    """Returns the raw times of contestants and what follows from them.

    Args:
      seconds: times of each round, see `timing.interleave`.
      work: number of images of a round, by contestant.
      pairs: contestants (of, over) whose ratio of speeds is wanted; those that were not measured
        are left out.

    Returns:
      The part of a record that holds seconds, images_per_round and ratios.
    """
    speed = speeds(seconds, work)
    ratios = [ratio(speed, a, b) for a, b in pairs if a in speed and b in speed]
    return {
        "seconds": seconds,
        "images_per_round": {name: work[name] for name in seconds},
        "ratios": [r._asdict() for r in ratios],
    }


def check_output(path: str) -> None:
    """Refuses a file that cannot take results, before minutes are spent on them.

    Raises:
      UserError: there is no such folder, or the file is not writable or holds something else.
    """
    if not path:
        return
    file = Path(path)
    read(file)
    made = not file.exists()
    try:
        with file.open("a"):
            pass
    except OSError as error:
        raise UserError(f"--output={path} cannot be written to: {error.strerror}") from None
    if made:
        file.unlink()


def read(path: Path) -> list[Record]:
    """Returns the records of a file; [] where there is none.

    Raises:
      UserError: it cannot be read, or holds something else.
    """
    try:
        text = path.read_text() if path.exists() else ""
        records = json.loads(text or "[]")
    except (OSError, ValueError) as error:
        raise UserError(f"--output={path} is there and cannot be read: {error}") from None
    if not isinstance(records, list) or not all("bench" in record for record in records):
        raise UserError(f"--output={path} is there and holds no results of this command")
    return records


def save(path: str, record: Record) -> None:
    """Adds a record to a JSON list, in place of one of the same bench and settings."""
    kept = [
        old
        for old in read(Path(path))
        if (old["bench"], old["settings"]) != (record["bench"], record["settings"])
    ]
    write_atomically(Path(path), json.dumps([*kept, record], indent=1) + "\n")


def spread(values: Sequence[float], form: str) -> str:
    """Writes the median, the least and the most of values in a format."""
    texts = map(form.format, (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*texts)
