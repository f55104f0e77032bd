"""Scores of examples from many runs: against definitions, enumeration, closed forms and nulls."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import binom, norm
from sklearn.gaussian_process.kernels import RBF
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

from rethinking_jax.analysis import intervals
from rethinking_jax.scores import banzhaf, influence, leave_one_out, memorization, nearest
from rethinking_jax.scores import membership as attack
from rethinking_jax.scores.contrast import (
    GroupSums,
    contrast,
    contrast_error,
    group_sums,
    split,
    values_without,
)
from rethinking_jax.scores.ranking import auroc, roc, true_positive_rate
from rethinking_jax.scores.subsets import balanced, halves, trained_on

# Subsets -----------------------------------------------------------------------------


@given(
    count=st.integers(10, 97), groups=st.integers(1, 3), out=st.integers(1, 9), seed=st.integers(0)
)
@settings(max_examples=60, deadline=None)
def test_every_example_is_left_out_equally_often(
    count: int, groups: int, out: int, seed: int
) -> None:
    found = balanced(count, groups, out, seed % 2**31, "subsets")
    kept = count - math.ceil(count * out / 10)
    assert found.shape == (10 * groups, kept) and found.dtype == np.int32
    assert (np.diff(found, axis=1) > 0).all()  # each example once, ascending
    without = 10 - trained_on(found, count).reshape(groups, 10, count).sum(1)
    if count % 10 == 0:
        assert (without == out).all()
    else:
        assert ((without == out) | (without == out + 1)).all()
        assert ((without == out + 1).sum(1) < 10).all()


def test_a_group_depends_on_its_seed_purpose_and_number_alone() -> None:
    found = balanced(40, 3, 3, 5, "subsets")
    np.testing.assert_array_equal(found[:20], balanced(40, 2, 3, 5, "subsets"))
    for other in (found[10:20], balanced(40, 1, 3, 6, "subsets"), balanced(40, 1, 3, 5, "halves")):
        assert (found[:10] != other).any()
    for bad in ({"count": 9}, {"left_out": 0}, {"left_out": 10}):
        with pytest.raises(ValueError, match="make no subsets"):
            balanced(
                **{"count": 40, "groups": 1, "left_out": 3, "seed": 0, "purpose": "subsets"} | bad
            )


@pytest.mark.parametrize("count", [2, 8, 9, 31])
def test_halves_part_the_examples(count: int) -> None:
    found = trained_on(halves(count, 5, 0), count).reshape(5, 2, count)
    assert (found.sum(2) == count // 2).all() and found.sum(1).max() == 1


def test_pairs_of_examples_share_no_blocks_over_groups() -> None:
    """Two examples are left out together as often as independent subsets of that size would."""
    out = ~trained_on(balanced(50, 200, 3, 0, "subsets"), 50)
    together = (out[:, :, None] & out[:, None]).mean(0)[np.triu_indices(50, 1)]
    expected = 0.3 * (15 - 1) / (50 - 1)
    assert together.mean() == pytest.approx(expected)
    assert np.abs(together - expected).max() < 5 * math.sqrt(expected / 2000)


# Memorization ------------------------------------------------------------------------


def learner(x: np.ndarray, y: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """A deterministic learner: is the sign of a sum over its examples right on each?"""
    votes = np.exp(-((x[:, None] - x[None, kept]) ** 2)) @ y[kept]
    return np.sign(votes) == y


def test_all_subsets_give_the_definition() -> None:
    """n = 8 and m = 6: over all 28 subsets the estimate is the definition itself."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=8), rng.choice([-1.0, 1.0], 8)
    subsets = np.array(list(combinations(range(8), 6)))
    correct = np.array([learner(x, y, kept) for kept in subsets])
    found = contrast(group_sums(trained_on(subsets, 8), correct, 1)).value
    for i in range(8):
        right: dict[bool, list[bool]] = {True: [], False: []}
        for kept in combinations(range(8), 6):
            right[i in kept].append(learner(x, y, np.array(kept))[i])
        assert found[i] == pytest.approx(np.mean(right[True]) - np.mean(right[False]), abs=1e-15)
    assert np.ptp(found) > 0


