"""Names that users give, to folders, runs and classes: what can be shown, and how it is."""

import re

# Control characters, line breaks, marks that turn the direction of the text behind them around,
# and the halves of characters that stand for the bytes of a file name that is not UTF-8.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def is_printable(text: str) -> bool:
    """Says whether a terminal, a page and a file can hold a text on one line, as it is."""
    return UNPRINTABLE.search(text) is None


def printable(text: str) -> str:
    r"""Returns a text with an escape, such as \x1b, for each character that cannot be printed."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
