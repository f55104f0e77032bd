"""Confident learning: three classes by hand, and cleanlab where it is installed."""

import numpy as np
import pytest

from rethinking_jax.scores import confident

# Three classes. The thresholds are the means of p(y) over the labels: class 0 (0.9 + 0.2) / 2,
# class 1 (0.8 + 0.4) / 2, class 2 (0.6 + 0.2) / 2.
PROBABILITIES = np.array(
    [
        [0.90, 0.05, 0.05],
        [0.20, 0.70, 0.10],  # labelled 0, and surely a 1
        [0.10, 0.80, 0.10],
        [0.15, 0.40, 0.45],  # labelled 1, and a 2: only 2 reaches its threshold
        [0.30, 0.10, 0.60],
        [0.50, 0.30, 0.20],  # labelled 2, and of no class surely enough
    ]
)
LABELS = np.array([0, 0, 1, 1, 2, 2])


def test_three_classes_by_hand() -> None:
    np.testing.assert_allclose(confident.thresholds(PROBABILITIES, LABELS), [0.55, 0.6, 0.4])
    found = confident.confident_class(PROBABILITIES, LABELS)
    np.testing.assert_array_equal(found, [0, 1, 1, 2, 2, -1])
    joint = confident.confident_joint(PROBABILITIES, LABELS)
    np.testing.assert_array_equal(joint, [[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    wrong = confident.flags(PROBABILITIES, LABELS)
    np.testing.assert_array_equal(wrong, [False, True, False, True, False, False])
    np.testing.assert_allclose(
        confident.low_self_confidence(PROBABILITIES, LABELS), [0.1, 0.8, 0.2, 0.6, 0.4, 0.8]
    )
    np.testing.assert_allclose(
        confident.negative_margin(PROBABILITIES, LABELS), [-0.85, 0.5, -0.7, 0.05, -0.3, 0.3]
    )


def test_a_label_that_is_most_probable_is_never_flagged() -> None:
    """Class 1 needs less to be sure of than class 0, so a 0 can be confidently a 1 alone."""
    probabilities = np.array([[0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.7, 0.3]])
    labels = np.array([0, 0, 1, 1])
    assert confident.confident_class(probabilities, labels)[1] == 1
    assert not confident.flags(probabilities, labels)[1]


def test_a_class_without_examples_is_found_nowhere() -> None:
    joint = confident.confident_joint(PROBABILITIES, np.array([0, 0, 1, 1, 1, 0]))
    assert joint[:, 2].sum() == joint[2].sum() == 0


def noisy(seed: int, examples: int = 400, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a fifth are wrong, and float32 probabilities that know the true ones."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, examples)
    logits = rng.normal(size=(examples, classes)) + 2 * np.eye(classes)[true]
    wrong = rng.random(examples) < 0.2
    labels = np.where(wrong, rng.integers(0, classes, examples), true)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities.astype(np.float32), labels


def test_probabilities_know_more_than_chance() -> None:
    probabilities, labels = noisy(0)
    joint = confident.confident_joint(probabilities, labels)
    assert 200 < joint.sum() <= 400 and np.trace(joint) > 0.6 * joint.sum()
    assert 20 < confident.flags(probabilities, labels).sum() < 120


@pytest.mark.parametrize("seed", range(5))
def test_flags_and_joint_are_those_of_cleanlab(seed: int) -> None:
    count = pytest.importorskip("cleanlab.count")
    issues = pytest.importorskip("cleanlab.filter")
    rank = pytest.importorskip("cleanlab.rank")
    probabilities, labels = noisy(seed)
    np.testing.assert_array_equal(
        confident.confident_joint(probabilities, labels),
        count.compute_confident_joint(labels, probabilities, calibrate=False),
    )
    np.testing.assert_array_equal(
        confident.flags(probabilities, labels),
        issues.find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1),
    )
    theirs = rank.get_self_confidence_for_each_label(labels, probabilities)
    np.testing.assert_allclose(1 - confident.low_self_confidence(probabilities, labels), theirs)
    theirs = rank.get_normalized_margin_for_each_label(labels, probabilities)  # (p_y - p_c + 1) / 2
    np.testing.assert_allclose(
        (1 - confident.negative_margin(probabilities, labels)) / 2, theirs, atol=1e-6
    )
