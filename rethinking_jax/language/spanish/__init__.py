"""The phrase book: each English phrase, with its {names}, and what it is in Spanish."""

from rethinking_jax.language.spanish import (
    joined,
    lessons,
    theory_common,
    theory_complexity,
    theory_exact,
    theory_kernel,
)

# The files of the phrase book. No phrase stands in two of them.
FILES = (joined, lessons, theory_common, theory_complexity, theory_exact, theory_kernel)
SPANISH: dict[str, str] = {key: text for file in FILES for key, text in file.PHRASES.items()}
