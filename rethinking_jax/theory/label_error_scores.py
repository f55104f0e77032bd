"""The scores that `label_errors` compares, and what each is computed from.

Every score is float64 [n], larger for what is rather a label error, and is a mean over the runs of
a corruption where there are several.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from rethinking_jax.errors import UserError, nearest
from rethinking_jax.scores import confident
from rethinking_jax.scores.contrast import contrast, group_sums
from rethinking_jax.scores.dynamics import SCORES as LEARNED
from rethinking_jax.scores.nearest import disagreement
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.sweep.recorder import Recorded
from rethinking_jax.theory.label_error_networks import Kept
from rethinking_jax.theory.label_error_runs import Cell

NEIGHBOURS = 10


class Score(NamedTuple):
    """A score as tables and figures show it.

    Attributes:
      title: its name there.
      needs: what it is computed from: "records" of the runs on all examples, their "gradients",
        the "depth" of their layers, "folds", "subsets", or "pixels" alone.
    """

    title: str
    needs: Literal["records", "gradients", "depth", "folds", "subsets", "pixels"]


SCORES: dict[str, Score] = {
    "final_loss": Score("loss, last epoch", "records"),
    "cumulative_loss": Score("cumulative loss", "records"),
    "area_under_margin": Score("area under the margin", "records"),
    "forgetting": Score("forgetting events", "records"),
    "learned_last": Score("learned last", "records"),
    "wrong_events": Score("wrong events", "records"),
    "low_confidence": Score("low confidence", "records"),
    "variability": Score("variability", "records"),
    "final_confidence": Score("low confidence, last epoch", "records"),
    "final_error_norm": Score("EL2N, last epoch", "records"),
    "early_error_norm": Score("EL2N, early", "records"),
    "gradient_norm_start": Score("GraNd, at the start", "gradients"),
    "gradient_norm_early": Score("GraNd, early", "gradients"),
    "prediction_depth": Score("prediction depth", "depth"),
    "held_out_confidence": Score("low confidence, out of fold", "folds"),
    "held_out_margin": Score("margin, out of fold", "folds"),
    "confident_joint": Score("flag of the confident joint", "folds"),
    "consistency": Score("1 - C-score", "subsets"),
    "memorization": Score("memorization", "subsets"),
    "neighbours": Score("nearest neighbours in pixels", "pixels"),
}


def named(text: str) -> tuple[str, ...]:
    """Returns the names of the scores that a config asks for: "all", or names joined by +.

    Raises:
      UserError: a name is not known.
    """
    names = tuple(SCORES) if text == "all" else tuple(dict.fromkeys(text.split("+")))
    for name in names:
        if name not in SCORES:
            raise UserError(
                f"config.scores={text!r}: {name!r} is not known{nearest(name, SCORES)} (known: "
                f"all, or some of {'+'.join(SCORES)})"
            )
    return names


def measured_in(cell: Cell) -> tuple[str, ...]:
    """Returns the names of the scores that are asked for and that the runs of a cell allow."""
    runs = {"folds": cell.folds, "subsets": cell.subsets}
    return tuple(
        name for name in named(cell.config.scores) if runs.get(SCORES[name].needs, cell.whole)
    )


def check_measured(every: Sequence[Cell]) -> None:
    """Refuses a score that is asked for by name and that the runs of no cell allow.

    Raises:
      UserError: with the key that would give it such runs.
    """
    text = every[0].config.scores
    known = {name for cell in every for name in measured_in(cell)}
    for name in named(text):
        if name not in known and text != "all":
            raise UserError(
                f"config.scores={text!r}: {name} needs config.{SCORES[name].needs} above 0"
            )


class Found(NamedTuple):
    """What came of one cell.

    Attributes:
      cell: whose.
      labels: the given labels, int32 [n].
      corrupted: whether a given label is not the true one, bool [n].
      scores: float64 [n] each, by name.
      fitted: the share of the corrupted labels that the runs on all examples answer in the end;
        nan where nothing is corrupted.
    """

    cell: Cell
    labels: np.ndarray
    corrupted: np.ndarray
    scores: dict[str, np.ndarray]
    fitted: float


def found_of(
    cell: Cell,
    recorded: Mapping[str, Recorded],
    kept: Kept,
    near: np.ndarray,
) -> Found:
    """Computes the scores of a cell.

    Args:
      cell: whose runs are through.
      recorded: what was recorded of its runs, by "whole" and "subsets".
      kept: what was kept of its networks, see `label_error_networks`.
      near: positions of each example's nearest others in pixels, int [n, `NEIGHBOURS`].
    """
    names, whole = measured_in(cell), recorded["whole"]
    train = whole.splits["train"]
    labels = train.labels[0]
    corrupted = labels != train.true_labels
    found = {
        name: LEARNED[name](train.facts, whole.epochs).mean(0) for name in names if name in LEARNED
    }
    for name in ("early_error_norm", "gradient_norm_start", "gradient_norm_early",
                 "prediction_depth"):  # fmt: skip
        if name in names:
            own = [kept[run][name] for run in cell.whole if name in kept[run]]
            found[name] = np.mean(own, axis=0, dtype=np.float64)
    if cell.folds:
        found |= _out_of_fold(cell, labels, kept)
    if "subsets" in recorded:
        found |= _of_subsets(recorded["subsets"])
    found["neighbours"] = disagreement(labels, near, NEIGHBOURS)
    right = train.facts["correct"][:, corrupted]
    return Found(
        cell,
        labels,
        corrupted,
        {name: found[name] for name in names},
        float(right.mean()) if right.size else float("nan"),
    )


def _out_of_fold(cell: Cell, labels: np.ndarray, kept: Kept) -> dict[str, np.ndarray]:
    """Returns the scores of confident learning, from the runs that lack an example."""
    total = sum(_held_out(kept[run]) for run in cell.folds)
    lacking = sum(kept[run]["held_out"].astype(np.float64) for run in cell.folds)
    # Where the folds do not divide the examples a few are left out of two runs.
    probabilities = total / np.asarray(lacking)[:, None]
    return {
        "held_out_confidence": confident.low_self_confidence(probabilities, labels),
        "held_out_margin": confident.negative_margin(probabilities, labels),
        "confident_joint": confident.flags(probabilities, labels).astype(np.float64),
    }


def _held_out(own: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns a run's probabilities of the examples that it lacks, float64 [n, k]; else 0."""
    return np.where(own["held_out"][:, None], own["probabilities"], 0).astype(np.float64)


def _of_subsets(recorded: Recorded) -> dict[str, np.ndarray]:
    """Returns 1 - C-score at one ratio (Jiang et al. 2021), and memorization."""
    train = recorded.splits["train"]
    found = contrast(group_sums(train.trained, train.facts["correct"], BLOCKS))
    return {"consistency": 1 - found.outside, "memorization": found.value}
