"""Which networks have fitted their training set, and how long that took."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.results import LABEL_SETTINGS, Group, Results, Series
from rethinking_jax.workdir.metrics import outcome, text_of

# The paper prints 100.0 percent where at least 99.95 are right. So accuracies are compared as
# printed, to a tenth of a percent: to this many digits, which half a step more is rounded up to.
PRINTED, HALF_STEP = 3, 0.0005
# The training loss below which Figure 1a counts as fitted, and the one that the paper probably
# meant in Figure 1b.
FITTED_LOSS = 0.1
OVERFIT_LOSS = 0.05
# The train accuracies by which times are compared, the highest that all runs reach: a few
# near-duplicates with different random labels keep whole runs below the first.
LEVELS = (1.0, 0.9995, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9)


def least(printed: float) -> float:
    """Returns the least train accuracy that is printed as this one or a higher one."""
    return round(round(printed, PRINTED) - HALF_STEP, PRINTED + 1)


def papers(one: Series, group: Group) -> float | None:
    """Returns the paper's train accuracy of such runs on the same data; None where it has none.

    Of labels that are partly random it has none in a table: those that all are stand for them.
    """
    if (one.dataset, one.train_examples) != (paper.DATASET, paper.TRAIN_EXAMPLES[paper.DATASET]):
        return None
    partly = group.setting in LABEL_SETTINGS and group.label_noise > 0
    setting = "random_labels" if partly else group.setting
    return paper.train_accuracy(one.model, setting, group.regularizers, group.augmentation)


def threshold(one: Series, group: Group) -> float:
    """Returns the train accuracy from which a group's runs count as fitted in a verdict.

    It is what the report was asked for; else what is printed as the paper's own number for these
    runs, or as 1 where it has none. Runs that were told to stop sooner are not asked for more.
    """
    if group.fit_threshold is not None:
        return group.fit_threshold
    theirs = papers(one, group)
    asked: float = group.config.get("fit_threshold", 1.0)
    return min(asked, least(1.0 if theirs is None else theirs))


def threshold_text(one: Series, group: Group) -> str:
    """Returns the threshold as a reader is shown it, with where it comes from."""
    value, theirs = threshold(one, group), papers(one, group) or 1.0
    if value != least(theirs):
        return f"{value:g}"
    like = f" like the paper's {text_of(theirs)}" if theirs < 1 else ""
    return f"{value:g} (printed as {100 * round(theirs, PRINTED):.1f} %{like})"


def runs_fitted(one: Series, group: Group) -> int:
    """Returns how many runs of a group reach its threshold in some epoch."""
    return sum(steps is not None for steps in group.to_accuracy(threshold(one, group)))


def judged_at(results: Results, threshold: float) -> Results:
    """Returns results as they are where this train accuracy counts as fitted, in all that is shown.

    Nothing is trained for it: metrics.jsonl says when it was reached.
    """
    times = ("epochs_to_fit", "steps_to_fit")
    members = []
    for member in results.summary["members"]:
        lines = results.lines[member["name"]]  # none where a run is not begun
        found = outcome(lines, threshold) if lines else {}
        members.append({**member, **{key: found[key] for key in times if lines}})
    summary = {**results.summary, "members": members}
    return results._replace(summary=summary, fit_threshold=threshold)


# Time -----------------------------------------------------------------------------------


# The mean steps of each group, None where a seed did not get there, and what was reached.
Times = tuple[list[float | None], str]


def common_level(groups: Sequence[Group]) -> float:
    """Returns the highest train accuracy that all runs of all groups reach.

    It is one of `LEVELS` or a config's own threshold, or what the report was asked for. Where some
    run reaches none of them it is what is printed as 1.
    """
    asked = [group.fit_threshold for group in groups if group.fit_threshold is not None]
    if asked:
        return asked[0]
    reached = min(
        max(line["train_accuracy"] for line in own) for group in groups for own in group.lines
    )
    levels: set[float] = {*LEVELS, *(group.config.get("fit_threshold", 1.0) for group in groups)}
    return max((level for level in levels if level <= reached), default=least(1.0))


def fit_times(groups: Sequence[Group]) -> Times:
    """Returns the steps to the loss of Figure 1a."""
    return _times(groups, "train_loss", FITTED_LOSS, f"training loss {FITTED_LOSS}")


def overfit_times(groups: Sequence[Group]) -> Times:
    """Returns the steps to what the paper probably meant in Figure 1b."""
    reached = f"a mean training loss of {OVERFIT_LOSS} within an epoch"
    return _times(groups, "running_loss", OVERFIT_LOSS, reached)


def _times(groups: Sequence[Group], key: str, bound: float, reached: str) -> Times:
    """Returns the steps to a loss, or to a train accuracy where some group does not reach that."""
    by_loss = [mean(group.steps_to_loss(key, bound)) for group in groups]
    if None not in by_loss:
        return by_loss, f"steps to {reached}"
    level = common_level(groups)
    which = "" if level == 1 else ", the highest level that all runs reach"
    by_accuracy = [mean(group.to_accuracy(level)) for group in groups]
    if None in by_accuracy or groups[0].fit_threshold is not None:
        which = ""
    return by_accuracy, f"steps to fit by train accuracy {level:g}{which}"


def mean(values: Sequence[float | None]) -> float | None:
    """Returns the mean over seeds; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
