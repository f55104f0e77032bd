"""Packages that only some commands need, and that an extra of this one installs."""

import importlib.util

from rethinking_jax.errors import UserError


def check_slides(what: str) -> None:
    """Refuses to begin what ends with a deck where the package that writes it is missing.

    Args:
      what: what asks for a deck, for the message, such as "--slides=talk.pptx".

    Raises:
      UserError: python-pptx is not installed; the message says how to.
    """
    if importlib.util.find_spec("pptx") is None:
        raise UserError(f'{what} needs python-pptx: pip install "rethinking_jax[slides]"')
