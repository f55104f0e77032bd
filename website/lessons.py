"""The pages of the lessons, each in English and in Spanish.

What a page says comes from two places: the lesson's claims, its slides and its numbers from the
module of the lesson and the runs in docs/results, and what a teacher says around them from
website/lessons/NAME.toml, which has both languages beside each other.
"""

import tempfile
import textwrap
import tomllib
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.analysis import drawing, packed
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import PICTURES, Results
from rethinking_jax.report.section import Section, section
from rethinking_jax.workdir.metrics import Json
from website import kept, markdown

# The folder of the pages of each language; the page beside it, FOLDER.md, lists them.
FOLDERS = {"en": "lessons", "es": "lecciones"}
# The words of a page that all lessons share.
WORDS = {
    "en": {
        "other": "En español",
        "lecture": "What the lecture says, and what came out",
        "of": "Numbers of",
        "run": "Run it",
        "minutes": "About {n} min on two CPU cores that have nothing else to do.",
        "whole": "On the lecture's own data, which must be prepared and takes longer:",
        "questions": "Questions",
        "report": "The whole report",
        "open": "Open it alone",
        "yes": "yes",
        "no": "no",
        "not measured": "not measured",
    },
    "es": {
        "other": "In English",
        "lecture": "Lo que dice la clase y lo que resultó",
        "of": "Números de",
        "run": "Para ejecutarla",
        "minutes": "Unos {n} min en dos núcleos de CPU que no hagan otra cosa.",
        "whole": "Con los datos de la clase, que hay que preparar y tardan más:",
        "questions": "Preguntas",
        "report": "El informe completo",
        "open": "Abrirlo aparte",
        "yes": "sí",
        "no": "no",
        "not measured": "no se midió",
    },
}


class Lesson(NamedTuple):
    """A lesson of the site.

    Attributes:
      name: the name of its pages.
      results: the name of its file in docs/results.
      config: the name of its config.
      minutes: how long that takes on two CPU cores.
      whole: the argument of the config for the lecture's own data, or "".
      words: by language its `title`, its `line` in the list of lessons, what it is `about`, a
        `note` on its numbers where they need one, and `questions`, each with `ask` and `answer`.
      found: its runs.
    """

    name: str
    results: str
    config: str
    minutes: int
    whole: str
    words: dict[str, Json]
    found: Results

    def report(self, language: str) -> str:
        """The address of its report in a language."""
        return (
            f"reports/{self.results}.html"
            if language == "en"
            else f"reports/{self.results}.{language}.html"
        )


def lessons() -> list[Lesson]:
    """Reads all lessons, in the order in which they are taught.

    Raises:
      UserError: the runs of one are damaged.
    """
    read = []
    for file in kept.LESSONS.glob("*.toml"):
        own = tomllib.loads(file.read_text(encoding="utf-8"))
        read.append((own["place"], file.stem, own))
    return [_lesson(name, own) for _, name, own in sorted(read)]


def _lesson(name: str, own: Json) -> Lesson:
    found = packed.read(kept.RESULTS / f"{own['results']}.zip")
    assert isinstance(found, Results)
    words = {language: own[language] for language in FOLDERS}
    return Lesson(name, own["results"], own["config"], own["minutes"], own["whole"], words, found)


def section_in(found: Results | TheoryResults, language: str) -> Section:
    """Returns what the report of an experiment shows in a language."""
    return section(found._replace(config={**found.config, "language": language}))


def pictures(lesson: Lesson, language: str) -> dict[str, bytes]:
    """Draws the slides of a lesson; returns each as a PNG by its address in the site."""
    shown = section_in(lesson.found, language)
    with tempfile.TemporaryDirectory() as folder:
        for plot, source in zip(shown.plots, shown.sources, strict=True):
            drawing.write(plot, source, Path(folder), kinds=["png"])
        drawn = {file.name: file.read_bytes() for file in Path(folder).glob("*.png")}
    for name, content in lesson.found.pictures.items():
        drawn[f"{name}.{PICTURES[name].kind}"] = content
    return {f"{_folder(lesson, language)}/{name}": content for name, content in drawn.items()}


def page(lesson: Lesson, language: str) -> str:
    """Returns the page of a lesson in a language as Markdown."""
    words, own = WORDS[language], lesson.words[language]
    other = next(one for one in FOLDERS if one != language)
    shown = section_in(lesson.found, language)
    parts = [
        f"# {own['title']}",
        f"[{words['other']}](../{FOLDERS[other]}/{lesson.name}.md)",
        own["about"].strip(),
        f"## {words['lecture']}",
        *_claims(shown, language),
        *_figures(lesson, shown),
        *([own["note"].strip()] if "note" in own else []),
        f"## {words['run']}",
        _command(lesson.config),
        words["minutes"].format(n=lesson.minutes),
        *([words["whole"], _command(f"{lesson.config}:{lesson.whole}")] if lesson.whole else []),
        f"## {words['questions']}",
        *(_question(one) for one in own["questions"]),
        f"## {words['report']}",
        _report(lesson, language),
    ]
    return "\n\n".join(parts) + "\n"


def listed(several: list[Lesson], language: str) -> str:
    """Returns the list of all lessons in a language as Markdown."""
    return "\n".join(
        f"- [{one.words[language]['title']}]({FOLDERS[language]}/{one.name}.md): "
        f"{one.words[language]['line']}"
        for one in several
    )


def _folder(lesson: Lesson, language: str) -> str:
    return f"{FOLDERS[language]}/{lesson.name}"


def _claims(shown: Section, language: str) -> list[str]:
    return [
        f"- {markdown.outcome(one.outcome, WORDS[language][one.outcome])} "
        f"**{markdown.plain(one.claim)}** {markdown.plain(one.ours)}"
        for one in shown.verdicts
    ]


def _figures(lesson: Lesson, shown: Section) -> list[str]:
    parts = []
    for name, (picture, _) in zip(lesson.found.pictures, shown.pictures, strict=True):
        parts.append(_figure(f"{lesson.name}/{name}.{picture.kind}", picture.title))
    for plot in shown.plots:
        parts.append(_figure(f"{lesson.name}/{plot.name}.png", plot.title))
        parts.append(f"*{markdown.plain(plot.caption)}*")
    return parts


def _figure(file: str, title: str) -> str:
    return f"![{markdown.plain(title)}]({file})"


def _command(config: str) -> str:
    return f"```bash\npython -m rethinking_jax.main --config={config}\n```"


def _question(one: Json) -> str:
    ask = " ".join(one["ask"].split()).replace('"', "&quot;")
    return f'??? question "{ask}"\n\n' + textwrap.indent(one["answer"].strip(), "    ")


def _report(lesson: Lesson, language: str) -> str:
    words, address = WORDS[language], lesson.report(language)
    title = f"{words['report']}: {lesson.words[language]['title']}"
    return (
        f"[{words['open']}](../{address})\n\n"
        f'<iframe src="../{address}" title="{title}" loading="lazy" class="report"></iframe>'
    )
