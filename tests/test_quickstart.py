"""The command of the README, and the paper's claim at its scale."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import assert_spanish, texts

from rethinking_jax.analysis import results
from rethinking_jax.report import __main__ as report
from rethinking_jax.report.section import section

# The first command of the README is this very run.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workdir(
    command: Command, as_users: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("quickstart") / "run"
    result = command(f"--workdir={folder}", env=as_users)
    assert result.returncode == 0, result.stderr
    (folder.parent / "stdout").write_text(result.stdout)
    return folder


def test_all_six_settings_are_fitted(workdir: Path) -> None:
    summary = json.loads((workdir / "summary.json").read_text())
    members = {member["name"]: member for member in summary["members"]}
    assert list(members) == [
        "true_labels",
        "partially_corrupted_labels",
        "random_labels",
        "shuffled_pixels",
        "random_pixels",
        "gaussian",
    ]
    for member in members.values():
        assert member["train_accuracy"] == 1.0
        assert member["steps_to_fit"] == 32 * member["epochs_to_fit"] == member["steps"]
        assert member["parameters"] == 784 * 512 + 512 + 512 * 10 + 10
    assert members["true_labels"]["test_accuracy"] > 0.9
    # 1,000 test digits: chance is 0.1 with a standard deviation of 0.0095.
    assert abs(members["random_labels"]["test_accuracy"] - 0.1) < 0.04
    assert abs(members["random_labels"]["flipped_fraction"] - 0.9) < 0.02
    assert abs(members["partially_corrupted_labels"]["flipped_fraction"] - 0.45) < 0.03
    assert members["true_labels"]["steps_to_fit"] < members["random_labels"]["steps_to_fit"]
    # Corrupted pixels leave the labels alone.
    digests = [members[name]["labels_sha256"] for name in ("true_labels", "gaussian")]
    assert digests[0] == digests[1] != members["random_labels"]["labels_sha256"]
    for key in ("experiment", "dataset", "device", "versions", "wall_seconds"):
        assert summary[key]


def test_it_says_what_it_did(workdir: Path) -> None:
    said = (workdir.parent / "stdout").read_text()
    summary = json.loads((workdir / "summary.json").read_text())
    for member in summary["members"]:
        assert member["labels_sha256"] in said
        assert f"{member['steps_to_fit']:,}" in said
    assert "407,050" in said  # the parameter overview
    assert str(workdir / "figures" / "learning_curves.png") in said
    assert "\x1b" not in said  # no terminal, no control characters


def test_the_files_hold_the_same_results(workdir: Path) -> None:
    summary = json.loads((workdir / "summary.json").read_text())
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    with np.load(workdir / "labels.npz") as labels:
        for member in summary["members"]:
            own = [line for line in lines if line["member"] == member["name"]]
            assert [line["epoch"] for line in own] == list(range(1, member["epochs"] + 1))
            assert own[-1]["train_accuracy"] == member["train_accuracy"]
            assert max(line["test_accuracy"] for line in own) == member["best_test_accuracy"]
            flipped = labels[member["name"]] != labels["true_labels"]
            assert flipped.mean() == pytest.approx(member["flipped_fraction"])
    table = (workdir / "tables" / "results.csv").read_text().splitlines()
    assert len(table) == 7
    assert (workdir / "figures" / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    config = json.loads((workdir / "config.json").read_text())
    assert config["experiment"] == "quickstart"
    assert len(config["sweep"]) == 6


def test_its_report_is_in_spanish_where_that_is_asked_for(workdir: Path) -> None:
    assert_spanish(*texts(section(results.read(workdir))))
    assert report.main([str(workdir), "--language=es"]) == 0
    page = (workdir / "report.html").read_text()
    assert "Las redes entrenadas con etiquetas verdaderas generalizan." in page
    assert "Networks trained" not in page
    assert "semillas" in (workdir / "tables" / "label_noise.md").read_text()
    header = (workdir / "tables" / "label_noise.csv").read_text().splitlines()[0]
    assert header.startswith("series,label_noise,seeds")  # programs read it


def test_the_learning_rate_decays_every_390_steps(workdir: Path) -> None:
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        expected = 0.01 * 0.95 ** ((line["step"] - 1) // 390)
        assert line["learning_rate"] == pytest.approx(expected, rel=1e-5)
