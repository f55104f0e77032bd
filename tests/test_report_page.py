"""The report page as people use it: first screen, languages, tables, figures, size."""

import html.parser
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from helpers.results import made, noise_sweep, run
from jinja2 import nodes

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.curves import Curve, Plot, marks
from rethinking_jax.analysis.results import Picture
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.translate import translator
from rethinking_jax.report import charts, first_screen, page
from rethinking_jax.report.section import Section, section

SAY = translator("en")
VOID = ("meta", "link", "img", "input", "br")
# The attributes that people read or hear.
READ = ("alt", "aria-label", "data-says", "placeholder", "title")


def verdicts(*outcomes: str) -> list[Verdict]:
    return [Verdict(f"Claim {i}.", "", "", one, "ours", "") for i, one in enumerate(outcomes)]


def shown(*outcomes: str, **changes: object) -> Section:
    plain = Section("t", {"data": "d"}, "c", {}, "Claims", "No claims.", [], False, [], [], [], [])
    return plain._replace(verdicts=verdicts(*outcomes))._replace(**changes)  # type: ignore[arg-type]


def line(label: str, *values: float, **changes: object) -> Curve:
    x, y = [float(i) for i in range(len(values))], list(values)
    return Curve(label, x, y, y, y)._replace(**changes)  # type: ignore[arg-type]


def plot(name: str, *curves: Curve) -> Plot:
    return Plot(name, f"Title of {name}", "", "epoch", "error", list(curves))


