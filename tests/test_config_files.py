"""Which file --config means, and what its get_config may return."""

import os
from pathlib import Path

import pytest
from absl import flags
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax import main
from rethinking_jax.config import file
from rethinking_jax.errors import UserError
from rethinking_jax.theory.settings import theory_config

MINE = "def get_config(argument='none'):\n    return {'experiment': argument}\n"
BASE = "import rethinking_jax as rj\ndef get_config():\n    c = rj.base_config()\n"


def config_of(given: str, *words: str) -> ConfigDict:
    values = flags.FlagValues()
    main.parse_flags(["main", f"--config={given}", *words], values)
    return configs.resolved(values.config, theory_config)


# Which file ------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("path", ["mine.py", "mine", "run:1/mine.py", "a:b:c.py", "C:\\x\\mine.py",
                                  "my folder/mine.py", ":mine.py", "configs/mine.py"])  # fmt: skip
def test_a_path_that_exists_is_taken_with_all_behind_the_next_colon(path: str, here: Path) -> None:
    (here / path).parent.mkdir(exist_ok=True)
    (here / path).write_text(MINE)
    for prefix in ("", f"{here}/", "~/"):
        assert config_of(f"{prefix}{path}").experiment == "none"
        for argument in ("b", "a:b,c=d.py", ""):
            assert config_of(f"{prefix}{path}:{argument}").experiment == argument


def test_the_longest_path_that_is_a_file_wins(here: Path) -> None:
    (here / "mine").write_text(MINE)
    assert config_of("mine:x.py").experiment == "x.py"
    (here / "mine:x.py").write_text(MINE)
    assert config_of("mine:x.py").experiment == "none"
    assert config_of("mine:x.py:y").experiment == "y"


@pytest.mark.parametrize("path", ["figure1", "figure1.py", "configs/figure1.py", "configs/figure1"])
def test_a_bare_name_means_the_config_of_the_package(path: str, here: Path) -> None:
    assert config_of(f"{path}:b,seeds=2").experiment == "figure1b"
    assert config_of("quickstart").experiment == "quickstart"
    if "." in path:
        (here / path).parent.mkdir(exist_ok=True)
        (here / path).write_text(MINE)
        assert config_of(f"{path}:b").experiment == "b"  # a file of this name comes first


def test_a_folder_configs_of_ones_own_has_ones_own_configs(here: Path) -> None:
    (here / "configs").mkdir()
    with pytest.raises(UserError, match=r"configs/figure1\.py: there is no such file.*'figure1'"):
        file.find("configs/figure1.py:b")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("experiments/quickstart.py", "quickstart"),
        ("/no/such/quickstart.py", "quickstart"),
        ("../quickstart", "quickstart"),
        ("quickstart/", "quickstart"),
        ("Quickstart", "quickstart"),
        ("quickstart.txt", "quickstart"),
        ("run:1/quickstart.py", "quickstart"),
        ("configs/quikstart.py", "quickstart"),
        ("mien.py", "mine.py"),
        ("mine", "mine.py"),
        ("mine:b", "mine.py"),
        ("mein.py:b", "mine.py"),
        ("./mien.py", "mine.py"),
        ("sub/my.py", "sub/mine.py"),
        ("~/nothing.py", ""),
        ("~nobody/zzz.py", ""),
        ("zzz", ""),
        ("z" * 5000, ""),
        ("zzz\0.py", ""),
    ],
)
def test_another_path_is_refused_with_the_nearest(path: str, meant: str, here: Path) -> None:
    (here / "sub").mkdir()
    for name in ("mine.py", "sub/mine.py"):
        (here / name).write_text(MINE)
    with pytest.raises(UserError) as caught:
        file.find(path)
    said = str(caught.value)
    assert "there is no such file" in said and path.removesuffix(":b")[:50] in said
    assert (f"did you mean {meant!r}?" if meant else "file (configs here: ") in said


