"""A folder with one folder of images per class."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.dataset import Dataset, Split, make_dataset, make_split, one_line
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.origin import Request
from rethinking_jax.errors import UserError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
GRAY_MODES = {"1", "L", "LA", "La", "F"}
TEST_FOLDERS = ("test", "val", "validation")


def load_image_folder(request: Request) -> Dataset:
    """Reads DIR/train/CLASS/* with DIR/test/CLASS/* (or val, validation), or DIR/CLASS/*.

    Without a test folder a fifth is held out. Classes are the training folders in sorted
    order; ids are positions in the sorted relative paths. The images are gray ([h, w, 1])
    where all of them are gray, else RGB.

    Raises:
      UserError: the folder is not of this kind, or an image cannot be read.
    """
    name, say = request.name, request.say
    classes, train_files, test_files = _found(name)
    say(f"reading {name}: {len(train_files) + len(test_files):,} examples")
    mode = "L" if all(_is_gray(name, path) for path in train_files + test_files) else "RGB"

    def read_split(split: str, files: list[Path]) -> Split:
        labels = np.searchsorted(classes, [path.parent.name for path in files])
        pixels = _read(name, files, mode, request.image_size)
        return make_split(name, split, pixels, labels, len(classes))

    train = read_split("train", train_files)
    if test_files:
        test = read_split("test", test_files)
    else:
        train, test = hold_out(name, train, say)
    return make_dataset(name, train, test, classes)


def image_files(request: Request) -> list[Path]:
    """Returns the files that `load_image_folder` reads.

    Raises:
      UserError: the folder is not of this kind.
    """
    _, train_files, test_files = _found(request.name)
    return train_files + test_files


def _found(name: str) -> tuple[list[str], list[Path], list[Path]]:
    """Returns the classes, and the files of the training and of the test images."""
    root = Path(name).expanduser()
    if not root.is_dir():
        raise UserError(f"dataset={name!r}: there is no such folder.")
    train_root = root / "train" if _folders(root / "train") else root
    classes = _folders(train_root)
    if len(classes) < 2:
        raise UserError(
            f"dataset={name!r}: {train_root} has {len(classes)} folder(s) of images; at least 2 "
            "are needed, one per class: DIR/CLASS/* or DIR/train/CLASS/* and DIR/test/CLASS/*."
        )
    train_files = _files(train_root)
    empty = sorted(set(classes) - {path.parent.name for path in train_files})
    if empty:
        raise UserError(f"dataset={name!r}: {train_root / empty[0]} holds no images.")
    test_roots = [root / test for test in TEST_FOLDERS if _folders(root / test)]
    test_files = _files(test_roots[0]) if test_roots and train_root != root else []
    for path in test_files:
        if path.parent.name not in classes:
            raise UserError(
                f"dataset={name!r}: {path.parent} is a class of the test images that the "
                f"training images in {train_root} lack."
            )
    return classes, train_files, test_files


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(root: Path) -> list[Path]:
    found = [
        path
        for folder in _folders(root)
        for path in (root / folder).iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
    ]
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _is_gray(name: str, path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.mode in GRAY_MODES or image.mode.startswith("I")
    except Exception as error:
        raise _unreadable(name, path, error) from error


def _read(name: str, files: list[Path], mode: str, image_size: int) -> np.ndarray:
    def read(indices: range) -> Iterator[np.ndarray]:
        for index in indices:
            try:
                image = images.decode(files[index].read_bytes(), mode)
            except Exception as error:
                raise _unreadable(name, files[index], error) from error
            yield image

    return images.stack_images(name, len(files), read, image_size)


def _unreadable(name: str, path: Path, error: Exception) -> UserError:
    return UserError(f"dataset={name!r}: the image {path} cannot be read ({one_line(error)}).")
