"""Pictures of examples and their scores: kept, drawn and written again, the same every time."""

import csv
import html.parser
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers import commands
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rethinking_jax.analysis import example_scores, findings, galleries, gallery_files
from rethinking_jax.analysis.example_scores import ExampleScores
from rethinking_jax.analysis.findings import Findings, TheoryResults, verdict
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, Picture, picture
from rethinking_jax.errors import UserError
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.report import page

RNG = np.random.default_rng(0)


@pytest.fixture
def report(tmp_path: Path) -> Command:
    return lambda *arguments: commands.answer(report_command.main, arguments, tmp_path)


def digits(count: int, channels: int = 1) -> list[Picture]:
    images = RNG.integers(0, 256, (count, 28, 28, channels)).astype(np.uint8)
    return [picture(one, [f"example {i}", "given 3, true $8$ <b>"]) for i, one in enumerate(images)]


def gallery(*counts: int, channels: int = 1) -> Gallery:
    rows = [GalleryRow(f"row {i}", digits(count, channels)) for i, count in enumerate(counts)]
    return Gallery("memorized", "Most memorized", "Of the training set.", rows)


def scores(count: int = 40) -> ExampleScores:
    score = RNG.normal(size=count).astype(np.float32)
    score[:3] = np.nan, np.inf, -np.inf
    return ExampleScores(
        {
            "id": RNG.permutation(10 * count)[:count].astype(np.uint32),
            "score": score,
            "exact": RNG.normal(size=count) / 3,
            "half": RNG.normal(size=count).astype(np.float16),
            "label": RNG.integers(-1, 10, count).astype(np.int32),
            "corrupted": RNG.random(count) < 0.5,
        }
    )


def begun(workdir: Path, found: Findings) -> TheoryResults:
    """A finished workdir of an experiment of theory."""
    workdir.mkdir(parents=True)
    config = {"kind": "k", "sweep": []}
    summary = {
        "experiment": "e", "kind": "k", "dataset": "mnist5k", "device": "cpu", "versions": {},
        "wall_seconds": 1.0, "command": "c", "members": found.members,
        "verdicts": [one._asdict() for one in found.verdicts],
    }  # fmt: skip
    (workdir / "config.json").write_text(json.dumps(config))
    findings.write(workdir, found)
    (workdir / "summary.json").write_text(json.dumps(summary))
    return TheoryResults(config, summary, found)


def whole(workdir: Path) -> dict[str, bytes]:
    files = [path for path in sorted(workdir.rglob("*")) if path.is_file()]
    return {str(path.relative_to(workdir)): path.read_bytes() for path in files}


def found(**changes: object) -> Findings:
    claim = verdict("Claim.", "a check of the method", True, "Ours.", "", of_paper=False)
    return Findings([], {"data": "d"}, [], [], [claim])._replace(**changes)  # type: ignore[arg-type]


def test_report_draws_the_same_bytes_from_the_files_alone(report: Command, tmp_path: Path) -> None:
    one = found(galleries=[gallery(13, 2), gallery(1, channels=3)._replace(name="b")],
                scores=scores())  # fmt: skip
    first = begun(tmp_path / "run", one)
    page.write_report(tmp_path / "run", first)
    before = whole(tmp_path / "run")
    wanted = {"scores.npz", "scores.csv", "figures/memorized.png", "figures/memorized.svg",
              "figures/b.png", "figures/b.svg", "report.html", "findings.json"}  # fmt: skip
    assert wanted <= set(before)
    shutil.rmtree(tmp_path / "run" / "figures")
    for name in ("report.html", "scores.csv"):
        (tmp_path / "run" / name).unlink()
    result = report("run")
    assert result.returncode == 0, result.stderr
    assert whole(tmp_path / "run") == before


def test_findings_of_an_earlier_version_have_neither(tmp_path: Path) -> None:
    begun(tmp_path / "run", found())
    file = tmp_path / "run" / "findings.json"
    plain = json.loads(file.read_text())
    assert "scores" not in plain
    del plain["galleries"]
    file.write_text(json.dumps(plain))
    read = findings.read(tmp_path / "run").found
    assert (list(read.galleries), read.scores) == ([], None)
    assert "scores.npz" not in page.page([findings.read(tmp_path / "run")])


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_gallery_survives_json(data: st.DataObject) -> None:
    size = st.integers(1, 9)
    shape = (data.draw(size), data.draw(size), data.draw(st.sampled_from((1, 3))))
    pixels = np.frombuffer(data.draw(st.binary(min_size=243, max_size=243)), np.uint8)
    one = picture(pixels[: np.prod(shape)].reshape(shape), data.draw(st.lists(st.text())))
    made = Gallery("n", "t", "c", [GalleryRow("r", [one]), GalleryRow("none", [])])
    again = galleries.from_json(json.loads(json.dumps(galleries.to_json(made))))
    assert [row.label for row in again.rows] == ["r", "none"]
    (back,) = again.rows[0].pictures
    assert back.lines == one.lines and back.pixels.dtype == np.uint8
    np.testing.assert_array_equal(back.pixels, one.pixels)


def test_a_picture_is_the_stored_image() -> None:
    image = RNG.integers(0, 256, (28, 28, 1)).astype(np.uint8)
    for stored in (image, image[..., 0], image / np.float32(255), np.repeat(image, 2, axis=-1)):
        np.testing.assert_array_equal(picture(stored, ["a"]).pixels, image)
    colour = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(picture(colour, []).pixels, colour)
    noise = RNG.normal(0.5, 0.5, (8, 8, 3)).astype(np.float32)
    shown = picture(noise, []).pixels
    assert shown.shape == (8, 8, 3)
    np.testing.assert_array_equal(shown == 0, noise <= 0.5 / 255)
    np.testing.assert_array_equal(shown[noise > 1], 255)


