"""Files of arrays, .npz, whose bytes depend on what they hold alone."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.storage import AnyPath


def read_arrays(file: AnyPath, *only: str) -> dict[str, np.ndarray]:
    """Reads the arrays of an .npz file of a workdir by their names, whatever befell it.

    Args:
      file: the file.
      only: the names of the arrays that are read; all where none is named.

    Raises:
      UserError: it is missing or damaged.
    """
    try:
        # As users read it: zipfile alone would look past bytes in front, which np.load refuses.
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            return {key: np.asarray(arrays[key]) for key in only or arrays.files}
    except FileNotFoundError:
        raise UserError(f"{file} is missing") from None
    except Exception as error:  # damage shows as any: of zipfile, zlib, NumPy or struct
        raise UserError(f"{file} is damaged ({first_line(error)})") from None


def write_arrays(file: AnyPath, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays by their names as an .npz file, the same bytes every time.

    Raises:
      OSError: it cannot be written.
    """
    content = io.BytesIO()
    # np.savez takes names as keywords, among which "file" is its own.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    storage.write_atomically(file, content.getvalue())
