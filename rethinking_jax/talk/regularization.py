"""The slides on explicit regularizers, early stopping and batch norm: Tables 1, 2, 4, Figure 2."""

import math
from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.curves import band
from rethinking_jax.analysis.regularizers import fitted_share
from rethinking_jax.analysis.results import Group
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import material, told
from rethinking_jax.talk.material import Material, Runs
from rethinking_jax.talk.slide import Chart, Grid, Line, Slide

REGULARIZERS = "regularizers.py"
LARGE = "inception_small"
MOST_ROWS = 8  # of a table


def explicit(found: Material, words: Translate) -> Slide:
    """Shows what explicit regularizers win on true labels (Table 1)."""
    columns = [words("regularizers"), words("training accuracy"), words("test accuracy")]
    draft = Slide(
        words("Explicit regularizers help a little"),
        [
            words("Weight decay, dropout and augmentation, with true labels."),
            words("The paper: without any of them the network still generalizes."),
        ],
        words(
            "Are regularizers the answer? In the paper the small Inception tests at {both} with "
            "augmentation and weight decay, and at {none} without any. They help, and they are not "
            "why it generalizes: the gap to chance is there without them.",
            both=_paper_test(LARGE, paper.BOTH),
            none=_paper_test(LARGE, paper.NONE),
        ),
        told.papers(words("CIFAR-10, small Inception, Table 1"), words),
        grid=Grid(columns, _paper_rows(words)),
        missing=REGULARIZERS,
    )
    shown = found.first(material.regularized)
    return draft if shown is None else _with_regularizers(draft, shown, words)


def _paper_test(model: str, kinds: paper.Regularizers) -> str:
    row = paper.table_1(model, "true_labels", kinds)
    return told.number(row.test_accuracy if row else None)


def _paper_rows(words: Translate, model: str = LARGE) -> list[list[str]]:
    """Returns the rows of Table 1 of a network on true labels, that without regularizers first."""
    rows = [row for row in paper.TABLE_1 if (row.model, row.setting) == (model, "true_labels")]
    # What the small print says of the small Inception would take the room of the numbers.
    whose = "" if model == LARGE else f"{words(paper.MODELS[model])}, "
    return [
        [
            words("the paper: {name}", name=whose + told.regularizers(row.regularizers, words)),
            told.number(row.train_accuracy),
            told.number(row.test_accuracy),
        ]
        for row in reversed(rows)
    ]


def _with_regularizers(draft: Slide, shown: Runs, words: Translate) -> Slide:
    groups = material.by_regularizers(shown.families[0], "true_labels")
    tests = {kinds: told.mean(group.test_accuracy()) for kinds, group in groups.items()}
    best = max(groups, key=lambda kinds: float(np.mean(groups[kinds].test_accuracy())))
    script = words(
        "Are regularizers the answer? Ours tests at {plain} with all of them off, and at {most} at "
        "best, with this on: {best}. In the paper the small Inception has {none} against {both}. "
        "What they add is small beside what is there without them, it says: they are not the "
        "reason why networks generalize.",
        plain=tests.get((), told.DASH),
        most=tests[best],
        best=told.regularizers(best, words),
        both=_paper_test(LARGE, paper.BOTH),
        none=_paper_test(LARGE, paper.NONE),
    )
    ours = [
        [
            words("ours: {name}", name=told.regularizers(kinds, words)),
            told.mean(group.values("train_accuracy")),
            tests[kinds],
        ]
        for kinds, group in groups.items()
    ]
    one = shown.series[0]
    same = one.dataset == paper.DATASET and one.model in paper.MODELS
    if same:  # its own rows stand beside ours
        draft = draft._replace(source=told.papers(words("CIFAR-10, Table 1"), words))
    rows = _beside(ours, _paper_rows(words, one.model if same else LARGE))
    grid = Grid(draft.grid.columns if draft.grid else [], rows)
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, script, small, draft.points, grid=grid)


def _beside(ours: list[list[str]], theirs: list[list[str]]) -> list[list[str]]:
    """Returns our rows and the paper's: of these the first and the last where all are too many.

    The first is that without a regularizer, the last that with all that Table 1 has.
    """
    kept = theirs if len(ours) + len(theirs) <= MOST_ROWS else [theirs[0], theirs[-1]]
    return [*ours[: MOST_ROWS - len(kept)], *kept]


