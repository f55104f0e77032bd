"""Which score finds the label errors: the runs, what is kept of them, and what is judged."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english
from rich.console import Console
from sklearn.metrics import average_precision_score, roc_auc_score

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.config import Member
from rethinking_jax.errors import UserError
from rethinking_jax.theory import label_error_networks as networks
from rethinking_jax.theory import label_error_runs, label_error_scores, settings
from rethinking_jax.theory import label_error_verdicts as judged
from rethinking_jax.theory.label_error_ranks import by_draw, wins
from rethinking_jax.theory.label_error_scores import (
    SCORES,
    Found,
    check_measured,
    measured_in,
    named,
)
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/label_errors.py"


def one_cell(**changes: object) -> list[label_error_runs.Cell]:
    config = theory_config(
        "label_errors", corruption="partially_corrupted_labels", label_noise=0.2, **changes
    )
    return label_error_runs.cells([Member("noise", config)])


def test_runs_of_a_corruption_share_its_labels_and_nothing_else() -> None:
    cells = one_cell(corruptions=2, inits=3, folds=2, subsets=10, seed=5)
    first, second = (list(label_error_runs.overrides(cell)) for cell in cells)
    assert [run["name"] for run in first][:4] == [
        "noise,corruption=0,init=0", "noise,corruption=0,init=1", "noise,corruption=0,init=2",
        "noise,corruption=0,fold=0",
    ]  # fmt: skip
    assert {run["corruption_seed"] for run in first} == {5}
    assert {run["corruption_seed"] for run in second} == {6}
    seeds = [{run["seed"] for run in runs} for runs in (first, second)]
    assert len(seeds[0]) == 10 and not seeds[0] & seeds[1]
    assert [run["measure_every"] for run in first][2:4] == [1, 30]


def test_every_example_is_held_out_by_the_same_number_of_runs() -> None:
    cell = one_cell(folds=4, subsets=20)[1]
    positions = label_error_runs.positions(cell, 40)
    out = {name: np.isin(np.arange(40), own, invert=True) for name, own in positions.items()}
    assert (sum(out[name] for name in cell.folds) == 1).all()
    assert (sum(out[name] for name in cell.subsets) == 6).all()
    other = label_error_runs.positions(one_cell(folds=4, subsets=20)[0], 40)
    assert any((other[a] != positions[b]).any() for a, b in zip(other, positions, strict=True))


def test_folds_that_do_not_divide_the_examples_still_hold_out_each() -> None:
    cell = one_cell(folds=3)[0]
    positions = label_error_runs.positions(cell, 40)
    assert {len(own) for own in positions.values()} == {26}
    out = sum(np.isin(np.arange(40), own, invert=True) for own in positions.values())
    assert out.min() == 1 and out.sum() == 42


def test_scores_are_those_that_the_runs_allow() -> None:
    with_all = one_cell(folds=5, subsets=10)
    assert measured_in(with_all[0]) == tuple(SCORES)
    assert "memorization" not in measured_in(one_cell()[0])
    some = one_cell(scores="neighbours+final_loss+memorization")
    assert measured_in(some[0]) == ("neighbours", "final_loss")
    with pytest.raises(UserError, match=r"memorization needs config.subsets above 0"):
        check_measured(some)
    check_measured([*some, *one_cell(scores="memorization", subsets=10)])
    with pytest.raises(UserError, match="did you mean 'forgetting'"):
        named("forgeting")


def test_what_is_missing_of_the_networks_is_one_line(tmp_path: Path) -> None:
    networks._write(tmp_path, "a", {"run|gradient_norm_start": np.ones(2)})
    assert networks.read(tmp_path, ["run"])["run"]["gradient_norm_start"].tolist() == [1, 1]
    with pytest.raises(UserError, match="has nothing of 'other'"):
        networks.read(tmp_path, ["run", "other"])
    (tmp_path / "b.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"b\.npz is damaged"):
        networks.read(tmp_path, ["run"])


def test_probabilities_are_those_of_the_run_that_lacks_an_example() -> None:
    cell = one_cell(folds=2)[0]
    rows = np.arange(12).reshape(6, 2) / 100
    out = np.array([1, 1, 0, 0, 0, 1], bool)
    kept = {
        cell.folds[0]: {"probabilities": rows, "held_out": out},
        # The last one is held out by both, and gets the mean.
        cell.folds[1]: {"probabilities": rows + 0.5, "held_out": ~out | (np.arange(6) == 5)},
    }
    found = label_error_scores._out_of_fold(cell, np.zeros(6, np.int32), kept)
    expected = np.where(out, rows[:, 0], rows[:, 0] + 0.5)
    expected[5] = rows[5, 0] + 0.25
    np.testing.assert_allclose(found["held_out_confidence"], 1 - expected)


def test_the_better_score_wins_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    corrupted = rng.random(300) < 0.2
    good, poor = corrupted + rng.normal(size=300) * 0.5, rng.normal(size=300)
    cell = one_cell()[0]
    found = [
        Found(cell._replace(corruption=draw), corrupted, corrupted,
              {"final_loss": poor, "cumulative_loss": good, "forgetting": good}, 1.0)
        for draw in range(3)
    ]  # fmt: skip
    shares = wins(found, ["final_loss", "cumulative_loss", "forgetting"])
    assert shares["final_loss"] == 0 and sum(shares.values()) == pytest.approx(1)
    assert shares["cumulative_loss"] == pytest.approx(0.5)  # a tie is shared


# Verdicts --------------------------------------------------------------------------------------


WINS = {"cumulative_loss": 0.97, "forgetting": 0.03}


def evidence(**precision: float) -> judged.Evidence:
    """Rows in which every claim is true, with some precisions changed."""
    base = {
        "final_loss": 0.5, "cumulative_loss": 0.9, "area_under_margin": 0.9, "wrong_events": 0.8,
        "final_confidence": 0.5, "held_out_confidence": 0.9, "forgetting": 0.4,
        "learned_last": 0.8, "gradient_norm_start": 0.5,
    }  # fmt: skip
    rows = []
    for corruption in (judged.SYMMETRIC, judged.PAIR):
        for draw in range(3):
            for score, value in (base | precision).items():
                lower = 0.1 if (score, corruption) == ("area_under_margin", judged.PAIR) else 0
                rows.append({
                    "name": corruption, "corruption": corruption, "label_noise": 0.2, "draw": draw,
                    "corrupted": 100, "fitted": 1.0, "score": score,
                    "precision": value - lower + 0.001 * draw, "auroc": value + 0.01 * (draw - 1),
                })  # fmt: skip
    snapshots = {judged.SYMMETRIC: np.array([[0.7, 0.9, 0.6]] * 3)}
    return judged.Evidence(rows, snapshots, 1, (0.8, 0.81, 0.82), 0.2, WINS)


def outcomes(of: judged.Evidence) -> str:
    """One letter for each verdict: y, n, or - for not measured."""
    letters = {"yes": "y", "no": "n", "not measured": "-"}
    return "".join(letters[one.outcome] for one in judged.verdicts(of))


def test_each_verdict_can_be_yes_and_no() -> None:
    assert outcomes(evidence()) == "y" * 10
    assert outcomes(evidence(cumulative_loss=0.4)) == "nyyyyyyyyy"
    assert outcomes(evidence(area_under_margin=0.4)) == "ynyyyyyyyy"
    assert outcomes(evidence(wrong_events=0.5)) == "yynyyyyyyy"
    flat = evidence()._replace(snapshots={judged.SYMMETRIC: np.array([[0.7, 0.8, 0.9]] * 3)})
    assert outcomes(flat) == "yyynyyyyyy"
    assert outcomes(evidence(held_out_confidence=0.5)) == "yyyynyyyyy"
    assert outcomes(evidence(gradient_norm_start=0.6)) == "yyyyynyyyy"
    assert outcomes(evidence()._replace(norm_correlation=(0.2, 0.3, 0.4))) == "yyyyyynyyy"
    assert outcomes(evidence(forgetting=0.8)) == "yyyyyyynyy"
    same = {"precision": 0.9}
    rows = [row | (same if row["score"] == "area_under_margin" else {})
            for row in evidence().measured]  # fmt: skip
    assert outcomes(evidence()._replace(measured=rows)) == "yyyyyyyyny"
    assert outcomes(evidence()._replace(wins=dict.fromkeys(WINS, 0.5))) == "yyyyyyyyyn"


def test_power_checks_are_not_measured() -> None:
    unfitted = [row | {"fitted": 0.5} for row in evidence().measured]
    assert outcomes(evidence()._replace(measured=unfitted)) == "---yyyyyyy"
    few = [row | {"corrupted": 20} for row in evidence().measured]
    assert outcomes(evidence()._replace(measured=few)) == "------y--y"
    same = evidence()._replace(norm_spread=0.001)
    assert outcomes(same) == "yyyyyy-yyy"
    wide = [row | {"auroc": 0.5 + 0.1 * (row["draw"] - 1)} for row in evidence().measured]
    assert outcomes(evidence()._replace(measured=wide)) == "yyyyy-yyyy"
    symmetric = [row for row in evidence().measured if row["corruption"] == judged.SYMMETRIC]
    assert outcomes(evidence()._replace(measured=symmetric)) == "yyyyyyyy-y"


def test_the_best_epoch_is_chosen_on_other_corruptions() -> None:
    """Curves of chance alone: the best of their epochs is no better on another corruption."""
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(30):
        noise = {judged.SYMMETRIC: 0.5 + 0.01 * rng.normal(size=(3, 40))}
        gains += judged._best_epoch(evidence()._replace(snapshots=noise)).differences
    assert abs(np.mean(gains)) < 0.002  # the best of each by itself would gain 0.02


def test_settings_are_averaged_for_each_corruption() -> None:
    rows = [
        {"name": name, "score": "s", "draw": draw, "auroc": value}
        for name, values in (("a", (0.5, 0.6)), ("b", (0.7, None)))
        for draw, value in enumerate(values)
    ]
    assert by_draw(rows, "s", "auroc", ["a", "b"]) == pytest.approx([0.6, 0.6])


# The command -----------------------------------------------------------------------------------

SMALL = "noise=0.3,corruptions=2,inits=2,folds=2,subsets=10,epochs=4,train_examples=320"


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:kind=symmetric,model=mlp_1x16,{SMALL}", "--config.subset_epochs=2",
        "--config.batch_size=32", "--config.language=es",
        f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    assert len(summary["verdicts"]) == 10 and len(summary["members"]) == 2 * len(SCORES)
    with np.load(workdir / "scores.npz") as file:
        scores = dict(file)
    corrupted = scores["corrupted"]
    assert (corrupted == (scores["label"] != scores["true_label"])).all()
    assert 0.2 < corrupted.mean() < 0.4
    for row in summary["members"][: len(SCORES)]:  # those of the first corruption
        own = scores[row["score"]]
        assert row["auroc"] == pytest.approx(roc_auc_score(corrupted, own), abs=1e-12)
        assert row["average_precision"] == pytest.approx(average_precision_score(corrupted, own))
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").read_text().splitlines()]
    ends = [line for line in lines if line["member"].startswith("symmetric 0.3,corruption=0,init")]
    assert len(ends) == 2 * 4 and all(0 <= line["auroc_loss"] <= 1 for line in ends)
    with (workdir / "tables" / "auroc.csv").open() as file:
        table = {row["title"]: row for row in csv.DictReader(file)}
    own = [row["auroc"] for row in summary["members"] if row["score"] == "cumulative_loss"]
    assert float(table["cumulative loss"]["symmetric 0.3"]) == pytest.approx(np.mean(own))
    for name in ("precision_recall", "auroc_epochs", "confidence_map", "suspects"):
        assert (workdir / "figures" / f"{name}.svg").exists()
    again = answer(*arguments)
    assert again.returncode == 0 and "Complete already" in again.stdout
    # What the networks were is read back: nothing trains again.
    (workdir / "summary.json").unlink()
    anew = answer(*arguments)
    assert anew.returncode == 0, anew.stderr
    assert json.loads((workdir / "summary.json").read_text())["members"] == summary["members"]
    assert len((workdir / "metrics.jsonl").read_text().splitlines()) == len(lines)
    assert left_in_english(workdir) == []


def test_labels_of_a_file_and_pairs_are_judged_alike(tmp_path: Path) -> None:
    """Few runs, and scores that need no others: what is looked at is whose labels these are."""
    labels = np.random.default_rng(0).integers(0, 10, 5000)
    np.savez(tmp_path / "people.npz", labels=labels)
    config = theory_config(
        "label_errors", dataset="mnist5k", train_examples=260, hidden_sizes=(8,), epochs=1,
        corruptions=2, inits=1, folds=0, scores="neighbours+cumulative_loss",
    )  # fmt: skip
    config.sweep = configs.runs(
        [
            {"corruption": "given_labels", "labels_file": str(tmp_path / "people.npz")},
            {"corruption": "pair_flip", "label_noise": 0.3},
        ]
    )
    workdir = tmp_path / "run"
    summary = experiment.run(config, workdir, console=Console(quiet=True), report=False)
    with np.load(workdir / "scores.npz") as file:
        np.testing.assert_array_equal(file["label"], labels[file["id"]])
    shares = {row["corruption"]: row["corrupted"] / row["examples"] for row in summary["members"]}
    assert 0.85 < shares["given_labels"] < 0.95 and 0.2 < shares["pair_flip"] < 0.4
    assert {row["score"] for row in summary["members"]} == {"neighbours", "cumulative_loss"}


@pytest.mark.slow
def test_no_score_finds_a_corruption_that_was_taken_back(answer: Command, tmp_path: Path) -> None:
    """With the true labels the same draw of errors is a sham, and no score may know of it."""
    masks = {}
    for noise in ("0.3", "0"):
        workdir = tmp_path / noise
        small = SMALL.replace("0.3", noise).replace("320", "1000")
        result = answer(f"{CONFIG}:kind=symmetric,model=mlp_1x16,{small}", f"--workdir={workdir}")
        assert result.returncode == 0, result.stderr
        with np.load(workdir / "scores.npz") as file:
            masks[noise] = dict(file)
    assert not masks["0"]["corrupted"].any()
    for name in SCORES:
        found = roc_auc_score(masks["0.3"]["corrupted"], masks["0"][name])
        assert abs(found - 0.5) < 0.08, name  # four standard errors
    assert roc_auc_score(masks["0.3"]["corrupted"], masks["0.3"]["cumulative_loss"]) > 0.8


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for argument, words in (
        (":kind=asymmetric", "'asymmetric' is not known: did you mean 'symmetric'?"),
        (":noise=much", "noise=much: must be numbers joined by +"),
        (":subsets=25", "config.subsets=25 must be a multiple of 10"),
        (":scores=memorization,subsets=0", "memorization needs config.subsets above 0"),
        (":train_examples=100", "100 training examples with config.batch_size=128"),
    ):
        result = answer(f"{CONFIG}{argument}", f"--workdir={workdir}")
        assert result.returncode == 2, result.stderr
        assert result.stderr.count("\n") == 1
        assert words in result.stderr
        assert not workdir.exists()
    for changes, words in (
        ({"corruptions": 1}, "at least 2"),
        ({"folds": 1}, "0, for none, or at least 2"),
        ({"corruption": "gaussian"}, "there must be wrong labels to find"),
        ({"scores": "aum"}, "'aum' is not known"),
    ):
        own = {"corruption": "random_labels"} | changes
        with pytest.raises(UserError, match=words):
            configs.members(theory_config("label_errors", **own), settings.check)
