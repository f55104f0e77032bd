"""What one key of a config is: the only place where anything about it is said."""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

# Where a key matters:
#   location  where things lie and how they are shown; the same run elsewhere is the same run
#   resource  on what and how fast a run computes; it may change when a run is resumed
#   command   one value for all runs of a command
#   array     a number that may differ between the members of one program
#   static    a part of the program; runs that differ in it are compiled apart
Scope = Literal["location", "resource", "command", "array", "static"]


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


class Key(NamedTuple):
    """One key of a config.

    Attributes:
      name: the key.
      default: the value where nobody gives one; its type is the key's type. A type instead of
        a value, such as `float`, stands for "not given".
      doc: what the key means, in one or two sentences, for `--help` and docs/keys.md.
      scope: where it matters, see `Scope`.
      choices: the texts that are allowed; () where any text is.
      range: the numbers that are allowed; None where any is.
    """

    name: str
    default: Any
    doc: str
    scope: Scope = "static"
    choices: Sequence[str] = ()
    range: Range | None = None
