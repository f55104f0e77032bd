"""The config of a theory experiment: the keys that its kind has, and what they may be."""

from collections.abc import Sequence

from ml_collections import ConfigDict

from rethinking_jax.config import KEYS, Member, base_config, check_keys
from rethinking_jax.config.key import table
from rethinking_jax.config.strict import StrictConfig
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.theory.kind import ANYTHING
from rethinking_jax.theory.kinds import KINDS, kind_of


def theory_config(kind: str, **changes: object) -> ConfigDict:
    """Returns the config of one kind of experiment: which data, which labels, and its own keys.

    It has no other keys, so `--config.tensorboard=True` is refused and not ignored.

    Args:
      kind: a key of `KINDS`.
      **changes: values of keys that differ from their defaults.

    Raises:
      UserError: there is no such kind, or it has no such key.
    """
    if kind not in list(KINDS):
        raise UserError(
            f"config.kind={kind!r} is not known{nearest(str(kind), KINDS)} "
            f"(known: {', '.join(KINDS)})"
        )
    base = base_config()
    config = StrictConfig({"kind": kind})
    for key in KINDS[kind].shared:
        # A placeholder such as label_noise keeps its type this way.
        config[key] = base.get_oneway_ref(key) if base[key] is None else base[key]
    config.update(KINDS[kind].defaults())
    config.experiment = kind
    config.lock().update(changes)
    return config


def check(config: ConfigDict) -> None:
    """Checks the config of one run: every key by itself, then what depends on several.

    Raises:
      UserError: the message has the key, what was given and what would be right.
    """
    kind = kind_of(config)
    check_keys(config, {**KEYS, **table(kind.keys)})
    kind.check(config)


def check_effects(config: ConfigDict, members: Sequence[Member]) -> None:
    """Refuses a key that is set and does nothing in any of the runs.

    Raises:
      UserError: the message says which value of which other key it is for.
    """
    defaults = theory_config(config.kind)
    for key, (other, value) in kind_of(config).effects.items():
        given = [member.config[other] for member in members]
        needed = any(given) if value == ANYTHING else value in given
        if config[key] != defaults[key] and not needed:
            raise UserError(f"config.{key}={config[key]} has no effect: it is for {other}={value}")
