"""A report: one page that opens from a file, without a network, and the files beside it."""

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from rethinking_jax.analysis import curves, figure2, figures, tables
from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.results import PICTURES, Results, series
from rethinking_jax.analysis.verdicts import Verdict, verdicts
from rethinking_jax.course import lessons
from rethinking_jax.data.load import origin_of
from rethinking_jax.data.origin import Request
from rethinking_jax.workdir.storage import AnyPath, write_atomically

# Config keys that a report shows where some run switches them on.
OFF_BY_DEFAULT = (
    "augmentation",
    "dropout_rate",
    "label_smoothing",
    "weight_decay_kind",
    "mixup_alpha",
    "sam_radius",
)


def write_report(workdir: AnyPath, results: Results) -> None:
    """Writes figures/, tables/ and report.html of one workdir.

    Raises:
      OSError: they cannot be written.
    """
    summary = results.summary
    every = dict.fromkeys(member["model"] for member in summary["members"])
    for plot in all_plots(results):
        models = ", ".join(plot.models or every)
        source = f"ours: {models} on {summary['dataset']}, {summary['device']}"
        if plot.slide:
            source = lessons.source(results)
        figures.write(plot, source, workdir / "figures")
    tables.write_tables(tables.tables(results), workdir / "tables")
    write_page(workdir / "report.html", [section(results)])


def all_plots(results: Results) -> list[Plot]:
    """Every figure that the runs allow; of a lesson of the course, its slides."""
    if lesson := lessons.lesson_of(results):
        return lessons.slides(lesson, results)
    first, second = curves.plots(results), figure2.plots(results)
    # Figure 2 has the same accuracies, by what differs between the runs.
    return [plot for plot in first if not second or plot.name != "accuracy"] + second


def write_page(path: AnyPath, sections: Sequence[dict[str, Any]]) -> None:
    """Writes one page of `section`s; the same bytes every time."""
    write_atomically(path, render(sections))


def page(several: Sequence[Results]) -> str:
    """The page of several results as HTML that loads nothing from anywhere."""
    return render([section(results, index) for index, results in enumerate(several)])


def render(sections: Sequence[dict[str, Any]]) -> str:
    """Sections (see `section` for their keys) as a page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rethinking_jax", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    charts = [one for section in sections for one in section["charts"]]
    return environment.get_template("page.html.j2").render(
        sections=sections, data=_embedded({one["id"]: one["data"] for one in charts})
    )


# Of a summary, and what such images are for.
COUNTED = {
    "train_examples": "training",
    "validation_examples": "validation",
    "test_examples": "test",
    "outside_examples": "outside",
}
UNTESTED = (
    "The paper's claims are about the test set, and these runs leave it alone: hyper-parameters "
    "are chosen by validation, and the chosen runs alone looked at it, once."
)


def _verdicts(results: Results) -> list[Verdict]:
    """What the lecture or the paper says, held against the runs."""
    if lesson := lessons.lesson_of(results):
        return lesson.judge(results)
    return [] if results.validated else verdicts(series(results))


def section(results: Results, index: int = 0) -> dict[str, Any]:
    """What the template needs of one workdir, the index-th of its page."""
    summary = results.summary
    lesson = lessons.lesson_of(results)
    found = _verdicts(results)
    claims = "What the lecture says" if lesson else "The paper's claims"
    plots = all_plots(results)
    return {
        "title": f"{summary['experiment']} on {summary['dataset']}",
        "facts": _facts(results),
        "command": summary.get("command"),
        "config": results.config,
        "verdicts": [v for v in found if v.outcome in (YES, NO)],
        "unmeasured": [v for v in found if v.outcome not in (YES, NO)],
        "several_series": len(series(results)) > 1,
        "claims": claims,
        "counts": _counts(found, claims) if found else UNTESTED,
        "charts": [chart(plot, f"s{index}f{i}") for i, plot in enumerate(plots)],
        "tables": tables.tables(results),
        "pictures": [
            (PICTURES[name], base64.b64encode(image).decode())
            for name, image in results.pictures.items()
        ],
    }


def _facts(results: Results) -> dict[str, str]:
    """What was run, on what, for how long."""
    summary = results.summary
    models = dict.fromkeys(member["model"] for member in summary["members"])
    classes = summary.get("num_classes")
    swept = {key for override in results.config["sweep"] for key in override}
    sizes = ", ".join(
        f"{summary[key]:,} {word}"
        for key, word in COUNTED.items()
        # Of the first run: other runs may have more or fewer.
        if summary.get(key) and not (key == "train_examples" and swept & {"dataset", key})
    )
    kind = "points" if origin_of(Request(summary["dataset"])).holds_points else "images"
    keys = ("optimizer", "learning_rate", "lr_decay", "momentum", "weight_decay", "batch_size")
    known = {
        key: ", ".join(dict.fromkeys(_values(results.config, key)))
        for key in keys
        if key in results.config
    }
    for key in OFF_BY_DEFAULT:
        values = dict.fromkeys(_values(results.config, key) if key in results.config else [])
        if set(values) - {"", "0", "0.0", "coupled"}:
            known[key] = ", ".join(value or "none" for value in values)
    return {
        "data": f"{summary['dataset']}: {sizes} {kind}"
        + (f", {classes} classes" if classes else ""),
        "model": ", ".join(models),
        "runs": str(len(summary["members"])),
        "training": "; ".join(f"{key} {value}" for key, value in known.items()),
        "device": summary["device"],
        "time": _duration(summary["wall_seconds"]),
        "versions": ", ".join(f"{name} {version}" for name, version in summary["versions"].items()),
    }


def _values(config: dict[str, Any], key: str) -> list[str]:
    """What each run of a sweep has for a key."""
    return [str({**config, **override}[key]) for override in config["sweep"] or [{}]]


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} seconds" if minutes < 2 else f"{minutes:,.0f} minutes"


def _counts(found: Sequence[Verdict], claims: str) -> str:
    yes, no = (sum(v.outcome == outcome for v in found) for outcome in (YES, NO))
    several = len({v.series for v in found}) > 1
    each = ", each model or variant judged by itself" if several else ""
    return f"{claims}, held against these runs{each}: {yes} yes, {no} no, " + (
        f"{len(found) - yes - no} not measured."
    )


def chart(plot: Plot, identity: str) -> dict[str, Any]:
    """A figure of a section; `identity` begins every id in it."""
    drawing = figures.draw(plot, identity)
    legend = [
        {
            "id": f"{identity}-curve-{i}",
            "label": curve.label,
            "note": curve.note,
            "shown": curve.shown,
            "style": figures.style(i, curve),
        }
        for i, curve in enumerate(plot.curves)
    ]
    data = {
        **drawing.scale,
        "names": [plot.x_label, plot.y_label],
        "curves": [
            [[_short(value) for value in point] for point in zip(*columns, strict=True)]
            for columns in map(_columns, plot.curves)
        ],
    }
    # Drawn by matplotlib from numbers and from labels of this package: markup, not text.
    svg = Markup(drawing.svg)
    return {"id": identity, "plot": plot, "svg": svg, "legend": legend, "data": data}


def _columns(curve: curves.Curve) -> list[Sequence[float]]:
    best = [curve.best] if curve.best else []
    return [curve.x, curve.y, curve.low, curve.high, *best]


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _embedded(data: Any) -> Any:
    """JSON that no text in it can end: every < is written as an escape."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup(text)
