"""The reports: the very pages that the commands write, and the list of them."""

from collections.abc import Iterable

from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import Results
from rethinking_jax.report.page import render
from website import kept, lessons, markdown
from website.kept import Kept

HEAD = "| report | numbers of | claims |\n| --- | --- | --- |"
# Where the report is shown that was chosen in the list.
FRAME = (
    '<iframe name="report" src="{first}" title="The report that was chosen in the list" '
    'class="report" loading="lazy"></iframe>'
)
LEFT_OUT = "Left out, for these reports show images that are not this project's to publish"


def page(found: Results | TheoryResults, language: str = "en") -> str:
    """Returns the report of an experiment as HTML, in a language."""
    return render([lessons.section_in(found, language)])


def listed(experiments: Iterable[Kept]) -> str:
    """Returns a table of all reports as Markdown, a frame that shows them, and what is left out."""
    several = list(experiments)
    shown = [one for one in several if one.report]
    others = [f"*{one.title}*" for one in several if not one.report]
    frame = FRAME.format(first=shown[0].report)
    return "\n".join([HEAD, *map(_row, shown), "", frame, "", f"{LEFT_OUT}: {', '.join(others)}."])


def _row(one: Kept) -> str:
    found = kept.verdicts(one)
    counts = [
        f"{count} {markdown.outcome(outcome)}"
        for outcome in (NO, YES)
        if (count := sum(verdict.outcome == outcome for verdict in found))
    ]
    return (
        f"| [{one.title}]({one.report}){{ target=report }} ([alone]({one.report})) "
        f"| {markdown.plain(one.sample())} | {', '.join(counts) or 'not judged'} |"
    )
