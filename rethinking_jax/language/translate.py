"""What turns English phrases into those of the language of a config."""

from collections.abc import Callable

from rethinking_jax.language.spanish import SPANISH

# What turns an English phrase, with the values of its {names}, into one of a language.
Translate = Callable[..., str]
LANGUAGES = ("en", "es")


def translator(language: str) -> Translate:
    """Returns what translates phrases into a language of `LANGUAGES`.

    What it returns raises a KeyError where a phrase has no translation.
    """

    def translate(phrase: str, **values: object) -> str:
        text = phrase if language == "en" else SPANISH[phrase]
        return text.format(**values) if values else text

    return translate
