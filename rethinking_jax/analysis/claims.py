"""The paper's claims as functions of one series: an outcome and a sentence with our numbers.

Nothing is taken from a config's name: what was not run is "not measured".
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.results import Group, Series

YES, NO, NOT_MEASURED = "yes", "no", "not measured"

# Loss below which Figure 1a counts as fitted here, and the paper's likely measure of 1b.
FITTED_LOSS = 0.1
OVERFIT_LOSS = 0.05
# Time of random labels over time of true labels in Figure 1b: AlexNet 1.55, Inception 3.6.
TIME_RATIO = (1.5, 3.6)
# A rank correlation that allows a tie or a swap of neighbours among 11 levels.
RISING = 0.9


class Judged(NamedTuple):
    """What runs say of a claim.

    Attributes:
      outcome: YES, NO or NOT_MEASURED.
      text: our numbers, or what is missing.
      whole: whether the text is a sentence by itself, without a word on what its numbers are of.
    """

    outcome: str
    text: str
    whole: bool = False


def missing(what: str) -> Judged:
    """What to answer where runs are not there."""
    return Judged(NOT_MEASURED, f"Needs {what}.", whole=True)


def outcome(true: bool) -> str:
    """The name of a truth value."""
    return YES if true else NO


def words(setting: str) -> str:
    """A setting's name for a reader."""
    return setting.replace("_", " ")


def mean(values: Sequence[float | None]) -> float | None:
    """The mean over seeds; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


# Fitting ------------------------------------------------------------------------------


# On ImageNet the paper itself ends below 1.0; `regularizers.imagenet_random` judges that.
EXACT = "a data set that the paper fits exactly, not ImageNet"


def _fits(group: Group) -> bool:
    return all(steps is not None for steps in group.steps_to_fit())


def fitted_all(one: Series) -> Judged:
    """Figure 1a: every setting reaches the threshold with every seed."""
    if len(one.groups) < 2:
        return missing("at least two settings")
    if one.dataset == paper.IMAGENET:
        return missing(EXACT)
    failed = [label(group) for group in one.groups if not _fits(group)]
    threshold = one.groups[0].config.get("fit_threshold", 1.0)
    text = (
        f"{len(one.groups) - len(failed)} of {len(one.groups)} settings reach train accuracy "
        f"{threshold:g} with every seed"
    )
    return Judged(outcome(not failed), text + (f"; not: {', '.join(failed)}" if failed else ""))


def fitted_random(one: Series) -> Judged:
    """Table 1: so do random labels."""
    group = one.of("random_labels")
    if group is None:
        return missing("runs on random labels")
    if one.dataset == paper.IMAGENET:
        return missing(EXACT)
    threshold = group.config.get("fit_threshold", 1.0)
    reached = sum(steps is not None for steps in group.steps_to_fit())
    text = (
        f"{reached} of {group.seeds} runs reach train accuracy {threshold:g}; "
        f"train accuracy at the end {span(group.values('train_accuracy'))}"
    )
    return Judged(outcome(_fits(group)), text)


# Generalizing -------------------------------------------------------------------------


def chance(one: Series) -> tuple[float, float] | None:
    """Accuracy by chance, 1/k, and the binomial standard deviation on the test set."""
    if not one.num_classes or not one.test_examples:
        return None
    p = 1 / one.num_classes
    return p, math.sqrt(p * (1 - p) / one.test_examples)


def random_is_chance(one: Series) -> Judged:
    """Table 1: test accuracy after random labels is 1/k within three standard deviations."""
    group, by_chance = one.of("random_labels"), chance(one)
    if group is None:
        return missing("runs on random labels")
    if by_chance is None:
        return missing("the number of classes in summary.json")
    p, deviation = by_chance
    # Seeds share the test images: their mean has no smaller deviation to rely on.
    measured = float(np.mean(group.test_accuracy()))
    text = (
        f"Test accuracy {span(group.test_accuracy())}; chance is {p:.4f}, and "
        f"{one.test_examples:,} test examples allow ±{3 * deviation:.4f}, three standard deviations"
    )
    return Judged(outcome(abs(measured - p) <= 3 * deviation), text)


def true_generalizes(one: Series) -> Judged:
    """Table 1: test accuracy after true labels closes a quarter of the gap from chance to 1."""
    group, by_chance = one.of("true_labels"), chance(one)
    if group is None:
        return missing("runs on true labels")
    if by_chance is None:
        return missing("the number of classes in summary.json")
    p, deviation = by_chance
    measured = float(np.mean(group.test_accuracy()))
    bound = max(p + (1 - p) / 4, p + 3 * deviation)
    text = (
        f"Test accuracy {span(group.test_accuracy())}; chance is {p:.4f}, "
        f"at least {bound:.4f} counts as well above it"
    )
    return Judged(outcome(measured >= bound), text)


def partial_between(one: Series) -> Judged:
    """Figure 1c: the level of label noise nearest 0.5 tests between its ends."""
    ends = one.of("random_labels"), one.of("true_labels")
    partial = [group for group in one.groups if group.setting == "partially_corrupted_labels"]
    if ends[0] is None or ends[1] is None or not partial:
        return missing("true labels, random labels and partially corrupted labels")
    group = min(partial, key=lambda group: abs(group.label_noise - 0.5))
    low, high = (float(np.mean(end.test_accuracy())) for end in ends if end)
    measured = float(np.mean(group.test_accuracy()))
    text = (
        f"Test accuracy on true labels {high:.4f}, with label noise {group.label_noise:g} "
        f"{measured:.4f}, on random labels {low:.4f}"
    )
    return Judged(outcome(low < measured < high), text)


# Time ---------------------------------------------------------------------------------


def _order_times(groups: Sequence[Group]) -> tuple[list[float | None], str]:
    """Mean steps of each group by loss, as in Figure 1a, or by accuracy; and which it was."""
    by_loss = [mean(group.steps_to_loss("train_loss", FITTED_LOSS)) for group in groups]
    if None not in by_loss:
        return by_loss, f"steps to training loss {FITTED_LOSS}"
    return [mean(group.steps_to_fit()) for group in groups], "steps to fit by train accuracy"


def overfit_times(groups: Sequence[Group]) -> tuple[list[float | None], str]:
    """Mean steps of each group by the paper's likely measure of 1b, or by accuracy."""
    by_loss = [mean(group.steps_to_loss("running_loss", OVERFIT_LOSS)) for group in groups]
    if None not in by_loss:
        return by_loss, f"steps to a mean training loss of {OVERFIT_LOSS} within an epoch"
    return [mean(group.steps_to_fit()) for group in groups], "steps to fit by train accuracy"


