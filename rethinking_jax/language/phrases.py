"""Finished English texts in another language, by the phrase book.

Verdicts, captions and tables are made as whole English sentences, with their numbers in them, and
those of theory are stored so. A sentence is held against the templates of the phrase book: what
stands in the place of a {name} is translated by itself, and fills that place in the translation.
Of the templates that fit, the one with the most literal characters comes first, and of several
ways to fill its places the one with the shortest values; what is in brackets stays together. A text
that no template fits is taken apart at full stops, semicolons, words such as "and", colons, commas,
brackets and beside numbers, into parts of which as much is known as can be.

A {name:format} of an English template holds a number, any other a text of at least one character.
Numbers and names stay as they are: of networks, data sets, devices and config keys. A text that
the phrase book does not know stays English, and `untranslated` tells it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.spanish.names import NAMES
from rethinking_jax.language.templates import (
    NUMBER,
    Joint,
    Template,
    joints,
    patterns,
    phrases,
    templates,
)

# The most parts, between joints of one kind, that a phrase of the book has.
MOST_PARTS = 6
BRACKETS = {")": "(", "]": "["}
COUNTED = re.compile(rf"(?:{NUMBER} )+(?P<things>.+)", re.DOTALL)
VALUED = re.compile(rf"(?P<things>.+?)(?: {NUMBER})+", re.DOTALL)
TWICE_VALUED = re.compile(rf"(?P<things>.+? {NUMBER})(?: {NUMBER})+", re.DOTALL)
# A word, or a name with marks in it such as "checkerboard:500".
WORD = re.compile(r"[^\s()\[\],;:]+(?:[,;:]+[^\s()\[\],;:]+)*")
# What runs, files and config keys are called: something that is no word, without a space.
NAME = re.compile(r"\S*(?:[\d_=]|\.\w)\S*")
SOUNDS_LIKE_Y = re.compile(r"h?i(?!e)", re.IGNORECASE)  # before it "y" becomes "e"


class Said(NamedTuple):
    """A text in Spanish.

    Attributes:
      text: the text; parts that are not known are in English.
      unknown: these parts, in order.
    """

    text: str
    unknown: tuple[str, ...] = ()


def spoken(text: str, language: str) -> str:
    """Returns a finished English text in a language of `rethinking_jax.language.translate`."""
    return text if language == "en" else _said(text).text


def untranslated(text: str) -> list[str]:
    """Returns the parts of a finished English text that the phrase book does not know."""
    return list(_said(text).unknown)


@lru_cache(maxsize=50_000)
def _said(text: str, level: int = 0) -> Said:
    """Returns a text in Spanish: the first way that leaves nothing open, or the one that least.

    Args:
      text: the English text.
      level: the first of the joints that it is taken apart at.
    """
    stripped = text.strip()
    if stripped != text:
        before, _, after = text.partition(stripped) if stripped else (text, "", "")
        inner = _said(stripped, level) if stripped else Said("")
        return Said(f"{before}{inner.text}{after}", inner.unknown)
    if text in phrases():
        return Said(phrases()[text])
    words = WORD.findall(text)
    same = [_stays(word) and word not in SPANISH for word in words]
    if NAME.fullmatch(text) or all(same):
        return Said(text)
    best = Said(text, (text,))
    if all(stays or _is_foreign(word) for stays, word in zip(same, words, strict=True)):
        return best
    for way in _ways(text, level):
        if not way.unknown:
            return way
        if _open_words(way.unknown) < _open_words(best.unknown):
            best = way
    return best


@lru_cache(maxsize=50_000)
def _phrase(text: str, joint: str) -> Said | None:
    """Returns a text that the book knows as a whole, with all its joints of a kind, or None."""
    if text in phrases():
        return Said(phrases()[text])
    return next((way for way in _by_templates(text, joint) if not way.unknown), None)


def _ways(text: str, level: int) -> Iterator[Said]:
    """Yields the ways to translate a text, in the order in which they are believed."""
    yield from _by_templates(text)
    if text.endswith((".", ":")):
        yield _around("", text[:-1], text[-1])
    lower = text[0].lower() + text[1:]
    begins = text[0].isupper() and not text[:2].isupper()
    if begins:  # a phrase that begins a sentence may be one of the book that does not
        yield from map(_capitalized, _by_templates(lower))
    yield from _without_brackets(text)
    for place, joint in enumerate(joints()[level:], start=level):
        if joint.english in text:
            yield from _parted(text, joint, place)
    for pattern in (COUNTED, VALUED, TWICE_VALUED):
        if match := pattern.fullmatch(text):
            start, end = match.span("things")
            yield _around(text[:start], match["things"], text[end:])
    if begins:
        yield _capitalized(_said(lower, level))


def _by_templates(text: str, joint: str = "") -> Iterator[Said]:
    """Yields a text as what each template that fits says, with no `joint` in any value."""
    for english, spanish in templates():
        if all(literal in text for literal in english.literals):
            matches = (pattern.fullmatch(text) for pattern in patterns(english))
            for values in (match.groupdict() for match in matches if match):
                within = joint and any(joint in value for value in values.values())
                if not within and all(map(_is_value, values.values())):
                    yield from _filled(english, spanish, values)


def _is_value(text: str) -> bool:
    """Says whether a text may stand in a place: it is no part of what goes on around it."""
    return _is_balanced(text) and text[0] not in ",;:" and text[-1] not in ",;:"


def _filled(english: Template, spanish: Template, values: dict[str, str]) -> Iterator[Said]:
    """Yields a translated template with its values, unless more is open in them than it says."""
    says = _open_words(english.literals)
    if sum(_is_foreign(word) for value in values.values() for word in WORD.findall(value)) > says:
        return
    said = {name: _said(value) for name, value in values.items()}
    unknown = tuple(part for one in said.values() for part in one.unknown)
    if _open_words(unknown) <= says:
        yield Said(spanish.filled({name: one.text for name, one in said.items()}), unknown)


def _parted(text: str, joint: Joint, place: int) -> Iterator[Said]:
    """Yields a text that is taken apart at a joint, so that as little as can be is not known.

    Where several parts together are a phrase of the book they stay together.

    Args:
      text: the English text.
      joint: where it is taken apart, outside of brackets.
      place: the joint's place in `joints`.
    """
    parts = _parts(text, joint.english)
    count = len(parts)
    best = [Said("")] * (count + 1)  # of what begins at each part
    for start in reversed(range(count)):
        ways = []
        for end in range(min(start + MOST_PARTS, count), start, -1):
            several = joint.english.join(parts[start:end]) + (joint.kept if end < count else "")
            first = (
                _said(several, place + 1) if end == start + 1 else _phrase(several, joint.english)
            )
            if first is not None:
                ways.append(_joined(first, joint.spanish, best[end]) if end < count else first)
        best[start] = min(ways, key=lambda way: _open_words(way.unknown))
    believed = None if joint.believed is None else joint.believed * (count - 1)
    if count > 1 and (believed is None or _open_words(best[0].unknown) <= believed):
        yield best[0]


def _parts(text: str, joint: str) -> list[str]:
    """Returns the parts between joints that are not in brackets; none is empty."""
    parts: list[str] = []
    pending = ""
    for piece in text.split(joint):
        pending = f"{pending}{joint}{piece}" if pending else piece
        if pending and _is_balanced(pending):
            parts.append(pending)
            pending = ""
    return [*parts, pending] if pending else parts


def _joined(first: Said, joint: str, rest: Said) -> Said:
    between = " e " if joint == " y " and SOUNDS_LIKE_Y.match(rest.text) else joint
    return Said(f"{first.text}{between}{rest.text}", first.unknown + rest.unknown)


def _capitalized(said: Said) -> Said:
    return Said(said.text[0].upper() + said.text[1:], said.unknown)


def _around(before: str, inner: str, after: str) -> Said:
    """Returns a text of which a part is translated, and what is around it stays."""
    said = _said(inner)
    return Said(f"{before}{said.text}{after}", said.unknown)


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
    if not depth:
        yield _joined(_said(text[:at]), text[at], _around("", text[at + 1 : -1], closing))


@lru_cache(maxsize=50_000)
def _stays(word: str) -> bool:
    """Says whether a word is the same in each language: a number, a sign or a name."""
    word = word.strip(".'\"")
    if word in ("a", "A", "I"):
        return False
    return (
        word in NAMES
        or any(letter.isdigit() or letter in "_=" for letter in word)
        or all(map(_is_name, re.split("[-+]", word)))
        or re.fullmatch(NUMBER, word) is not None
    )


def _is_name(part: str) -> bool:
    """Says whether a part of a word, between hyphens, is a name or a single letter."""
    return len(part) < 2 or part in NAMES or sum(map(str.isupper, part)) > 1


@cache
def _vocabulary() -> frozenset[str]:
    """Returns all words of the English phrases."""
    return frozenset(word.lower().strip(".'\"") for word in WORD.findall("\n".join(SPANISH)))


def _is_foreign(word: str) -> bool:
    """Says whether no phrase of the book has a word that would have to be translated."""
    return not _stays(word) and word.lower().strip(".'\"") not in _vocabulary()


def _open_words(parts: Iterable[str]) -> int:
    """Returns how many words of some texts would have to be translated."""
    return sum(not _stays(word) for part in parts for word in WORD.findall(part))
