"""The paper's claims as functions of one series: an outcome and a sentence with our numbers.

Nothing is taken from a config's name: what was not run is "not measured".
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.chance import after_noise, chance, is_chance, well_above
from rethinking_jax.analysis.fitted import fit_times, overfit_times, runs_fitted, threshold_text
from rethinking_jax.analysis.results import Group, Series
from rethinking_jax.corruption import SETTINGS
from rethinking_jax.workdir.metrics import text_of

YES, NO, NOT_MEASURED = "yes", "no", "not measured"

# The range of the time of random labels over that of true labels in Figure 1b: AlexNet needs 1.55
# times as long, Inception 3.6 times.
TIME_RATIO = (1.5, 3.6)
# The least rank correlation of what rises: it allows a tie or a swap of neighbours among 11 levels.
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
    """Returns the answer where runs are missing; `what` says which are needed."""
    return Judged(NOT_MEASURED, f"Needs {what}.", whole=True)


def outcome(true: bool) -> str:
    """Returns YES or NO."""
    return YES if true else NO


def words(setting: str) -> str:
    """Returns a setting's name as a reader is shown it."""
    return setting.replace("_", " ")


# Fitting ------------------------------------------------------------------------------


# On ImageNet the paper itself ends below 1.0; `regularizers.imagenet_random` judges that.
EXACT = "a data set that the paper fits exactly, not ImageNet"


def fitted_all(one: Series) -> Judged:
    """Judges whether every setting of the paper is fitted by every seed (Figure 1a)."""
    groups = [group for group in one.groups if _is_a_setting(group)]
    if len(groups) < 2:
        return missing("at least two settings")
    if one.dataset == paper.IMAGENET:
        return missing(EXACT)
    failed = [group_name(g) for g in groups if runs_fitted(one, g) < g.seeds]
    lowest = min(max(x["train_accuracy"] for x in own) for g in groups for own in g.lines)
    text = (
        f"{len(groups) - len(failed)} of {len(groups)} settings are fitted by every seed: "
        f"train accuracy {_thresholds(one, groups)}; the lowest that a run reaches is "
        f"{text_of(lowest)}"
    )
    return Judged(outcome(not failed), text + (f"; not: {', '.join(failed)}" if failed else ""))


def _is_a_setting(group: Group) -> bool:
    """Says whether its corruption is one of the paper's six settings."""
    return group.members[0]["corruption"] in SETTINGS


def _thresholds(one: Series, groups: Sequence[Group]) -> str:
    """Says from which train accuracy the groups count as fitted, and which where they differ."""
    names: dict[str, list[str]] = {}
    for group in groups:
        names.setdefault(threshold_text(one, group), []).append(group_name(group))
    if len(names) == 1:
        return f"at least {next(iter(names))}"
    return "; ".join(f"at least {text} on {', '.join(own)}" for text, own in names.items())


def fitted_random(one: Series) -> Judged:
    """Judges whether random labels are fitted by every seed (Table 1)."""
    group = one.of("random_labels")
    if group is None:
        return missing("runs on random labels")
    if one.dataset == paper.IMAGENET:
        return missing(EXACT)
    reached = runs_fitted(one, group)
    text = (
        f"{reached} of {group.seeds} runs reach train accuracy {threshold_text(one, group)}; "
        f"train accuracy at the end {over_seeds(group.values('train_accuracy'))}"
    )
    return Judged(outcome(reached == group.seeds), text)


# Generalizing -------------------------------------------------------------------------


def random_is_chance(one: Series) -> Judged:
    """Judges whether random labels test at 1/k, as near as `after_noise` allows (Table 1)."""
    group, independent = one.of("random_labels"), chance(one)
    if group is None:
        return missing("runs on random labels")
    if independent is None:
        return missing("the number of classes in summary.json")
    by_chance = after_noise(independent, group.test_accuracies())
    text = f"Test accuracy {over_seeds(group.test_accuracy())}; chance is {by_chance.told()}"
    return Judged(outcome(is_chance(group.test_accuracy(), by_chance)), text)


def true_generalizes(one: Series) -> Judged:
    """Judges whether true labels close a quarter of the gap from chance to 1 in test (Table 1)."""
    group, by_chance = one.of("true_labels"), chance(one)
    if group is None:
        return missing("runs on true labels")
    if by_chance is None:
        return missing("the number of classes in summary.json")
    measured, bound = float(np.mean(group.test_accuracy())), well_above(by_chance)
    text = (
        f"Test accuracy {over_seeds(group.test_accuracy())}; chance is {by_chance.mean:.4f}, "
        f"at least {bound:.4f} counts as well above it"
    )
    return Judged(outcome(measured >= bound), text)


