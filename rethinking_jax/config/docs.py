"""The keys of configs as text: for `--help`, and as the page docs/keys.md."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from ml_collections import ConfigDict

from rethinking_jax.config.key import Key, Scope
from rethinking_jax.config.keys import GROUPS, KEYS
from rethinking_jax.models.own import is_own

WIDTH = 100  # of a line of `--help`

# What the page says of a key's scope.
SCOPES: dict[Scope, str] = {
    "location": "the command, may change",
    "resource": "the command, may change",
    "pace": "a run, may change",
    "command": "the command",
    "array": "a run, shares its program",
    "static": "a run",
}

PAGE = """\
# The keys of a config

<!-- Written by `python tests/test_keys.py`: edit rethinking_jax/config/keys.py instead. -->

`--config.KEY=VALUE` changes a key of a config for one command, and a config file changes it for
good. A name that is not known is answered with the nearest one, a value that is not allowed with
what would be right.

The column "one for" says how far a value reaches:

- *the command*: all runs of a command have the same value, and no sweep may set the key.
- *a run*: a sweep may set the key, so that each run has a value of its own. Runs that *share
  a program* may differ in it and still train together, compiled once.
- *may change*: the key says where, on what or how fast a run is computed and not what is run. A
  run that was stopped goes on in the same workdir with another value; all other keys name the run,
  and with another value the default workdir is another one.
"""


def keys_help() -> str:
    """Returns all keys of a config that trains, in groups, as lines for a terminal."""
    return "\n\n".join(
        "\n".join([f"{title}:", *map(_help_lines, keys)]) for title, keys in GROUPS.items()
    )


def keys_page(kinds: Mapping[str, tuple[Sequence[Key], ConfigDict]]) -> str:
    """Returns the page of all keys in Markdown.

    Args:
      kinds: the keys that each kind of theory experiment has of its own, and its config, by its
        name.
    """
    parts = [PAGE, *(_section(title, keys) for title, keys in GROUPS.items())]
    parts.append(
        "## Experiments of theory\n\nEach kind has keys of its own and some of those above, with "
        "the meaning that they have there.\n"
    )
    for name, (keys, config) in kinds.items():
        parts += [_section(f"configs/{name}.py", keys, 3), _shared(keys, config)]
    return "\n".join(parts)


def _help_lines(key: Key) -> str:
    allowed = f" Allowed: {_allowed(key)}." if key.choices or key.range else ""
    indent = " " * 6
    told = f"{_told(key)}{allowed}"
    text = textwrap.fill(told, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return f"  {key.name}={_default(key)}\n{text}"


def _section(title: str, keys: Iterable[Key], level: int = 2) -> str:
    rows = [
        f"| `{key.name}` | {_code(_default(key))} | {_cell(_told(key))} | {_cell(_allowed(key))} "
        f"| {SCOPES[key.scope]} |"
        for key in keys
    ]
    head = ["| key | default | what it is | allowed | one for |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"{'#' * level} {title}", "", *head, *rows, ""])


def _told(key: Key) -> str:
    """Returns what a key means, and what it needs to have an effect."""
    return f"{key.doc} It is for {key.needs.told}." if key.needs else key.doc


def _shared(keys: Sequence[Key], config: ConfigDict) -> str:
    """Returns which keys of all configs a kind has, with the defaults that it changes."""
    own = [key.name for key in keys]
    shown = []
    for name in KEYS:
        if name in config and name not in own:
            changed = config[name] is not None and config[name] != KEYS[name].default
            shown.append(f"`{name}={_typed(config[name])}`" if changed else f"`{name}`")
    return f"And of those above: {', '.join(shown)}.\n"


def _default(key: Key) -> str:
    """Returns a key's default as it is typed on the command line; '' for none."""
    return "" if isinstance(key.default, type) else _typed(key.default)


def _typed(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _allowed(key: Key) -> str:
    """Returns what a key may be, in words; its type where that is all there is to say."""
    if key.choices:
        # A class that this session was given is of this session alone.
        return ", ".join(choice for choice in key.choices if not is_own(choice))
    if key.range:
        return key.range.wanted
    kind = key.default if isinstance(key.default, type) else type(key.default)
    return {
        "str": "text",
        "bool": "true or false",
        "tuple": "numbers",
        "int": "a whole number",
    }.get(kind.__name__, "a number")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
