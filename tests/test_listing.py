"""What of a folder of images is read, and what is said of the rest."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.tfds_sets import noise
from PIL import Image

from rethinking_jax.data import Dataset, load_dataset
from rethinking_jax.data.listing import picture_extensions
from rethinking_jax.errors import UserError


def write(root: Path, *names: str, picture: np.ndarray | None = None) -> Path:
    """Writes a picture of its own at each of these paths."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {".jfif": "JPEG", ".heic": "PNG"}.get(path.suffix)
        Image.fromarray(noise(6, 6) if picture is None else picture).save(path, kind)
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    names = [f"{split}/{c}/{i}.png" for split in ("train", "test") for c in "ab" for i in "12"]
    return write(tmp_path / "photos", *names)


def load(root: Path, **options: int) -> tuple[Dataset, list[str]]:
    said: list[str] = []
    return load_dataset(str(root), progress=said.append, **options), said


def refused(root: Path) -> str:
    with pytest.raises(UserError) as raised:
        load_dataset(str(root))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("extension", ["jfif", "jpe", "JPG", "avif", "jp2", "tga", "sgi", "dib"])
def test_whatever_pillow_reads_is_read(extension: str, photos: Path) -> None:
    write(photos, f"train/a/9.{extension}", picture=np.full((6, 6), 200, np.uint8))
    data, said = load(photos)
    assert len(data.train) == 5 and abs(int(data.train.images[2].mean()) - 200) <= 1
    assert said == [f"reading {photos}: 9 examples"]


def test_what_runs_programs_or_is_no_picture_is_not_read() -> None:
    known = picture_extensions()
    assert {".png", ".jpeg", ".webp", ".tif", ".gif", ".ppm", ".bmp", ".ico"} <= known
    assert not known & {".eps", ".ps", ".mpg", ".h5", ".wmf", ".pdf", ".fits", ".svg", ".npy"}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["train/a/x.svg", "train/b/y.svg", "train/b/Z.HEIC"],
         "1 .heic, 2 .svg (no format that is read)"),
        (["train/a/Makefile"], "1 without an extension (no format that is read)"),
        (["train/a/more/1.png", "test/b/more/deep/2.png"],
         "2 file(s) in folders within a class (more/1.png, more/2.png)"),
        (["train/1.png", "README.md", "test/2.png", "x.npy"],
         "4 file(s) beside the folders of the classes (README.md, x.npy, 1.png, ...)"),
        (["valid/a/1.png"], "valid/ (test/ is taken)"),
        (["Val/a/1.png"], "Val/ (test/ is taken)"),
        (["training/a/1.png"], "training/ (train/ is taken)"),
        (["val/1.png"], "val/ (no class folders)"),
        (["unlabeled/1.png"], "unlabeled/ (not train or test)"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_said(names: list[str], line: str, photos: Path) -> None:
    for name in names:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).touch()
    data, said = load(photos)
    assert (len(data.train), len(data.test)) == (4, 4)
    assert said == [f"not read in {photos}: {line}", f"reading {photos}: 8 examples"]


def test_what_systems_put_there_is_no_news(photos: Path) -> None:
    for name in (".DS_Store", "train/a/Thumbs.db", "train/b/._1.png", "test/a/desktop.ini"):
        (photos / name).write_text("")
    (photos / "train" / "__MACOSX").mkdir()
    assert load(photos)[1] == [f"reading {photos}: 8 examples"]


@pytest.mark.parametrize("test", ["test", "testing", "TEST", "val", "valid", "Validation"])
@pytest.mark.parametrize("train", ["train", "Train", "training"])
def test_names_of_splits(train: str, test: str, tmp_path: Path) -> None:
    write(tmp_path, *(f"{split}/{c}/1.png" for split in (train, test) for c in ("1", "10", "2")))
    data, said = load(tmp_path)
    assert (len(data.train), len(data.test), len(said)) == (3, 3, 1)
    assert data.class_names == ("1", "10", "2")


def test_classes_without_test_images_are_named(photos: Path) -> None:
    write(photos, "train/c/1.png")
    data, said = load(photos)
    assert data.num_classes == 3
    assert said[-1] == f"{photos} has no test images of 1 of its 3 classes: c"


