"""Inputs of 0 to 255, of -1 to 1 and standardized: the same network, the same learning rates."""

import math

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot
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

NORM = "Raw inputs have far larger gradients in the first epoch than normalized ones."
WORSE = "At the same learning rate raw inputs train worse than either kind of normalized ones."
# "Far larger" means more than this many times as large.
FAR = 10
WORDS = {
    "raw": "0 to 255 (raw)",
    "none": "0 to 1",
    "inception": "-1 to 1",
    "dataset": "standardized",
    "paper": "standardized, each image",
}


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws training loss and gradient norm against epochs."""

    def plot(key: str, title: str, y_label: str, caption: str) -> Plot:
        curves = [
            curve(translate(WORDS[name]), over_epochs(group, key), note(group, translate))
            for name, group in by_key(results, "preprocess").items()
        ]
        return Plot(key, title, caption, translate("epochs"), y_label, curves, log="y")

    return [
        plot("train_loss", translate("Training loss, by the scale of the inputs"),
             translate("training loss"), "A run ends where its loss stops being a number."),
        plot("gradient_norm", translate("Norm of the gradient, by the scale of the inputs"),
             translate("norm of the gradient"), "The mean over an epoch's steps."),
    ]  # fmt: skip


def first_norm(group: Group) -> float:
    """Returns the mean norm of the first epoch's gradients over seeds; infinity for no number."""
    norms = [own[0].get("gradient_norm") for own in group.lines]
    return float(np.mean([math.inf if norm is None else norm for norm in norms]))


def judge(results: Results) -> list[Verdict]:
    """Judges what the scale of the inputs does to gradients and to training."""
    found = by_key(results, "preprocess")
    raw = found.pop("raw", None)
    if raw is None or not found:
        return unmeasured(results, "runs with preprocess=raw and with another", NORM, WORSE)
    everything = {"raw": raw, **found}
    norms = {name: first_norm(group) for name, group in everything.items()}
    losses = {n: float(np.mean(final(g, "train_loss"))) for n, g in everything.items()}

    def listed(values: dict[str, float]) -> str:
        return ", ".join(
            f"{WORDS[name]}: " + (f"{value:.4g}" if math.isfinite(value) else "not a number")
            for name, value in values.items()
        )

    far = norms["raw"] > FAR * max(norms[name] for name in found)
    worse = losses["raw"] > max(losses[name] for name in found)
    return [
        verdict(results, NORM, outcome(far), f"Norm in the first epoch: {listed(norms)}"),
        verdict(results, WORSE, outcome(worse), f"Training loss at the end: {listed(losses)}"),
    ]


LESSON = Lesson(plots, judge)
