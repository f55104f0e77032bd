"""A workdir goes on, and is complete, with the data that it was made with and no others."""

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import rethinking_jax as rj
from rethinking_jax.data import Dataset, Split, load_dataset, open_streamed
from rethinking_jax.data.fingerprint import check_same, digests_of
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import UserError
from rethinking_jax.report.__main__ import main as report
from rethinking_jax.workdir.folder import Fingerprint
from rethinking_jax.workdir.metrics import Json

pytestmark = pytest.mark.usefixtures("one_engine")
BEFORE, LATER = 1_600_000_000, 1_700_000_000  # when files were written, in seconds
Arrays = dict[str, np.ndarray]
Change = Callable[[Arrays], None]


def made() -> Arrays:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 6, 6), np.uint8)
    y = np.arange(60) % 2
    return {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]}


def other_pixels(found: Arrays) -> None:
    found["x_train"][17, 3, 2] ^= 1


def other_test_pixels(found: Arrays) -> None:
    found["x_test"][19, 0, 0] ^= 1


def other_labels(found: Arrays) -> None:
    found["y_train"][0] = 1


def other_test_labels(found: Arrays) -> None:
    found["y_test"][0] = 1


def fewer(found: Arrays) -> None:
    for key in ("x_train", "y_train"):
        found[key] = found[key][:-1]


CHANGES = {
    other_pixels: "the pixels of the training set",
    other_test_pixels: "the pixels of the test set",
    other_labels: "the labels of the training set",
    other_test_labels: "the labels of the test set",
    fewer: "the number of examples of the training set (40 there, 39 now)",
}


def write(kind: str, found: Arrays, at: int) -> "str | Dataset":
    """Writes a data set into the working directory; returns what names it."""
    if kind == "arrays":
        return rj.arrays(**found)
    if kind == "npz":
        np.savez("d.npz", **found)  # type: ignore[arg-type]
        os.utime("d.npz", (at, at))
        return "./d.npz"
    shutil.rmtree("pictures", ignore_errors=True)
    for split in ("train", "test"):
        for i, (x, y) in enumerate(zip(found[f"x_{split}"], found[f"y_{split}"], strict=True)):
            file = Path(f"pictures/{split}/{y}/{i}.png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(x).save(file)
            os.utime(file, (at, at))
    return "./pictures"


def run(workdir: str, dataset: "str | Dataset", **changes: object) -> str:
    """Runs an epoch, or what is left of it, and returns what was said."""
    config = rj.base_config()
    config.update({"model": "mlp_1x512", "epochs": 1, "batch_size": 20, **changes})
    given = dataset if isinstance(dataset, Dataset) else None
    config.dataset = "mnist5k" if given else dataset
    out = io.StringIO()
    console = Console(file=out, width=500)
    rj.run(config, workdir, dataset=given, console=console, report=False)
    return out.getvalue()


def stop(workdir: str) -> None:
    """Makes a workdir one in which something is left to do."""
    (Path(workdir) / "summary.json").unlink()


def times(folder: str) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in Path(folder).rglob("*")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set of each kind, and a complete workdir of each."""
    folder = tmp_path_factory.mktemp("trained")
    with contextlib.chdir(folder):
        for kind in ("npz", "folder", "arrays"):
            run(kind, write(kind, made(), BEFORE), corruption="random_labels")
    return folder


@pytest.fixture
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a copy of that folder the working directory."""
    shutil.copytree(trained, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *[("npz", change) for change in CHANGES],
        *[("folder", change) for change in (other_pixels, other_test_pixels, fewer)],
        # Their name has a digest of the labels: with others they are another data set.
        *[("arrays", change) for change in (other_pixels, other_test_pixels)],
    ],
)
@pytest.mark.usefixtures("place")
def test_other_data_are_refused_with_what_changed(kind: str, change: Change) -> None:
    found = made()
    change(found)
    dataset = write(kind, found, LATER)
    for then in (lambda: None, partial(stop, kind)):
        then()
        before = times(kind)
        with pytest.raises(UserError) as error:
            run(kind, dataset, corruption="random_labels")
        assert times(kind) == before
        line = str(error.value)
        assert line.startswith(
            f"--workdir={kind} was made with other data: {CHANGES[change]} chang"
        )
        files = {"npz": "d.npz was written 20", "folder": ".png was written 20", "arrays": ""}
        assert files[kind] in line
        assert line.endswith("Bring the data back, or take another --workdir")


@pytest.mark.parametrize("kind", ["npz", "folder", "arrays"])
@pytest.mark.usefixtures("place")
def test_the_same_data_written_again_are_the_same(kind: str) -> None:
    dataset = write(kind, made(), LATER)
    said = run(kind, dataset, corruption="random_labels")
    assert "comparing the data" in said
    assert "Complete already" in said
    stop(kind)
    assert "Complete already" not in run(kind, dataset, corruption="random_labels")


@pytest.mark.parametrize("kind", ["npz", "folder"])
@pytest.mark.usefixtures("place")
def test_complete_results_need_no_data(kind: str) -> None:
    dataset = {"npz": "./d.npz", "folder": "./pictures"}[kind]
    assert "comparing" not in run(kind, dataset, corruption="random_labels")
    Path(dataset).rename("elsewhere")
    assert "Complete already" in run(kind, dataset, corruption="random_labels")
    if kind == "folder":  # a place where nothing is mounted
        Path(dataset).mkdir()
        assert "Complete already" in run(kind, dataset, corruption="random_labels")


