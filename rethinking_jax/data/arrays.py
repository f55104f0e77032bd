"""The user's own arrays: given in Python, or in an .npz file."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.data.classes import number_labels, say_classes, shown_classes
from rethinking_jax.data.dataset import Dataset, make_dataset, make_split, one_line
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.images import say_if_dark, stack_images
from rethinking_jax.data.origin import Request, Say
from rethinking_jax.errors import UserError

TWO_SPLITS = ("x_train", "y_train", "x_test", "y_test")
ONE_SPLIT = ("images", "labels")
CLASSES = ("class_names", "num_classes")
MOST_CLASSES = 1_000_000


def arrays(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    class_names: Sequence[str] | None = None,
    name: str = "arrays",
    progress: Say = print,
) -> Dataset:
    """Returns a data set of arrays, as a notebook has them; ids are positions in the arrays.

    Args:
      x_train: the training images, [n, h, w] or [n, h, w, c] with 1 to 4 channels; integers
        in 0..255 or floats in 0..1.
      y_train: the training labels, integers [n] or [n, 1], from 0 on.
      x_test: the test images, of the same shape.
      y_test: the test labels.
      class_names: the names of the classes 0, 1, ...; None takes the labels that there are,
        sorted, as the classes, each of which is named by its label.
      name: what the data set is called in results and messages.
      progress: is given a line where labels are numbered anew, a class has no images, or all
        images are dark.

    Raises:
      UserError: an array is not of this kind, or the arrays do not fit together.
    """
    given = (x_train, y_train, x_test, y_test)
    found = {key: np.asarray(value) for key, value in zip(TWO_SPLITS, given, strict=True)}
    if class_names is not None:
        found["class_names"] = np.asarray([str(each) for each in class_names], np.str_)
    return _dataset(name, found, TWO_SPLITS, 0, progress)


def load_arrays(request: Request) -> Dataset:
    """Reads x_train, y_train, x_test and y_test, or images and labels (a fifth is held out).

    Images and labels are as of `arrays`. There are as many classes as `class_names` or
    `num_classes` in the file say, else as there are different labels. Other arrays are named in
    a line and not read.

    Raises:
      UserError: the file or an array in it is not of this kind.
    """
    name, size = request.name, request.image_size
    found = _read(name)
    keys = TWO_SPLITS if "x_train" in found or "images" not in found else ONE_SPLIT
    missing = [key for key in keys if key not in found]
    if missing:
        raise UserError(
            f"dataset={name!r} lacks {', '.join(missing)}: it must hold the arrays "
            f"{', '.join(TWO_SPLITS)}, or {' and '.join(ONE_SPLIT)}; "
            f"it holds {', '.join(sorted(found)) or 'none'}."
        )
    if unread := sorted(set(found) - {*keys, *CLASSES}):
        request.say(f"not read in {name}: the arrays {one_line(', '.join(unread))}")
    request.say(
        f"reading {name}: {sum(map(np.size, (found[key] for key in keys[1::2]))):,} examples"
    )
    return _dataset(name, found, keys, size, request.say)


def _dataset(
    name: str, found: dict[str, np.ndarray], keys: tuple[str, ...], image_size: int, say: Say
) -> Dataset:
    labels = [_labels(name, key, found[key]) for key in keys[1::2]]
    declared = _class_names(name, found)
    if declared is None:
        numbers = shown_classes(labels[0], labels[-1])
        class_names = [str(number) for number in numbers.tolist()]
    else:
        numbers, class_names = np.arange(len(declared)), declared
    splits = []
    for split, images, of_split in zip(("train", "test"), keys[::2], labels, strict=False):
        pixels = _pixels(name, images, found[images], len(of_split), image_size)
        places = number_labels(name, split, of_split, numbers)
        splits.append(make_split(name, split, pixels, places, len(class_names)))
    say_classes(name, numbers, splits[0].labels, class_names, say)
    say_if_dark(name, [np.asarray(split.images) for split in splits], say)
    train, test = splits if len(splits) == 2 else hold_out(name, splits[0], say)
    return make_dataset(name, train, test, class_names)


def _pixels(name: str, key: str, given: np.ndarray, count: int, image_size: int) -> np.ndarray:
    """Turns images into uint8 [n, h, w, c], fitted to `image_size` and as many as the labels."""
    images = _images(name, key, given)
    if len(images) != count:
        labels = key.replace("x_", "y_").replace("images", "labels")
        raise UserError(
            f"dataset={name!r}: {key} has {len(images):,} examples and {labels} has "
            f"{count:,}; they must be as many."
        )
    if image_size and len(images):
        return stack_images(name, count, lambda places: (images[i] for i in places), image_size)
    return images


def _read(name: str) -> dict[str, np.ndarray]:
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"dataset={name!r}: there is no such file.")
    try:
        # NumPy leaves a file of its own open where it finds that it is cut.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:
        reason = one_line(error) if zipfile.is_zipfile(path) else "it is no zip file"
        raise UserError(
            f"dataset={name!r} cannot be read as an .npz file of plain arrays, as numpy.savez "
            f"writes them ({reason})."
        ) from error


def _images(name: str, key: str, images: np.ndarray) -> np.ndarray:
    """Turns images into uint8 [n, h, w, c], whatever shape and numbers they are given in."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or not 1 <= images.shape[-1] <= 4 or 0 in images.shape[1:]:
        raise UserError(
            f"dataset={name!r}: {key} has the shape {images.shape}; images must be "
            "[n, height, width] or [n, height, width, channels] with 1 to 4 channels."
        )
    if images.dtype == np.uint8 or not len(images):
        return images
    largest, kind = (1, "floats") if images.dtype.kind in "fb" else (255, "integers")
    if images.dtype.kind not in "iufb":
        raise UserError(f"dataset={name!r}: {key} holds {images.dtype}, not numbers.")
    low, high = images.min(), images.max()
    # So written, NaN fails too.
    if not (low >= 0 and high <= largest):
        raise UserError(
            f"dataset={name!r}: {key} holds {images.dtype} from {low} to {high}; "
            f"{kind} must lie in 0..{largest} (or give uint8)."
        )
    if largest == 1:  # a half float has too few bits for 0..255, and would be rounded twice
        images = np.rint(images * np.float32(255))
    return images.astype(np.uint8)


