"""Early learning: a network gives wrong labels their true class first, and memorizes them later."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.intervals import Difference, mean_interval
from rethinking_jax.analysis.lesson import (
    Lesson,
    all_above_0,
    curve,
    groups_of,
    note,
    over_epochs,
    unmeasured,
    verdict,
)
from rethinking_jax.analysis.results import Group, Results, true_test_accuracy
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.analysis.wrong_labels import corrected_share, memorized_share
from rethinking_jax.course.double_descent import told
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import Line, text_of

FIRST = "At first more wrongly labelled images are given their true class than their label."
LATER = "Later that share falls, and in the end more of them are memorized."
BEST = "The test accuracy is best before the end: to memorize wrong labels costs."
MORE = "From its best to its end it loses more than with true labels."
CHOSEN = "95 % interval, each seed at the epoch that the others choose"
# The keys that each line gets here, beside those of metrics.jsonl.
CORRECTED, MEMORIZED, TEST = "corrected", "memorized", "true_test_accuracy"


class Shares(NamedTuple):
    """What the seeds of one level of label noise did over epochs, each array [seeds, t].

    Attributes:
      epochs: the measured epochs, [t].
      corrected: the share of the wrongly labelled training examples given their true class.
      memorized: the share of them that is given its label.
      test: the accuracy on the true labels of the test set.
    """

    epochs: np.ndarray
    corrected: np.ndarray
    memorized: np.ndarray
    test: np.ndarray


def by_noise(results: Results) -> list[Group]:
    """Returns the runs by rising label noise, with the shares in each of their lines."""
    groups = sorted(groups_of(results), key=lambda group: group.label_noise)
    return [group._replace(lines=_lines(group)) for group in groups]


def _lines(group: Group) -> tuple[list[Line], ...]:
    return tuple(
        [
            {
                **line,
                CORRECTED: corrected_share(line, member["flipped_fraction"]),
                MEMORIZED: memorized_share(line),
                TEST: true_test_accuracy(line),
            }
            for line in own
        ]
        for member, own in zip(group.members, group.lines, strict=True)
    )


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws both shares of the noisiest runs over epochs, and the test accuracy of all runs."""
    groups = by_noise(results)
    noisy = groups[-1]
    drawn = [
        (translate("wrongly labelled: given their true class"), noisy, CORRECTED),
        (translate("wrongly labelled: memorized"), noisy, MEMORIZED),
    ]
    for group in reversed(groups):
        label = translate("test accuracy, label noise {noise:g}", noise=group.label_noise)
        drawn.append((label, group, TEST))
    curves = [
        curve(label, over_epochs(group, key), note(group, translate)) for label, group, key in drawn
    ]
    title = translate("Early learning with label noise {noise:g}", noise=noisy.label_noise)
    caption = (
        "Shares of the wrongly labelled training images, the model fixed. Test labels are true."
    )
    axes = translate("epochs"), translate("share")
    return [Plot("early_learning", title, caption, *axes, curves, log="x")]


def judge(results: Results) -> list[Verdict]:
    """Judges what comes first and what later, and what is lost after the best test accuracy."""
    groups = by_noise(results)
    noisy, clean = groups[-1], groups[0]
    wrong = min(member["flipped_fraction"] for member in noisy.members)
    if not wrong or not _comparable(noisy):
        need = "wrong labels, and two seeds or more with the same three measured epochs or more"
        return unmeasured(results, need, FIRST, LATER, BEST, MORE)
    shares = _shares(noisy)
    peaks = chosen_by_others(shares.corrected)
    verdicts = [
        _first(results, shares, peaks),
        _later(results, shares, peaks),
        _best(results, shares),
    ]
    if clean.label_noise or not _comparable(clean) or clean.seeds != noisy.seeds:
        need = "runs with as many seeds on true labels"
        return [*verdicts, *unmeasured(results, need, MORE)]
    return [*verdicts, _more(results, shares, _shares(clean))]


