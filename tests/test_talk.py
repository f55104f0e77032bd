"""The talk: its deck is read back, and must say what the runs came to, in room that it has."""

import ast
import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from helpers import commands
from helpers.results import lesson, made, noise_sweep, row, run
from PIL import Image
from pptx import Presentation
from pptx.util import Emu

from rethinking_jax import experiment
from rethinking_jax.analysis import paper
from rethinking_jax.analysis.findings import Findings, TheoryResults
from rethinking_jax.config import file, runs, sweep
from rethinking_jax.corruption import SETTINGS
from rethinking_jax.errors import UserError
from rethinking_jax.host import packages
from rethinking_jax.host.packages import install
from rethinking_jax.language.translate import translator
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.talk import deck, fit, outline, theme
from rethinking_jax.talk.material import Material
from rethinking_jax.theory import talk as kind
from rethinking_jax.theory.settings import theory_config

SECONDS, SLIDES = 480, 25
TALKED = 3.4  # words of a second that a speaker manages
FOUR = ("true_labels", "random_labels", "shuffled_pixels", "gaussian")
CONFIG = "--config=configs/talk.py"


def theory(kind: str, *members: dict) -> TheoryResults:
    summary = {"experiment": kind, "kind": kind, "dataset": "mnist5k", "device": "CPU",
               "members": list(members)}  # fmt: skip
    return TheoryResults({}, summary, Findings(list(members), {}, [], [], []))


def settings() -> Any:
    runs = []
    for i, setting in enumerate(SETTINGS):
        noise = 0.5 if setting == "partially_corrupted_labels" else None
        runs.append(run(setting, 2 + i, 0.9 - 0.15 * i, noise=noise, parameters=407_050))
    for _, summary, _ in runs:
        summary["parameters"] = 407_050
    return made(*runs, experiment="quickstart")


def networks() -> Any:
    models = {"inception_small": 0.93, "inception_small_no_bn": 0.91, "mlp_1x512": 0.87}
    runs = [run("true_labels", 3, test, model=model) for model, test in models.items()]
    for _, summary, _ in runs:
        summary["parameters"] = 1_200_000
    return made(*runs, experiment="table1")


def regularizers() -> Any:
    kinds = ("", "augmentation", "dropout", "decay", "augmentation dropout decay")
    true = [row("true", own, 0.9 + 0.01 * i) for i, own in enumerate(kinds)]
    noise = [row("random", own, 0.1, 1 - 0.1 * i) for i, own in enumerate(kinds[:4])]
    for _, summary, lines in noise:
        for one in (summary, lines[-1]):
            one["running_accuracy"] = 0.25
    return made(*true, *noise, experiment="regularizers")


def descent() -> Any:
    errors = {4: 0.27, 24: 0.318, 512: 0.245}
    runs = [
        run("partially_corrupted_labels", 3, 1 - error, noise=0.2, hidden_sizes=[width],
            model="mlp")
        for width, error in errors.items()
    ]  # fmt: skip
    return lesson("course_double_descent", *runs)


def theories() -> list[TheoryResults]:
    signs = [
        {"kind": "network", "name": name, "parameters": size, "points": points, "draws": 2,
         "estimate": estimate, "error": 0.01}
        for name, size, estimates in (("mlp_1x512", 402_946, (1.0, 0.998)),
                                      ("mlp_1x8", 6_298, (0.9, 0.481)))
        for points, estimate in zip((62, 4000), estimates, strict=True)
    ]  # fmt: skip
    labelings: list[dict] = [
        {"name": "linear", "weights": 5, "points": points, "ratio": points / 5, "fraction": share,
         "dichotomies": 32}
        for points, share in ((5, 1.0), (10, 0.469), (12, 0.25))
    ]  # fmt: skip
    labelings.append({"name": "linear", "weights": 5, "capacity": 9.8, "per_weight": 1.957})
    twins = [
        {"name": name, "corruption": name, "seed": seed, "examples": 500, "distance": 0.0343,
         "test_mean": 0.0141, "test_most": most}
        for name, most in (("true_labels", 0.436), ("random_labels", 0.8034))
        for seed in range(2)
    ]  # fmt: skip
    built = [
        {"corruption": "random_labels", "points": n, "weights": 2 * n + 784,
         "weights_of_theorem": 2 * n + 784, "exact_float64": 1.0, "exact_float32": share}
        for n, share in ((10, 1.0), (4000, 0.392))
    ]  # fmt: skip
    starts = [
        {"start": start, "examples": 200, "dimension": 1000, "to_least_norm": away, "norm": 13.2,
         "train_error": 0.0, "test_error": error}
        for start, away, error in (("zero", 0.000203, 0.196), ("another", 0.8918, 0.23))
    ]  # fmt: skip
    kernels = [
        {"kernel": name, "ridge": 0.0, "corruption": corruption, "test_error": error, "norm": norm,
         "train_examples": 4000}
        for name, corruption, error, norm in (
            ("gaussian", "true_labels", 0.0304, 39.3), ("gaussian", "random_labels", 0.882, 148.9),
            ("gabor", "true_labels", 0.0151, 45.0), ("gabor", "random_labels", 0.877, 455.0),
        )
    ]  # fmt: skip
    scores = {"name": "label_noise=0.1", "learner": "network", "examples": 4000, "mean": 0.1873,
              "corrupted_mean": 0.9721, "clean_mean": 0.1152}  # fmt: skip
    return [
        theory("rademacher", *signs),
        theory("shattering", *labelings),
        theory("stability", *twins),
        theory("theorem1", *built),
        theory("min_norm", *starts),
        theory("kernel", *kernels),
        theory("memorization", scores),
    ]


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (1200, 400)).save(content, "png")
    return content.getvalue()