def test_a_large_image_becomes_the_means_of_blocks() -> None:
    image = RNG.integers(0, 256, (129, 200, 3)).astype(np.uint8)
    shown = picture(image, [], side=64).pixels
    assert shown.shape == (33, 50, 3)
    expected = image[4:8, 8:12].astype(float).mean((0, 1))
    assert np.abs(shown[1, 2] - expected).max() <= 0.5
    np.testing.assert_array_equal(shown[32, 0], np.round(image[128, :4].astype(float).mean(0)))


class Images(html.parser.HTMLParser):
    """Collects the images of a page and the titles of what is around them."""

    def __init__(self) -> None:
        """Starts with none."""
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keeps an image and the title of an entry."""
        own = dict(attributes)
        if tag == "img":
            self.images.append(own)
        elif tag == "li" and own.get("title"):
            self.titles.append(own["title"] or "")


def test_the_page_has_every_picture_with_words_for_who_cannot_see_it(tmp_path: Path) -> None:
    import base64

    made = gallery(12, 3)
    text = page.page([begun(tmp_path / "run", found(galleries=[made]))])
    parser = Images()
    parser.feed(text)
    pictures = [one for row in made.rows for one in row.pictures]
    assert len(parser.images) == len(parser.titles) == 15
    for one, image, title in zip(pictures, parser.images, parser.titles, strict=True):
        assert image["alt"] == ", ".join(one.lines) and title == "\n".join(one.lines)
        content = base64.b64decode((image["src"] or "").removeprefix("data:image/png;base64,"))
        shown = np.asarray(Image.open(io.BytesIO(content)))
        np.testing.assert_array_equal(shown, one.pixels[..., 0])
    assert "row 1" in text and "Of the training set." in text


def test_a_page_of_hundreds_of_pictures_and_thousands_of_scores_stays_small(tmp_path: Path) -> None:
    made = [gallery(100, channels=3)._replace(name=name) for name in "ab"]
    text = page.page([begun(tmp_path / "run", found(galleries=made, scores=scores(5000)))])
    assert len(text) < 1_000_000
    assert (tmp_path / "run" / "findings.json").stat().st_size < 1_000_000


def test_the_files_hold_all_words_as_they_are(tmp_path: Path) -> None:
    gallery_files.write(gallery(11), "ours: $x$", tmp_path)
    text = html.unescape((tmp_path / "memorized.svg").read_text())
    assert text.count("given 3, true $8$ <b>") == 11
    assert "ours: $x$" in text and "row 0" in text and text.count("<image") == 11


def test_scores_are_the_same_in_both_files(tmp_path: Path) -> None:
    made = scores()
    example_scores.write(tmp_path, made)
    before = whole(tmp_path)
    example_scores.write(tmp_path, made)
    assert whole(tmp_path) == before
    with np.load(tmp_path / "scores.npz") as stored:
        assert stored.files == list(made.columns)
        for name, column in made.columns.items():
            assert stored[name].dtype == column.dtype
            np.testing.assert_array_equal(stored[name], column)
    names, *rows = csv.reader(io.StringIO((tmp_path / "scores.csv").read_text()))
    assert names == list(made.columns) and len(rows) == made.rows
    for place, (name, column) in enumerate(made.columns.items()):
        texts = [row[place] for row in rows]
        if column.dtype == bool:
            assert texts == [str(value) for value in column.tolist()]
        else:
            np.testing.assert_array_equal(np.array(texts).astype(column.dtype), column)
        if name == "score":
            assert texts[:3] == ["nan", "inf", "-inf"]
            assert max(map(len, texts)) < 16  # no digits that a float32 does not have
    again = example_scores.read(tmp_path, example_scores.described(made))
    assert list(again.columns) == list(made.columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"score": np.zeros(2)}, "first column"),
        ({"id": np.arange(2), "score": np.zeros(3)}, "'score'"),
        ({"id": np.arange(2), "score": np.array(["a", "b"])}, "'score'"),
        ({"id": np.array([1, 1])}, "alike"),
        ({"id": np.array([1.0, 2.0])}, "whole numbers"),
        ({}, "first column"),
    ],
)
def test_columns_that_are_no_table_by_id_are_refused(
    columns: dict[str, np.ndarray], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        example_scores.write(tmp_path, ExampleScores(columns))
    assert not any(tmp_path.iterdir())


def test_scores_that_are_lost_or_damaged_are_one_line(report: Command, tmp_path: Path) -> None:
    begun(tmp_path / "run", found(scores=scores()))
    file = tmp_path / "run" / "scores.npz"
    content = file.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    example_scores.write(other, scores(20))
    for wrong, words in (
        (None, "is missing"), (content[:50], "is damaged"),
        ((other / "scores.npz").read_bytes(), "other rows"),
    ):  # fmt: skip
        file.unlink(missing_ok=True)
        if wrong is not None:
            file.write_bytes(wrong)
        result = report("run")
        assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
        assert "scores.npz" in result.stderr and words in result.stderr
        assert "measures it anew" in result.stderr
        with pytest.raises(UserError, match=words):
            findings.read(tmp_path / "run")
    file.write_bytes(content)
    assert report("run").returncode == 0


def test_a_page_elsewhere_links_no_files(tmp_path: Path) -> None:
    results = begun(tmp_path / "run", found(scores=scores()))
    page.write_report(tmp_path / "run", results)
    own = (tmp_path / "run" / "report.html").read_text()
    assert '<a href="scores.npz">' in own and '<a href="scores.csv">' in own
    assert "40 rows" in own and "id, score, exact" in own
    elsewhere = page.page([results])
    assert "<a href=" in elsewhere and '<a href="scores' not in elsewhere
    assert "40 rows" in elsewhere
