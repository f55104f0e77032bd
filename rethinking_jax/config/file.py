"""Config files: what their get_config returns."""

import inspect
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path

from rethinking_jax.catalog import find
from rethinking_jax.errors import UserError


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