def material(full: bool) -> Material:
    noise = noise_sweep()
    several = [settings(), noise, networks(), regularizers(), descent(), *theories()]
    found = {Path(str(i)): one for i, one in enumerate(several)}
    return Material(found if full else {}, lambda workdir: picture())


@pytest.fixture(scope="module")
def decks() -> dict[tuple[str, bool], Any]:
    found = {}
    for language in ("en", "es"):
        for full in (True, False):
            words = translator(language)
            content = deck.to_bytes(outline.slides(material(full), words), words, language)
            found[language, full] = Presentation(io.BytesIO(content))
    return found


WHICH = [(language, full) for language in ("en", "es") for full in (True, False)]


def texts_of(slide: Any) -> str:
    """All that stands on a slide, and what is said."""
    parts = [slide.notes_slide.notes_text_frame.text]
    for shape in slide.shapes:
        if shape.has_text_frame:
            parts.append(shape.text_frame.text)
        if shape.has_table:
            parts += [cell.text for line in shape.table.rows for cell in line.cells]
        if shape.has_chart:
            parts += [series.name for series in shape.chart.plots[0].series]
    return "\n".join(parts)


@pytest.mark.parametrize("which", WHICH)
def test_every_slide_has_a_title_a_number_and_a_script_with_its_seconds(
    which: tuple[str, bool], decks: dict
) -> None:
    read = decks[which]
    slides = list(read.slides)
    assert len(slides) == SLIDES and read.slide_width / read.slide_height == pytest.approx(16 / 9)
    titles = [slide.shapes.title.text for slide in slides]
    assert len(set(titles)) == SLIDES and all(titles)
    spent = 0
    for slide in slides:
        kinds = {str(shape.placeholder_format.type) for shape in slide.placeholders}
        assert any("SLIDE_NUMBER" in kind for kind in kinds)
        head, *said = slide.notes_slide.notes_text_frame.text.split("\n")
        found = re.fullmatch(r"\[(\d+) (?:seconds, from|segundos, de) (\d+):(\d+) .*\]", head)
        assert found, head
        own, minutes, seconds = map(int, found.groups())
        assert 60 * minutes + seconds == spent
        spent += own
        assert 5 < len(said[-1].split()) <= TALKED * own, slide.shapes.title.text
    assert spent == SECONDS
    assert "480" in slides[0].notes_slide.notes_text_frame.text
    assert ("8:00 minut") in slides[0].notes_slide.notes_text_frame.text


def boxes(slide: Any) -> Iterator[tuple[str, float, float, float, float]]:
    """The name and the corners of each shape, in inches; a placeholder may have its layout's."""
    for shape in slide.shapes:
        left, top = Emu(shape.left).inches, Emu(shape.top).inches
        height = Emu(shape.height).inches
        if shape.has_table:
            height = sum(Emu(line.height).inches for line in shape.table.rows)
        yield shape.name, left, top, left + Emu(shape.width).inches, top + height


