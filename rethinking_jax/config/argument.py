"""The argument of a config file: the part behind the colon of `--config=file.py:argument`."""

import json

from ml_collections import ConfigDict

from rethinking_jax.config.strict import StrictConfig
from rethinking_jax.errors import UserError, nearest


def parse_argument(argument: str, positional: str = "", **defaults: object) -> ConfigDict:
    """Reads the argument of a config file.

    Args:
      argument: "key=value,key=value"; the first part may be a bare value for the key
        `positional`.
      positional: the key that a bare first part stands for; '': none may.
      **defaults: every key that may be given; its default decides the type.

    Returns:
      The values, with defaults where none was given.

    Raises:
      UserError: unknown key, or a value of another type.
    """
    values = StrictConfig(defaults)
    for i, part in enumerate(filter(None, argument.split(","))):
        key, equals, text = part.partition("=")
        if not equals and i == 0 and positional:
            key, text = positional, part
        if key not in defaults:
            raise UserError(
                f"the config's argument {part!r} is not known{nearest(key, defaults)}. "
                f"Known: {', '.join(f'{k}={v}' for k, v in defaults.items())}"
            )
        try:
            # A locked type: 3.5 for an int or "x" for a float is refused, 1 for a float is not.
            values[key] = text if isinstance(defaults[key], str) else json.loads(text.lower())
        except (ValueError, TypeError):
            kind = type(defaults[key]).__name__
            raise UserError(f"the config's argument {key}={text}: must be of type {kind}") from None
    return values
