"""What one key of a config is: the only place where anything about it is said."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ml_collections import ConfigDict, config_dict

from rethinking_jax.config.strict import StrictConfig
from rethinking_jax.errors import UserError, nearest

# Where a key matters. The first three say where and how fast a run is computed, not what it is,
# so they may change when it is resumed:
#   location  where things lie and how they are shown; one value for all runs of a command
#   resource  on what a command computes; one value for all its runs
#   pace      how a run's steps are called and saved; runs that differ in it train apart
#   command   what is run, one value for all runs of a command
#   array     a value that may differ between the members of one program
#   static    a part of the program; runs that differ in it are compiled apart
Scope = Literal["location", "resource", "pace", "command", "array", "static"]

# The ends of a `Range` that leaves zero or one out. On a device, what is nearer to 0 is 0.
ABOVE_ZERO = 1.2e-38
BELOW_ONE = math.nextafter(1, 0)
# The largest numbers that a device holds, in int32 and float32.
LARGEST: dict[type, float] = {int: 2**31 - 1, float: (2 - 2**-23) * 2.0**127}


class Range(NamedTuple):
    """The numbers that a key may be.

    Attributes:
      least: the smallest number that is allowed.
      most: the largest number that is allowed.
      wanted: what would be right, for the message, such as "at least 1".
    """

    least: float
    most: float = math.inf
    wanted: str = ""


AT_LEAST_0 = Range(0, wanted="at least 0")
AT_LEAST_1 = Range(1, wanted="at least 1")
ABOVE_0 = Range(ABOVE_ZERO, wanted="above 0")
SHARE = Range(0, BELOW_ONE, "at least 0 and below 1")
SEED = Range(0, 2**31 - 1, "from 0 to 2147483647")


class Need(NamedTuple):
    """What else a run must be for one of its keys to have an effect.

    Attributes:
      keys: the other keys that decide.
      met: says of the resolved config of a run whether it is so.
      wanted: what would be right, for the message, such as "weight_decay above 0"; a function
        where that may grow until it is asked for.
      claims: whether the value alone says what is done, as a probability does. Where it is not
        used it is false, and a run that sets it is refused whatever else the run says.
      idle: whether a config may hold a value that none of its runs uses, as recipes do that are
        written before their runs. What is typed for one command is refused all the same.
    """

    keys: tuple[str, ...]
    met: Callable[[ConfigDict], bool]
    wanted: str | Callable[[], str]
    claims: bool = False
    idle: bool = False

    @property
    def told(self) -> str:
        """What would be right, in words."""
        return self.wanted if isinstance(self.wanted, str) else self.wanted()


def above_0(*keys: str, idle: bool = False) -> Need:
    """Returns the need that at least one of some keys is above 0."""
    wanted = f"{' or '.join(keys)} above 0"
    return Need(keys, lambda config: any(config.get(key, 0) > 0 for key in keys), wanted, idle=idle)


def one_of(key: str, *values: str, idle: bool = False) -> Need:
    """Returns the need that another key has one of some values."""
    wanted = f"{key}={' or '.join(values)}"
    return Need((key,), lambda config: config[key] in values, wanted, idle=idle)


class Key(NamedTuple):
    """One key of a config.

    Attributes:
      name: the key.
      default: the value where nobody gives one; its type is the key's type. A type instead of
        a value, such as `float`, stands for "not given".
      doc: what the key means, in one or two sentences, for `--help` and docs/keys.md.
      scope: where it matters, see `Scope`.
      choices: the texts that are allowed; () where any text is. A dict such as `MODELS` is
        looked at when a config is checked, so that it may grow until then.
      range: the numbers that are allowed; None where any is.
      needs: what else a run must be for the key to have an effect; None where it always has one.
    """

    name: str
    default: object
    doc: str
    scope: Scope = "static"
    choices: Collection[str] = ()
    range: Range | None = None
    needs: Need | None = None

    @property
    def kind(self) -> type:
        """The type of its values."""
        return self.default if isinstance(self.default, type) else type(self.default)

    @property
    def unset(self) -> Any:
        """The value where nobody gives one; None where the default is but a type."""
        return None if isinstance(self.default, type) else self.default


def table(keys: Iterable[Key]) -> dict[str, Key]:
    """Returns keys by their names, in their order."""
    return {key.name: key for key in keys}


def defaults(keys: Mapping[str, Key]) -> ConfigDict:
    """Returns the config that has each of these keys at its default."""
    config = StrictConfig()
    for name, key in keys.items():
        given = isinstance(key.default, type)
        config[name] = config_dict.placeholder(key.default) if given else key.default
    return config


def check_keys(config: ConfigDict, keys: Mapping[str, Key]) -> None:
    """Checks what a config has of these keys against their choices and ranges; None passes.

    Raises:
      UserError: with the key, what was given and what would be right.
    """
    for name, key in keys.items():
        if name not in config:
            continue
        value = config[name]
        if key.choices and value not in key.choices:
            raise UserError(
                f"config.{name}={value!r} is not known{nearest(str(value), key.choices)} "
                f"(known: {', '.join(key.choices)})"
            )
        if type(value) in LARGEST and (wanted := out_of_range(value, key.range)):
            raise UserError(f"config.{name}={value} must be {wanted}")


def out_of_range(value: float, allowed: Range | None) -> str:
    """Returns what would be right where a number is not; "" where it is."""
    least, most, wanted = allowed or Range(-math.inf, wanted="a number")
    if 0 < abs(value) < ABOVE_ZERO:
        return f"{wanted}, and not nearer to 0 than {ABOVE_ZERO:.2g}, which is 0 in float32"
    if not least <= value <= most:  # true of nan, too
        return wanted
    largest = LARGEST[type(value)]
    return f"{wanted}, and at most {largest:.10g}" if abs(value) > largest else ""
