"""The one door: from a data set's name to its images in memory."""

import os
from collections.abc import Callable

from rethinking_jax.data.arrays import load_arrays
from rethinking_jax.data.checkerboard import is_checkerboard, load_checkerboard
from rethinking_jax.data.dataset import Dataset, one_line
from rethinking_jax.data.image_folder import load_image_folder
from rethinking_jax.data.tfds_prepare import is_known
from rethinking_jax.data.tfds_source import load_tfds
from rethinking_jax.errors import UserError


def load_dataset(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    image_size: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Dataset:
    """Reads a whole data set into memory, preparing it first where it is not.

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
      progress: is given plain lines that say what is going on.

    Returns:
      The data set: uint8 images [n, h, w, c] (float32 points [n, 1, 2, 1]), int32 labels,
      uint32 ids.

    Raises:
      UserError: one line that names what is wrong and what would be right.
    """
    if image_size < 0:
        raise UserError(f"image_size={image_size} is negative: give a side in pixels, or 0.")
    say = progress or (lambda line: None)
    if is_checkerboard(name):
        return load_checkerboard(name)
    try:
        if name.endswith(".npz"):
            return load_arrays(name, image_size, say)
        if _is_folder(name, data_dir):
            return load_image_folder(name, image_size, say)
        return load_tfds(name, data_dir, manual_dir, image_size, say)
    except OSError as error:
        raise UserError(f"dataset={name!r} cannot be read: {one_line(error)}") from error


def _is_folder(name: str, data_dir: str) -> bool:
    if name.startswith(("~", ".", "/")) or os.path.isabs(name):
        return True
    # `emnist/letters` is a set of tfds even where a folder of that name lies here.
    has_separator = "/" in name or os.sep in name
    return has_separator and os.path.isdir(name) and not is_known(name, data_dir)
