"""A checkerboard with a square left out: more data helps where the data is."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Band, Curve, Plot, band, seeds_curve
from rethinking_jax.analysis.lesson import Lesson, groups_of, less, note, told, unmeasured
from rethinking_jax.analysis.results import Group, Results, count_seeds
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.data.checkerboard import TEST_EXAMPLES, Sizes, sizes
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

RISES = "In-distribution accuracy rises with the number of training examples."
FLAT = "Out-of-distribution accuracy does not rise with them."
FEW = "A few out-of-distribution examples among them raise it."
# The rise that matters: where the interval allows for more than this there is no answer.
MATTERS = 0.05
# The measurements whose mean is the end: Adam at a constant learning rate never comes to rest.
LAST = 3
INSIDE, OUTSIDE = "test_accuracy", "outside_accuracy"


class Board(NamedTuple):
    """The runs on one data set."""

    sizes: Sizes
    group: Group


def boards(results: Results) -> list[Board]:
    """Returns the groups by numbers of training examples; those with some from outside last."""
    found = [Board(sizes(group.config["dataset"]), group) for group in groups_of(results)]
    return sorted(found, key=lambda board: board.sizes[::-1])


def at_the_end(board: Board, key: str) -> list[float]:
    """Returns a metric of each seed, the mean of its last measurements."""
    return [float(np.mean([line[key] for line in own[-LAST:]])) for own in board.group.lines]


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws both accuracies against examples, then each against steps."""
    found = boards(results)
    title = translate("More data helps where the data is")
    caption = f"Over {TEST_EXAMPLES:,} test points of each kind, mean of the last {LAST} looks."
    axes = translate("training examples"), translate("accuracy")
    return [
        Plot("examples", title, caption, *axes, _by_examples(found, translate), log="x"),
        _by_steps(found, INSIDE, translate("In-distribution accuracy"), translate),
        _by_steps(found, OUTSIDE, translate("Out-of-distribution accuracy"), translate),
    ]


def _by_examples(found: list[Board], translate: Translate) -> list[Curve]:
    plain = [board for board in found if not board.sizes.outside]
    curves = [
        _points(translate("in distribution"), plain, INSIDE, translate),
        _points(translate("out of distribution"), plain, OUTSIDE, translate),
    ]
    for board in (board for board in found if board.sizes.outside):
        count = board.sizes.outside
        for key, words in ((INSIDE, "in distribution, with {k} from outside"),
                           (OUTSIDE, "out of distribution, with {k} from there")):  # fmt: skip
            curves.append(_points(translate(words, k=count), [board], key, translate))
    return [curve for curve in curves if curve.x]


def _points(label: str, found: list[Board], key: str, translate: Translate) -> Curve:
    counts, values = [sum(board.sizes) for board in found], [at_the_end(b, key) for b in found]
    return seeds_curve(label, counts, values, note(found[0].group, translate) if found else "")


def _by_steps(found: list[Board], key: str, title: str, translate: Translate) -> Plot:
    curves = [
        Curve(
            _name(board, translate),
            *_over_steps(board.group, key),
            note=note(board.group, translate),
        )
        for board in found
    ]
    caption = "Over 1,000 test points, the model fixed."
    return Plot(key, title, caption, translate("steps"), translate("accuracy"), curves)


def _over_steps(group: Group, key: str) -> Band:
    thousands, mean, low, high = band(group.lines, key)
    return [1000 * value for value in thousands], mean, low, high


def _name(board: Board, translate: Translate) -> str:
    inside, outside = board.sizes
    if outside:
        return translate("{n} + {k} examples", n=f"{inside:,}", k=f"{outside:,}")
    return translate("{n} examples", n=f"{inside:,}")


def judge(results: Results) -> list[Verdict]:
    """Judges what more data does, and what a few examples from elsewhere do."""
    found = boards(results)
    plain = [board for board in found if not board.sizes.outside]
    if len(plain) > 1:
        verdicts = [_rises(results, plain), _flat(results, plain)]
    else:
        verdicts = unmeasured(results, "two numbers of training examples", RISES, FLAT)
    for board in found:
        for other in plain:
            if board.sizes.outside and board.sizes.inside == other.sizes.inside:
                return [*verdicts, _few(results, other, board)]
    return [*verdicts, *unmeasured(results, "N and N + K training examples for one N", FEW)]


def _rises(results: Results, plain: list[Board]) -> Verdict:
    first, last = (at_the_end(board, INSIDE) for board in (plain[0], plain[-1]))
    outcome, found = less(first, last, TEST_EXAMPLES)
    return _verdict(results, RISES, outcome, f"{_listed(plain, INSIDE)}: {told(found)}")


def _flat(results: Results, plain: list[Board]) -> Verdict:
    first, last = (at_the_end(board, OUTSIDE) for board in (plain[0], plain[-1]))
    rise, found = less(first, last, TEST_EXAMPLES)
    outcome = NO if rise == YES else YES if found.high < MATTERS else NOT_MEASURED
    text = f"{_listed(plain, OUTSIDE)}: {told(found)}; below {MATTERS:g} counts as no rise"
    return _verdict(results, FLAT, outcome, text)


def _few(results: Results, without: Board, board: Board) -> Verdict:
    outcome, found = less(at_the_end(without, OUTSIDE), at_the_end(board, OUTSIDE), TEST_EXAMPLES)
    text = f"{_listed([without, board], OUTSIDE)}: {told(found)}"
    return _verdict(results, FEW, outcome, text)


def _listed(found: list[Board], key: str) -> str:
    """Returns the mean accuracies by numbers of examples, in words."""
    told_of = ", ".join(
        f"{text_of(np.mean(at_the_end(board, key)), 3)} with "
        + " + ".join(f"{count:,}" for count in board.sizes if count)
        for board in found
    )
    return f"{'In-distribution' if key == INSIDE else 'Out-of-distribution'} accuracy {told_of}"


def _verdict(results: Results, claim: str, outcome: str, text: str) -> Verdict:
    """Returns what became of a claim, whose numbers are of several data sets."""
    device, count = results.summary["device"], count_seeds(groups_of(results))
    of = f"{count}, the same points, the last {LAST} measurements; {device}"
    model = results.models[0]
    return Verdict(claim, "", model, outcome, f"{text} ({of}).", "", of_paper=False)


LESSON = Lesson(plots, judge)
