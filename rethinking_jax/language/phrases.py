"""Finished English texts in another language, by the phrase book.

Verdicts, captions and tables are made as whole English sentences, with their numbers in them, and
those of theory are stored so. A sentence is held against the templates of the phrase book: what
stands in the place of a {name} is translated by itself, and fills that place in the translation.
Of the templates that fit, the one with the most literal characters comes first, and of several
places where a {name} could end the first. A text that no template fits is taken apart at full
stops, semicolons, colons, commas, brackets, the word "and", and after a number.

A {name:format} of an English template holds a number, any other a text of at least one character.
Numbers and names stay as they are: of networks, data sets, devices and config keys. A text that
the phrase book does not know stays English, and `untranslated` tells it.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from string import Formatter
from typing import NamedTuple

from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.spanish.names import NAMES

NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?|inf|nan)"
# Between which marks a text is taken apart, those of the largest parts first.
JOINTS = ("\n", ". ", "; ", ": ", ", ", " and ")
IN_SPANISH = {" and ": " y "}
BRACKETED = re.compile(r"(?P<before>.*?) ?(?P<open>[(\[])(?P<within>.*)(?P<close>[)\]])", re.DOTALL)
COUNTED = re.compile(rf"(?P<count>{NUMBER}) (?P<things>.+)", re.DOTALL)
WORD = re.compile(r"[^\s()\[\],;:]+")


class Said(NamedTuple):
    """A text in Spanish.

    Attributes:
      text: the text; parts that are not known are in English.
      unknown: these parts, in order.
    """

    text: str
    unknown: tuple[str, ...] = ()


class Template(NamedTuple):
    """An English template of the phrase book.

    Attributes:
      english: the template, the key of its translation.
      literals: the texts around its places.
      places: the name of each place, and whether it holds a number.
    """

    english: str
    literals: tuple[str, ...]
    places: tuple[tuple[str, bool], ...]


def spoken(text: str, language: str) -> str:
    """Returns a finished English text in a language of `rethinking_jax.language.translate`."""
    return text if language == "en" else _said(text).text


def untranslated(text: str) -> list[str]:
    """Returns the parts of a finished English text that the phrase book does not know."""
    return list(_said(text).unknown)


def template_of(english: str) -> Template:
    """Takes a template apart into the texts and the places that it is made of."""
    literals, places = [""], []
    for literal, name, form, _ in Formatter().parse(english):
        literals[-1] += literal
        if name is not None:
            literals.append("")
            places.append((name, bool(form)))
    return Template(english, tuple(literals), tuple(places))


@cache
def _templates() -> tuple[Template, ...]:
    """Returns the templates with places, those with the most literal characters first."""
    made = (template_of(english) for english in SPANISH if "{" in english)
    known = [one for one in made if one.places]
    return tuple(sorted(known, key=lambda one: (-sum(map(len, one.literals)), one.english)))


@cache
def _pattern(template: Template) -> re.Pattern[str]:
    parts, seen = [re.escape(template.literals[0])], set()
    for (name, number), literal in zip(template.places, template.literals[1:], strict=True):
        own = f"(?P<{name}>{NUMBER if number else '.+?'})"
        parts += [f"(?P={name})" if name in seen else own, re.escape(literal)]
        seen.add(name)
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=50_000)
def _said(text: str) -> Said:
    """Returns a text in Spanish: the first way that leaves nothing open, or the one that least."""
    stripped = text.strip()
    if stripped != text:
        before, _, after = text.partition(stripped) if stripped else (text, "", "")
        inner = _said(stripped) if stripped else Said("")
        return Said(f"{before}{inner.text}{after}", inner.unknown)
    if (known := _known(text)) is not None:
        return Said(known)
    if all(_stays(word) for word in WORD.findall(text)):
        return Said(text)
    best = Said(text, (text,))
    for way in _ways(text):
        if not way.unknown:
            return way
        if _open_words(way.unknown) < _open_words(best.unknown):
            best = way
    return best


def _ways(text: str) -> Iterator[Said]:
    """Yields the ways to translate a text, in the order in which they are believed."""
    for template in _templates():
        if all(literal in text for literal in template.literals):
            match = _pattern(template).fullmatch(text)
            if match is not None:
                yield from _filled(template, match.groupdict())
    for joint in JOINTS:
        yield from _parted(text, joint)
    yield from _without_brackets(text)
    if counted := COUNTED.fullmatch(text):
        inner = _said(counted["things"])
        yield Said(f"{counted['count']} {inner.text}", inner.unknown)
    if text.endswith((".", ":")):
        inner = _said(text[:-1])
        yield Said(inner.text + text[-1], inner.unknown)
    if text[0].isupper() and not text[:2].isupper():
        # A phrase that begins a sentence may be one of the book that does not.
        inner = _said(text[0].lower() + text[1:])
        if not inner.unknown:
            yield Said(inner.text[0].upper() + inner.text[1:])


def _filled(template: Template, values: dict[str, str]) -> Iterator[Said]:
    """Yields a translated template with its values, unless they say more than it does."""
    said = {name: _said(value) for name, value in values.items()}
    unknown = tuple(part for one in said.values() for part in one.unknown)
    if _open_words(unknown) > _open_words(template.literals):
        return
    text = "".join(
        literal + (said[name].text if name is not None else "")
        for literal, name, _, _ in Formatter().parse(SPANISH[template.english])
    )
    yield Said(text, unknown)


def _parted(text: str, joint: str) -> Iterator[Said]:
    """Yields a text that is taken apart at each place of a joint, the first first."""
    at = text.find(joint)
    while at > 0:
        # A full stop is the end of the first part, and may be part of a phrase.
        kept = len(joint.rstrip()) if joint == ". " else 0
        first, rest = _said(text[: at + kept]), _said(text[at + len(joint) :])
        between = IN_SPANISH.get(joint, joint[kept:])
        yield Said(f"{first.text}{between}{rest.text}", first.unknown + rest.unknown)
        at = text.find(joint, at + 1)


def _without_brackets(text: str) -> Iterator[Said]:
    """Yields a text that ends with something in brackets, both translated by themselves."""
    match = BRACKETED.fullmatch(text)
    if match is None:
        return
    before, within = _said(match["before"]), _said(match["within"])
    space = text[match.end("before") : match.start("open")]
    yield Said(
        f"{before.text}{space}{match['open']}{within.text}{match['close']}",
        before.unknown + within.unknown,
    )


def _known(text: str) -> str | None:
    """Returns the translation of a text that stands in the book as it is."""
    known = SPANISH.get(text)
    return None if known is None or "{" in text else known


def _stays(word: str) -> bool:
    """Says whether a word is the same in each language: a number, a sign or a name."""
    letters = [letter for letter in word if letter.isalpha()]
    return (
        (len(letters) < 2 and word not in ("a", "A", "I"))
        or any(letter.isdigit() or letter == "_" for letter in word)
        or sum(letter.isupper() for letter in letters) > 1
        or word.strip(".'\"") in NAMES
        or re.fullmatch(NUMBER, word) is not None
    )


def _open_words(parts: tuple[str, ...]) -> int:
    """Returns how many words of some texts would have to be translated."""
    return sum(not _stays(word) for part in parts for word in WORD.findall(part))
