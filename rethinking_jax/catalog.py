"""The configs that come with the package: where they lie, and what their docstrings say.

Docstrings are read and no config is run, so that --list and --config=NAME --help answer at once,
without JAX.
"""

import ast
import difflib
import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking_jax import cli
from rethinking_jax.errors import UserError, file_error

# Beside the package in a checkout, inside it in an installed wheel.
FOLDERS = (Path(__file__).parents[1] / "configs", Path(__file__).parent / "configs")
# What the last line of a docstring says begins so: the minutes, or what the config needs first.
TAKES = ("Takes ", "Needs ")
PIPED = 10_000  # columns where no terminal folds lines
HEADS = ("config", "two CPU cores take", "what it is")


class Entry(NamedTuple):
    """What the docstring of a config says in one line.

    Attributes:
      name: its name, with the parts that an argument can name in brackets.
      takes: how long two CPU cores take, or what it needs.
      what: what it is about.
    """

    name: str
    takes: str
    what: str


def shipped() -> dict[str, Path]:
    """Returns the configs that come with the package, by their names."""
    return {file.stem: file for folder in FOLDERS for file in sorted(folder.glob("*.py"))}


def find(given: str) -> tuple[str, ...]:
    """Returns the path of a config file and, where there is one, its argument.

    The longest part before a colon that is a file is the path. Where there is none, the name of
    a config that comes with the package means that one, bare or as configs/NAME.py.

    Args:
      given: FILE.py, FILE.py:ARGUMENT or NAME[:ARGUMENT].

    Raises:
      UserError: there is no such file; the message has the nearest that there are.
    """
    ends = [*(colon.start() for colon in re.finditer(":", given)), len(given)]
    for end in reversed(ends):
        path = os.path.expanduser(given[:end])
        if os.path.isfile(path):
            return (path, given[end + 1 :]) if end < len(given) else (path,)
    name, *argument = given.split(":", 1)
    if own := shipped().get(_shipped_name(name)):
        return (str(own), *argument)
    raise UserError(_not_found(given, [given[:end] for end in reversed(ends)]))


def named(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Returns what --config names in a command line, None for nothing, and the other words."""
    given, rest, left = None, [], iter(words)
    for word in left:
        if word in ("--config", "-config"):
            given = next(left, "")
        elif re.match(r"--?config=", word):
            given = word.partition("=")[2]
        else:
            rest.append(word)
    return given, rest


def answered(words: Sequence[str]) -> int | None:
    """Prints what --list, or --help behind --config=FILE.py, asks for.

    Args:
      words: the command line behind the program's name.

    Returns:
      The exit code; None where the command line asks for neither.
    """
    given, rest = named(words)
    try:
        if "--list" in words:
            if other := [word for word in words if word != "--list"]:
                raise UserError(f"--list stands alone; it is given with {other[0]!r}")
            return cli.show(listing())
        if given is not None and cli.HELP & set(rest):
            return cli.show(told(given))
    except UserError as error:
        return cli.fail(error, 2)
    return None


def listing() -> str:
    """Returns a line for each config that comes with the package, folded as a terminal needs it."""
    entries = [Entry(*HEADS), *(entry(file) for file in _quickstart_first())]
    width = shutil.get_terminal_size((PIPED, 0)).columns
    # The one name that is much longer than the others pushes its own line alone.
    first = sorted(len(each.name) for each in entries)[-2]
    second = max(len(each.takes) for each in entries)
    rows = [(f"{name:{first}}  {takes:{second}}", what) for name, takes, what in entries]
    lines = [f"{head}  {what}" for head, what in rows]
    if max(map(len, lines)) > width:  # what it is stands below
        below = textwrap.TextWrapper(max(width, 40), "    ", "    ")
        lines = [f"{head.rstrip()}\n{below.fill(what)}" for head, what in rows]
    tail = (
        "python -m rethinking_jax.main --config=NAME runs one, --config=NAME:PART a part of it, "
        "and --config=NAME --help says more: its arguments, and what to expect."
    )
    return "\n".join([*lines, "", textwrap.fill(tail, min(width, 100))])


def entry(file: Path) -> Entry:
    """Returns the line of a config: its docstring's first line, and what its last one takes.

    Raises:
      UserError: the file cannot be read.
    """
    lines = _docstring(str(file)).splitlines() or [""]
    first, last = lines[0], lines[-1] if lines[-1].startswith(TAKES) else ""
    parts = re.findall(rf"configs/{file.stem}\.py:(\w+)(?![\w=])", _docstring(str(file)))
    shown = f"[:{'|'.join(dict.fromkeys(parts))}]" if parts else ""
    takes = re.split(r"[:;]", last.removeprefix(TAKES[0]).removesuffix("."))[0]
    takes = takes.replace(" on two CPU cores", "")
    return Entry(f"{file.stem}{shown}", takes[:1].lower() + takes[1:], first)


def told(given: str) -> str:
    """Returns what a config file says of itself, and how its keys are changed.

    Args:
      given: see `find`.

    Raises:
      UserError: there is no such file, or it cannot be read.
    """
    path = find(given)[0]
    name = Path(path).stem if Path(path) in shipped().values() else path
    return (
        f"{path}\n\n{_docstring(path) or 'This file has no docstring.'}\n\n"
        f"--config={name}:ARGUMENT hands an argument to the config, where it takes one.\n"
        "--config.KEY=VALUE changes a key, such as --config.seed=1; without --config\n"
        "python -m rethinking_jax.main --help says which keys there are."
    )


def _quickstart_first() -> list[Path]:
    files = shipped()
    return [files.pop("quickstart"), *files.values()]


def _docstring(path: str) -> str:
    """Returns the docstring of a Python file, '' where it has none; the file is not run."""
    try:
        tree = ast.parse(Path(path).read_bytes(), path)
    except OSError as error:
        raise UserError(f"--config={path}: {file_error(error)}") from None
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else error
        raise UserError(f"--config={path}{line}: SyntaxError: {said}") from None
    return ast.get_docstring(tree) or ""


def _shipped_name(path: str) -> str:
    """Returns the name of the config of the package that a path means; '' where it means none."""
    folder, file = os.path.split(path)
    # A folder named configs that is the user's own has the user's own configs.
    meant = not folder or (folder == "configs" and not os.path.isdir(folder))
    return file.removesuffix(".py") if meant else ""


def _not_found(given: str, paths: list[str]) -> str:
    path = match[1] if (match := re.match(r"(.*?\.py)(:|$)", given)) else paths[-1]
    if not path:
        return "--config= must be followed by a file, such as --config=configs/quickstart.py"
    if there := next((path for path in paths if os.path.exists(os.path.expanduser(path))), ""):
        return f"--config={there} is not a file: give FILE.py[:ARGUMENT]"
    known, folder = shipped(), Path(os.path.expanduser(path)).parent
    beside = [str(file) for file in sorted(folder.glob("*.py")) if file.is_file()]
    near = _near(path, beside) or _near(Path(path).stem, list(known))
    # Where several are near, all of them are told; where none is, all that there are.
    hint = f": did you mean {near}?" if near else f" (configs here: {', '.join(known)})"
    return f"--config={path}: there is no such file{hint}"


def _near(name: str, known: Sequence[str]) -> str:
    """Returns up to three known names that are near to one, as 'a' or 'b'; '' for none."""
    return " or ".join(map(repr, difflib.get_close_matches(name, known)))
