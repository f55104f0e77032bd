"""What a report says, and whether all of it is in Spanish."""

import re

from rethinking_jax.language.phrases import spoken, untranslated
from rethinking_jax.report.section import Section
from rethinking_jax.report.translation import translated

# English words that no Spanish text has, whatever the phrase book says.
ENGLISH = re.compile(r"\b(the|of|with|and|are|is|at|by|from|for|than|which|runs?|not|least)\b")


def texts(section: Section) -> list[str]:
    """Returns every text of a section that is translated, once, but its title.

    Of that the word before "on" is the experiment's name, whatever the user calls it.
    """
    found: dict[str, None] = {}

    def say(text: str) -> str:
        found.setdefault(text)
        return text

    translated(section, say)
    return [text for text in found if text != section.title]


def assert_spanish(*english: str) -> None:
    """Fails where the phrase book lacks a part of a text, or leaves an English word in it."""
    for text in english:
        assert untranslated(text) == [], text
        spanish = spoken(text, "es")
        assert not ENGLISH.search(spanish), spanish