@pytest.mark.parametrize("which", WHICH)
def test_no_two_shapes_overlap_and_none_leaves_the_slide(
    which: tuple[str, bool], decks: dict
) -> None:
    read = decks[which]
    for slide in read.slides:
        placed = list(boxes(slide))
        for name, left, top, right, bottom in placed:
            assert left >= 0 and top >= 0 and right <= 13.34 and bottom <= 7.51, (
                slide.shapes.title.text, name, bottom,
            )  # fmt: skip
        for one, other in combinations(placed, 2):
            across = min(one[3], other[3]) - max(one[1], other[1])
            down = min(one[4], other[4]) - max(one[2], other[2])
            assert across <= 0.01 or down <= 0.01, (slide.shapes.title.text, one, other)


def test_every_shape_of_a_slide_a_layout_and_the_master_has_a_number_of_its_own(
    decks: dict,
) -> None:
    read = decks["en", True]
    for part in [*read.slides, *read.slide_layouts, read.slide_master]:
        numbers = [one.get("id") for one in part._element.xpath(".//p:cNvPr")]
        assert len(set(numbers)) == len(numbers), numbers


def sizes_of(frame: Any, usual: float) -> list[float]:
    return [run.font.size.pt if run.font.size else usual
            for paragraph in frame.paragraphs for run in paragraph.runs]  # fmt: skip


@pytest.mark.parametrize("which", WHICH)
def test_every_text_fits_its_box_in_large_type(which: tuple[str, bool], decks: dict) -> None:
    for slide in decks[which].slides:
        title = slide.shapes.title
        opening = slide == decks[which].slides[0]
        size = theme.HEADLINE_SIZE if opening else theme.TITLE_SIZE
        assert fit.lines(title.text, size, theme.TITLE[2], bold=True) == 1, title.text
        for shape in slide.shapes:
            if shape.has_table:
                check_table(shape.table)
            elif shape.has_text_frame and shape.text_frame.text and shape != title:
                if "Slide Number" in shape.name:
                    continue
                small = shape.name == "Source"
                sizes = sizes_of(shape.text_frame, 24.0)
                assert min(sizes) >= (11 if small else 18), (title.text, sizes)
                paragraphs = [one.text for one in shape.text_frame.paragraphs]
                room = Emu(shape.width).inches - (0.08 if small else 0.4)
                need = fit.height(paragraphs, sizes[0], room, 0 if small else 8)
                assert need <= Emu(shape.height).inches + 0.01, (title.text, paragraphs)


def check_table(table: Any) -> None:
    widths = [Emu(column.width).inches for column in table.columns]
    for line in table.rows:
        for cell, width in zip(line.cells, widths, strict=True):
            size = min(sizes_of(cell.text_frame, 18.0))
            bold = bool(cell.text_frame.paragraphs[0].runs[0].font.bold)
            lines = fit.lines(cell.text, size, width - 0.2, bold)
            assert size >= 18
            assert lines * 1.2 * size / 72 + 0.1 <= Emu(line.height).inches + 0.01, cell.text
            assert bold or lines == 1, cell.text


@pytest.mark.parametrize("which", WHICH)
def test_what_is_seen_is_also_said_in_words(which: tuple[str, bool], decks: dict) -> None:
    seen = 0
    for slide in decks[which].slides:
        for shape in slide.shapes:
            if shape.has_chart or shape.has_table or shape.shape_type == 13:
                description = shape._element.xpath(".//p:cNvPr")[0].get("descr")
                assert description and len(description) > 5, shape.name
                seen += 1
    assert seen >= (19 if which[1] else 8)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_numbers_are_those_of_the_runs_and_the_papers(language: str, decks: dict) -> None:
    found = material(True)
    said = [texts_of(slide) for slide in decks[language, True].slides]
    of_settings = found.found[Path("0")]
    for member in of_settings.summary["members"]:
        assert f"{member['test_accuracy']:.3f}" in said[5], member["name"]
        assert str(member["epochs_to_fit"]) in said[5]
    true = of_settings.summary["members"][0]
    assert f"{1 - true['test_accuracy']:.3f}" in said[2]
    assert "1,200,000" in said[1] and "300" in said[1]  # parameters, and for each image
    for member in found.found[Path("2")].summary["members"]:
        assert f"{member['test_accuracy']:.3f}" in said[9]
    for place, numbers in {
        10: ("0.998", "402,946", "6,298", "0.481"),
        11: ("1.96",),
        12: ("0.034", "0.014", "0.436", "0.803", "0.002"),
        13: ("8,784", "0.392"),
        14: ("0.900", "0.920", "0.940", "0.858", "0.890"),
        15: ("0.250", "0.800", "0.700", "0.992"),
        18: ("0.930", "0.910", "0.858", "0.820"),
        19: ("0.0002", "0.196", "0.230", "0.89"),
        20: ("0.030", "0.015", "455", "220", "390", "0.012"),
        22: ("0.187", "0.972", "0.115"),
        23: ("0.270", "0.318", "0.245"),
    }.items():
        for number in numbers:
            assert number in said[place], (place, number, said[place])
    # The script has them, too.
    notes = [one.notes_slide.notes_text_frame.text for one in decks[language, True].slides]
    for place, number in ((5, "0.900"), (10, "0.998"), (12, "0.803"), (22, "0.972"), (23, "0.318")):
        assert number in notes[place], notes[place]
    small = [
        shape.text_frame.text for slide in decks[language, True].slides for shape in slide.shapes
        if shape.name == "Source"
    ]  # fmt: skip
    assert len(small) == SLIDES - 2
    assert sum("mnist5k" in text and "CPU" in text for text in small) >= 18
    seeds = "seed" if language == "en" else "semilla"
    assert sum(seeds in text for text in small) >= 10


