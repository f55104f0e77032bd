"""What the user's environment must not change: matplotlib's settings, terminals, devices."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from conftest import REPOSITORY, Command
from rich.console import Console

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.host.console import make_console, print_table, say
from rethinking_jax.language.translate import translator
from rethinking_jax.pictures import decision_map, gallery
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.remaining import Ahead

CURVES = [
    Curve("one, $x$", [1.0, 2.0, 30.0], [0.1, 0.5, 0.9], [0.1, 0.4, 0.8], [0.1, 0.6, 1.0]),
    Curve("two_", [1.0, 2.0], [0.2, 0.3], [0.2, 0.3], [0.2, 0.3], best=[0.3, 0.4]),
]
# Drawing takes a second: settings that do not hide one another come together.
SETTINGS: list[Mapping[str, object]] = [
    {"text.usetex": True, "backend": "TkAgg", "figure.autolayout": True,
     "axes.prop_cycle": matplotlib.cycler(color=["red"]), "path.simplify": False},
    {"font.family": "serif", "font.size": 30.0, "mathtext.fontset": "cm", "svg.hashsalt": None,
     "savefig.dpi": 300.0, "figure.dpi": 31.0, "savefig.bbox": "tight", "savefig.pad_inches": 3.0,
     "axes.grid": True, "axes.facecolor": "black", "axes.spines.left": False,
     "axes.formatter.use_locale": True, "axes.xmargin": 0.4, "axes.unicode_minus": False,
     "lines.linewidth": 9.0, "legend.frameon": False, "svg.fonttype": "path"},
    {"savefig.transparent": True, "savefig.facecolor": "red", "figure.facecolor": "blue",
     "figure.figsize": [1.0, 1.0], "figure.subplot.left": 0.4, "text.parse_math": False,
     "image.cmap": "jet", "image.interpolation": "bicubic", "image.origin": "lower",
     "path.sketch": (1.0, 100.0, 2.0), "agg.path.chunksize": 7,
     "xtick.labelsize": 30.0, "ytick.direction": "in"},
]  # fmt: skip


def python(
    code: str, environment: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", code]
    return subprocess.run(words, env=environment, cwd=cwd, capture_output=True, text=True)


def drawn(folder: Path) -> dict[str, bytes]:
    """The content of a figure, a slide, a page's figure, a grid of images and a map."""
    for slide, log in ((False, "x"), (True, "")):
        plot = Plot(f"p{slide:d}", "A title", "", "x", "y", CURVES, (0.5, "half"), (), log, slide)
        drawing.write(plot, "source", folder)
    (folder / "page").write_text(repr(drawing.draw(plot, "f0")))
    images = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    gallery.write_corrupted(
        [gallery.CorruptedRow("a", images, ("cat",), (True,))], "T", folder / "grid.png"
    )
    panel = decision_map.Panel(
        np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0, 1]), np.array([False, True]), (0, 5),
        np.linspace(0, 1, 18).reshape(2, 3, 3),
    )  # fmt: skip
    decision_map.write([panel], translator("en"), folder / "map.gif")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_figures_are_the_same_bytes_whatever_a_matplotlibrc_says(tmp_path: Path) -> None:
    expected = drawn(tmp_path / "0")
    assert len(expected) == 9
    for i, settings in enumerate(SETTINGS, start=1):
        with matplotlib.rc_context(settings):  # type: ignore[arg-type]
            before = dict(matplotlib.rcParams.copy())
            found = drawn(tmp_path / str(i))
            # The user's settings stay the user's.
            assert dict(matplotlib.rcParams.copy()) == before
        assert [name for name in expected if found[name] != expected[name]] == [], settings


