"""What chance gives: simulated networks that know nothing of the labels are at chance."""

import math
import statistics
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.results import made, row, run

from rethinking_jax.analysis import claims, tables
from rethinking_jax.analysis.chance import (
    FEW,
    after_noise,
    best_by_noise,
    chance,
    is_chance,
    renaming_deviation,
    wobble,
)
from rethinking_jax.analysis.results import series

CLASSES, EACH = 10, 200  # classes, and test images of each
IMAGES = CLASSES * EACH
LABELS = np.repeat(np.arange(CLASSES), EACH)


def answers(rng: np.random.Generator, epochs: int, alike: int, kept: float) -> np.ndarray:
    """Answers of a network that was trained on noise, [epochs, images].

    Every `alike` images of a class get one answer, and with probability `kept` they have that of
    the epoch before.
    """
    drawn = rng.integers(CLASSES, size=(epochs, IMAGES // alike))
    for epoch in range(1, epochs):
        same = rng.random(drawn.shape[1]) < kept
        drawn[epoch, same] = drawn[epoch - 1, same]
    return drawn.repeat(alike, axis=1)


def accuracies(seed: int, runs: int, epochs: int, alike: int, kept: float) -> Iterator[list[float]]:
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        yield list((answers(rng, epochs, alike, kept) == LABELS).mean(1))


def test_the_variance_of_accuracy_by_renaming_classes_is_that_of_the_docstring() -> None:
    rng = np.random.default_rng(0)
    (given,) = answers(rng, 1, 4, 0.0)
    drawn = [float((rng.permutation(CLASSES)[given] == LABELS).mean()) for _ in range(20_000)]
    equal = given[:, None] == given[None]
    same = LABELS[:, None] == LABELS[None]
    others = ~np.eye(IMAGES, dtype=bool)
    s, t = equal[same & others].mean(), equal[~same].mean()
    p, k = 1 / CLASSES, CLASSES
    predicted = p * (1 - p) / IMAGES + (s - t) / k**2
    exact = renaming_deviation(given, LABELS, CLASSES) ** 2
    assert np.mean(drawn) == pytest.approx(p, abs=3e-4)
    assert np.var(drawn) == pytest.approx(exact, rel=0.03)
    assert exact == pytest.approx(predicted, rel=0.1)


@pytest.mark.parametrize(("alike", "kept"), [(1, 0.0), (4, 0.0), (4, 0.8)])
def test_a_fair_network_is_at_chance_whatever_it_finds_alike(alike: int, kept: float) -> None:
    (one,) = series(made(run("random_labels", 4), test_examples=IMAGES))
    independent = chance(one)
    assert independent
    found = list(accuracies(1, 400, 40, alike, kept))
    refused = np.mean([not is_chance(own[-1:], after_noise(independent, [own])) for own in found])
    before = np.mean([not is_chance(own[-1:], independent) for own in found])
    assert refused <= 0.02
    assert before > 0.08 or alike == 1
    # Who knows twice as much as chance is told from it all the same.
    assert not any(
        is_chance([own[-1] + 0.1], after_noise(independent, [[x + 0.1 for x in own]]))
        for own in found
    )


def test_a_few_epochs_do_not_widen_chance() -> None:
    (one,) = series(made(run("random_labels", 4)))
    independent = chance(one)
    assert independent and after_noise(independent, [[0.1, 0.3] * 2]) == independent
    wider = after_noise(independent, [[0.08, 0.12] * FEW, [0.12] * FEW])
    within = statistics.variance([0.08, 0.12] * FEW) / 2
    deviation = math.sqrt(within + statistics.variance([0.1, 0.12]))
    assert wider.allowed == pytest.approx(3 * deviation)
    assert f"0.1000 ± {3 * deviation:.4f}" in wider.told()
    assert wider.told(error=True).startswith("0.9000 ± ")


def test_a_fair_run_is_no_false_no() -> None:
    """0.1125 of 10,000 is 4.2 binomial deviations, and two of those over epochs."""
    tests = [0.1 + 0.0055 * (-1) ** epoch for epoch in range(20)] + [0.1125]
    (one,) = series(made(run("random_labels", None, each={"test_accuracy": tests}),
                         test_examples=10_000))  # fmt: skip
    found = claims.random_is_chance(one)
    assert (
        found.outcome == "yes" and "three standard deviations over epochs and seeds" in found.text
    )
    (one,) = series(made(run("random_labels", None, 0.1125), test_examples=10_000))
    found = claims.random_is_chance(one)
    assert found.outcome == "no" and "of independent answers" in found.text


# Early stopping -------------------------------------------------------------------------


def test_the_best_epoch_by_noise_alone_is_within_the_bound() -> None:
    for trend, alike, kept in ((True, 4, 0.0), (False, 4, 0.0), (False, 4, 0.8)):
        found = list(accuracies(2, 300, 40, alike, kept))
        beyond = [max(own) - own[-1] > best_by_noise(own, IMAGES, trend) for own in found]
        assert np.mean(beyond) <= 0.02
        gains = [max(own) - own[-1] for own in found]
        bounds = [best_by_noise(own, IMAGES, trend) for own in found]
        assert np.mean(bounds) < 3.5 * np.mean(gains)  # and not by being wide


def test_a_trend_is_no_noise_and_few_epochs_have_the_test_sets() -> None:
    rise_and_fall = [0.6 * (1 - 0.7**x) - 0.0005 * x for x in range(60)]
    assert wobble(np.linspace(0, 1, 9)) == pytest.approx(0, abs=1e-12)
    assert max(rise_and_fall) - rise_and_fall[-1] > best_by_noise(rise_and_fall, 50_000)
    assert best_by_noise([0.5], 100) == 0
    # Two epochs: three standard deviations of a difference of two samples.
    assert best_by_noise([0.5, 0.5], 100) == pytest.approx(3 * 2**0.5 * 0.05)


def test_the_table_says_what_noise_alone_wins() -> None:
    tests = [0.09, 0.11] * 10
    results = made(row("random", "", tests), row("true", "", [0.5, 0.5, 0.6, 0.6, 0.6, 0.6]))
    made_table = tables.results_table(results)
    columns = [made_table.keys.index(f"early_stopping_{key}") for key in ("gain", "noise")]
    (random, true) = ([own[column] for column in columns] for own in made_table.exact)
    assert random == [0.0, pytest.approx(best_by_noise(tests, 1000, trend=False))]
    assert true[0] == 0 and 0 < true[1] < 0.3
    assert "A gain below it says nothing" in made_table.note