@given(st.text("quickstart./:~py-", max_size=24))
def test_what_is_meant_is_never_what_was_given(given: str) -> None:
    try:
        file.find(given)
    except UserError as error:
        assert f"did you mean {given!r}" not in str(error) and "\n" not in str(error)


def test_what_is_no_file_is_refused(here: Path, answer: Command) -> None:
    (here / "folder.py").mkdir()
    os.mkfifo(here / "fifo.py")
    for path in ("folder.py", "fifo.py", ".", "/dev/null", "folder.py:b"):
        with pytest.raises(UserError, match=f"--config={path[:7]}.* is not a file"):
            file.find(path)
    for words in (["--config="], ["--config"], ["--config=:b"]):
        result = answer(*words)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert "--config= must be followed by a file" in result.stderr


# What is in it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{BASE}    c.corupption = 'random_labels'\n", ["line 4", "corupption", "'corruption'"]),
        (f"{BASE}    c['sed'] = 1\n", ["line 4", "config.sed", "'seed'"]),
        (f"{BASE}    c.update(sed=1)\n", ["line 4", "config.sed", "'seed'"]),
        (f"{BASE}    c.seed = c.sed\n", ["line 4", "config.sed", "'seed'"]),
        (f"{BASE}    with c.unlocked():\n        c.sed = 1\n    return c\n", ["config.sed"]),
        (f"{BASE}    c.seed = 1.5\n", ["line 4", "config.seed=1.5 must be of type int"]),
        (f"{BASE}    c.epochs = c.get_ref('batch_size') / 3\n    return c\n", ["epochs=42.6"]),
        (BASE, ["get_config() returns nothing", "return config"]),
        ("import rethinking_jax as rj\ndef get_config():\n    return rj.theory_config('kernl')\n",
         ["line 3", "'kernl'", "'kernel'"]),
        ("def get_config():\n    return {'sed': 1}\n", ["config.sed", "'seed'"]),
        ("def get_config():\n    return {'seed': '1'}\n", ["config.seed='1' must be of type int"]),
        ("def get_config():\n    return {'model': {'name': 'mlp'}}\n", ["config.model", "str"]),
        ("def get_config():\n    return {'kind': 'kernl'}\n", ["'kernl'", "'kernel'"]),
        ("def get_config():\n    return {'kind': 'kernel', 'rigde': 1}\n", ["rigde", "'ridge'"]),
        ("def get_config():\n    return {3: 1}\n", ["config.3 is not a config key"]),
        ("from ml_collections import ConfigDict as C\ndef get_config():\n    return C({'lr': 1})\n",
         ["config.lr is not a config key (keys: accumulate,"]),
        ("from ml_collections import FrozenConfigDict as C\ndef get_config():\n"
         "    return C({'lr': 1})\n", ["config.lr is not a config key"]),
        ("def get_config():\n    return 'quickstart'\n", ["base_config()", "'quickstart'"]),
        ("def get_config():\n    return [1]\n", ["base_config()", "[1]"]),
        ("def get_config():\n    yield {}\n", ["base_config()", "generator"]),
        ("", ["there is no function get_config"]),
        ("get_config = {}\n", ["there is no function get_config"]),
        ("def get_config(argument):\n    return {}\n", ["get_config(argument) needs an argument"]),
        ("def get_config(a, b):\n    return {}\n", ["get_config(a, b) needs an argument"]),
        ("def get_config(:\n", ["line 1", "SyntaxError"]),
        ("def get_config():\n  return 1\n return 2\n", ["line 3", "IndentationError"]),
        ("import no_such_module\n", ["line 1", "No module named 'no_such_module'"]),
        ("def get_config():\n    return 1 / 0\n", ["line 2", "division by zero"]),
        ("def get_config():\n    return get_config()\n", ["line 2", "RecursionError"]),
        ("def get_config():\n    assert False\n", ["line 2", "AssertionError"]),
        ("import sys\ndef get_config():\n    sys.exit(0)\n", ["line 3", "sys.exit(0)"]),
        ("import sys\nsys.exit('no')\n", ["line 2", "sys.exit('no')"]),
        ("import rethinking_jax as rj\nraise rj.UserError('not today')\n", ["line 2: not today"]),
    ],
)  # fmt: skip
def test_a_config_file_with_a_mistake_is_one_line(
    body: str, words: list[str], answer: Command, here: Path
) -> None:
    (here / "mine.py").write_text(body)
    before = sorted(here.iterdir())
    result = answer("--config=mine.py", cwd=here)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    for word in (*words, *(["mine.py"] if "epochs=42" not in words[0] else [])):
        assert word in result.stderr
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("content", [b"x = '\xe9'\n", b"\0\0", bytes(range(256)), b"\xff\xfe"])
def test_what_is_not_text_is_named(content: bytes, here: Path) -> None:
    (here / "mine.py").write_bytes(content)
    with pytest.raises(UserError, match=r"--config=mine\.py.*: SyntaxError"):
        file.load("mine.py")


