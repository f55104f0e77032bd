"""A deck of slides as a file of PowerPoint, with what is said in the notes of each."""

import copy
import io
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from PIL import Image
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import chart, fit, grid, theme
from rethinking_jax.talk.slide import Picture, Slide, Timed

if TYPE_CHECKING:
    from pptx.slide import Slide as Shown
    from pptx.slide import SlideLayout

SIZES = (26, 24, 22, 20, 18)  # of the points of a slide, from large to small
AFTER = 8.0  # points below each paragraph
BULLET = 0.4  # inches that a bullet takes, and what is free at both sides
GAP = 0.25  # between what stands on a slide
LEAST = 3.3  # the least height of charts and pictures
BESIDE = 4.5  # the width of the text beside a chart
TONGUES = {"en": "en-US", "es": "es-MX"}


def to_bytes(slides: Sequence[Timed], words: Translate, language: str) -> bytes:
    """Returns the deck of some slides as the content of a .pptx file.

    Args:
      slides: what is shown and said, and for how long.
      words: translates the few words that all notes have.
      language: "en" or "es", which programs that check the spelling are told.
    """
    deck, layouts = theme.empty_deck()
    ends = list(accumulate(one.seconds for one in slides))
    for (slide, seconds), end in zip(slides, ends, strict=True):
        kind = theme.OPENING if slide.opening else theme.TEXT
        shown = deck.slides.add_slide(layouts[kind])
        shown.shapes.title.text = slide.title
        _fill(shown, slide, words)
        _add_number(shown, layouts[kind])
        when = words(
            "{n} seconds, from {start} to {end}", n=seconds, start=_clock(end - seconds),
            end=_clock(end),
        )  # fmt: skip
        whole = words("The whole talk takes {n} seconds: {clock} minutes.", n=ends[-1],
                      clock=_clock(ends[-1]))  # fmt: skip
        parts = [f"[{when}]", *([whole] if end == ends[0] else []), slide.script]
        shown.notes_slide.notes_text_frame.text = "\n".join(parts)
        _say_language(shown, TONGUES[language])
    core = deck.core_properties
    core.title, core.author, core.language = slides[0].slide.title, "", TONGUES[language]
    content = io.BytesIO()
    deck.save(content)
    return content.getvalue()


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _fill(shown: "Shown", slide: Slide, words: Translate) -> None:
    """Puts text, charts, table and picture of a slide beside or below each other."""
    left, top, width, height = theme.BELOW_HEADLINE if slide.opening else theme.CONTENT
    points = [*slide.points, *_how_to_measure(slide, words)]
    # Beside a chart a command would be broken in lines.
    beside = len(slide.charts) == 1 and not slide.missing
    below = not beside and bool(slide.charts or slide.grid or slide.picture)
    room = (BESIDE if beside else width) - BULLET
    least = _least_below(slide, width) if below else 0.0
    size = fit.largest(points, (room, height - least), SIZES[1:] if beside or below else SIZES,
                       AFTER)  # fmt: skip
    taken = fit.height(points, size, room, AFTER) + 0.1
    box = (left, top, BESIDE if beside else width, taken if below else height)
    _write_points(shown, points, size, box)
    if beside:
        left, width = left + BESIDE + GAP, width - BESIDE - GAP
    elif below:
        top, height = top + taken + GAP / 2, height - taken - GAP / 2
    _show(shown, slide, (left, top, width, height))
    if slide.source:
        _write_source(shown, slide.source)


def _how_to_measure(slide: Slide, words: Translate) -> list[str]:
    """Returns what a slide without numbers of ours says of how to have them."""
    if not slide.missing:
        return []
    command = f"python -m rethinking_jax.main --config=configs/{slide.missing}"
    return [words("Not measured in these runs. This measures it:"), command]


def _show(shown: "Shown", slide: Slide, box: theme.Box) -> None:
    """Adds the table, the charts or the picture of a slide in a box."""
    left, top, width, height = box
    if slide.grid is not None:
        how = grid.measured(slide.grid, (width, height))
        made = grid.add(shown, slide.grid, (left, top), how)
        _describe(made, "; ".join(slide.grid.columns))
    across = (width - GAP * (len(slide.charts) - 1)) / max(len(slide.charts), 1)
    for i, one in enumerate(slide.charts):
        own = left + i * (across + GAP), top, across, height
        _describe(chart.add(shown, one, own), one.title)
    if slide.picture is not None:
        _add_picture(shown, slide.picture, box)


def _least_below(slide: Slide, width: float) -> float:
    """Returns the least height that what stands below the text of a slide needs."""
    if slide.grid is None:
        return LEAST
    return sum(grid.measured(slide.grid, (width, 0.0)).heights) + GAP


def _write_points(shown: "Shown", points: Sequence[str], size: int, box: theme.Box) -> None:
    """Writes each point as a paragraph of the slide's placeholder for text."""
    body = next(one for one in shown.placeholders if one.placeholder_format.idx == 1)
    theme.put(body, box)
    frame = body.text_frame
    frame.word_wrap = True
    for i, point in enumerate(points):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        run = paragraph.add_run()
        run.text = point
        run.font.size = Pt(size)
        run.font.color.rgb = theme.color(theme.INK)
        paragraph.space_after = Pt(AFTER)
        paragraph.space_before = Pt(0)


def _write_source(shown: "Shown", text: str) -> None:
    left, top, width, height = (Inches(length) for length in theme.SOURCE)
    box = shown.shapes.add_textbox(left, top, width, height)
    box.name = "Source"
    frame = box.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = theme.MARGIN
    run = frame.paragraphs[0].add_run()
    run.text = text
    run.font.size = Pt(theme.SMALL_SIZE)
    run.font.color.rgb = theme.color(theme.QUIET)


def _add_picture(shown: "Shown", picture: Picture, box: theme.Box) -> None:
    """Adds a picture as large as a box allows, in its middle."""
    left, top, width, height = box
    with Image.open(io.BytesIO(picture.content)) as image:
        scale = min(width / image.width, height / image.height)
        across, down = image.width * scale, image.height * scale
    place = left + (width - across) / 2, top + (height - down) / 2, across, down
    made = shown.shapes.add_picture(
        io.BytesIO(picture.content), *(Inches(length) for length in place)
    )
    _describe(made, picture.words)


def _describe(shape: Any, words: str) -> None:
    """Says in words what a shape shows, for those who do not see it."""
    shape._element.xpath(".//p:cNvPr")[0].set("descr", words)


def _add_number(shown: "Shown", layout: "SlideLayout") -> None:
    """Adds the slide's number, which python-pptx leaves to the layout."""
    placeholders: Any = layout.placeholders
    for shape in placeholders:
        if shape.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
            shown.shapes._spTree.append(copy.deepcopy(shape.element))
            made = shown.shapes[-1]
            made._element.xpath(".//p:cNvPr")[0].set("id", str(len(shown.shapes) + 100))
            theme.put(made, theme.NUMBER)


def _say_language(shown: "Shown", tongue: str) -> None:
    """Tells programs that check the spelling in which language a slide and its notes are."""
    for tree in (shown._element, shown.notes_slide._element):
        for run in tree.iter(qn("a:r")):
            run.get_or_add_rPr().set("lang", tongue)
