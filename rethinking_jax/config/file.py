"""Config files: where they lie, and what their get_config returns."""

import inspect
import os
import re
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path

from rethinking_jax.errors import UserError, nearest

# Beside the package in a checkout, inside it in an installed wheel.
FOLDERS = (Path(__file__).parents[2] / "configs", Path(__file__).parents[1] / "configs")


def shipped() -> dict[str, Path]:
    """Returns the configs that come with the package, by their names."""
    return {file.stem: file for folder in FOLDERS for file in sorted(folder.glob("*.py"))}


def load(given: str) -> object:
    """Returns what the config file that is given as FILE.py[:ARGUMENT] makes of its argument.

    Raises:
      UserError: there is no such file, or it returns nothing; the message names the file, and
        its line where there is one.
    """
    path, *argument = find(given)
    module = types.ModuleType("config_config")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses look up the module that they are in
    try:
        exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)
        get_config = getattr(module, "get_config", None)
        if not callable(get_config):
            raise UserError("there is no function get_config, which returns the config")
        _check_arguments(get_config, argument)
        config = get_config(*argument)
        if config is None:
            raise UserError("get_config() returns nothing: end it with `return config`")
    except (Exception, SystemExit) as error:
        raise UserError(f"--config={path}{_line(error, path)}: {_reason(error)}") from error
    return config


def find(given: str) -> tuple[str, ...]:
    """Returns the path of a config file and, where there is one, its argument.

    The longest part before a colon that is a file is the path. Where there is none, the name of
    a config that comes with the package means that one, bare or as configs/NAME.py.

    Args:
      given: FILE.py, FILE.py:ARGUMENT or NAME[:ARGUMENT].

    Raises:
      UserError: there is no such file; the message has the nearest that there is.
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
    hint = nearest(path, beside) or nearest(Path(path).stem, known)
    return f"--config={path}: there is no such file{hint} (configs here: {', '.join(known)})"


def _check_arguments(get_config: Callable[..., object], argument: list[str]) -> None:
    signature = inspect.signature(get_config)
    signature = signature.replace(return_annotation=signature.empty)
    try:
        signature.bind(*argument)
    except TypeError:
        wrong = (
            f"cannot be called with the one argument {argument[0]!r}"
            if argument
            else "needs an argument: give --config=FILE.py:ARGUMENT"
        )
        raise UserError(f"get_config{signature} {wrong}") from None


def _line(error: BaseException, path: str) -> str:
    """Returns ', line N' where a line of a file led to an error, else ''."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == path]  # fmt: skip
    if isinstance(error, SyntaxError) and error.filename == path:
        lines = [error.lineno]
    return f", line {lines[-1]}" if lines else ""


def _reason(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ends the command by sys.exit({error.code!r}): it must return a config"
    text = error.msg if isinstance(error, SyntaxError) else str(error).strip().split("\n")[-1]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
