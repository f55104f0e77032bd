"""The slides on SGD as a regularizer: the solution of least norm, and kernels (section 5)."""

from collections.abc import Sequence

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import told
from rethinking_jax.talk.material import Material
from rethinking_jax.talk.slide import Grid, Slide
from rethinking_jax.workdir.metrics import Json

# The rows of Table 3 that are shown, by their preprocessing, and what a reader is told of it.
KINDS = {"none": "pixels", "Gabor wavelets": "Gabor wavelets"}
STARTS = {"zero": "zero", "another": "another point"}


def least_norm(found: Material, words: Translate) -> Slide:
    """Shows that SGD on a linear model finds the solution of least norm."""
    draft = Slide(
        words("SGD as a regularizer: the least norm"),
        [
            words("A linear model with more features than examples has many solutions."),
            words("SGD that starts at zero finds the one of least norm: a regularizer that nobody "
                  "switched on."),
        ],
        words("Where is a regularizer then? In linear models the answer is known. Among all "
              "solutions that fit, SGD from zero finds the one of least norm. The algorithm itself "
              "is an implicit regularizer. For deep networks the paper leaves it open."),
        told.papers(words("section 5, an argument and no number"), words),
        missing="min_norm.py",
    )  # fmt: skip
    own = found.theory("min_norm")
    return draft if own is None else _with_starts(draft, own, words)


def _with_starts(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    rows = [row for row in own.summary["members"] if "to_least_norm" in row]
    zero = next(row for row in rows if row["start"] == "zero")
    other = next((row for row in rows if row["start"] != "zero"), zero)
    script = words(
        "Where is a regularizer then? In linear models we know. With {n} images and {d} features "
        "there are many solutions. SGD from zero ends within {distance:.1g} of the one of least "
        "norm; from another start it ends elsewhere, {away:.2f} away, and tests at error {other} "
        "instead of {zero}. The algorithm regularizes.",
        n=zero["examples"],
        d=f"{zero['dimension']:,}",
        distance=zero["to_least_norm"],
        away=other["to_least_norm"],
        other=told.number(other["test_error"]),
        zero=told.number(zero["test_error"]),
    )
    columns = [
        words("SGD starts at"),
        words("relative distance to the least norm"),
        words("norm"),
        words("training error"),
        words("test error"),
    ]
    grid = Grid(columns, [_start_row(row, words) for row in rows[:4]])
    images = words("{n} training images", n=zero["examples"])
    small = told.of_theory(own, words, images, told.seeds_of(rows, words))
    return told.with_ours(draft, script, small, draft.points, grid=grid)


def _start_row(row: Json, words: Translate) -> list[str]:
    return [
        words(STARTS[row["start"]]),
        f"{row['to_least_norm']:.2g}",
        f"{row['norm']:.1f}",
        told.number(row["train_error"]),
        told.number(row["test_error"]),
    ]


def kernels(found: Material, words: Translate) -> Slide:
    """Shows kernel machines of least norm, which interpolate and generalize (Table 3)."""
    first, second = paper.TABLE_3[:2]
    script = words(
        "Kernel machines solve for the least norm exactly. In the paper they reach error {pixels} "
        "on MNIST, with wavelets {wavelets}, although the norm is larger there, {large:.0f} "
        "instead of {small:.0f}. So the norm alone does not predict what generalizes.",
        pixels=told.number(first.test_error),
        wavelets=told.number(second.test_error),
        large=second.norm or 0,
        small=first.norm or 0,
    )
    columns = [words("kernel"), words("labels"), words("test error"), words("norm")]
    draft = Slide(
        words("Kernels interpolate, and generalize"),
        [words("The paper: the least norm is not all; wavelets test better, with a larger norm.")],
        script,
        told.papers(words("Table 3 and section 5, all training images"), words),
        grid=Grid(columns, _paper_rows(words)),
        missing="kernel.py",
    )
    own = found.theory("kernel")
    rows = [] if own is None else [row for row in own.summary["members"] if "kernel" in row]
    exact = [row for row in rows if not row["ridge"]]
    return draft if own is None or not exact else _with_kernels(draft, own, exact, words)


def _paper_rows(words: Translate) -> list[list[str]]:
    return [
        [
            words("the paper: {data}, {kind}", data=row.data, kind=words(KINDS[row.preprocessing])),
            words("true labels"),
            told.number(row.test_error),
            told.DASH if row.norm is None else f"{row.norm:.0f}",
        ]
        for row in paper.TABLE_3
        if row.preprocessing in KINDS
    ]


def _with_kernels(
    draft: Slide, own: TheoryResults, rows: Sequence[Json], words: Translate
) -> Slide:
    errors = ", ".join(
        f"{words(row['kernel'] + ' kernel')} {told.number(row['test_error'])}"
        for row in rows
        if row["corruption"] == "true_labels"
    )
    script = f"{draft.script} {words('Our test errors: {list}.', list=errors)}"
    ours = [
        [
            words("ours: {name}", name=words(f"{row['kernel']} kernel")),
            words(str(row["corruption"]).replace("_", " ")),
            told.number(row["test_error"]),
            f"{row['norm']:.0f}",
        ]
        for row in rows[:4]
    ]
    grid = Grid(draft.grid.columns if draft.grid else [], [*ours, *_paper_rows(words)])
    images = words("{n} training images", n=f"{rows[0]['train_examples']:,}")
    small = told.of_theory(own, words, images, told.seeds_of(rows, words))
    return told.with_ours(draft, script, small, draft.points, grid=grid)
