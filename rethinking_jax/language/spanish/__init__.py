"""The phrase book: each English phrase, with its {names}, and what it is in Spanish."""

from rethinking_jax.language.spanish import (
    claims,
    classes,
    figures,
    joined,
    lesson_claims,
    lesson_sentences,
    lessons,
    sentences,
    tables,
    theory_common,
    theory_complexity,
    theory_critical_samples,
    theory_double_descent,
    theory_easy_examples,
    theory_exact,
    theory_kernel,
    theory_label_errors,
    theory_memorization,
    theory_norms,
    theory_robust_labels,
)

# The files of the phrase book. No phrase stands in two of them.
FILES = (
    claims,
    classes,
    figures,
    joined,
    lesson_claims,
    lesson_sentences,
    lessons,
    sentences,
    tables,
    theory_common,
    theory_complexity,
    theory_critical_samples,
    theory_double_descent,
    theory_easy_examples,
    theory_exact,
    theory_kernel,
    theory_label_errors,
    theory_memorization,
    theory_norms,
    theory_robust_labels,
)
SPANISH: dict[str, str] = {key: text for file in FILES for key, text in file.PHRASES.items()}
