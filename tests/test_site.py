"""The site: what its pages are made of, and that it builds and all links lead somewhere."""

import json
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import REPOSITORY

import rethinking_jax as rj
from rethinking_jax.analysis.claims import NO
from rethinking_jax.analysis.results import Results
from rethinking_jax.course import LESSONS
from rethinking_jax.report.section import section
from website import claims, kept, lessons, markdown, notebooks, reports

DOCS = REPOSITORY / "docs"
WORDS = sorted(kept.LESSONS.glob("*.toml"))
# A number that somebody measured: it has a decimal point and two digits behind it, or more.
MEASURED = re.compile(r"-?\d[\d,]*\.\d{2,}")


@pytest.fixture(scope="module")
def experiments() -> list[kept.Kept]:
    return kept.experiments()


@pytest.fixture(scope="module")
def several() -> list[lessons.Lesson]:
    return lessons.lessons()


# What is kept, and what is said of it -----------------------------------------------------


def test_every_file_of_results_has_a_title(experiments: list[kept.Kept]) -> None:
    files = {file.stem for kind in ("json", "zip") for file in kept.RESULTS.glob(f"*.{kind}")}
    listed = [one.name for one in experiments]
    assert sorted(listed) == sorted(files)
    named = set(tomllib.loads(kept.LIST.read_text()))
    assert named | {tomllib.loads(file.read_text())["results"] for file in WORDS} == files


def test_what_is_said_of_seeds_is_so(experiments: list[kept.Kept]) -> None:
    for one in experiments:
        if one.found is None or isinstance(one.found, Results):
            continue
        for key, word in (("seeds", "seed"), ("draws", "draw"), ("runs", "run")):
            count = one.found.config.get(key)
            assert count is None or f"{count} {word}" in one.of, one.name
        assert one.of, one.name


# The claims -------------------------------------------------------------------------------


def test_every_verdict_has_its_row_and_no_comes_first(experiments: list[kept.Kept]) -> None:
    text = claims.page(claims.rows(experiments))
    found = [verdict for one in experiments for verdict in kept.verdicts(one)]
    items = re.findall(r'^ *- <span class="outcome ([a-z-]+)">', text, re.MULTILINE)
    assert sorted(items) == sorted(one.outcome.replace(" ", "-") for one in found)
    count = items.count("no")
    assert count and items[:count] == ["no"] * count
    assert f"{count} <span" in text.split("\n")[0] and f"{len(found)} verdicts" in text
    for one in experiments:
        for verdict in kept.verdicts(one):
            if verdict.outcome == NO:
                assert markdown.plain(verdict.ours) in text
    stored = {
        file.stem: json.loads(file.read_text()).get("verdicts", [])
        for file in kept.RESULTS.glob("*.json")
    }
    for one in experiments:
        if stored.get(one.name):
            shown = [verdict._asdict() for verdict in kept.verdicts(one)]
            assert shown == stored[one.name]


# The lessons ------------------------------------------------------------------------------


def test_every_lesson_has_its_pages(several: list[lessons.Lesson]) -> None:
    configs = {f"configs/{file.name}" for file in (REPOSITORY / "configs").glob("course_*.py")}
    assert {one.config for one in several} == configs
    assert {one.found.summary["experiment"] for one in several} <= set(LESSONS)
    teach = (DOCS / "teach.md").read_text()
    for one in several:
        assert f"--config={one.config}` | {one.minutes} min |" in teach
        assert one.found.summary["command"].endswith(f"--config={one.config}")


