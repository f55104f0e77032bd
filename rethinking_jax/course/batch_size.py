"""Gradient descent against SGD with small batches: loss against epochs and against time."""

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    by_key,
    curve,
    epochs_to_loss,
    less,
    note,
    over_epochs,
    over_seconds,
    seconds_per_epoch,
    told,
    unmeasured,
    up_to,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate

# The training loss at which times are compared: most batch sizes reach it.
REACHED = 0.1


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws the training loss against epochs, and against seconds of training."""
    found = by_key(results, "batch_size")
    size = results.summary["train_examples"]
    shortest = min(max(over_epochs(group, "train_loss")[0]) for group in found.values())

    def name(batch: int) -> str:
        if batch in (0, size):
            return translate("all {n} (gradient descent)", n=f"{size:,}")
        return translate("batch of {n}", n=batch)

    by_epoch, by_time = [], []
    for batch, group in found.items():
        first = up_to(over_epochs(group, "train_loss"), shortest)
        by_epoch.append(curve(name(batch), first, note(group, translate)))
        timed = over_seconds(group, "train_loss", size)
        by_time.append(curve(name(batch), timed, note(group, translate)))
    loss = translate("training loss")
    return [
        Plot("loss_against_epochs", translate("Loss against epochs, by batch size"),
             f"The first {shortest:g} epochs of every run.", translate("epochs"), loss, by_epoch,
             log="y"),
        Plot("loss_against_time", translate("Loss against time, by batch size"),
             "Seconds of training steps alone: compiling and measuring are left out.",
             translate("seconds of training"), loss, by_time, log="xy"),
    ]  # fmt: skip


def judge(results: Results) -> list[Verdict]:
    """Judges whether small batches need fewer epochs, and whether there is a trade-off in time."""
    found = by_key(results, "batch_size")
    size = results.summary["train_examples"]
    whole = found.get(0) or found.get(size)
    rest = [group for batch, group in found.items() if batch not in (0, size)]
    if whole is None or len(rest) < 2:
        return unmeasured(
            results,
            "gradient descent (batch_size 0) and at least two smaller batches",
            EPOCHS,
            TIME,
            TRADE_OFF,
        )
    return [_epochs(results, whole, rest), *_times(results, found)]


EPOCHS = "After the same number of epochs SGD has a lower loss than gradient descent."
TIME = "Against time, too, SGD is faster than gradient descent."
TRADE_OFF = "Against time the best batch is neither the smallest nor the whole training set."


def _epochs(results: Results, whole: Group, rest: list[Group]) -> Verdict:
    at = min(len(own) for group in (whole, *rest) for own in group.lines)

    def losses(group: Group) -> list[float]:
        return [float(own[at - 1]["train_loss"]) for own in group.lines]

    worst = max(rest, key=lambda group: float(np.mean(losses(group))))
    answer, found = less(losses(worst), losses(whole))
    text = (
        f"After {at} epochs gradient descent has loss {np.mean(losses(whole)):.4f}; of the "
        f"others batch {worst.config['batch_size']} has the highest, "
        f"{np.mean(losses(worst)):.4f}: {told(found)}"
    )
    return verdict(results, EPOCHS, answer, text)


def _times(results: Results, found: dict[int, Group]) -> list[Verdict]:
    size = results.summary["train_examples"]
    times = {
        batch or size: epochs_to_loss(group, REACHED) * seconds_per_epoch(group, size)
        for batch, group in found.items()
    }
    text = f"Seconds of training to loss {REACHED:g}: " + ", ".join(
        f"{'all' if batch == size else batch} "
        + (f"{seconds:.2f}" if np.isfinite(seconds) else "never")
        for batch, seconds in sorted(times.items())
    )
    best = min(times, key=lambda batch: times[batch])
    if not np.isfinite(times[best]):
        return unmeasured(results, f"a run that reaches training loss {REACHED:g}", TIME, TRADE_OFF)
    between = min(times) < best < max(times)
    return [
        verdict(results, TIME, outcome(times[best] < times[size]), text),
        verdict(results, TRADE_OFF, outcome(between), text),
    ]


LESSON = Lesson(plots, judge)
