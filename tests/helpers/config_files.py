"""The config files of the repository."""

from pathlib import Path

from conftest import REPOSITORY
from ml_collections import ConfigDict

CONFIGS = sorted((REPOSITORY / "configs").glob("*.py"))


def load(path: Path, *arguments: str) -> ConfigDict:
    space: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    return space["get_config"](*arguments)