def _labels(name: str, key: str, labels: np.ndarray) -> np.ndarray:
    """Turns labels into integers [n], whatever shape and numbers they are given in."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise UserError(
            f"dataset={name!r}: {key} has the shape {labels.shape}; labels must be class numbers "
            "[n] or [n, 1] (of one-hot rows take argmax(1))."
        )
    is_whole = labels.dtype.kind == "f" and np.isfinite(labels).all()
    if labels.dtype.kind not in "iub" and not (is_whole and (labels == np.rint(labels)).all()):
        raise UserError(
            f"dataset={name!r}: {key} holds {labels.dtype} values such as {labels[:1]}; "
            "labels must be whole numbers."
        )
    if labels.size and max(int(labels.max()), -int(labels.min())) >= 2**63:
        raise UserError(
            f"dataset={name!r}: {key} holds labels from {labels.min()} to {labels.max()}, which is "
            "outside the classes from 0 on that can be numbered."
        )
    return labels.astype(np.int64)


def _class_names(name: str, found: dict[str, np.ndarray]) -> list[str] | None:
    """Returns the names of the classes that are declared; None where none are."""
    names, number = found.get("class_names"), found.get("num_classes")
    if names is not None and (names.ndim != 1 or names.dtype.kind not in "US"):
        raise UserError(f"dataset={name!r}: class_names must be a list of texts.")
    texts = None if names is None else [_text(each) for each in names.tolist()]
    if number is None:
        return texts
    if number.size != 1 or number.dtype.kind not in "iu" or number.item() < 1:
        raise UserError(f"dataset={name!r}: num_classes must be one whole number, 2 or more.")
    if texts is not None and len(texts) != number.item():
        raise UserError(
            f"dataset={name!r}: there are {len(texts):,} class_names, and num_classes is "
            f"{number.item():,}: leave num_classes out."
        )
    if number.item() > MOST_CLASSES:
        raise UserError(
            f"dataset={name!r} would have {number.item():,} classes: number the classes from 0 on."
        )
    return [str(i) for i in range(number.item())] if texts is None else texts


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