def partial_between(one: Series) -> Judged:
    """Judges whether the label noise nearest 0.5 tests between its ends (Figure 1c)."""
    ends = one.of("random_labels"), one.of("true_labels")
    partial = [group for group in one.groups if group.setting == "partially_corrupted_labels"]
    if ends[0] is None or ends[1] is None or not partial:
        return missing("true labels, random labels and partially corrupted labels")
    group = min(partial, key=lambda group: abs(group.label_noise - 0.5))
    low, high = (float(np.mean(end.test_accuracy())) for end in ends if end)
    measured = float(np.mean(group.test_accuracy()))
    text = (
        f"Test accuracy on true labels {text_of(high)}, with label noise "
        f"{group.label_noise:g} {text_of(measured)}, on random labels {text_of(low)}"
    )
    return Judged(outcome(low < measured < high), text)


# Time ---------------------------------------------------------------------------------


# The settings of Figure 1a, in the order in which the paper's network fits them.
ORDERED = ("true_labels", "shuffled_pixels", "random_pixels", "gaussian", "random_labels")


EVERY_EPOCH = "runs that are measured after every epoch (measure_every=1)"


def _is_coarse(one: Series) -> bool:
    """Says whether times to fit are only known to several epochs."""
    return any(group.config.get("measure_every", 1) > 1 for group in one.groups)


def _in_order(one: Series, before: Sequence[str], after: Sequence[str]) -> Judged:
    """Judges whether every setting of `before` is fitted sooner than every one of `after`."""
    if _is_coarse(one):
        return missing(EVERY_EPOCH)
    groups = [group for setting in ORDERED if (group := one.of(setting)) is not None]
    times, measure = fit_times(groups)
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
    """Judges whether true labels are fitted before random labels (Figure 1a)."""
    return _in_order(one, ORDERED[:1], ORDERED[-1:])


def true_first(one: Series) -> Judged:
    """Judges whether true labels are fitted before all corrupted pixels (Figure 1a)."""
    return _in_order(one, ORDERED[:1], ORDERED[1:-1])


def random_last(one: Series) -> Judged:
    """Judges whether random labels are fitted after all corrupted pixels (Figure 1a)."""
    return _in_order(one, ORDERED[1:-1], ORDERED[-1:])


def time_ratio(one: Series) -> Judged:
    """Judges whether the ratio at label noise 1 is one of the paper's models (Figure 1b)."""
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
    """Returns Spearman's correlation; ties share their mean rank; 0 where all of one are equal."""
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
    """Judges whether the time to fit rises with the level of label noise (Figure 1b)."""
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
    """Judges whether the test error rises with label noise and ends at 1 - 1/k (Figure 1c)."""
    groups, by_chance = one.by_label_noise(), chance(one)
    if len(groups) < 3 or groups[-1].label_noise != 1.0:
        return missing("at least three levels of label noise, 1.0 among them")
    if by_chance is None:
        return missing("the number of classes in summary.json")
    corrupted = [group.corrupted_test_accuracy() for group in groups]
    true = None in corrupted
    measured = [
        group.test_accuracy() if own is None or true else own
        for own, group in zip(corrupted, groups, strict=True)
    ]
    by_chance = after_noise(by_chance, groups[-1].test_accuracies(true))
    errors = [1 - float(np.mean(values)) for values in measured]
    correlation = rank_correlation([group.label_noise for group in groups], errors)
    labels = "true test labels" if true else "equally corrupted test labels"
    text = (
        f"Test error from {text_of(errors[0])} at label noise {groups[0].label_noise:g} to "
        f"{text_of(errors[-1])} at 1, against {labels}; chance is {by_chance.told(error=True)}; "
        f"rank correlation {correlation:.2f}"
    )
    at_chance = is_chance(measured[-1], by_chance)
    return Judged(outcome(correlation >= RISING and at_chance), text)


# Words ----------------------------------------------------------------------------------


def group_name(group: Group) -> str:
    """Returns a group's name as a reader is shown it: its setting, or its level of label noise."""
    if group.setting == "partially_corrupted_labels":
        return f"label noise {group.label_noise:g}"
    if not _is_a_setting(group) and 0 < group.label_noise < 1:
        return f"{words(group.setting)}, label noise {group.label_noise:.3g}"
    return words(group.setting)


def over_seeds(values: Sequence[float]) -> str:
    """Returns the mean of accuracies and their extremes, such as "0.1034 (0.0990 to 0.1070)"."""
    low, high = min(values), max(values)
    text = text_of(np.mean(values))
    return text if low == high else f"{text} ({text_of(low)} to {text_of(high)})"
