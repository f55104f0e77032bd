"""Ladders of widths and of other sizes, as configs write them."""

from rethinking_jax.errors import UserError


def parse(text: str, key: str) -> tuple[int, ...]:
    """Reads whole numbers joined by +, which rise; '' gives ().

    Raises:
      UserError: the config's `key` holds something else.
    """
    try:
        widths = tuple(int(word) for word in text.split("+")) if text else ()
    except ValueError:
        widths = (0,)
    if any(width < 1 for width in widths) or list(widths) != sorted(set(widths)):
        raise UserError(f"config.{key}={text!r} must be rising numbers joined by +, or ''")
    return widths
