"""What a report shows of one workdir, of trained runs as well as of an experiment of theory."""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from rethinking_jax.analysis import lesson, unfinished
from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.drawable import drawable
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.figures import figures, figures_so_far
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.galleries import Gallery
from rethinking_jax.analysis.results import PICTURES, Picture, Results, series
from rethinking_jax.analysis.table import Table
from rethinking_jax.analysis.tables import tables
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.analysis.verdicts import ALL_MODELS, Verdict, verdicts
from rethinking_jax.course import lesson_of
from rethinking_jax.data.checkerboard import is_checkerboard
from rethinking_jax.report.translation import in_language
from rethinking_jax.workdir.metrics import Json

# The words for the counts of a summary.
COUNTED = {
    "train_examples": "training",
    "validation_examples": "validation",
    "test_examples": "test",
    "outside_examples": "outside",
}
# The config keys of training that every report shows, where a run has them.
TRAINING = ("optimizer", "learning_rate", "lr_decay", "momentum", "weight_decay", "batch_size")
# The config keys that it shows where some run switches them on, and the value of each that is off.
OFF = {
    "augmentation": "",
    "dropout_rate": 0.0,
    "init_scale": 1.0,
    "initializer": "model",
    "label_smoothing": 0.0,
    "weight_decay_kind": "coupled",
    "mixup_alpha": 0.0,
    "sam_radius": 0.0,
}
UNTESTED = (
    "The paper's claims are about the test set, and these runs leave it alone: hyper-parameters "
    "are chosen by validation, and the chosen runs alone looked at it, once."
)


class Section(NamedTuple):
    """What a report shows of one workdir.

    Attributes:
      title: what stands above it.
      facts: what was run, as texts by their names.
      command: what was typed, or None where that is not known.
      config: the config of the workdir.
      heading: what the claims are called.
      counts: how many of them came out how.
      verdicts: the claims with their outcomes.
      several_series: whether a verdict must say whose runs it is about.
      plots: the figures.
      sources: of each figure, whose numbers it shows: its files travel alone.
      tables: the tables.
      pictures: the pictures of images, each with its content in base64.
      galleries: pictures of examples, each gallery with its source.
      scores: the scores of each example, or None.
    """

    title: str
    facts: dict[str, str]
    command: str | None
    config: Json
    heading: str
    counts: str
    verdicts: list[Verdict]
    several_series: bool
    plots: list[Plot]
    sources: list[str]
    tables: list[Table]
    pictures: list[tuple[Picture, str]]
    galleries: Sequence[tuple[Gallery, str]] = ()
    scores: ExampleScores | None = None

    @property
    def measured(self) -> list[Verdict]:
        """The verdicts that say yes or no."""
        return [verdict for verdict in self.verdicts if verdict.outcome in (YES, NO)]

    @property
    def unmeasured(self) -> list[Verdict]:
        """The verdicts on what was not measured."""
        return [verdict for verdict in self.verdicts if verdict.outcome not in (YES, NO)]


def section(found: Results | TheoryResults | Unfinished) -> Section:
    """Returns what a report shows of runs, through or not, or of an experiment of theory.

    Its words are in the language of the config.
    """
    if isinstance(found, Unfinished):
        shown = _of_unfinished(found)
    else:
        shown = _of_runs(found) if isinstance(found, Results) else _of_theory(found)
    return in_language(shown, shown.config.get("language", "en"))


def _of_theory(found: TheoryResults) -> Section:
    summary, findings = found.summary, found.found
    source = f"ours: {summary['dataset']}, {summary['device']}"
    return Section(
        title=_title(summary),
        facts={
            **findings.facts,
            "device": summary["device"],
            "time": f"{summary['wall_seconds']:.0f} seconds",
            "versions": _versions(summary),
        },
        command=summary["command"],
        config=found.config,
        heading="Claims",
        counts=_counts("Claims, held against these numbers", findings.verdicts),
        verdicts=findings.verdicts,
        several_series=False,
        plots=[drawable(plot) for plot in findings.plots],
        sources=[source] * len(findings.plots),
        tables=findings.tables,
        pictures=[],
        galleries=[(one, source) for one in findings.galleries],
        scores=findings.scores,
    )


def _of_runs(results: Results) -> Section:
    own_lesson, plots, found = lesson_of(results), plots_of(results), verdicts_of(results)
    heading = "What the lecture says" if own_lesson else "The paper's claims"
    several = len({verdict.series for verdict in found}) > 1
    each = ", each model or variant judged by itself" if several else ""
    return Section(
        title=_title(results.summary),
        facts=facts(results),
        command=results.summary.get("command"),
        config=results.config,
        heading=heading,
        counts=_counts(f"{heading}, held against these runs{each}", found) if found else UNTESTED,
        verdicts=found,
        several_series=len(series(results)) > 1,
        plots=plots,
        sources=[_source(results, plot) for plot in plots],
        tables=tables(results),
        pictures=[
            (PICTURES[name], base64.b64encode(image).decode())
            for name, image in results.pictures.items()
        ],
    )


