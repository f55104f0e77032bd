"""What the user sees while runs train: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from rethinking_jax.host.console import say
from rethinking_jax.sweep import remaining
from rethinking_jax.sweep.remaining import Ahead, Paces
from rethinking_jax.workdir.metrics import Line, text_of

SECONDS_BETWEEN_PLAIN_LINES = 2.0
# How often something is shown within an epoch, which takes an hour on ImageNet; it waits for a
# step then.
SECONDS_WITHIN_EPOCH = 60.0
BAR_WIDTH = 60  # columns of a terminal that has room for a bar


class SoFar(NamedTuple):
    """How an epoch goes that is under way."""

    speed: float  # images per second of all members
    accuracies: list[float]  # accuracy of each member in the mini-batches so far; [] if unknown


class ProgressReport:
    """Shows the epochs of one chunk of runs after the other; holds nothing that matters."""

    def __init__(self, console: Console) -> None:
        """Shows everything on `console`, live if that is a terminal."""
        self.console = console
        # In a narrow terminal texts fold, and there is no room for a bar.
        bars = [BarColumn(bar_width=16)] if console.width >= BAR_WIDTH else []
        self._bars = Progress(
            _folding("{task.description}"),
            *bars,
            _folding("{task.fields[text]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._epochs = 0
        self._paces: Paces = {}

    @contextmanager
    def showing(
        self, name: str, epochs: int, own: Ahead, later: Sequence[Ahead] = ()
    ) -> Iterator[None]:
        """Shows a chunk while it trains.

        Args:
          name: what it is called.
          epochs: the most epochs that it trains, those behind it included.
          own: what it has before it.
          later: what the chunks after it have before them.
        """
        self._name, self._epochs, self._text = name, epochs, "starting"
        self._own, self._later, done = own, later, epochs - own.epochs
        self._began, self._began_at, self._done = time.monotonic(), done, done
        self._measured, self._measured_at = self._began, done
        self._printed, self._shown = float("-inf"), ""
        self._task = self._bars.add_task(name, total=epochs, text=self._text)
        self._bars.update(self._task, completed=done)
        self._bars.start()
        try:
            yield
        finally:  # a terminal left in the middle of a live line would stay without a cursor
            self._bars.remove_task(self._task)  # first, or its last state would stay, too
            self._bars.stop()
            if self._text != self._shown:
                self._plain(f"{self._name}: {self._text}")

    def batch(self, done: float, so_far: Callable[[], SoFar] | None = None) -> None:
        """Shows how many epochs are done, the part of the current one included.

        `so_far` is asked once a minute in an epoch that is longer than that.
        """
        self._done = done
        if so_far and self._is_due():
            speed, accuracies = so_far()
            accuracy = f"  running accuracy {_spread(accuracies)}" if accuracies else ""
            self._text = f"epoch {done:.2f}/{self._epochs}{accuracy}  {speed:,.0f} images/s"
            self._text_line()
        self._bars.update(self._task, completed=done, text=f"{self._text}{self._left()}")

    def measuring(self, split: str, share: float) -> None:
        """Shows that the fixed model is measured on a split, and which share is behind."""
        self._bars.update(self._task, text=f"{self._text}  measuring {split} {share:.0%}")
        if self._is_due():
            self._line(f"epoch {self._done:.0f}/{self._epochs}  measuring {split} {share:.0%}")

    def epoch(self, lines: Sequence[Line]) -> None:
        """Shows the metrics of an epoch, from a line for each member that took part in it."""
        self._done = lines[0]["epoch"]
        self._take_time(len(lines))
        accuracy = _spread([line["train_accuracy"] for line in lines])
        speed = sum(line["images_per_second"] for line in lines)
        self._text = (
            f"epoch {self._done}/{self._epochs}  train accuracy {accuracy}  {speed:,.0f} images/s"
        )
        self.batch(self._done)
        if time.monotonic() - self._printed > SECONDS_BETWEEN_PLAIN_LINES:
            self._text_line()

    def message(self, text: str) -> None:
        """Shows a text as a line of its own."""
        self._plain(text)

    def _is_due(self) -> bool:
        """Says whether nothing was shown for a minute but the moving bar."""
        return time.monotonic() - max(self._printed, self._began) > SECONDS_WITHIN_EPOCH

    def _text_line(self) -> None:
        self._line(f"{self._text}{self._left()}")
        if self._bars.disable:
            self._shown = self._text

    def _line(self, text: str) -> None:
        self._printed = time.monotonic()
        if self._bars.disable:  # a terminal shows it already
            self._plain(f"{self._name}: {text}")

    def _plain(self, text: str) -> None:
        say(self.console, text)

    def _take_time(self, members: int) -> None:
        """Counts the time since the epoch before as that of this one, of so many members."""
        now, epochs = time.monotonic(), self._done - self._measured_at
        self._own = self._own._replace(members=members)
        if epochs > 0:
            first, each = self._measured_at == self._began_at, (now - self._measured) / epochs
            self._paces = remaining.measured(self._paces, self._own, each, first)
        self._measured, self._measured_at = now, self._done

    def _left(self) -> str:
        """Says how long the rest of these runs takes, and then that of all."""
        own = self._own._replace(epochs=self._epochs - self._done)
        if not own.epochs:
            return ""
        paces, done = self._paces, self._done - self._began_at
        if (own.kind, own.members) not in paces and done > 0:  # in the first epoch
            paces = remaining.measured(paces, own, (time.monotonic() - self._began) / done, True)
        found, of_all = (remaining.left(x, paces) for x in ([own], [own, *self._later]))
        if not found or not of_all:
            return ""
        in_all = f", {remaining.told(of_all)} in all" if self._later else ""
        return f"  {remaining.told(found)}{in_all}"


def _folding(form: str) -> TextColumn:
    """Makes a column of texts, of which none is markup and none is cut."""
    return TextColumn(form, markup=False, table_column=Column(overflow="fold"))


def _spread(accuracies: Sequence[float]) -> str:
    """Writes the accuracy of a run, or the range of those of several."""
    text = text_of(min(accuracies))
    if len(accuracies) > 1:
        text += f" to {text_of(max(accuracies))} ({len(accuracies)} runs)"
    return text
