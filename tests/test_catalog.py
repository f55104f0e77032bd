"""What the command says of the configs without running one: --list, and --config=NAME --help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, Command
from helpers import commands

import rethinking_jax as rj
from rethinking_jax import catalog, main, train_compile

NAMES = sorted(catalog.shipped())
COLUMNS = 200  # of a line of --list, which more than one config would make hard to read


@pytest.fixture(autouse=True)
def piped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are not folded, as in a pipe: the workers of pytest name the columns of a terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)


def said(*words: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return commands.answer(main.main, ["main", *words], cwd)


def parts(name: str) -> list[str]:
    """The parts of a config that --list names."""
    shown = catalog.entry(catalog.shipped()[name]).name
    return shown.removeprefix(name).strip("[:]").split("|") if shown != name else []


@pytest.mark.parametrize("name", NAMES)
def test_every_config_says_in_a_line_what_it_is_and_takes(name: str) -> None:
    shown, takes, what = catalog.entry(catalog.shipped()[name])
    assert shown.startswith(name) and what.endswith((".", "?"))
    assert takes, "the last line of its docstring must be 'Takes ... .' or 'Needs ... .'"
    (line,) = [line for line in said("--list").stdout.splitlines() if line.startswith(f"{shown} ")]
    assert f" {takes} " in line and line.endswith(f"  {what}")
    assert len(line) < COLUMNS


def test_the_parts_that_are_listed_are_there() -> None:
    assert parts("figure1") == ["a", "b", "c"] and "belkin" in parts("double_descent")
    assert parts("kernel") == []
    for name in ("figure1", "figure2", "double_descent", "table2", "imagenet_random"):
        for part in parts(name):
            assert rj.load_config(f"{name}:{part}").experiment


def test_a_config_that_does_not_say_what_it_takes_is_listed_without(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    for text, what in (
        ('"""Mine.\n\nIt is short.\n"""', "Mine."),
        ('"""Mine"""', "Mine"),
        ("", ""),
    ):
        file.write_text(text)
        assert catalog.entry(file) == ("mine", "", what)
    file.write_text('"""Mine.\n\nTakes 3 minutes on two CPU cores: or so."""')
    assert catalog.entry(file) == ("mine", "3 minutes", "Mine.")


def test_a_narrow_terminal_shows_what_a_config_is_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = said("--list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    place = next(i for i, line in enumerate(lines) if line.startswith("table4 "))
    assert lines[place + 1].startswith("    The paper's Table 4")


@pytest.mark.parametrize("words", [("--list", "--help"), ("--config=figure1", "--list")])
def test_list_stands_alone(words: tuple[str, ...]) -> None:
    result = said(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1 and "--list stands alone" in result.stderr


def test_help_behind_a_config_is_its_docstring(answer: Command, tmp_path: Path) -> None:
    for given in ("figure1", "figure1:b", "configs/figure1.py:b,seeds=2"):
        result = answer(f"--config={given}", "--help", cwd=tmp_path)
        assert result.returncode == 0 and result.stderr == ""
        assert "Figure 1 of the paper: learning curves" in result.stdout
        assert "Arguments after the\npanel: dataset" in result.stdout
        assert "--config=figure1:ARGUMENT" in result.stdout and "--config.KEY" in result.stdout
    (tmp_path / "mine.py").write_text('"""My own é."""\nraise RuntimeError\n', "latin-1")
    result = answer("--help", "--config", "mine.py:x", cwd=tmp_path)
    assert result.returncode == 2 and "--config=mine.py" in result.stderr  # that is not UTF-8
    (tmp_path / "mine.py").write_text('"""My own é."""\nraise RuntimeError\n', "utf-8")
    result = answer("--help", "--config", "mine.py:x", cwd=tmp_path)
    assert "My own é." in result.stdout and "--config=mine.py:ARGUMENT" in result.stdout
    (tmp_path / "mine.py").write_text("x = (\n")
    result = answer("--config=mine.py", "-h", cwd=tmp_path)
    assert result.returncode == 2 and "mine.py, line 1: SyntaxError" in result.stderr
    result = commands.answer(train_compile.main, ["x", "--config=table2", "--help"], tmp_path)
    assert result.returncode == 0 and "The paper's Table 2" in result.stdout
    assert "--topology" in commands.answer(train_compile.main, ["x", "-h"], tmp_path).stdout


@pytest.mark.parametrize("words", [("--help",), ("--config.seed=1",), ()])
def test_a_mistyped_name_is_answered_with_all_that_are_near(words: tuple[str, ...]) -> None:
    result = said("--config=figure3:b", *words)
    assert (result.returncode, result.stderr.count("\n"), result.stdout) == (2, 1, "")
    assert "did you mean 'figure2' or 'figure1'?" in result.stderr


def test_a_notebook_loads_configs_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = rj.load_config("figure1:b,dataset=mnist5k,levels=2,models=mlp_1x512")
    assert config.experiment == "figure1b" and "label_noise" in config.sweep
    with pytest.raises(rj.UserError, match="did you mean 'epochs'"):
        config.epohs = 3
    assert rj.load_config("kernel").kind == "kernel"
    (tmp_path / "mine.py").write_text("def get_config(x='1'):\n    return {'seed': int(x)}\n")
    assert rj.load_config("mine.py:7").seed == 7
    with pytest.raises(rj.UserError, match="did you mean 'kernel"):
        rj.load_config("kernl")


@pytest.mark.parametrize("words", [["--list"], ["--config=kernel:ridge=1", "--help"]])
def test_what_is_listed_and_told_is_there_without_jax(words: list[str], tmp_path: Path) -> None:
    code = (
        "import atexit, runpy, sys\n"
        f"sys.argv = ['main', *{words}]\n"
        "atexit.register(lambda: print({'jax', 'numpy', 'ml_collections'} & set(sys.modules)))\n"
        "runpy.run_module('rethinking_jax.main', run_name='__main__')\n"
    )
    settings = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(REPOSITORY)}}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            **settings)  # fmt: skip
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.endswith("set()\n") and "kernel" in result.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["main --config=kernel", "main --list", "report", "bench"])
def test_a_reader_that_has_had_enough_is_no_error(command: str, unbuffered: str) -> None:
    module, *words = command.split()
    if "--list" not in words:
        words.append("--help")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": unbuffered}
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", f"rethinking_jax.{module}", *words], env=environment,
        stdout=writer, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_line() -> None:
    words = [sys.executable, "-m", "rethinking_jax.main", "--list"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "PYTHONPATH": str(REPOSITORY)})  # fmt: skip
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "standard output takes no more (No space left on device)" in result.stderr