def _comparable(group: Group) -> bool:
    """Says whether there are two seeds, each measured in the same three epochs or more."""
    lengths = {len(own) for own in group.lines}
    return group.seeds > 1 and len(lengths) == 1 and min(lengths) > 2


def _shares(group: Group) -> Shares:
    keys = ("epoch", CORRECTED, MEMORIZED, TEST)
    epochs, *own = (np.array([[x[key] for x in lines] for lines in group.lines]) for key in keys)
    return Shares(epochs[0], *own)


def chosen_by_others(values: np.ndarray) -> np.ndarray:
    """Returns for each seed where the mean of the other seeds is largest, int [seeds].

    The largest of many noisy values is too large by luck; what a seed has where the others have
    their largest is not.

    Args:
      values: [seeds, t], at least 2 seeds.
    """
    return np.array([np.delete(values, i, axis=0).mean(0).argmax() for i in range(len(values))])


def _first(results: Results, shares: Shares, peaks: np.ndarray) -> Verdict:
    ahead = _gain(_at(shares.corrected, peaks), _at(shares.memorized, peaks))
    place = int(shares.corrected.mean(0).argmax())
    text = (
        f"Given their true class {text_of(shares.corrected.mean(0)[place])} at most, after epoch "
        f"{shares.epochs[place]:,}, when {text_of(shares.memorized.mean(0)[place])} are memorized; "
        f"a difference of {told(ahead)}, {CHOSEN}"
    )
    return verdict(results, FIRST, all_above_0(ahead), text)


def _later(results: Results, shares: Shares, peaks: np.ndarray) -> Verdict:
    # Both must hold: two intervals give the claim no second chance to come out true by luck.
    lost = _gain(_at(shares.corrected, peaks), shares.corrected[:, -1])
    behind = _gain(shares.memorized[:, -1], shares.corrected[:, -1])
    text = (
        f"After epoch {shares.epochs[-1]:,} {text_of(shares.corrected[:, -1].mean())} are given "
        f"their true class, {told(lost)} fewer than at most, and "
        f"{text_of(shares.memorized[:, -1].mean())} are memorized, {told(behind)} more than that, "
        f"{CHOSEN}"
    )
    return verdict(results, LATER, all_above_0(lost, behind), text)


def _best(results: Results, shares: Shares) -> Verdict:
    lost = mean_interval(_lost(shares).tolist(), "seeds")
    place = int(shares.test.mean(0).argmax())
    text = (
        f"Test accuracy {text_of(shares.test.mean(0)[place])} after epoch "
        f"{shares.epochs[place]:,}, {text_of(shares.test[:, -1].mean())} after epoch "
        f"{shares.epochs[-1]:,}; a loss of {told(lost)}, {CHOSEN}"
    )
    return verdict(results, BEST, all_above_0(lost), text)


def _more(results: Results, noisy: Shares, clean: Shares) -> Verdict:
    more, own = _gain(_lost(noisy), _lost(clean)), mean_interval(_lost(clean).tolist(), "seeds")
    text = (
        f"With true labels the test accuracy ends at {text_of(clean.test[:, -1].mean())}, a loss "
        f"of {told(own)}; with wrong labels the loss is larger by {told(more)}, {CHOSEN}"
    )
    return verdict(results, MORE, all_above_0(more), text)


def _lost(shares: Shares) -> np.ndarray:
    """Returns by how much the test accuracy of each seed ends below its best, [seeds]."""
    lost: np.ndarray = _at(shares.test, chosen_by_others(shares.test)) - shares.test[:, -1]
    return lost


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns what each seed has at its own place, [seeds]."""
    own: np.ndarray = values[np.arange(len(values)), places]
    return own


def _gain(a: np.ndarray, b: np.ndarray) -> Difference:
    return mean_interval((a - b).tolist(), "seeds")


LESSON = Lesson(plots, judge)
