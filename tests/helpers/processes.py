"""Commands that run beside their test, which may stop them."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "rethinking_jax.main", *arguments]
    return subprocess.Popen(
        words, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for_lines(workdir: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Until the metrics file has this many lines."""
    file = workdir / "metrics.jsonl"
    for _ in range(6000):
        if file.exists() and file.read_text().count("\n") >= number:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    pytest.fail("no metrics in a minute")