def noise_despite(found: Material, words: Translate) -> Slide:
    """Shows that random labels are fitted with explicit regularizers on (Table 4)."""
    columns = [words("regularizers"), words("training accuracy, random labels")]
    draft = Slide(
        words("They do not stop it from fitting noise"),
        [words("Training accuracy on random labels, with explicit regularizers switched on.")],
        words(
            "With weight decay the paper's Inception still fits random labels: training accuracy "
            "{decay}. With augmentation, too, nearly. Only its AlexNet failed with weight decay. A "
            "regularizer that does not rule out noise cannot explain why noise is avoided.",
            decay=_shown(paper.TABLE_4[LARGE, "weight decay"], words),
        ),
        told.papers(words("CIFAR-10, Table 4"), words),
        grid=Grid(columns, _table_4_rows(words)),
        missing=REGULARIZERS,
    )
    shown = found.first(material.noise_regularized)
    return draft if shown is None else _with_noise(draft, shown, words)


def _table_4_rows(words: Translate, models: Sequence[str] = ()) -> list[list[str]]:
    """Returns the paper's Table 4, of some models or of all."""
    return [
        [
            words("the paper: {name}", name=f"{words(paper.MODELS[model])}, {words(kind)}"),
            _shown(value, words),
        ]
        for (model, kind), value in paper.TABLE_4.items()
        if not models or model in models
    ]


def _shown(value: float | str, words: Translate) -> str:
    return words(value) if isinstance(value, str) else told.number(value)


def _with_noise(draft: Slide, shown: Runs, words: Translate) -> Slide:
    groups = [
        (family.first, kinds, told.mean(fitted_share(group)))
        for family in shown.families
        for kinds, group in material.by_regularizers(family, "random_labels").items()
    ]
    several = len(shown.families) > 1
    ours = []
    for one, kinds, share in groups:
        name = told.regularizers(kinds, words)
        whose = f"{told.series_name(one, words)}, {name}" if several else name
        ours.append((whose, share))
    script = words(
        "Now the other way round: do they prevent learning by heart? On random labels our training "
        "accuracies are: {list}. In the paper weight decay leaves it at {decay} for Inception, and "
        "only AlexNet failed. What does not rule out noise cannot explain why networks avoid it.",
        list="; ".join(f"{name} {share}" for name, share in ours[:4]),
        decay=_shown(paper.TABLE_4[LARGE, "weight decay"], words),
    )
    first = [[words("ours: {name}", name=name), share] for name, share in ours[:4]]
    theirs = _table_4_rows(words, ("inception_small", "alexnet_small", "mlp_1x512"))
    rows = [*first, *theirs]
    grid = Grid(draft.grid.columns if draft.grid else [], rows)
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, script, small, draft.points, grid=grid)


def imagenet(found: Material, words: Translate) -> Slide:
    """Shows the paper's Table 2, on ImageNet, with our numbers where there are any."""
    shown = found.first(material.imagenet)
    best, plain, noise = paper.TABLE_2[0], paper.TABLE_2[3], paper.TABLE_2[-1]
    columns = [
        words("labels, regularizers"),
        words("the paper: training"),
        words("the paper: test"),
    ]
    draft = Slide(
        words("The same on ImageNet"),
        [words("Accuracy of Inception V3 on 1.3 million images of 1,000 classes")],
        words(
            "It is no matter of small images. On ImageNet Inception V3 fits {train} of random "
            "labels. With true labels it tests at {best} with all regularizers and at {plain} with "
            "none of them, out of a thousand classes.",
            train=told.number(noise.train[0]),
            best=told.number(best.test[0]),
            plain=told.number(plain.test[0]),
        ),
        told.papers(words("ImageNet, Inception V3, Table 2, top-1"), words),
        grid=Grid(columns, [_top_row(row, words) for row in paper.TABLE_2]),
        missing="table2.py",
    )
    if shown is None:
        return draft
    family = shown.families[0]
    rows = []
    for row in paper.TABLE_2:
        group = material.by_regularizers(family, row.setting).get(row.regularizers)
        ours = words("not measured") if group is None else told.mean(group.test_accuracy())
        rows.append([*_top_row(row, words), ours])
    small = told.ours(shown.results, shown.series, words)
    grid = Grid([*columns, words("ours: test")], rows)
    return told.with_ours(draft, draft.script, small, draft.points, grid=grid)


def _top_row(row: paper.TopRow, words: Translate) -> list[str]:
    name = words(row.setting.replace("_", " "))
    kinds = told.regularizers(row.regularizers, words)
    return [f"{name}, {kinds}", told.number(row.train[0]), told.number(row.test[0])]


# Implicit ones ------------------------------------------------------------------------------


