"""Networks of different architecture: test accuracy against what each costs."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES, outcome
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    groups_of,
    less,
    told,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.networks import network
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

# The models of the networks with separable convolutions and with whole ones.
SEPARABLE, LIKE_VGG = "mobilenet_small", "vgg_small"

PARAMETERS = "More parameters do not mean a higher test accuracy."
CONVOLUTION = "Every convolutional network tests better than every dense one."
OPERATIONS = "Depthwise separable convolutions take far fewer operations than VGG's."
NO_LOSS = "All the same they test no worse."
TIME = "Time per image follows the operations."
# "Far fewer" means that one has this many times the operations of the other.
FEWER = 5
# "Follows" means that no network takes more than this many times as long for an operation as
# another.
FOLLOWS = 2.0


class Cost(NamedTuple):
    """What a network costs.

    Attributes:
      parameters: the number of its parameters.
      flops: the operations of a forward pass of one image.
      milliseconds: the time of a train step for each image, for each seed.
    """

    parameters: int
    flops: int
    milliseconds: list[float]


def cost(group: Group) -> Cost:
    """Returns what the network of some runs costs; a seed's speed is the median over epochs."""
    speeds = [np.median([line["images_per_second"] for line in own]) for own in group.lines]
    member = group.members[0]
    return Cost(
        int(member["parameters"]),
        int(member["flops_per_image"]),
        [float(1000 / speed) for speed in speeds],
    )


def name(group: Group) -> str:
    """Returns the name of a network in English, such as "MLP 2x64"."""
    sizes = group.config.get("hidden_sizes") or [0]
    return network(group.members[0]["model"]).name.format(layers=len(sizes), width=sizes[0])


def is_dense(group: Group) -> bool:
    """Says whether a network has no convolution."""
    return network(group.members[0]["model"]).dense


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws test accuracy against parameters, against operations and against time."""
    groups = groups_of(results)

    def plot(key: str, title: str, x_label: str, x: Callable[[Cost], float]) -> Plot:
        curves = [_points(group, x(cost(group)), translate) for group in groups]
        caption = "A point for each seed, at the end of training."
        return Plot(key, title, caption, x_label, translate("test accuracy"), curves, log="x")

    return [
        plot("accuracy_against_parameters", translate("Test accuracy against parameters"),
             translate("millions of parameters (logarithmic)"), lambda own: own.parameters / 1e6),
        plot("accuracy_against_flops", translate("Test accuracy against operations per image"),
             translate("million operations (FLOPs) of a forward pass (logarithmic)"),
             lambda own: own.flops / 1e6),
        plot("accuracy_against_time", translate("Test accuracy against time per image"),
             translate("milliseconds of training per image (logarithmic)"),
             lambda own: float(np.median(own.milliseconds))),
    ]  # fmt: skip


def _points(group: Group, x: float, translate: Translate) -> Curve:
    """Returns the points of a network at its cost, its seeds one above the other."""
    english = name(group)
    label = translate(english) if english in SPANISH else english
    y = sorted(group.test_accuracy())
    count = translate("{n} seed" if len(y) == 1 else "{n} seeds", n=len(y))
    return Curve(label, [x] * len(y), y, y, y, remark=count)


def judge(results: Results) -> list[Verdict]:
    """Judges whether what a network costs says how well it tests, and how long it takes."""
    groups = groups_of(results)
    return [
        _parameters(results, groups),
        _convolution(results, groups),
        *_separable(results, groups),
        _time(results, groups),
    ]


def _accuracy(group: Group) -> float:
    return float(np.mean(group.test_accuracy()))


def _parameters(results: Results, groups: list[Group]) -> Verdict:
    """Judges whether some network tests better than one with more parameters."""
    pairs = [
        (small, large)
        for small in groups
        for large in groups
        if cost(small).parameters < cost(large).parameters
    ]
    if not pairs:
        return unmeasured(results, "networks that differ in parameters", PARAMETERS)[0]
    # Where even this pair is in order, all pairs are.
    small, large = max(pairs, key=lambda pair: _accuracy(pair[0]) - _accuracy(pair[1]))
    answer, found = less(large.test_accuracy(), small.test_accuracy())
    shown = (f"{name(g)} ({cost(g).parameters:,} parameters) {text_of(_accuracy(g))}"
             for g in (small, large))  # fmt: skip
    correlation = rank_correlation(
        [cost(g).parameters for g in groups], [_accuracy(g) for g in groups]
    )
    text = (
        f"Test accuracy of the pair that is farthest out of order: {', '.join(shown)}: "
        f"{told(found)}; rank correlation of accuracy and parameters over {len(groups)} networks "
        f"{correlation:.2f}"
    )
    return verdict(results, PARAMETERS, answer, text)


def rank_correlation(a: list[float], b: list[float]) -> float:
    """Returns Spearman's correlation, from -1 to 1; nan where all values of one are equal."""
    from scipy.stats import spearmanr  # slow to import

    if len(set(a)) == 1 or len(set(b)) == 1:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def _convolution(results: Results, groups: list[Group]) -> Verdict:
    dense = [group for group in groups if is_dense(group)]
    convolutional = [group for group in groups if not is_dense(group)]
    if not dense or not convolutional:
        return unmeasured(results, "a convolutional and a dense network", CONVOLUTION)[0]
    best, worst = max(dense, key=_accuracy), min(convolutional, key=_accuracy)
    answer, found = less(best.test_accuracy(), worst.test_accuracy())
    text = (
        f"Test accuracy of the worst convolutional one, {name(worst)}, "
        f"{text_of(_accuracy(worst))}, of the best dense one, {name(best)}, "
        f"{text_of(_accuracy(best))}: {told(found)}"
    )
    return verdict(results, CONVOLUTION, answer, text)


