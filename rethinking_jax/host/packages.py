"""Packages that only some commands need, and that an extra of this one installs."""

import importlib.util
import shlex
from pathlib import Path

from rethinking_jax.errors import UserError


def install(extra: str) -> str:
    """Returns the command that installs an extra: from the checkout, where it runs from one."""
    checkout = Path(__file__).parents[2]
    known = str(checkout) if (checkout / "pyproject.toml").is_file() else "rethinking_jax"
    return f"pip install {shlex.quote(f'{known}[{extra}]')}"


def check_slides(what: str) -> None:
    """Refuses to begin what ends with a deck where the package that writes it is missing.

    Args:
      what: what asks for a deck, for the message, such as "--slides=talk.pptx".

    Raises:
      UserError: python-pptx is not installed; the message says how to.
    """
    if importlib.util.find_spec("pptx") is None:
        raise UserError(f"{what} needs python-pptx: {install('slides')}")
