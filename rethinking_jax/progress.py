"""What the user sees while runs train: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from rethinking_jax.metrics import Line

SECONDS_BETWEEN_PLAIN_LINES = 2.0


class ProgressReport:
    """Shows the epochs of one chunk of runs after the other; holds nothing that matters."""

    def __init__(self, console: Console) -> None:
        """Shows on `console`: live if that is a terminal."""
        self.console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[text]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._epochs = 0

    @contextmanager
    def showing(self, name: str, epochs: int, done: float) -> Iterator[None]:
        """While a chunk trains; `done` of its `epochs` epochs are behind it."""
        self._name, self._epochs, self._text = name, epochs, "starting"
        self._began, self._began_at, self._done = time.monotonic(), done, done
        self._printed = float("-inf")
        self._task = self._bars.add_task(name, total=epochs, text=self._text)
        self._bars.update(self._task, completed=done)
        self._bars.start()
        try:
            yield
        finally:  # a terminal left in the middle of a live line would stay without a cursor
            self._bars.stop()
            self._bars.remove_task(self._task)
            self._plain(f"{self._name}: {self._text}")

    def batch(self, done: float) -> None:
        """Epochs done so far, the part of the current one included."""
        self._done = done
        self._bars.update(self._task, completed=done, text=f"{self._text}{self._left()}")

    def epoch(self, lines: Sequence[Line]) -> None:
        """The metrics of an epoch, a line for each member that took part in it."""
        self._done = lines[0]["epoch"]
        accuracies = [line["train_accuracy"] for line in lines]
        accuracy = f"{min(accuracies):.4f}"
        if len(lines) > 1:
            accuracy += f" to {max(accuracies):.4f} ({len(lines)} runs)"
        speed = sum(line["images_per_second"] for line in lines)
        self._text = (
            f"epoch {self._done}/{self._epochs}  train accuracy {accuracy}  {speed:,.0f} images/s"
        )
        self.batch(self._done)
        now = time.monotonic()
        if self._bars.disable and now - self._printed > SECONDS_BETWEEN_PLAIN_LINES:
            self._printed = now
            self._plain(f"{self._name}: {self._text}{self._left()}")

    def message(self, text: str) -> None:
        """A line of its own."""
        self._plain(text)

    def _plain(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _left(self) -> str:
        """The time that all remaining epochs would take; fitting ends a run sooner."""
        if self._done <= self._began_at:
            return ""
        rate = (time.monotonic() - self._began) / (self._done - self._began_at)
        seconds = int(rate * (self._epochs - self._done))
        return f"  at most {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left"