def test_charts_hold_the_points_of_the_runs_and_of_the_papers_figures(decks: dict) -> None:
    slides = list(decks["en", True].slides)
    ours, theirs = (shape.chart for shape in slides[6].shapes if shape.has_chart)
    lines = material(True).found[Path("0")].lines
    by_name = {series.name: list(series.values) for series in ours.plots[0].series}
    assert by_name["random labels"] == [
        pytest.approx(line["train_loss"], rel=1e-5)
        for name, own in lines.items() if "random_labels" in name for line in own
    ]  # fmt: skip
    paper_losses = {series.name: list(series.values) for series in theirs.plots[0].series}
    assert paper_losses["true labels"] == pytest.approx(
        paper.figure_1()["training_loss"]["true_labels"], abs=1e-5
    )
    noise = next(shape.chart for shape in slides[8].shapes if shape.has_chart)
    values = {series.name: list(series.values) for series in noise.plots[0].series}
    assert values["MLP 1x512 (ours)"] == pytest.approx([0.1, 0.5, 0.9])
    # LibreOffice loses a line that one with more points follows.
    for slide in slides:
        for shape in slide.shapes:
            if shape.has_chart:
                counts = [len(list(series.values)) for series in shape.chart.plots[0].series]
                assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_not_measured_says_so_with_the_command_that_measures_it(
    language: str, decks: dict
) -> None:
    said = "Not measured in these runs" if language == "en" else "No se midió en estos"
    missing = [texts_of(slide) for slide in decks[language, False].slides]
    assert sum(said in text for text in missing) == SLIDES - 4
    given = [text for text in missing if said in text]
    for text in given:
        command = re.search(r"python -m rethinking_jax\.main --config=configs/(\S+)", text)
        assert command and file.load(command[1]) is not None
    full = [texts_of(slide) for slide in decks[language, True].slides]
    assert [i for i, text in enumerate(full) if said in text] == [16]  # ImageNet
    assert "0.952" in full[16] and "0.778" in full[16]


# The commands --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory, one_device: None) -> Path:
    """Four small runs, through."""
    place = tmp_path_factory.mktemp("talk") / "quickstart"
    config: Any = file.load("quickstart")
    config.update(
        epochs=1, train_examples=60, batch_size=20, model="mlp", hidden_sizes=(8,),
        checkpoint_every=0, sweep=runs(sweep("corruption", FOUR)),
    )  # fmt: skip
    experiment.run(config, place, report=False)
    return place


def report(*words: object) -> subprocess.CompletedProcess[str]:
    return commands.answer(report_command.main, [str(word) for word in words], Path.cwd(), 1)


