"""Models and data sets that are given in Python: the config has names of them.

So config.json says what was given, and a workdir goes on with the same only.
"""

import re

from ml_collections import ConfigDict

from rethinking_jax.config.sweeps import parse_sweep
from rethinking_jax.errors import UserError
from rethinking_jax.models import MODELS, Architecture
from rethinking_jax.models.own import is_own, own_name
from rethinking_jax.workdir.metrics import Json


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
