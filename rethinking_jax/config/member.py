"""The runs of a config: each with its name and its resolved config, checked."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ml_collections import ConfigDict

from rethinking_jax import corruption
from rethinking_jax.config.check import check_training
from rethinking_jax.config.keys import KEYS
from rethinking_jax.config.name import check_name
from rethinking_jax.config.sweeps import Overrides, parse_sweep
from rethinking_jax.errors import UserError, nearest

# One value for all runs of a command: no sweep may set such a key.
OF_THE_COMMAND = ("location", "resource", "command")


class Member(NamedTuple):
    """One run of an experiment: its name in the results and its resolved config."""

    name: str
    config: ConfigDict


def members(
    config: ConfigDict, check: Callable[[ConfigDict], None] | None = check_training
) -> list[Member]:
    """Returns the runs of a config, checked: one, or one for each entry of `config.sweep`.

    Args:
      config: of any kind of experiment.
      check: raises UserError where the resolved config of a run of this kind is wrong; None
        where the runs of a workdir are listed, which were checked.

    Raises:
      UserError: a value is wrong (the message names the key), a sweep sets a key that
        is not known or not one run's own, or two runs are the same.
    """
    result = []
    for override in parse_sweep(config):
        member = config.copy_and_resolve_references()
        for key, value in override.items():
            if key != "name":
                _set(member, key, value)
        name = _name(member, override)
        if check is not None:
            check(member)
            check_name(name, "config.sweep: the name of a run")
        result.append(Member(name, member))
    if check is not None:
        check_name(config.experiment, "config.experiment")
    names = [member.name for member in result]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"config.sweep: the run {twice!r} is there twice")
    # An experiment of theory may draw its labels itself.
    if check is not None and "corruption" in config:
        _check_label_noise(config, [member.config.corruption for member in result])
    return result


def _set(config: ConfigDict, key: str, value: object) -> None:
    if key in KEYS and KEYS[key].scope in OF_THE_COMMAND:
        raise UserError(f"config.sweep: {key!r} is one for the whole command, not a run's own")
    if key not in config:
        raise UserError(f"config.sweep: {key!r} is not a config key{nearest(key, config)}")
    try:
        config[key] = tuple(value) if isinstance(value, list) else value
    except (TypeError, ValueError):
        kind = config.get_type(key).__name__
        raise UserError(f"config.sweep: {key}={value!r} must be of type {kind}") from None


def _name(config: ConfigDict, override: Overrides) -> str:
    if not override:
        return str(config.get("corruption") or config.get("model"))
    if "name" in override:
        name = override["name"]
        return str(name) if isinstance(name, int | float) else name
    speaking = ("corruption", "model", "dataset")
    return ",".join(
        str(value) if key in speaking else f"{key}={json.dumps(value)}"
        for key, value in override.items()
    )


def _check_label_noise(config: ConfigDict, settings: Sequence[str]) -> None:
    known = corruption.CORRUPTIONS
    noisy = [name for name, one in known.items() if one.uses_label_noise]
    if config.label_noise is None or set(noisy) & set(settings):
        return
    if any(known[name].probability() != config.label_noise for name in settings):
        raise UserError(
            f"config.label_noise={config.label_noise} has no effect on corruption={settings[0]}: "
            f"it is for corruption={' or '.join(noisy)}"
        )