def early_stopping(found: Material, words: Translate) -> Slide:
    """Shows test accuracy over training, and what its best epoch would have won (Figure 2a)."""
    gain = _paper_gain()
    draft = Slide(
        words("Early stopping"),
        [
            words("Stop where the test accuracy is best, not at the end of training."),
            words("The paper: {gain:.3f} won on ImageNet without regularizers, hardly anything on "
                  "CIFAR-10.", gain=gain),
        ],
        words("Stopping early is a regularizer, too. On ImageNet it would have won {gain:.3f} of "
              "test accuracy, without other regularizers. On CIFAR-10 the paper finds hardly any "
              "gain. So it may help, as the others may.", gain=gain),
        told.papers(words("ImageNet, Inception V3, Table 2 and Figure 2a"), words),
        missing=REGULARIZERS,
    )  # fmt: skip
    shown = found.first(material.regularized)
    return draft if shown is None else _with_best_epochs(draft, shown, words)


def _paper_gain() -> float:
    """Returns what the best epoch wins in Table 2 without regularizers, in top-1 accuracy."""
    row = next(row for row in paper.TABLE_2 if row.best and not row.regularizers)
    return row.best[0] - row.test[0] if row.best else math.nan


def _with_best_epochs(draft: Slide, shown: Runs, words: Translate) -> Slide:
    groups = material.by_regularizers(shown.families[0], "true_labels")
    kinds, plain = next(iter(groups.items()))
    best, end = told.mean(plain.best_test_accuracy()), told.mean(plain.test_accuracy())
    name = told.regularizers(kinds, words) if kinds else words("no regularizer")
    ours = words(
        "Ours, {kinds}: best epoch {best}, last epoch {end}. The best one is chosen on the "
        "test set, so noise wins, too.",
        kinds=name,
        best=best,
        end=end,
    )
    script = words(
        "Stopping early is a regularizer, too. Ours ({kinds}) has test accuracy {best} in its "
        "best epoch and {end} in its last. The paper finds {gain:.3f} on ImageNet and hardly any "
        "gain on CIFAR-10. Mind that the best of many epochs is chosen on the test set itself: a "
        "part of that gain is luck.",
        kinds=name,
        best=best,
        end=end,
        gain=_paper_gain(),
    )
    # Each by itself: the names of several together would take the room of the chart.
    chart = _accuracies(
        words("Test accuracy over training, with and without regularizers"),
        {told.regularizers(own, words): group for own, group in groups.items() if len(own) < 2},
        words,
    )
    first, second = draft.points
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, script, small, [first, ours, second], charts=[chart])


def _accuracies(title: str, groups: dict[str, Group], words: Translate) -> Chart:
    lines = [Line(name, *band(group.lines, "test_accuracy")[:2]) for name, group in groups.items()]
    least = min(value for line in lines for value in line.y)
    bottom = math.floor(10 * least) / 10
    axes = words("thousand steps"), words("test accuracy")
    return Chart(title, *axes, lines, top=1.0, bottom=bottom)


def batch_norm(found: Material, words: Translate) -> Slide:
    """Shows the small Inception with and without batch norm (Figure 2b)."""
    theirs = {
        "having": _paper_test(LARGE, paper.NONE),
        "lacking": _paper_test("inception_small_no_bn", paper.NONE),
    }
    draft = Slide(
        words("Batch norm"),
        [
            words("It makes training smoother; it was not made to regularize."),
            words("The paper: {having} with, {lacking} without.", **theirs),
        ],
        words(
            "Batch norm is an implicit regularizer: it smooths training. In the paper it wins a "
            "few points, {having} against {lacking}.",
            **theirs,
        ),
        told.papers(words("CIFAR-10, small Inception, Table 1 and Figure 2b"), words),
        missing="figure2.py:b",
    )
    shown = found.first(material.batch_norm)
    return draft if shown is None else _with_norms(draft, shown, theirs, words)


def _with_norms(draft: Slide, shown: Runs, theirs: dict[str, str], words: Translate) -> Slide:
    groups = [group for one in shown.series if (group := one.of("true_labels"))]
    having, lacking = (told.mean(group.test_accuracy()) for group in groups)
    script = words(
        "Batch norm is an implicit regularizer: it smooths training. Ours ends at {ours} with it "
        "and at {without} without; in the paper it is {having} against {lacking}, a few points.",
        ours=having,
        without=lacking,
        **theirs,
    )
    ours = words("Ours: {having} with, {lacking} without.", having=having, lacking=lacking)
    names = words("with batch norm"), words("without batch norm")
    chart = _accuracies(
        words("Test accuracy of the small Inception with and without batch norm"),
        dict(zip(names, groups, strict=True)),
        words,
    )
    first, second = draft.points
    small = told.ours(shown.results, shown.series, words)
    return told.with_ours(draft, script, small, [first, ours, second], charts=[chart])
