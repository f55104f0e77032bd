"""A folder with one folder of images per class."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.dataset import Dataset, Split, make_dataset, make_split, one_line
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.listing import list_folder
from rethinking_jax.data.origin import Request, Say
from rethinking_jax.errors import UserError

GRAY_MODES = {"1", "L", "LA", "La", "F"}
# By the bits of a value in the file: pictures that all stay below are of another range.
LEAST_PEAK = {16: 16, 32: 2}
PLAIN = (8, False, 1)  # 8 bits, opaque, one page: nothing to say


class Note(NamedTuple):
    """What is said of a picture beside its pixels, see `images.Picture`."""

    path: Path
    peak: int  # its largest value in 0..255
    depth: int
    transparent: bool
    pages: int


def load_image_folder(request: Request) -> Dataset:
    """Reads DIR/train/CLASS/* with DIR/test/CLASS/* (or val, valid, ...), or DIR/CLASS/*.

    Without a test folder a fifth is held out. Classes are the training folders in sorted
    order; ids are positions in the sorted relative paths. The images are gray ([h, w, 1])
    where all of them are gray, else RGB. What is not read is said, with counts and reasons.

    Raises:
      UserError: the folder is not of this kind, or an image cannot be read.
    """
    name, say = request.name, request.say
    classes, train_files, test_files, left_out = list_folder(name)
    if left_out:
        say(f"not read in {name}: {left_out}")
    say(f"reading {name}: {len(train_files) + len(test_files):,} examples")
    mode = "L" if all(_is_gray(name, path) for path in train_files + test_files) else "RGB"
    numbers = {each: number for number, each in enumerate(classes)}
    notes: dict[Path, Note] = {}

    def read_split(split: str, files: list[Path]) -> Split:
        labels = np.array([numbers[path.parent.name] for path in files])
        pixels = _read(name, files, mode, request.image_size, notes)
        return make_split(name, split, pixels, labels, len(classes))

    train = read_split("train", train_files)
    test = read_split("test", test_files) if test_files else None
    _check_range(name, list(notes.values()))
    _say_notes(name, list(notes.values()), say)
    images.say_if_dark(name, [np.asarray(each.images) for each in (train, test) if each], say)
    if test is None:
        train, test = hold_out(name, train, say)
    elif untested := sorted(set(classes) - {path.parent.name for path in test_files}):
        say(f"{name} has no test images of {len(untested)} of its {len(classes)} classes: "
            f"{one_line(', '.join(untested))}")  # fmt: skip
    return make_dataset(name, train, test, classes)


def image_files(request: Request) -> list[Path]:
    """Returns the files that `load_image_folder` reads.

    Raises:
      UserError: the folder is not of this kind.
    """
    _, train_files, test_files, _ = list_folder(request.name)
    return train_files + test_files


def _is_gray(name: str, path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.mode in GRAY_MODES or image.mode.startswith("I")
    except Exception as error:
        raise _unreadable(name, path, error) from error


def _read(
    name: str, files: list[Path], mode: str, image_size: int, notes: dict[Path, Note]
) -> np.ndarray:
    def read(indices: range) -> Iterator[np.ndarray]:
        for index in indices:
            path = files[index]
            try:
                picture = images.decode_picture(path.read_bytes(), mode)
            except Exception as error:
                raise _unreadable(name, path, error) from error
            if picture[1:] != PLAIN:
                notes[path] = Note(path, int(picture.pixels.max()), *picture[1:])
            yield picture.pixels

    return images.stack_images(name, len(files), read, image_size)


def _check_range(name: str, notes: list[Note]) -> None:
    """Refuses deep pictures that all stay within a range far below that of their depth.

    One picture may be dark, so it is asked of all of them: whatever is done, it is done to all.

    Raises:
      UserError: all pictures of 16 or 32 bits would be black, or nearly.
    """
    for depth, least in LEAST_PEAK.items():
        deep = sorted(note for note in notes if note.depth == depth)
        peak = max((note.peak for note in deep), default=least)
        if peak < least:
            reached = f"{(peak + 1) * 256 - 1:,} of 65,535" if depth == 16 else f"{peak} of 255"
            raise UserError(
                f"dataset={name!r}: the values of its {len(deep):,} images of {depth} bits reach "
                f"at most {reached}, such as {deep[0].path}: they would be nearly black. Save "
                "them with 8 bits, or with values up to the largest."
            )


def _say_notes(name: str, notes: list[Note], say: Say) -> None:
    """Says what was done to the pictures, in a line for each kind."""
    kinds = (
        ([n for n in notes if n.pages > 1], "more than one page or frame: the first is taken"),
        ([n for n in notes if n.transparent], "transparent parts, which are laid on white"),
    )
    for found, what in kinds:
        if found:
            say(f"{len(found):,} image(s) of {name} have {what}, such as {min(found).path}")


def _unreadable(name: str, path: Path, error: Exception) -> UserError:
    return UserError(f"dataset={name!r}: the image {path} cannot be read ({one_line(error)}).")
