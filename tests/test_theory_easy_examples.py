"""Which examples are easy: Arpit et al. (2017), section 3.1."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.errors import UserError
from rethinking_jax.sweep.recorder import Recording
from rethinking_jax.theory import difficulty, easy_examples, settings
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/easy_examples.py"
RUNS, COUNT = 100, 200


def recorded(spread: float, seed: int, runs: int = RUNS) -> Recording:
    """Runs on examples whose probabilities have this correlation; 0 for equally hard ones."""
    rng = np.random.default_rng(seed)
    a = 1 / spread - 1 if spread else 0.0
    p = rng.beta(0.3 * a, 0.7 * a, COUNT) if spread else 0.3
    labels = (np.arange(COUNT) % 10).astype(np.int32)
    facts = {"correct": rng.random((runs, COUNT)) < p}
    ids, trained = np.arange(COUNT, dtype=np.uint32), np.ones((runs, COUNT), bool)
    return Recording(ids, labels, np.tile(labels, (runs, 1)), trained, facts)


def outcomes(true: float, random: float, gaussian: float, runs: int = RUNS) -> list[str]:
    config = theory_config("easy_examples")
    found = {
        name: difficulty.measure(name, config, recorded(spread, seed, runs))
        for seed, (name, spread) in enumerate(
            {"true_labels": true, "random_labels": random, "gaussian": gaussian}.items()
        )
    }
    return [one.outcome for one in difficulty.verdicts(found)]


def test_each_verdict_can_be_no() -> None:
    assert outcomes(0.5, 0.1, 0.0) == ["yes"] * 4
    assert outcomes(0.5, 0.1, 0.03) == ["no", "yes", "yes", "no"]
    assert outcomes(0.1, 0.5, 0.0) == ["yes", "no", "yes", "yes"]
    assert outcomes(0.5, 0.02, 0.1) == ["no", "yes", "no", "no"]
    # What five runs leave open is not called equal.
    assert set(outcomes(0.02, 0.02, 0.0, runs=5)) == {"not measured"}
    config = theory_config("easy_examples")
    alone = {"true_labels": difficulty.measure("true_labels", config, recorded(0.5, 0))}
    assert {one.outcome for one in difficulty.verdicts(alone)} == {"not measured"}


def test_a_difference_by_labels_is_none_within_them() -> None:
    """How often a label is answered is a pattern, which is seen among all and not within one."""
    found = recorded(0.0, 3)
    p = np.linspace(0.1, 0.6, 10)[found.labels[0]]
    correct = np.random.default_rng(5).random((RUNS, COUNT)) < p
    own = found._replace(facts={"correct": correct})
    row = difficulty.measure("gaussian", theory_config("easy_examples"), own).row
    assert row["low"] > 5 and row["p"] < 0.001
    assert row["within_low"] < 1 < row["within_high"]


def test_runs_of_a_setting_share_one_corruption() -> None:
    for changes, wanted in (({}, 3), ({"corruption_seed": 8}, 8)):
        config = theory_config("easy_examples", seed=3, runs=4, corruption="gaussian", **changes)
        (member,) = configs.members(config, settings.check)
        found = easy_examples._runs(member)
        assert [one["seed"] for one in found] == [3, 4, 5, 6]
        assert {one["corruption_seed"] for one in found} == {wanted}


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:train_examples=100,runs=6,model=mlp_1x16", "--config.language=es",
        f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    rows = {row["corruption"]: row for row in summary["members"]}
    assert list(rows) == ["true_labels", "random_labels", "gaussian"]
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 18
    with (workdir / "scores.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len({row["id"] for row in table}) == 100
    for setting, row in rows.items():
        own = [x["train_accuracy"] for x in lines if x["member"].startswith(f"{setting},")]
        assert row["accuracy"] == pytest.approx(np.mean(own))
        assert len(set(own)) > 1  # weights and orders differ
        wrong = [int(example[f"runs wrong {setting}"]) for example in table]
        assert 1 - np.mean(wrong) / 6 == pytest.approx(row["accuracy"])
        assert row["never"] == np.mean(np.equal(wrong, 6))
        same = [example[f"label {setting}"] == example["true_label"] for example in table]
        assert np.mean(same) < 0.3 if setting == "random_labels" else all(same)
    assert {verdict["outcome"] for verdict in summary["verdicts"]} <= {"yes", "no", "not measured"}
    for name in ("figures/difficulty.svg", "figures/easy_and_hard.png", "tables/easy_examples.csv"):
        assert (workdir / name).exists()
    again = answer(*arguments)
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert left_in_english(workdir) == []


def test_untrained_networks_find_all_gaussian_inputs_equally_hard(
    answer: Command, tmp_path: Path
) -> None:
    """Were runs not independent, or had each a corruption of its own, this would show it."""
    workdir = tmp_path / "run"
    result = answer(
        f"{CONFIG}:settings=gaussian,train_examples=100,runs=40,model=mlp_1x16",
        "--config.learning_rate=1e-9", f"--workdir={workdir}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    (row,) = json.loads((workdir / "summary.json").read_text())["members"]
    assert row["low"] < 1 < row["high"] < 2 and row["within_low"] < 1 < row["within_high"] < 2


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for argument, words in (
        (":runs=2", "config.runs=2 must be at least 3, for an interval"),
        (":train_examples=30", "batch_size=50 and 30 training examples"),
        (":settings=gausian", "'gausian' is not known"),
    ):
        result = answer(f"{CONFIG}{argument}", f"--workdir={workdir}")
        assert result.returncode == 2, result.stderr
        assert result.stderr.count("\n") == 1
        assert words in result.stderr
        assert not workdir.exists()
    config = theory_config("easy_examples", sweep=configs.runs([{"runs": 3}, {"runs": 4}]))
    with pytest.raises(UserError, match="'runs' is one for all runs"):
        settings.check_shared(config, experiment.members(config))
