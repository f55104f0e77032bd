"""A learning rate over decades: too slow, best, divergent."""

import math

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.language import Translate
from rethinking_jax.analysis.lesson import (
    Lesson,
    by_key,
    curve,
    final,
    note,
    over_epochs,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict

SLOW = "Too small a learning rate has learned little when the best one is done."
DIVERGENT = "Too large a learning rate diverges, or stays at what guessing costs."
BEST = "The best learning rate lies between the slow ones and those that diverge."
# "Little": the loss is still above half of what guessing costs.
LITTLE = 0.5


def loss(group: Group) -> float:
    """Training loss at the end, the mean over seeds; infinity where a run diverged."""
    return float(np.mean(final(group, "train_loss")))


def guessing(results: Results) -> float:
    """What guessing costs: the logarithm of the number of classes."""
    return math.log(results.summary["num_classes"])


def plots(results: Results, translate: Translate) -> list[Plot]:
    """The final loss by learning rate, then the curves."""
    found = dict(sorted(by_key(results, "learning_rate").items()))
    finite = {rate: group for rate, group in found.items() if math.isfinite(loss(group))}
    ends = [final(group, "train_loss") for group in finite.values()]
    line = Curve(
        translate("training loss at the end"),
        [float(rate) for rate in finite],
        [float(np.mean(own)) for own in ends],
        [min(own) for own in ends],
        [max(own) for own in ends],
        note=note(next(iter(found.values())), translate),
    )
    # Six at most, the largest that did not diverge among them.
    shown = list(finite.items())[:: -max(1, -(-len(finite) // 6))][::-1]
    curves = [
        curve(
            translate("learning rate {rate:g}", rate=rate),
            over_epochs(g, "train_loss"),
            note(g, translate),
        )
        for rate, g in shown
    ]
    start, classes = guessing(results), results.summary["num_classes"]
    level = start, translate("at the start: ln {classes}", classes=classes)
    lost = [float(rate) for rate in found if rate not in finite]
    lines = [line]
    if lost:  # somewhere they must stand: where they began
        level_with = [start] * len(lost)
        lines.append(Curve(translate("diverged"), lost, level_with, level_with, level_with))
    caption = "Runs whose loss stopped being a number stand at the level of the start."
    return [
        Plot(
            "loss_by_learning_rate",
            translate("Too slow, best, divergent: the learning rate"),
            caption,
            translate("learning rate"),
            translate("training loss at the end"),
            lines,
            level,
            log="xy",
        ),
        Plot(
            "loss_against_epochs",
            translate("Loss against epochs, by learning rate"),
            caption,
            translate("epochs"),
            translate("training loss"),
            curves,
            level,
            log="y",
        ),
    ]


def judge(results: Results) -> list[Verdict]:
    """The lecture's three regions."""
    found = {rate: loss(g) for rate, g in sorted(by_key(results, "learning_rate").items())}
    rates = list(found)
    if len(rates) < 3:
        return unmeasured(results, "at least three learning rates", SLOW, DIVERGENT, BEST)
    start = guessing(results)
    losses = ", ".join(
        f"{rate:g}: {value:.4f}" if math.isfinite(value) else f"{rate:g}: not a number"
        for rate, value in found.items()
    )
    text = f"Training loss at the end by learning rate: {losses}; guessing costs {start:.4f}"
    first, last = found[rates[0]], found[rates[-1]]
    best = min(rates, key=lambda rate: found[rate])
    return [
        verdict(results, SLOW, outcome(first > LITTLE * start), text),
        verdict(results, DIVERGENT, outcome(not last < 0.95 * start), text),
        verdict(results, BEST, outcome(rates[0] < best < rates[-1]), text),
    ]


LESSON = Lesson(plots, judge)
