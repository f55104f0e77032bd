"""The figures and pictures of `label_errors`."""

from collections.abc import Mapping, Sequence

import numpy as np

from rethinking_jax.analysis import curves
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import curve
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, picture
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.scores.ranking import precision_recall
from rethinking_jax.theory.label_error_networks import SNAPSHOTS
from rethinking_jax.theory.label_error_scores import SCORES, Found

POINTS = 200  # of a precision-recall curve
TOP = 20
# The score by which suspects are shown, fixed before anything was measured.
SHOWN = ("held_out_confidence", "cumulative_loss", "final_loss")
# What the AUROC of a line's key is of.
SNAPSHOT_TITLES = {
    "auroc_loss": "loss of the epoch",
    "auroc_error_norm": "EL2N of the epoch",
    "auroc_margin": "margin of the epoch",
    "auroc_cumulative_loss": "cumulative loss",
    "auroc_area_under_margin": "area under the margin",
    "auroc_wrong_events": "wrong events",
}
FIRST = 6  # curves of scores that start switched on

Snapshots = Mapping[str, Mapping[str, np.ndarray]]  # setting -> key of a line -> [draws, epochs]


def plots(found: Sequence[Found], snapshots: Snapshots) -> list[Plot]:
    """Makes all figures.

    Args:
      found: the cells of the setting with the most scores.
      snapshots: the AUROC after each epoch, mean over the runs of a corruption.
    """
    first = found[0]
    made = []
    if first.corrupted.any():
        made.append(_precision_recall(first))
    if first.cell.setting in snapshots:
        made.append(_over_epochs(first.cell.setting, snapshots[first.cell.setting]))
        made.append(_by_setting(snapshots))
    if {"low_confidence", "variability"} <= first.scores.keys():
        made.append(_map(first))
    return made


def _precision_recall(one: Found) -> Plot:
    drawn = []
    best = sorted(one.scores, key=lambda name: -_area(one, name))
    for place, name in enumerate(best):
        recall, precision = precision_recall(one.scores[name], one.corrupted)
        # Precision where recall is reached first, at even steps: a page needs no more.
        at = np.unique(np.searchsorted(recall, np.linspace(recall[0], 1, POINTS)))
        own = curve(SCORES[name].title, recall[at].tolist(), precision[at].tolist())
        drawn.append(own._replace(shown=place < FIRST))
    chance = float(one.corrupted.mean())
    return Plot(
        "precision_recall",
        "What share of the suspects is wrong, and what share of the errors is found",
        f"{one.cell.setting}, its first corruption: {one.corrupted.sum():,} wrong labels of "
        f"{len(one.labels):,}. In the order of their average precision.",
        "recall: share of the errors found", "precision: share of the suspects", drawn,
        (chance, "chance"),
    )  # fmt: skip


def _area(one: Found, name: str) -> float:
    recall, precision = precision_recall(one.scores[name], one.corrupted)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _over_epochs(setting: str, own: Mapping[str, np.ndarray]) -> Plot:
    return Plot(
        "auroc_epochs",
        "How well the facts of one epoch, and sums up to it, find the errors",
        f"{setting}. Each by one network: mean over networks, then over the corruptions.",
        "epoch", "area under the ROC curve",
        [_curve(SNAPSHOT_TITLES[key], own[key]) for key in SNAPSHOTS if key in own],
        (0.5, "chance"),
    )  # fmt: skip


def _by_setting(snapshots: Snapshots) -> Plot:
    drawn = [_curve(setting, own["auroc_loss"]) for setting, own in snapshots.items()]
    return Plot(
        "auroc_settings",
        "The loss of one epoch finds the errors until they are memorized",
        "Each by one network: mean over networks, then over the corruptions.",
        "epoch", "area under the ROC curve of the loss", drawn, (0.5, "chance"),
    )  # fmt: skip


def _curve(label: str, values: np.ndarray) -> Curve:
    note = f"mean of {len(values)} corruptions, band from least to most"
    epochs = range(1, values.shape[1] + 1)
    return curves.seeds_curve(label, epochs, values.T.tolist(), note)


def _map(one: Found) -> Plot:
    confidence, spread = 1 - one.scores["low_confidence"], one.scores["variability"]
    drawn = [
        curves.marks(label, spread[chosen].tolist(), confidence[chosen].tolist())
        for label, chosen in (("right labels", ~one.corrupted), ("wrong labels", one.corrupted))
        if chosen.any()
    ]
    return Plot(
        "confidence_map",
        "Confidence and variability of every example over training",
        f"{one.cell.setting}, its first corruption; means over networks of the mean and of the "
        "standard deviation over epochs of the probability of the given label "
        "(Swayamdipta et al. 2020).",
        "variability", "confidence", drawn,
    )  # fmt: skip


def galleries(found: Sequence[Found], dataset: Dataset) -> list[Gallery]:
    """Shows the examples that are most suspicious by one score, with both labels of each.

    Args:
      found: one cell of each setting.
      dataset: their examples, whose labels are the true ones.
    """
    rows = []
    for one in found:
        score = next((name for name in SHOWN if name in one.scores), next(iter(one.scores)))
        suspects = np.argsort(-one.scores[score], kind="stable")[:TOP]
        pictures = [
            picture(
                np.asarray(dataset.train.images[i]),
                [
                    f"given: {dataset.class_names[one.labels[i]]}",
                    f"{'true' if one.corrupted[i] else 'same as true'}: "
                    f"{dataset.class_names[dataset.train.labels[i]]}",
                    f"id {dataset.train.ids[i]}",
                ],
            )
            for i in suspects.tolist()
        ]
        hits = int(one.corrupted[suspects].sum())
        label = f"{one.cell.setting}, by {SCORES[score].title}: {hits} of {len(suspects)} are wrong"
        rows.append(GalleryRow(label, pictures))
    return [
        Gallery(
            "suspects",
            "The most suspicious labels",
            "With the label that was given and the true one. Where both are the same the score "
            "suspects a right label, or one that was wrong in the data set to begin with.",
            rows,
        )
    ]
