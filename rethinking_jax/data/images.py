"""From encoded images of any size and kind to one uint8 array."""

import contextlib
import importlib.metadata
import io
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rethinking_jax.errors import UserError

CHUNK = 512
SMALL_IMAGE = 64 * 64 * 3


def decode(content: bytes, mode: str) -> np.ndarray:
    """Decodes one image, whatever else is installed: the same pixels everywhere.

    JPEG goes to simplejpeg, anything else and the odd kinds of JPEG (CMYK, gray wanted of
    colours, warnings on the way) to Pillow. Both carry libjpeg-turbo and give the same
    pixels, simplejpeg in two thirds of the time (`python -m rethinking_jax.bench input`).

    Args:
      content: the content of the file.
      mode: Pillow's name of the wanted pixels: "L" (gray), "RGB" or "RGBA".

    Returns:
      uint8 [h, w, c].

    Raises:
      Exception: the image is not whole; what is raised has many types.
    """
    if content[:2] == b"\xff\xd8":
        import simplejpeg

        # A ValueError says that it is not whole, or of something harmless that Pillow lets pass.
        with contextlib.suppress(ValueError):
            colours = simplejpeg.decode_jpeg_header(content)[2]
            if mode == "RGB" and colours in ("YCbCr", "RGB", "Gray"):
                return np.asarray(simplejpeg.decode_jpeg(content, "RGB"))
            if mode == "L" and colours == "Gray":
                return np.asarray(simplejpeg.decode_jpeg(content, "GRAY"))
    return decode_with_pillow(content, mode)


def decode_with_pillow(content: bytes, mode: str) -> np.ndarray:
    """Decodes any kind of image by Pillow; see `decode`."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        image: Image.Image = opened
        if image.mode.startswith("I"):
            # Pillow's own conversion of 16-bit gray clips at 255 instead of scaling.
            high_byte = np.asarray(image).astype(np.int64) >> 8
            image = Image.fromarray(high_byte.clip(0, 255).astype(np.uint8))
        array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[..., None] if array.ndim == 2 else array


def fit(image: np.ndarray, image_size: int) -> np.ndarray:
    """Scales the shorter side to `image_size` (bilinear, antialiased) and crops the centre.

    Args:
      image: uint8 [h, w, c].
      image_size: the side of the result; 0 leaves the image as it is.

    Returns:
      uint8 [image_size, image_size, c].
    """
    height, width, channels = image.shape
    if image_size == 0 or (height, width) == (image_size, image_size):
        return image
    scale = image_size / min(height, width)
    rows, columns = (max(image_size, round(side * scale)) for side in (height, width))
    top, left = (rows - image_size) // 2, (columns - image_size) // 2
    # What is cropped away is never computed.
    box = (
        left * width / columns,
        top * height / rows,
        min((left + image_size) * width / columns, width),
        min((top + image_size) * height / rows, height),
    )
    if channels == 3:
        return _resize(image, image_size, box)
    # Channels are resized one at a time: Pillow would take two or four for transparency.
    planes = [_resize(image[..., channel], image_size, box) for channel in range(channels)]
    return np.stack(planes, axis=-1)


def _resize(image: np.ndarray, side: int, box: tuple[float, float, float, float]) -> np.ndarray:
    from PIL import Image

    bilinear = Image.Resampling.BILINEAR
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((side, side), bilinear, box=box))


def describe() -> str:
    """Returns the libraries by which `decode` and `fit` make the pixels, with their versions."""
    versions = {name: importlib.metadata.version(name) for name in ("simplejpeg", "pillow")}
    decoders = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"decoded by {decoders}; shorter side by Pillow (bilinear, antialiased), centre crop"


def stack_images(
    name: str, count: int, read: Callable[[range], Iterable[np.ndarray]], image_size: int
) -> np.ndarray:
    """Reads all images into one array, each fitted to `image_size`.

    Args:
      name: the data set, for the message.
      count: the number of images, at least 1.
      read: gives the images (uint8 [h, w, c]) at a range of indices; threads call it.
      image_size: see `fit`.

    Returns:
      uint8 [count, h, w, c].

    Raises:
      UserError: the images have different sizes, or are too many for the memory.
    """
    first = next(iter(read(range(1))))
    shape = fit(first, image_size).shape
    images = _empty(name, count, shape)

    def fill(indices: range) -> None:
        for index, image in zip(indices, read(indices), strict=True):
            fitted = fit(image, image_size)
            check_shape(name, fitted.shape, shape)
            images[index] = fitted

    # Pillow lets go of the interpreter's lock while it decodes, which pays for photographs,
    # while 28x28 images are read faster by one thread than by two.
    workers = os.cpu_count() if first.size > SMALL_IMAGE else 1
    with ThreadPoolExecutor(workers) as pool:
        chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
        for _ in pool.map(fill, chunks):
            pass
    return images


def _empty(name: str, count: int, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.empty((count, *shape), np.uint8)
    except MemoryError as error:
        raise UserError(
            f"dataset={name!r}: {count:,} images of {_size(shape)} do not fit into memory; "
            f"give a smaller image_size than {shape[0]}."
        ) from error


def check_shape(name: str, found: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Raises UserError where an image [h, w, c] has not the shape of the others."""
    if found != shape:
        raise UserError(
            f"dataset={name!r} has images of different sizes, {_size(shape)} and "
            f"{_size(found)}: set image_size (0 means as they are), "
            f"for example image_size={min(shape[:2])}."
        )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"
