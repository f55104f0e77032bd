"""Double descent in time: test error falls, rises while noise is fitted, and falls again."""

import numpy as np

from rethinking_jax.analysis.bump import bump, rise_and_fall
from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.intervals import mean_interval
from rethinking_jax.analysis.lesson import (
    Lesson,
    all_above_0,
    curve,
    groups_of,
    note,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.course.double_descent import FITS, told
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

RISES = "In time the test error falls, rises while wrong labels are fitted, and falls again."
LONGER = "In the end it is lower than where it began to rise: training on beats stopping early."


def _errors(group: Group, split: str) -> np.ndarray:
    """Returns the errors of each seed after each measured epoch, [seeds, t]."""
    if split == "test":
        return 1 - np.array(group.test_accuracies())
    return 1 - np.array([[line["train_accuracy"] for line in own] for own in group.lines])


def _epochs(group: Group) -> list[float]:
    return [float(line["epoch"]) for line in group.lines[0]]


def _noisiest(results: Results) -> Group:
    return max(groups_of(results), key=lambda group: group.label_noise)


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws test and training error against epochs; vertical lines where the noisiest run fits."""
    curves = []
    for group in groups_of(results):
        for name, split in (
            ("test error, label noise {noise:g}", "test"),
            ("training error, label noise {noise:g}", "train"),
        ):
            own = _errors(group, split)
            points = own.mean(0).tolist(), own.min(0).tolist(), own.max(0).tolist()
            label = translate(name, noise=group.label_noise)
            curves.append(curve(label, (_epochs(group), *points), note(group, translate)))
    noisy = _noisiest(results)
    mean, marks = _errors(noisy, "train").mean(0), []
    for error in (FITS, 0):
        fitted = np.flatnonzero(mean <= error)
        if len(fitted):
            name = translate("training error {error:g}", error=error)
            marks.append((_epochs(noisy)[fitted[0]], name))
    caption = "Test labels are true. Vertical: the first epoch with that training error."
    title = translate("Double descent in time: error against epochs")
    axes = translate("epochs"), translate("error")
    return [Plot("epoch_wise", title, caption, *axes, curves, log="x", verticals=marks)]


def judge(results: Results) -> list[Verdict]:
    """Judges whether the noisiest runs have a peak in time, and what their error ends at."""
    noisy = _noisiest(results)
    test, epochs = _errors(noisy, "test"), _epochs(noisy)
    if noisy.seeds < 2 or len(epochs) < 4 or not noisy.label_noise:
        need = "label noise, at least four measured epochs, and two seeds"
        return unmeasured(results, need, RISES, LONGER)
    rise, fall = rise_and_fall(test)
    at, mean = bump(test.mean(0)), test.mean(0)
    places = ", ".join(f"{text_of(mean[i])} after epoch {epochs[i]:,.0f}" for i in at)
    text = (
        f"Test error {places}; a rise of {told(rise)} and a fall of {told(fall)}, 95 % intervals, "
        "each seed at the epochs that the others choose"
    )
    valleys = [bump(np.delete(test, i, axis=0).mean(0)).valley for i in range(len(test))]
    gain = mean_interval(
        [float(own[i] - own[-1]) for own, i in zip(test, valleys, strict=True)], "seeds"
    )
    longer = YES if gain.low > 0 else NO if gain.high < 0 else NOT_MEASURED
    gained = (
        f"Test error {text_of(mean[-1])} in the end, lower than where it began to rise by "
        f"{told(gain)}, 95 % interval"
    )
    return [
        verdict(results, RISES, all_above_0(rise, fall), text),
        verdict(results, LONGER, longer, gained),
    ]


LESSON = Lesson(plots, judge)
