"""The pictures in a folder with one folder per class, and what of it is not read."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.errors import UserError

TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("test", "testing", "val", "valid", "validation")
# What systems put beside a user's files, as they do files whose name begins with a dot.
HIDDEN = ("thumbs.db", "desktop.ini", "__macosx")
# Pillow opens these, and EPS with another program, MPEG not at all, FITS in the wrong byte order.
UNSAFE_FORMATS = ("EPS", "MPEG", "FITS")
BESIDE = "beside the folders of the classes"
BELOW = "in folders within a class"
NAMES_SHOWN = 3


class Listing(NamedTuple):
    """The files of a data set.

    Attributes:
      classes: the names of the training folders, sorted.
      train: the training pictures, sorted by their relative paths.
      test: the pictures to test on, likewise; none where a part of `train` is to be held out.
      left_out: what is not read, in one line; "" where everything is.
    """

    classes: list[str]
    train: list[Path]
    test: list[Path]
    left_out: str


class _LeftOut(NamedTuple):
    """What is not read: files by their extension, files by place, and folders by reason."""

    extensions: Counter[str]
    places: dict[str, list[str]]
    folders: list[str]


def list_folder(name: str) -> Listing:
    """Finds the training and test pictures in the folder `name`, of which none is opened.

    Raises:
      UserError: the folder is not of this kind.
    """
    root = Path(name).expanduser()
    if root.exists() and not root.is_dir():
        raise UserError(
            f"dataset={name!r} is a file: a data set is a folder with one folder per class, an "
            ".npz file of arrays, or a name of tfds."
        )
    if not root.is_dir():
        raise UserError(f"dataset={name!r}: there is no such folder.")
    left = _LeftOut(Counter(), {BESIDE: [], BELOW: []}, [])
    train_root, test_root = _roots(root, left)
    classes = _folders(train_root)
    splits = [each for each in classes if each.lower() in (*TRAIN_FOLDERS, *TEST_FOLDERS)]
    if len(classes) < 2 or splits == classes:
        within = f", and no folders in {' or '.join(splits)}" if splits else ""
        raise UserError(
            f"dataset={name!r}: {train_root} has {len(classes)} folder(s) of images{within}; at "
            "least 2 are needed, one per class: DIR/CLASS/* or DIR/train/CLASS/* and "
            "DIR/test/CLASS/*."
        )
    train = _pictures(name, train_root, left)
    empty = sorted(set(classes) - {path.parent.name for path in train})
    if empty:
        raise UserError(
            f"dataset={name!r}: {train_root / empty[0]} holds no images that can be read"
            f"{_and_left_out(left)}."
        )
    test = _pictures(name, test_root, left) if test_root else []
    if test_root and not test:
        raise UserError(
            f"dataset={name!r}: {test_root} holds no images that can be read{_and_left_out(left)}."
        )
    for path in test:
        if path.parent.name not in classes:
            raise UserError(
                f"dataset={name!r}: {path.parent} is a class of the test images that the "
                f"training images in {train_root} lack."
            )
    return Listing(classes, train, test, _in_words(left))


def picture_extensions() -> frozenset[str]:
    """Returns the extensions, such as ".png", of the formats that Pillow reads here."""
    from PIL import Image, ImageFile

    Image.preinit()  # so that the common formats are tried before the rare ones
    Image.init()
    readable = {
        kind
        for kind, (factory, _) in Image.OPEN.items()
        if kind not in UNSAFE_FORMATS
        and not (isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile))
    }
    extensions = Image.registered_extensions()
    return frozenset(each for each, kind in extensions.items() if kind in readable)


def _roots(root: Path, left: _LeftOut) -> tuple[Path, Path | None]:
    """Returns the folder of the training classes and that of the test classes."""
    by_use: dict[Sequence[str], list[str]] = {}
    for names in (TRAIN_FOLDERS, TEST_FOLDERS):
        with_classes = [f for f in _folders(root) if f.lower() in names and _folders(root / f)]
        by_use[names] = sorted(with_classes, key=lambda folder: names.index(folder.lower()))
    train, test = by_use[TRAIN_FOLDERS], by_use[TEST_FOLDERS]
    if not train:
        return root, None
    used = {train[0], *test[:1]}
    for folder in _folders(root):
        if folder not in used:
            taken = next((each[0] for each in (train, test) if folder in each), "")
            is_split = folder.lower() in (*TRAIN_FOLDERS, *TEST_FOLDERS)
            why = f"{taken}/ is taken" if taken else "not train or test"
            left.folders.append(
                f"{folder}/ ({'no class folders' if is_split and not taken else why})"
            )
    _note_files(root, left)
    return root / train[0], root / test[0] if test else None


def _pictures(name: str, root: Path, left: _LeftOut) -> list[Path]:
    """Returns the pictures in the class folders of `root`, and notes what else is there."""
    known = picture_extensions()
    found = []
    _note_files(root, left)
    for folder in _folders(root):
        for entry in _seen(root / folder):
            extension = os.path.splitext(entry.name)[1].lower()
            if extension in known:
                if not entry.is_file():
                    kind = "not a file" if os.path.exists(entry) else "a link to nothing"
                    raise UserError(
                        f"dataset={name!r}: the image {entry.path} cannot be read (it is {kind})."
                    )
                found.append(Path(entry.path))
            elif entry.is_dir():
                files = [f for _, _, files in os.walk(entry.path) for f in sorted(files)]
                left.places[BELOW] += [f"{entry.name}/{f}" for f in files if not _is_hidden(f)]
            else:
                left.extensions[extension or "without an extension"] += 1
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _note_files(root: Path, left: _LeftOut) -> None:
    left.places[BESIDE] += sorted(entry.name for entry in _seen(root) if not entry.is_dir())


def _seen(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yields what is in a folder and not hidden."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not _is_hidden(entry.name):
                yield entry


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in HIDDEN


def _folders(root: Path) -> list[str]:
    return sorted(entry.name for entry in _seen(root) if entry.is_dir())


def _in_words(left: _LeftOut) -> str:
    """Returns what is left out with counts and reasons, such as "3 .heic (no format ...)"."""
    parts = list(left.folders)
    if left.extensions:
        counts = ", ".join(f"{count:,} {each}" for each, count in sorted(left.extensions.items()))
        parts.append(f"{counts} (no format that is read)")
    for place, files in left.places.items():
        if files:
            more = ", ..." if len(files) > NAMES_SHOWN else ""
            parts.append(f"{len(files):,} file(s) {place} ({', '.join(files[:NAMES_SHOWN])}{more})")
    return "; ".join(parts)


def _and_left_out(left: _LeftOut) -> str:
    words = _in_words(left)
    return f"; not read: {words}" if words else ""
