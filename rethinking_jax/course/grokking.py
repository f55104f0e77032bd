"""Grokking: from large initial weights a network fits its data long before it generalizes."""

import numpy as np

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.intervals import Difference, mean_interval
from rethinking_jax.analysis.lesson import (
    Lesson,
    by_key,
    curve,
    note,
    over_epochs,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

LARGE = (
    "From large initial weights test accuracy rises by more than 20 points after every training "
    "example is right."
)
USUAL = "From weights of the usual size it rises by less than that: there is nothing to wait for."
RISE = 0.2  # the points of test accuracy that count as waiting


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws training and test accuracy against epochs, from each size of initial weights."""
    curves = []
    for scale, group in by_key(results, "init_scale").items():
        for name, key in (
            ("training, initial weights x {scale:g}", "train_accuracy"),
            ("test, initial weights x {scale:g}", "test_accuracy"),
        ):
            label = translate(name, scale=scale)
            curves.append(curve(label, over_epochs(group, key), note(group, translate)))
    title = translate("Grokking: it fits first and generalizes late")
    axes = translate("epochs"), translate("accuracy")
    return [Plot("grokking", title, "The model fixed, true labels.", *axes, curves, log="x")]


def judge(results: Results) -> list[Verdict]:
    """Judges how far test accuracy rises once the training set is fitted, from each start."""
    groups = by_key(results, "init_scale")
    large = groups.get(max(groups))
    usual = groups.get(1.0)
    return [
        _judged(results, LARGE, large if max(groups) > 1 else None, more=True),
        _judged(results, USUAL, usual, more=False),
    ]


def rises(group: Group) -> list[float] | None:
    """Returns by how much test accuracy rises after the training set is fitted, for each seed.

    From the first measured epoch in which every training example is right to the last one; None
    where a seed never gets there.
    """
    found = []
    for own, tests in zip(group.lines, group.test_accuracies(), strict=True):
        fitted = [place for place, line in enumerate(own) if line["train_accuracy"] == 1.0]
        if not fitted:
            return None
        found.append(tests[-1] - tests[fitted[0]])
    return found


def _judged(results: Results, claim: str, group: Group | None, more: bool) -> Verdict:
    """Judges a claim about the rise of one start: `more` than `RISE`, or less."""
    if group is None or group.seeds < 2 or (rise := rises(group)) is None:
        need = "two seeds from such weights, and a training accuracy of 1.0"
        return unmeasured(results, need, claim)[0]
    found = mean_interval(rise, "seeds")
    first = group.to_accuracy(1.0, "epoch")
    tests = group.test_accuracies()
    text = (
        f"Initial weights x {group.config['init_scale']:g}: every training example is right after "
        f"{np.mean([epoch for epoch in first if epoch is not None]):,.0f} epochs; test accuracy is "
        f"then {text_of(np.mean([a[-1] - b for a, b in zip(tests, rise, strict=True)]))} and in "
        f"the end {text_of(np.mean([own[-1] for own in tests]))}, a rise of {found.value:.4f} "
        f"({found.low:.4f} to {found.high:.4f}, 95 % over seeds)"
    )
    return verdict(results, claim, _outcome(found, more), text)


def _outcome(rise: Difference, more: bool) -> str:
    above, below = rise.low > RISE, rise.high < RISE
    if not above and not below:
        return NOT_MEASURED
    return YES if above == more else NO


LESSON = Lesson(plots, judge)
