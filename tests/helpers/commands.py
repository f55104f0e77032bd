"""A command of the package in the process of the tests."""

import contextlib
import io
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import pytest
from absl import logging


def answer(
    main: Callable[[Sequence[str]], int], arguments: Sequence[str], cwd: Path, devices: int = 1
) -> subprocess.CompletedProcess[str]:
    """Runs a command's `main` in this process, on one device where not told otherwise.

    Args:
      main: takes the arguments and returns the exit code.
      arguments: the command line as `main` wants it.
      cwd: the working directory while it runs.
      devices: how many of the eight the command finds.

    Returns:
      What `subprocess.run` returns of a command.
    """
    out, err = io.StringIO(), io.StringIO()
    found = jax.local_devices()[:devices]
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.chdir(cwd)
        patch.setattr(jax, "devices", lambda: found)
        patch.setattr(jax, "local_devices", lambda backend=None: found)
        logging.set_verbosity(logging.FATAL)  # as `rethinking_jax.main.run` does
        try:
            code = main(arguments)
        except SystemExit as end:  # argparse ends --help so
            code = int(end.code or 0)
    return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())
