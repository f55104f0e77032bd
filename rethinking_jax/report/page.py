"""The report: a page that opens from a file, without a network, and the files beside it."""

import base64
import json
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from rethinking_jax.analysis import drawing, example_scores, gallery_files
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.galleries import Picture
from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.table import write_tables
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.language.translate import Translate, translator
from rethinking_jax.report import first_screen
from rethinking_jax.report.charts import Chart, chart
from rethinking_jax.report.section import Section, section
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, write_atomically

# The files that become part of every page: what it looks like, and what its controls do.
STYLE = ("page.css", "print.css")
SCRIPT = ("figures.js", "tables.js", "export.js")
# A table of at least so many rows has a box that filters them; more than that are folded.
FILTERED, FOLDED = 6, 12
# So many claims of one outcome are seen at once, and on paper; the others are folded.
SEEN = 24
# The tables with a row for each run.
OF_RUNS = ("results", "standing", "norms")
PAPER = {
    "title": "Understanding deep learning requires rethinking generalization",
    "authors": "Zhang, Bengio, Hardt, Recht, Vinyals",
    "name": "arXiv 1611.03530",
    "address": "https://arxiv.org/abs/1611.03530",
}


class Part(NamedTuple):
    """A section as the template shows it.

    Attributes:
      id: what every id in it begins with.
      shown: the section.
      language: the language of its words.
      say: translates the words of the template.
      sentence: what came out.
      counts: how many claims came out how.
      main: the figure beside the sentence, or None.
      charts: the other figures.
    """

    id: str
    shown: Section
    language: str
    say: Translate
    sentence: str
    counts: dict[str, int]
    main: Chart | None
    charts: list[Chart]


def write_report(workdir: AnyPath, found: Results | TheoryResults | Unfinished) -> None:
    """Writes figures/, tables/ and report.html of one workdir; of one not finished the page alone.

    Where there are scores of examples it writes scores.csv again, too.

    Raises:
      OSError: they cannot be written.
    """
    shown = section(found)
    if isinstance(found, Unfinished):  # the files are those of the command that works there
        write_page(workdir / "report.html", [shown])
        return
    for plot, source in zip(shown.plots, shown.sources, strict=True):
        drawing.write(plot, source, workdir / "figures")
    for gallery, source in shown.galleries:
        gallery_files.write(gallery, source, workdir / "figures")
    write_tables(shown.tables, workdir / "tables")
    if shown.scores is not None:
        example_scores.write_csv(workdir, shown.scores)
    write_atomically(workdir / "report.html", render([shown], beside_files=True))


def write_page(path: AnyPath, sections: Sequence[Section]) -> None:
    """Writes one page of sections, the same bytes every time."""
    write_atomically(path, render(sections))


def page(several: Sequence[Results | TheoryResults]) -> str:
    """Returns the page of several workdirs as HTML that loads nothing from anywhere."""
    return render([section(found) for found in several])


def render(sections: Sequence[Section], beside_files: bool = False) -> str:
    """Returns the page of sections as HTML; one that lies beside the files of a workdir links them.

    The words around each section are in the language of its config, and those of the page in that
    of the first section.

    Args:
      sections: what the page shows, one at least.
      beside_files: whether it is a workdir's own page.
    """
    parts = [_part(shown, f"s{i}") for i, shown in enumerate(sections)]
    charts = [one for part in parts for one in (part.main, *part.charts) if one]
    data = {one.id: one.data for one in sorted(charts, key=_place)}
    return environment().get_template("page.html.j2").render(
        parts=parts,
        data=_embedded(data),
        style=_joined(STYLE),
        script=_joined(SCRIPT),
        image_of=_image,
        beside_files=beside_files,
        filtered=FILTERED,
        folded=FOLDED,
        seen=SEEN,
        of_runs=OF_RUNS,
        paper=PAPER,
    )  # fmt: skip


def environment() -> jinja2.Environment:
    """Returns what reads the template of the page: it escapes every text, and knows every name."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("rethinking_jax", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _part(shown: Section, identity: str) -> Part:
    language = shown.config.get("language", "en")
    say = _speaker(language)
    main = first_screen.main_figure(shown.plots)
    charts = [
        chart(plot, source, f"{identity}f{i}", say)
        for i, (plot, source) in enumerate(zip(shown.plots, shown.sources, strict=True))
    ]
    return Part(
        identity,
        shown,
        language,
        say,
        first_screen.sentence(shown, say),
        first_screen.counts(shown),
        None if main is None else charts[main],
        [one for i, one in enumerate(charts) if i != main],
    )


def _speaker(language: str) -> Translate:
    """Returns a translator whose values may be markup; those that are texts are escaped."""
    translate = translator(language)

    def say(phrase: str, **values: object) -> str:
        text = translate(phrase)
        return Markup.escape(text).format(**values) if values else text

    return say


def _place(one: Chart) -> tuple[int, int]:
    """Returns the place of a figure on the page, by its section and in it."""
    of_section, of_figure = one.id.removeprefix("s").split("f")
    return int(of_section), int(of_figure)


def _image(picture: Picture) -> str:
    """Returns a picture of a gallery as an address that holds all of it."""
    content = base64.b64encode(gallery_files.png(picture.pixels)).decode()
    return f"data:image/png;base64,{content}"


def _joined(names: Sequence[str]) -> Markup:
    """Returns files of this folder as they are, one after the other."""
    folder = resources.files(__package__)
    return Markup("\n".join((folder / name).read_text("utf-8").strip() for name in names))


def _embedded(data: Json) -> Markup:
    """Returns JSON that no text in it can end: every < is written as an escape."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup(text)
