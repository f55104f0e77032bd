"""The name of a model that is given as a class: the place where its class is in the code."""

import importlib
from collections.abc import Callable
from functools import partial, reduce
from typing import cast

import flax.linen as nn
import jax
import jax.numpy as jnp

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


def check_logits(name: str, model: nn.Module, shape: tuple[int, ...], num_classes: int) -> None:
    """Refuses a network whose output is no logits, float [b, num_classes].

    Args:
      name: what it is called in the message.
      model: the network.
      shape: (h, w, c) of the images that it is given.
      num_classes: how many logits there must be.

    Raises:
      UserError: with the shape of the output.
    """
    images = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    found, _ = jax.eval_shape(
        lambda x: model.init_with_output(jax.random.key(0), x, train=False), images
    )
    if getattr(found, "shape", None) != (2, num_classes):
        given = list(found.shape) if hasattr(found, "shape") else type(found).__name__
        raise UserError(
            f"model={name!r} makes {given} of 2 images of {list(shape)}: its output must be "
            f"logits, [2, {num_classes}], one for each class"
        )


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
