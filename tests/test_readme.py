"""What the README says can be typed."""

import glob
import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from absl import flags
from conftest import REPOSITORY
from ml_collections import config_flags

from rethinking_jax import config as configs
from rethinking_jax import experiment, main
from rethinking_jax.bench import __main__ as bench
from rethinking_jax.report import __main__ as report

README = (REPOSITORY / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m rethinking_jax\.main[^`\n\[]*", README)))
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
KEYS = re.findall(r"--config\.(\w+)=", README)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_accepted(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    argv = main._resolve_config(shlex.split(command)[2:])
    main._check_keys(argv)
    values = flags.FlagValues()
    config_flags.DEFINE_config_file("config", None, "", flag_values=values, sys_argv=argv)
    values(argv)
    assert experiment.members(values.config)


def test_the_report_s_command_is_accepted() -> None:
    (command,) = set(re.findall(r"^python -m rethinking_jax\.report.*", README, re.MULTILINE))
    assert report._parse(shlex.split(command)[3:]).output == Path("all.html")


@pytest.mark.parametrize("name", re.findall(r"bench (\w+)`", README))
def test_every_benchmark_exists(name: str) -> None:
    assert bench.parse([name]).bench == name


def test_every_key_exists() -> None:
    table = README[README.index("### Keys that matter") : README.index("## Your own data")]
    named = re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE)
    keys = {key for cell in named for key in re.findall(r"`(\w+)`", cell)}
    assert len(keys) > 25
    assert keys | set(KEYS) - {"KEY"} <= set(configs.base_config())


def test_every_file_exists() -> None:
    table = README[README.index("| file | what it does |") : README.index("Choices where")]
    for cell in re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE):
        for name in re.findall(r"`([\w./]+)`", cell):
            assert (REPOSITORY / "rethinking_jax" / name).exists(), name
    links = re.findall(r"\]\((?!http)(.*?)\)", README) + re.findall(r'src="(.*?)"', README)
    for link in links:
        assert (REPOSITORY / link).is_file(), link


def test_the_python_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    load, train, swept = BLOCKS
    exec(train.replace("1000, 40", "300, 3"), found)
    assert found["summary"]["members"][0]["epochs"] == 3
    assert found["summary"]["train_examples"] == 300
    exec(load, found)
    (file,) = glob.glob("runs/*/metrics.jsonl")
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    assert isinstance(found["metrics"], pd.DataFrame)
    loaded = list(found["metrics"]["train_accuracy"])
    config = configs.base_config()
    config.corruption = "partially_corrupted_labels"
    exec(swept, {**vars(configs), "config": config})
    assert len(configs.members(config)) == 9
    assert loaded == pytest.approx([line["train_accuracy"] for line in lines])
