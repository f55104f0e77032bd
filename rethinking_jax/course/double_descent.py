"""Wider networks: test error falls, rises until the labels are just fitted, and falls again."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.bump import bump, rise_and_fall
from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Plot, seeds_curve
from rethinking_jax.analysis.intervals import Difference, mean_interval
from rethinking_jax.analysis.lesson import (
    Lesson,
    all_above_0,
    groups_of,
    note,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

RISES = "With label noise the test error of wider networks rises, and falls again beyond."
WHERE = "It peaks between the widths whose training error is 0.1 and 0."
NOISE = "Without label noise it rises less, or not at all."
# The training error up to which a network counts as fitting, in the effective model complexity of
# Nakkiran et al. (2020).
FITS = 0.1


class Errors(NamedTuple):
    """Errors of networks at the end of their training, at one level of label noise.

    Attributes:
      noise: the label noise.
      widths: the width of the hidden layer, [p], rising.
      test, train: the errors of each seed, [seeds, p]; of test images by their true labels.
    """

    noise: float
    widths: np.ndarray
    test: np.ndarray
    train: np.ndarray

    @property
    def threshold(self) -> tuple[int, int] | None:
        """The last place whose training error is at least 0.1, and the first from which it is 0.

        None where there are no such two places.
        """
        mean = self.train.mean(0)
        before = np.flatnonzero(mean >= FITS)
        not_fitted = np.flatnonzero(mean > 0)
        if not len(before) or not_fitted[-1] + 1 == len(mean):
            return None
        return int(before[-1]), int(not_fitted[-1]) + 1


def errors(results: Results) -> list[Errors]:
    """Returns the errors at each level of label noise, by rising levels."""
    by_noise: dict[float, dict[int, tuple[list[float], list[float]]]] = {}
    for group in groups_of(results):
        width = group.config["hidden_sizes"][-1]
        test = [1 - accuracy for accuracy in group.test_accuracy()]
        train = [1 - accuracy for accuracy in group.values("train_accuracy")]
        by_noise.setdefault(group.label_noise, {})[width] = (test, train)
    found = []
    for noise, own in sorted(by_noise.items()):
        widths = sorted(own)
        of_test, of_train = (np.array([own[width][i] for width in widths]).T for i in range(2))
        found.append(Errors(noise, np.array(widths), of_test, of_train))
    return found


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws test and training error against width, with the threshold of the noisiest runs."""
    found, seeds = errors(results), note(groups_of(results)[0], translate)
    names = ("test error, label noise {noise:g}", "training error, label noise {noise:g}")
    curves = [
        seeds_curve(translate(name, noise=own.noise), own.widths.tolist(), values.T.tolist(), seeds)
        for own in found
        for name, values in zip(names, (own.test, own.train), strict=True)
    ]
    threshold = found[-1].threshold
    marks = [
        (float(found[-1].widths[at]), translate("training error {error:g}", error=error))
        for at, error in zip(threshold or (), (FITS, 0), strict=False)
    ]
    caption = "At the end of training. Test labels are true. Vertical: where the noisiest fit."
    title = translate("Double descent: error against width")
    axes = translate("width of the hidden layer"), translate("error")
    return [Plot("double_descent", title, caption, *axes, curves, log="x", verticals=marks)]


def judge(results: Results) -> list[Verdict]:
    """Judges whether there is a peak, whether it is at the threshold, and what noise adds."""
    found = errors(results)
    noisy = found[-1]
    if noisy.test.shape[0] < 2 or noisy.test.shape[1] < 4 or not noisy.noise:
        need = "label noise, at least four widths, and two seeds"
        return unmeasured(results, need, RISES, WHERE, NOISE)
    rise, fall = rise_and_fall(noisy.test)
    at = bump(noisy.test.mean(0))
    mean = noisy.test.mean(0)
    valley, peak, end = (
        f"{text_of(mean[i])} at width {noisy.widths[i]:,}" for i in (at.valley, at.peak, at.end)
    )
    text = (
        f"Test error, label noise {noisy.noise:g}: {valley}, {peak}, {end}; a rise of "
        f"{told(rise)} and a fall of {told(fall)}, 95 % intervals, each seed at the widths that "
        "the others choose"
    )
    return [
        verdict(results, RISES, all_above_0(rise, fall), text),
        _where(results, noisy, at.peak, all_above_0(rise, fall)),
        _against_clean(results, found),
    ]


def told(found: Difference) -> str:
    """Returns a difference with its interval."""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def _where(results: Results, noisy: Errors, peak: int, there_is_one: str) -> Verdict:
    threshold = noisy.threshold
    if threshold is None:
        need = "widths whose training error is at least 0.1, and wider ones where it is 0"
        return unmeasured(results, need, WHERE)[0]
    if there_is_one != YES:
        return unmeasured(results, "a peak", WHERE)[0]
    low, high = threshold
    text = (
        f"The peak is at width {noisy.widths[peak]:,}; the training error is at least 0.1 up to "
        f"width {noisy.widths[low]:,}, and 0 from width {noisy.widths[high]:,} on"
    )
    return verdict(results, WHERE, YES if low <= peak <= high else NO, text)


def _against_clean(results: Results, found: list[Errors]) -> Verdict:
    clean, noisy = found[0], found[-1]
    if clean.noise or clean.test.shape != noisy.test.shape:
        return unmeasured(results, "runs with and without label noise", NOISE)[0]
    more = []
    for i, (with_noise, without) in enumerate(zip(noisy.test, clean.test, strict=True)):
        places = [bump(np.delete(own.test, i, axis=0).mean(0)) for own in (noisy, clean)]
        rises = [
            own[at.peak] - own[at.valley]
            for own, at in zip((with_noise, without), places, strict=True)
        ]
        more.append(float(rises[0] - rises[1]))
    found_more = mean_interval(more, "seeds")
    outcome = YES if found_more.low > 0 else NO if found_more.high < 0 else NOT_MEASURED
    rise, _ = rise_and_fall(clean.test)
    text = (
        f"Without noise the largest rise is {told(rise)}, with noise {noisy.noise:g} it is larger "
        f"by {told(found_more)}, 95 % intervals"
    )
    return verdict(results, NOISE, outcome, text)


LESSON = Lesson(plots, judge)
