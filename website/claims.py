"""The page that lists every verdict, those that came out "no" first."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.verdicts import Verdict
from website import kept, markdown
from website.kept import Kept

# The parts of the page, in its order; what was not measured is folded.
PARTS = {NO: "Came out no", YES: "Came out yes", NOT_MEASURED: "Not measured"}
LECTURE = "The lecture"  # whose claims have no place in a paper


class Row(NamedTuple):
    """A verdict, and the experiment that gave it."""

    verdict: Verdict
    kept: Kept


def rows(experiments: Iterable[Kept]) -> list[Row]:
    """Returns every verdict of some experiments, in their order."""
    return [Row(one, own) for own in experiments for one in kept.verdicts(own)]


def page(found: Sequence[Row]) -> str:
    """Returns the list of all verdicts as Markdown."""
    parts = [_counts(found)]
    for outcome, title in PARTS.items():
        own = [row for row in found if row.verdict.outcome == outcome]
        listed = "\n".join(_claims(own))
        if outcome == NOT_MEASURED:
            # Each claim stands there once for each experiment that could not say.
            listed = f'??? note "{len(own)} verdicts"\n' + textwrap.indent(listed, "    ")
        parts.append(f"## {title}\n\n{listed}")
    return "\n\n".join(parts) + "\n"


def _counts(found: Sequence[Row]) -> str:
    named = {(row.verdict.claim, row.verdict.place) for row in found}
    parts = [
        f"{sum(row.verdict.outcome == outcome for row in found)} {markdown.outcome(outcome)}"
        for outcome in PARTS
    ]
    named_data = (row.kept.summary["dataset"] for row in found)
    # Of a checkerboard the number of its points stands behind a colon.
    data = sorted({name.split(":")[0] for names in named_data for name in names.split(", ")})
    experiments = {row.kept.name for row in found}
    return (
        f"{len(found)} verdicts on {len(named)} claims, from {len(experiments)} experiments on "
        f"{', '.join(data)}: {', '.join(parts)}."
    )


def _claims(found: Sequence[Row]) -> list[str]:
    """Returns each claim with its verdicts, the paper's claims first."""
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(found, key=lambda row: not row.verdict.of_paper):
        one = row.verdict
        grouped.setdefault((one.claim, one.place, one.paper), []).append(row)
    lines = []
    for own in grouped.values():
        first = own[0].verdict
        lines.append(f"**{markdown.plain(first.claim)}**")
        source = first.source or LECTURE
        said = f"{source}: {first.paper}" if first.paper else source
        lines.append(f"<br>{markdown.plain(said)}")
        lines += ["", *map(_item, own), ""]
    return lines


def _item(row: Row) -> str:
    """Returns a verdict as an item of a list."""
    verdict, own = row.verdict, row.kept
    title = markdown.plain(own.title)
    named = f"[{title}]({own.report})" if own.report else title
    discussed = f" ([discussion]({own.discussion}))" if own.discussion else ""
    note = f" {markdown.plain(own.note)}" if own.note else ""
    return (
        f"- {markdown.outcome(verdict.outcome)} {markdown.plain(own.sample(verdict))}. "
        f"{markdown.plain(verdict.ours)} {named}{discussed}.{note}"
    )
