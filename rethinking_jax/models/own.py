"""The name of a model that is given as a class: the place where its class is in the code."""

import importlib
from collections.abc import Callable
from functools import partial, reduce
from typing import cast

import flax.linen as nn

from rethinking_jax.errors import UserError


def own_name(model: Callable[..., nn.Module]) -> str:
    """Returns MODULE:CLASS, and in brackets what a `partial` fixes.

    Args:
      model: a class of Flax Linen, a `functools.partial` of one, or a function that makes one.

    Raises:
      UserError: it is none of them.
    """
    if isinstance(model, nn.Module) or not callable(model):
        raise UserError(
            f"model={type(model).__name__}: give a class of flax.linen, not a network or a text "
            "(a name of MODELS goes into config.model)"
        )
    if isinstance(model, partial):
        fixed = [*map(_text, model.args), *(f"{k}={_text(v)}" for k, v in model.keywords.items())]
        return f"{own_name(model.func)}({', '.join(fixed)})"
    return f"{model.__module__}:{getattr(model, '__qualname__', type(model).__qualname__)}"


def is_own(name: str) -> bool:
    """Says whether a name is one that `own_name` gives."""
    return ":" in name


def imported(name: str) -> Callable[..., nn.Module] | None:
    """Imports what `own_name` named; None where that cannot be had again.

    A class within a function, or of another session of a notebook, is gone; a `partial` has no
    place.
    """
    module, _, place = name.partition(":")
    try:
        found: object = reduce(getattr, place.split("."), importlib.import_module(module))
    except (ImportError, AttributeError, ValueError):
        return None
    return cast(Callable[..., nn.Module], found)


def _text(value: object) -> str:
    # The text of a function would have its address, which is another in each session.
    return str(getattr(value, "__name__", repr(value)))
