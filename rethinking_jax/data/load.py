"""The one door: from a data set's name to the data set, in memory or streamed."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from rethinking_jax.data.arrays import load_arrays
from rethinking_jax.data.checkerboard import is_checkerboard, load_checkerboard
from rethinking_jax.data.dataset import Dataset, Split, one_line
from rethinking_jax.data.image_folder import image_files, load_image_folder
from rethinking_jax.data.images import stack_images
from rethinking_jax.data.origin import Origin, Request, Say, say_nothing
from rethinking_jax.data.parts import subset
from rethinking_jax.data.tfds.load import load_tfds
from rethinking_jax.data.tfds.prepare import is_known, prepared_files
from rethinking_jax.data.tfds.stream import bytes_in_memory, stream_tfds
from rethinking_jax.data.watch import Spoken, Watch
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.names import printable

KINDS = ("auto", "stream", "cache")


def _is_folder(request: Request) -> bool:
    name = request.name
    if name.startswith(("~", ".", "/")) or os.path.isabs(name):
        return True
    # `emnist/letters` is a set of tfds even where a folder of that name lies here.
    has_separator = "/" in name or os.sep in name
    return has_separator and os.path.isdir(name) and not is_known(name, request.data_dir)


# The last one that recognizes a name has it, so a line that is added goes before the others.
DATASETS: dict[str, Origin] = {
    "tfds": Origin(
        "An image classification set of tfds, such as mnist or cifar10:3.0.2, or mnist5k.",
        recognizes=lambda request: True,
        load=load_tfds,
        stream=stream_tfds,
        bytes_in_memory=bytes_in_memory,
        files=prepared_files,
    ),
    "folder": Origin(
        "A folder of images per class.", _is_folder, load_image_folder, files=image_files
    ),
    "npz": Origin(
        "Arrays in an .npz file.",
        lambda request: request.name.endswith(".npz"),
        load_arrays,
        files=lambda request: [Path(request.name).expanduser()],
    ),
    "checkerboard": Origin(
        "Points in the plane that are generated, such as checkerboard:1000+9.",
        lambda request: is_checkerboard(request.name),
        load_checkerboard,
        holds_points=True,
    ),
}


def origin_of(request: Request) -> Origin:
    """Returns the kind of data set that a request names."""
    return next(one for one in reversed(DATASETS.values()) if one.recognizes(request))


def _check_size(image_size: int) -> None:
    if image_size < 0:
        raise UserError(f"image_size={image_size} is negative: give a side in pixels, or 0.")


def load_dataset(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    image_size: int = 0,
    cache_dir: str = "",
    train_examples: int = 0,
    data_seed: int = 0,
    validation_examples: int = 0,
    progress: Say | None = None,
) -> Dataset:
    """Reads a data set into memory, preparing it first where it is not.

    Args:
      name: `mnist5k` (embedded), any image classification set of tfds such as `mnist`,
        `cifar10:3.0.2` or `emnist/letters`, a folder of images per class, an .npz file,
        or `checkerboard:1000+9`, points that are generated. It is taken for a path where it
        ends in .npz, starts with ~, . or /, or contains a separator, is a folder and no set
        of tfds.
      data_dir: where tfds keeps prepared sets; "" is its own choice (TFDS_DATA_DIR, else
        ~/tensorflow_datasets).
      manual_dir: a folder with archives that were downloaded by hand.
      image_size: scale and crop all images to this side; 0 leaves them as they are.
      cache_dir: where decoded sets are kept; "" is the folder `rethinking_jax` in the data_dir,
        or one of this user where that cannot be written (`kept.user_folder`).
      train_examples: how many examples to train on; 0 takes all. See `chosen_parts`.
      data_seed: the seed by which they are chosen.
      validation_examples: how many to set aside, as the further split "validation".
      progress: is given plain lines that say what is going on.

    Returns:
      The data set: uint8 images [n, h, w, c] (float32 points [n, 1, 2, 1]), int32 labels,
      uint32 ids.

    Raises:
      UserError: one line that names what is wrong and what would be right.
    """
    _check_size(image_size)
    say = progress or say_nothing
    request = Request(
        name,
        data_dir,
        manual_dir,
        cache_dir,
        image_size,
        say=lambda line: say(printable(line)),
        part=train_examples > 0,
    )
    try:
        dataset = origin_of(request).load(request)
        return _in_memory(
            subset(dataset, train_examples, data_seed, validation_examples), request.say
        )
    except OSError as error:
        raise UserError(f"dataset={name!r} cannot be read: {one_line(error)}") from error


def _in_memory(dataset: Dataset, say: Say) -> Dataset:
    """Reads the images of the splits that were left to be read."""

    def whole(split: Split) -> Split:
        if not split.streamed:
            return split
        pixels = stack_images(
            dataset.name,
            len(split),
            lambda rows: split.reader.read(np.arange(rows.start, rows.stop)),
            0,
            Spoken(say),
            f"decoding {dataset.name}",
        )
        return dataclasses.replace(split, stored=pixels)

    return dataclasses.replace(
        dataset,
        train=whole(dataset.train),
        test=whole(dataset.test),
        further={name: whole(split) for name, split in dataset.further.items()},
    )


def open_streamed(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    image_size: int = 0,
    cache_dir: str = "",
    kind: str = "auto",
    say: Say | None = None,
    watch: Watch | None = None,
) -> Dataset:
    """Opens a tfds set for reading in batches, preparing it first where it is not.

    Examples, labels, ids and pixels are those of `load_dataset`, in its order. With a whole
    cache the prepared set need not be there.

    Args:
      name: any image classification set of tfds, or `mnist5k`.
      data_dir: see `load_dataset`.
      manual_dir: see `load_dataset`.
      image_size: see `load_dataset`; 0 only for sets whose images have one size.
      cache_dir: where the index and caches are kept; "" is the folder `rethinking_jax`
        in the data_dir.
      kind: "stream" decodes images when they are read, "cache" reads them from a cache
        that `rethinking_jax.prepare` has made, "auto" takes a whole, fitting cache where
        there is one and streams otherwise, and says which.
      say: is given plain lines of progress.
      watch: is told how far the pass for the index is; None says it by `say`.

    Raises:
      UserError: one line that names what is wrong and what would be right.
    """
    if kind not in KINDS:
        raise UserError(f"kind={kind!r} is not known: it can be {', '.join(KINDS)}.")
    _check_size(image_size)
    say = say or say_nothing
    request = Request(name, data_dir, manual_dir, cache_dir, image_size, kind, say, watch)
    origin = origin_of(request)
    if origin.stream is None:
        raise UserError(f"dataset={name!r} is read into memory only: sets of tfds can be streamed.")
    return origin.stream(request)
