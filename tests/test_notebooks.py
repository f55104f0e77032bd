"""The notebooks of examples/: they are those of their sources, and run from start to end.

python tests/test_notebooks.py    writes examples/NAME.ipynb and examples/es/NAME.ipynb
"""

import os
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from conftest import QUICKLY, REPOSITORY
from helpers import notebooks
from IPython.core.inputtransformer2 import TransformerManager

SOURCES = sorted((REPOSITORY / "examples" / "notebooks").glob("*.py"))
EACH = [(source, language) for source in SOURCES for language in notebooks.LANGUAGES]
FASTEST = "corruptions"
SECONDS = 600  # for a cell, on a machine that does much else


def made(source: Path, language: str) -> Any:
    return notebooks.notebook(source.read_text(), source.stem, language)


def text_of(cells: list[Any], kind: str) -> list[str]:
    return [cell.source for cell in cells if cell.cell_type == kind]


@pytest.mark.parametrize(("source", "language"), EACH, ids=lambda each: getattr(each, "stem", each))
def test_a_notebook_is_its_source_s_without_outputs(source: Path, language: str) -> None:
    file = notebooks.target(source, language)
    assert file.read_text() == nbformat.writes(made(source, language)) + "\n", (
        "python tests/test_notebooks.py writes the notebooks anew"
    )
    read = nbformat.read(file, as_version=nbformat.NO_CONVERT)
    nbformat.validate(read)
    assert (read.nbformat, read.nbformat_minor) == (4, 5)
    for cell in read.cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_both_languages_are_the_same_notebook(source: Path) -> None:
    english, spanish = (made(source, language).cells for language in notebooks.LANGUAGES)
    assert [cell.cell_type for cell in english] == [cell.cell_type for cell in spanish]
    for one, other in zip(text_of(english, "code"), text_of(spanish, "code"), strict=True):
        assert one.count("\n") == other.count("\n")
        assert not notebooks.WORDS.search(one + other) and "[[" not in one + other
        for code in (one, other):
            compile(TransformerManager().transform_cell(code), source.name, "exec")
    for one, other in zip(text_of(english, "markdown"), text_of(spanish, "markdown"), strict=True):
        assert one != other
        for mark in ("<details>", "</details>", "# ", "```", "$"):  # as much of each in both
            assert one.count(mark) == other.count(mark), one
        # Numbers that were measured are the same in both.
        assert re.findall(r"\d+\.\d+", one) == re.findall(r"\d+\.\d+", other)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_notebook_asks_before_it_answers(source: Path) -> None:
    cells = made(source, "en").cells
    prose = "\n".join(text_of(cells, "markdown"))
    assert prose.startswith("# ") and "mnist5k" in prose and "seed" in prose
    assert prose.count("**Predict") >= 1 and prose.count("<details>") >= 3
    # Markdown is shown within <details> only behind an empty line.
    assert all(not part.startswith("\n") or part.startswith("\n\n")
               for part in prose.split("</summary>")[1:])  # fmt: skip
    assert cells[1].source.count("%pip install") == 1


@pytest.mark.parametrize(
    ("source", "language"),
    [
        pytest.param(source, language, id=f"{source.stem}-{language}",
                     marks=() if source.stem == FASTEST else pytest.mark.slow)
        for source, language in EACH
        if language == "en" or source.stem == FASTEST
    ],
)  # fmt: skip
def test_a_notebook_runs_from_start_to_end(source: Path, language: str, tmp_path: Path) -> None:
    """Its own assertions hold: those of what it says that one will see."""
    read = nbformat.read(notebooks.target(source, language), as_version=4)
    client = nbclient.NotebookClient(
        read, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=os.environ | {
        "XLA_FLAGS": QUICKLY, "PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    })  # fmt: skip
    outputs = [output for cell in read.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]


if __name__ == "__main__":
    for source, language in EACH:
        file = notebooks.target(source, language)
        file.parent.mkdir(exist_ok=True)
        file.write_text(nbformat.writes(made(source, language)) + "\n")
