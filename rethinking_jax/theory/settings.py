"""The config of a theory experiment: the keys that its kind has, and what they may be."""

from collections.abc import Mapping, Sequence

from ml_collections import ConfigDict

from rethinking_jax.config import (
    KEYS,
    Member,
    base_config,
    check_keys,
    check_labels_file,
    file,
    taken,
)
from rethinking_jax.config.key import Key, table
from rethinking_jax.config.strict import StrictConfig
from rethinking_jax.errors import UserError
from rethinking_jax.theory.kinds import kind_of, named_kind


def theory_config(kind: str, **changes: object) -> ConfigDict:
    """Returns the config of one kind of experiment: which data, which labels, and its own keys.

    It has no other keys, so `--config.tensorboard=True` is refused and not ignored.

    Args:
      kind: a key of `KINDS`.
      **changes: values of keys that differ from their defaults.

    Raises:
      UserError: there is no such kind, or it has no such key.
    """
    own, base = named_kind(kind), base_config()
    config = StrictConfig({"kind": kind})
    for key in own.shared:
        # A placeholder such as label_noise keeps its type this way.
        config[key] = base.get_oneway_ref(key) if base[key] is None else base[key]
    config.update(own.defaults())
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
    if "labels_file" in config:
        check_labels_file(config)
    kind.check(config)


def keys_of(config: ConfigDict) -> Mapping[str, Key]:
    """Returns the keys of any config, each with the default and the need that it has in its kind.

    Raises:
      UserError: there is no such kind.
    """
    if "kind" not in config:
        return KEYS
    kind = kind_of(config)
    known, defaults = {**KEYS, **table(kind.keys)}, theory_config(config.kind)
    return {
        name: known[name]._replace(
            default=known[name].default if default is None else default,
            needs=kind.needs.get(name, known[name].needs),
        )
        for name, default in defaults.items()
        if name in known
    }


def check_shared(config: ConfigDict, members: Sequence[Member]) -> None:
    """Refuses runs that differ in what their kind looks at once for all of them.

    Raises:
      UserError: with the key.
    """
    for key in kind_of(config).one_for_all:
        if len({member.config[key] for member in members}) > 1:
            raise UserError(
                f"config.sweep: {key!r} is one for all runs of kind={config.kind}: make a command "
                "of each value"
            )


def load_config(name: str) -> ConfigDict:
    """Returns the config that --config=NAME means, to be changed and given to `rj.run`.

    Args:
      name: the name of a config that comes with the package, or a file, and behind a colon what it
        takes as its argument, such as "figure1:b,dataset=mnist5k".

    Raises:
      UserError: there is no such config (the message has the nearest), or something in it is wrong.
    """
    return taken(file.load(name), theory_config)
