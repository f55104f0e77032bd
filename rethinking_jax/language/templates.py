"""The templates of the phrase book, and what fits them."""

import re
from functools import cache
from string import Formatter
from typing import NamedTuple

from rethinking_jax.language.spanish import SPANISH

NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?|inf|nan)"


class Template(NamedTuple):
    """A text with places, of the phrase book.

    Attributes:
      text: the template with its {names}.
      literals: the texts around its places.
      places: the name of each place, and whether it holds a number.
    """

    text: str
    literals: tuple[str, ...]
    places: tuple[tuple[str, bool], ...]

    def filled(self, values: dict[str, str]) -> str:
        """Returns the text with a value in each place, as it is."""
        names = [name for name, _ in self.places]
        parts = zip(self.literals, [*map(values.__getitem__, names), ""], strict=True)
        return "".join(literal + value for literal, value in parts)


class Joint(NamedTuple):
    """What stands between the parts of a text.

    Attributes:
      english, spanish: the joint.
      kept: what of the English one belongs to the part before it.
      believed: how many unknown words it makes up for, where it is found; None: for any number.
    """

    english: str
    spanish: str
    kept: str = ""
    believed: int | None = None


# Where the largest parts of a text end, and the smallest.
LARGE = (Joint("\n", "\n"), Joint(". ", " ", "."), Joint("; ", "; "))
SMALL = (Joint(": ", ": "), Joint(", ", ", "))


def template_of(text: str) -> Template:
    """Takes a template apart into the texts and the places that it is made of."""
    literals, places = [""], []
    for literal, name, form, _ in Formatter().parse(text):
        literals[-1] += literal
        if name is not None:
            literals.append("")
            places.append((name, bool(form)))
    return Template(text, tuple(literals), tuple(places))


def is_infix(template: Template) -> bool:
    """Says whether a template is two texts with words between, such as "{one} or {other}"."""
    texts = [number for _, number in template.places] == [False, False]
    return texts and template.literals[0] == template.literals[2] == ""


@cache
def phrases() -> dict[str, str]:
    """Returns the phrases without places, as they are read, by their English."""
    made = [(template_of(english), template_of(text)) for english, text in SPANISH.items()]
    return {
        english.literals[0]: spanish.literals[0] for english, spanish in made if not english.places
    }


@cache
def templates() -> tuple[tuple[Template, Template], ...]:
    """Returns what has places, English and Spanish; that with the most literal characters first.

    What is a joint is none of them.
    """
    made = [(template_of(english), template_of(text)) for english, text in SPANISH.items()]
    known = [pair for pair in made if pair[0].places and not is_infix(pair[0])]
    return tuple(sorted(known, key=lambda pair: (-sum(map(len, pair[0].literals)), pair[0].text)))


@cache
def joints() -> tuple[Joint, ...]:
    """Returns all joints, those of the largest parts first, of words the longest first."""
    made = [(template_of(english), template_of(text)) for english, text in SPANISH.items()]
    of_words = [
        Joint(english.literals[1], spanish.literals[1], believed=len(english.literals[1].split()))
        for english, spanish in made
        if is_infix(english)
    ]
    by_length = sorted(of_words, key=lambda joint: (-len(joint.english), joint.english))
    return (*LARGE, *by_length, *SMALL)


@cache
def patterns(template: Template) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what fits a template with its values as short, or else as long, as they can be."""
    return _pattern(template, ".+?"), _pattern(template, ".+")


def _pattern(template: Template, anything: str) -> re.Pattern[str]:
    parts, seen = [re.escape(template.literals[0])], set()
    for (name, number), literal in zip(template.places, template.literals[1:], strict=True):
        own = f"(?P<{name}>{NUMBER if number else anything})"
        parts += [f"(?P={name})" if name in seen else own, re.escape(literal)]
        seen.add(name)
    return re.compile("".join(parts), re.DOTALL)
