"""How far long work has come, in words."""

import time
from collections.abc import Callable

# It is told what is going on, how much is done (images, say) and how much there is.
Watch = Callable[[str, int, int], None]

SECONDS_BETWEEN_LINES = 10.0


def silent(what: str, done: int, total: int) -> None:
    """Drops what it is told, as the `Watch` of those who want none."""


class Spoken:
    """A `Watch` that says a line now and then, and nothing of what is over within seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Makes a watch whose lines `say` is given."""
        self._say, self._what = say, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Says how far `what` is, where it is time to."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._began, self._said = what, now, now
            self._began_at = done
        if now - self._said >= SECONDS_BETWEEN_LINES and done < total:
            self._said = now
            rate = (done - self._began_at) / (now - self._began)
            speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
            until = left(done, total, rate)
            self._say(f"{what}: {done:,} of {total:,}, {speed} a second, {until}")


def left(done: int, total: int, rate: float) -> str:
    """Returns the time that is left at `rate` a second, such as "0:02:10 left"."""
    if rate <= 0:
        return "time left unknown"
    return f"{clock((total - done) / rate)} left"


def clock(seconds: float) -> str:
    """Returns a time in hours, minutes and seconds, such as 0:02:10."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
