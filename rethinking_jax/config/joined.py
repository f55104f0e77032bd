"""The names that one key joins by +, such as measures=spectral+path."""

from collections.abc import Iterable

from ml_collections import ConfigDict

from rethinking_jax.errors import UserError, nearest


def names_of(config: ConfigDict, key: str, known: Iterable[str]) -> list[str]:
    """Returns the names that a key joins by +.

    Raises:
      UserError: one is not known, or is there twice.
    """
    text, known = str(config[key]), list(known)
    names = text.split("+")
    for name in names:
        if name not in known or names.count(name) > 1:
            raise UserError(
                f"config.{key}={text}: {name!r} is not known, or there twice{nearest(name, known)} "
                f"(some of {'+'.join(known)})"
            )
    return names
