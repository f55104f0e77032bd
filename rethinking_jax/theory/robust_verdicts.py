"""What the papers on wrong labels say, held against the runs; each claim can be "no"."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import Difference, holm, mean_interval, p_above_0, paired
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.robust_distance import farther_on_wrong_labels
from rethinking_jax.theory.robust_methods import PLAIN
from rethinking_jax.theory.robust_results import Course, by_setting

GENERALIZED = "generalized_cross_entropy"
PAIR = "pair_flip"
LIU, TABLE_1 = "Liu et al. 2020", "Liu et al. 2020, Table 1"
METHODS_OWN = "the papers of the methods"
GIVEN, SYMMETRIC = "given_labels", "partially_corrupted_labels"
SAME_RATE = 0.02  # shares of wrong labels that differ by no more count as the same rate
HALF = 0.5  # the share of the wrong labels that is memorized, whose time is compared
SURE = 0.05  # adjusted p-values up to this are no chance
OURS = "not a claim of a paper"
NO_NUMBER = "Signs only: data, networks and strengths differ from theirs."


def verdicts(courses: Sequence[Course]) -> list[Verdict]:
    """Returns the claims of Liu et al. (2020) and of the methods' papers, held against the runs."""
    noisy = {
        name: methods
        for name, methods in by_setting(courses).items()
        if next(iter(methods.values()))[0].wrong > 0
    }
    return [
        memorizing_costs(noisy),
        early_learning_comes_first(noisy),
        methods_help(noisy),
        memorized_less(noisy),
        generalized_loses_on_pairs(noisy),
        better_than_stopping(noisy),
        people_are_memorized_earlier(noisy),
        farther_on_wrong_labels(courses),
    ]


def _said(claim: str, place: str, true: bool | None, ours: str, paper: str = NO_NUMBER) -> Verdict:
    return verdict(claim, place, true, ours, paper, of_paper=False)


def _told(found: Difference) -> str:
    return f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def _seeds(methods: dict[str, list[Course]]) -> int:
    return len(next(iter(methods.values())))


