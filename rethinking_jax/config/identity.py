"""What makes two configs the same run, and configs as JSON."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence

from ml_collections import ConfigDict

from rethinking_jax.config.effects import NOT_IDENTITY
from rethinking_jax.config.key import Key
from rethinking_jax.config.keys import KEYS, base_config
from rethinking_jax.config.sweeps import Overrides, runs
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.share import SHARE, WHOLE

# Scopes of keys that the runs of one program need not share.
NOT_IN_A_PROGRAM = ("location", "resource", "command", "array")
# These said what a run is in the first version, which named default workdirs by them, too.
FORMERLY_IDENTITY = (
    "checkpoint_every",
    "checkpoint_every_steps",
    "checkpoints_to_keep",
    "epoch_loop",
    "max_members",
    "vectorize",
)
# Keys that the first version did not have: at their defaults they were in no digest of its own.
ADDED = (
    "corruption_seed",
    "deterministic",
    "init_scale",
    "initializer",
    "labels_file",
    "loss",
    "loss_strength",
    "matmul_precision",
    "measures",
    "record_examples",
)


def to_json(config: ConfigDict) -> Json:
    """Returns the config as values of JSON, the sweep as a list."""
    plain: Json = json.loads(config.to_json())
    plain["sweep"] = json.loads(config.sweep) if config.sweep else []
    return plain


def from_json(plain: Json) -> ConfigDict:
    """Returns the config that `to_json` was given; keys that it did not have are at defaults."""
    config = base_config()
    of_runs = {key: value for key, value in plain.items() if key not in (SHARE, WHOLE)}
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in of_runs.items()}
    with config.unlocked():  # an earlier version may have had more keys
        config.update({**values, "sweep": runs(plain["sweep"]) if plain["sweep"] else ""})
    return config


def identity_of(plain: Json, keys: Mapping[str, Key] = KEYS) -> Json:
    """Returns the part of a config that says what is run, not where or how fast.

    A key at its default is left out, so that a config of before there was such a key is the same.

    Args:
      plain: the config, as `to_json` gives it.
      keys: the keys of such a config, with their defaults.
    """
    defaults = {name: _plain(key.unset) for name, key in keys.items()}
    changed = {key: value for key, value in plain.items() if value != defaults.get(key, ...)}
    sweep = [_run_identity(run) for run in plain["sweep"]]
    return {**_without(NOT_IDENTITY, changed), "sweep": sweep}


def static_part(config: ConfigDict) -> Json:
    """Returns what runs must have in common to be members of one program."""
    return _without(NOT_IN_A_PROGRAM, to_json(config))


def digest(config: ConfigDict, keys: Mapping[str, Key] = KEYS) -> str:
    """Returns eight hexadecimal digits that name what a config with these keys runs."""
    return _digest(identity_of(to_json(config), keys))


def runs_digest(of_runs: Sequence[ConfigDict]) -> str:
    """Returns eight hexadecimal digits that name what each of some runs is, in their order."""
    return _digest([identity_of(run) for run in _plain_runs(of_runs)])


def shorter_digests(of_runs: Sequence[ConfigDict]) -> set[str]:
    """Returns the digests of runs that are these, but end some epochs sooner, all at the same."""
    plain = _plain_runs(of_runs)
    return {
        _digest([identity_of({**run, "epochs": epochs}) for run in plain])
        for epochs in range(1, max(run["epochs"] for run in plain))
    }


def former_digest(config: ConfigDict) -> str:
    """Returns the digest that the first version made of a config."""
    plain = {
        key: value
        for key, value in to_json(config).items()
        if key not in ADDED or value != _plain(KEYS[key].unset)
    }
    former = {key: plain[key] for key in FORMERLY_IDENTITY if key in plain}
    return _digest(_without(NOT_IDENTITY, plain) | former)


def default_workdir(config: ConfigDict, keys: Mapping[str, Key] = KEYS) -> str:
    """Returns runs/EXPERIMENT-DIGEST, or the folder that an earlier version made for this config.

    The first version had a digest of its own, and the second took the defaults of `KEYS` for all.
    """
    digests = (digest(config, keys), digest(config), former_digest(config))
    names = [f"runs/{config.experiment}-{made}" for made in digests]
    return next((name for name in names if os.path.exists(name)), names[0])


def _without(scopes: tuple[str, ...], values: Json) -> Json:
    return {
        key: value
        for key, value in values.items()
        if key not in KEYS or KEYS[key].scope not in scopes
    }


def _plain_runs(of_runs: Sequence[ConfigDict]) -> list[Json]:
    # The sweep of the command says nothing of a run, whose config has what it sets.
    return [{**json.loads(config.to_json()), "sweep": []} for config in of_runs]


def _plain(value: object) -> object:
    """Returns a value of a config as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def _run_identity(run: Overrides) -> Overrides:
    # A run without a name is named by all that it sets: another value is another run.
    return _without(NOT_IDENTITY, run) if "name" in run else run


def _digest(plain: Json | list[Json]) -> str:
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
