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
FASTEST = "theorem1_and_kernels"  # it trains nothing
# What holds after the last cell: that of which the notebook says that one will see it.
SEEN = {
    "quickstart": """
assert [found[0] for found in measured.values()] == [1, 1]
assert measured["true_labels"][1] > 0.85 and measured["random_labels"][1] < 0.15
assert np.mean(answers == labels) == 1
""",
    "corruptions": """
assert (first == again).all() and abs(np.mean(first == other) - 0.1) < 0.02
assert abs(wrong[1.0] - 0.9) < 0.02 and abs(wrong[0.5] - 0.45) < 0.03
assert accuracy["true_labels"] == accuracy["shuffled_pixels"] > 0.8
assert 0.15 < accuracy["random_pixels"] < 0.3 and accuracy["gaussian"] < 0.15
assert abs(images_of(draws("gaussian")).std() - 0.31) < 0.01
""",
    "own_data_and_model": """
assert measured["Dense", "true_labels"][0] == measured["Dense", "random_labels"][0] == 1
assert 0.5 < measured["Dense", "true_labels"][1] < 0.65
assert min(measured["Filters", "true_labels"]) > 0.9
assert 0.7 < measured["Filters", "random_labels"][0] < 0.9
""",
    "memorized_digits": """
assert np.allclose(memorized, scores["mem"]) and (scores["in"] > 0.99).mean() > 0.99
assert measured[0] > 0.9 and measured[1] < 0.25 and 0.6 < found < 0.9 and wrong.sum() == 90
""",
    "theorem1_and_kernels": """
assert count == 2 * 1000 + 784 and taken == 1 and theorem_test < 0.2
assert max(errors["float64"]) < 1e-3 and errors["float32"][-1] > 10 > 0.5 > errors["float32"][3]
assert measured["true_labels"][0] == measured["random_labels"][0] == 1
assert measured["true_labels"][1] > 0.9 and measured["random_labels"][1] < 0.15
assert measured["random_labels"][2] > 2 * measured["true_labels"][2]
""",
}
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
        assert not re.search(r"\[\[[^\]\n]*\|", one + other)  # no pair of words is left
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
    assert prose.startswith("# ") and "*Data: " in prose and "seed 0" in prose
    assert prose.count("**Predict") >= 1 and prose.count("<details>") >= 3
    # Markdown is shown within <details> only behind an empty line.
    assert all(not part.startswith("\n") or part.startswith("\n\n")
               for part in prose.split("</summary>")[1:])  # fmt: skip
    assert cells[1].source.count("%pip install") == 1


RUN = [(source, "en") for source in SOURCES] + [
    (source, "es") for source in SOURCES if source.stem == FASTEST
]


@pytest.mark.parametrize(
    ("source", "language"),
    [
        pytest.param(
            source,
            language,
            id=f"{source.stem}-{language}",
            marks=() if (source.stem, language) == (FASTEST, "en") else pytest.mark.slow,
        )
        for source, language in RUN
    ],
)
def test_a_notebook_runs_from_start_to_end(source: Path, language: str, tmp_path: Path) -> None:
    read = nbformat.read(notebooks.target(source, language), as_version=4)
    read.cells.append(nbformat.v4.new_code_cell(SEEN[source.stem]))
    client = nbclient.NotebookClient(
        read, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=os.environ | {
        "XLA_FLAGS": QUICKLY, "PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu",
        "TMPDIR": str(tmp_path),  # where it puts its work directories
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
