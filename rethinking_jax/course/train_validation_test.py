"""Hyper-parameters chosen on a validation set, and one look at the test set."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import NOT_MEASURED, outcome
from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.intervals import difference
from rethinking_jax.analysis.lesson import (
    Lesson,
    curve,
    groups_of,
    less,
    note,
    over_epochs,
    told,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

MATTERS = "The choice matters: validation tells the best setting from the worst."
ALONE = "Validation tells the best setting from every other."
FORETELLS = "The chosen setting's validation accuracy foretells its test accuracy."
OPTIMISTIC = "It flatters: in the test the chosen setting does worse than in validation."


class Setting(NamedTuple):
    """Runs that differ in their seed only, none of which diverged.

    Attributes:
      group: the runs.
      validation: the validation accuracy of each seed at the end.
    """

    group: Group
    validation: list[float]

    @property
    def name(self) -> str:
        """Its name, such as "120-84, learning rate 0.01"."""
        config = self.group.config
        return f"{self.layers}, learning rate {config['learning_rate']:g}"

    @property
    def layers(self) -> str:
        """The sizes of its hidden layers, such as "120-84"."""
        return "-".join(map(str, self.group.config["hidden_sizes"]))


def settings(results: Results) -> list[Setting]:
    """Returns the settings that were tried, the best one first."""
    found = [
        Setting(group, group.values("validation_accuracy"))
        for group in groups_of(results)
        if not any(group.values("diverged"))
    ]
    return sorted(found, key=lambda one: -float(np.mean(one.validation)))


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws validation accuracy by learning rate and network, then the chosen setting's course."""
    found = settings(results)
    if not found:
        return []
    return [_by_rate(found, translate), _chosen(found[0], translate)]


def _by_rate(found: list[Setting], translate: Translate) -> Plot:
    curves = []
    in_order = sorted(found, key=lambda one: one.group.config["learning_rate"])
    for layers in sorted({one.layers for one in found}):
        own = [one for one in in_order if one.layers == layers]
        label = translate("hidden layers {sizes}", sizes=layers)
        curves.append(_points(label, own, note(own[0].group, translate)))
    curves.append(_points(translate("chosen"), found[:1], note(found[0].group, translate)))
    title = translate("Validation chooses learning rate and network")
    caption = "At the end of training, the model fixed. The test set is not looked at."
    labels = translate("learning rate"), translate("validation accuracy")
    return Plot("validation", title, caption, *labels, curves, log="x")


def _points(label: str, found: list[Setting], seeds: str) -> Curve:
    rates = [one.group.config["learning_rate"] for one in found]
    return seeds_curve(label, rates, [one.validation for one in found], seeds)


def _chosen(best: Setting, translate: Translate) -> Plot:
    group = best.group
    curves = [
        curve(translate(name), over_epochs(group, f"{key}_accuracy"), note(group, translate))
        for key, name in (("train", "training"), ("validation", "validation"))
    ]
    test = group.values("test_accuracy")
    last = [max(curves[0].x)]
    curves.append(seeds_curve(translate("test, one look"), last, [test], note(group, translate)))
    rate = translate("learning rate {rate:g}", rate=group.config["learning_rate"])
    title = translate("The chosen setting: {layers}, {rate}", layers=best.layers, rate=rate)
    caption = "Over each whole set, the model fixed; the test set once, at the end."
    return Plot("chosen", title, caption, translate("epochs"), translate("accuracy"), curves)


def judge(results: Results) -> list[Verdict]:
    """Judges what validation can tell apart, and what it foretells."""
    found = settings(results)
    if len(found) < 2:
        need = "at least two settings that did not diverge"
        return unmeasured(results, need, MATTERS, ALONE, FORETELLS, OPTIMISTIC)
    count = results.summary["validation_examples"]
    best, worst = found[0], found[-1]
    told_apart = [less(one.validation, best.validation, (count, count)) for one in found[1:]]
    equals = sum(outcome_ == NOT_MEASURED for outcome_, _ in told_apart)
    text = (
        f"Validation accuracy {text_of(np.mean(best.validation))} with {best.name}, "
        f"{text_of(np.mean(worst.validation))} with {worst.name}: {told(told_apart[-1][1])}"
    )
    many = (
        f"Of {len(found) - 1} other settings {equals} cannot be told from {best.name} by {count:,} "
        f"examples; the next is {found[1].name}: {told(told_apart[0][1])}"
    )
    return [
        verdict(results, MATTERS, outcome(told_apart[-1][1].low > 0), text),
        verdict(results, ALONE, outcome(equals == 0), many),
        *_foretold(results, best, count),
    ]


def _foretold(results: Results, best: Setting, count: int) -> list[Verdict]:
    test = best.group.values("test_accuracy")
    found = difference(best.validation, test, (count, results.summary["test_examples"]))
    text = (
        f"{best.name}: validation accuracy {text_of(np.mean(best.validation))} on {count:,} "
        f"examples, test accuracy {text_of(np.mean(test))} on "
        f"{results.summary['test_examples']:,}: {told(found)}"
    )
    flatters = outcome(found.low > 0) if found.low > 0 or found.high < 0 else NOT_MEASURED
    return [
        verdict(results, FORETELLS, outcome(found.low <= 0 <= found.high), text),
        verdict(results, OPTIMISTIC, flatters, text),
    ]


LESSON = Lesson(plots, judge, validated=True)
