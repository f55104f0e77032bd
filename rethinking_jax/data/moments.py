"""The moments of a streamed training set: of the very pixels that a set in memory is measured on.

These are all training examples of a run, cropped as the run crops them. One pass reads them, and
its sums, which are exact, are kept beside the data.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rethinking_jax.corruption import Moments
from rethinking_jax.data.dataset import Split, one_line
from rethinking_jax.data.kept import read_kept, write_kept
from rethinking_jax.data.origin import Say
from rethinking_jax.data.watch import Spoken
from rethinking_jax.step.preprocess import center_crop, moments_of_sums, pixel_sums

FEW_EXAMPLES = 10_000  # some seconds' work: their sums are not kept


def streamed_moments(name: str, split: Split, crop_size: int, threads: int, say: Say) -> Moments:
    """Returns the moments of the pixels of a streamed split, cropped; see `pixel_moments`.

    Args:
      name: the data set, for the lines of progress.
      split: the examples that are trained on.
      crop_size: the side to which they are cropped first; 0 leaves them whole.
      threads: how many threads read them, at least 1.
      say: is given lines of progress.
    """
    reader = split.reader
    ids = hashlib.sha256(np.sort(split.ids).astype("<u4").tobytes()).hexdigest()
    of = json.dumps({"images": reader.made_of, "crop_size": crop_size, "ids": ids})
    file = f"moments-{hashlib.sha256(of.encode()).hexdigest()[:16]}.npz"
    found = read_kept(reader.folders, file, of, ("sums",), say) if reader.made_of else None
    if found is None:
        sums = _sums(name, split, crop_size, threads, say)
        if reader.made_of and len(split) > FEW_EXAMPLES:
            try:
                write_kept(reader.folders, file, of, {"sums": sums})
            except OSError as error:
                say(f"the moments of {name} are measured each time ({one_line(error)})")
    else:
        sums = found["sums"]
    height, width = center_crop(np.empty((0, *reader.shape)), crop_size).shape[1:3]
    return Moments(*moments_of_sums(sums, len(split) * height * width))


def _sums(name: str, split: Split, crop_size: int, threads: int, say: Say) -> np.ndarray:
    """Reads all images of a split once; returns their `pixel_sums`."""
    size, watch = split.reader.slice_size, Spoken(say)
    total = np.zeros((2, split.reader.shape[-1]), np.int64)

    def of_slice(start: int) -> np.ndarray:
        images = split.reader.read(np.arange(start, min(start + size, len(split))))
        return pixel_sums(center_crop(images, crop_size))

    with ThreadPoolExecutor(threads) as pool:
        starts = range(0, len(split), size)
        try:
            for start, sums in zip(starts, pool.map(of_slice, starts), strict=True):
                total += sums
                done = min(start + size, len(split))
                watch(f"measuring the pixels of {name}", done, len(split))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
            raise
    return total
