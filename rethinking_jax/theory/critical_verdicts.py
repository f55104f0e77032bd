"""What Arpit et al. (2017) say of critical samples, held against the runs; each can be "no"."""

from collections.abc import Mapping, Sequence

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import holm, mean_interval, p_above_0
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.critical_results import Course, by_setting, is_true, true_of

PLACE = "Arpit et al. 2017, section 4, Figures 7 to 9"
SIGNS = "Figures without numbers: signs only. Data and networks differ from theirs."
SURE = 0.05  # adjusted p-values up to this are no chance
# Where every setting has a share nearer to 0, or to 1, than this, the box tells nothing apart.
APART = 0.01

LABELS = "Networks that fit wrong labels have more critical samples than on true labels."
IMAGES = "Networks that fit noise images have more critical samples than on true images."
MOST = "The most label noise has the most critical samples."
GROWS = "Critical samples become more while a network trains, in every setting."


def verdicts(courses: Sequence[Course]) -> list[Verdict]:
    """Returns what is claimed, held against the runs at the first radius."""
    radius = next(iter(courses[0].found))
    settings = by_setting(courses)
    true = true_of(courses)
    noisy = [own for own in settings.values() if own[0].label_noise > 0]
    images = [own for own in settings.values() if not own[0].label_noise and not is_true(own[0])]
    if told := _tells_nothing(settings, radius):
        return [_said(claim, NOT_MEASURED, told) for claim in (LABELS, IMAGES, MOST, GROWS)]
    return [
        _judged(LABELS, _more(noisy, true, radius), radius, "true labels, and some label noise"),
        _judged(IMAGES, _more(images, true, radius), radius, "true labels, and images of noise"),
        _judged(MOST, _over_less_noise(noisy, true, radius), radius, "two levels of label noise"),
        _judged(GROWS, _growth(settings, radius), radius, "two measured epochs"),
    ]


def _tells_nothing(settings: Mapping[str, Sequence[Course]], radius: float) -> str:
    """Says why nothing can be told at a radius; "" where something can."""
    last = [one.ratio(radius)[-1] for own in settings.values() for one in own]
    if max(last) < APART:
        return (
            f"In the box of radius {radius:g} at most {max(last):.4f} are critical: take a larger "
            "config.radius."
        )
    if min(last) > 1 - APART:
        return (
            f"In the box of radius {radius:g} at least {min(last):.4f} are critical: take a "
            "smaller config.radius."
        )
    return ""


def _more(
    own: Sequence[Sequence[Course]], true: Sequence[Course], radius: float
) -> dict[str, list[float]]:
    """Returns by setting how many more are critical than on true labels, for each seed."""
    return {
        runs[0].name: [
            one.ratio(radius)[-1] - base.ratio(radius)[-1]
            for one, base in zip(runs, true, strict=True)
        ]
        for runs in own
        if true
    }


def _over_less_noise(
    noisy: Sequence[Sequence[Course]], true: Sequence[Course], radius: float
) -> dict[str, list[float]]:
    """Returns how many more are critical with the most noise than with each other level."""
    levels = sorted([*noisy, *([true] if true else [])], key=lambda own: own[0].label_noise)
    if len(levels) < 2:
        return {}
    most = levels[-1]
    return {
        f"{most[0].name} less {less[0].name}": [
            a.ratio(radius)[-1] - b.ratio(radius)[-1] for a, b in zip(most, less, strict=True)
        ]
        for less in levels[:-1]
    }


def _growth(settings: Mapping[str, Sequence[Course]], radius: float) -> dict[str, list[float]]:
    """Returns by setting how many more are critical at the end than at first, for each seed."""
    return {
        name: [one.ratio(radius)[-1] - one.ratio(radius)[0] for one in own]
        for name, own in settings.items()
        if len(own[0].epochs) > 1
    }


def _judged(claim: str, found: Mapping[str, Sequence[float]], radius: float, need: str) -> Verdict:
    """Judges whether all of some differences are above 0, by Holm.

    It is "no" where one is not above 0 on average, and not measured where all are, but not surely.
    """
    if not found or min(len(values) for values in found.values()) < 2:
        return _said(claim, NOT_MEASURED, f"Needs {need}, with 2 seeds or more.")
    adjusted = holm([p_above_0(values) for values in found.values()])
    means = {name: mean_interval(values, "seeds") for name, values in found.items()}
    outcome = (
        YES
        if max(adjusted) <= SURE
        else NO
        if min(mean.value for mean in means.values()) <= 0
        else NOT_MEASURED
    )
    texts = [
        f"{name} {mean.value:+.4f} ({mean.low:+.4f} to {mean.high:+.4f})"
        for name, mean in means.items()
    ]
    seeds = len(next(iter(found.values())))
    return _said(
        claim,
        outcome,
        f"Differences of the share at radius {radius:g}, with 95 % intervals over {seeds} seeds: "
        f"{'; '.join(texts)}. Largest p by Holm: {max(adjusted):.2g}.",
    )


def _said(claim: str, outcome: str, ours: str) -> Verdict:
    true = {YES: True, NO: False, NOT_MEASURED: None}[outcome]
    return verdict(claim, PLACE, true, ours, SIGNS, of_paper=False)
