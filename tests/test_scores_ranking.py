"""How well scores rank: against scikit-learn, counting of all pairs, and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from rethinking_jax.scores import ranking

# Few different values, so that ties are the rule.
tied = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: len({positive for _, positive in pairs}) == 2
)


def arrays(pairs: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    scores, positive = zip(*pairs, strict=True)
    return np.array(scores) / 3, np.array(positive)


@settings(max_examples=50, deadline=None)
@given(tied)
def test_scores_with_ties_rank_as_in_scikit_learn(pairs: list) -> None:
    scores, positive = arrays(pairs)
    assert ranking.auroc(scores, positive) == pytest.approx(
        roc_auc_score(positive, scores), abs=1e-12
    )
    assert ranking.average_precision(scores, positive) == pytest.approx(
        average_precision_score(positive, scores), abs=1e-12
    )
    ours = ranking.precision_recall(scores, positive)
    precision, recall, _ = precision_recall_curve(positive, scores)
    np.testing.assert_allclose(ours.precision, precision[-2::-1], atol=1e-12)
    np.testing.assert_allclose(ours.recall, recall[-2::-1], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(tied, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(pairs: list, random) -> None:
    shuffled = random.sample(pairs, len(pairs))
    for measure in (ranking.auroc, ranking.average_precision, ranking.precision_at):
        assert measure(*arrays(pairs)) == pytest.approx(measure(*arrays(shuffled)), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(tied)
def test_auroc_is_the_share_of_pairs_in_the_right_order(pairs: list) -> None:
    scores, positive = arrays(pairs)
    difference = scores[positive][:, None] - scores[~positive]
    expected = np.mean((difference > 0) + 0.5 * (difference == 0))
    assert ranking.auroc(scores, positive) == pytest.approx(expected, abs=1e-12)
    assert ranking.auroc(-scores, positive) == pytest.approx(1 - expected, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(tied, st.integers(1, 40))
def test_precision_at_is_the_mean_over_all_orders_of_ties(pairs: list, count: int) -> None:
    scores, positive = arrays(pairs)
    count = min(count, len(scores))
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        order = rng.permutation(len(scores))
        order = order[np.argsort(-scores[order], kind="stable")]
        found.append(positive[order[:count]].mean())
    error = np.std(found) / np.sqrt(len(found))
    assert abs(ranking.precision_at(scores, positive, count) - np.mean(found)) <= 5 * error + 1e-9


def test_precision_at_the_true_number_is_the_recall_there() -> None:
    scores, positive = np.array([5.0, 4, 3, 2, 1]), np.array([True, False, True, False, True])
    assert ranking.precision_at(scores, positive) == pytest.approx(2 / 3)
    assert np.isnan(ranking.precision_at(scores, np.zeros(5, bool)))


def test_two_gaussians_have_the_auroc_of_the_closed_form() -> None:
    """Phi(d / sqrt 2) for unit variances and means that are d apart."""
    rng = np.random.default_rng(0)
    positive = np.arange(40_000) < 20_000
    for distance in (0.0, 0.5, 2.0):
        scores = rng.normal(size=40_000) + distance * positive
        assert ranking.auroc(scores, positive) == pytest.approx(
            norm.cdf(distance / np.sqrt(2)), abs=0.01
        )


def test_a_sham_mask_is_not_found() -> None:
    rng = np.random.default_rng(1)
    masks = rng.random((50, 400)) < 0.2
    found = ranking.auroc(rng.normal(size=400), masks)
    assert found.shape == (50,) and np.isnan(ranking.auroc(np.ones(3), np.ones(3, bool)))
    assert abs(found.mean() - 0.5) < 4 * found.std() / np.sqrt(50)
    precision = [ranking.average_precision(rng.normal(size=400), mask) for mask in masks]
    assert np.mean(precision) == pytest.approx(0.2, abs=0.03)


def test_infinite_scores_are_ranks_like_others() -> None:
    scores = np.array([np.inf, np.inf, 3.0, -np.inf])
    positive = np.array([True, False, True, False])
    assert ranking.auroc(scores, positive) == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert ranking.precision_at(scores, positive) == 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs: list) -> None:
    a, b = np.array(pairs).T
    if len(set(a)) > 1 and len(set(b)) > 1:
        assert ranking.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    else:
        assert np.isnan(ranking.spearman(a, b))
