"""A section of a report in another language: all its words, and none of its numbers.

The outcomes of verdicts, what was typed, the config and the values of tables at full precision stay
as they are: programs read them.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.galleries import Gallery, GalleryRow
from rethinking_jax.analysis.results import Picture
from rethinking_jax.analysis.table import Table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.language.phrases import spoken

if TYPE_CHECKING:
    from rethinking_jax.report.section import Section

# What turns a finished English text into one of a language.
Say = Callable[[str], str]


def in_language(section: "Section", language: str) -> "Section":
    """Returns a section in a language of `rethinking_jax.language.translate`."""
    return section if language == "en" else translated(section, partial(spoken, language=language))


def translated(section: "Section", say: Say) -> "Section":
    """Returns a section each of whose texts has gone through `say`."""
    return section._replace(
        title=say(section.title),
        facts={say(name): say(value) for name, value in section.facts.items()},
        heading=say(section.heading),
        counts=say(section.counts),
        verdicts=[_verdict(one, say) for one in section.verdicts],
        plots=[_plot(one, say) for one in section.plots],
        sources=[say(one) for one in section.sources],
        tables=[_table(one, say) for one in section.tables],
        pictures=[(_picture(one, say), image) for one, image in section.pictures],
        galleries=[(_gallery(one, say), say(source)) for one, source in section.galleries],
    )


def _verdict(one: Verdict, say: Say) -> Verdict:
    # English puts "The paper" before a place of it. Here the place names the paper itself.
    place = say(one.source) if one.of_paper and one.place else say(one.place)
    return one._replace(
        claim=say(one.claim),
        place=place,
        series=say(one.series),
        ours=say(one.ours),
        paper=say(one.paper),
        of_paper=False,
    )


def _plot(plot: Plot, say: Say) -> Plot:
    return plot._replace(
        title=say(plot.title),
        caption=say(plot.caption),
        x_label=say(plot.x_label),
        y_label=say(plot.y_label),
        curves=[_curve(one, say) for one in plot.curves],
        level=plot.level and (plot.level[0], say(plot.level[1])),
        verticals=[(place, say(name)) for place, name in plot.verticals],
    )


def _curve(curve: Curve, say: Say) -> Curve:
    return curve._replace(
        label=say(curve.label),
        note=say(curve.note),
        remark=say(curve.remark),
        names=tuple(map(say, curve.names)),
    )


def _table(table: Table, say: Say) -> Table:
    named = table.keys[:1] == ["name"] and 0 not in table.words
    return table._replace(
        title=say(table.title),
        columns=[say(title) for title in table.columns],
        texts=[
            [
                _name(text, say) if named and not place else say(text)
                for place, text in enumerate(row)
            ]
            for row in table.texts
        ],
        note=say(table.note),
    )


def _name(name: str, say: Say) -> str:
    """Returns the name of a run, which is what its config calls it, unless that is a setting."""
    return say(name) if name in CORRUPTIONS else name


def _picture(picture: Picture, say: Say) -> Picture:
    return picture._replace(title=say(picture.title), caption=say(picture.caption))


def _gallery(gallery: Gallery, say: Say) -> Gallery:
    rows = [
        GalleryRow(
            say(row.label),
            [one._replace(lines=tuple(map(say, one.lines))) for one in row.pictures],
        )
        for row in gallery.rows
    ]
    return gallery._replace(title=say(gallery.title), caption=say(gallery.caption), rows=rows)
