"""Critical samples while networks train: verdicts, rows, and the whole command."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, read_metrics
from helpers.words import left_in_english

from rethinking_jax.analysis import findings
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.errors import UserError
from rethinking_jax.theory import critical_samples, critical_verdicts
from rethinking_jax.theory.critical_results import Course, critical_plots, rows_of
from rethinking_jax.theory.settings import theory_config

pytestmark = pytest.mark.usefixtures("no_report")
CONFIG = "--config=configs/critical_samples.py"
SMALL = (
    f"{CONFIG}:train_examples=200,examples=60,noise=0+1,images=,radius=20+1,iterations=4,"
    "model=mlp_1x16,seeds=2,epochs=4,measure_every=2"
)


def course(name: str, noise: float, first: float, last: float, seed: int) -> Course:
    """A run whose share of critical samples is a little larger with a larger seed."""
    corruption = "true_labels" if name == "true_labels" else "partially_corrupted_labels"
    found = [[0.9 * share, share] for share in (first, last + 0.001 * seed)]
    return Course(
        name, "gaussian" if name == "gaussian" else corruption, noise, seed, [1, 2],
        [0.5, 1.0], [0.4, 0.6], [1, 2], {3.0: found},
    )  # fmt: skip


def courses(shares: dict[str, tuple[float, float]], seeds: int = 3) -> list[Course]:
    """Runs of settings, whose names are label noise, by the shares at first and at the end."""
    return [
        course(name, float(name) if name[0].isdecimal() else 0.0, *own, seed)
        for name, own in shares.items()
        for seed in range(seeds)
    ]


def outcomes(shares: dict[str, tuple[float, float]], seeds: int = 3) -> list[str]:
    found: list[Verdict] = critical_verdicts.verdicts(courses(shares, seeds))
    return [one.outcome for one in found]


TRUE = {"true_labels": (0.1, 0.2)}
NOISY = {"0.5": (0.2, 0.4), "1": (0.3, 0.6)}
IMAGES = {"gaussian": (0.4, 0.8)}


def test_each_verdict_can_be_yes_no_and_not_measured() -> None:
    assert outcomes({**TRUE, **NOISY, **IMAGES}) == ["yes"] * 4
    assert outcomes({"true_labels": (0.5, 0.9), **NOISY, **IMAGES}) == ["no", "no", "no", "yes"]
    assert outcomes({**TRUE, "0.5": (0.2, 0.7), **NOISY, "0.8": (0.7, 0.65)}) == [
        "yes", "not measured", "no", "no"
    ]  # fmt: skip
    for few in ({**NOISY}, {**TRUE}):
        assert outcomes(few)[:2] == ["not measured"] * 2
    assert outcomes({**TRUE, **NOISY, **IMAGES}, seeds=1) == ["not measured"] * 4


def test_where_a_box_tells_nothing_apart_nothing_is_judged() -> None:
    for share, words in ((0.001, "larger"), (0.995, "smaller")):
        runs = courses(dict.fromkeys((*TRUE, *NOISY), (share, share)))
        found = critical_verdicts.verdicts(runs)
        assert {one.outcome for one in found} == {"not measured"}
        assert all(words in one.ours for one in found)


def test_differences_that_seeds_leave_open_are_not_measured() -> None:
    runs = courses({**TRUE, "1": (0.1, 0.25)})
    runs[-1] = runs[-1]._replace(found={3.0: [[0.1, 0.1], [0.1, 0.205]]})
    found = {one.claim: one.outcome for one in critical_verdicts.verdicts(runs)}
    assert found[critical_verdicts.LABELS] == "not measured"


def test_rows_are_paired_with_true_labels_and_say_how_far_the_search_was() -> None:
    rows = {row["name"]: row for row in rows_of(courses({**TRUE, **NOISY}))}
    assert rows["true_labels"]["more"] is None
    row = rows["1"]
    assert row["more"] == pytest.approx(0.4) and row["low"] == pytest.approx(0.4)
    assert row["growth"] == pytest.approx(0.301) and row["half"] == pytest.approx(0.9 * 0.601)
    plots = critical_plots(courses({**TRUE, **NOISY}))
    assert [plot.name for plot in plots] == [
        "critical_samples_3", "train_accuracy", "test_accuracy", "search_3"
    ]  # fmt: skip
    assert plots[0].curves[2].y == pytest.approx([0.3, 0.601])
    assert plots[-1].curves[2].x == [1, 2]


def test_which_examples_are_searched_depends_on_the_seed_alone() -> None:
    config = theory_config("critical_samples", examples=50)
    chosen = critical_samples.searched(config, 1000)
    assert len(set(chosen.tolist())) == 50 and chosen.dtype == np.int32
    np.testing.assert_array_equal(chosen, critical_samples.searched(config, 1000))
    config.examples = 0
    np.testing.assert_array_equal(critical_samples.searched(config, 9), np.arange(9))
    config.examples = 10
    with pytest.raises(UserError, match=r"config\.examples=10: there are only 9 test"):
        critical_samples.searched(config, 9)


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    result = answer(SMALL, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    rows = {(row["name"], row["radius"]): row for row in summary["members"]}
    assert len(rows) == 4
    lines = read_metrics(workdir)
    assert [line["epoch"] for line in lines if line["member"] == "noise=1,seed=0"] == [2, 4]
    for (name, radius), row in rows.items():
        own = [line for line in lines if line["member"].startswith(f"{name},")]
        last = [line[f"critical_{radius:g}_by_4"] for line in own if line["epoch"] == 4]
        assert row["last"] == pytest.approx(np.mean(last)) and len(last) == 2
        by = [[line[f"critical_{radius:g}_by_{count}"] for count in (1, 2, 3, 4)] for line in own]
        assert (np.diff(by) >= 0).all()
    # A larger box has more.
    assert all(rows[name, 20]["last"] >= rows[name, 1]["last"] for name, _ in rows)
    assert len({row["last"] for row in summary["members"]}) > 2
    found = findings.read(workdir).found
    assert [plot.name for plot in found.plots[:2]] == ["critical_samples_20", "critical_samples_1"]
    assert len(found.tables[0].exact) == 4
    again = answer(SMALL, f"--workdir={workdir}")
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert left_in_english(workdir) == []


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for argument, words in (
        (":radius=", "radius="),
        (":radius=0", "config.radius=0: must be different numbers above 0"),
        (":radius=3+3", "config.radius=3+3: must be different"),
        (":examples=2000", "config.examples=2000: there are only 1,000 test examples"),
        (":dataset=checkerboard:100+0", "config.radius is in pixels of images"),
        (":train_examples=100", "batch_size=128 and 100 training examples"),
        (":images=gausian", "'gausian' is not known"),
    ):
        result = answer(f"{CONFIG}{argument}", f"--workdir={workdir}")
        assert result.returncode == 2, (argument, result.stderr)
        assert result.stderr.count("\n") == 1 and words in result.stderr
        assert not workdir.exists()