@pytest.mark.parametrize("broken", ["MPLBACKEND", "matplotlibrc"])
def test_a_matplotlib_that_does_not_load_is_found_before_training(
    broken: str, environment: dict[str, str], tmp_path: Path
) -> None:
    if broken == "matplotlibrc":
        (tmp_path / "matplotlibrc").write_bytes(b"font.size: \xff")
    found = python(
        "from rethinking_jax.analysis import drawing\n"
        "from rethinking_jax.errors import UserError\n"
        "try: drawing.check_matplotlib()\n"
        "except UserError as error: print(error)",
        environment | ({"MPLBACKEND": "typo"} if broken == "MPLBACKEND" else {}),
        tmp_path,
    )
    assert "matplotlib, which draws the figures, does not load: " in found.stdout, found.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "COLUMNS": "40"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"MPLCONFIGDIR": "/proc/none", "MPLBACKEND": "TkAgg", "MATPLOTLIBRC": "usetex"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_whole_command_in_odd_surroundings(
    settings: dict[str, str], command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "usetex").write_text("text.usetex: True\n")
    (tmp_path / "home\udcff").mkdir()
    arguments = ("--config.sweep=", "--config.train_examples=200", "--config.epochs=1")
    pages = []
    odd = "odd" if settings.get("LC_ALL") == "C" else "odd é"  # there é is no character
    for name, extra in (
        ("usual", {}),
        (odd, settings | {"HOME": str(tmp_path / "home\udcff")}),
    ):
        workdir = tmp_path / name
        result = command(*arguments, f"--workdir={workdir}", cwd=tmp_path, env=environment | extra)
        assert result.returncode == 0, result.stderr
        assert "Traceback" not in result.stderr and "0.0000" in result.stdout
        pages.append((workdir / "figures" / "learning_curves.png").read_bytes())
    assert pages[0] == pages[1]


def test_devices_that_are_not_there_are_one_line(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    settings = environment | {"JAX_PLATFORMS": "typo"}
    result = command("--config.sweep=", f"--workdir={tmp_path / 'run'}", env=settings)
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith("rethinking_jax: JAX_PLATFORMS=typo: ")
    assert result.stderr.count("\n") == 1, result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["gpu", "cuda", "rocm", "tpu", "cpu,typo", "typo,cpu"])
def test_devices_of_every_kind_that_are_not_there(
    platform: str, environment: dict[str, str]
) -> None:
    if platform in ("gpu", "cuda") and os.path.exists("/dev/nvidiactl"):
        pytest.skip("this machine may have one")
    found = python(
        "from rethinking_jax.errors import UserError\n"
        "from rethinking_jax.host.environment import check_devices\n"
        "try: check_devices()\n"
        "except UserError as error: print(error)",
        environment | {"JAX_PLATFORMS": platform},
    )
    assert found.stdout.startswith(f"JAX_PLATFORMS={platform}: "), found.stderr


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_digit_of_the_live_line_is_cut(width: int) -> None:
    file = io.StringIO()
    shown = ProgressReport(Console(file=file, width=width, force_terminal=True))
    ahead = Ahead("mlp", 2, 1.0, 247.0, may_stop=True)
    with shown.showing("[/]partially_corrupted_labels,label_noise=0.25", 250, ahead, [ahead]):
        line = {"epoch": 17, "train_accuracy": 0.1234, "images_per_second": 1234567.8}
        shown.epoch([line, line])
        file.truncate(file.seek(0))
        shown._bars.refresh()
        text = file.getvalue()
    for number in ("17/250", "0.1234", "2,469,136", "0:00:00"):
        assert number in text, text
    assert "…" not in text and "[/]" in text


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("40", 40), ("", 80), ("x", 80)])
def test_a_console_always_has_room(
    columns: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    console = make_console()
    say(console, "a line")
    print_table(console, "title", ["run", "accuracy"], [["a", "0.1234"]])
    shown = capsys.readouterr().out
    assert console.width == width
    assert "a line" in shown and "0.1234" in shown


def test_figures_are_drawn_where_a_report_is_written() -> None:
    """No other file makes figures, so no other file needs the settings."""
    users = [
        file.relative_to(REPOSITORY).as_posix()
        for file in (REPOSITORY / "rethinking_jax").rglob("*.py")
        if "savefig(" in file.read_text() or "pyplot" in file.read_text()
    ]
    assert users == ["rethinking_jax/analysis/drawing.py"]
