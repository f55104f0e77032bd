"""A profiler trace of a few steps of a run: what `config.profile` asks for."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import jax

from rethinking_jax.sweep.engine import Pieces, Taken

# How many pieces are skipped and traced: the first compile, and fill what is read ahead.
SKIPPED, TRACED = 10, 5

# (the pieces of an epoch, step before them, steps of an epoch) -> the same pieces, of which
# some may be traced.
Traced = Callable[[Pieces, int, int], Pieces]


def trace_options() -> jax.profiler.ProfileOptions:
    """Leaves each call of a Python function out: a trace has room for so many events only."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    return options


@contextmanager
def step_profile(folder: Path | None, say: Callable[[str], None]) -> Iterator[Traced]:
    """Traces some steps of the first epoch that is long enough, once.

    A piece is what one call of a program trains (see `rethinking_jax.sweep.engine.Feed`): in most
    cases a step. It traces the pieces 10 to 15 of the first epoch or, where it has fewer,
    up to five from the start of the second one: a scanned epoch is one piece.

    Args:
      folder: where the trace is written; None: nothing is traced.
      say: is told where the trace lies and how to look at it, or why there is none.

    Yields:
      A function that takes the pieces of every epoch and hands them on.
    """
    if folder is None:
        yield lambda pieces, step, per_epoch: pieces
        return
    profile = _Profile(folder, say)
    try:
        yield profile.traced
    finally:
        if not profile.is_over:
            say("config.profile: nothing is traced: the run ended before a step after compilation")


class _Profile:
    """Whether the one trace of a command was made."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._skipped = SKIPPED
        self.is_over = False

    def traced(self, pieces: Pieces, step: int, per_epoch: int) -> Pieces:
        return pieces if self.is_over else self._traced(pieces, step, per_epoch)

    def _traced(self, pieces: Pieces, step: int, per_epoch: int) -> Pieces:
        skipped, self._skipped = self._skipped, 0
        with closing(pieces):
            done, running = step % per_epoch, None
            for taken in islice(pieces, skipped):
                done, running = taken.done, taken.carry[1]
                yield taken
            if done < per_epoch:
                jax.block_until_ready(running)  # the trace begins between two steps
                yield from self._trace(pieces, step - step % per_epoch, done)
                yield from pieces

    def _trace(self, pieces: Pieces, epoch_start: int, done: int) -> Generator[Taken, None, None]:
        self.is_over = True
        try:
            jax.profiler.start_trace(str(self._folder), profiler_options=trace_options())
        except (OSError, RuntimeError) as error:  # another one may be under way
            self._say(f"config.profile: nothing is traced: {error}")
            return
        first, taken = epoch_start + done, None
        try:
            for _ in range(TRACED):
                with jax.profiler.StepTraceAnnotation("train", step_num=epoch_start + done):
                    taken = next(pieces, None)
                if taken is None:
                    break
                done = taken.done
                yield taken
        finally:
            if taken is not None:
                jax.block_until_ready(taken.carry[1])  # the trace ends between two steps, too
            self._stop(first, epoch_start + done)

    def _stop(self, first: int, last: int) -> None:
        try:
            jax.profiler.stop_trace()
        except (OSError, RuntimeError) as error:  # this is no reason to end a run
            self._say(f"config.profile: the trace cannot be written to {self._folder}: {error}")
            return
        self._say(
            f"profile of steps {first:,} to {last:,}: {self._folder}; to look at it: "
            f"pip install xprof, then xprof --logdir={self._folder} (or tensorboard --logdir=...)"
        )
