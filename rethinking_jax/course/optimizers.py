"""SGD, SGD with momentum, RMSProp and Adam at their usual learning rates."""

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    curve,
    epochs_to_loss,
    groups_of,
    note,
    over_epochs,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate

# The training loss at which epochs are compared: all optimizers reach it.
REACHED = 0.1
MOMENTUM = "Momentum reaches a low loss in fewer epochs than plain SGD at the same learning rate."
ADAPTIVE = "RMSProp and Adam reach it in fewer epochs than plain SGD."


def name(group: Group, translate: Translate) -> str:
    """Returns the name of an optimizer with its learning rate."""
    rate, momentum = group.config["learning_rate"], group.config["momentum"]
    if group.config["optimizer"] == "rmsprop":
        return translate("RMSProp, learning rate {rate:g}", rate=rate)
    if group.config["optimizer"] == "adam":
        return translate("Adam, learning rate {rate:g}", rate=rate)
    if momentum:
        phrase = "SGD with momentum {momentum:g}, learning rate {rate:g}"
        return translate(phrase, momentum=momentum, rate=rate)
    return translate("SGD, learning rate {rate:g}", rate=rate)


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws the training loss against epochs."""
    curves = [
        curve(name(group, translate), over_epochs(group, "train_loss"), note(group, translate))
        for group in groups_of(results)
    ]
    title = translate("Optimizers at their usual learning rates")
    return [Plot("optimizers", title, "Cross-entropy over the training set, the model fixed.",
                 translate("epochs"), translate("training loss"), curves, log="y")]  # fmt: skip


def kind(group: Group) -> str:
    """Returns which optimizer runs have: sgd, momentum, rmsprop or adam."""
    optimizer = str(group.config["optimizer"])
    return "momentum" if optimizer == "sgd" and group.config["momentum"] else optimizer


def judge(results: Results) -> list[Verdict]:
    """Judges which optimizers take fewer epochs than plain SGD."""
    epochs = {kind(group): epochs_to_loss(group, REACHED) for group in groups_of(results)}
    text = f"Epochs to training loss {REACHED:g}: " + ", ".join(
        f"{name} {value:.1f}" if np.isfinite(value) else f"{name} never"
        for name, value in epochs.items()
    )
    found = []
    for claim, faster in ((MOMENTUM, ("momentum",)), (ADAPTIVE, ("rmsprop", "adam"))):
        if "sgd" not in epochs or not set(faster) <= set(epochs):
            need = f"runs with sgd without momentum and {' and '.join(faster)}"
            found += unmeasured(results, need, claim)
        else:
            won = all(epochs[one] < epochs["sgd"] for one in faster)
            found.append(verdict(results, claim, outcome(won), text))
    return found


LESSON = Lesson(plots, judge)
