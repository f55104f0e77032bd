"""Names that users give: refused at the start, or shown as they are everywhere."""

import csv
import html
import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command, read_summary
from PIL import Image
from rich.console import Console

import rethinking_jax as rj
from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.table import Column, table, write_tables
from rethinking_jax.errors import UserError
from rethinking_jax.host.console import print_table, say
from rethinking_jax.pictures import gallery
from rethinking_jax.workdir import storage, tensorboard
from rethinking_jax.workdir.names import is_printable, printable

SMALL = (
    "--config.model=mlp", "--config.hidden_sizes=8", "--config.epochs=1",
    "--config.train_examples=200",
)  # fmt: skip
# Names that mean something else to one of the places where they are shown or stored.
ODD = [
    "[/]", "[red]x", "[b", ":smile: at 1:2:3", "file", "allow_pickle", "x", "x.npy", ".", "..",
    "a/b", "/etc/x", "-rf", "--config.seed=1", "=1+1", "+1", "@SUM(A1)", "'quoted\"", "a|b",
    "<b>&amp;", "$x^2_$", "*a* _b_ `c` ~d~ [e](f)", "\\[back\\", "{braces}", "100%", "#1",
    "Größe, 数据 🙂", "n" * 300,
]  # fmt: skip
REFUSED = [
    "", " ", " a", "a ", "a\nb", "a\tb", "\r=1", "\x00", "\x1b[31mred", "\x7f", "\x9b2J",
    "\u2028", "\u202egnp", "\ud800", "\udcff", None, ["a"], {"a": 1},
]  # fmt: skip


def test_runs_with_odd_names_are_shown_everywhere_as_they_are_called(
    answer: Command, tmp_path: Path
) -> None:
    """The folder, the config file and the experiment are named as oddly."""
    sweep = json.dumps([{"name": name, "seed": i} for i, name in enumerate(ODD)])
    config = tmp_path / "[b] $x$.py"
    config.write_text((REPOSITORY / "configs" / "quickstart.py").read_text())
    workdir = tmp_path / "[/red] <i>|$y$"
    result = answer(
        f"--config={config}", *SMALL, f"--config.sweep={sweep}", f"--workdir={workdir}",
        "--config.experiment==[/]<i>$z$|", "--config.checkpoint_every=0",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert f"All results:     {workdir}\n" in result.stdout
    shown = re.sub(r"\s", "", result.stdout)
    assert all(re.sub(r"\s", "", f"{name}: p = ") in shown for name in ODD)
    assert [member["name"] for member in read_summary(workdir)["members"]] == ODD
    assert [run.name for run in rj.load(workdir)] == ODD
    with np.load(workdir / "labels.npz") as labels:
        assert labels.files == [*ODD, "ids"]
    page = (workdir / "report.html").read_text()
    cells = [html.unescape(text) for text in re.findall(r"<tr><td>(.*?)</td>", page)]
    assert cells[: len(ODD)] == ODD
    assert f"<h2>{html.escape('=[/]<i>$z$|')} on mnist5k</h2>" in page


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_a_name_that_cannot_be_shown_is_refused_before_anything_is_read(
    name: object, answer: Command, tmp_path: Path
) -> None:
    for runs in ([{"name": name, "seed": 0}], [{"name": "a"}, {"name": name, "seed": 1}]):
        result = answer(
            *SMALL, f"--config.sweep={json.dumps(runs)}", f"--workdir={tmp_path / 'run'}"
        )
        assert result.returncode == 2, result.stderr
        assert result.stderr.count("\n") == 1 and result.stdout == ""
        assert f"config.sweep: name={name!r}" in result.stderr
        config = rj.base_config()
        config.sweep = rj.runs(runs)
        with pytest.raises(UserError, match=r"config\.sweep: name="):
            rj.run(config, tmp_path / "run")
    if isinstance(name, str):
        config = rj.base_config()
        config.experiment = name
        with pytest.raises(UserError, match="experiment"):
            rj.run(config, tmp_path / "run")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("folder", "words"),
    [(b"\xff", "not UTF-8"), (b"a\nb", "control"), (b"\x1b[2J", "control"), (b"x" * 256, "255")],
    ids=ascii,
)
def test_a_folder_that_cannot_be_named_is_refused_wherever_one_is_taken(
    folder: bytes, words: str, answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.path.join(tmp_path, os.fsdecode(folder))
    result = answer(*SMALL, "--config.sweep=", f"--workdir={path}")
    assert result.returncode == 2 and words in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1 and result.stdout == ""
    result = answer(*SMALL, "--config.sweep=", f"--config.data_dir={path}",
                    f"--workdir={tmp_path / 'run'}")  # fmt: skip
    assert result.returncode == 2 and words in result.stderr, result.stderr
    with pytest.raises(UserError, match=words):
        rj.run(rj.base_config(), path)
    assert not any(tmp_path.iterdir())
    if len(folder) < 256:  # the folder that the user is in, or the home folder
        os.mkdir(path)
        monkeypatch.setenv("HOME", path)
        with pytest.raises(UserError, match=words):
            storage.open_path("~/runs")
        monkeypatch.chdir(path)
        with pytest.raises(UserError, match=words):
            storage.open_path("runs")


def test_classes_and_files_whose_names_are_not_utf_8_are_trained_and_shown(
    answer: Command, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    root = os.path.join(os.fsencode(tmp_path), b"d\xff")
    for folder in (b"cl\xff", b"$x^$ [red]"):
        os.makedirs(os.path.join(root, folder))
        for i in range(10):
            with open(os.path.join(root, folder, b"\xfe%d.png" % i), "wb") as file:
                Image.fromarray(rng.integers(0, 256, (4, 4)).astype(np.uint8)).save(file, "png")
    runs = [{"corruption": "true_labels"}, {"corruption": "random_labels"}]
    workdir = tmp_path / "run"
    result = answer(
        *SMALL, f"--config.dataset={os.fsdecode(root)}", f"--config.sweep={json.dumps(runs)}",
        "--config.train_examples=0", "--config.batch_size=8", f"--workdir={workdir}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert r"d\udcff" in (workdir / "report.html").read_text()
    picture = (workdir / "figures" / "corruptions.svg").read_text()
    assert r"cl\udcff" in picture and "$x^$ [red]" in picture


def test_a_cell_is_no_formula_and_no_markup(tmp_path: Path) -> None:
    columns = [Column("run", "name"), Column("loss", "loss", "{:g}")]
    names = ["=1+1", "+1", "-1", "@A1", "a=1", "true_labels", "hidden_sizes=[8]", "a|b", "_x_"]
    made = table("t", "T", columns, [{"name": name, "loss": -0.5} for name in names])
    write_tables([made], tmp_path)
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text())))[1:]
    assert [name for name, _ in rows] == ["'=1+1", "'+1", "'-1", "'@A1", *names[4:]]
    assert {loss for _, loss in rows} == {"-0.5"}
    lines = (tmp_path / "t.md").read_text().splitlines()[2:]
    assert [line.split(" | ")[0][2:] for line in lines] == [
        "=1+1", "+1", "-1", "@A1", "a=1", "true_labels", "hidden_sizes=[8]", r"a\|b", r"\_x\_"
    ]  # fmt: skip


