"""From encoded images of any size and kind to one uint8 array."""

import contextlib
import importlib.metadata
import io
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rethinking_jax.data.watch import Watch, silent
from rethinking_jax.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# The numbers that EXIF and TIFF have for how a camera was held, and for what a value means.
ORIENTATION, PHOTOMETRIC, SAMPLE_FORMAT = 0x0112, 262, 339
CHUNK = 512
SMALL_IMAGE = 64 * 64 * 3
DARK = 64  # of 255


class Picture(NamedTuple):
    """A decoded image, and what its pixels do not show.

    Attributes:
      pixels: uint8 [h, w, c].
      depth: the bits of one value in the file: 8, 16, or 32 (integers or floats).
      transparent: whether some of it was transparent and is laid on white.
      pages: the pages or frames of the file, of which the first is taken.
    """

    pixels: np.ndarray
    depth: int = 8
    transparent: bool = False
    pages: int = 1


def decode(content: bytes, mode: str) -> np.ndarray:
    """Decodes one image to uint8 [h, w, c]; see `decode_picture`."""
    return decode_picture(content, mode).pixels


def decode_picture(content: bytes, mode: str) -> Picture:
    """Decodes one image, whatever else is installed: the same pixels everywhere.

    JPEG goes to simplejpeg, anything else and the odd kinds of JPEG (CMYK, gray wanted of
    colours, turned, several in one, warnings on the way) to Pillow. Both carry libjpeg-turbo
    and give the same pixels, simplejpeg in two thirds of the time
    (`python -m rethinking_jax.bench input`).

    Args:
      content: the content of the file.
      mode: Pillow's name of the wanted pixels: "L" (gray), "RGB" or "RGBA".

    Raises:
      Exception: the image is not whole, or its values have no place in 0..255; what is raised
        has many types.
    """
    if not content:
        raise ValueError("it is empty")
    if content[:2] == b"\xff\xd8" and _is_plain(content):
        import simplejpeg

        # A ValueError says that it is not whole, or of something harmless that Pillow lets pass.
        with contextlib.suppress(ValueError):
            colours = simplejpeg.decode_jpeg_header(content)[2]
            if mode == "RGB" and colours in ("YCbCr", "RGB", "Gray"):
                return Picture(np.asarray(simplejpeg.decode_jpeg(content, "RGB")))
            if mode == "L" and colours == "Gray":
                return Picture(np.asarray(simplejpeg.decode_jpeg(content, "GRAY")))
    return _decode_with_pillow(content, mode)


def _is_plain(content: bytes) -> bool:
    """Says whether a JPEG may be decoded alone: it stands upright and holds one picture."""
    if not any(mark in content for mark in (b"Exif\0", b"MPF\0", b"tiff:Orientation")):
        return True
    from PIL import Image

    with contextlib.suppress(Exception), Image.open(io.BytesIO(content)) as image:
        return image.format == "JPEG" and image.getexif().get(ORIENTATION, 1) == 1
    return False


def decode_with_pillow(content: bytes, mode: str) -> np.ndarray:
    """Decodes any kind of image by Pillow; see `decode`."""
    return _decode_with_pillow(content, mode).pixels


def _decode_with_pillow(content: bytes, mode: str) -> Picture:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        opening = Image.open(io.BytesIO(content))
    except UnidentifiedImageError as error:
        raise ValueError("it is of no format that Pillow knows") from error
    with opening as opened:
        # Of colours with 16 bits Pillow loads the high byte; what it tells the decoder shows it.
        coded = str(opened.tile)
        largest = re.search(r"'ppm.*\b(\d+)\)", coded)
        is_deep = bool(re.search(r";16[BLN]", coded) or (largest and int(largest[1]) > 255))
        opened.load()
        # A broken block of EXIF or a broken further page keeps nobody from reading the first.
        with contextlib.suppress(Exception):
            ImageOps.exif_transpose(opened, in_place=True)
        image, transparent, depth = _seen(opened, mode)
        array = np.asarray(image if image.mode == mode else image.convert(mode))
        pages = 1
        with contextlib.suppress(Exception):
            pages = int(getattr(opened, "n_frames", 1))
    pixels = array[..., None] if array.ndim == 2 else array
    return Picture(pixels, 16 if is_deep else depth, transparent, pages)