def runs_of(
    groups: int, count: int, inside: float, outside: np.ndarray | float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Balanced subsets, and runs that are right with known probabilities."""
    trained = trained_on(balanced(count, groups, 3, seed, "subsets"), count)
    rng = np.random.default_rng(seed)
    correct = rng.random(trained.shape) < np.where(trained, inside, outside)
    return trained, correct


def test_errors_are_those_of_the_estimate() -> None:
    """Jackknife and binomial formula against the spread of the estimates about the truth."""
    outside = np.linspace(0.1, 0.9, 2000)
    trained, correct = runs_of(40, 2000, 0.95, outside)
    sums = group_sums(trained, correct, 10)
    found = contrast(sums)
    off = found.value - (0.95 - outside)
    formula = memorization.binomial_error(found, sums.inside_runs.sum(0), sums.outside_runs.sum(0))
    for error in (formula, contrast_error(sums)):
        assert np.mean((off / error) ** 2) == pytest.approx(1, abs=0.15)
        assert np.mean(error) == pytest.approx(np.std(off), rel=0.05)
    # In the balanced design the mean score is how much better runs are on what they train on.
    runs = correct[trained].mean() - correct[~trained].mean()
    assert found.value.mean() == pytest.approx(runs, abs=1e-12)
    whole = np.sqrt(0.25 / 280 + 0.25 / 120)  # the worst case of 400 runs
    assert formula.max() < whole == pytest.approx(0.0546, abs=1e-4)


def test_scores_do_not_depend_on_the_order_of_groups_or_examples() -> None:
    trained, correct = runs_of(4, 30, 0.9, 0.5)
    sums = group_sums(trained, correct, 10)
    order = np.random.default_rng(0).permutation(30)
    other = group_sums(trained[:, order], correct[:, order], 10)
    np.testing.assert_array_equal(contrast(other).value, contrast(sums).value[order])
    turned = np.roll(np.arange(40), 10)
    other = group_sums(trained[turned], correct[turned], 10)
    np.testing.assert_allclose(contrast_error(other), contrast_error(sums), atol=1e-12)
    with pytest.raises(ValueError, match="15 runs are no whole number of groups of 10"):
        group_sums(trained[:15], correct[:15], 10)


def test_jackknife_by_hand() -> None:
    """Without each of three groups of one run with and one without the example."""
    trained = np.array([[True], [False]] * 3)
    correct = np.array([[1], [0], [1], [1], [0], [0]])
    sums = group_sums(trained, correct, 2)
    without = np.array([1 / 2 - 1 / 2, 1 / 2 - 0, 2 / 2 - 1 / 2])
    np.testing.assert_allclose(values_without(sums)[:, 0], without)
    expected = math.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum())
    assert contrast_error(sums)[0] == pytest.approx(expected)
    one = GroupSums(*(part[:1] for part in sums))
    assert np.isnan(contrast_error(one)).all()


def test_runs_on_the_same_examples_memorize_nothing() -> None:
    """All runs answer alike, whatever subsets are said to be theirs."""
    trained, correct = runs_of(3, 40, 0.5, 0.5)
    sums = group_sums(trained, np.tile(correct[:1], (30, 1)), 10)
    assert (contrast(sums).value == 0).all() and (contrast_error(sums) == 0).all()
    alone = group_sums(np.ones((10, 3), bool), np.ones((10, 3)), 10)
    assert np.isnan(contrast(alone).value).all()


def test_random_labels_are_memorized_by_nine_tenths() -> None:
    trained, correct = runs_of(40, 4000, 1.0, 0.1)
    found = contrast(group_sums(trained, correct, 10)).value
    assert found.mean() == pytest.approx(0.9, abs=3 * 0.0047)


def test_what_is_chosen_is_measured_on_the_other_half() -> None:
    """All scores are truly 0.2: the largest estimates are larger, their other halves are not."""
    trained, correct = runs_of(20, 3000, 0.9, 0.7)
    sums = group_sums(trained, correct, 10)
    found = memorization.confirmed(sums, 0.3)
    chosen = contrast(sums).value
    assert chosen[chosen >= 0.3].mean() > 0.3 and found.found == (chosen >= 0.3).sum() > 50
    assert found.mean == pytest.approx(0.2, abs=0.02)
    first, second = (contrast(half).value for half in split(sums))
    assert found.confirmed == ((first >= 0.3) & (second >= 0.3)).sum() < found.found
    assert found.examples == 3000
    few = memorization.confirmed(sums, 0.3, np.arange(3000) < 10)
    assert few.examples == 10
    none = memorization.confirmed(sums, 2.0)
    assert (none.found, none.confirmed) == (0, 0) and math.isnan(none.mean)


def test_a_tail_is_confirmed() -> None:
    outside = np.where(np.arange(1000) < 100, 0.1, 0.98)
    trained, correct = runs_of(40, 1000, 1.0, outside)
    found = memorization.confirmed(group_sums(trained, correct, 10), 0.25)
    assert found.confirmed == found.found == 100 and found.mean == pytest.approx(0.9, abs=0.01)


def test_histogram_counts_all() -> None:
    edges = np.linspace(-0.5, 1, 7)
    shares = memorization.histogram(np.array([-1, 0.01, 0.02, 1.0, np.nan]), edges)
    np.testing.assert_allclose(shares, [0.25, 0, 0.5, 0, 0, 0.25])


# Influence ---------------------------------------------------------------------------


def test_influence_is_the_double_loop() -> None:
    rng = np.random.default_rng(0)
    trained, correct = rng.random((30, 7)) < 0.7, rng.random((30, 5)) < 0.5
    found = influence.influence(trained, correct)
    for i in range(7):
        for j in range(5):
            expected = correct[trained[:, i], j].mean() - correct[~trained[:, i], j].mean()
            assert found[i, j] == pytest.approx(expected, abs=1e-14)
    rows, columns = np.array([0, 6, 3]), np.array([4, 4, 0])
    pairs = influence.influence_of_pairs(trained, correct, rows, columns)
    np.testing.assert_allclose(pairs, found[rows, columns], atol=1e-14)


def test_pairs_are_chosen_on_one_half_and_measured_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One true pair among many: chance finds others, and the other half does not confirm them."""
    monkeypatch.setattr(influence, "CHUNK", 64)
    trained, _ = runs_of(20, 300, 1, 1)
    rng = np.random.default_rng(0)
    correct = rng.random((200, 200)) < 0.5
    correct[:, 150] = rng.random(200) < np.where(trained[:, 42], 0.9, 0.2)
    first = np.arange(200) // 10 % 2 == 0
    candidates = np.array([7, 42, 250])
    same = np.ones((3, 200), bool)
    found = influence.cross_fitted_pairs(trained, correct, first, candidates, same, 0.2)
    place = next(i for i in range(len(found.train)) if (found.train[i], found.test[i]) == (42, 150))
    assert place == 0 and found.measured[0] == pytest.approx(0.7, abs=0.2)
    assert len(found.train) > 5 and (np.diff(found.chosen) <= 0).all() and found.chosen[-1] >= 0.2
    assert abs(found.measured[1:].mean()) < 0.1
    expected = influence.influence(trained[~first], correct[~first])
    np.testing.assert_allclose(found.measured, expected[found.train, found.test], atol=1e-12)
    same[1, 150] = False
    other = influence.cross_fitted_pairs(trained, correct, first, candidates, same, 0.2)
    assert len(other.train) == len(found.train) - 1


# Learners whose scores are exact -----------------------------------------------------


def points(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3))
    labels = (x[:, 0] + 0.7 * rng.normal(size=count) > 0).astype(np.int32)
    return x, labels


