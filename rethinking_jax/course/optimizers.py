"""SGD, SGD with momentum, RMSProp and Adam at their usual learning rates."""

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    Say,
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

# A training loss that all of them reach: where their epochs are compared.
REACHED = 0.1
MOMENTUM = "Momentum reaches a low loss in fewer epochs than plain SGD at the same learning rate."
ADAPTIVE = "RMSProp and Adam reach it in fewer epochs than plain SGD."


def name(group: Group, say: Say) -> str:
    """An optimizer with its learning rate."""
    rate, momentum = group.config["learning_rate"], group.config["momentum"]
    if group.config["optimizer"] == "rmsprop":
        return say("RMSProp, learning rate {rate:g}", rate=rate)
    if group.config["optimizer"] == "adam":
        return say("Adam, learning rate {rate:g}", rate=rate)
    if momentum:
        phrase = "SGD with momentum {momentum:g}, learning rate {rate:g}"
        return say(phrase, momentum=momentum, rate=rate)
    return say("SGD, learning rate {rate:g}", rate=rate)


def plots(results: Results, say: Say) -> list[Plot]:
    """Training loss against epochs."""
    curves = [
        curve(name(group, say), over_epochs(group, "train_loss"), note(group, say))
        for group in groups_of(results)
    ]
    title = say("Optimizers at their usual learning rates")
    return [Plot("optimizers", title, "Cross-entropy over the training set, the model fixed.",
                 say("epochs"), say("training loss"), curves, log="y")]  # fmt: skip


def kind(group: Group) -> str:
    """sgd, momentum, rmsprop or adam."""
    optimizer = str(group.config["optimizer"])
    return "momentum" if optimizer == "sgd" and group.config["momentum"] else optimizer


def judge(results: Results) -> list[Verdict]:
    """What takes fewer epochs than plain SGD."""
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
