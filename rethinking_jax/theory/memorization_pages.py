"""What the page and the files of the memorization scores show: tables, figures, galleries."""

from collections.abc import Mapping, Sequence

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot, marks
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.findings import finite
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, Picture, picture
from rethinking_jax.analysis.intervals import jackknife
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.scores.contrast import values_without
from rethinking_jax.scores.jackknife import jackknife_error
from rethinking_jax.scores.memorization import confirmed, histogram
from rethinking_jax.scores.ranking import auroc, spearman
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
        "correlation": finite(spearman(scores, beside.scores.value)) if beside else None,
    }


def learner_table(rows: Sequence[Json]) -> Table:
    """Returns the table of the rows."""
    return table("memorization", "Memorization scores", COLUMNS, rows, NOTE)


def histogram_plot(one: Memorized, place: int) -> Plot:
    """Draws the distribution of the scores of a setting, with its chance over groups of runs.

    Args:
      one: the setting.
      place: its number among the settings, for the names of the files.
    """
    shares = histogram(one.scores.value, EDGES)
    parts = np.stack([histogram(own, EDGES) for own in values_without(one.sums)])
    half = 1.96 * jackknife_error(parts)
    bars = Curve(
        one.setting.name,
        ((EDGES[1:] + EDGES[:-1]) / 2).tolist(),
        shares.tolist(),
        np.maximum(shares - half, 0).tolist(),
        (shares + half).tolist(),
        "95 % interval by jackknife over groups of runs",
        bars=True,
    )
    return Plot(
        f"scores_{place}",
        f"How much is memorized of how many examples, {one.setting.name}",
        f"Share of the examples in each bin of 0.05. {READ}",
        "memorization score",
        "share of the examples",
        [bars],
        log="y",
    )


def in_out_plot(found: Sequence[Memorized]) -> Plot:
    """Draws of single examples how often runs with and without them are right."""
    curves = []
    for one in found:
        corrupted, ids = one.setting.corrupted, one.setting.ids
        for kind, chosen in (("clean", ~corrupted), ("corrupted", corrupted)):
            places = np.flatnonzero(chosen)
            if len(places):
                x, y = (part[places].tolist() for part in (one.scores.outside, one.scores.inside))
                names = [f"id {ids[i]}" for i in places]
                curves.append(marks(f"{one.setting.name}, {kind} labels", x, y, names))
    return Plot(
        "in_out",
        "Right with the example in training, and without",
        "The memorization score is how far a point lies above the diagonal.",
        "right without it",
        "right with it",
        curves,
    )


def score_gallery(one: Memorized, place: int) -> Gallery:
    """Returns pictures of the most and of the least memorized examples of a setting.

    Args:
      one: the setting.
      place: its number among the settings, for the names of the files.
    """
    order = np.argsort(-one.scores.value, kind="stable")
    rows = [
        GalleryRow("most memorized", [_picture(one, i) for i in order[:SHOWN]]),
        GalleryRow("least memorized", [_picture(one, i) for i in order[::-1][:SHOWN]]),
    ]
    return Gallery(
        f"memorized_{place}",
        f"The most and the least memorized examples, {one.setting.name}",
        f"Each with its id, its label, the true one where it is another, and its score ± standard "
        f"error. {READ}",
        rows,
    )


def _picture(one: Memorized, place: int) -> Picture:
    setting = one.setting
    labels = setting.task.train_labels[place], setting.true_labels[place]
    given, true = (setting.class_name(int(label)) for label in labels)
    label = given if given == true else f"{given}, truly {true}"
    score = f"{one.scores.value[place]:.2f} ± {one.error[place]:.2f}"
    return picture(setting.task.train_images[place], [f"id {setting.ids[place]}", label, score])


def example_scores(
    settings: Sequence[Setting], columns: Sequence[Mapping[str, np.ndarray]]
) -> ExampleScores:
    """Returns what is known of every example, for files by id.

    Args:
      settings: the runs of the config.
      columns: of each the scores by their names, [n]. With several runs the name of a run
        stands behind that of a score.
    """
    found: dict[str, np.ndarray] = {"id": settings[0].ids, "true_label": settings[0].true_labels}
    for setting, own in zip(settings, columns, strict=True):
        end = f" {setting.name}" if len(settings) > 1 else ""
        found |= {f"label{end}": setting.task.train_labels}
        found |= {f"{name}{end}": values for name, values in own.items()}
    return ExampleScores(found)
