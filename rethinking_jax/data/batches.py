"""Batches are read ahead of the training step, in order and with bounded memory."""

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from rethinking_jax.data.dataset import Read, Split, one_line
from rethinking_jax.errors import RunFailed

# A batch is put together while another one is read.
BATCHES_AHEAD = 2


class HostBatch(NamedTuple):
    """A batch of examples on the host.

    Attributes:
      images: uint8 [b, h, w, c], before any corruption.
      labels: int32 [b], the true ones.
      ids: uint32 [b].
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


class _Failed(NamedTuple):
    """Takes the place of what could not be read, so that the error arrives as itself."""

    error: Exception


class _Slices:
    """The random-access source that grain reads, whose elements are parts of batches.

    grain counts what it reads ahead in elements. If these were whole batches, as many as
    there are threads would be held at once, each of them read by one thread.
    """

    def __init__(self, read: Read, positions: np.ndarray, slice_size: int) -> None:
        self._read, self._positions, self._size = read, positions, slice_size
        self.per_batch: int = -(-positions.shape[1] // slice_size)

    def __len__(self) -> int:
        return len(self._positions) * self.per_batch

    def __getitem__(self, k: int) -> np.ndarray | _Failed:
        step, part = divmod(int(k), self.per_batch)
        chosen = self._positions[step, part * self._size : (part + 1) * self._size]
        try:
            return self._read(chosen)
        except Exception as error:
            return _Failed(error)


def read_batches(
    split: Split, positions: np.ndarray, *, threads: int, workers: int
) -> Generator[HostBatch, None, None]:
    """Reads the batches that `positions` names, ahead of their use.

    Whoever does not take all of them has to `close()` the generator. It holds about two
    batches at any time, and at least a slice (`reader.slice_size` images) for every thread.

    Args:
      split: the streamed split to read from.
      positions: int64 [steps, b], each in [0, n); repeats are allowed.
      threads: how many threads read and decode, at least 1; with workers, in each of them.
      workers: how many processes the threads are in; 0 is this process, which is best for
        most machines, because decoding leaves Python's lock alone.

    Yields:
      A `HostBatch` for each row of `positions`, in that order whatever threads and workers
      are.

    Raises:
      Exception: what reading raised, wherever it did; `UserError` stays one.
      RunFailed: a worker process died.
    """
    if threads < 1 or workers < 0:
        raise ValueError(f"threads={threads} must be at least 1 and workers={workers} 0 or more")
    steps, size = positions.shape
    if not steps or not size:
        return
    reader = split.reader
    slices = _Slices(reader.read, positions, min(reader.slice_size, size))
    iterator = _read_ahead(slices, threads, workers)
    try:
        for row in positions:
            images = _join([_next(iterator) for _ in range(slices.per_batch)], workers > 0)
            yield HostBatch(images, split.labels[row], split.ids[row])
    finally:
        iterator.close()


def _read_ahead(slices: _Slices, threads: int, workers: int) -> Any:
    """Returns the iterator of grain, which has no types, over the slices."""
    import grain  # it takes seconds to import

    ahead = -(-BATCHES_AHEAD * slices.per_batch // max(workers, 1))
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=max(threads, ahead))
    dataset = grain.MapDataset.source(slices).to_iter_dataset(options)
    if workers:
        from absl import flags

        # grain asks its flags, which only absl's own app.run has parsed.
        if not flags.FLAGS.is_parsed():
            flags.FLAGS.mark_as_parsed()
        dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    return iter(dataset)


def _next(iterator: Iterator[np.ndarray | _Failed]) -> np.ndarray:
    try:
        found = next(iterator)
    except Exception as error:
        raise RunFailed(f"reading ahead failed: {one_line(error)}") from error
    if isinstance(found, _Failed):
        raise found.error
    return found


def _join(slices: list[np.ndarray], shared: bool) -> np.ndarray:
    """Joins slices into one array, copied where another process shares their memory."""
    if len(slices) == 1:
        return slices[0].copy() if shared else slices[0]
    return np.concatenate(slices)