def _seen(image: "ImageFile", mode: str) -> tuple["Image", bool, int]:
    """Returns a loaded image as it is seen, whether its ground shows, and the bits of a value.

    The range of 16 bits is 0..65535, whose high byte is taken. Other integers and floats have
    no range of their own: they are taken as 0..255, and refused where they cannot be that.

    Raises:
      ValueError: values outside 0..255, or fractions that all lie in 0..1.
    """
    from PIL import Image

    tags = getattr(image, "tag_v2", {})  # of a TIFF
    values = np.asarray(image) if image.mode[0] in "IF" else None
    if image.mode == "L" and tags.get(SAMPLE_FORMAT) == (2,):
        values = np.asarray(image).view(np.int8)
    if values is None:
        if image.has_transparency_data and mode != "RGBA":
            return *_laid_on_white(image.convert("RGBA")), 8
        return image, False, 8
    if tags.get(PHOTOMETRIC) == 0:
        raise ValueError("its 0 stands for white: save it with 0 for black")
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        # Pillow's own conversion of 16-bit gray clips at 255 instead of scaling.
        clear = values == image.info.get("transparency", -1)
        high_byte = np.where(clear, 255, values.astype(np.int64) >> 8)
        return Image.fromarray(high_byte.astype(np.uint8)), bool(clear.any()), 16
    low, high = values.min(), values.max()
    are_fractions = high <= 1 and (values != np.rint(values)).any()
    # So written, NaN fails too.
    if not (low >= 0 and high <= 255) or are_fractions:
        raise ValueError(
            f"it holds {values.dtype} from {low:g} to {high:g}, and only 0..255 says how bright "
            "that is: save it with 8 or 16 bits, unsigned"
        )
    return Image.fromarray(np.rint(values).astype(np.uint8)), False, 32


def _laid_on_white(image: "Image") -> tuple["Image", bool]:
    """Returns an RGBA image on white ground, and whether any of the ground shows.

    Raises:
      ValueError: nothing of the drawing is left, because it is white itself.
    """
    from PIL import Image

    lowest, highest = image.getchannel("A").getextrema()
    if lowest == 255:
        return image, False
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    seen = ground.convert("RGB")
    if lowest != highest and np.ptp(np.asarray(seen).reshape(-1, 3), axis=0).max() == 0:
        raise ValueError(
            "it is white on transparent ground, which is laid on white: save it without "
            "transparency"
        )
    return seen, True


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
    return (
        f"decoded by {decoders}, upright and on white; "
        "shorter side by Pillow (bilinear, antialiased), centre crop"
    )


def stack_images(
    name: str,
    count: int,
    read: Callable[[range], Iterable[np.ndarray]],
    image_size: int,
    watch: Watch = silent,
    what: str = "",
) -> np.ndarray:
    """Reads all images into one array, each fitted to `image_size`.

    Args:
      name: the data set, for the message.
      count: the number of images, at least 1.
      read: gives the images (uint8 [h, w, c]) at a range of indices; threads call it.
      image_size: see `fit`.
      watch: is told how many images are there.
      what: what it is told is going on.

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
        for chunk, _ in zip(chunks, pool.map(fill, chunks), strict=True):
            watch(what, chunk.stop, count)
    return images


def say_if_dark(name: str, images: Iterable[np.ndarray], say: Callable[[str], None]) -> None:
    """Says so where no image is bright: the values were perhaps meant on another scale.

    Args:
      name: the data set.
      images: the images of each split, uint8 [n, h, w, c] with n at least 1.
      say: is given the line.
    """
    peak = max(int(each.max()) for each in images)
    if peak < DARK:
        say(f"the images of {name} are dark: the largest value in any of them is {peak} of 255")


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
