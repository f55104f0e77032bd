"""Scores of how examples were learned, against the histories themselves."""

import numpy as np
import pytest

from rethinking_jax.scores import dynamics
from rethinking_jax.scores.ranking import auroc


def facts_of(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What a recorder keeps of a run, [1, n], from logits [epochs, n, k]: a reference."""
    shifted = logits - logits.max(-1, keepdims=True)
    shares = np.exp(shifted) / np.exp(shifted).sum(-1, keepdims=True)
    own = np.eye(logits.shape[-1], dtype=bool)[labels]
    probability = shares[:, own]
    margin = logits[:, own] - np.where(own, -np.inf, logits).max(-1)
    correct = logits.argmax(-1) == labels
    epoch = np.arange(1, len(logits) + 1)[:, None]
    changes = correct[:-1] & ~correct[1:]
    error = np.linalg.norm(shares - own, axis=-1)
    found = {
        "probability": probability[-1],
        "loss": -np.log(probability)[-1],
        "error_norm": error[-1],
        "probability_sum": probability.sum(0),
        "probability_squares": (probability**2).sum(0),
        "margin_sum": margin.sum(0),
        "loss_sum": -np.log(probability).sum(0),
        "correct_count": correct.sum(0),
        "first_learned": np.where(correct.any(0), correct.argmax(0) + 1, 0),
        "last_wrong": np.where(correct, 0, epoch).max(0),
        "forgotten": changes.sum(0),
    }
    return {name: values[None] for name, values in found.items()}


def histories(*correct: list[int]) -> dict[str, np.ndarray]:
    """Facts of examples of class 0 of two, from whether they were right in each epoch."""
    right = np.array(correct).T
    logits = np.stack([right, 1 - right], axis=-1).astype(float)
    return facts_of(logits, np.zeros(right.shape[1], int))


def test_forgetting_and_learning_by_hand() -> None:
    facts = histories([0, 1, 0, 1, 1, 0], [0] * 6, [1] * 6, [0, 0, 1, 1, 1, 1])
    epochs = np.array([6])
    np.testing.assert_array_equal(dynamics.forgetting(facts, epochs), [[2, 6, 0, 0]])
    np.testing.assert_array_equal(dynamics.learned_last(facts, epochs), [[6, 6, 0, 2]])
    np.testing.assert_allclose(dynamics.wrong_events(facts, epochs), [[0.5, 1, 0, 1 / 3]])


def test_what_was_never_learned_is_more_than_any_forgetting() -> None:
    restless = [1, 0] * 10
    facts = histories(restless, [0] * 20)
    changing, never = dynamics.forgetting(facts, np.array([20]))[0]
    assert changing == 10 < never


def test_scores_are_those_of_the_logits() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 30, 4)) * 2, rng.integers(0, 4, 30)
    facts, epochs = facts_of(logits, labels), np.array([7])
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    own = shares[:, np.arange(30), labels]
    others = np.delete(logits.reshape(7, -1), np.arange(30) * 4 + labels, 1).reshape(7, 30, 3)
    margin = logits[:, np.arange(30), labels] - others.max(-1)
    expected = {
        "final_loss": -np.log(own[-1]),
        "cumulative_loss": -np.log(own).mean(0),
        "area_under_margin": -margin.mean(0),
        "low_confidence": 1 - own.mean(0),
        "variability": own.std(0),
        "final_error_norm": np.linalg.norm(shares[-1] - np.eye(4)[labels], axis=-1),
        "final_confidence": 1 - own[-1],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(
            dynamics.SCORES[name](facts, epochs)[0], values, atol=1e-9, err_msg=name
        )


def test_no_rounding_makes_the_variability_of_a_constant_less_than_0() -> None:
    facts = {"probability_sum": np.float32([[2.1]]), "probability_squares": np.float32([[1.47]])}
    assert 0 <= dynamics.variability(facts, np.array([3]))[0, 0] < 1e-3


@pytest.mark.parametrize("name", dynamics.SCORES)
def test_no_score_knows_the_order_of_the_examples_or_a_sham_mask(name: str) -> None:
    """Networks that answer by chance: a mask that has nothing to do with them is not found."""
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(size=(12, 600, 3)), rng.integers(0, 3, 600)
    score, epochs = dynamics.SCORES[name], np.array([12])
    found = score(facts_of(logits, labels), epochs)[0]
    order = rng.permutation(600)
    shuffled = score(facts_of(logits[:, order], labels[order]), epochs)[0]
    np.testing.assert_allclose(shuffled, found[order], atol=1e-12)
    sham = rng.random((40, 600)) < 0.2
    assert auroc(found, sham).mean() == pytest.approx(0.5, abs=0.02)
