"""What is given in Python: a config of the user's own making, models and data sets.

A model or a data set has its name in the config, so that config.json says what was given and a
workdir goes on with the same only.
"""

import re
from collections.abc import Callable, Mapping

from ml_collections import ConfigDict, FieldReference

from rethinking_jax.config.keys import base_config
from rethinking_jax.config.sweeps import parse_sweep
from rethinking_jax.errors import UserError
from rethinking_jax.models import MODELS, Architecture
from rethinking_jax.models.own import is_own, own_name
from rethinking_jax.workdir.metrics import Json


def taken(given: object, theory_config: Callable[[str], ConfigDict]) -> ConfigDict:
    """Returns a config with all keys of its kind that has what is given, and no other keys.

    A value that follows another one goes on following it; see `resolved`.

    Args:
      given: a config, or a dict or ConfigDict of some of its keys.
      theory_config: returns the defaults of a kind of theory experiment, which the key `kind` is.

    Raises:
      UserError: a key is not known or its value is of another type, or it is no config at all.
    """
    if isinstance(given, ConfigDict):
        given = dict(given.items(preserve_field_references=True))
    if not isinstance(given, Mapping):
        raise UserError(
            f"a config must be base_config() with changes, or a dict of keys; it is {given!r:.80}"
        )
    config = theory_config(given["kind"]) if "kind" in given else base_config()
    for key, value in given.items():
        _value(key, value)
        config[key] = value
    return config


def resolved(given: object, theory_config: Callable[[str], ConfigDict]) -> ConfigDict:
    """Returns a config as `taken` does, in which no value follows another one any more.

    Raises:
      UserError: see `taken`.
    """
    fields = taken(given, theory_config).items(preserve_field_references=True)
    return taken({key: _value(key, field) for key, field in fields}, theory_config)


def _value(key: object, field: object) -> object:
    """Returns what a field of a config holds now."""
    try:
        return field.get() if isinstance(field, FieldReference) else field
    except Exception as error:  # it is computed from others, or required and not given
        raise UserError(f"config.{key} has no value: {type(error).__name__}: {error}") from error


def dataset_name(name: str, digest: str) -> str:
    """Returns what the config of a run calls a data set that it is given.

    Args:
      name: what the data set is called.
      digest: eight hexadecimal digits of its content.
    """
    return f"{name}@{digest}"


def with_names(config: ConfigDict, model: Architecture | None, dataset: str | None) -> ConfigDict:
    """Returns a config that has the names of what is given in the place of what it named.

    The model is one of `MODELS` from now on.

    Args:
      config: the config of any kind of experiment.
      model: a class, see `rethinking_jax.models.own.own_name`; None where none is given.
      dataset: a name from `dataset_name`; None where none is given.

    Raises:
      UserError: it would have no effect, or is no model.
    """
    given = {} if dataset is None else {"dataset": dataset}
    if model is not None:
        given["model"] = own_name(model)
        MODELS[given["model"]] = model
    named = config.copy_and_resolve_references()
    swept = {key for run in parse_sweep(config) for key in run}
    for key, name in given.items():
        if key not in config:
            raise UserError(f"{key}= has no effect on config.kind={config.kind}: leave it out")
        if key in swept:
            raise UserError(f"{key}= has no effect: config.sweep sets {key} for its runs")
        named[key] = name
    return named


def check_resumed(stored: Json | None, config: ConfigDict, workdir: object) -> None:
    """Refuses to go on without the model or the data set that a workdir was begun with.

    Args:
      stored: what config.json holds; None where there is none.
      config: the config that is to be carried out.
      workdir: the folder, for the message.

    Raises:
      UserError: with what is to be given.
    """
    for key, was_given in (("model", is_own), ("dataset", _is_given)):
        there, here = str((stored or {}).get(key)), str(config.get(key))
        if was_given(there) and not was_given(here):
            raise UserError(
                f"--workdir={workdir} was begun with {key}={there!r}, which only Python can give: "
                f"go on by rethinking_jax.run(config, workdir, {key}=...)"
            )


def _is_given(dataset: str) -> bool:
    return bool(re.search(r"@[0-9a-f]{8}$", dataset))
