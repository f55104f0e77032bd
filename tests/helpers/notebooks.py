"""Notebooks in two languages from one source.

A source is a Python file whose cells begin with `# %%`. Behind it `[markdown] en` and `[markdown]
es` say that the cell is prose, of one language; other cells are code, of both. In code
`[[a word|una palabra]]` is the one or the other.
"""

import re
from pathlib import Path
from typing import Any

import nbformat

LANGUAGES = ("en", "es")
CELL = re.compile(r"^# %%(.*)\n", re.MULTILINE)
WORDS = re.compile(r"\[\[([^|\[\]]*)\|([^|\[\]]*)\]\]")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# The first cell of code. A wheel that lies beside the notebook comes before what an index has.
INSTALL = """\
# [[On Colab this installs the package. Where it is installed, nothing happens.|\
En Colab esto instala el paquete. Donde ya está instalado no pasa nada.]]
import glob
import importlib.util

if importlib.util.find_spec("rethinking_jax") is None:
    %pip install --quiet {(glob.glob("rethinking_jax-*.whl") or ["rethinking_jax"])[-1]}
"""


def in_language(code: str, language: str) -> str:
    """Returns code with its words in one language."""
    return WORDS.sub(lambda match: match[1 + LANGUAGES.index(language)], code)


def notebook(source: str, name: str, language: str) -> Any:
    """Makes the notebook of a source, without outputs; the same source gives the same bytes.

    Args:
      source: the text of the file.
      name: what the notebook is called, for the ids of its cells.
      language: one of `LANGUAGES`.
    """
    _, *parts = CELL.split(source)
    cells = []
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        if title.strip():
            kind, own = title.split()
            assert kind == "[markdown]" and own in LANGUAGES, title
            prose = re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)
            if own == language:
                cells.append(nbformat.v4.new_markdown_cell(prose))
        else:
            cells.append(nbformat.v4.new_code_cell(in_language(body.strip(), language)))
    cells.insert(1, nbformat.v4.new_code_cell(in_language(INSTALL.strip(), language)))
    for place, cell in enumerate(cells):
        cell["id"] = f"{name}-{place}"
    made = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
    made["nbformat_minor"] = 5
    return made


def target(source: Path, language: str) -> Path:
    """Returns where the notebook of a source lies: examples/NAME.ipynb, or in a folder es there."""
    folder = source.parents[1]
    return (folder if language == "en" else folder / language) / f"{source.stem}.ipynb"