# The settings of Figure 1a.
ORDERED = ("true_labels", "shuffled_pixels", "random_pixels", "gaussian", "random_labels")


EVERY_EPOCH = "runs that are measured after every epoch (measure_every=1)"


def _is_coarse(one: Series) -> bool:
    """Whether times to fit are known to several epochs only."""
    return any(group.config.get("measure_every", 1) > 1 for group in one.groups)


def _in_order(one: Series, before: Sequence[str], after: Sequence[str]) -> Judged:
    """Whether every setting of `before` is fitted sooner than every one of `after`."""
    if _is_coarse(one):
        return missing(EVERY_EPOCH)
    groups = [group for setting in ORDERED if (group := one.of(setting)) is not None]
    times, measure = _order_times(groups)
    of = {group.setting: time for group, time in zip(groups, times, strict=True)}
    early = [setting for setting in before if setting in of]
    late = [setting for setting in after if setting in of]
    if not early or not late:
        return missing(f"{' or '.join(map(words, before))}, and {' or '.join(map(words, after))}")
    text = f"{measure[0].upper()}{measure[1:]}: " + ", ".join(
        f"{words(s)} {'never' if of[s] is None else f'{of[s]:,.0f}'}" for s in (*early, *late)
    )
    bounds = [time for setting in early if (time := of[setting]) is not None]
    if len(bounds) < len(early):
        never = f"{text}: what was never fitted has no place in the order."
        return Judged(NOT_MEASURED, never, whole=True)
    # What was never fitted in all its epochs came later than what was.
    later = [time for setting in late if (time := of[setting]) is not None]
    return Judged(outcome(all(time > max(bounds) for time in later)), text)


def true_before_random(one: Series) -> Judged:
    """Figure 1a: true labels are fitted before random labels."""
    return _in_order(one, ORDERED[:1], ORDERED[-1:])


def true_first(one: Series) -> Judged:
    """Figure 1a: true labels are fitted before shuffled, random and Gaussian pixels."""
    return _in_order(one, ORDERED[:1], ORDERED[1:-1])


