"""Contestants measured in turns, and the ratios of their speeds.

Absolute times drift with whatever else a machine does. In every round each contestant
runs once, one after another, so a ratio of two of them within a round says more than
either time; the spread over the rounds says how much more.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

# Durations that JAX reports of a compilation; those of tracing are left out, for they nest.
COMPILE_EVENTS = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


Progress = Callable[[str], None]  # it is given lines that say what is going on
Given = Any  # what a contestant prepares for its own run, such as weights; nobody else looks at it


class Contestant(NamedTuple):
    """One way to do the work of a round.

    Attributes:
      name: its name in the results.
      prepare: makes what a run is given, such as fresh weights; its time does not count.
      run: does the work with what `prepare` made and waits for the device; this is timed.
      work: number of images, or of another unit, in a round.
      rounds: number of rounds, from the first on, that it takes part in.
    """

    name: str
    prepare: Callable[[], Given]
    run: Callable[[Given], None]
    work: int
    rounds: int = 1_000_000


class Ratio(NamedTuple):
    """The speed of one contestant, `of`, over another's, `over`: in each round and in all."""

    of: str
    over: str
    rounds: list[float]
    median: float
    min: float
    max: float


def interleave(
    contestants: Sequence[Contestant], rounds: int, progress: Progress
) -> dict[str, list[float]]:
    """Runs all contestants in turns.

    Args:
      contestants: the contestants, compiled and warm already.
      rounds: number of turns of each.
      progress: is told the number of the round.

    Returns:
      The seconds of each contestant in each round, by its name.
    """
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for k in range(rounds):
        progress(f"round {k + 1} of {rounds}")
        for contestant in contestants:
            if k < contestant.rounds:
                given = contestant.prepare()
                started = time.perf_counter()
                contestant.run(given)
                seconds[contestant.name].append(time.perf_counter() - started)
    return seconds


def with_cpu_time(contestant: Contestant, seconds: list[float]) -> Contestant:
    """Returns a contestant that notes in `seconds` what all cores of its process took, by round.

    Others who use the machine make each run longer, and take no time of these cores.
    """

    def run(given: Given) -> None:
        started = time.process_time()
        contestant.run(given)
        seconds.append(time.process_time() - started)

    return contestant._replace(run=run)


def speeds(seconds: dict[str, list[float]], work: dict[str, int]) -> dict[str, list[float]]:
    """Returns the work per second of each contestant in each round."""
    return {name: [work[name] / s for s in times] for name, times in seconds.items()}


def ratio(speed: dict[str, list[float]], of: str, over: str) -> Ratio:
    """Returns how many times as fast `of` is as `over`, in each round that both took part in."""
    rounds = [a / b for a, b in zip(speed[of], speed[over], strict=False)]
    return Ratio(of, over, rounds, statistics.median(rounds), min(rounds), max(rounds))


@contextmanager
def compile_seconds() -> Iterator[Callable[[], float]]:
    """Counts the seconds that JAX compiles inside the block; yields their sum so far."""
    durations: list[float] = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event in COMPILE_EVENTS:
            durations.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield lambda: sum(durations)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