@pytest.mark.parametrize("file", WORDS, ids=lambda file: file.stem)
def test_both_languages_say_the_same_numbers_and_they_are_measured(
    file: Path, several: list[lessons.Lesson]
) -> None:
    lesson = next(one for one in several if one.name == file.stem)
    shown = section(lesson.found)
    known = [verdict.ours for verdict in shown.verdicts]
    known += [cell for table in shown.tables for row in table.texts for cell in row]
    english, spanish = (lesson.words[language]["questions"] for language in ("en", "es"))
    assert len(english) == len(spanish) >= 2
    for ours, theirs in zip(english, spanish, strict=True):
        numbers = [sorted(MEASURED.findall(f"{q['ask']} {q['answer']}")) for q in (ours, theirs)]
        assert numbers[0] == numbers[1]
        asked = set(MEASURED.findall(ours["ask"]))
        assert all(any(number in text for text in known) for number in asked), asked


@pytest.mark.parametrize("file", WORDS, ids=lambda file: file.stem)
def test_every_command_of_a_lesson_is_accepted(file: Path, several: list[lessons.Lesson]) -> None:
    lesson = next(one for one in several if one.name == file.stem)
    for language in lessons.FOLDERS:
        named = re.findall(r"--config=([\w./:=,+-]+)", lessons.page(lesson, language))
        assert lesson.config in named
        for config in named:
            rj.load_config(str(REPOSITORY / config))


def test_a_page_of_a_lesson_has_its_parts(several: list[lessons.Lesson]) -> None:
    lesson = next(one for one in several if one.name == "optimizers")
    for language in lessons.FOLDERS:
        text = lessons.page(lesson, language)
        for verdict in section(lesson.found).verdicts:
            assert lessons.WORDS[language][verdict.outcome] in text
        assert text.count("??? question") == len(lesson.words[language]["questions"])
        assert f"python -m rethinking_jax.main --config={lesson.config}\n" in text
        assert f"../{lesson.report(language)}" in text and "optimizers/optimizers.png" in text
        (picture,) = lessons.pictures(lesson, language)
        assert picture == f"{lessons.FOLDERS[language]}/optimizers/optimizers.png"


def test_a_text_shows_as_it_is() -> None:
    from markdown import markdown as html

    text = "a_b_c *x* [y](z) <b> & `c` 1. | $x$"
    shown = re.sub("<[^>]+>", "", html(markdown.plain(text))).replace("&#124;", "|")
    assert shown == text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# The API ----------------------------------------------------------------------------------


def test_the_api_names_all_of_the_face() -> None:
    named = re.findall(r"`rj\.(\w+)`", (DOCS / "api" / "index.md").read_text())
    assert sorted(named) == sorted(set(rj.__all__) - {"__version__"})


# The whole site ---------------------------------------------------------------------------


class Read(HTMLParser):
    """The addresses that a page names, and the places in it that others can name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.places: set[str] = {"", "__search"}
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        own = dict(attributes)
        self.addresses += [own[key] or "" for key in ("href", "src") if key in own]
        self.places |= {own[key] or "" for key in ("id", "name") if key in own}


@pytest.mark.slow
def test_the_site_builds_strictly_and_all_links_lead_somewhere(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    result = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    pages = {page: Read(page) for page in tmp_path.rglob("*.html")}
    for page, own in pages.items():
        for address in own.addresses:
            parts = urlsplit(address)
            if parts.scheme or page.name == "404.html":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), f"{page}: {address}"
            if target in pages and parts.fragment:
                assert unquote(parts.fragment) in pages[target].places, f"{page}: {address}"
    for lesson in lessons.lessons():
        for language, folder in lessons.FOLDERS.items():
            text = (tmp_path / folder / f"{lesson.name}.html").read_text()
            assert f'<article lang="{language}"' in text
            assert lesson.words[language]["title"] in text
            assert (tmp_path / lesson.report(language)).is_file()
    written = (tmp_path / lesson.report("es")).read_text()
    assert written == reports.page(lesson.found, "es") and '<html lang="es">' in written
    for one in kept.experiments():
        assert not one.report or (tmp_path / one.report).is_file()
    for language in lessons.FOLDERS:
        for notebook in notebooks.notebooks(language):
            content = (tmp_path / notebook.address).read_bytes()
            assert content == notebook.file.read_bytes()