def _separable(results: Results, groups: list[Group]) -> list[Verdict]:
    models = {group.members[0]["model"]: group for group in groups}
    if not {SEPARABLE, LIKE_VGG} <= set(models):
        return unmeasured(results, f"{SEPARABLE} and {LIKE_VGG}", OPERATIONS, NO_LOSS)
    small, large = models[SEPARABLE], models[LIKE_VGG]
    ratio = cost(large).flops / cost(small).flops
    text = (
        f"Forward pass of one image: {cost(small).flops:,} operations, VGG-style "
        f"{cost(large).flops:,}, {ratio:.1f} times as many (far: at least {FEWER}); parameters "
        f"{cost(small).parameters:,} and {cost(large).parameters:,}"
    )
    worse, found = less(small.test_accuracy(), large.test_accuracy())
    harm = (
        f"Test accuracy of the separable one {text_of(_accuracy(small))}, of the VGG-style one "
        f"{text_of(_accuracy(large))}: {told(found)}"
    )
    return [
        verdict(results, OPERATIONS, outcome(ratio >= FEWER), text),
        verdict(results, NO_LOSS, outcome(worse != YES), harm),
    ]


def _time(results: Results, groups: list[Group]) -> Verdict:
    """Judges whether every network takes about as long for an operation as the others."""
    if len(groups) < 2:
        return unmeasured(results, "at least two networks", TIME)[0]
    costs = {name(group): cost(group) for group in groups}
    # The pace of each seed: 10^9 operations of a forward pass in a second of training.
    pace = {
        own: [found.flops / 1e6 / ms for ms in found.milliseconds] for own, found in costs.items()
    }
    seeds = range(min(len(values) for values in pace.values()))
    ratios = [max(v[s] for v in pace.values()) / min(v[s] for v in pace.values()) for s in seeds]
    answer = NOT_MEASURED
    if all(ratio <= FOLLOWS for ratio in ratios) or all(ratio > FOLLOWS for ratio in ratios):
        answer = YES if ratios[0] <= FOLLOWS else NO
    correlation = rank_correlation(
        [found.flops for found in costs.values()],
        [float(np.median(found.milliseconds)) for found in costs.values()],
    )
    shown = ", ".join(f"{own} {np.median(v):.3g}" for own, v in pace.items())
    text = (
        f"GFLOP of the forward pass in a second of training: {shown}; the "
        f"fastest over the slowest {min(ratios):.1f} to {max(ratios):.1f} over seeds, where at "
        f"most {FOLLOWS:g} follows; rank correlation of time and operations {correlation:.2f}"
    )
    return verdict(results, TIME, answer, text)


LESSON = Lesson(plots, judge)
