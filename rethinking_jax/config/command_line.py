"""The config of a command line: a file, and the keys that flags give other values."""

import re
from collections.abc import Callable, Sequence

from absl import flags
from ml_collections import ConfigDict, config_flags

from rethinking_jax import catalog
from rethinking_jax.config import file
from rethinking_jax.config.given import resolved, taken
from rethinking_jax.config.member import members
from rethinking_jax.config.strict import unknown, wanted
from rethinking_jax.config.sweeps import swept_keys
from rethinking_jax.errors import UserError

DEFAULT_CONFIG = "quickstart"

# From a kind of theory experiment to its defaults.
TheoryConfig = Callable[[str], ConfigDict]


def read_flags(
    argv: Sequence[str], values: flags.FlagValues, theory_config: TheoryConfig
) -> list[str]:
    """Reads --config, --config.KEY and the flags that are declared besides them.

    Args:
      argv: the program's name, then the flags.
      values: where the other flags are declared, and the values of all are kept.
      theory_config: returns the defaults of a kind of theory experiment.

    Returns:
      What is left after the flags, the program's name first.

    Raises:
      UserError: the config file or a flag is wrong.
      flags.Error: a flag is not known.
    """
    argv = values.read_flags_from_files(list(argv), force_gnu=False)
    config, argv = _loaded(argv, theory_config)
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=argv)
    try:
        return values(argv)
    except flags.IllegalFlagValueError as error:
        # "flag --config.epochs=x: invalid literal ..." says it in Python's words; say it in ours.
        given = re.match(r"flag (--config\.(\w+)=.*?): ", str(error))
        if not given:
            raise
        type_of_key = config.get_type(given[2])
        raise UserError(f"{given[1]} must be {wanted(type_of_key)}") from None


def config_of(
    rest: Sequence[str], values: flags.FlagValues, theory_config: TheoryConfig
) -> ConfigDict:
    """Returns the config that the flags make, where every one of them has an effect.

    Args:
      rest: what `read_flags` left.
      values: what `read_flags` was given.
      theory_config: see `read_flags`.

    Raises:
      UserError: something else than flags is left, or a key has no effect or a wrong value.
    """
    if len(rest) > 1:
        raise UserError(f"{rest[1]!r}: expected only flags, such as --config.seed=1")
    config = resolved(values.config, theory_config)
    overridden = config_flags.get_override_values(values["config"])
    without_effect = sorted(swept_keys(config) & set(overridden))
    if without_effect:
        key = without_effect[0]
        raise UserError(
            f"--config.{key}={overridden[key]} has no effect: this config's sweep sets {key} for "
            "each run. Add --config.sweep='' for one run"
        )
    if "kind" not in config:  # a mistake in a run that trains is answered at once
        members(config, typed=overridden)
    return config


def _loaded(argv: Sequence[str], theory_config: TheoryConfig) -> tuple[ConfigDict, list[str]]:
    """Returns the config that the command line names, and the command line without its name."""
    named, rest = catalog.named(argv)
    given = str(catalog.shipped()[DEFAULT_CONFIG]) if named is None else named
    loaded = file.load(given)
    try:
        config = taken(loaded, theory_config)
    except UserError as error:
        raise UserError(f"--config={given}: {error}") from None
    for word in rest[1:]:
        match = re.match(r"--?(?:no)?config\.([^=]*)", word)
        if match and match[1] not in config:
            raise UserError(f"--{unknown(match[1], config)}")
        if match and match[1] == "kind":
            raise UserError(
                f"{word}: this config file is of kind {config.kind}; another kind has a file of "
                "its own, such as configs/kernel.py"
            )
    return config, rest
