"""tmp."""

from typing import Any, NamedTuple


class HostBatch(NamedTuple):
    images: Any
    labels: Any
    ids: Any


def read_batches(split, positions, *, threads, workers):
    for row in positions:
        yield HostBatch(split.read(row), split.labels[row], split.ids[row])
