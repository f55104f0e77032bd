"""The slides on the randomization tests: what is randomized, what is fitted, by which network."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.curves import band
from rethinking_jax.analysis.results import Series
from rethinking_jax.corruption import SETTINGS
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import material, told
from rethinking_jax.talk.material import Material, Runs
from rethinking_jax.talk.slide import Chart, Grid, Line, Picture, Slide

QUICKSTART = "quickstart.py"
PARTLY = "partially_corrupted_labels"  # which a legend has no room for
MOST_ROWS = 7  # of a table


def what(found: Material, words: Translate) -> Slide:
    """Says what the randomization tests replace."""
    return Slide(
        words("The randomization tests"),
        [
            words("Partially corrupted labels: each label is redrawn with probability p."),
            words("Random labels: all of them are redrawn."),
            words("Shuffled pixels: one permutation of the pixels, the same for all images."),
            words("Random pixels: another permutation for each image."),
            words("Gaussian: noise in place of every image, with the mean and variance of the "
                  "data."),
            words("All is drawn once and stays the same in every epoch. Training is not changed."),
        ],
        words(
            "The idea comes from statistics: destroy the signal, and see whether the method "
            "notices. The labels are drawn at random, or the pixels are, once and for all. Then "
            "the network is trained exactly as before. If it still fits, it has learned by heart: "
            "there is nothing else to learn."
        ),
        told.papers(words("section 2.1"), words),
    )  # fmt: skip


def images(found: Material, words: Translate) -> Slide:
    """Shows training images and the labels that they are trained with."""
    shown = found.first(material.settings)
    draft = Slide(
        words("What the network sees"),
        [
            words("Each row is one test; a red label is not the true one. Every epoch has the same "
                  "images and labels."),
        ],
        words("Each row is one test, each column one image. The label stands below its image; red "
              "is a label that is not the true one. In every epoch the network sees just this."),
        missing=QUICKSTART,
    )  # fmt: skip
    if shown is None:
        return draft
    content = found.picture(found.place(shown.results))
    small = told.ours(shown.results, shown.series, words)
    if content is None:
        gone = words("The picture needs the images, which are not at hand here.")
        return told.with_ours(draft, draft.script, small, [*draft.points, gone])
    alternative = words(
        "Training images of {dataset} in each setting, and below each the label that it is "
        "trained with; wrong labels are red.",
        dataset=shown.results.summary["dataset"],
    )
    picture = Picture(content, alternative)
    return told.with_ours(draft, draft.script, small, draft.points, picture=picture)


def fitted(found: Material, words: Translate) -> Slide:
    """Shows that every setting is fitted, and what each comes to in test."""
    draft = Slide(
        words("Is noise fitted, too?"),
        [
            words("The paper: random labels are fitted, and in test that is worth nothing."),
            words("The paper's test accuracy after random labels: {test}, which is chance.",
                  test=_paper_accuracies("random_labels")[1]),
        ],
        words("In the paper the small Inception fits random labels of CIFAR-10 perfectly. Its test "
              "accuracy is {test}: chance. We have no numbers of ours here.",
              test=_paper_accuracies("random_labels")[1]),
        told.papers(words("CIFAR-10, small Inception, Table 1"), words),
        missing=QUICKSTART,
    )  # fmt: skip
    shown = found.first(material.settings)
    return draft if shown is None else _with_settings(draft, shown, words)


def _paper_accuracies(setting: str) -> list[str]:
    """Returns the paper's training and test accuracy of a setting, with the small Inception."""
    row = paper.table_1("inception_small", setting)
    return [told.number(value) for value in (row[3:] if row else (None, None))]


def _with_settings(draft: Slide, shown: Runs, words: Translate) -> Slide:
    one = shown.series[0]
    true, noise = one.of("true_labels"), one.of("random_labels")
    train, test = _paper_accuracies("random_labels")
    script = words(
        "Training accuracy is what surprises. Ours on random labels is {train}, the paper's is "
        "{paper_train}: such a network knows its labels by heart. Of new images it then gets "
        "{test} right, in the paper {paper_test}: that is chance. With true labels the same "
        "network gets {true}.",
        train=told.mean(noise.values("train_accuracy") if noise else None),
        paper_train=train,
        test=told.mean(noise.test_accuracy() if noise else None),
        paper_test=test,
        true=told.mean(true.test_accuracy() if true else None),
    )
    columns = [
        words("setting"),
        words("ours: training"),
        words("ours: test"),
        words("epochs to fit"),
        words("the paper: training"),
        words("the paper: test"),
    ]
    rows = [
        [
            told.setting(group, words),
            told.mean(group.values("train_accuracy")),
            told.mean(group.test_accuracy()),
            told.epochs(group.values("epochs_to_fit")),
            *_paper_accuracies(group.setting),
        ]
        for group in one.groups
    ]
    small = told.ours(shown.results, [one], words)
    points = [draft.points[0], words("Accuracy in training and in test")]
    return told.with_ours(draft, script, small, points, grid=Grid(columns, rows))


