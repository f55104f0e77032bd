"""A fuzz of image folders: they become what plain Pillow makes of each file, or one line.

What is drawn are folders that people have: every layout, format and mode, turned, transparent and
deep pictures, and beside them what else lies there: notes, broken files, folders within a class,
a further split. What is not read must be said.
"""

import io
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import fuzz
from hypothesis import reject
from hypothesis import strategies as st
from PIL import Image, ImageOps

import rethinking_jax as rj
from rethinking_jax.data import Dataset
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.names import printable

pytestmark = pytest.mark.filterwarnings("error")
# Each extension with the modes that Pillow saves in its format.
FORMATS = {
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    ".jpg": ("L", "RGB", "CMYK"),
    ".JPEG": ("L", "RGB", "CMYK"),
    ".jfif": ("L", "RGB"),
    ".bmp": ("1", "L", "P", "RGB", "RGBA"),
    ".gif": ("L", "P", "RGB"),
    ".tif": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I", "F"),
    ".webp": ("L", "RGB", "RGBA"),
    ".jp2": ("L", "RGB", "RGBA"),
    ".ppm": ("1", "L", "RGB"),
    ".tga": ("L", "RGB", "RGBA"),
    ".avif": ("RGB", "RGBA"),
}
GRAY = ("1", "L", "LA", "I;16", "I", "F")
CLASSES = ("cat", "dog", "10", "9", "a b", "Äpfel", "[b]", "ant")
NO_PICTURES = (
    ("notes.txt", b"hello"),
    ("labels.csv", b"a,b\n"),
    ("README", b"no extension"),
    ("photo.heic", b"\0\0\0\x18ftypheic"),
    ("data.npy", b"\x93NUMPY"),
    ("clip.mp4", b"\0\0\0\x18ftypmp42"),
)
HIDDEN = (("Thumbs.db", b"x"), (".DS_Store", b"x"), ("._a.png", b"x"), ("desktop.ini", b"x"))
BROKEN = (b"", b"no picture at all", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a")


class File(NamedTuple):
    """A file of a folder.

    Attributes:
      path: where it is, below the folder.
      content: what it holds; a text stands for a link to what it names.
      kind: "picture", "broken", "other" (no picture), "hidden".
    """

    path: str
    content: bytes | str
    kind: str


class Tree(NamedTuple):
    """A folder, and what of it is the training and the test part."""

    files: tuple[File, ...]
    train: str  # the folder of the training classes, "" for the folder itself
    test: str | None
    further: tuple[str, ...]  # the names of top folders that are not read
    image_size: int


@st.composite
def pictures(
    draw: st.DrawFn, extension: str, mode: str, shape: tuple[int, int], odd: bool
) -> bytes:
    """A picture of random pixels, saved in a format."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    height, width = shape
    channels = {"RGB": 3, "RGBA": 4, "CMYK": 4, "LAB": 3, "LA": 2}.get(mode, 1)
    if mode == "I;16":
        top = draw(st.sampled_from([2**16, 2**16, 2**12])) if odd else 2**16
        image = Image.fromarray(rng.integers(0, top, shape).astype(np.uint16))
    elif mode in ("I", "F"):
        top = draw(st.sampled_from([1.0, 256.0, 300.0, 2.0])) if odd else 256.0
        values = rng.random(shape) * top
        image = Image.fromarray(values.astype(np.int32 if mode == "I" else np.float32))
    elif mode in ("1", "P"):
        image = Image.fromarray(rng.integers(0, 256, (*shape, 3), np.uint8)).convert(mode)
    else:
        pixels = rng.integers(0, 256, (*shape, channels), np.uint8)
        image = Image.frombytes(mode, (width, height), pixels.tobytes())
    words: dict[str, Any] = {}
    if odd and extension in (".png", ".jpg", ".webp", ".tif") and mode in ("L", "RGB"):
        exif = Image.Exif()
        exif[0x0112] = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 0, 99]))
        words["exif"] = exif
    if odd and extension in (".png", ".gif") and mode == "P":
        words["transparency"] = 0
    if (
        odd
        and extension in (".tif", ".gif", ".webp", ".png")
        and mode == "RGB"
        and "exif" not in words
    ):
        words |= {"save_all": True, "append_images": [Image.new(mode, (width, height), "red")]}
    out = io.BytesIO()
    image.save(out, kind_of(extension), **words)
    return out.getvalue()


def kind_of(extension: str) -> str:
    return Image.registered_extensions()[".jpg" if extension == ".jfif" else extension.lower()]


ODD = (
    "odd pictures", "mixed formats", "another size", "broken", "cut", "no pictures", "hidden",
    "in a folder", "beside", "further split", "empty class", "test class", "link", "strange name",
    "one class", "one each", "lying extension",
)  # fmt: skip


def below(*parts: str) -> str:
    """Joins the parts of a path that are there."""
    return "/".join(part for part in parts if part)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A folder of pictures; half of them have nothing odd."""
    odd = draw(st.one_of(st.just(set()), st.sets(st.sampled_from(ODD), min_size=1, max_size=3)))
    classes = draw(st.permutations(CLASSES))[: 1 if "one class" in odd else draw(st.integers(2, 3))]
    layout = draw(st.sampled_from(["plain", "plain", "train", "train+test"]))
    train = "" if layout == "plain" else draw(st.sampled_from(["train", "Train", "training"]))
    name = draw(st.sampled_from(["test", "val", "valid", "validation", "Test", "testing"]))
    test = name if layout == "train+test" else None
    extension = draw(st.sampled_from(sorted(FORMATS)))
    mode = draw(st.sampled_from(FORMATS[extension]))
    shape = draw(st.sampled_from([(8, 8), (6, 9), (1, 1), (17, 3)]))
    image_size = draw(st.sampled_from([0, 0, 0, 0, 5]))
    files: list[File] = []

    def picture(path: str, strange: bool = False) -> File:
        own, own_mode, size = extension, mode, shape
        if "mixed formats" in odd and draw(st.booleans()):
            own = draw(st.sampled_from(sorted(FORMATS)))
            own_mode = draw(st.sampled_from(FORMATS[own]))
        if strange:
            size = (shape[0] + 2, shape[1] + 1)
        content = draw(pictures(own, own_mode, size, "odd pictures" in odd))
        if "lying extension" in odd and own in (".png", ".jpg", ".gif", ".bmp"):
            own = ".png" if own != ".png" else ".jpg"
        return File(path + own, content, "picture")

    for part in (train, test):
        if part is None:
            continue
        for place, each in enumerate(classes):
            count = draw(st.integers(2, 4)) if part == train else draw(st.integers(1, 2))
            if "one each" in odd:
                count = 1
            if part == test and place and not draw(st.integers(0, 3)):
                continue  # the test set need not have every class
            files += [
                picture(below(part, each, f"{draw(st.sampled_from('xyz'))}{i}"))
                for i in range(count)
            ]
    first = below(train, classes[0])
    if "another size" in odd:
        files.append(picture(f"{first}/q", strange=True))
    if "broken" in odd:
        files.append(File(f"{first}/w.png", draw(st.sampled_from(BROKEN)), "broken"))
    if "cut" in odd and extension in (".png", ".jpg", ".tif", ".bmp"):
        whole = draw(pictures(extension, mode, shape, False))
        files.append(File(f"{first}/w{extension}", whole[: len(whole) // 2], "broken"))
    if "no pictures" in odd:
        for each, content in draw(st.sets(st.sampled_from(NO_PICTURES), min_size=1)):
            files.append(File(f"{first}/{each}", content, "other"))
    if "hidden" in odd:
        for each, content in HIDDEN:
            files.append(File(f"{first}/{each}", content, "hidden"))
            files.append(File(each, content, "hidden"))
    if "in a folder" in odd:
        files.append(File(f"{first}/more/deep/p.png", files[0].content, "other"))
        files.append(File(f"{first}/more/k.txt", b"k", "other"))
    if "beside" in odd:
        files.append(File("beside.png", files[0].content, "other"))
        if train:
            files.append(File(below(train, "list.txt"), b"k", "other"))
    further = ()
    if "further split" in odd and train:
        further = draw(st.sampled_from([("extra",), ("unlabeled", "masks")]))
        files += [File(f"{each}/{classes[0]}/u.png", files[0].content, "other") for each in further]
    if "empty class" in odd:
        files.append(File(below(train, "zebra", "notes.txt"), b"nothing", "other"))
    if "test class" in odd and test:
        files.append(File(f"{test}/zebra/t{extension}", files[0].content, "picture"))
    if "link" in odd:
        aim = draw(st.sampled_from([os.path.basename(files[0].path), "nowhere"]))
        files.append(
            File(f"{first}/link{extension}", aim, "picture" if aim != "nowhere" else "broken")
        )
    if "strange name" in odd:
        name = draw(
            st.sampled_from(["n" * 200, "a\nb", "'quoted' é", "\udcff", "[red]", "\x1b[1m"])
        )
        files.append(File(f"{first}/{name}{extension}", files[0].content, "picture"))
        files.append(File(f"{first}/{name}.txt", b"", "other"))
        files.append(File(f"{name}/x.txt", b"", "other") if train else files[0])
        further = (*further, name) if train else further
    unique = {file.path: file for file in files}
    return Tree(tuple(unique.values()), train, test, further, image_size)


def write(tree: Tree, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for file in tree.files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(file.content, str):
            path.symlink_to(file.content)
        else:
            path.write_bytes(file.content)


# The slow reference --------------------------------------------------------------------


def opened(path: Path) -> Image.Image:
    """The first picture of a file, upright."""
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.load()
    return ImageOps.exif_transpose(image)


def as_pillow_sees(path: Path, gray: bool) -> np.ndarray | None:
    """A picture as floats 0..255 of [h, w, c]; None where its values have no place there."""
    image = opened(path)
    values = np.asarray(image, np.float64)
    if image.mode.startswith("I;16") or (image.mode == "I" and kind(path) == "PNG"):
        values = values // 256
    elif image.mode in ("I", "F"):
        fractions = values.max() <= 1 and (values != np.rint(values)).any()
        if values.min() < 0 or values.max() > 255 or fractions:
            return None
        values = np.rint(values)
    elif image.has_transparency_data:
        whole = np.asarray(image.convert("RGBA"), np.float64)
        alpha = whole[..., 3:] / 255
        values = whole[..., :3] * alpha + 255 * (1 - alpha)
        if gray:
            values = values @ np.array([0.299, 0.587, 0.114])
    else:
        values = np.asarray(image.convert("L" if gray else "RGB"), np.float64)
    values = values.reshape(image.height, image.width, -1)
    return np.repeat(values, 3, axis=-1) if not gray and values.shape[2] == 1 else values


def kind(path: Path) -> str | None:
    with Image.open(path) as image:
        return image.format


def is_dark(path: Path, gray: bool) -> bool:
    """Says whether a picture of 16 or 32 bits is nearly black, as all of them may not be."""
    image, values = opened(path), as_pillow_sees(path, gray)
    least = {"I": 16 if kind(path) == "PNG" else 2, "F": 2}.get(image.mode, 16)
    return values is None or (image.mode[0] in "IF" and values.max() < least)


def is_white(path: Path) -> bool:
    """Says whether a picture on transparent ground vanishes on white."""
    values = as_pillow_sees(path, False)
    return opened(path).has_transparency_data and values is not None and values.min() >= 253


def is_read(tree: Tree, file: File) -> str:
    """The split of which a file is a picture, or should be one; "" for none."""
    parts = file.path.split("/")
    root = [part for part in (tree.train,) if part]
    if file.kind not in ("picture", "broken"):
        return ""
    if parts[: len(root)] == root and len(parts) == len(root) + 2:
        return "train"
    return "test" if tree.test and parts[0] == tree.test and len(parts) == 3 else ""


def said_of(tree: Tree, lines: list[str]) -> None:
    """Asserts that what is not read is said, each file with its count or by its top folder."""
    left = [file for file in tree.files if file.kind == "other"]
    text = next((line for line in lines if line.startswith("not read in ")), "")
    assert bool(left) == bool(text), (left, text)
    for folder in tree.further:
        assert f"{printable(folder)}/ (" in text
    inside = [f for f in left if f.path.split("/")[0] not in tree.further]
    counts = re.findall(r"(\d[\d,]*) (?:\.\w+|without an extension|file\(s\))", text)
    assert sum(int(count.replace(",", "")) for count in counts) == len(inside), (inside, text)


def check(tree: Tree, root: Path) -> None:
    write(tree, root)
    lines: list[str] = []
    depth = 1 if tree.train else 0  # of the folders of the classes
    classes = {f.path.split("/")[depth] for f in tree.files if is_read(tree, f) == "train"}
    named = {
        f.path.split("/")[depth]
        for f in tree.files
        if f.path.startswith(below(tree.train, "")) and f.path.count("/") > depth
    }
    try:
        made = rj.load_dataset(str(root), image_size=tree.image_size, progress=lines.append)
        assert all(line.isprintable() for line in lines), lines
    except UserError as error:
        fuzz.check_refusal(error)
        assert may_be_refused(tree, root, classes, named), str(error)
        return
    assert all(file.kind != "broken" for file in tree.files), "a broken file was passed over"
    assert list(made.class_names) == sorted(classes) == sorted(named)
    said_of(tree, lines)
    compare(tree, root, made, lines)


def may_be_refused(tree: Tree, root: Path, classes: set[str], named: set[str]) -> bool:
    """Says whether there is anything wrong with a folder, as a person would say it."""
    read = [file for file in tree.files if is_read(tree, file)]
    if any(file.kind == "broken" for file in tree.files) or classes != named or len(classes) < 2:
        return True
    if {f.path.split("/")[-2] for f in read} != classes:
        return True  # a class that only the test pictures have
    if not tree.test and len(read) == len(classes):
        return True
    paths = [root / file.path for file in read]
    if not tree.image_size and len({opened(path).size for path in paths}) > 1:
        return True
    return any(is_dark(path, False) or is_white(path) for path in paths)


def compare(tree: Tree, root: Path, made: Dataset, lines: list[str]) -> None:
    """Asserts that each picture is what Pillow makes of it, with the label of its folder."""
    by_split: Mapping[str, list[Path]] = {
        name: sorted(
            (root / f.path for f in tree.files if is_read(tree, f) == name),
            key=lambda path: path.relative_to(root).as_posix(),
        )
        for name in ("train", "test")
    }
    modes = [opened(path).mode for paths in by_split.values() for path in paths]
    gray = all(mode in GRAY or mode.startswith("I") for mode in modes)
    assert made.image_shape[2] == (1 if gray else 3)
    for name, split in made.splits.items():
        files = by_split["test" if name == "test" and tree.test else "train"]
        for i, label, got in zip(split.ids, split.labels, split.images, strict=True):
            assert made.class_names[label] == files[i].parent.name
            wanted = as_pillow_sees(files[i], gray)
            assert wanted is not None, f"{files[i]} had to be refused"
            if tree.image_size:
                assert got.shape[:2] == (tree.image_size,) * 2
            else:
                assert got.shape == wanted.shape
                assert np.abs(got - wanted).max() <= 2, files[i]
    ids = [made.train.ids.tolist(), made.test.ids.tolist()]
    if tree.test:
        assert [sorted(each) for each in ids] == [list(range(len(p))) for p in by_split.values()]
    else:
        assert sorted(ids[0] + ids[1]) == list(range(len(by_split["train"])))
        assert any("holding out" in line for line in lines)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folders") / "mine"


@fuzz.few(trees(), 25)
def test_a_folder_becomes_what_pillow_sees(case: Tree, root: Path) -> None:
    check(case, root)


@fuzz.many(trees(), 400)
def test_many_folders_become_what_pillow_sees(case: Tree, root: Path) -> None:
    check(case, root)


@fuzz.many(trees(), 12, part=200)
def test_some_folders_are_trained_on(case: Tree, root: Path) -> None:
    tree = case._replace(image_size=0)
    write(tree, root)
    lines: list[str] = []
    try:
        made = rj.load_dataset(str(root), progress=lines.append)
    except UserError:
        reject()
    compare(tree, root, made, lines)
    fuzz.check_trained(str(root), made, root.parent / "run")
