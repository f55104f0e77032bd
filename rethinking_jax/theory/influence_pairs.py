"""Which training examples help on which test examples (Feldman and Zhang 2020, section 3).

Pairs of one class whose training example is memorized are chosen on every other group of runs, and
their influence is measured on the rest, which had no part in the choice.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.galleries import Gallery, GalleryRow, picture
from rethinking_jax.analysis.intervals import Difference, jackknife
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.scores.contrast import contrast, split
from rethinking_jax.scores.influence import Pairs, cross_fitted_pairs, influence_of_pairs
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.theory.subset_runs import Memorized
from rethinking_jax.workdir.arrays import write_arrays
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath

MEMORIZED = 0.25  # the least memorization score of a pair's training example
INFLUENCE = 0.15  # the least influence of a pair, on the runs that choose it
FILE = "influence.npz"  # it holds all pairs
LISTED, SHOWN = 20, 8  # pairs of a setting in the table, and in the gallery

COLUMNS = (
    Column("labels", "name"),
    Column("training example", "train"),
    Column("test example", "test"),
    Column("class", "label"),
    Column("influence, choosing half", "chosen", "{:.3f}"),
    Column("measuring half", "measured", "{:.3f}"),
)
NOTE = (
    "Ids as in scores.csv. Pairs of one class, the training example with a memorization score of "
    f"at least {MEMORIZED} and an influence of at least {INFLUENCE}, both on every other group of "
    "runs; the other half of the runs measures them. The choosing half says too much: it chose. "
    f"The first {LISTED} of each setting; {FILE} has all."
)


class InfluencePairs(NamedTuple):
    """The pairs of one setting.

    Attributes:
      name: the setting.
      pairs: positions and influences.
      mean: the mean influence on the half that did not choose them, with its interval over
        groups of runs; None where there are no pairs, or too few groups for an interval.
    """

    name: str
    pairs: Pairs
    mean: Difference | None


def find_pairs(one: Memorized) -> InfluencePairs:
    """Chooses pairs of a setting on half of its groups of runs, and measures them on the rest."""
    answers, task = one.answers, one.setting.task
    first = np.arange(len(answers.trained)) // BLOCKS % 2 == 0
    scores = contrast(split(one.sums)[0]).value
    candidates = np.flatnonzero(scores >= MEMORIZED)
    same = task.train_labels[candidates, None] == task.test_labels
    pairs = cross_fitted_pairs(
        answers.trained, answers.test_correct, first, candidates, same, INFLUENCE
    )
    return InfluencePairs(one.setting.name, pairs, _mean(one, pairs, ~first))


def _mean(one: Memorized, pairs: Pairs, measuring: np.ndarray) -> Difference | None:
    trained, correct = (part[measuring] for part in (one.answers.trained, one.answers.test_correct))
    groups = np.arange(len(trained)) // BLOCKS
    if not len(pairs.train) or groups[-1] < 2:
        return None
    without = [
        influence_of_pairs(
            trained[groups != group], correct[groups != group], pairs.train, pairs.test
        ).mean()
        for group in range(groups[-1] + 1)
    ]
    return jackknife(float(pairs.measured.mean()), without, "groups")


def write_pairs(
    workdir: AnyPath, found: Sequence[InfluencePairs], settings: Sequence[Memorized]
) -> None:
    """Writes all pairs of all settings into influence.npz.

    Its arrays are settings (their names), setting (the index of a pair's), train and test (ids of
    the examples), chosen and measured (see `rethinking_jax.scores.influence.Pairs`).
    """
    counts = [len(one.pairs.train) for one in found]
    parts = [
        (own.setting.ids[one.pairs.train], own.setting.test_ids[one.pairs.test], *one.pairs[2:])
        for one, own in zip(found, settings, strict=True)
    ]
    names = ("train", "test", "chosen", "measured")
    columns = {
        name: np.concatenate(own) for name, own in zip(names, zip(*parts, strict=True), strict=True)
    }
    arrays = {
        "settings": np.array([one.name for one in found]),
        "setting": np.repeat(np.arange(len(found)), counts),
        **columns,
    }
    write_arrays(workdir / FILE, arrays)


def pair_table(found: Sequence[tuple[InfluencePairs, Memorized]]) -> Table:
    """Returns the table of the most influential pairs of each setting."""
    rows: list[Json] = []
    for own, one in found:
        setting = one.setting
        for train, test, chosen, measured in list(zip(*own.pairs, strict=True))[:LISTED]:
            rows.append(
                {
                    "name": own.name,
                    "train": int(setting.ids[train]),
                    "test": int(setting.test_ids[test]),
                    "label": int(setting.task.train_labels[train]),
                    "chosen": float(chosen),
                    "measured": float(measured),
                }
            )
    return table("influence", "Pairs of a training and a test example", COLUMNS, rows, NOTE)


def pair_gallery(found: InfluencePairs, one: Memorized, place: int) -> Gallery:
    """Returns the pictures of the pairs that influence most on the half that measures them.

    Args:
      found: the pairs.
      one: their setting.
      place: its number among the settings, for the names of the files.
    """
    pairs, setting = found.pairs, one.setting
    rows = []
    for pair in np.argsort(-pairs.measured, kind="stable")[:SHOWN]:
        train, test = pairs.train[pair], pairs.test[pair]
        influence = f"influence {pairs.measured[pair]:.2f}"
        rows.append(
            GalleryRow(
                f"class {setting.class_name(int(setting.task.train_labels[train]))}",
                [
                    picture(setting.task.train_images[train], [f"training {setting.ids[train]}"]),
                    picture(
                        setting.task.test_images[test],
                        [f"test {setting.test_ids[test]}", influence],
                    ),
                ],
            )
        )
    return Gallery(
        f"influence_{place}",
        f"Who helps whom, {one.setting.name}",
        "A memorized training example, and beside it a test example that networks rather get right "
        "where they have trained on it. Chosen on half of the runs, measured on the others.",
        rows,
    )
