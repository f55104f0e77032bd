"""A config that takes no other keys than its own, and for each of them values of its type only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from ml_collections import ConfigDict, FieldReference

from rethinking_jax.config.sweeps import Overrides, runs
from rethinking_jax.config.value import fitting
from rethinking_jax.errors import UserError, nearest


def unknown(key: object, known: Iterable[str]) -> str:
    """Returns what is said of a key that a config does not have, with the nearest that it has."""
    keys = list(known)
    return f"config.{key} is not a config key{nearest(str(key), keys)} (keys: {', '.join(keys)})"


def wanted(kind: type) -> str:
    """Returns what the value of a key of a type must be, in words."""
    return "a list of whole numbers" if kind is tuple else f"of type {kind.__name__}"


class WrongType(UserError, TypeError):
    """A key is given a value of another type; who knows ConfigDict expects a TypeError."""


class StrictConfig(ConfigDict):
    """A ConfigDict that answers a wrong key or value at once, with one line.

    It takes scalars and arrays of NumPy and JAX, and paths, for what they mean, and a list of
    runs for the key `sweep`. Only a key that was made as a placeholder may be None.
    """

    def __setitem__(self, key: str, value: object) -> None:
        """Sets a key.

        Raises:
          UserError: the config is locked and has no such key.
          WrongType: the value is of another type than the key.
        """
        if key not in self:
            if self.is_locked:
                raise UserError(unknown(key, self))
            super().__setitem__(key, value)
            return
        field = dict(self.iteritems(preserve_field_references=True))[key]
        optional = isinstance(field, FieldReference)
        kind = field.get_type() if optional else type(field)
        try:
            if key == "sweep" and _is_runs(value):
                value = runs(value)
            if not isinstance(value, FieldReference) and not (value is None and optional):
                value = fitting(value, kind)
            super().__setitem__(key, value)
        except (TypeError, OverflowError):
            raise WrongType(f"config.{key}={value!r:.80} must be {wanted(kind)}") from None

    def __getattr__(self, key: str) -> Any:
        """Returns the value of a key.

        Raises:
          AttributeError: there is no such key.
        """
        if key.startswith("_") or key in self:
            return super().__getattr__(key)
        raise AttributeError(unknown(key, self))

    def copy_and_resolve_references(self, visit_map: Any = None) -> ConfigDict:
        """Returns a copy whose keys do not follow each other; a placeholder keeps its type."""
        copy = super().copy_and_resolve_references(visit_map)
        for key, field in self.iteritems(preserve_field_references=True):
            if isinstance(field, FieldReference):
                own = FieldReference(None, field.get_type())
                own.set(copy[key], type_safe=False)
                copy[key] = own
        return copy


def _is_runs(value: object) -> TypeGuard[Sequence[Overrides]]:
    return isinstance(value, (list, tuple)) and all(isinstance(one, Mapping) for one in value)