@pytest.mark.parametrize("k", [1, 3])
def test_nearest_neighbours_are_the_mean_over_all_subsets(k: int) -> None:
    x, labels = points(9)
    near = nearest.neighbours(x, 8)
    _, order = NearestNeighbors().fit(x).kneighbors(x, 9)
    np.testing.assert_array_equal(near, order[:, 1:])
    found = nearest.memorization(labels, near, 6, k)
    for i in range(9):
        votes: dict[bool, list[float]] = {True: [], False: []}
        for kept in combinations(range(9), 6):
            nearer = [j for j in (i, *near[i]) if j in kept][:k]
            votes[i in kept].append(np.mean(labels[nearer] == labels[i]))
        assert found[i] == pytest.approx(np.mean(votes[True]) - np.mean(votes[False]), abs=1e-12)


def test_weights_of_one_neighbour_are_the_ratio_of_binomials() -> None:
    found = nearest.weights(39, 28, 12)
    expected = [math.comb(39 - j, 27) / math.comb(39, 28) for j in range(1, 13)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    everyone = nearest.weights(39, 28, 39, 3)
    assert everyone.sum() == pytest.approx(3) and nearest.depth(40, 28) <= 39
    first = nearest.depth(4000, 2800)
    assert 15 < first < 30 and 1 - nearest.weights(3999, 2800, first).sum() < 1e-11


def test_the_estimate_from_runs_is_the_closed_form() -> None:
    """200 runs of the nearest neighbour: as near to the exact score as four errors, for 99.9 %."""
    x, labels = points(1000)
    subsets = balanced(1000, 20, 3, 0, "subsets")
    trained, kept = trained_on(subsets, 1000), subsets.shape[1]
    near = nearest.neighbours(x, nearest.depth(1000, kept))
    correct = nearest.answers(labels, near, trained)
    run = 7  # one run against an independent search
    _, place = NearestNeighbors(n_neighbors=1).fit(x[subsets[run]]).kneighbors(x)
    answer = labels[subsets[run][place[:, 0]]]
    np.testing.assert_array_equal(correct[run], answer == labels)
    sums = group_sums(trained, correct, 10)
    exact = nearest.memorization(labels, near, kept)
    wrong = binom(60, exact)  # most are near 0, where four standard deviations are no 6e-5
    count = sums.outside_runs.sum(0) - sums.outside.sum(0)
    within = np.minimum(wrong.cdf(count), wrong.sf(count - 1)) > norm.sf(4)
    assert within.mean() >= 0.999 and exact.std() > 0.2


def test_neighbours_at_one_distance_are_in_order() -> None:
    x = np.array([[1e3, 1.0], [1e3, 1.0], [1e3, 0.0], [1e3, 2.0], [1e3, 1.0]])
    np.testing.assert_array_equal(nearest.neighbours(x, 4)[0], [1, 4, 2, 3])
    labels = np.array([0, 0, 1, 0, 1])
    assert nearest.disagreement(labels, nearest.neighbours(x, 4), 4)[0] == 0.5


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_kernel_machines_are_those_that_are_fitted_without_the_example(ridge: float) -> None:
    """n = 200, every example left out once and the system solved again."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    targets = np.eye(3)[rng.integers(0, 3, 200)]
    kernel = RBF(0.7)(x)
    found = leave_one_out.held_out_outputs(kernel, targets, ridge)
    fitted = leave_one_out.fitted_outputs(kernel, targets, ridge)
    regular = kernel + ridge * np.eye(200)
    np.testing.assert_allclose(fitted, kernel @ np.linalg.solve(regular, targets), atol=1e-8)
    for i in range(200):
        rest = np.delete(np.arange(200), i)
        alpha = np.linalg.solve(regular[np.ix_(rest, rest)], targets[rest])
        np.testing.assert_allclose(found[i], kernel[i, rest] @ alpha, atol=1e-9)


# Membership --------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=40))
@settings(max_examples=60, deadline=None)
def test_curves_are_those_of_sklearn(rows: list[tuple[int, bool]]) -> None:
    scores, positive = (np.array(part) for part in zip(*rows, strict=True))
    if positive.all() or not positive.any():
        assert math.isnan(auroc(scores, positive))
        return
    assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    false, true = roc(scores, positive)
    expected = roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose([false, true], expected[:2], atol=1e-12)
    for at in (0.0, 0.3, 1.0):
        rate = true_positive_rate(scores, positive, at)
        assert rate == pytest.approx(max(expected[1][expected[0] <= at]))


def test_two_normal_scores_have_the_area_of_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(200_000) % 2 == 0
    found = auroc(rng.normal(size=200_000) + 1.3 * positive, positive)
    assert found == pytest.approx(norm.cdf(1.3 / math.sqrt(2)), abs=0.004)


def test_confidences_are_logits_of_the_probability() -> None:
    p = np.array([1e-9, 0.1, 0.5, 0.999])
    np.testing.assert_allclose(attack.logit_confidence(-np.log(p)), logit(p), rtol=1e-9)
    assert attack.logit_confidence(np.float32([0.0]))[0] == pytest.approx(15.94, abs=0.01)


@pytest.mark.parametrize("runs", [30, 80])
def test_likelihood_ratios_leave_the_group_of_the_attacked_run_out(runs: int) -> None:
    rng = np.random.default_rng(0)
    trained = trained_on(balanced(20, runs // 10, 3, 0, "subsets"), 20)
    x = rng.normal(size=(runs, 20)) * rng.uniform(0.5, 2, 20) + 2 * trained
    found = attack.likelihood_ratios(x, trained, 10)
    for run in (0, 13):
        rest = np.arange(runs) // 10 != run // 10
        moments = {}
        for on in (True, False):
            own = [x[rest & (trained[:, i] == on), i] for i in range(20)]
            variance = np.array([np.var(values, ddof=1) for values in own])
            mean = np.array([values.mean() for values in own])
            moments[on] = mean, np.full(20, variance.mean()) if runs < 74 else variance
        expected = [
            norm.logpdf(x[run], mean, np.sqrt(variance)) for mean, variance in moments.values()
        ]
        np.testing.assert_allclose(found[run], expected[0] - expected[1], atol=1e-9)


def test_the_attack_finds_members_and_nothing_in_permuted_ones() -> None:
    """Members are one standard deviation higher: the area of the binormal closed form."""
    trained = trained_on(balanced(1000, 12, 3, 0, "subsets"), 1000)
    rng = np.random.default_rng(0)
    x = rng.normal(size=trained.shape) + trained + 3 * rng.normal(size=1000)
    found = auroc(attack.likelihood_ratios(x, trained, 10).ravel(), trained.ravel())
    assert found == pytest.approx(norm.cdf(1 / math.sqrt(2)), abs=0.03)
    sham = attack.permuted(trained, 10, rng)
    assert (sham.reshape(12, 10, 1000).sum(1) == 7).all()
    assert (sham == trained).mean() == pytest.approx(0.7**2 + 0.3**2, abs=0.02)
    null = auroc(attack.likelihood_ratios(x, sham, 10).ravel(), sham.ravel())
    assert null == pytest.approx(0.5, abs=0.01)
    # Nor where runs fall into two kinds that are as balanced, as with a label that is memorized.
    two = 10.0 * rng.permuted(trained.reshape(12, 10, 1000), axis=1).reshape(trained.shape)
    two += rng.normal(size=two.shape)
    ratios, shams = (
        part.reshape(12, -1) for part in (attack.likelihood_ratios(two, sham, 10), sham)
    )
    areas = intervals.mean_interval(auroc(ratios, shams).tolist(), "groups")
    assert areas.low < 0.5 < areas.high
    # A run that is not left out would give itself away.
    own = np.array([[x[sham[:, i] == on, i].mean() for i in range(1000)] for on in (True, False)])
    leak = (x - own[1]) ** 2 - (x - own[0]) ** 2
    assert auroc(leak.ravel(), sham.ravel()) > 0.53


# Banzhaf values ----------------------------------------------------------------------


def test_all_halves_of_a_sum_give_its_terms_less_their_mean() -> None:
    worth = np.array([0.3, -0.1, 0.0, 0.5, 0.2, 0.1])
    subsets = np.array(list(combinations(range(6), 3)))
    found = banzhaf.banzhaf_values(trained_on(subsets, 6), worth[subsets].sum(1), 1)
    np.testing.assert_allclose(found.value, (worth - worth.mean()) * 6 / 5, atol=1e-12)


def test_values_of_random_halves_are_within_their_errors() -> None:
    rng = np.random.default_rng(0)
    worth = rng.normal(size=200) / 100
    subsets = halves(200, 300, 0)
    utility = worth[subsets].sum(1) + rng.normal(size=600) / 10
    found = banzhaf.banzhaf_values(trained_on(subsets, 200), utility)
    off = (found.value - (worth - worth.mean()) * 200 / 199) / found.error
    assert np.mean(off**2) == pytest.approx(1, abs=0.3) and abs(found.value.mean()) < 1e-4
    assert found.error.mean() < 0.02
