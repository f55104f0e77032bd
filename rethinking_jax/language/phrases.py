"""Finished English texts in another language, by the phrase book.

Verdicts, captions and tables are made as whole English sentences, with their numbers in them, and
those of theory are stored so. A sentence is held against the templates of the phrase book: what
stands in the place of a {name} is translated by itself, and fills that place in the translation.
Of the templates that fit, the one with the most literal characters comes first, and of several
ways to fill its places the one with the shortest values; what is in brackets stays together. A text
that no template fits is taken apart at full stops, semicolons, colons, commas, brackets, the word
"and", and beside numbers.

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
SOUNDS_LIKE_Y = re.compile(r"h?i(?!e)", re.IGNORECASE)  # before it "y" becomes "e"
BRACKETS = {")": "(", "]": "["}
COUNTED = re.compile(rf"(?P<count>{NUMBER}) (?P<things>.+)", re.DOTALL)
VALUED = re.compile(rf"(?P<things>.+) (?P<value>{NUMBER})", re.DOTALL)
WORD = re.compile(r"[^\s()\[\],;:]+")
# What runs, files and config keys are called: something that is no word, without a space.
NAME = re.compile(r"\S*(?:[\d_=]|\.\w)\S*")


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
def _patterns(template: Template) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what fits a template with its values as short, or else as long, as they can be."""
    return _pattern(template, ".+?"), _pattern(template, ".+")


def _pattern(template: Template, anything: str) -> re.Pattern[str]:
    parts, seen = [re.escape(template.literals[0])], set()
    for (name, number), literal in zip(template.places, template.literals[1:], strict=True):
        own = f"(?P<{name}>{NUMBER if number else anything})"
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
    words = WORD.findall(text)
    if NAME.fullmatch(text) or all(_stays(word) and word not in SPANISH for word in words):
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
            matches = (pattern.fullmatch(text) for pattern in _patterns(template))
            for values in (match.groupdict() for match in matches if match):
                if all(map(_is_balanced, values.values())):
                    yield from _filled(template, values)
    for joint in JOINTS:
        yield from _parted(text, joint)
    yield from _without_brackets(text)
    yield from _beside_numbers(text)
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
    while at >= 0:
        # A full stop is the end of the first part, and may be part of a phrase.
        kept = len(joint.rstrip()) if joint == ". " else 0
        before, after = text[: at + kept], text[at + len(joint) :]
        if before and after and _is_balanced(before):
            first, rest = _said(before), _said(after)
            between = joint[kept:]
            if joint == " and ":
                between = " e " if SOUNDS_LIKE_Y.match(rest.text) else " y "
            yield Said(f"{first.text}{between}{rest.text}", first.unknown + rest.unknown)
        at = text.find(joint, at + 1)


def _is_balanced(text: str) -> bool:
    """Says whether every bracket of a text is closed in it: what is in brackets stays together."""
    return all(text.count(opening) == text.count(end) for end, opening in BRACKETS.items())


def _without_brackets(text: str) -> Iterator[Said]:
    """Yields a text that ends with something in brackets, both translated by themselves."""
    closing = text[-1]
    if closing not in BRACKETS:
        return
    depth, at = 0, len(text)
    while at and (depth or at == len(text)):
        at -= 1
        depth += (text[at] == closing) - (text[at] == BRACKETS[closing])
    if depth:
        return
    before, within = _said(text[:at]), _said(text[at + 1 : -1])
    said = f"{before.text}{text[at]}{within.text}{closing}"
    yield Said(said, before.unknown + within.unknown)


def _beside_numbers(text: str) -> Iterator[Said]:
    """Yields a text that begins or ends with a number, the rest translated by itself."""
    for match in (COUNTED.fullmatch(text), VALUED.fullmatch(text)):
        if match is not None:
            things = _said(match["things"])
            start, end = match.span("things")
            yield Said(f"{text[:start]}{things.text}{text[end:]}", things.unknown)


def _known(text: str) -> str | None:
    """Returns the translation of a text that stands in the book as it is."""
    known = SPANISH.get(text)
    return None if known is None or "{" in text else known


def _stays(word: str) -> bool:
    """Says whether a word is the same in each language: a number, a sign or a name."""
    word = word.strip(".'\"")
    if word in ("a", "A", "I"):
        return False
    return (
        word in NAMES
        or any(letter.isdigit() or letter in "_=" for letter in word)
        or all(len(part) < 2 or sum(map(str.isupper, part)) > 1 for part in word.split("-"))
        or re.fullmatch(NUMBER, word) is not None
    )


def _open_words(parts: tuple[str, ...]) -> int:
    """Returns how many words of some texts would have to be translated."""
    return sum(not _stays(word) for part in parts for word in WORD.findall(part))
