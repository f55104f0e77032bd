"""The user's own arrays: given in Python, or in an .npz file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.data.dataset import Dataset, Split, make_dataset, make_split, one_line
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.images import stack_images
from rethinking_jax.data.origin import Request
from rethinking_jax.errors import UserError

TWO_SPLITS = ("x_train", "y_train", "x_test", "y_test")
ONE_SPLIT = ("images", "labels")
MOST_CLASSES = 1_000_000


def arrays(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    class_names: Sequence[str] | None = None,
    name: str = "arrays",
) -> Dataset:
    """Returns a data set of arrays, as a notebook has them; ids are positions in the arrays.

    Args:
      x_train: the training images, [n, h, w] or [n, h, w, c] with 1 to 4 channels; integers
        in 0..255 or floats in 0..1.
      y_train: the training labels, integers [n] or [n, 1], numbered from 0 on.
      x_test: the test images, of the same shape.
      y_test: the test labels.
      class_names: the classes' names; None numbers them up to the largest training label.
      name: what the data set is called in results and messages.

    Raises:
      UserError: an array is not of this kind, or the arrays do not fit together.
    """
    given = (x_train, y_train, x_test, y_test)
    found = {key: np.asarray(value) for key, value in zip(TWO_SPLITS, given, strict=True)}
    if class_names is not None:
        found["class_names"] = np.asarray([str(each) for each in class_names], np.str_)
    names = _class_names(name, found, _labels(name, "y_train", found["y_train"]))
    train, test = (
        _split(name, split, found, keys, len(names), 0)
        for split, keys in (("train", TWO_SPLITS[:2]), ("test", TWO_SPLITS[2:]))
    )
    return make_dataset(name, train, test, names)


def load_arrays(request: Request) -> Dataset:
    """Reads x_train, y_train, x_test and y_test, or images and labels (a fifth is held out).

    Images and labels are as of `arrays`. There are as many classes as `class_names` or
    `num_classes` in the file say, else up to the largest training label.

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
    class_names = _class_names(name, found, _labels(name, keys[1], found[keys[1]]))
    request.say(f"reading {name}: {sum(found[key].shape[0] for key in keys[1::2]):,} examples")
    train = _split(name, "train", found, keys[:2], len(class_names), size)
    if keys == ONE_SPLIT:
        train, test = hold_out(name, train, request.say)
    else:
        test = _split(name, "test", found, keys[2:], len(class_names), size)
    return make_dataset(name, train, test, class_names)


def _split(
    name: str,
    split: str,
    found: dict[str, np.ndarray],
    keys: tuple[str, ...],
    num_classes: int,
    image_size: int,
) -> Split:
    images = _images(name, keys[0], found[keys[0]])
    labels = _labels(name, keys[1], found[keys[1]])
    if len(images) != len(labels):
        raise UserError(
            f"dataset={name!r}: {keys[0]} has {len(images):,} examples and {keys[1]} has "
            f"{len(labels):,}; they must be as many."
        )
    if image_size and len(images):
        original = images
        images = stack_images(
            name, len(original), lambda indices: (original[i] for i in indices), image_size
        )
    return make_split(name, split, images, labels, num_classes)


def _read(name: str) -> dict[str, np.ndarray]:
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"dataset={name!r}: there is no such file.")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:
        raise UserError(
            f"dataset={name!r} cannot be read as an .npz file of plain arrays, as numpy.savez "
            f"writes them ({one_line(error)})."
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
    return (np.rint(images * 255.0) if largest == 1 else images).astype(np.uint8)


def _labels(name: str, key: str, labels: np.ndarray) -> np.ndarray:
    """Turns labels into integers [n], whatever shape and numbers they are given in."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise UserError(
            f"dataset={name!r}: {key} has the shape {labels.shape}; labels must be class numbers "
            "[n] or [n, 1] (of one-hot rows take argmax(1))."
        )
    if labels.dtype.kind == "f" and (labels == np.rint(labels)).all() and np.isfinite(labels).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iub":
        raise UserError(
            f"dataset={name!r}: {key} holds {labels.dtype} values such as {labels[:1]}; "
            "labels must be whole numbers."
        )
    return labels


def _class_names(name: str, found: dict[str, np.ndarray], labels: np.ndarray) -> list[str]:
    if "class_names" in found:
        names = found["class_names"]
        if names.ndim != 1 or names.dtype.kind not in "US":
            raise UserError(f"dataset={name!r}: class_names must be a list of texts.")
        return [str(text) for text in names.astype(str)]
    if "num_classes" in found:
        number = found["num_classes"]
        if number.size != 1 or number.dtype.kind not in "iu":
            raise UserError(f"dataset={name!r}: num_classes must be one whole number.")
        count = int(number.item())
    else:
        count = int(labels.max()) + 1 if len(labels) else 0
    if count > MOST_CLASSES:
        raise UserError(
            f"dataset={name!r} would have {count:,} classes: number the classes from 0 on."
        )
    return [str(i) for i in range(count)]