def test_symlinks_are_followed(photos: Path, tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/c/1.png")
    os.symlink(tmp_path / "elsewhere" / "c", photos / "train" / "c")
    os.symlink(tmp_path / "elsewhere" / "c" / "1.png", photos / "train" / "a" / "3.png")
    data, _ = load(photos)
    np.testing.assert_array_equal(data.train.images[2], data.train.images[5])


def test_flat_splits_are_no_classes(tmp_path: Path) -> None:
    message = refused(write(tmp_path, "train/1.png", "train/2.png", "test/1.png", "test/2.png"))
    assert "no folders in test or train" in message and "DIR/train/CLASS/*" in message


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda path: os.mkfifo(path), "it is not a file"),
        (lambda path: path.mkdir(), "it is not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a file"),
        (lambda path: path.symlink_to("nowhere"), "it is a link to nothing"),
        (lambda path: path.write_bytes(b""), "cannot be read ("),
        (lambda path: path.write_bytes(b"<svg/>"), "cannot be read ("),
    ],
)
def test_what_only_has_the_name_of_a_picture(
    make: Callable[[Path], None], word: str, photos: Path
) -> None:
    path = photos / "train" / "a" / "x.png"
    make(path)
    message = refused(photos)
    assert f"the image {path} cannot be read (" in message and word in message


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_or_split_without_pictures(split: str, photos: Path) -> None:
    root = photos / split
    for path in root.glob("*/*" if split == "test" else "b/*"):
        path.rename(path.with_suffix(".heic"))
    where = root if split == "test" else root / "b"
    assert f"{where} holds no images that can be read; not read: " in refused(photos)


# What is decided for a whole set, because a picture alone does not say it.


@pytest.mark.parametrize(
    ("dtype", "largest", "word"),
    [
        ("u2", 255, "of 16 bits reach at most 255 of 65,535"),
        ("u2", 4095, "of 16 bits reach at most 4,095 of 65,535"),
        ("u2", 4096, "are dark: the largest value in any of them is 16 of 255"),
        ("u2", 65535, None),
        ("i4", 1, "of 32 bits reach at most 1 of 255"),
        ("f4", 1, "of 32 bits reach at most 1 of 255"),
        ("f4", 255, None),
        ("u1", 1, "are dark: the largest value in any of them is 1 of 255"),
        ("u1", 255, None),
    ],
)
def test_the_range_of_a_set(dtype: str, largest: int, word: str | None, photos: Path) -> None:
    for path in photos.glob("*/*/*"):
        path.unlink()
        dark = np.zeros((6, 6), dtype)  # All but one are black.
        dark[0, 0] = largest if path.match("test/b/1.png") else 0
        Image.fromarray(dark).save(path.with_suffix(".tif"))
    if word and "reach" in word:
        assert f"{word}, such as {photos / 'test' / 'a' / '1.tif'}" in refused(photos)
        return
    data, said = load(photos)
    assert data.test.images.max() == (largest >> 8 if dtype == "u2" else largest)
    assert [word in line for line in said[1:]] == ([True] if word else [])


def test_pages_and_transparency_are_counted(photos: Path) -> None:
    page = Image.fromarray(noise(6, 6))
    page.save(photos / "train" / "a" / "5.tiff", save_all=True, append_images=[page] * 2)
    ink = np.zeros((6, 6, 4), np.uint8)
    ink[2, :, 3] = 255
    write(photos, "test/a/5.png", "test/b/5.png", picture=ink)
    data, said = load(photos)
    np.testing.assert_array_equal(data.test.images[2, ..., 0], 255 - ink[..., 3])
    tiff, drawing = photos / "train" / "a" / "5.tiff", photos / "test" / "a" / "5.png"
    assert said[1:] == [
        f"1 image(s) of {photos} have more than one page or frame: the first is taken, "
        f"such as {tiff}",
        f"2 image(s) of {photos} have transparent parts, which are laid on white, "
        f"such as {drawing}",
    ]


def test_a_turned_picture_is_upright_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path, *(f"{c}/{i}.png" for c in "ab" for i in "12"), picture=noise(6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.repeat([0, 255], [3, 3]).astype(np.uint8)[None].repeat(4, 0).T).rotate(
        90, expand=True
    ).save(tmp_path / "a" / "1.png", exif=exif)
    data, _ = load(tmp_path)
    assert data.image_shape == (6, 4, 1)
    upright = np.concatenate([s.images for s in (data.train, data.test)])[..., 0]
    assert any((each == np.repeat([0, 255], 3)[:, None]).all() for each in upright)
