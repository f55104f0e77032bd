"""Wider and deeper networks: training accuracy goes on rising, test accuracy does not."""

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    by_key,
    curve,
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

FITS = "The largest network has the highest training accuracy."
OVERFITS = "The largest network overfits: its training accuracy is far above its test accuracy."
NO_HARM = "All the same it tests no worse than the smallest."
# "Far" means by more than this share of the images.
FAR = 0.02


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws training accuracy, then test accuracy, against epochs."""

    def plot(key: str, title: str) -> Plot:
        curves = [
            curve(translate("hidden layers {sizes}", sizes="-".join(map(str, sizes))),
                  over_epochs(group, key), note(group, translate))
            for sizes, group in by_key(results, "hidden_sizes").items()
        ]  # fmt: skip
        caption = "Over the whole set, the model fixed."
        return Plot(key, title, caption, translate("epochs"), translate("accuracy"), curves)

    return [
        plot("train_accuracy", translate("Training accuracy, by network size")),
        plot("test_accuracy", translate("Test accuracy, by network size")),
    ]


def judge(results: Results) -> list[Verdict]:
    """Judges whether the largest network overfits, and whether that does harm."""
    groups = list(by_key(results, "hidden_sizes").values())
    if len(groups) < 2:
        return unmeasured(results, "at least two sizes of the network", FITS, OVERFITS, NO_HARM)

    def parameters(group: Group) -> int:
        return int(group.members[0]["parameters"])

    def mean(group: Group, key: str) -> float:
        return float(np.mean(group.values(key)))

    small, large = min(groups, key=parameters), max(groups, key=parameters)
    told_of = "; ".join(
        f"{'-'.join(map(str, g.config['hidden_sizes']))} ({parameters(g):,} parameters) "
        f"{text_of(mean(g, 'train_accuracy'))} and {text_of(mean(g, 'test_accuracy'))}"
        for g in groups
    )
    text = f"Training and test accuracy at the end: {told_of}"
    fits = mean(large, "train_accuracy") >= max(mean(g, "train_accuracy") for g in groups)
    gap = mean(large, "train_accuracy") - mean(large, "test_accuracy")
    harm, found = less(large.test_accuracy(), small.test_accuracy())
    return [
        verdict(results, FITS, outcome(fits), text),
        verdict(results, OVERFITS, outcome(gap > FAR), f"{text}; a gap of {gap:.4f}"),
        verdict(results, NO_HARM, outcome(harm != "yes"), f"Smallest less largest: {told(found)}"),
    ]


LESSON = Lesson(plots, judge)
