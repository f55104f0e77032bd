"""What commands print with: every name as it is given, every digit of a number."""

import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # rich is slow to import, and a mistake in a command is answered without it
    from rich.console import Console

USUAL_NAME = 26  # characters of a name that stands on one line of a table
LEAST_NAME = 12  # characters of a line of a longer one
USUAL_WIDTH = 80  # columns of a terminal that does not tell
WIDEST = 10_000  # columns of a console that would hold any table


class _Output:
    """Standard output as it is; where it takes no more, the command is stopped as by a signal."""

    def write(self, text: str) -> int:
        try:
            return sys.stdout.write(text)
        except OSError as error:
            raise _stop(error) from None

    def flush(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise _stop(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)


def _stop(error: OSError) -> KeyboardInterrupt:
    # No OSError: whoever reads data meanwhile would blame the data. rich would end without a word.
    return KeyboardInterrupt(f"its standard output, which takes no more ({error.strerror})")


def make_console(*, quiet: bool = False) -> "Console":
    """Makes the console of a command; to print on a closed pipe raises a KeyboardInterrupt."""
    from rich.console import Console

    console = Console(quiet=quiet, file=cast(IO[str], _Output()))
    if not console.width:  # COLUMNS=0 says that it is not known; rich would print nothing
        console.width = USUAL_WIDTH
    return console


def say(console: "Console", text: str, *, highlight: bool = False) -> None:
    """Prints a text as it is, in lines as long as they are: a terminal folds them.

    Args:
      console: where it is printed.
      text: what is printed; nothing in it is markup.
      highlight: whether a terminal shows numbers and paths in colours.
    """
    console.print(text, soft_wrap=True, markup=False, emoji=False, highlight=highlight)


def print_table(
    console: "Console", title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Prints a table whose first column is a name and whose others are numbers.

    Names and titles fold in a narrow console. Numbers never do: where they need more room than
    there is, the lines are longer than the console is wide.
    """
    from rich import box
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title, "table.title"), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    names, *numbers = zip(columns, *rows, strict=True)
    longest = max(map(len, names[1:]))
    words = [max(len(word) for text in own for word in text.split()) for own in numbers]
    if longest <= USUAL_NAME:
        table.add_column(columns[0], no_wrap=True)
        for heading, width in zip(columns[1:], words, strict=True):
            table.add_column(heading, justify="right", min_width=width)
    else:  # the name has what the numbers leave, with two spaces behind each of them
        widths = [max(word, *map(len, own[1:])) for word, own in zip(words, numbers, strict=True)]
        left = console.width - sum(width + 2 for width in widths) - 2
        table.add_column(columns[0], overflow="fold", width=min(max(left, LEAST_NAME), longest))
        for heading, width in zip(columns[1:], widths, strict=True):
            table.add_column(heading, justify="right", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    least = Measurement.get(console, console.options.update(width=WIDEST), table).minimum
    if least > console.width:
        table.width = least
    console.print(table, crop=False)
