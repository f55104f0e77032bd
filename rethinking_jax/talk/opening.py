"""The slides that open the talk: the question, and what generalization is."""

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.results import Group, Series
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import material, told
from rethinking_jax.talk.material import Material, Runs
from rethinking_jax.talk.slide import Grid, Slide

LARGE = "inception_small"
QUICKSTART = "quickstart.py"
MOST_ROWS = 5  # of networks in the first table


def title(found: Material, words: Translate) -> Slide:
    """Says what the talk is about and whose paper it is."""
    points = [
        words(
            "After Zhang, Bengio, Hardt, Recht and Vinyals: “Understanding deep learning "
            "requires rethinking generalization”, ICLR 2017"
        ),
    ]
    names = ", ".join(dict.fromkeys(str(one.summary["dataset"]) for one in found.trained))
    script = words("This talk is about one paper of 2017, and about what we make of it today.")
    if names:
        points.append(words("With our own measurements on {datasets}", datasets=names))
        script = words(
            "This talk is about one paper of 2017, and about what came out when we ran its "
            "experiments ourselves on {datasets}.",
            datasets=names,
        )
    return Slide(words("What do deep networks memorize?"), points, script, opening=True)


def question(found: Material, words: Translate) -> Slide:
    """Asks why networks with more parameters than examples generalize."""
    shown = found.first(material.networks) or found.first(material.settings)
    own = shown.series[:MOST_ROWS] if shown else []
    parameters, images = paper.PARAMETERS[LARGE], paper.TRAIN_EXAMPLES[paper.DATASET]
    theirs = [
        words("the paper's {network}", network=words(paper.MODELS[LARGE])),
        f"{parameters:,}",
        f"{images:,}",
        f"{parameters / images:,.0f}",
    ]
    columns = [
        words("network"),
        words("parameters"),
        words("training images"),
        words("parameters per image"),
    ]
    parts = [
        words("The paper's small Inception has {theirs:,.0f} parameters for each training image.",
              theirs=parameters / images),
        *([words("Ours has up to {ours:,.0f}.", ours=max(map(_ratio, own)))] if own else []),
        words("So many numbers could store the training set. Classical theory would expect a "
              "network like this to do badly on new images. It does well. The question is why."),
    ]  # fmt: skip
    small = [told.ours(shown.results, own, words)] if shown else []
    return Slide(
        words("The question"),
        [
            words("A network with more parameters than examples could learn them by heart."),
            words("Why does it do well on images that it has never seen?"),
        ],
        " ".join(parts),
        " ".join([*small, told.papers(words("CIFAR-10, Table 1"), words)]),
        grid=Grid(columns, [*(_size_row(one, words) for one in own), theirs]),
        missing="" if own else QUICKSTART,
    )


def _ratio(one: Series) -> float:
    return float(one.groups[0].members[0]["parameters"] / (one.train_examples or 1))


def _size_row(one: Series, words: Translate) -> list[str]:
    return [
        told.series_name(one, words),
        f"{one.groups[0].members[0]['parameters']:,}",
        f"{one.train_examples:,}" if one.train_examples else told.DASH,
        f"{_ratio(one):,.0f}" if one.train_examples else told.DASH,
    ]


def generalization(found: Material, words: Translate) -> Slide:
    """Says what generalization is, with the gaps on true and on random labels."""
    shown = found.first(material.settings)
    columns = [
        words("labels"),
        words("training error"),
        words("test error"),
        words("generalization error"),
    ]
    rows = [
        row
        for setting in ("true_labels", "random_labels")
        for row in [*_our_row(shown, setting, words), *_paper_row(setting, words)]
    ]
    draft = Slide(
        words("What generalization is"),
        [
            words("Training error: the share of wrong answers on what it has learned."),
            words("Generalization error: test error minus training error."),
        ],
        words("We call the difference between test error and training error the generalization "
              "error."),
        told.papers(words("CIFAR-10, small Inception, Table 1"), words),
        grid=Grid(columns, rows),
        missing=QUICKSTART,
    )  # fmt: skip
    if shown is None:
        return draft
    true, noise = (shown.series[0].of(name) for name in ("true_labels", "random_labels"))
    gaps = words(
        "Same network, same images: with true labels it is {true}, with random labels {random}. "
        "Only the labels differ.",
        true=told.mean(_gaps(true)) if true else told.DASH,
        random=told.mean(_gaps(noise)) if noise else told.DASH,
    )
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, f"{draft.script} {gaps}", small, draft.points)


def _gaps(group: Group) -> list[float]:
    """Returns the generalization error of each seed."""
    train = told.errors(group.values("train_accuracy"))
    test = told.errors(group.test_accuracy())
    return [of_test - of_train for of_train, of_test in zip(train, test, strict=True)]


def _our_row(shown: Runs | None, setting: str, words: Translate) -> list[list[str]]:
    """Returns our row of a setting; [] where it was not measured."""
    group = shown.series[0].of(setting) if shown else None
    if group is None:
        return []
    return [
        [
            words("ours: {name}", name=told.setting(group, words)),
            told.mean(told.errors(group.values("train_accuracy"))),
            told.mean(told.errors(group.test_accuracy())),
            told.mean(_gaps(group)),
        ]
    ]


def _paper_row(setting: str, words: Translate) -> list[list[str]]:
    theirs = paper.table_1(LARGE, setting)
    if theirs is None:
        return []
    train, test = 1 - theirs.train_accuracy, 1 - theirs.test_accuracy
    name = words("the paper: {name}", name=words(setting.replace("_", " ")))
    return [[name, told.number(train), told.number(test), told.number(test - train)]]