def test_a_file_that_may_not_be_read_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "mine.py").write_text(MINE)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=r"--config=mine\.py: PermissionError.*denied: 'mine\.py'"):
        file.load("mine.py")


def test_an_argument_that_get_config_does_not_take_is_named(here: Path) -> None:
    for body, shown in (("()", r"get_config\(\)"), ("(a, b)", r"get_config\(a, b\)")):
        (here / "mine.py").write_text(f"def get_config{body} -> dict:\n    return {{}}\n")
        with pytest.raises(UserError, match=rf"{shown} cannot be called with .* 'x:y'"):
            file.load("mine.py:x:y")


@pytest.mark.parametrize(
    "returned",
    [
        "{'seed': np.int64(3), 'hidden_sizes': np.array([4]), 'sweep': [{'epochs': np.int8(2)}]}",
        "ConfigDict({'seed': 3, 'hidden_sizes': (4,), 'sweep': '[{\"epochs\": 2}]'})",
        "FrozenConfigDict({'seed': 3, 'hidden_sizes': [4], 'sweep': '[{\"epochs\": 2}]'})",
        "changed(rj.base_config())",
        "FrozenConfigDict(changed(rj.base_config()))",
    ],
)
def test_a_config_of_ones_own_goes_on_top_of_the_defaults(returned: str, here: Path) -> None:
    (here / "mine.py").write_text(
        "import numpy as np\nimport rethinking_jax as rj\n"
        "from ml_collections import ConfigDict, FrozenConfigDict\n"
        "def changed(c):\n    c.seed, c.hidden_sizes = np.int64(3), [4]\n"
        "    c.sweep = [{'epochs': 2}]\n    return c\n"
        f"def get_config():\n    return {returned}\n"
    )
    config = config_of("mine.py", "--config.batch_size=50")
    expected = configs.base_config()
    expected.update({"seed": 3, "hidden_sizes": (4,), "sweep": '[{"epochs": 2}]', "batch_size": 50})
    assert config == expected


def test_a_file_is_read_anew_each_time(here: Path) -> None:
    """Python's own cache of compiled files believes the time, which two edits may share."""
    for name in ("first", "other"):
        (here / "mine.py").write_text(f"def get_config():\n    return {{'experiment': '{name}'}}\n")
        os.utime(here / "mine.py", (1, 1))
        assert config_of("mine.py").experiment == name
    assert [path.name for path in here.iterdir()] == ["mine.py"]


def test_a_value_that_follows_another_one_follows_the_command_line(here: Path) -> None:
    (here / "mine.py").write_text(
        f"{BASE}    c.eval_batch_size = c.get_ref('batch_size')\n    return c\n"
    )
    assert config_of("mine.py", "--config.batch_size=70").eval_batch_size == 70


def test_the_quickstart_of_the_package_runs_without_config(here: Path) -> None:
    (here / "configs").mkdir()
    for name in ("quickstart", "quickstart.py", "configs/quickstart.py"):
        (here / name).write_text(MINE)
    values = flags.FlagValues()
    main.parse_flags(["main"], values)
    assert values.config.experiment == "quickstart"
    assert values.config.dataset == "mnist5k"
