"""The dispersion of counts over runs: its definition, its null, and that it sees what differs."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rethinking_jax.analysis.intervals import jackknife
from rethinking_jax.scores.dispersion import (
    Dispersion,
    dispersion,
    dispersion_of_counts,
    dispersion_within,
    null_counts,
    null_interval,
)


def by_definition(correct: np.ndarray) -> float:
    runs, count = correct.shape
    p = correct.mean()
    squares = sum((correct[:, i].sum() - runs * p) ** 2 for i in range(count))
    return float(squares / (runs * p * (1 - p) * (count - 1)))


def by_pairs(correct: np.ndarray, groups: np.ndarray) -> float:
    runs, total, variance = len(correct), 0.0, 0.0
    for group in np.unique(groups):
        own = correct[:, groups == group].astype(float)
        apart = own - own.mean(1, keepdims=True)
        for r in range(runs):
            for s in range(runs):
                total += (apart[r] * apart[s]).sum() if r != s else 0.0
        p = own.mean()
        variance += p * (1 - p) * (own.shape[1] - 1)
    return 1 + (runs - 1) * total / (runs * (runs - 1)) / variance


def covers(found: Dispersion) -> bool:
    spread = jackknife(found.value, found.without.tolist(), "runs")
    return spread.low <= 1 <= spread.high


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 8), st.integers(4, 30))
def test_a_dispersion_and_those_without_a_run_are_what_they_say(
    seed: int, runs: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    correct = rng.random((runs, count)) < rng.random(count)
    correct[:, 0], correct[:, 1] = True, False  # so that no run is right on all or on none
    groups = rng.integers(0, 3, count)
    groups[:2] = groups[2:4] = 0, 0
    for found, slow in (
        (dispersion(correct), by_definition),
        (dispersion_within(correct, groups), lambda some: by_pairs(some, groups)),
    ):
        assert found.value == pytest.approx(slow(correct))
        for r, without in enumerate(found.without):
            fewer = slow(np.delete(correct, r, 0))
            assert without == pytest.approx(1 + (fewer - 1) * (runs - 1) / (runs - 2))
    counts = correct.sum(0)
    assert dispersion_of_counts(counts[None], runs)[0] == pytest.approx(by_definition(correct))


def test_runs_that_agree_have_as_many_times_the_dispersion() -> None:
    same = np.tile(np.arange(50) % 3 == 0, (7, 1))
    assert dispersion(same).value == pytest.approx(7 * 50 / 49)
    assert dispersion_within(same, np.zeros(50, int)).value == pytest.approx(1 + 6 * 50 / 49)
    everything = np.ones((4, 9), bool)
    assert np.isnan(dispersion(everything).value)
    assert np.isnan(dispersion_within(everything, np.zeros(9, int)).value)


@pytest.mark.parametrize("count", [2, 30, 1000])
def test_the_null_is_chi_square(count: int) -> None:
    expected = stats.chi2.ppf([0.025, 0.975], count - 1) / (count - 1)
    assert null_interval(count) == pytest.approx(tuple(expected))


SIMULATIONS = 600


def share(draw: Callable[[np.random.Generator], bool]) -> float:
    rng = np.random.default_rng(0)
    return float(np.mean([draw(rng) for _ in range(SIMULATIONS)]))


def test_the_null_covers_1_at_its_rate() -> None:
    """Of equally hard examples, for each of the three ways in which a null is stated."""
    runs, count = 20, 80
    low, high = null_interval(count)

    def chi_square(rng: np.random.Generator) -> bool:
        return low <= dispersion(rng.random((runs, count)) < 0.3).value <= high

    def bootstrap(rng: np.random.Generator) -> bool:
        correct = rng.random((runs, count)) < 0.3
        drawn = dispersion_of_counts(null_counts(rng, runs, count, correct.mean(), 99), runs)
        return bool((drawn >= dispersion(correct).value).sum() + 1 > 0.05 * 100)

    error = 3 * np.sqrt(0.05 * 0.95 / SIMULATIONS)
    assert share(chi_square) == pytest.approx(0.95, abs=error)
    assert share(bootstrap) == pytest.approx(0.95, abs=error)
    # A jackknife is too wide where nothing is there: by the square root of 2.
    assert share(lambda rng: covers(dispersion(rng.random((runs, count)) < 0.3))) > 0.95 - error


def of_classes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Runs that answer some classes far too often, each run others, as after few steps."""
    labels = np.arange(80) % 4
    return rng.random((20, 80)) < rng.choice([0.05, 0.9], (20, 4))[:, labels], labels


def test_runs_that_favour_classes_do_not_make_examples_of_a_class_differ() -> None:
    low, high = null_interval(80)
    assert share(lambda rng: covers(dispersion_within(*of_classes(rng)))) > 0.93
    # Chi-square takes answers for independent, and a jackknife does not: it is nearly right.
    assert share(lambda rng: low <= dispersion(of_classes(rng)[0]).value <= high) < 0.5
    assert share(lambda rng: covers(dispersion(of_classes(rng)[0]))) > 0.88


def test_examples_that_differ_are_seen_and_by_as_much_as_they_do() -> None:
    runs, correlation = 50, 0.05
    a = 1 / correlation - 1
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        p = rng.beta(0.4 * a, 0.6 * a, 300)  # its variance is 0.05 of 0.4 * 0.6
        found.append(dispersion(rng.random((runs, 300)) < p))
    values = np.array([one.value for one in found])
    expected = 1 + (runs - 1) * correlation
    assert values.mean() == pytest.approx(expected, abs=4 * values.std() / np.sqrt(len(values)))
    assert np.mean([covers(one) for one in found]) == 0