class Read(html.parser.HTMLParser):
    """The elements of a page: (tag, attributes, text within), in order; also of a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}, []))
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.elements[self.open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.elements[place][2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        """The attributes and the text of each element with a tag and these attributes."""
        return [
            (own, " ".join("".join(texts).split()))
            for name, own, texts in self.elements
            if name == tag and attributes.items() <= own.items()
        ]

    def ids(self) -> list[str]:
        return [own["id"] for _, own, _ in self.elements if "id" in own]


# Words ----------------------------------------------------------------------------------


def _template() -> nodes.Template:
    found = page.environment()
    assert found.loader
    return found.parse(found.loader.get_source(found, "page.html.j2")[0])


def _written(node: nodes.Node) -> Iterator[str]:
    """The texts that an expression of the template writes as they stand there."""
    if isinstance(node, nodes.Call):  # what it is given goes through `say`, or is no text
        return
    if isinstance(node, nodes.Const):
        yield str(node.value)
    elif isinstance(node, nodes.CondExpr):
        yield from _written(node.expr1)
        yield from _written(node.expr2) if node.expr2 else ()
    elif isinstance(node, nodes.Concat | nodes.Or | nodes.And):
        for part in node.iter_child_nodes():
            yield from _written(part)


def test_every_word_of_the_template_goes_through_the_translator() -> None:
    made = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "".join(_written(part))
        for output in _template().find_all(nodes.Output)
        for part in output.nodes
    )
    assert re.search("<figcaption>.*</figcaption>", made)  # this is the template indeed
    words = []
    for tag, attributes, texts in Read(made).elements:
        words += [value for key, value in attributes.items() if key in READ]
        if tag in ("title", "body"):
            words += texts
    assert [word for word in words if re.search(r"[^\W\d]", word)] == []


def test_every_phrase_of_the_template_is_known_in_spanish() -> None:
    calls = [
        call
        for call in _template().find_all(nodes.Call)
        if "say" in (getattr(call.node, "name", ""), getattr(call.node, "attr", ""))
    ]
    first = [call.args[0] for call in calls]
    phrases = [str(one.value) for one in first if isinstance(one, nodes.Const)]
    assert len(phrases) > 30 and set(phrases) <= SPANISH.keys()
    # What is no constant is an outcome.
    assert all(isinstance(one, nodes.Const | nodes.Name | nodes.Getattr) for one in first)
    assert {"yes", "no", "not measured"} <= SPANISH.keys()


def test_the_script_has_no_words_of_its_own() -> None:
    script = str(page._joined(page.SCRIPT))
    words = {str(key) for key in _script_words()}
    assert set(re.findall(r"words\.(\w+)", script)) == words
    code = re.sub(r"//.*", "", script)
    written = re.findall(r"(?:textContent|innerText|label\") *[=,] *[\"`](.*?)[\"`]", code)
    assert [text for text in written if re.search(r"[a-z]", re.sub(r"\$\{.*?\}", "", text))] == []


def _script_words() -> dict[str, str]:
    found = Read(page.render([shown()])).all("section")
    return json.loads(found[0][0]["data-words"])


def test_each_section_has_its_language_and_the_frame_that_of_the_first() -> None:
    parts = [shown("yes", "no", config={"language": "es"}), shown("not measured")]
    read = Read(page.render(parts))
    assert [own["lang"] for own, _ in read.all("html")] == ["es"]
    assert [own["lang"] for own, _ in read.all("section")] == ["es", "en"]
    (_, title), (_, heading) = read.all("title")[0], read.all("h1")[0]
    assert title.endswith("¿qué memoriza una red?") and heading.startswith("¿Qué memoriza")
    counts = [text for _, text in read.all("ul", **{"class": "counts"})]
    assert counts == ["1 sí 1 no 0 no se midió", "0 yes 0 no 1 not measured"] * 2
    words = [json.loads(own["data-words"]) for own, _ in read.all("section")]
    assert (words[0]["curve"], words[1]["curve"]) == ("curva", "curve")
    assert words[0].keys() == words[1].keys()


# The first screen -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], "No claims."),
        (["not measured"] * 3, "None of 3 claims was measured by these runs."),
        (["yes", "not measured"], "The one claim that was measured holds."),
        (["yes", "yes"], "All 2 measured claims hold."),
        (["yes", "no"], "1 of 2 measured claims hold; this one does not: Claim 1."),
        (["no", "yes", "no"],
         "1 of 3 measured claims hold; 2 do not, the first of them: Claim 0."),
    ],
)  # fmt: skip
def test_one_sentence_says_what_came_out(outcomes: list[str], said: str) -> None:
    one = shown(*outcomes)
    assert first_screen.sentence(one, SAY) == said
    assert sum(first_screen.counts(one).values()) == len(outcomes)
    assert first_screen.sentence(one, translator("es"))


def test_the_counts_lead_to_the_verdicts() -> None:
    read = Read(page.render([shown("yes", "no", "not measured", "yes")]))
    links = {own["href"]: text for own, text in read.all("a") if own["href"].startswith("#")}
    assert links == {"#s0-yes": "2 yes", "#s0-no": "1 no", "#s0-not-measured": "1 not measured"}
    assert {link.removeprefix("#") for link in links} <= set(read.ids())
    none = Read(page.render([shown("yes")]))
    assert [own["href"] for own, _ in none.all("a")][:-1] == [
        "#s0-yes"
    ]  # none to what is not there
    # What came out no is first.
    order = [own["class"] for own, _ in read.all("div") if "verdict" in own.get("class", "")]
    assert order == ["verdict no", "verdict yes", "verdict yes"]


@pytest.mark.parametrize(
    ("names", "main"),
    [
        ([], None),
        (["learning_curves", "accuracy"], "learning_curves"),
        (["learning_curves", "figure_1b", "figure_1c"], "figure_1b"),
        (["scores_0", "in_out"], "scores_0"),
    ],
)
def test_the_main_figure_shows_what_training_came_to(names: list[str], main: str | None) -> None:
    plots = [plot(name, line("a", 1, 2)) for name in names]
    found = first_screen.main_figure(plots)
    assert (None if found is None else names[found]) == main


def test_the_main_figure_stands_beside_the_sentence_and_each_figure_once() -> None:
    plots = [plot(name, line("a", 1, 2)) for name in ("learning_curves", "figure_1b")]
    read = Read(page.render([shown(plots=plots, sources=["ours"] * 2)]))
    (first,) = (text for own, text in read.all("div") if own.get("class") == "first")
    assert first.startswith("No claims. Title of figure_1b") and "learning_curves" not in first
    drawn = [own["id"] for own, _ in read.all("div") if own.get("class") == "chart"]
    assert drawn == ["s0f1", "s0f0"]


def test_a_page_of_several_has_a_table_of_contents_with_their_counts() -> None:
    assert not Read(page.render([shown("yes")])).all("nav")
    read = Read(page.render([shown("yes"), shown("no", title="other")]))
    ((_, text),) = read.all("nav")
    assert text == "t 1 yes 0 no 0 not measured other 0 yes 1 no 0 not measured"
    assert {"s0", "s1"} <= set(read.ids())


def test_hundreds_of_claims_are_folded() -> None:
    text = page.render([shown(*["yes"] * 30)])
    assert "6 more: yes" in text and text.count('<div class="verdict yes"') == 30


# Tables ---------------------------------------------------------------------------------


def test_tables_can_be_filtered_and_sorted() -> None:
    rows = [{"run": f"<{i}>", "accuracy": i / 7} for i in range(300)]
    columns = [Column("run", "run", words=True), Column("accuracy", "accuracy", "{:.2f}")]
    tables = [
        table(name, name, columns, rows[:count])
        for name, count in (("results", 300), ("label_noise", page.FILTERED), ("paper", 1))
    ]
    read = Read(page.render([shown(tables=tables)], beside_files=True))
    filters = [own["data-filters"] for own, _ in read.all("input")]
    assert filters == ["s0t0", "s0t1"] and {own["id"] for own, _ in read.all("tbody")} > {*filters}
    says = [own["data-says"] for own, _ in read.all("output")]
    assert says == ["{shown} of {all} runs", "{shown} of {all} rows"]
    assert all(own["type"] == "search" for own, _ in read.all("input"))
    assert [text for _, text in read.all("label")] == ["Filter", "Filter"]
    # Only what a script serves waits for it, and a button in a header is reached by the keyboard.
    assert all("hidden" in own for own, _ in read.all("p", **{"class": "filter"}))
    sorts = [own.get("aria-sort") for own, _ in read.all("th")]
    assert sorts == ["none"] * 4 + [None] * 2
    assert len(read.all("button", **{"class": "sort", "type": "button"})) == 4
    files = [(own["href"], text) for own, text in read.all("a") if own["href"].endswith(".csv")]
    assert files == [(f"tables/{one.name}.csv",) * 2 for one in tables]
    assert ".csv" not in page.render([shown(tables=tables)]).split("<script")[0]


# Figures --------------------------------------------------------------------------------


def _data(text: str) -> dict[str, Any]:
    return json.loads(text.split('id="data">')[1].split("</script>")[0])


def test_the_page_holds_every_point_in_full_precision() -> None:
    rng = np.random.default_rng(0)
    values = [rng.random(50).tolist() for _ in range(3)]
    band = line("b", *values[1], low=values[0], high=values[2], best=values[2])
    odd = line("c", float("nan"), float("inf"), 1 / 3, x=[0.0, 0.1, 1 / 7])
    found = _data(page.render([shown(plots=[plot("a", line("a", *values[0]), band, odd)],
                                     sources=["ours"])]))["s0f0"]["curves"]  # fmt: skip
    assert found[0] == {"x": [float(i) for i in range(50)], "y": values[0]}
    assert found[1] == {"x": 0, "y": values[1], "low": values[0], "high": values[2],
                        "best": values[2]}  # fmt: skip
    assert found[2] == {"x": [0.0, 0.1, 1 / 7], "y": [None, "inf", 1 / 3]}


def test_every_figure_can_be_taken_along() -> None:
    image = (Picture("A picture", "Its caption."), "aGVsbG8=")
    plots = [plot("one", line("a", 1, 2)), plot("two", line("a", 1, 2))]
    read = Read(page.render([shown(plots=plots, sources=["ours"] * 2, pictures=[image])]))
    buttons = [own for own, _ in read.all("button")]
    assert [own["data-of"] for own in buttons if "data-copy" in own] == ["s0f0", "s0f1"]
    saved = [(own["data-of"], own["data-name"]) for own in buttons if "data-save" in own]
    assert saved == [("s0f0", "one"), ("s0f1", "two"), ("s0p0", "picture.png")]
    assert {own["data-source"] for own, _ in read.all("div") if "data-source" in own} == {"ours"}
    assert all("hidden" in own for own, _ in read.all("p", **{"class": "tools"}))


def test_lines_that_start_hidden_are_not_drawn_where_there_are_many() -> None:
    curves = [line(f"c{i}", 0.1 * i, 1.0, 2.0, shown=i < 3) for i in range(charts.MOST_DRAWN)]
    few = charts.chart(plot("a", *curves), "ours", "s0f0", SAY)
    assert all(f'id="s0f0-curve-{i}"' in few.svg for i in range(len(curves)))
    scatter = marks("points", [0.0, 1.0], [5.0, 7.0])._replace(shown=False)
    many = charts.chart(plot("a", *curves, line("last", 9.0), scatter), "ours", "s0f0", SAY)
    drawn = {int(i) for i in re.findall(r'id="s0f0-curve-(\d+)"', many.svg)}
    assert drawn == {0, 1, 2, len(curves), len(curves) + 1}
    assert len(many.data["curves"]) == len(many.legend) == len(curves) + 2
    assert len(many.listed) == charts.FIRST_LISTED
    assert [*many.listed, *many.folded] == many.legend
    # The axes have room for them all the same.
    whole = drawing.draw(many.plot, "s0f0")
    assert whole.scale == {key: many.data[key] for key in whole.scale}


# The whole page -------------------------------------------------------------------------


def _of_many_runs(runs: int, epochs: int) -> str:
    rng = np.random.default_rng(0)
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "running_loss",
             "running_accuracy")  # fmt: skip
    values = rng.random((runs, len(names), epochs))
    return page.page([
        made(*(run("random_labels", None, learning_rate=1 / (i + 1),
                   each={name: own.tolist() for name, own in zip(names, values[i], strict=True)})
               for i in range(runs)))
    ])  # fmt: skip


def test_a_page_of_300_runs_is_below_5_megabytes() -> None:
    text = _of_many_runs(300, 100)
    assert len(text.encode()) < 5_000_000
    data = _data(text)
    assert [len(one["curves"]) for one in data.values()] == [300, 600]
    assert sum(len(curve["y"]) for one in data.values() for curve in one["curves"]) == 90_000
    # What is drawn is what starts switched on, and the rest of each legend is folded.
    assert len(re.findall(r'id="s0f\d-curve-\d+"', text)) <= 16
    assert "288 more curves" in text and "588 more curves" in text


@pytest.fixture(scope="module")
def whole() -> Read:
    parts = [section(noise_sweep()), shown("yes", "no", config={"language": "es"})]
    return Read(page.render(parts))


def test_headings_are_in_order_and_every_control_has_a_name(whole: Read) -> None:
    levels = [int(tag[1]) for tag, _, _ in whole.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = whole.ids()
    assert len(ids) == len(set(ids))
    for own, text in whole.all("button"):
        assert text, own
        assert own.get("aria-describedby", ids[0]) in ids
    for tag in ("nav", "ul"):
        assert all(own.get("aria-label") or "id" in own or "gallery" in own.get("class", "")
                   for own, _ in whole.all(tag))  # fmt: skip


def test_the_page_may_load_nothing(whole: Read) -> None:
    (policy,) = [own["content"] for own, _ in whole.all("meta") if "http-equiv" in own]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy and "*" not in policy
