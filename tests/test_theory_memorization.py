"""Memorization by subsets of one training set: the runs, what is made of them, and each verdict."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers import lab
from helpers.words import left_in_english

from rethinking_jax import config as configs
from rethinking_jax.analysis import intervals
from rethinking_jax.data.load import load_dataset
from rethinking_jax.errors import UserError
from rethinking_jax.scores import nearest
from rethinking_jax.scores.contrast import contrast, group_sums
from rethinking_jax.scores.influence import Pairs
from rethinking_jax.scores.subsets import BLOCKS, balanced, trained_on
from rethinking_jax.sweep.engine import Run
from rethinking_jax.theory import exposure, removal, settings
from rethinking_jax.theory import memorization_verdicts as verdicts
from rethinking_jax.theory.data import Task
from rethinking_jax.theory.exact_learners import Nearest
from rethinking_jax.theory.influence_pairs import InfluencePairs, find_pairs
from rethinking_jax.theory.memorization import check_count
from rethinking_jax.theory.removal import Removal, Retrained
from rethinking_jax.theory.settings import theory_config
from rethinking_jax.theory.subset_runs import Answers, Memorized, Setting, memorized

CONFIG = "--config=configs/memorization.py"
COUNT, TESTS, GROUPS = 400, 60, 6


def scored(
    noise: float = 0.0, tail: float = 0.0, guessed: float = 0.1, inside: float = 1.0
) -> Memorized:
    """Runs whose answers are drawn with known probabilities.

    Args:
      noise: the share of the labels that are corrupted.
      tail: the share of the clean labels that are guessed with `guessed`, as corrupted ones are.
      guessed: how often.
      inside: how often runs are right on what they train on.
    """
    rng = np.random.default_rng(0)
    corrupted = np.arange(COUNT) < noise * COUNT
    hard = corrupted | (rng.random(COUNT) < tail)
    trained = trained_on(balanced(COUNT, GROUPS, 3, 0, "subsets"), COUNT)
    right = np.where(trained, inside, np.where(hard, guessed, 0.97))
    correct = rng.random(trained.shape) < right
    confidence = rng.normal(size=trained.shape) + 3 * np.where(trained | ~hard, 1, -1)
    loss = np.log1p(np.exp(-confidence))
    true = rng.integers(0, 10, COUNT).astype(np.int32)
    labels = np.where(corrupted, (true + 1) % 10, true)
    images = np.zeros((COUNT, 2, 2, 1), np.float32)
    task = Task(images, labels, images[:TESTS], true[:TESTS], 10, noise)
    ids = np.arange(COUNT, dtype=np.uint32)
    config = theory_config("memorization", runs=GROUPS * BLOCKS)
    setting = Setting(f"noise={noise:g}", config, task, ids, ids[:TESTS], corrupted, true)
    test_correct = rng.random((len(trained), TESTS)) < 0.9
    return memorized(setting, Answers(trained, correct, loss, test_correct))


def retrained(name: str, apart: Sequence[float], removed: int = 60) -> Retrained:
    random = [0.9, 0.91, 0.92]
    without = [b - a for a, b in zip(apart, random, strict=True)]
    one = Removal(name, 0.25, removed, 0, 0.1, without, random)
    return Retrained(name, random, [one, one._replace(threshold=0.4)])


def test_each_verdict_on_scores_can_be_no() -> None:
    clean, noisy = scored(tail=0.1), scored(0.3)
    judge = verdicts.corrupted_is_memorized
    assert judge([clean, noisy]).outcome == "yes"
    assert judge([scored(0.3, guessed=0.99)]).outcome == "no"
    assert judge([clean]).outcome == judge([scored(0.05)]).outcome == "not measured"
    judge = verdicts.rises_with_noise
    assert judge([noisy, clean]).outcome == "yes"
    assert judge([scored(tail=0.5), scored(0.3)]).outcome == "no"
    assert judge([clean, scored(0.3, inside=0.9)]).outcome == "no"  # labels are not fitted
    assert judge([noisy]).outcome == "not measured"
    judge = verdicts.has_a_tail
    assert judge([noisy, clean]).outcome == "yes"
    assert judge([scored()]).outcome == "no"
    assert judge([noisy]).outcome == "not measured"


def test_each_verdict_on_removal_can_be_no() -> None:
    clean, noisy = scored(tail=0.1), scored(0.3)
    worse, better = [0.05, 0.06, 0.05], [-0.05, -0.06, -0.05]
    for judge, name, good, bad in (
        (verdicts.removal_costs, "noise=0", worse, better),
        (verdicts.removal_helps, "noise=0.3", better, worse),
    ):
        both = [clean, noisy]
        assert judge(both, [retrained(name, good)]).outcome == "yes"
        for apart in (bad, [0.05, -0.06, 0.01]):
            assert judge(both, [retrained(name, apart)]).outcome == "no"
        assert judge(both, [Retrained(name, [0.9, 0.9, 0.9], [])]).outcome == "not measured"
        assert judge(both, []).outcome == "not measured"
    # Two thresholds are a family: both must hold, after Holm.
    one = retrained("noise=0", worse)
    one.removals[1] = retrained("noise=0", [0.0, 0.01, -0.01]).removals[0]
    assert verdicts.removal_costs([clean], [one]).outcome == "no"


def test_each_verdict_on_pairs_can_be_no() -> None:
    places = np.arange(12)

    def pairs(name: str, low: float, count: int = 12) -> InfluencePairs:
        found = Pairs(places[:count], places[:count], places[:count] / 12, places[:count] / 12)
        mean = intervals.Difference(low + 0.1, low, low + 0.2, "groups")
        return InfluencePairs(name, found, mean)

    settings = [scored(), scored(0.3)]
    for judge, name in (
        (verdicts.pairs_are_confirmed, "noise=0"),
        (verdicts.noisy_pairs_are_confirmed, "noise=0.3"),
    ):
        good = pairs(name, 0.08)
        assert judge(settings, [good]).outcome == "yes"
        assert judge(settings, [pairs(name, 0.07)]).outcome == "no"
        assert judge(settings, [pairs(name, 0.08, 9)]).outcome == "not measured"
        for unmeasured in ([], [good._replace(mean=None)], [good._replace(name="another")]):
            assert judge(settings, unmeasured).outcome == "not measured"


def test_pairs_of_one_class_are_found_among_memorized_examples() -> None:
    one = scored(tail=0.2)
    answers, task = one.answers, one.setting.task
    hard = int(np.argmax(one.scores.value))
    same = int(np.flatnonzero(task.test_labels == task.train_labels[hard])[0])
    other = int(np.flatnonzero(task.test_labels != task.train_labels[hard])[0])
    for test in (same, other):
        answers.test_correct[:, test] = answers.trained[:, hard]
    found = find_pairs(one)
    pairs = list(zip(found.pairs.train, found.pairs.test, strict=True))
    assert (hard, same) in pairs and (hard, other) not in pairs
    assert found.pairs.measured[pairs.index((hard, same))] == 1 and found.mean is not None


def test_membership_shows_where_labels_are_corrupted() -> None:
    noisy = scored(0.3)
    found = exposure.expose(noisy, removal.FEWEST)
    assert verdicts.membership_is_exposed([found]).outcome == "yes"
    assert verdicts.nothing_in_permuted([found]).outcome == "yes"
    corrupted = noisy.setting.corrupted
    assert found.evidence[corrupted].mean() > 5 > found.evidence[~corrupted].mean()
    same = found._replace(corrupted=found.clean)
    assert verdicts.membership_is_exposed([same]).outcome == "no"
    leak = found._replace(null=[0.6 + 0.001 * i for i in range(GROUPS)])
    assert verdicts.nothing_in_permuted([found, leak]).outcome == "no"
    few = exposure.expose(noisy, COUNT)
    assert few.corrupted is None
    assert verdicts.membership_is_exposed([few]).outcome == "not measured"
    row = exposure.exposure_rows([found], enough=exposure.outsiders(noisy) >= exposure.OUTSIDERS)[0]
    assert row["tpr_0.001"] == pytest.approx(np.mean(found.rates[0.001])) and row["auroc"] > 0.6
    assert exposure.exposure_rows([found], enough=False)[0]["tpr_0.001"] is None
    assert exposure.outsiders(noisy) == 3 * COUNT


def test_the_estimate_must_be_exact() -> None:
    exact = np.linspace(0, 1, 1000)
    runs = np.full(1000, 60.0)
    estimated = np.random.default_rng(0).binomial(60, exact) / 60
    assert verdicts.estimate_is_exact([("a", Nearest(exact, estimated, runs))]).outcome == "yes"
    off = Nearest(exact, np.clip(estimated + 0.3, 0, 1), runs)
    assert verdicts.estimate_is_exact([("a", off)]).outcome == "no"
    assert verdicts.estimate_is_exact([]).outcome == "not measured"


def test_thresholds_and_what_is_removed() -> None:
    assert removal.thresholds(6) == [0.1, 0.25, 0.4, 0.55, 0.7, 0.85]
    assert (removal.thresholds(1), removal.thresholds(0)) == ([0.25], [])
    chosen = np.arange(50) % 5 == 0
    arms = removal._arms(chosen, 3, 0)
    assert set(arms["mem"]) == set(np.flatnonzero(~chosen)) and len(set(arms["random"])) == 40
    assert (arms["random"] != removal._arms(chosen, 4, 0)["random"]).any()
    assert (arms["random"] != removal._arms(chosen, 3, 1)["random"]).any()
    config = theory_config("memorization", batch_size=10)
    assert [removal.removable(n, 100, config) for n in (49, 50, 90, 91)] == [0, 1, 1, 0]


def test_the_command(answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "FEWEST", 5)
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:train_examples=100,runs=20,model=mlp_1x16,retrain=2,thresholds=1,epochs=6,"
        "banzhaf=4,label_noise=0.4",
        "--config.batch_size=10", "--config.crop_size=12", "--config.language=es",
        f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").read_text().splitlines()]
    names = [line["member"] for line in lines]
    assert names[:2] == ["label_noise=0.4,run=0", "label_noise=0.4,run=1"]
    assert len(names) == len(set(names)) == 20 + 3 * 2 + 4
    with np.load(workdir / "scores.npz") as scores, (workdir / "scores.csv").open() as text:
        rows = list(csv.DictReader(text))
        assert list(rows[0]) == scores.files == [
            "id", "true_label", "label", "mem", "error", "in", "out", "lira", "banzhaf",
            "banzhaf_error", "mem_nearest", "mem_kernel",
        ]  # fmt: skip
        assert len(rows) == 100
        np.testing.assert_allclose(scores["mem"], scores["in"] - scores["out"])
        corrupted = scores["label"] != scores["true_label"]
        mem = scores["mem"]
    # The very runs: their subsets are the design, and their labels are one corruption.
    with np.load(next((workdir / "examples").glob("*.npz"))) as kept:
        subsets = balanced(100, 2, 3, 0, "subsets")
        np.testing.assert_array_equal(kept["train_trained"], trained_on(subsets, 100))
        assert (kept["train_labels"] == kept["train_labels"][0]).all()
        sums = group_sums(kept["train_trained"], kept["train_correct"], 10)
        np.testing.assert_allclose(contrast(sums).value, mem)
    summary = json.loads((workdir / "summary.json").read_text())
    by_learner = {row["learner"]: row for row in summary["members"] if "learner" in row}
    assert set(by_learner) == {"network", "nearest", "kernel"}
    for row in by_learner.values():
        assert row["corrupted"] == corrupted.sum() > 20
    assert by_learner["nearest"]["auroc"] > 0.7
    removed = next(row for row in summary["members"] if "removed" in row)
    assert removed["removed"] == (mem >= 0.25).sum()
    for name in (
        "influence.npz", "figures/scores_0.svg", "figures/memorized_0.png", "figures/removal.svg",
        "figures/membership.png", "figures/in_out.svg", "tables/memorization.csv",
        "tables/removal.md", "figures/removal_difference.png",
    ):  # fmt: skip
        assert (workdir / name).exists(), name
    again = answer(*arguments)
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert left_in_english(workdir) == []


def test_exact_learners_need_no_network(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    result = answer(
        f"{CONFIG}:train_examples=300,learner=kernel+nearest,runs=200", f"--workdir={workdir}"
    )
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    found = {(row["name"], row["learner"]): row for row in summary["members"]}
    assert len(found) == 4
    assert found["label_noise=0.1", "kernel"]["auroc"] > 0.9
    outcomes = [one["outcome"] for one in summary["verdicts"]]
    assert outcomes[-1] == "yes" and set(outcomes[:-1]) == {"not measured"}
    assert not (workdir / "metrics.jsonl").exists()


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    result = answer(f"{CONFIG}:train_examples=100,runs=20", f"--workdir={workdir}")
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert "batch_size=128, subsets of 70 of 100 training examples" in result.stderr
    assert not workdir.exists()
    for changes, words in (
        ({"runs": 25}, "runs=25 must be a multiple of 10"),
        ({"runs": 10}, "runs=10 must be from 20"),
        ({"subset": 0.75}, "subset=0.75 must be a number of tenths"),
        ({"banzhaf": 3}, "banzhaf=3 must be 0 or an even number from 4 on"),
        ({"learner": "network+nearst"}, "'nearst' is not known"),
        ({"learner": "kernel+kernel"}, "there twice"),
        ({"corruption": "gaussian"}, "corruption=gaussian: the runs share their images"),
        ({"retrain": 1}, "retrain=1 must be from 2"),
    ):
        with pytest.raises(UserError, match=words):
            configs.members(theory_config("memorization", **changes), settings.check)
    config = theory_config("memorization", banzhaf=4, batch_size=60)
    check_count(120, config)
    with pytest.raises(UserError, match="subsets of 59 of 118"):
        check_count(118, config)


# Networks themselves -------------------------------------------------------------------------


@pytest.mark.slow
def test_left_out_ones_are_scored_as_they_are_refitted(tmp_path: Path) -> None:
    """60 digits, each left out of runs of its own, against the estimate from subsets of 59."""
    count, repeats = 60, 6
    data = load_dataset("mnist5k", train_examples=count)
    subsets = balanced(count, repeats, 1, 0, "subsets", blocks=count)
    refits = [np.delete(np.arange(count), i) for i in range(count)]
    runs = [{"name": f"estimate{i}", "seed": i} for i in range(len(subsets))]
    runs += [
        {"name": f"without{i},{r}", "seed": 1000 + count * r + i}
        for r in range(repeats)
        for i in range(count)
    ]
    runs += [{"name": f"whole{i}", "seed": 5000 + i} for i in range(count)]
    positions = [*subsets, *(refits * repeats)]

    def change(index: int, run: Run) -> Run:
        if index >= len(positions):
            return run
        return run._replace(subset=positions[index].astype(np.int32))

    keys = {"batch_size": 20, "epochs": 12, "learning_rate": 0.05, "measure_every": 12}
    _, recorded = lab.trained(data, runs, change, tmp_path / "run", **keys)
    correct = recorded.splits["train"].facts["correct"]
    first = len(subsets)
    sums = group_sums(trained_on(subsets, count), correct[:first], count)
    estimate = contrast(sums).value
    without = correct[first : first + count * repeats].reshape(repeats, count, count)
    refitted = correct[first + count * repeats :].mean(0) - np.diagonal(without, 0, 1, 2).mean(0)
    assert refitted.mean() > 0.1
    # Each held-out answer of either kind is one of `repeats`; those that train on it nearly agree.
    error = np.sqrt(2 * np.mean(refitted * (1 - refitted)) / repeats / count)
    assert abs(estimate.mean() - refitted.mean()) < 3 * error
    assert np.corrcoef(estimate, refitted)[0, 1] > 0.6


@pytest.mark.slow
def test_mislabelled_digits_are_the_most_memorized(tmp_path: Path) -> None:
    """20 labels of 1,000 are planted wrong: all are among the 30 highest scores of 200 runs.

    The digits are such as their neighbours have the label of: of others some dozens are never
    guessed, and so as memorized as any wrong label.
    """
    whole = load_dataset("mnist5k")
    pixels = np.asarray(whole.train.images).reshape(len(whole.train), -1) / 255
    agree = nearest.disagreement(whole.train.labels, nearest.neighbours(pixels, 10), 10) == 0
    data = dataclasses.replace(whole, train=whole.train.take(np.flatnonzero(agree)[:1000]))
    planted = np.random.default_rng(0).choice(1000, 20, replace=False)
    labels = np.array(data.train.labels)
    labels[planted] = (labels[planted] + 3) % 10
    subsets = balanced(1000, 20, 3, 0, "subsets")
    runs = [{"name": f"run{i}", "seed": i} for i in range(len(subsets))]

    def change(index: int, run: Run) -> Run:
        return run._replace(train_labels=labels, subset=subsets[index])

    keys = {"hidden_sizes": (64,), "batch_size": 100, "epochs": 30, "learning_rate": 0.1}
    _, recorded = lab.trained(data, runs, change, tmp_path / "run", measure_every=30, **keys)
    train = recorded.splits["train"]
    scores = contrast(group_sums(train.trained, train.facts["correct"], 10)).value
    assert set(planted) <= set(np.argsort(-scores, kind="stable")[:30])
