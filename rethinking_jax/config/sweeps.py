"""Sweeps: the runs of a config as what each of them overrides, kept in `config.sweep` as JSON.

As text a sweep prints, compares, and can be switched off on the command line
(`--config.sweep=''`).
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from ml_collections import ConfigDict

from rethinking_jax.config.value import plain
from rethinking_jax.errors import UserError

# What one run sets, by key. The values are of the types that JSON has.
Overrides: TypeAlias = dict[str, Any]


def sweep(key: str, values: Iterable[object]) -> list[Overrides]:
    """Returns one run for each value of one key."""
    return [{key: plain(value)} for value in values]


def product(*sweeps: Sequence[Overrides]) -> list[Overrides]:
    """Returns every combination of the runs of some sweeps; the last varies fastest."""
    return [_merge(parts) for parts in itertools.product(*sweeps)]


def zipped(*sweeps: Sequence[Overrides]) -> list[Overrides]:
    """Returns the first run of each sweep as one, the second of each as one, and so on.

    Raises:
      ValueError: the sweeps differ in length.
    """
    return [_merge(parts) for parts in zip(*sweeps, strict=True)]


def runs(overrides: Sequence[Overrides]) -> str:
    """Returns what `config.sweep` holds: the list of runs as JSON.

    A run may have a "name" of its own; else it is named by its values.

    Raises:
      UserError: a value is nothing that JSON has.
    """
    return json.dumps(plain(list(overrides)), default=_refuse)


def parse_sweep(config: ConfigDict) -> list[Overrides]:
    """Returns what each run of a config overrides; one run that overrides nothing without a sweep.

    Raises:
      UserError: `config.sweep` is not a JSON list of runs, each key of which is there once.
    """
    if not config.sweep:
        return [{}]
    try:
        overrides = json.loads(
            config.sweep, object_pairs_hook=_run, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise UserError(f"config.sweep is not JSON ({error}): {config.sweep[:80]!r}") from None
    if not (
        isinstance(overrides, list) and overrides and all(isinstance(o, dict) for o in overrides)
    ):
        raise UserError(
            'config.sweep must be a JSON list of runs such as [{"seed": 0}, {"seed": 1}], '
            f"given {config.sweep[:80]!r}"
        )
    for override in overrides:
        if not isinstance(override.get("name", "a"), str):
            raise UserError(f"config.sweep: name={override['name']!r:.80} must be a text")
    return overrides


def _run(pairs: Sequence[tuple[str, Any]]) -> Overrides:
    """Makes a run of its keys; Python's JSON keeps but the last of two that are the same."""
    run = dict(pairs)
    if len(run) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        values = " and ".join(json.dumps(value) for key, value in pairs if key == twice)
        raise UserError(
            f"config.sweep: one run sets {twice!r} twice, to {values}: leave one out, or make two "
            "runs of it"
        )
    return run


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def swept_keys(config: ConfigDict) -> set[str]:
    """Returns the keys that every run of `config.sweep` sets: overriding them has no effect."""
    return set.intersection(*(set(override) - {"name"} for override in parse_sweep(config)))


def _refuse(value: object) -> NoReturn:
    raise UserError(
        f"config.sweep: {value!r} must be a number, a text, true or false, or a list of numbers"
    )


def _merge(parts: Iterable[Overrides]) -> Overrides:
    return {key: value for part in parts for key, value in part.items()}
