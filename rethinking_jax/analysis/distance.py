"""How far our learning curves are from those of the paper's Figure 1a, along the steps.

A curve is steps and the training loss at each. Two curves are compared where they have the same
loss: by how many times more steps one of them takes to get there.

The paper does not say which training loss it plots, and there are two of ours. That of an epoch's
batches, with the network that each trains, is a mean over the steps of the epoch and so stands at
their middle. That of the fixed network, over the training set after each epoch, has batch norm's
running averages in it: with a learning rate of 0.1 it falls unevenly, on true labels by 0.03 and
0.05 in the third and fourth epoch and by 0.24 in the fifth. The paper's curves are smooth, so that
the loss of the batches is what is judged.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.claims import (
    NOT_MEASURED,
    Judged,
    group_name,
    missing,
    outcome,
)
from rethinking_jax.analysis.curves import band, middles
from rethinking_jax.analysis.fitted import FITTED_LOSS
from rethinking_jax.analysis.results import Group, Series

# The losses at which two curves are compared, from what comes soon after the start, ln 10 for ten
# classes, to the one from which Figure 1a counts as fitted.
LOSSES = (2.0, 1.5, 1.0, 0.7, 0.5, 0.3, 0.2, FITTED_LOSS)
# The mean factor between the steps of two curves up to which they agree. Somebody else's run of
# Figure 1a, one seed in batches of 128, took 1.10 to 1.45 times the paper's steps to its last loss.
FACTOR = 1.5
# Of the small Inception on images of three channels, with ten classes.
PARAMETERS = paper.PARAMETERS[paper.FIGURE_1A_MODEL]


class Distance(NamedTuple):
    """How far a curve is from the paper's.

    Attributes:
      fitted: our steps to `FITTED_LOSS` over the paper's; None where ours was not there.
      factor: the mean factor between the steps at equal losses, whichever takes longer: 1 is the
        same curve.
      losses: at how many losses the curves were compared.
      seen: the steps of our curve over the paper's to `FITTED_LOSS`.
    """

    fitted: float | None
    factor: float
    losses: int
    seen: float

    @property
    def agrees(self) -> bool | None:
        """Whether the curve is within `FACTOR` of the paper's; None where it ends too early."""
        if self.fitted is None and self.seen < FACTOR:
            return None
        return self.fitted is not None and self.factor <= FACTOR

    @property
    def text(self) -> str:
        """The distance in words."""
        fitted = "not there yet" if self.fitted is None else f"{self.fitted:.2f} times the steps"
        return (
            f"{fitted} to loss {FITTED_LOSS:g}, a mean factor of {self.factor:.2f} at "
            f"{self.losses} equal losses"
        )


def has_curve(group: Group, dataset: str, train_examples: int | None) -> bool:
    """Says whether the paper's Figure 1a has the learning curve of a group.

    Noise in the place of images is the same whatever the data set, if that has as many examples
    and classes, and images of three channels.
    """
    member = group.members[0]
    if group.setting not in paper.figure_1()["training_loss"] or group.regularizers:
        return False
    if member["model"] != paper.FIGURE_1A_MODEL:
        return False
    if train_examples not in (None, paper.TRAIN_EXAMPLES[paper.DATASET]):
        return False
    noise = group.setting == "gaussian" and train_examples is not None
    return dataset == paper.DATASET or (noise and member.get("parameters") == PARAMETERS)


def of_group(one: Series, group: Group) -> tuple[Distance | None, Distance | None]:
    """Returns the distances of the mean of a group's curves, None where there is none to compare.

    Returns:
      That of the loss of the batches, and that of the loss of the fixed network.
    """
    if not has_curve(group, one.dataset, one.train_examples):
        return None, None
    ends, fixed, _, _ = band(group.lines, "train_loss")
    at, of_batches, _, _ = middles(band(group.lines, "running_loss"))
    return (
        between([1000 * x for x in at], of_batches, group.setting),
        between([1000 * x for x in ends], fixed, group.setting),
    )


def between(steps: Sequence[float], losses: Sequence[float], setting: str) -> Distance | None:
    """Returns the distance of a curve from that of a setting in Figure 1a.

    Args:
      steps, losses: where the curve has its points, and the training loss there.
      setting: one that Figure 1a has.

    Returns:
      None where no loss of `LOSSES` is within both curves.
    """
    figure = paper.figure_1()
    theirs = [1000 * x for x in figure["thousand_steps"]], figure["training_loss"][setting]
    pairs = [
        (ours_at, theirs_at)
        for loss in LOSSES
        if (ours_at := steps_to(steps, losses, loss)) and (theirs_at := steps_to(*theirs, loss))
    ]
    if not pairs:
        return None
    factor = math.exp(float(np.mean([abs(math.log(ours / their)) for ours, their in pairs])))
    last, paper_last = steps_to(steps, losses, FITTED_LOSS), steps_to(*theirs, FITTED_LOSS)
    assert paper_last is not None  # all its curves get there
    return Distance(last and last / paper_last, factor, len(pairs), steps[-1] / paper_last)


def steps_to(steps: Sequence[float], losses: Sequence[float], loss: float) -> float | None:
    """Returns the steps after which a curve is first at `loss`, between two of its points.

    The loss goes down geometrically between them. None where it begins below, or never gets there.
    """
    place = next((i for i, value in enumerate(losses) if value <= loss), 0)
    if place == 0:
        return None
    before, after = math.log(losses[place - 1]), math.log(max(losses[place], 1e-12))
    share = (before - math.log(loss)) / (before - after)
    return steps[place - 1] + share * (steps[place] - steps[place - 1])


def judge(one: Series) -> Judged:
    """Judges whether every learning curve that Figure 1a has is near the paper's."""
    distances = [(group, *of_group(one, group)) for group in one.groups]
    found = [(group, far, fixed) for group, far, fixed in distances if far]
    if not found:
        return missing("the small Inception on CIFAR-10, or on as much Gaussian noise")
    text = "; ".join(_told(group, far, fixed) for group, far, fixed in found)
    agree = [far.agrees for _, far, _ in found]
    undecided = None in agree and False not in agree
    return Judged(
        NOT_MEASURED if undecided else outcome(all(agree)),
        f"Against the paper's curve, {text}. Up to a mean factor of {FACTOR:g} agrees",
    )


def _told(group: Group, far: Distance, fixed: Distance | None) -> str:
    """Says how far a group's curves are from the paper's."""
    other = f" (of the fixed network {fixed.factor:.2f})" if fixed else ""
    return f"{group_name(group)}: {far.text}{other}"
