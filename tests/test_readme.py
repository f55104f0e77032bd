"""What the README and the pages of docs/ say can be typed, read and clicked.

python tests/test_readme.py    copies the files of examples/ into docs/extend.md
"""

import ast
import glob
import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import yaml
from absl import flags
from conftest import REPOSITORY

import rethinking_jax
from rethinking_jax import catalog, experiment, main, prepare, train_compile
from rethinking_jax import config as configs
from rethinking_jax.bench import __main__ as bench
from rethinking_jax.report import __main__ as report
from rethinking_jax.theory.settings import theory_config

README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
EXTEND = DOCS / "extend.md"
FOUND = [README, REPOSITORY / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
PAGES = sorted([*FOUND, *(REPOSITORY / "examples").glob("*.md")])
# A fence of code, with the comment that says which file it shows.
FENCE = re.compile(r"(?:<!-- (\S+) -->\n)?^( *)```(\w+)\n(.*?)^\2```$", re.MULTILINE | re.DOTALL)
# What a command needs beyond the packages, by the data set that it reads.
NEEDS = {"fashion_mnist": "(a)", "cifar10": "(b)", "imagenet2012": "(c)", "mnist": "(d)"}
CLOUD = ("sky", "sbatch", "launch/tpu_vm.sh")
# What a developer types: CI runs it, but for pre-commit, which runs a part of the same.
DEVELOPER = (".ci/run", "lint-imports", "mkdocs", "mypy", "pre-commit", "pytest", "ruff")
PYTHON = ("python", "python3", ".venv/bin/python")


class Command(NamedTuple):
    """A command, the page it is on, and what follows it on its line."""

    page: str
    words: tuple[str, ...]
    rest: str
    given: tuple[str, ...] = ()  # variables that were exported above it


def fences(page: Path, language: str) -> list[str]:
    return [body for _, _, kind, body in FENCE.findall(page.read_text()) if kind == language]


def in_fences(page: Path) -> list[Command]:
    found = []
    for body in fences(page, "bash"):
        given: tuple[str, ...] = ()
        for line in body.replace("\\\n", " ").splitlines():
            code, _, comment = line.partition("  # ")
            for part in code.split(" && "):
                words = tuple(shlex.split(part, comments=True))
                if words[:1] == ("export",):
                    given += words[1:]
                elif words:
                    found.append(Command(page.name, words, comment, given))
    return found


def in_text(page: Path) -> list[Command]:
    text = FENCE.sub("", page.read_text())
    named = re.findall(r"`(python -m rethinking_jax\.[^`\[]*)`([^\n]*)", text)
    return [Command(page.name, tuple(shlex.split(code)), rest) for code, rest in named]


COMMANDS = list(dict.fromkeys(c for page in PAGES for c in in_fences(page) + in_text(page)))


def runs_of(words: tuple[str, ...]) -> list[configs.Member]:
    """The runs of a command line of rethinking_jax.main, through its own parser."""
    values = flags.FlagValues()
    assert main.parse_flags(["main", *words], values) == ["main"]
    return experiment.members(values.config)


def dry_run(words: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Lets a launch script print what it would run."""
    kept = os.environ | dict(word.split("=", 1) for word in given)
    shown = subprocess.run(["bash", words[0], "--dry-run", *words[1:]], env=kept, text=True,
                           capture_output=True, check=False, cwd=REPOSITORY)  # fmt: skip
    assert shown.returncode == 0, shown.stderr


def flags_of_the_run(command: Command) -> tuple[str, ...] | None:
    """What a command hands to rethinking_jax.main; None where it starts no experiment.

    The other commands are checked on the way.
    """
    program, *rest = command.words
    arguments = tuple(rest)
    if command.words[:2] == ("python", "-m"):
        parsers = {"report": report._parse, "bench": bench.parse, "prepare": prepare._parse,
                   "train_compile": train_compile.wanted_of}  # fmt: skip
        module = command.words[2].removeprefix("rethinking_jax.")
        if module == "main":
            return command.words[3:]
        parsers[module](command.words[3:])
    elif program == "sbatch":
        start = next(i for i, word in enumerate(arguments) if word.startswith("launch/"))
        array = [f"TASKS={word[len('--array=1-') :]}" for word in arguments[:start]
                 if word.startswith("--array=1-")]  # fmt: skip
        dry_run(arguments[start:], (*command.given, *array))
        return arguments[start + 1 :]
    elif program == "sky":
        assert (REPOSITORY / arguments[2]).is_file()
        (given,) = [word for word in arguments if word.startswith("ARGS=")]
        return tuple(shlex.split(given.removeprefix("ARGS=")))
    elif program.startswith("launch/"):
        dry_run(command.words, command.given)
        return arguments[arguments.index("--") + 1 :] if "--" in arguments else None
    else:
        assert program in DEVELOPER + PYTHON
        for word in arguments:  # the files that it names
            assert "/" not in word or word.startswith(".") or (REPOSITORY / word).exists(), word
    return None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.page}: {shlex.join(c.words)}")
def test_every_command_is_accepted_and_says_what_it_needs(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    words = flags_of_the_run(command)
    asks = words is None or {"--help", "--list"} & set(words)  # nothing is run for an answer
    if words is not None and asks and words != ("--help",):
        assert catalog.answered(words) == 0
    members = [] if asks else runs_of(words)
    needs = {NEEDS.get(member.config.get("dataset", "")) for member in members} - {None}
    if "imagenet2012" in command.words:
        needs.add("(c)")
    if command.words[0] in CLOUD:
        needs.add("(cloud)")
    for need in needs:
        assert need in command.rest


def test_the_commands_are_found() -> None:
    """A page whose fences the patterns above no longer match would pass unseen."""
    assert len(COMMANDS) > 80
    assert {command.page for command in COMMANDS} > {"README.md", "results.md", "scale.md"}
    assert {command.words[0] for command in COMMANDS} >= {"python", *CLOUD, "launch/local.sh"}


def test_the_readme_is_short_and_leads_on() -> None:
    assert len(README.read_bytes()) <= 9_000
    pages = re.findall(r"\]\((docs/\w+\.md)\)", README.read_text())
    # What came after the paper has pages of its own.
    after = ("critical", "double_descent", "kernels", "measures", "memorization", "robust")
    wanted = (*after, "data", "extend", "keys", "results", "scale")
    assert sorted(set(pages)) == sorted(f"docs/{name}.md" for name in wanted)
    set_up = fences(README, "bash")[0]
    assert set_up in fences(DOCS / "index.md", "bash")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_key_that_a_page_names_exists(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    links = re.findall(r"\]\((?!http|#)([^)#]*)", text) + re.findall(r'(?:src|href)="(.*?)"', text)
    for link in links:
        assert (page.parent / link).is_file(), link
    folders = "rethinking_jax|configs|docs|tests|launch|examples"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*?)/?(?::[^`]*)?`", text):
        assert (REPOSITORY / name).exists() or name.startswith("examples/"), name
    keys = set(re.findall(r"--config\.(\w+)", text)) - {"KEY"}
    assert keys <= {*configs.base_config(), *theory_config("kernel")}


@pytest.mark.parametrize("name", re.findall(r"bench (\w+)`", (DOCS / "speed.md").read_text()))
def test_every_benchmark_exists(name: str) -> None:
    assert bench.parse([name]).bench == name


def test_the_rooms_are_those_of_the_contract() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    text = (DOCS / "design.md").read_text()
    table = text[text.index("| room |") : text.index("## What a work directory promises")]
    rows = re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE)
    layers = [set(layer.split(" | ")) for layer in contract["layers"]]
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == layers


def test_the_tables_that_grow_by_a_line_are_where_the_page_says() -> None:
    rows = re.findall(r"\| `(\w+)` in `(\S+)` \|", EXTEND.read_text())
    assert len(rows) > 5
    for name, file in rows:
        assert re.search(rf"^{name}\b.*= [{{\[(]", (REPOSITORY / file).read_text(), re.MULTILINE)


def shown_examples() -> dict[str, str]:
    """The files that docs/extend.md shows, with the code it shows of each."""
    found = FENCE.findall(EXTEND.read_text())
    return {file: body for file, _, _, body in found if file}


def test_the_examples_are_shown_as_they_are() -> None:
    shown, files = shown_examples(), sorted((REPOSITORY / "examples").glob("own_*.py"))
    assert {str(file.relative_to(REPOSITORY)) for file in files} <= set(shown)
    for file in files:
        assert shown[str(file.relative_to(REPOSITORY))] == file.read_text()


def test_what_github_and_pre_commit_read_agrees_with_the_rest() -> None:
    patterns = ("*.y*ml", ".*.y*ml", ".github/**/*.y*ml")
    files = [file for pattern in patterns for file in REPOSITORY.glob(pattern)]
    read = {file.name: yaml.safe_load(file.read_text()) for file in files}
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert cited["version"] == rethinking_jax.__version__
    checks = (REPOSITORY / ".ci" / "run").read_text()
    (hooks,) = read[".pre-commit-config.yaml"]["repos"]
    for hook in hooks["hooks"]:
        assert f".venv/bin/{hook['name']}" in checks
    assert {"run": ".ci/run"} in read["ci.yml"]["jobs"]["run"]["steps"]


def test_the_python_of_every_page_is_python() -> None:
    blocks = [body for page in PAGES for body in fences(page, "python")]
    assert all(ast.parse(body).body for body in blocks) and len(blocks) > 5


def test_the_python_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    record, load, train, study = fences(DOCS / "use.md", "python")
    (swept,) = fences(DOCS / "scale.md", "python")
    exec(train.replace("1000, 40", "300, 3"), found)
    assert found["summary"]["members"][0]["epochs"] == 3
    assert found["summary"]["train_examples"] == 300
    exec(study, found)
    assert found["memorized"] == found["summary"]["members"][0]["train_accuracy"]
    exec(load, found)
    (file,) = glob.glob("runs/*/metrics.jsonl")
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    assert isinstance(found["metrics"], pd.DataFrame)
    loaded = list(found["metrics"]["train_accuracy"])
    (short,) = fences(README, "python")
    exec(short.replace("500, 30", "200, 2"), found)
    assert found["logits"].shape == (1000, 10)
    config = configs.base_config()
    config.corruption = "partially_corrupted_labels"
    exec(swept, {**vars(configs), "config": config})
    assert len(configs.members(config)) == 9
    assert loaded == pytest.approx([line["train_accuracy"] for line in lines])
    exec(record.replace('"epochs": 5', '"epochs": 1, "train_examples": 200'), found)
    assert len(found["facts"]["train_ids"]) == 200


def copy_examples() -> None:
    """Writes the files of examples/ into the fences of docs/extend.md that name them."""

    def filled(match: re.Match[str]) -> str:
        file = REPOSITORY / (match[1] or "")
        if not match[1] or not file.is_file():
            return match[0]
        return f"<!-- {match[1]} -->\n```{match[3]}\n{file.read_text()}```"

    EXTEND.write_text(FENCE.sub(filled, EXTEND.read_text()))


if __name__ == "__main__":
    copy_examples()
