"""What a report says, and whether all of it is in Spanish."""

import html
import re
from pathlib import Path

from rethinking_jax.analysis import findings
from rethinking_jax.language.phrases import spoken, untranslated
from rethinking_jax.report.section import Section, section
from rethinking_jax.report.translation import translated

# English words that no Spanish text has, whatever the phrase book says.
ENGLISH = re.compile(r"\b(the|of|with|and|are|is|at|by|from|for|than|which|runs?|not|least)\b")


def texts(shown: Section) -> list[str]:
    """Returns every text of an English section that is translated, once, but its title.

    Of that the word before "on" is the experiment's name, whatever the user calls it.
    """
    found: dict[str, None] = {}

    def say(text: str) -> str:
        found.setdefault(text)
        return text

    translated(shown, say)
    return [text for text in found if text != shown.title]


def assert_spanish(*english: str) -> None:
    """Fails where the phrase book lacks a part of a text, or leaves an English word in it."""
    for text in english:
        assert untranslated(text) == [], text
        spanish = spoken(text, "es")
        assert not ENGLISH.search(spanish), spanish


def left_in_english(workdir: Path) -> list[str]:
    """What the phrase book does not know of the section of an experiment of theory.

    Where its config asks for Spanish, the titles that its page and its figures lack are among it.
    """
    found = findings.read(workdir)
    english = section(found._replace(config={**found.config, "language": "en"}))
    unknown = [part for text in texts(english) for part in untranslated(text)]
    if found.config["language"] == "es":
        shown = section(found)
        page = html.unescape((workdir / "report.html").read_text())
        titled = (*shown.plots, *shown.tables, *(gallery for gallery, _ in shown.galleries))
        unknown += [one.title for one in titled if one.title not in page]
        for plot in shown.plots:
            drawn = html.unescape((workdir / "figures" / f"{plot.name}.svg").read_text())
            unknown += [label for label in (plot.x_label, plot.y_label) if label not in drawn]
    return list(dict.fromkeys(unknown))