def curves(found: Material, words: Translate) -> Slide:
    """Shows the training loss of each setting beside the paper's Figure 1a."""
    figure = paper.figure_1()
    theirs = _losses(
        words("The paper's Figure 1a: training loss of the small Inception on CIFAR-10"),
        [
            _loss(name, figure["thousand_steps"], own, words, paper=True)
            for name, own in figure["training_loss"].items()
        ],
        words,
    )
    draft = Slide(
        words("Learning curves"),
        [words("The paper's losses all go to zero.")],
        words("These are the paper's curves. Each loss goes to zero. True labels are first, random "
              "labels last. Once the loss falls, it falls as fast as with true labels."),
        told.papers(words("CIFAR-10, small Inception, read off Figure 1a"), words),
        charts=[theirs],
        missing=QUICKSTART,
    )  # fmt: skip
    shown = found.first(material.settings)
    return draft if shown is None else _with_losses(draft, shown, words)


def _loss(
    setting: str, x: Sequence[float], y: Sequence[float], words: Translate, paper: bool = False
) -> Line:
    """Returns the line of a setting, which has the same colour in every chart."""
    name = "partly random labels" if setting == PARTLY else setting.replace("_", " ")
    color = SETTINGS.index(setting) if setting in SETTINGS else None
    return Line(words(name), x, y, paper=paper, color=color)


def _losses(title: str, lines: Sequence[Line], words: Translate) -> Chart:
    return Chart(title, words("thousand steps"), words("training loss"), lines, top=2.5)


def _with_losses(draft: Slide, shown: Runs, words: Translate) -> Slide:
    one = shown.series[0]
    lines = [
        _loss(group.setting, *band(group.lines, "train_loss")[:2], words) for group in one.groups
    ]
    ours = _losses(words("Our training loss in each setting"), lines, words)
    times = {group.setting: told.epochs(group.values("epochs_to_fit")) for group in one.groups}
    script = words(
        "On the left our curves, on the right the paper's, where every loss goes to zero. Ours "
        "fit true labels after {true} epochs and random ones after {random}. Nothing in training "
        "had to be changed, not even the learning rate. And once the loss falls, it falls fast.",
        true=times["true_labels"],
        random=times["random_labels"],
    )
    points = [words("Left: ours. Right: the paper's, where every loss goes to zero.")]
    small = told.ours(shown.results, [one], words)
    return told.with_ours(draft, script, small, points, charts=[ours, *draft.charts])


def architectures(found: Material, words: Translate) -> Slide:
    """Shows what several networks come to without a regularizer, on true and on random labels."""
    columns = [
        words("network"),
        words("ours: test"),
        words("the paper: test"),
        words("the paper: test, random labels"),
    ]
    draft = Slide(
        words("Architectures without regularizers"),
        [words("Test accuracy without any explicit regularizer")],
        words(
            "In the paper the small Inception tests at {best} without any regularizer, a flat "
            "network at {worst}. All of them fit random labels.",
            **_paper_ends(),
        ),
        told.papers(words("CIFAR-10, Table 1"), words),
        grid=Grid(columns, [_network_row(model, None, words) for model in paper.MODELS]),
        missing="table1.py",
    )
    shown = found.first(material.networks)
    return draft if shown is None else _with_networks(draft, shown, words)


def _paper_ends() -> dict[str, str]:
    """Returns the best and the worst test accuracy of a network without regularizer in Table 1."""
    rows = [
        row.test_accuracy
        for row in paper.TABLE_1
        if row.setting == "true_labels" and not row.regularizers
    ]
    return {"best": told.number(max(rows)), "worst": told.number(min(rows))}


def _with_networks(draft: Slide, shown: Runs, words: Translate) -> Slide:
    tests = {
        told.series_name(one, words): float(np.mean(group.test_accuracy()))
        for one in shown.series
        if (group := one.of("true_labels"))
    }
    top, bottom = max(tests, key=tests.__getitem__), min(tests, key=tests.__getitem__)
    script = words(
        "The paper's networks all have room for noise, so that is not what tells them apart. "
        "Ours go from {low} ({bottom}) to {high} ({top}) in test, the paper's from {worst} to "
        "{best}. Something in an architecture prefers functions that generalize.",
        low=told.number(tests[bottom]),
        bottom=bottom,
        high=told.number(tests[top]),
        top=top,
        **_paper_ends(),
    )
    rows = [_network_row(one.model, one, words) for one in shown.series][:MOST_ROWS]
    grid = Grid(draft.grid.columns if draft.grid else [], rows)
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, script, small, draft.points, grid=grid)


def _network_row(model: str, one: Series | None, words: Translate) -> list[str]:
    theirs, noise = (paper.table_1(model, name) for name in ("true_labels", "random_labels"))
    group = one.of("true_labels") if one else None
    return [
        told.series_name(one, words) if one else told.network_name(model, words),
        told.mean(group.test_accuracy()) if group else words("not measured"),
        told.number(theirs.test_accuracy if theirs else None),
        told.number(noise.test_accuracy if noise else None),
    ]
