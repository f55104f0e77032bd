"""Spanish is complete: every word of a report that English has, Spanish has, too."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.words import assert_spanish, texts

import rethinking_jax
from rethinking_jax.analysis import findings, packed, results
from rethinking_jax.errors import UserError
from rethinking_jax.language.phrases import untranslated
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.report.section import section
from rethinking_jax.theory.kinds import KINDS
from rethinking_jax.theory.settings import check, theory_config

PACKAGE = Path(rethinking_jax.__file__).parent
# The rooms and files that write what a report shows.
WRITERS = ("analysis", "course", "pictures", "report/section.py", "theory")
PLACE = re.compile(r"\{\w+(:[^}]*)?\}")
# The English phrases with 7 for what is filled in: a module may make one of several parts.
PHRASES = "\n".join(PLACE.sub("7", english) for english in SPANISH)
RESULTS = PACKAGE.parent / "docs" / "results"
# The work directories among them that are looked at each time.
FEW = ("quickstart_mnist5k", "table4_mlp", "theorem1_cifar10", "robust_labels_cifar10n")
# What looks like prose and is none that a report shows.
NO_WORDS: dict[str, tuple[str, ...]] = {
    # Words of matplotlib, and types.
    "analysis/drawing.py": (
        "axes fraction", "center left", "font-family: [^;]*; ", "offset points",
        "tuple[Figure, Axes]",
    ),
    "pictures/decision_map.py": ("list[tuple[Axes, AxesImage]]", "lower center"),
    # Parts of errors, which are in English as the commands are.
    "analysis/example_scores.py": (
        "7 is damaged (7)", "the command that made it measures it anew",
    ),
    "analysis/findings.py": (": the command that made it measures it anew",),
    "theory/kernel_noise.py": (
        "whole numbers from 1 on", "probabilities from 0 to 1", "numbers above 0, or empty,",
    ),
    "theory/label_error_networks.py": (": remove the whole work directory, and run again",),
    # Lines of the command, and of what is on its way.
    "theory/cholesky.py": ("factoring, billions of operations",),
    "theory/kernel_matrix.py": ("making the kernel, rows",),
    "theory/random_filters.py": ("making the kernel, filters",),
    "theory/kernel_cg.py": ("conjugate gradients until solved, steps",),
    "theory/theorem1.py": ("images that equal another, with its label, are merged",),
    # Names of runs and of columns of scores.csv.
    "theory/easy_examples.py": ("runs wrong 7",),
    "theory/removal.py": ("without 7=7",),
}  # fmt: skip


# Calls whose texts are help, errors and the lines of a command, which are in English.
OF_COMMANDS = (
    "Key", "Need", "Range", "at_least", "check_images_stay", "one_of", "say", "not_empty",
)  # fmt: skip


def modules() -> list[Path]:
    files = [PACKAGE / name for name in WRITERS]
    return [one for file in files for one in ([file] if file.suffix else sorted(file.glob("*.py")))]


def written(tree: ast.Module) -> Iterator[str]:
    """Yields the texts in a module but docstrings and errors, with 7 for what is filled in."""
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Call) and _name(node.func) in OF_COMMANDS
        ):
            left_out.update(ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            left_out.update(part for part in node.values if isinstance(part, ast.Constant))
            left_out.update(
                part
                for value in node.values
                if isinstance(value, ast.FormattedValue) and value.format_spec
                for part in ast.walk(value.format_spec)
            )
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(node.value)
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield PLACE.sub("7", node.value)  # a phrase with {names}
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values
            )


def _name(function: ast.expr) -> str:
    """Returns the last name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_known(text: str) -> bool:
    """Says if the book has a text, whole or as a part of a phrase, without what is around it."""
    inner = text.strip("7 ,;:()")
    return inner in PHRASES or not untranslated(text.strip(" ,;:")) or not untranslated(inner)


def is_prose(text: str) -> bool:
    return " " in text.strip() and "<" not in text and re.search("[a-z]{2}", text) is not None


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_phrase_book_has_every_sentence_of_a_module(file: Path) -> None:
    texts = filter(is_prose, written(ast.parse(file.read_text())))
    known = NO_WORDS.get(str(file.relative_to(PACKAGE)), ())
    assert [text for text in texts if not is_known(text) and text not in known] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_experiment_of_theory_has_a_language(kind: str) -> None:
    check(theory_config(kind, language="es"))
    with pytest.raises(UserError, match="language"):
        check(theory_config(kind, language="fr"))


def test_verdicts_that_were_measured_and_committed_are_in_spanish() -> None:
    files = sorted(RESULTS.glob("*.json"))
    verdicts = [one for file in files for one in json.loads(file.read_text()).get("verdicts", [])]
    assert len(verdicts) > 100
    for one in verdicts:
        assert_spanish(one["claim"], one["place"], one["ours"], one["paper"])


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, marks=() if file.stem in FEW else pytest.mark.slow, id=file.stem)
        for file in sorted(RESULTS.glob("*.zip"))
    ],
)
def test_a_report_that_was_measured_and_committed_is_in_spanish(file: Path) -> None:
    with packed.opened(file) as workdir:
        theory = results.is_theory(workdir)
        found = findings.read(workdir) if theory else results.read(workdir)
    assert_spanish(*texts(section(found)))