def _of_unfinished(found: Unfinished) -> Section:
    """Shows curves so far, and compares and judges what is through alone."""
    results, ended = found.results, unfinished.ended(found)
    plots = figures_so_far(unfinished.so_far(found), ended)
    times = [own[-1].get("elapsed_seconds") or 0.0 for own in results.lines.values() if own]
    heading = "What the lecture says" if lesson_of(results) else "The paper's claims"
    judged, waiting = _judged_so_far(found)
    counts = f"{heading}: not judged yet, {found.through}."
    if judged:
        counts = _counts(f"{heading}, held against the runs that are through", judged)
    return Section(
        title=f"{_title(results.summary)}, not finished",
        facts={
            "state": found.told,
            **_facts(results),
            "time": _duration(max(times, default=0.0)),
        },
        command=found.owner.get("command"),
        config=results.config,
        heading=heading,
        counts=f"{counts} Not yet: {', '.join(waiting)}." if waiting else counts,
        verdicts=judged,
        several_series=len(series(results)) > 1,
        plots=plots,
        sources=[_source(results, plot) for plot in plots],
        tables=[unfinished.standing_table(found), *(tables(ended) if ended.models else [])],
        pictures=[],
    )


def _judged_so_far(found: Unfinished) -> tuple[list[Verdict], list[str]]:
    """Judges the models all of whose runs are through; names those that are waited for.

    A lesson is judged when all is through, and what is said of all models is, too.
    """
    if lesson_of(found.results) or found.results.validated:
        return [], []
    done, waiting = unfinished.parted_families(found)
    judged = verdicts([one for family in done for one in family.series]) if done else []
    names = [unfinished.waited_for(found, family) for family in waiting]
    return [one for one in judged if not waiting or one.series != ALL_MODELS], names


def plots_of(results: Results) -> list[Plot]:
    """Draws the slides of a lesson of the course, or every figure that the runs allow."""
    own_lesson = lesson_of(results)
    return lesson.slides(own_lesson, results) if own_lesson else figures(results)


def verdicts_of(results: Results) -> list[Verdict]:
    """Judges what the lecture or the paper says."""
    if own_lesson := lesson_of(results):
        return own_lesson.judge(results)
    return [] if results.validated else verdicts(series(results))


def _source(results: Results, plot: Plot) -> str:
    """Says whose numbers a figure shows."""
    if plot.slide:
        return lesson.source(results)
    models = ", ".join(plot.models or results.models)
    return f"ours: {models} on {results.summary['dataset']}, {results.summary['device']}"


def _title(summary: Json) -> str:
    return f"{summary['experiment']} on {summary['dataset']}"


def _versions(summary: Json) -> str:
    return ", ".join(f"{name} {version}" for name, version in summary["versions"].items())


def _counts(what: str, found: Sequence[Verdict]) -> str:
    yes, no = (sum(verdict.outcome == outcome for verdict in found) for outcome in (YES, NO))
    return f"{what}: {yes} yes, {no} no, {len(found) - yes - no} not measured."


def facts(results: Results) -> dict[str, str]:
    """Says what was run, on what, for how long."""
    summary = results.summary
    return {
        **_facts(results),
        "device": summary["device"],
        "time": _duration(summary["wall_seconds"]),
        "versions": _versions(summary),
    }


def _facts(results: Results) -> dict[str, str]:
    """Says what is run and on what, which is known from the start."""
    share = f", share {results.share} of a sweep" if results.share else ""
    return {
        "data": _data(results),
        "model": ", ".join(results.models),
        "runs": f"{len(results.summary['members'])}{share}",
        "training": _training(results),
    }


def _data(results: Results) -> str:
    summary = results.summary
    # The number of training images is that of the first run: others may have more or fewer.
    differs = {"dataset", "train_examples"} & set(results.swept)
    sizes = ", ".join(
        f"{summary[key]:,} {word}"
        for key, word in COUNTED.items()
        if summary.get(key) and not (key == "train_examples" and differs)
    )
    kind = "points" if is_checkerboard(summary["dataset"]) else "images"
    classes = f", {summary['num_classes']} classes" if summary.get("num_classes") else ""
    return f"{summary['dataset']}: {sizes} {kind}{classes}"


def _training(results: Results) -> str:
    """Says how the runs were trained: the values of each key, in the order of the runs."""
    known = [key for key in TRAINING if key in results.config]
    known += [
        key
        for key, off in OFF.items()
        if key in results.config and any(config[key] != off for config in results.configs)
    ]
    values = {key: dict.fromkeys(str(config[key]) for config in results.configs) for key in known}
    return "; ".join(
        f"{key} {', '.join(value or 'none' for value in own)}" for key, own in values.items()
    )


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} seconds" if minutes < 2 else f"{minutes:,.0f} minutes"