def memorizing_costs(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether plain training ends below its best, on every kind of noise."""
    claim = "Plain training ends below its best test accuracy: to memorize wrong labels costs."
    plain = {name: own[PLAIN] for name, own in noisy.items() if PLAIN in own}
    if not plain or min(map(_seeds, noisy.values())) < 2:
        return _said(claim, LIU, None, f"Needs {PLAIN} on wrong labels, with at least 2 seeds.")
    lost = {name: [one.best - one.last for one in own] for name, own in plain.items()}
    p_values = holm([p_above_0(values) for values in lost.values()])
    texts = [f"{name} {_told(mean_interval(values, 'seeds'))}" for name, values in lost.items()]
    return _said(
        claim,
        LIU,
        max(p_values) <= SURE,
        f"Best less last, mean over seeds with its 95 % interval: {'; '.join(texts)}.",
    )


def early_learning_comes_first(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether wrong labels are corrected at first and memorized in the end, in every run."""
    claim = (
        "At first plain training gives wrongly labelled examples their true class; in the end more "
        "of them are memorized than that."
    )
    runs = [one for own in noisy.values() for one in own.get(PLAIN, [])]
    if not runs:
        return _said(claim, LIU, None, f"Needs {PLAIN} on wrong labels.")
    holds = [
        max(one.corrected) > one.corrected[-1]
        and max(one.corrected) > one.memorized[int(np.argmax(one.corrected))]
        and one.memorized[-1] > one.corrected[-1]
        for one in runs
    ]
    texts = [
        f"{name}: given their true class {np.mean([max(one.corrected) for one in own[PLAIN]]):.4f} "
        f"at most and {np.mean([one.corrected[-1] for one in own[PLAIN]]):.4f} at the end, "
        f"memorized {np.mean([one.memorized[-1] for one in own[PLAIN]]):.4f}"
        for name, own in noisy.items()
        if PLAIN in own
    ]
    return _said(
        claim,
        LIU,
        all(holds),
        f"{sum(holds)} of {len(runs)} runs. {'; '.join(texts)}.",
    )


def _gains(noisy: dict[str, dict[str, list[Course]]], key: str) -> dict[str, list[float]]:
    """Returns by method and noise how much less or more it has than plain training, by seed."""
    return {
        f"{method} on {name}": [
            getattr(one, key) - getattr(base, key)
            for one, base in zip(own, methods[PLAIN], strict=True)
        ]
        for name, methods in noisy.items()
        if PLAIN in methods
        for method, own in methods.items()
        if method != PLAIN
    }


def methods_help(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether each method ends above plain training on some noise; Holm over all."""
    claim = "Every method ends above plain training on at least one kind of noise."
    gains = _gains(noisy, "last")
    if not gains or min(len(values) for values in gains.values()) < 2:
        return _said(
            claim,
            METHODS_OWN,
            None,
            f"Needs {PLAIN} and another method, with at least 2 seeds.",
        )
    adjusted = dict(zip(gains, holm([p_above_0(own) for own in gains.values()]), strict=True))
    helps = {name for name, p in adjusted.items() if p <= SURE}
    tried = list(dict.fromkeys(name.partition(" on ")[0] for name in gains))
    without = [name for name in tried if not any(one.startswith(f"{name} on ") for one in helps)]
    texts = [f"{name} {np.mean(gains[name]):+.4f}" for name in gains if name in helps]
    return _said(
        claim,
        METHODS_OWN,
        not without,
        f"Surely above (Holm over {len(gains)} comparisons): {'; '.join(texts) or 'none'}. "
        f"On no kind of noise: {', '.join(without) or 'none'}.",
    )


def memorized_less(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether what ends above plain training also memorizes fewer wrong labels."""
    claim = "Where a method ends above plain training it memorizes fewer wrong labels."
    gains = _gains(noisy, "last")
    if not gains:
        return _said(claim, METHODS_OWN, None, f"Needs {PLAIN} and another method.")
    memory = {
        f"{method} on {name}": float(
            np.mean([one.memorized[-1] for one in own])
            - np.mean([one.memorized[-1] for one in methods[PLAIN]])
        )
        for name, methods in noisy.items()
        if PLAIN in methods
        for method, own in methods.items()
    }
    better = [name for name, values in gains.items() if min(values) > 0]
    if not better:
        return _said(
            claim,
            METHODS_OWN,
            None,
            "No method ends above plain training with every seed.",
        )
    against = [name for name in better if memory[name] >= 0]
    return _said(
        claim,
        METHODS_OWN,
        not against,
        f"{len(better)} of {len(gains)} end above it with every seed; of these "
        f"{', '.join(against) or 'none'} memorize as many or more.",
    )


def generalized_loses_on_pairs(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether generalized cross-entropy is no help where classes are confused in pairs."""
    claim = (
        "Where labels become the next class, generalized cross-entropy ends below plain training."
    )
    found = [
        (own[GENERALIZED], own[PLAIN])
        for own in noisy.values()
        if {GENERALIZED, PLAIN} <= own.keys() and own[PLAIN][0].corruption == PAIR
    ]
    if not found or len(found[0][0]) < 2:
        return _said(
            claim,
            TABLE_1,
            None,
            f"Needs {GENERALIZED}, {PLAIN} and {PAIR}, 2 seeds or more.",
        )
    ours, plain = found[0]
    apart = paired([one.last for one in ours], [one.last for one in plain])
    return _said(
        claim,
        TABLE_1,
        apart.high < 0,
        f"Test accuracy at the end, less that of plain training: {_told(apart)} over {len(ours)} "
        "seeds.",
        "ResNet-34 on CIFAR-10, 40 % of the labels of similar classes: 76.74 and 80.11 (Liu et al. "
        "2020, Table 1, after one translation).",
    )


def better_than_stopping(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether some method is surely better than plain training stopped early."""
    claim = (
        "On every kind of noise some method ends above plain training that is stopped early on "
        "noisy held-out labels."
    )
    gains: dict[str, list[float]] = {}
    for name, methods in noisy.items():
        for method, own in methods.items():
            if PLAIN in methods and method != PLAIN:
                gains[f"{name}: {method}"] = [
                    one.last - base.early for one, base in zip(own, methods[PLAIN], strict=True)
                ]
    if not gains or min(len(values) for values in gains.values()) < 2:
        return _said(claim, OURS, None, f"Needs {PLAIN} and another method, with at least 2 seeds.")
    adjusted = dict(zip(gains, holm([p_above_0(own) for own in gains.values()]), strict=True))
    sure = {key.partition(": ")[0] for key, p in adjusted.items() if p <= SURE}
    names = list(dict.fromkeys(key.partition(": ")[0] for key in gains))
    texts = []
    for name in names:
        best = max(
            (key for key in gains if key.startswith(f"{name}: ")), key=lambda k: np.mean(gains[k])
        )
        texts.append(f"{best} {_told(mean_interval(gains[best], 'seeds'))}")
    return _said(
        claim,
        OURS,
        all(name in sure for name in names),
        f"The best method less plain training stopped early: {'; '.join(texts)}. Surely above "
        f"(Holm over {len(gains)}): {', '.join(sorted(sure)) or 'none'}.",
    )


def people_are_memorized_earlier(noisy: dict[str, dict[str, list[Course]]]) -> Verdict:
    """Judges whether the errors of people are memorized before random ones of the same rate."""
    claim = (
        "Wrong labels that people gave are memorized earlier than as many that are drawn at random."
    )
    plain = {name: own[PLAIN] for name, own in noisy.items() if PLAIN in own}
    pairs = [
        (name, other)
        for name, given in plain.items()
        for other, drawn in plain.items()
        if given[0].corruption == GIVEN
        and drawn[0].corruption == SYMMETRIC
        and abs(given[0].wrong - drawn[0].wrong) <= SAME_RATE
    ]
    if not pairs or len(plain[pairs[0][0]]) < 2:
        return _said(
            claim,
            OURS,
            None,
            f"Needs {PLAIN} on given labels, and on labels drawn at random of which as many are "
            f"wrong (within {SAME_RATE}), with at least 2 seeds.",
        )
    name, other = pairs[0]
    times = [[_time_to_memorize(one) for one in plain[each]] for each in (name, other)]
    known = [(a, b) for a, b in zip(*times, strict=True) if a is not None and b is not None]
    if len(known) < len(times[0]):
        never = [each for each, own in zip((name, other), times, strict=True) if None in own]
        return _said(
            claim,
            OURS,
            True if never == [other] else False if never == [name] else None,
            f"Half of the wrong labels of {' and '.join(never)} are not memorized by every run.",
        )
    apart = paired([b for _, b in known], [a for a, _ in known])
    return _said(
        claim,
        OURS,
        apart.low > 0,
        f"Half of the wrong labels are memorized after {np.mean([a for a, _ in known]):.1f} epochs "
        f"({name}) and {np.mean([b for _, b in known]):.1f} ({other}); the difference is "
        f"{apart.value:.1f} ({apart.low:.1f} to {apart.high:.1f}, 95 % over {len(known)} seeds).",
    )


def _time_to_memorize(one: Course) -> int | None:
    """Returns the first measured epoch with half of the wrong labels memorized, or None."""
    return next(
        (e for e, share in zip(one.epochs, one.memorized, strict=True) if share >= HALF), None
    )
