"""Training through wrong labels: shares, stopping early, each verdict, and the whole command."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from conftest import Command, read_metrics
from helpers.words import left_in_english
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.analysis.wrong_labels import corrected_share, memorized_share
from rethinking_jax.theory import robust_verdicts as verdicts
from rethinking_jax.theory.robust_distance import distance_at, farther_on_wrong_labels
from rethinking_jax.theory.robust_labels import kept_positions
from rethinking_jax.theory.robust_methods import EARLY, METHODS, PLAIN
from rethinking_jax.theory.robust_results import (
    Course,
    by_setting,
    rows_of,
)
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/robust_labels.py"
SMALL = (
    f"{CONFIG}:train_examples=300,noise=0.5,pair=0.4,epochs=4,seeds=2,model=mlp_1x16,"
    "methods=cross_entropy+generalized_cross_entropy+co_teaching"
)


def course(
    method: str = PLAIN,
    test: Sequence[float] = (0.5, 0.8, 0.6),
    seed: int = 0,
    memorized: Sequence[float] = (0.1, 0.3, 0.9),
    corrected: Sequence[float] = (0.4, 0.6, 0.1),
    held_out: Sequence[float] = (0.5, 0.6, 0.4),
    name: str = "noise=0.4",
    corruption: str = "partially_corrupted_labels",
    wrong: float = 0.36,
    train: Sequence[float] = (0.4, 0.8, 1.0),
    distance: Sequence[float] = (1.0, 2.0, 4.0),
) -> Course:
    return Course(
        name, corruption, method, seed, wrong, [1, 2, 3], list(test), list(held_out),
        list(memorized), list(corrected), list(train), list(distance),
    )  # fmt: skip


def noisy(*courses: Course) -> dict[str, dict[str, list[Course]]]:
    return by_setting(courses)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_shares_of_wrong_labels_are_those_of_counting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, given_, said = rng.integers(0, 3, (3, 40))
    wrong = given_ != true
    if not wrong.any() or wrong.all():
        return
    line = {
        "train_accuracy_true_labels": float((said == true).mean()),
        "train_accuracy_on_clean": float((said == given_)[~wrong].mean()),
        "train_accuracy_on_corrupted": float((said == given_)[wrong].mean()),
    }
    assert memorized_share(line) == pytest.approx((said == given_)[wrong].mean())
    corrected = corrected_share(line, float(wrong.mean()))
    assert corrected == pytest.approx((said == true)[wrong].mean(), abs=1e-9)


def test_plain_training_stops_where_noisy_labels_say() -> None:
    one = course()
    assert (one.last, one.best, one.early) == (0.6, 0.8, 0.8)
    late = course(held_out=(0.1, 0.2, 0.3))
    assert late.early == late.last
    rows = rows_of([one, course("mixup", test=(0.5, 0.6, 0.7))])
    assert [row["method"] for row in rows] == [PLAIN, EARLY, "mixup"]
    assert rows[1]["memorized"] == 0.3
    assert rows[2]["gain"] == pytest.approx(0.1)
    assert rows[2]["over_early"] == pytest.approx(-0.1)


def test_each_verdict_can_be_yes_no_and_not_measured() -> None:
    plain = [course(seed=s, test=(0.5, 0.8, 0.6 + 0.001 * s)) for s in range(3)]
    flat = [course(seed=s, test=(0.5, 0.6, 0.6 + 0.001 * s)) for s in range(3)]
    assert verdicts.memorizing_costs(noisy(*plain)).outcome == "yes"
    assert verdicts.memorizing_costs(noisy(*flat)).outcome == "no"
    assert verdicts.memorizing_costs(noisy(plain[0])).outcome == "not measured"
    assert verdicts.early_learning_comes_first(noisy(*plain)).outcome == "yes"
    never = [*plain, course(seed=3, corrected=(0.1, 0.1, 0.2))]
    assert verdicts.early_learning_comes_first(noisy(*never)).outcome == "no"
    assert verdicts.early_learning_comes_first({}).outcome == "not measured"
    good = [
        course("mixup", seed=s, test=(0.5, 0.8, 0.9 + 0.001 * s), memorized=(0, 0, 0.2))
        for s in range(3)
    ]
    for judge in (verdicts.methods_help, verdicts.memorized_less, verdicts.better_than_stopping):
        assert judge(noisy(*plain, *good)).outcome == "yes"
        assert judge({}).outcome == "not measured"
    bad = [one._replace(test=[0.5, 0.6, 0.61 + 0.01 * one.seed]) for one in good]
    assert verdicts.better_than_stopping(noisy(*plain, *bad)).outcome == "no"
    worse = [one._replace(test=[0.5, 0.6, 0.3 + 0.01 * one.seed]) for one in good]
    assert verdicts.methods_help(noisy(*plain, *worse)).outcome == "no"
    learned = [one._replace(memorized=[0, 0, 0.95]) for one in good]
    assert verdicts.memorized_less(noisy(*plain, *learned)).outcome == "no"


def test_generalized_cross_entropy_is_judged_on_pairs_alone() -> None:
    def pairs(last: float) -> dict[str, dict[str, list[Course]]]:
        plain = [course(seed=s, corruption="pair_flip") for s in range(2)]
        ours = [
            one._replace(method="generalized_cross_entropy", test=[0.5, 0.6, last + 0.001 * s])
            for s, one in enumerate(plain)
        ]
        return noisy(*plain, *ours)

    assert verdicts.generalized_loses_on_pairs(pairs(0.4)).outcome == "yes"
    assert verdicts.generalized_loses_on_pairs(pairs(0.7)).outcome == "no"
    other = course("generalized_cross_entropy")
    assert verdicts.generalized_loses_on_pairs(noisy(course(), other)).outcome == "not measured"


def test_people_s_errors_are_compared_at_the_same_rate() -> None:
    def both(people: int, drawn: int, wrong: float = 0.36) -> dict[str, dict[str, list[Course]]]:
        def runs(name: str, corruption: str, half: int, wrong: float) -> list[Course]:
            shares = [0.6 if epoch >= half else 0.1 for epoch in (1, 2, 3)]
            return [
                course(seed=s, name=name, corruption=corruption, memorized=shares)._replace(
                    wrong=wrong
                )
                for s in range(3)
            ]

        return noisy(
            *runs("people", "given_labels", people, wrong),
            *runs("drawn", "partially_corrupted_labels", drawn, 0.36),
        )

    judge = verdicts.people_are_memorized_earlier
    assert judge(both(1, 3)).outcome == "yes"
    assert judge(both(3, 1)).outcome == "no"
    assert judge(both(1, 9)).outcome == "yes"
    assert judge(both(9, 1)).outcome == "no"
    assert judge(both(9, 9)).outcome == "not measured"
    assert judge(both(1, 3, wrong=0.45)).outcome == "not measured"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=9, unique=True),
    st.floats(0.5, 0.99),
    st.randoms(use_true_random=False),
)
def test_the_distance_at_an_accuracy_is_where_the_line_first_crosses_it(
    accuracies: list[float], level: float, random: Random
) -> None:
    lengths = [random.random() for _ in accuracies]
    found = distance_at(course(train=accuracies, distance=lengths), level)
    if accuracies[0] >= level or max(accuracies) < level:
        assert found is None
        return
    end = next(i for i, accuracy in enumerate(accuracies) if accuracy >= level)
    places = slice(end - 1, end + 1)
    assert found == pytest.approx(np.interp(level, accuracies[places], lengths[places]))


def test_distances_are_compared_where_both_pass_the_same_accuracies() -> None:
    def judged(wrong: float, seeds: int = 3, **true: Sequence[float]) -> tuple[str, str]:
        courses = [
            course(seed=s, name=name, wrong=share, distance=[d * (1 + s / 50) for d in lengths])
            for name, share, lengths in (
                ("noise=0.4", 0.36, (wrong, wrong, wrong * (1 + 1e-9))),
                ("true labels", 0.0, (2.0, 2.0, 2.0)),
            )
            for s in range(seeds)
        ]
        found = farther_on_wrong_labels(
            [one if one.wrong else one._replace(**true) for one in courses]  # type: ignore[arg-type]
        )
        return found.outcome, found.ours

    assert judged(6.0)[0] == "yes"
    assert "3.00 times as far (3.00 to 3.00) at train accuracy 0.5 to 0.99" in judged(6.0)[1]
    assert judged(1.0)[0] == "no"
    assert "accuracy 0.91 to 0.99" in judged(6.0, train=[0.9, 0.95, 1.0])[1]
    assert judged(6.0, train=[1.0, 1.0, 1.0])[0] == "not measured"
    assert judged(6.0, seeds=1)[0] == "not measured"
    assert farther_on_wrong_labels([course(seed=s) for s in range(3)]).outcome == "not measured"


def test_a_ratio_that_seeds_do_not_tell_is_not_measured() -> None:
    lengths = {"noise=0.4": (1.0, 4.0), "pair=0.4": (3.0, 3.3), "true labels": (1.0, 1.1)}
    courses = [
        course(seed=s, name=name, wrong=0.0 if name == "true labels" else 0.36, distance=[own] * 3)
        for name, each in lengths.items()
        for s, own in enumerate(each)
    ]
    assert farther_on_wrong_labels(courses).outcome == "not measured"
    assert farther_on_wrong_labels(courses[2:]).outcome == "yes"


def test_what_is_held_out_depends_on_the_seed_alone() -> None:
    config = theory_config("robust_labels", held_out=0.2, batch_size=10)
    kept = kept_positions(config, 100)
    assert len(kept) == 80
    assert (np.diff(kept) > 0).all()
    config.epochs = 3
    np.testing.assert_array_equal(kept_positions(config, 100), kept)
    config.seed = 1
    assert (kept_positions(config, 100) != kept).any()


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    done = answer(SMALL, "--config.language=es", f"--workdir={workdir}")
    assert done.returncode == 0, done.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    noisy = [
        (name, method)
        for name in ("noise=0.5", "pair=0.4")
        for method in (PLAIN, EARLY, "generalized_cross_entropy", "co_teaching")
    ]
    true = [("true labels", PLAIN), ("true labels", EARLY)]
    members = summary["members"]
    assert [(row["name"], row["method"]) for row in members] == [*noisy, *true]
    assert [row["memorized"] is None for row in members] == [False] * 8 + [True] * 2
    lines = read_metrics(workdir)
    assert len(lines) == 3 * 2 * 2 * 4 + 2 * 4
    plain = [line for line in lines if f",{PLAIN}," in line["member"]]
    assert len(plain) == 3 * 2 * 4
    assert all(line["distance_from_start"] > 0 for line in plain)
    assert sum("distance_from_start" in line for line in lines) == len(plain)
    assert all(0 <= line["held_out_accuracy"] <= 1 for line in lines)
    wrong = {row["name"]: row["wrong"] for row in members}
    assert wrong["noise=0.5"] == pytest.approx(0.45, abs=0.08)
    assert wrong["pair=0.4"] == pytest.approx(0.4, abs=0.08)
    with (workdir / "tables" / "robust_labels.csv").open() as file:
        assert len(list(csv.reader(file))) == 11
    assert (workdir / "figures" / "early_learning_1.svg").exists()
    again = answer(SMALL, f"--workdir={workdir}")
    assert "Complete already" in again.stdout
    assert left_in_english(workdir) == []


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("methods=cross_entropy+elr", "'elr' is not known"),
        ("methods=mixup+mixup", "there twice"),
        ("train_examples=100,noise=0.5", "config.batch_size=128"),
        ("noise=1.5", "config.label_noise=1.5 must be a probability"),
        ("seeds=1", "config.seeds=1 must be at least 2, for an interval"),
        ("labels_file=no.npz:a", "there is no file no.npz"),
    ],
)
def test_bad_input_is_one_line(argument: str, said: str, answer: Command, tmp_path: Path) -> None:
    done = answer(f"{CONFIG}:{argument}", f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run" / "config.json").exists()


def test_every_method_names_keys_that_there_are() -> None:
    known = theory_config("robust_labels")
    assert set(METHODS) == set(str(known.methods).split("+"))
    assert METHODS["co_teaching"].keys(0.36)["loss_strength"] == 0.36