def test_event_files_lie_within_the_workdir_whatever_a_run_is_called() -> None:
    assert len({storage.short_name(name) for name in ODD}) == len(ODD)
    for name in ODD:
        path = Path("/w/tensorboard") / storage.short_name(name)
        assert path.parent == Path("/w/tensorboard") and ".." not in path.parts
        assert len(path.name) < 200
    assert tensorboard.short_name is storage.short_name


def test_what_matplotlib_is_given_is_no_formula(tmp_path: Path) -> None:
    image = np.zeros((1, 2, 2, 1), np.uint8)
    row = gallery.CorruptedRow("a", image, ("$x^$ \ud800",), (True,))
    gallery.write_corrupted([row], "of /data/$_$\x1b/", tmp_path / "c.png")
    text = (tmp_path / "c.svg").read_text()
    assert r"of /data/$_$\x1b/" in text and r"$x^$ \ud800" in text
    assert drawing.plain("$") == r"\$"


def test_what_cannot_be_printed_is_escaped() -> None:
    assert printable("a\x1b\n\udcff\u2028é数🙂") == r"a\x1b\n\udcff\u2028é数🙂"
    assert all(map(is_printable, ODD))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_digit_of_a_table_is_cut_in_any_terminal(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width)
    names = ["true_labels", "partially_corrupted_labels,label_noise=0.25,seed=17"]
    columns = ["run", "really flipped", "train acc.", "test acc.", "best test", "epochs to fit",
               "steps to fit"]  # fmt: skip
    numbers = ["0.0000", "0.1234", "0.5678", "0.9876", "1,234", "12,345,678"]
    for shown in (names[:1], names):
        out.truncate(out.seek(0))
        print_table(console, "T", columns, [[name, *numbers] for name in shown])
        text = out.getvalue()
        for word in (*numbers, *" ".join(columns).split()):
            assert len(re.findall(rf"(?<!\S){re.escape(word)}(?!\S)", text)) >= 1, text
        assert "…" not in text
        letters = re.sub(r"[^\w=.]", "", text)
        assert names[0] in letters
        if width >= 80:
            assert max(map(len, text.splitlines())) <= width
    say(console, f"{names[1]} {numbers[5]} [/] :smile:")
    assert out.getvalue().endswith(f"{names[1]} 12,345,678 [/] :smile:\n")
