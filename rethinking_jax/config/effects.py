"""What keys do: a key that does nothing, and two runs that do the same, are refused.

Which other keys a key needs is said beside it, see `rethinking_jax.config.key.Need`.
"""

from collections.abc import Collection, Mapping, Sequence

from ml_collections import ConfigDict

from rethinking_jax.config.key import Key, Need
from rethinking_jax.config.sweeps import Overrides
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.errors import UserError

# Scopes of keys that may change when a run is resumed: it stays the same run.
NOT_IDENTITY = ("location", "resource", "pace")


def check_effects(
    runs: Mapping[str, ConfigDict],
    overrides: Sequence[Overrides],
    keys: Mapping[str, Key],
    typed: Collection[str] = (),
) -> None:
    """Refuses a value that does nothing where it makes a run's name false, or where no run uses it.

    A rest that another run uses is harmless, such as the kind of a decay that is 0 in one run.

    Args:
      runs: the resolved config of each run by its name, in the order of the sweep.
      overrides: what the sweep sets for each of them.
      keys: the keys of these configs.
      typed: the keys that were given for this very command.

    Raises:
      UserError: with the key, and what it is for.
    """
    for key, need in ((key.name, key.needs) for key in keys.values() if key.needs):
        idle = {
            name: config[key]
            for name, config in runs.items()
            if key in config and config[key] != keys[key].unset and not need.met(config)
        }
        for name, own in zip(runs, overrides, strict=True):
            if name in idle and key in own and _misleads(need, own):
                raise UserError(
                    f"config.sweep: {key}={idle[name]} has no effect on the run {name!r}: it is "
                    f"for {need.told}. Set that for the run, or leave {key} out"
                )
        now = key in typed or any(key in own for own in overrides)
        nowhere = idle and not any(need.met(config) for config in runs.values())
        if nowhere and (now or not need.idle):
            raise UserError(
                f"config.{key}={next(iter(idle.values()))} has no effect: it is for {need.told}, "
                f"which no run has. Set that, or leave {key} out"
            )


def check_distinct(runs: Mapping[str, ConfigDict], keys: Mapping[str, Key]) -> None:
    """Refuses two runs that do the same, however they are written: they would count as two seeds.

    Args:
      runs: the resolved config of each run by its name.
      keys: the keys of these configs.

    Raises:
      UserError: with the names of both.
    """
    names: dict[tuple[object, ...], str] = {}
    for name, config in runs.items():
        first = names.setdefault(_done(config, keys), name)
        if first != name:
            raise UserError(
                f"config.sweep: the runs {first!r} and {name!r} are the same: leave one out, or "
                "give it another seed"
            )


def _misleads(need: Need, own: Overrides) -> bool:
    """Says whether a run that sets a key in vain seems to be what it is not.

    It does not where it has a name of its own, or says itself that there is nothing to do.
    """
    return need.claims or not ("name" in own or any(other in own for other in need.keys))


def _done(config: ConfigDict, keys: Mapping[str, Key]) -> tuple[object, ...]:
    """Returns what a run does, as values that are equal for runs that do the same."""
    values: dict[str, object] = {}
    for name, key in keys.items():
        if name in config and key.scope not in NOT_IDENTITY:
            used = key.needs is None or key.needs.met(config)
            values[name] = config[name] if used else key.unset
    if "corruption" in values:
        one = CORRUPTIONS[config.corruption]
        values["label_noise"] = p = one.probability(config.label_noise)
        values["corruption"] = (one.labels if p else None, one.images, one.purpose)
        if values.get("corruption_seed") is None:  # then it is the run's own
            values["corruption_seed"] = values["seed"]
    return tuple(values.values())
