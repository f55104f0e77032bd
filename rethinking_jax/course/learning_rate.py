"""A learning rate over decades: too slow, best, divergent."""

import math

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot, seeds_curve
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
from rethinking_jax.language.translate import Translate

SLOW = "Too small a learning rate has learned little when the best one is done."
DIVERGENT = "Too large a learning rate diverges, or stays at what guessing costs."
BEST = "The best learning rate lies between the slow ones and those that diverge."
# The share of what guessing costs below which a network has learned more than a little.
LITTLE = 0.5


def loss(group: Group) -> float:
    """Returns the mean training loss at the end over seeds; infinity where a run diverged."""
    return float(np.mean(final(group, "train_loss")))


def guessing(results: Results) -> float:
    """Returns what guessing costs: the logarithm of the number of classes."""
    return math.log(results.summary["num_classes"])


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws the final loss by learning rate, then the losses against epochs."""
    found = dict(sorted(by_key(results, "learning_rate").items()))
    finite = {rate: group for rate, group in found.items() if math.isfinite(loss(group))}
    lost = [rate for rate in found if rate not in finite]
    start, classes = guessing(results), results.summary["num_classes"]
    level = start, translate("at the start: ln {classes}", classes=classes)
    at_the_end, ends = translate("training loss at the end"), list(finite.values())
    seeds = note(next(iter(found.values())), translate)
    lines = [seeds_curve(at_the_end, list(finite), [final(g, "train_loss") for g in ends], seeds)]
    if lost:  # they must stand somewhere: where they began
        lines.append(seeds_curve(translate("diverged"), lost, [[start]] * len(lost)))
    caption = "Runs whose loss stopped being a number stand at the level of the start."
    title = translate("Too slow, best, divergent: the learning rate")
    x_label = translate("learning rate")
    return [
        Plot("loss_by_learning_rate", title, caption, x_label, at_the_end, lines, level, log="xy"),
        _against_epochs(finite, caption, level, translate),
    ]


def _against_epochs(
    finite: dict[float, Group], caption: str, level: tuple[float, str], translate: Translate
) -> Plot:
    """Draws the losses of six learning rates at most, the largest of them among these."""
    shown = list(finite.items())[:: -max(1, -(-len(finite) // 6))][::-1]
    curves = [
        curve(
            translate("learning rate {rate:g}", rate=rate),
            over_epochs(group, "train_loss"),
            note(group, translate),
        )
        for rate, group in shown
    ]
    title = translate("Loss against epochs, by learning rate")
    axes = translate("epochs"), translate("training loss")
    return Plot("loss_against_epochs", title, caption, *axes, curves, level, log="y")


def judge(results: Results) -> list[Verdict]:
    """Judges whether there are slow, good and divergent learning rates."""
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
