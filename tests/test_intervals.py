"""Intervals and families of tests: against SciPy, and how often they hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rethinking_jax.analysis import intervals

VALUES = st.lists(st.floats(-5, 5), min_size=2, max_size=12)


@given(VALUES)
@settings(max_examples=50, deadline=None)
def test_means_are_those_of_scipy(values: list[float]) -> None:
    found = intervals.mean_interval(values, "seeds")
    if np.ptp(values) < 1e-3:
        assert found.high - found.low < 0.1
        return
    test = stats.ttest_1samp(values, 0, alternative="greater")
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high))
    assert intervals.p_above_0(values) == pytest.approx(test.pvalue, abs=1e-12)


def test_pairs_are_compared_with_each_other() -> None:
    a, b = [1.0, 2.0, 3.5], [0.9, 1.9, 3.3]
    found = intervals.paired(a, b)
    low, high = stats.ttest_rel(a, b).confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high)) and found.low > -0.02
    assert intervals.difference(a, b).low < -1  # what moves both hides it
    assert intervals.paired([2.0], [1.0]) == (1.0, 1.0, 1.0, "")
    assert intervals.p_above_0([1.0, 1.0]) == 0 and intervals.p_above_0([0.0, 0.0]) == 1


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=9)
    without = [np.delete(values, i).mean() for i in range(9)]
    found = intervals.jackknife(values.mean(), without, "groups")
    assert found[:3] == pytest.approx(intervals.mean_interval(list(values), "groups")[:3])


@given(st.integers(1, 400), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_shares_are_those_of_scipy(count: int, share: float) -> None:
    hits = round(share * count)
    found = intervals.wilson(hits, count)
    expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_holm_rejects_step_by_step(p_values: list[float]) -> None:
    """Against the procedure as Holm states it, at several levels."""
    adjusted = intervals.holm(p_values)
    for level in (0.01, 0.05, 0.5):
        rejected = set()
        for step, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[i] * (len(p_values) - step) > level:
                break
            rejected.add(i)
        assert rejected == {i for i, p in enumerate(adjusted) if p <= level}


def test_holm_by_hand() -> None:
    assert intervals.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