def random_last(one: Series) -> Judged:
    """Figure 1a: random labels are fitted after shuffled, random and Gaussian pixels."""
    return _in_order(one, ORDERED[1:-1], ORDERED[-1:])


def time_ratio(one: Series) -> Judged:
    """Figure 1b at label noise 1: the ratio lies in the range of the paper's models."""
    groups = [g for g in (one.of("true_labels"), one.of("random_labels")) if g is not None]
    if len(groups) < 2:
        return missing("runs on true labels and on random labels")
    if _is_coarse(one):
        return missing(EVERY_EPOCH)
    (true, random), measure = overfit_times(groups)
    if true is None or random is None:
        return missing("true and random labels that are both fitted by every seed")
    low, high = TIME_RATIO
    text = f"{random / true:.2f} times as long: {random:,.0f} against {true:,.0f} {measure}"
    return Judged(outcome(low <= random / true <= high), text)


# Label noise --------------------------------------------------------------------------


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's: of the ranks, ties sharing their mean rank; 0 where all of one are equal."""
    ranks = np.array(
        [
            [sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values]
            for values in (x, y)
        ]
    )
    spread = ranks - ranks.mean(1, keepdims=True)
    scale = math.sqrt((spread**2).sum(1).prod())
    return float(spread.prod(0).sum() / scale) if scale else 0.0


def time_grows(one: Series) -> Judged:
    """Figure 1b: time to fit rises with the level of label noise."""
    groups = one.by_label_noise()
    if len(groups) < 3:
        return missing("at least three levels of label noise")
    if _is_coarse(one):
        return missing(EVERY_EPOCH)
    times, measure = overfit_times(groups)
    fitted = [(g.label_noise, t) for g, t in zip(groups, times, strict=True) if t is not None]
    if len(fitted) < 3:
        return missing("at least three levels of label noise that every seed fits")
    levels, reached = zip(*fitted, strict=True)
    correlation = rank_correlation(levels, reached)
    text = (
        f"From {reached[0]:,.0f} at label noise {levels[0]:g} to {reached[-1]:,.0f} at "
        f"{levels[-1]:g} ({measure}); rank correlation {correlation:.2f} over {len(levels)} levels"
    )
    never = [f"{g.label_noise:g}" for g, t in zip(groups, times, strict=True) if t is None]
    text += f"; not fitted by every seed at {', '.join(never)}" if never else ""
    return Judged(outcome(correlation >= RISING), text)


def error_rises(one: Series) -> Judged:
    """Figure 1c: test error rises with label noise and ends at 1 - 1/k."""
    groups, by_chance = one.by_label_noise(), chance(one)
    if len(groups) < 3 or groups[-1].label_noise != 1.0:
        return missing("at least three levels of label noise, 1.0 among them")
    if by_chance is None:
        return missing("the number of classes in summary.json")
    p, deviation = by_chance
    corrupted = [group.corrupted_test_accuracy() for group in groups]
    measured = [
        own if own is not None and None not in corrupted else group.test_accuracy()
        for own, group in zip(corrupted, groups, strict=True)
    ]
    errors = [1 - float(np.mean(values)) for values in measured]
    correlation = rank_correlation([group.label_noise for group in groups], errors)
    text = (
        f"Test error from {errors[0]:.4f} at label noise {groups[0].label_noise:g} to "
        f"{errors[-1]:.4f} at 1 (chance {1 - p:.4f} ± {3 * deviation:.4f}), against "
        f"{'true' if None in corrupted else 'equally corrupted'} test labels; "
        f"rank correlation {correlation:.2f}"
    )
    at_chance = abs(errors[-1] - (1 - p)) <= 3 * deviation
    return Judged(outcome(correlation >= RISING and at_chance), text)


# Print ----------------------------------------------------------------------------------


def label(group: Group) -> str:
    """A group's name for a reader: its setting, or its level of label noise."""
    if group.setting == "partially_corrupted_labels":
        return f"label noise {group.label_noise:g}"
    return words(group.setting)


def span(values: Sequence[float]) -> str:
    """Such as "0.1034" or "0.1034 (0.0990 to 0.1070)"."""
    least, most = min(values), max(values)
    text = f"{np.mean(values):.4f}"
    return text if least == most else f"{text} ({least:.4f} to {most:.4f})"