@pytest.mark.usefixtures("place")
def test_a_workdir_of_the_version_before_goes_on() -> None:
    file = Path("npz/data.json")
    plain = json.loads(file.read_text())
    for one in plain:
        del one["digests"], one["source"]
    file.write_text(json.dumps(plain))
    found = made()
    other_pixels(found)
    dataset = write("npz", found, LATER)
    assert "Complete already" in run("npz", dataset, corruption="random_labels")
    assert rj.load("npz")[0].labels.ids.shape == (40,)
    stop("npz")
    run("npz", dataset, corruption="random_labels")
    assert "digests" in json.loads(file.read_text())[0]  # from now on


@pytest.mark.usefixtures("place")
def test_runs_are_added_on_the_same_data_only() -> None:
    sweep = rj.runs([{"seed": 0}])
    dataset = write("npz", made(), BEFORE)
    run("added", dataset, sweep=sweep)
    found = made()
    other_pixels(found)
    with pytest.raises(UserError, match="the pixels of the training set changed"):
        run("added", write("npz", found, LATER), sweep=rj.runs([{"seed": 0}, {"seed": 1}]))
    run("added", write("npz", made(), LATER), sweep=rj.runs([{"seed": 0}, {"seed": 1}]))


@pytest.mark.usefixtures("place")
def test_theory_is_of_its_data_too() -> None:
    config = rj.theory_config("theorem1", dataset="./d.npz", train_examples=20, sampled_points=20)

    def measured() -> dict:
        console = Console(file=io.StringIO())
        return rj.run(config, "theory", console=console, report=False)

    first = measured()
    write("npz", made(), LATER)
    assert measured() == first
    found = made()
    found["x_train"] ^= 1
    write("npz", found, LATER + 1)
    with pytest.raises(
        UserError, match=r"theory was made with other data: the pixels of the train"
    ):
        measured()


@pytest.mark.usefixtures("place")
def test_pictures_are_drawn_of_the_same_data_only(capsys: pytest.CaptureFixture[str]) -> None:
    dataset = write("npz", made(), BEFORE)
    run("pictures", dataset, augmentation="flip")
    picture = Path("pictures/figures/augmentations.png")
    assert report(["pictures", "--pictures"]) == 0
    drawn = picture.read_bytes()
    found = made()
    other_pixels(found)
    write("npz", found, LATER)
    capsys.readouterr()
    assert report(["pictures", "--pictures"]) == 0
    assert (
        "pictures was made with other data: the pixels of the training" in capsys.readouterr().out
    )
    assert picture.read_bytes() == drawn


def test_a_prepared_set_may_lie_elsewhere(data_dir: Path, tmp_path: Path) -> None:
    """A copy is compared where its times differ, and stands for the same data."""
    load_dataset("mnist5k", data_dir=str(data_dir))
    few = {"train_examples": 40}
    run(str(tmp_path / "run"), "mnist5k", data_dir=str(data_dir), **few)
    for name, copy in (("kept", shutil.copy2), ("new", shutil.copyfile)):
        shutil.copytree(data_dir / "mnist5k", tmp_path / name / "mnist5k", copy_function=copy)
        said = run(str(tmp_path / "run"), "mnist5k", data_dir=str(tmp_path / name), **few)
        assert ("comparing" in said) == (name == "new")
        assert "Complete already" in said
    said = run(str(tmp_path / "run"), "mnist5k", data_dir=str(tmp_path / "nowhere"), **few)
    assert "Complete already" in said
    assert not (tmp_path / "nowhere").exists()  # nothing is prepared for it


@pytest.mark.parametrize("crop", [0, 20])
def test_streams_and_memory_agree_on_what_both_know(crop: int, data_dir: Path) -> None:
    memory = digests_of(cropped(load_dataset("mnist5k", data_dir=str(data_dir)), crop), crop)
    opened = open_streamed("mnist5k", data_dir=str(data_dir), kind="stream")
    stream = digests_of(opened, crop)
    for split in ("train", "test"):
        assert set(memory[split]) ^ set(stream[split]) == {"pixels", "records"}
        for key in set(memory[split]) & set(stream[split]):
            assert memory[split][key] == stream[split][key]
    check_same([fingerprint(memory)], [fingerprint(stream)], Path("w"))
    stream["train"]["sampled pixels"] = stream["test"]["records"] = "other"
    expected = "other data: the sampled pixels of the training set changed"
    with pytest.raises(UserError, match=expected):
        check_same([fingerprint(memory)], [fingerprint(stream)], Path("w"))
    with pytest.raises(UserError, match="the records of the test set changed"):
        check_same([fingerprint(digests_of(opened, crop))], [fingerprint(stream)], Path("w"))


def fingerprint(digests: dict[str, Json]) -> Fingerprint:
    return Fingerprint(("a",), digests, None)


@pytest.mark.parametrize("shape", [(60_000, 28, 28, 1), (50_000, 32, 32, 3)])
def test_it_costs_less_than_a_second(shape: tuple[int, ...]) -> None:
    count = len(np.empty(shape, np.uint8))
    images = np.zeros(shape, np.uint8)
    train = Split(images, np.zeros(count, np.int32), np.arange(count, dtype=np.uint32))
    digests_of(Dataset("d", train.take(np.arange(9)), train.take(np.arange(9)), ("a", "b")), 0)
    started = time.process_time()
    digests_of(Dataset("d", train, train.take(np.arange(10_000)), ("a", "b")), 0)
    assert time.process_time() - started < 1
