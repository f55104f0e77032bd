"""Texts as Markdown, so that nothing in them is taken for its signs."""

import html
import re

SIGNS = re.compile(r"([\\`*_{}\[\]#+-])")


def plain(text: str) -> str:
    """Returns Markdown that shows a text as it is, on one line."""
    marked = SIGNS.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
    return marked.replace("|", "&#124;")  # which would end the cell of a table


def outcome(value: str, shown: str = "") -> str:
    """Returns an outcome, "yes", "no" or "not measured", as a mark of its colour."""
    name = value.replace(" ", "-")
    return f'<span class="outcome {name}">{shown or value}</span>'
