"""The runs of a config: each with its name and its resolved config, checked."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from ml_collections import ConfigDict

from rethinking_jax.config.check import check_training
from rethinking_jax.config.effects import check_distinct, check_effects
from rethinking_jax.config.key import Key
from rethinking_jax.config.keys import KEYS
from rethinking_jax.config.name import check_name
from rethinking_jax.config.strict import WrongType, wanted
from rethinking_jax.config.sweeps import Overrides, parse_sweep
from rethinking_jax.errors import UserError, nearest

# One value for all runs of a command: no sweep may set such a key.
OF_THE_COMMAND = ("location", "resource", "command")
DIGITS = 12  # of a number in the name of a run: more of them tell rounding and not numbers apart


class Member(NamedTuple):
    """One run of an experiment: its name in the results and its resolved config."""

    name: str
    config: ConfigDict


def members(
    config: ConfigDict,
    check: Callable[[ConfigDict], None] | None = check_training,
    keys: Mapping[str, Key] = KEYS,
    typed: Collection[str] = (),
) -> list[Member]:
    """Returns the runs of a config, checked: one, or one for each entry of `config.sweep`.

    Args:
      config: of any kind of experiment.
      check: raises UserError where the resolved config of a run of this kind is wrong; None
        where the runs are known to be right, as those of a workdir, or may be the same, as those
        that are given labels of their own.
      keys: the keys of such a config.
      typed: the keys that were given for this very command.

    Raises:
      UserError: a value is wrong (the message names the key) or does nothing, a sweep sets a key
        that is not known or not one run's own, or two runs are the same.
    """
    result, overrides = [], parse_sweep(config)
    for override in overrides:
        member = config.copy_and_resolve_references()
        for key, value in override.items():
            if key != "name":
                _set(member, keys, key, value)
        name = _name(member, override)
        if check is not None:
            check(member)
            check_name(name, "config.sweep: name")
        result.append(Member(name, member))
    if check is not None:
        check_name(config.experiment, "config.experiment")
    names = [member.name for member in result]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"config.sweep: the run {twice!r} is there twice")
    if check is not None:
        check_effects(dict(result), overrides, keys, typed)
        check_distinct(dict(result), keys)
    return result


def named_as_begun(
    config: ConfigDict, runs: Sequence[Member], begun: Callable[[], Collection[str]]
) -> list[Member]:
    """Returns runs under the names that a workdir has of them.

    An earlier version wrote every digit of a number, as in label_noise=0.30000000000000004: what
    it began goes on under such names.

    Args:
      config: the config of all runs.
      runs: the runs, in the order of the sweep.
      begun: gives the names of the runs that the workdir holds something of. A run of theory has
        runs of its own there, whose names begin with its name and a comma.
    """
    formerly = [
        _name(run.config, own, None) for run, own in zip(runs, parse_sweep(config), strict=True)
    ]
    if formerly == [run.name for run in runs]:
        return list(runs)
    known = begun()
    return [
        run._replace(name=name) if any(f"{one},".startswith(f"{name},") for one in known) else run
        for run, name in zip(runs, formerly, strict=True)
    ]


def _set(config: ConfigDict, keys: Mapping[str, Key], key: str, value: object) -> None:
    known = keys.get(key)
    if key == "kind" or (known and known.scope in OF_THE_COMMAND):
        raise UserError(f"config.sweep: {key!r} is one for the whole command, not a run's own")
    if key not in config:
        raise UserError(f"config.sweep: {key!r} is not a config key{nearest(key, config)}")
    try:
        config[key] = value
    except WrongType:
        wrong = f"{key}={value!r:.80} must be {wanted(config.get_type(key))}"
        raise UserError(f"config.sweep: {wrong}") from None


def _name(config: ConfigDict, override: Overrides, digits: int | None = DIGITS) -> str:
    """Returns the name of a run: its own, or what it sets, with numbers of so many digits."""
    if not override:
        return str(config.get("corruption") or config.get("model"))
    if "name" in override:
        return str(override["name"])
    speaking = ("corruption", "model", "dataset")
    return ",".join(
        str(value) if key in speaking else f"{key}={_spelt(value, digits)}"
        for key, value in override.items()
    )


def _spelt(value: object, digits: int | None) -> str:
    if isinstance(value, float) and digits:
        value = float(f"{value:.{digits}g}")
    return json.dumps(value)
