"""Which operations of a program take the time, from a profiler trace of it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jax.profiler import ProfileData


class Operation(NamedTuple):
    """An operation of the compiled program.

    Attributes:
      name: XLA's name of it.
      source: where the model calls it; "" where that is not known.
      seconds: its time in the whole trace, on all devices together.
      share: its share of the time of all operations.
    """

    name: str
    source: str
    seconds: float
    share: float


def operations(folder: Path, hlo: str = "") -> list[Operation]:
    """Returns the operations in the traces of a folder, those that took longest first.

    On a CPU the time of each thread counts.

    Args:
      folder: a folder that a profiler wrote to.
      hlo: the compiled program as text, which says where an operation comes from.
    """
    seconds: dict[str, float] = defaultdict(float)
    for file in folder.rglob("*.xplane.pb"):
        for line in _lines(list(ProfileData.from_file(str(file)).planes)):
            for name, nanoseconds in _own_times(line):
                seconds[name] += nanoseconds / 1e9
    sources = dict(re.findall(r'^\s*(?:ROOT )?%?(\S+) = .*\bop_name="([^"]*)"', hlo, re.M))
    total = sum(seconds.values())
    return [
        Operation(name, sources.get(name, ""), own, own / total)
        for name, own in sorted(seconds.items(), key=lambda item: -item[1])
    ]


def _lines(
    planes: list[Any],
) -> Iterator[list[tuple[float, float, str]]]:  # planes have no public type
    """Yields (start, end, operation) of the events of each stream, core or thread."""
    devices = [plane for plane in planes if plane.name.startswith(("/device:GPU", "/device:TPU"))]
    for plane in devices or planes:
        lines = list(plane.lines)
        # A TPU repeats the operations of this line as parts of modules and steps.
        only = [line for line in lines if line.name == "XLA Ops"]
        if not only and devices:
            only = [line for line in lines if line.name.startswith("Stream")]
        for line in only or lines:
            # On a device copies, and what runs outside of a program, have names of their own.
            named = ((e, _operation(e) or (e.name if devices else "")) for e in line.events)
            yield [(e.start_ns, e.end_ns, name) for e, name in named if name]


def _operation(event: Any) -> str:
    return next((str(value) for key, value in event.stats if key == "hlo_op"), "")


def _own_times(events: Iterable[tuple[float, float, str]]) -> Iterator[tuple[str, float]]:
    """Yields (operation, nanoseconds), without the operations inside it, such as a loop's."""
    open_events: list[tuple[float, str]] = []
    for start, end, name in sorted(events, key=lambda event: (event[0], -event[1])):
        while open_events and open_events[-1][0] <= start:
            open_events.pop()
        if open_events:
            yield open_events[-1][1], start - min(end, open_events[-1][0])
        yield name, end - start
        open_events.append((end, name))
