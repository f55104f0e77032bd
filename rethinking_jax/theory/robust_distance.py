"""How far plain training moves from its start on wrong labels, and on true ones.

Compared at equal train accuracy, each against the labels that it trains on: to fit wrong labels, a
network must move farther from its start than to fit as many true ones (Li et al. 2020).
"""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.curves import Plot, seeds_curve
from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import holm, mean_interval, p_above_0
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.robust_methods import PLAIN
from rethinking_jax.theory.robust_results import Course, by_setting

CLAIM = (
    "At equal train accuracy plain training is farther from its start on wrong labels than on true "
    "ones."
)
LI = "Li, Soltanolkotabi and Oymak 2020"
NO_NUMBER = "A bound for clusterable data, without a number for these."
# The train accuracies at which distances are compared.
LEVELS = tuple(level / 100 for level in range(50, 100))
SURE = 0.05  # adjusted p-values up to this are no chance


def distance_at(one: Course, level: float) -> float | None:
    """Returns the distance from the start where the train accuracy first reaches a level.

    It is interpolated between two measured epochs; None where the first one is beyond the level
    already, or none reaches it.
    """
    reached = np.flatnonzero(np.array(one.train) >= level)
    if not len(reached) or not reached[0]:
        return None
    before, after = int(reached[0]) - 1, int(reached[0])
    share = (level - one.train[before]) / (one.train[after] - one.train[before])
    return one.distance[before] + share * (one.distance[after] - one.distance[before])


def distances(courses: Sequence[Course]) -> dict[float, list[float]]:
    """Returns the distance of each seed at each of `LEVELS` that all of them pass."""
    found = {level: [distance_at(one, level) for one in courses] for level in LEVELS}
    return {
        level: [value for value in own if value is not None]
        for level, own in found.items()
        if None not in own
    }


def plain_runs(courses: Sequence[Course]) -> tuple[dict[str, list[Course]], list[Course]]:
    """Returns plain training on each kind of wrong labels, and on true labels, by seeds."""
    plain = {name: own[PLAIN] for name, own in by_setting(courses).items() if PLAIN in own}
    wrong = {name: own for name, own in plain.items() if own[0].wrong > 0}
    return wrong, next((own for own in plain.values() if not own[0].wrong), [])


def farther_on_wrong_labels(courses: Sequence[Course]) -> Verdict:
    """Judges whether wrong labels lead farther from the start, on every kind of noise.

    Of each seed the logarithm of the ratio of both distances is averaged over the levels that all
    runs pass, and judged over seeds; Holm over the kinds of noise.
    """
    wrong, true = plain_runs(courses)
    logs: dict[str, list[float]] = {}
    texts = []
    for name, own in wrong.items():
        ours, theirs = distances(own), distances(true)
        shared = [level for level in ours if level in theirs] if true else []
        if not shared or len(own) < 2 or len(own) != len(true):
            texts.append(f"{name} not at any accuracy that all runs pass")
            continue
        each = np.log([np.divide(ours[level], theirs[level]) for level in shared]).mean(0)
        logs[name] = each.tolist()
        ratio = np.exp(mean_interval(logs[name], "seeds")[:3])
        texts.append(
            f"{name} {ratio[0]:.2f} times as far ({ratio[1]:.2f} to {ratio[2]:.2f}) at train "
            f"accuracy {shared[0]:g} to {shared[-1]:g}"
        )
    if not logs:
        need = f"Needs {PLAIN} on wrong and on true labels, with 2 seeds that pass an accuracy."
        return verdict(CLAIM, LI, None, need, NO_NUMBER, of_paper=False)
    found = f"Mean over {len(true)} seeds with its 95 % interval: {'; '.join(texts)}."
    return verdict(CLAIM, LI, _holds(logs, len(wrong)), found, NO_NUMBER, of_paper=False)


def _holds(logs: dict[str, list[float]], kinds: int) -> bool | None:
    """Says whether all ratios are above 1; None where seeds or accuracies do not tell."""
    if any(np.mean(values) <= 0 for values in logs.values()):
        return False
    sure = max(holm([p_above_0(values) for values in logs.values()])) <= SURE
    return True if sure and len(logs) == kinds else None


def distance_plot(courses: Sequence[Course]) -> list[Plot]:
    """Draws the distance from the start against train accuracy, for all kinds of labels."""
    wrong, true = plain_runs(courses)
    curves = []
    for name, own in [*wrong.items(), *([(true[0].name, true)] if true else [])]:
        found = distances(own)
        note = f"mean of {len(own)} seeds, band from least to most"
        if found:
            curves.append(seeds_curve(name, found, list(found.values()), note))
    if not curves:
        return []
    return [
        Plot(
            "distance_from_start",
            "Distance of the weights from their start, by train accuracy",
            "Plain training; where the accuracy on the labels that it trains on is first reached, "
            "interpolated between measured epochs.",
            "train accuracy",
            "distance of the weights from their start",
            curves,
        )
    ]
