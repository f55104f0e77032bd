"""The look of the deck: 16:9, Arial, a title at the left above a thin line, and slide numbers.

It is made of the empty deck that python-pptx ships, so that titles, texts and slide numbers are
placeholders: outlines, screen readers and other designs find them.
"""

from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE, PP_PLACEHOLDER
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import BaseOxmlElement
from pptx.util import Inches

from rethinking_jax.analysis.drawing import COLORS

if TYPE_CHECKING:
    from pptx.presentation import Presentation as Deck
    from pptx.shapes.base import BaseShape
    from pptx.slide import SlideLayout

# All lengths are in inches: left, top, width, height.
Box = tuple[float, float, float, float]
SLIDE = (40 / 3, 7.5)
TITLE: Box = (0.6, 0.3, 12.13, 0.95)
CONTENT: Box = (0.6, 1.55, 12.13, 5.0)
SOURCE: Box = (0.6, 6.68, 11.4, 0.62)
NUMBER: Box = (12.13, 6.9, 0.6, 0.35)
HEADLINE: Box = (0.9, 1.9, 11.5, 1.6)
BELOW_HEADLINE: Box = (0.9, 3.75, 11.5, 1.9)

INK, QUIET, ACCENT, PALE = "1F2933", "52606D", "1F4E79", "E6ECF2"
TITLE_SIZE, HEADLINE_SIZE, SMALL_SIZE = 30, 40, 11
# The layouts of the empty deck that are kept, by their places.
OPENING, TEXT = 0, 1
BAR = 900  # the number of the shape that parts the title from the rest
MARGIN = Inches(0.04)  # within a text box, at each side


def empty_deck() -> "tuple[Deck, dict[int, SlideLayout]]":
    """Makes a deck without slides, and its layouts by `OPENING` and `TEXT`."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = (Inches(length) for length in SLIDE)
    layouts = {place: deck.slide_layouts[place] for place in (OPENING, TEXT)}
    for layout in list(deck.slide_layouts):
        if layout not in layouts.values():
            deck.slide_layouts.remove(layout)
    _dress_theme(deck)
    _dress_master(deck)
    for place, layout in layouts.items():
        _dress_layout(deck, layout, place == OPENING)
    return deck, layouts


def put(shape: "BaseShape", box: Box) -> None:
    """Moves a shape to a box."""
    shape.left, shape.top, shape.width, shape.height = (Inches(length) for length in box)


def color(text: str) -> RGBColor:
    """Returns a colour of python-pptx, given as RRGGBB or #RRGGBB."""
    made: RGBColor = RGBColor.from_string(text.removeprefix("#").upper())
    return made


def _dress_theme(deck: "Deck") -> None:
    """Sets the fonts and the colours that new text and charts of the deck have."""
    part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    text = part.blob.decode().replace('typeface="Calibri"', 'typeface="Arial"')
    old = ("1F497D", "4F81BD", "C0504D", "9BBB59", "8064A2", "4BACC6", "F79646")
    new = (ACCENT, *(one.removeprefix("#").upper() for one in COLORS))
    for before, after in zip(old, new, strict=False):
        text = text.replace(f'"{before}"', f'"{after}"')
    part._blob = text.encode()


def _dress_master(deck: "Deck") -> None:
    master = deck.slide_master
    for style, size, bold in (("titleStyle", TITLE_SIZE, True), ("bodyStyle", 24, False)):
        first = master.element.find(f".//{qn(f'p:{style}')}/{qn('a:lvl1pPr')}")
        first.set("algn", "l")
        run = first.find(qn("a:defRPr"))
        run.set("sz", str(100 * size))
        run.set("b", str(int(bold)))
        fill = run.find(f"{qn('a:solidFill')}/{qn('a:schemeClr')}")
        if bold and fill is not None:
            fill.set("val", "tx2")
    for shape in list(master.placeholders):
        _place(shape, False)
    left, top, width, height = TITLE
    master.shapes._spTree.append(_bar(deck, (left, top + height + 0.04, width, 0.025)))


def _bar(deck: "Deck", box: Box) -> BaseOxmlElement:
    """Makes a filled bar; masters and layouts have no method that adds one, and slides have."""
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *(Inches(length) for length in box))
    bar.fill.solid()
    bar.fill.fore_color.rgb = color(ACCENT)
    bar.line.fill.background()
    bar.shadow.inherit = False
    bar.name = "Bar"
    # Where it goes its number must be no other shape's.
    bar.element.xpath(".//p:cNvPr")[0].set("id", str(BAR))
    _drop_slides(deck)
    made: BaseOxmlElement = bar.element
    return made


def _drop_slides(deck: "Deck") -> None:
    """Takes all slides out of a deck."""
    identities = deck.slides._sldIdLst
    for one in list(identities):
        deck.part.drop_rel(one.rId)
        identities.remove(one)


def _dress_layout(deck: "Deck", layout: "SlideLayout", opening: bool) -> None:
    for shape in list(layout.placeholders):
        _place(shape, opening)
    if opening:
        # The rule of the other slides would cross the large title: a broad one stands at the left.
        layout.element.set("showMasterSp", "0")
        layout.shapes._spTree.append(_bar(deck, (0.0, 0.0, 0.45, SLIDE[1])))


def _place(shape: "BaseShape", opening: bool) -> None:
    """Moves a placeholder of a master or a layout to its place; a date or a footer is removed."""
    kind = shape.placeholder_format.type
    if kind in (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER):
        shape.element.getparent().remove(shape.element)
    elif kind in (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE):
        put(shape, HEADLINE if opening else TITLE)
        _tighten(shape, "b" if opening else "ctr")
        if opening:
            _set_first_level(shape, HEADLINE_SIZE)
    elif kind == PP_PLACEHOLDER.SLIDE_NUMBER:
        put(shape, NUMBER)
        _tighten(shape, "ctr")
    else:
        put(shape, BELOW_HEADLINE if opening else CONTENT)
        _tighten(shape, "t")
        if opening:
            _set_first_level(shape, 24)


def _tighten(shape: Any, anchor: str) -> None:
    """Gives a placeholder small margins, and says where its text stands."""
    body = shape.text_frame._txBody.bodyPr
    for child in list(body):
        body.remove(child)
    for side in ("lIns", "rIns", "tIns", "bIns"):
        body.set(side, str(int(MARGIN)))
    body.set("anchor", anchor)


def _set_first_level(shape: Any, size: int) -> None:
    """Sets the type of a layout's placeholder, whatever style it has."""
    body = shape.text_frame._txBody
    for old in body.findall(qn("a:lstStyle")):
        body.remove(old)
    style = etree.SubElement(body, qn("a:lstStyle"))
    body.insert(1, style)  # behind the properties of the whole text
    level = etree.SubElement(style, qn("a:lvl1pPr"), marL="0", indent="0", algn="l")
    etree.SubElement(level, qn("a:buNone"))
    etree.SubElement(level, qn("a:defRPr"), sz=str(100 * size))
