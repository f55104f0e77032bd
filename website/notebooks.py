"""The notebooks of examples/, to be taken from the site."""

import json
from pathlib import Path
from typing import NamedTuple

from website import kept

# The folder of the notebooks of each language, and where they lie in the site.
FOLDERS = {"en": kept.ROOT / "examples", "es": kept.ROOT / "examples" / "es"}
ADDRESSES = {"en": "notebooks", "es": "cuadernos"}


class Notebook(NamedTuple):
    """A notebook: its title, its address in the site, and its file."""

    title: str
    address: str
    file: Path


def notebooks(language: str) -> list[Notebook]:
    """Returns the notebooks of a language by their names."""
    files = sorted(FOLDERS[language].glob("*.ipynb"))
    return [Notebook(_title(file), f"{ADDRESSES[language]}/{file.name}", file) for file in files]


def listed(language: str) -> str:
    """Returns the list of the notebooks of a language as Markdown."""
    return "\n".join(
        f"- [{one.title}]({one.address}){{ download={one.file.name} }}"
        for one in notebooks(language)
    )


def _title(file: Path) -> str:
    """Returns the first heading of a notebook."""
    first = json.loads(file.read_text(encoding="utf-8"))["cells"][0]
    return "".join(first["source"]).splitlines()[0].removeprefix("# ")
