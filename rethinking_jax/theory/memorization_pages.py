"""What the page and the files of the memorization scores show: tables, figures, galleries."""

from collections.abc import Mapping, Sequence

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot, marks
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, Picture, picture
from rethinking_jax.analysis.intervals import jackknife
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.scores.contrast import values_without
from rethinking_jax.scores.jackknife import jackknife_error
from rethinking_jax.scores.memorization import confirmed, histogram
from rethinking_jax.scores.ranking import auroc
from rethinking_jax.theory.subset_runs import Memorized, Setting
from rethinking_jax.workdir.metrics import Json

TAIL = 0.25  # the score from which Feldman and Zhang (2020) count an example as memorized
EDGES = np.round(np.arange(-0.3, 1.051, 0.05), 6)  # of the histogram's bins
SHOWN = 20  # pictures of each row of the gallery

COLUMNS = (
    Column("labels", "name"),
    Column("learner", "learner"),
    Column("mean mem", "mean", "{:.4f}"),
    Column("±", "mean_half", "{:.4f}"),
    Column("on corrupted labels", "corrupted_mean", "{:.4f}"),
    Column("on clean labels", "clean_mean", "{:.4f}"),
    Column(f"mem of at least {TAIL}", "tail", "{:.4f}"),
    Column("confirmed on both halves", "confirmed", "{:.4f}"),
    Column("error, median", "error", "{:.4f}"),
    Column("AUROC of corrupted labels", "auroc", "{:.4f}"),
    Column("rank correlation with the network's", "correlation", "{:.3f}"),
)
NOTE = (
    "mem: how much more often runs are right on an example that they train on. ±: half of the 95 % "
    "interval over groups of ten runs. Confirmed: the share of the examples that reach it on each "
    "of two halves of the runs by itself, which chance makes too small, as it makes the share of "
    "all runs too large. Error: standard error of one example's score, by jackknife. nearest: one "
    "nearest neighbour, over all subsets in closed form; kernel: a Gaussian kernel machine, each "
    "example left out of the whole training set once."
)
READ = "The largest of many scores are larger than they would be in other runs."


def network_row(one: Memorized) -> Json:
    """Returns the row of the networks of a setting."""
    without = values_without(one.sums).mean(1)
    mean = jackknife(float(one.scores.value.mean()), without.tolist(), "groups")
    tail = confirmed(one.sums, TAIL)
    return {
        **learner_row(one.setting, "network", one.scores.value),
        "mean_half": (mean.high - mean.low) / 2,
        "confirmed": tail.confirmed / tail.examples,
        "confirmed_count": tail.confirmed,
        "confirmed_mean": None if np.isnan(tail.mean) else tail.mean,
        "error": float(np.median(one.error)),
        "inside": float(one.scores.inside.mean()),
        "outside": float(one.scores.outside.mean()),
    }


def learner_row(
    setting: Setting, learner: str, scores: np.ndarray, beside: Memorized | None = None
) -> Json:
    """Returns the row of a learner on a setting.

    Args:
      setting: the examples.
      learner: its name.
      scores: its scores, float64 [n].
      beside: what the networks memorize.
    """
    corrupted = setting.corrupted
    some, all_ = bool(corrupted.any()), bool(corrupted.all())
    return {
        "name": setting.name,
        "learner": learner,
        "examples": len(scores),
        "corrupted": int(corrupted.sum()),
        "mean": float(scores.mean()),
        "mean_half": None,
        "corrupted_mean": float(scores[corrupted].mean()) if some else None,
        "clean_mean": None if all_ else float(scores[~corrupted].mean()),
        "tail": float((scores >= TAIL).mean()),
        "confirmed": None,
        "error": None,
        "auroc": float(auroc(scores, corrupted)) if some and not all_ else None,
        "correlation": _correlation(scores, beside.scores.value) if beside else None,
