"""The command that compares."""

import subprocess
import sys
from pathlib import Path

from conftest import REPOSITORY


def bench(
    environment: dict[str, str], *arguments: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rethinking_jax.bench", *arguments],
        capture_output=True, text=True, check=False, timeout=600, cwd=cwd,
        env=environment | {"PYTHONPATH": str(REPOSITORY), "OMP_WAIT_POLICY": "passive"},
    )  # fmt: skip
