"""The phrase book: each English phrase, with its {names}, and what it is in Spanish."""

from rethinking_jax.language.spanish import (
    claims,
    figures,
    joined,
    lesson_claims,
    lesson_sentences,
    lessons,
    sentences,
    tables,
)

# The files of the phrase book. No phrase stands in two of them.
FILES = (
    claims,
    figures,
    joined,
    lesson_claims,
    lesson_sentences,
    lessons,
    sentences,
    tables,
)
SPANISH: dict[str, str] = {key: text for file in FILES for key, text in file.PHRASES.items()}
