"""What of a report is not in Spanish."""

import html
from pathlib import Path

from rethinking_jax.analysis import findings
from rethinking_jax.language.phrases import spoken, untranslated
from rethinking_jax.report.section import section
from rethinking_jax.report.translation import translated


def left_in_english(workdir: Path) -> list[str]:
    """What the phrase book does not know of the section of an experiment of theory.

    Where its config asks for Spanish, the titles that its page and its figures lack are among it.
    """
    found = findings.read(workdir)
    unknown: list[str] = []

    def say(text: str) -> str:
        unknown.extend(untranslated(text))
        return spoken(text, "es")

    translated(section(found._replace(config={**found.config, "language": "en"})), say)
    if found.config["language"] == "es":
        shown = section(found)
        page = html.unescape((workdir / "report.html").read_text())
        titled = (*shown.plots, *shown.tables, *(gallery for gallery, _ in shown.galleries))
        unknown += [one.title for one in titled if one.title not in page]
        for plot in shown.plots:
            drawn = html.unescape((workdir / "figures" / f"{plot.name}.svg").read_text())
            unknown += [label for label in (plot.x_label, plot.y_label) if label not in drawn]
    return list(dict.fromkeys(unknown))
