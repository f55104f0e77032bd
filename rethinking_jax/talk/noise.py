"""The slides on label noise: the time to fit, and the test error of what is fitted."""

import math
from collections.abc import Sequence

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.figure1 import loss_times, ratios
from rethinking_jax.analysis.fitted import common_level
from rethinking_jax.analysis.results import Group, Series
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import material, told
from rethinking_jax.talk.material import Material, Runs
from rethinking_jax.talk.slide import Chart, Line, Slide

NOISE = "figure1.py:b,dataset=mnist5k,models=mlp_1x512"


def time(found: Material, words: Translate) -> Slide:
    """Shows how much longer it takes to fit as label noise grows (Figure 1b)."""
    ends = [own[-1] for own in paper.figure_1()["relative_time"].values()]
    theirs = {"mlp": min(ends), "inception": max(ends)}
    draft = Slide(
        words("Label noise and the time to fit"),
        [
            words("The paper: random labels take {mlp:.1f} to {inception:.1f} times as long.",
                  **theirs),
        ],
        words("In the paper random labels take between {mlp:.1f} and {inception:.1f} times as long "
              "as true ones. Not a hundred times: optimization stays easy.", **theirs),
        told.papers(words("CIFAR-10, read off Figure 1b"), words),
        charts=[_times_chart(_theirs("relative_time", words), words)],
        missing=NOISE,
    )  # fmt: skip
    shown = found.first(material.noise_levels)
    return draft if shown is None else _with_times(draft, shown, max(ends), words)


def _times_chart(lines: Sequence[Line], words: Translate) -> Chart:
    title = words("Time to fit, relative to true labels, against label noise")
    return Chart(title, words("label noise"), words("time to fit, relative"), lines)


def _theirs(key: str, words: Translate) -> list[Line]:
    """Returns the lines of the paper's Figure 1b or 1c."""
    figure = paper.figure_1()
    values = figure["relative_time"] if key == "relative_time" else figure["test_error"]
    return [
        Line(
            words("{network} (the paper)", network=words(paper.MODELS[model])),
            figure["label_noise"],
            own,
            paper=True,
        )
        for model, own in values.items()
    ]


def _with_times(draft: Slide, shown: Runs, longest: float, words: Translate) -> Slide:
    lines = [_line(one, *times(one), words) for one in shown.series]
    most = lines[0].y[-1]
    script = words(
        "How much longer does it take when labels are random? With all of them random it is "
        "{most:.1f} times as long here, and up to {inception:.1f} times in the paper.",
        most=most,
        inception=longest,
    )
    ours = words("Ours: {most:.1f} times as long as true labels.", most=most)
    small = told.ours(shown.results, shown.series, words)
    chart = _times_chart([*lines, *draft.charts[0].lines], words)
    return told.with_ours(draft, script, small, [ours, *draft.points], charts=[chart])


def times(one: Series) -> tuple[list[float], list[float]]:
    """Returns levels of label noise and the mean time to fit at each, relative to true labels."""
    groups = one.by_label_noise()
    level = common_level(groups)
    values = ratios(groups, [group.to_accuracy(level) for group in groups])
    if not any(values):
        values = ratios(groups, [loss_times(group) for group in groups])
    known = [(group.label_noise, own) for group, own in zip(groups, values, strict=True) if own]
    return [x for x, _ in known] or [0.0], [sum(own) / len(own) for _, own in known] or [math.nan]


def _line(one: Series, x: Sequence[float], y: Sequence[float], words: Translate) -> Line:
    return Line(words("{network} (ours)", network=told.series_name(one, words)), x, y)


def error(found: Material, words: Translate) -> Slide:
    """Shows how test error rises as label noise grows (Figure 1c)."""
    own = paper.figure_1()["test_error"]["inception_small"]
    theirs = {"least": own[0], "most": own[-1]}
    draft = Slide(
        words("Label noise and the test error"),
        [
            words("The paper, small Inception: from {least:.2f} to {most:.2f}, which is chance.",
                  **theirs),
            words("The paper's networks fit all of these labels: training error cannot tell them "
                  "apart."),
        ],
        words("All these networks have training error zero. In the paper test error goes from "
              "{least:.2f} to {most:.2f}, which is chance. So training error says nothing about "
              "test error.", **theirs),
        told.papers(words("CIFAR-10, read off Figure 1c"), words),
        charts=[_errors_chart(_theirs("test_error", words), words)],
        missing=NOISE,
    )  # fmt: skip
    shown = found.first(material.noise_levels)
    return draft if shown is None else _with_errors(draft, shown, own[-1], words)


def _errors_chart(lines: Sequence[Line], words: Translate) -> Chart:
    title = words("Test error against label noise")
    return Chart(title, words("label noise"), words("test error"), lines, top=1.0)


def _with_errors(draft: Slide, shown: Runs, chance: float, words: Translate) -> Slide:
    lines = [
        _line(
            one,
            [group.label_noise for group in one.by_label_noise()],
            [_test_error(group) for group in one.by_label_noise()],
            words,
        )
        for one in shown.series
    ]
    ends = {"least": told.number(lines[0].y[0]), "most": told.number(lines[0].y[-1])}
    script = words(
        "Every point is a network that was trained to fit its labels. Test error goes from {least} "
        "without noise to {most} with nothing but noise; in the paper to {paper:.2f}. We can set "
        "it to any value in between without touching the network. So what we know of the network "
        "cannot explain it.",
        paper=chance,
        **ends,
    )
    ours = words("Ours: from {least} to {most}.", **ends)
    small = told.ours(shown.results, shown.series, words)
    chart = _errors_chart([*lines, *draft.charts[0].lines], words)
    return told.with_ours(draft, script, small, [ours, *draft.points], charts=[chart])


def _test_error(group: Group) -> float:
    """Returns the mean error on corrupted test labels, as the paper's probably are, or on true."""
    own = told.errors(group.corrupted_test_accuracy() or group.test_accuracy())
    return sum(own) / len(own)