def test_report_writes_the_deck_of_workdirs(workdir: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.symlink_to(workdir)
    before = {file: file.stat().st_mtime for file in workdir.rglob("*")}
    done = report(workdir, again, f"--slides={tmp_path / 'talk.pptx'}", "--language=es")
    assert done.returncode == 0, done.stderr
    assert f"The slides show {workdir}, which is given first, and nothing of {again}" in done.stdout
    read = Presentation(tmp_path / "talk.pptx")
    assert read.slides[1].shapes.title.text == "La pregunta"
    assert any(shape.shape_type == 13 for shape in read.slides[4].shapes)  # the picture
    members = json.loads((workdir / "summary.json").read_text())["members"]
    shown = texts_of(read.slides[5])
    for member in members:
        assert f"{member['test_accuracy']:.3f}" in shown and f"{member['train_accuracy']:.3f}"
    assert {file: file.stat().st_mtime for file in workdir.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--slides=talk.ppt"], "must end in .pptx"),
        (["--slides=no/folder/talk.pptx"], "there is no folder no/folder"),
        (["--slides=talk.pptx", "--numbers=a.json"], "writes a deck alone: leave --numbers"),
        (["--slides=talk.pptx", "--output=a.html"], "writes a deck alone"),
        (["--slides=talk.pptx", "--pictures"], "writes a deck alone"),
        (["--slides=talk.pptx", "--language=fr"], "invalid choice"),
    ],
)
def test_slides_that_cannot_be_are_refused_in_one_line(
    words: Sequence[str], message: str, workdir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = report(workdir, *words)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_slides_of_what_is_not_finished_are_refused(workdir: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    shutil.copytree(workdir, begun)
    (begun / "summary.json").unlink()
    done = report(begun, f"--slides={tmp_path / 'talk.pptx'}")
    assert done.returncode == 2 and f"is of finished workdirs: {begun} is" in done.stderr
    assert not (tmp_path / "talk.pptx").exists()


def test_without_python_pptx_one_line_says_how_to_install_it(
    workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    done = report(workdir, f"--slides={tmp_path / 'talk.pptx'}")
    assert done.returncode == 2
    assert f"needs python-pptx: {install('slides')}" in done.stderr
    with pytest.raises(UserError, match="needs python-pptx"):
        kind.check(theory_config("talk"))


def test_python_pptx_is_imported_only_where_a_deck_is_written() -> None:
    room = Path(deck.__file__).parent
    importing = {
        path.relative_to(room.parent).as_posix()
        for path in [
            *room.glob("*.py"),
            *Path(experiment.__file__).parent.glob("*.py"),
            Path(report_command.__file__),
        ]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and ("pptx" in ast.unparse(node) or "talk.deck" in ast.unparse(node))
    }
    assert importing == {f"talk/{name}.py" for name in ("chart", "deck", "grid", "theme")}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("nothing", "there is no such file"),
        ("quickstart;quickstart", "'quickstart' is there twice"),
        ("talk", "must be another experiment's config"),
        (" ; ", "config.parts is empty"),
    ],
)
def test_parts_of_a_talk_that_cannot_be_are_refused(parts: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        kind.check(theory_config("talk", parts=parts))


def test_the_talk_measures_every_slide_but_imagenets() -> None:
    names = [part.partition(":")[0] for part in kind.PARTS]
    assert names == list(dict.fromkeys(names)) and len(kind.parts_of(theory_config("talk"))) == 12


@pytest.mark.slow
def test_a_talk_that_is_killed_goes_on_and_is_written_again_in_spanish(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    place = tmp_path / "run"
    words = [
        CONFIG, f"--workdir={place}",
        "--config.parts=stability:seeds=2,epochs=3,train_examples=60;"
        "kernel:train_examples=300,kernel=gaussian,ridge=0",
    ]  # fmt: skip
    begun = subprocess.Popen(
        [sys.executable, "-u", "-m", "rethinking_jax.main", *words],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert begun.stdout is not None
    for line in begun.stdout:
        if "Part 2 of 2" in line:
            begun.send_signal(signal.SIGTERM)
            break
    begun.communicate()
    assert begun.returncode == 1 and not (place / "talk.pptx").exists()
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "Complete already" in done.stdout
    read = Presentation(place / "talk.pptx")
    twins = json.loads((place / "stability" / "summary.json").read_text())["members"]
    most = [one["test_most"] for one in twins if one["corruption"] == "random_labels"]
    exact = json.loads((place / "kernel" / "summary.json").read_text())["members"]
    again = report(place, f"--slides={tmp_path / 'charla.pptx'}", "--language=es")
    assert again.returncode == 0, again.stderr
    spanish = Presentation(tmp_path / "charla.pptx")
    assert spanish.slides[1].shapes.title.text == "La pregunta"
    for one in (read, spanish):
        assert f"{sum(most) / len(most):.3f}" in texts_of(one.slides[12])
        for solved in exact:
            assert f"{solved['test_error']:.3f}" in texts_of(one.slides[20])
