"""From encoded images to pixels."""

import io
import re
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from imagenet_fixture import encode, texture
from PIL import Image

from rethinking_jax.data import images

PICTURE = texture(75, 100, seed=0)


def pillow(content: bytes, mode: str) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        array = np.asarray(image.convert(mode))
    return array.reshape(*array.shape[:2], -1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("stored", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("wanted", ["RGB", "L", "RGBA"])
def test_pixels_are_pillows_whatever_decodes(kind: str, stored: str, wanted: str) -> None:
    if kind == "PNG" and stored == "CMYK":
        pytest.skip("PNG has no CMYK")
    content = encode(PICTURE, kind, stored)
    found = images.decode(content, wanted)
    assert found.dtype == np.uint8 and found.shape == (75, 100, len(wanted))
    np.testing.assert_array_equal(found, pillow(content, wanted))


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 35},
                                     {"keep_rgb": True}])  # fmt: skip
def test_kinds_of_jpeg(options: dict) -> None:
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(content, "JPEG", **options)
    found = images.decode(content.getvalue(), "RGB")
    np.testing.assert_array_equal(found, pillow(content.getvalue(), "RGB"))


def test_jpeg_with_harmless_rubbish_is_read_and_a_cut_one_is_not() -> None:
    content = encode(PICTURE)
    rubbish = content[:-2] + bytes(40) + content[-2:]
    np.testing.assert_array_equal(images.decode(rubbish, "RGB"), pillow(content, "RGB"))
    for keep in (0, 2, 20, len(content) // 2, len(content) - 60):
        with pytest.raises(Exception, match=r".+"):
            images.decode(content[:keep], "RGB")


@pytest.mark.parametrize("shape", [(75, 100), (100, 75), (64, 64), (33, 200), (40, 40)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [16, 40, 64])
def test_fit_is_pillows_bilinear_scaling_and_a_centre_crop(
    shape: tuple[int, int], channels: int, size: int
) -> None:
    image = np.concatenate([texture(*shape, seed=1), texture(*shape, seed=2)], -1)[..., :channels]
    # Written out: all of it scaled, then cropped, a channel at a time.
    scale = size / min(shape)
    rows, columns = round(shape[0] * scale), round(shape[1] * scale)
    top, left = (rows - size) // 2, (columns - size) // 2
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(image[..., c])).resize(
                (columns, rows), Image.Resampling.BILINEAR
            )
        )
        for c in range(channels)
    ]
    expected = np.stack(planes, -1)[top : top + size, left : left + size].astype(int)
    found = images.fit(image, size)
    assert found.shape == (size, size, channels)
    # What lies between two values may round to either.
    assert np.abs(found - expected).max() <= 1


# Every mode and depth that Pillow reads, against arithmetic of this file ------------------

VALUES = np.random.default_rng(0).integers(0, 256, (16, 16, 4), dtype=np.uint8)
FORMATS = ("AVIF", "BMP", "DDS", "DIB", "GIF", "IM", "JPEG", "JPEG2000", "MSP", "PCX", "PNG", "PPM",
           "QOI", "SGI", "TGA", "TIFF", "WEBP", "XBM")  # fmt: skip


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What a drawing looks like on paper."""
    share = alpha[..., None] / 255
    return colours * share + 255.0 * (1 - share)


def rgb_of(mode: str) -> tuple[Image.Image, np.ndarray]:
    """A picture of a mode, and its colours [16, 16, 3] by that mode's definition."""
    v = VALUES.astype(float)
    gray = np.repeat(v[..., :1], 3, -1)
    if mode == "1":
        return Image.fromarray(VALUES[..., 0] > 127), np.where(gray > 127, 255, 0)
    if mode == "P":
        picture = Image.fromarray(VALUES[..., 0]).convert("P")
        palette = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
        picture.putpalette(palette.tobytes())
        return picture, palette[VALUES[..., 0]]
    if mode in ("I", "F"):
        return Image.fromarray(VALUES[..., 0].astype({"I": "i4", "F": "f4"}[mode])), gray
    if mode.startswith("I;16"):
        deep = VALUES[..., 0].astype(np.uint16) * 257  # 0..65535
        picture = Image.frombytes(mode, (16, 16), deep.astype(">u2" if "B" in mode else "<u2"))
        return picture, gray
    count = {"L": 1, "LA": 2, "La": 2, "PA": 2, "RGBA": 4, "RGBa": 4, "CMYK": 4}.get(mode, 3)
    raw = np.ascontiguousarray(VALUES[..., :count])
    if mode == "LAB":
        raw[..., 1:] = 0  # without colour
    if mode == "PA":
        indexed, colours = rgb_of("P")
        picture = indexed.convert("PA")
        picture.putalpha(Image.fromarray(VALUES[..., 1]))
        return picture, on_white(colours, v[..., 1])
    picture = Image.frombytes(mode, (16, 16), raw.tobytes())
    if mode in ("LA", "RGBA"):
        return picture, on_white(gray if mode == "LA" else v[..., :3], v[..., count - 1])
    if mode == "CMYK":
        return picture, (255 - v[..., :3]) * (255 - v[..., 3:]) / 255
    if mode == "YCbCr":
        y, b, r = (v[..., k] - (128 if k else 0) for k in range(3))
        return picture, np.stack([y + 1.402 * r, y - 0.344 * b - 0.714 * r, y + 1.772 * b], -1)
    if mode == "LAB":  # CIE's lightness in 0..100, then the gamma of sRGB
        f = (v[..., 0] / 2.55 + 16) / 116
        light = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
        gamma = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
        return picture, np.repeat(gamma[..., None] * 255, 3, -1)
    return picture, gray if mode == "L" else v[..., :3]


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    lossless = {"WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 100},
                "AVIF": {"quality": 100, "subsampling": "4:4:4"}}  # fmt: skip
    picture.save(content, kind, **(lossless.get(kind, {}) | options))
    return content.getvalue()


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [("1", 11), ("L", 11), ("LA", 6), ("P", 7), ("PA", 3), ("RGB", 12), ("RGBA", 9),
     ("CMYK", 4), ("YCbCr", 2), ("LAB", 1), ("I", 2), ("I;16", 5), ("I;16B", 3), ("I;16L", 2),
     ("F", 2)],
)  # fmt: skip
def test_every_mode_of_every_format(mode: str, kinds: int) -> None:
    picture, expected = rgb_of(mode)
    read = set()
    for kind in FORMATS:
        try:
            content = saved(picture, kind)
            with Image.open(io.BytesIO(content)) as image:
                stored = image.mode
        except (OSError, KeyError, ValueError):
            continue  # Pillow does not write this mode so.
        # What Pillow has changed when it wrote is no matter of reading.
        if stored != mode and (stored, mode, kind) not in (
            ("I", "I;16", "PPM"), ("I;16", "I;16L", "TIFF"), ("I;16", "I;16B", "PNG"),
            ("RGBA", "PA", "WEBP"), ("RGBA", "LA", "WEBP"), ("RGB", "YCbCr", "WEBP"),
            ("RGB", "1", "WEBP"), ("RGB", "L", "WEBP"), ("RGB", "P", "WEBP"),
        ):  # fmt: skip
            continue
        if (mode, kind) in (("YCbCr", "TIFF"), ("I", "PPM")):
            continue  # Pillow writes too few bytes, or another depth.
        read.add(kind)
        found = images.decode(content, "RGB").astype(float)
        difference = np.abs(found - expected.clip(0, 255))
        if kind in ("JPEG", "AVIF"):
            assert difference.mean() < 60, kind  # of noise only the rough run is kept
        else:
            assert difference.max() <= (3 if mode in ("YCbCr", "LAB") else 1), kind
    assert len(read) >= kinds, read


@pytest.mark.parametrize("depth", ["png", "ppm", "tiff"])
def test_colours_of_16_bits_are_their_high_byte(depth: str) -> None:
    colours = VALUES[..., :3]
    big = np.repeat(colours, 2, -1)  # a value v of 8 bits is 257 v of 16
    if depth == "ppm":
        content = b"P6 16 16 65535 " + big.tobytes()
    elif depth == "png":
        rows = b"".join(b"\0" + row.tobytes() for row in big)
        chunks = [(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)),
                  (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]  # fmt: skip
        content = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    else:
        content = tiff(big, (16, 16, 16), 2, 1)
    found = images.decode_picture(content, "RGB")
    np.testing.assert_array_equal(found.pixels, colours)
    assert found.depth == 16


def tiff(values: np.ndarray, bits: tuple[int, ...], photometric: int, sample_format: int) -> bytes:
    """An uncompressed TIFF of kinds that Pillow reads and does not write."""
    height, width = values.shape[:2]
    content = values.tobytes()
    tags = {256: [width], 257: [height], 258: bits, 259: [1], 262: [photometric], 273: [0],
            277: [len(bits)], 278: [height], 279: [len(content)], 339: [sample_format]}  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, given in tags.items():
        packed = struct.pack(f"<{len(given)}H", *given)
        if len(packed) > 4:
            more, packed = packed, struct.pack("<I", start)
        entries += struct.pack("<HHI", tag, 3, len(given)) + packed.ljust(4, b"\0")
    place = struct.pack("<HHII", 273, 4, 1, start + 6)
    entries = entries.replace(struct.pack("<HHII", 273, 3, 1, 0), place)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return header + entries + bytes(4) + more.ljust(6, b"\0") + content


@pytest.mark.parametrize(
    ("dtype", "values", "word"),
    [
        ("f4", [0, 7.25, 254.6, 255], [0, 7, 255, 255]),
        ("f4", [0, 0.25, 0.5, 1], "float32 from 0 to 1,"),
        ("f4", [0, 1, 2, 255.5], "float32 from 0 to 255.5"),
        ("f4", [-1, 1, 2, 3], "from -1 to 3"),
        ("f4", [0, 1, 2, np.nan], "from nan to nan"),
        ("f4", [0, 0, 0, 0], [0, 0, 0, 0]),
        ("i4", [0, 7, 254, 255], [0, 7, 254, 255]),
        ("i4", [0, 7, 254, 65535], "int32 from 0 to 65535"),
        ("u4", [0, 7, 254, 255], [0, 7, 254, 255]),
        ("u4", [0, 7, 254, 2**32 - 1], "from -1 to 254"),
        ("i2", [0, 7, 254, 255], [0, 7, 254, 255]),
        ("i2", [0, 7, -254, 255], "from -254 to 255"),
        ("i1", [0, 7, 100, 127], [0, 7, 100, 127]),
        ("i1", [0, 7, 100, -1], "int8 from -1 to 100"),
        ("u2", [0, 255, 256, 65535], [0, 0, 1, 255]),
        ("u1", [0, 7, 254, 255], [0, 7, 254, 255]),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_gray_tiffs_of_all_types(
    dtype: str, values: list[float], word: str | list[int], mode: str
) -> None:
    given = np.array(values, f"<{dtype}").reshape(2, 2)
    content = tiff(given, (8 * given.itemsize,), 1, {"u": 1, "i": 2, "f": 3}[dtype[0]])
    if isinstance(word, str):
        with pytest.raises(ValueError, match=re.escape(word)):
            images.decode(content, mode)
    else:
        assert images.decode(content, mode)[..., 0].ravel().tolist() == word


def test_a_deep_negative_is_refused() -> None:
    content = tiff(np.full((2, 2), 9, "<u2"), (16,), 0, 1)
    with pytest.raises(ValueError, match="0 stands for white"):
        images.decode(content, "L")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "TGA"])
def test_drawings_in_the_alpha_channel(kind: str) -> None:
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[4:8, :, 3] = 255  # a black stroke, and nothing around it
    found = images.decode_picture(saved(Image.fromarray(ink), kind), "L")
    assert found.transparent
    np.testing.assert_array_equal(found.pixels[..., 0], 255 - ink[..., 3])
    ink[..., :3] = 255
    with pytest.raises(ValueError, match="white on transparent ground"):
        images.decode(saved(Image.fromarray(ink), kind), "RGB")
    whole = np.dstack([VALUES[..., :3], np.full((16, 16), 255, np.uint8)])
    opaque = images.decode_picture(saved(Image.fromarray(whole), kind), "RGB")
    np.testing.assert_array_equal(opaque.pixels, VALUES[..., :3])
    assert not opaque.transparent
    # Four channels that are wanted stay four.
    rgba = images.decode(saved(Image.fromarray(VALUES), kind), "RGBA")
    np.testing.assert_array_equal(rgba, VALUES)


@pytest.mark.parametrize("mode", ["L", "I;16", "P", "RGB"])
def test_a_colour_that_stands_for_transparent(mode: str) -> None:
    picture, expected = rgb_of(mode)
    first = picture.getpixel((0, 0))
    found = images.decode(saved(picture, "PNG", transparency=first), "RGB").astype(float)
    clear = np.array([[picture.getpixel((x, y)) == first for x in range(16)] for y in range(16)])
    np.testing.assert_array_equal(found[clear], 255)
    np.testing.assert_array_equal(found[~clear], expected[~clear])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "MPO"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_turned_camera(kind: str, mode: str) -> None:
    picture = Image.fromarray(PICTURE).convert(mode)
    straight = images.decode(saved(picture, kind), mode)
    ways = {  # by EXIF's definition: what rows and columns of the file are in the scene
        1: straight, 2: straight[:, ::-1], 3: straight[::-1, ::-1], 4: straight[::-1],
        5: straight.swapaxes(0, 1), 6: np.rot90(straight, -1),
        7: straight[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(straight),
    }  # fmt: skip
    for way, expected in ways.items():
        exif = Image.Exif()
        exif[0x0112] = way
        content = saved(picture, kind, exif=exif)
        np.testing.assert_array_equal(images.decode(content, mode), expected)
        np.testing.assert_array_equal(images.decode_with_pillow(content, mode), expected)


def test_a_broken_block_of_exif_turns_nothing() -> None:
    content = saved(Image.fromarray(PICTURE), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff rubbish")
    plain = images.decode(saved(Image.fromarray(PICTURE), "JPEG"), "RGB")
    np.testing.assert_array_equal(images.decode(content, "RGB"), plain)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "MPO"])
def test_further_pages_are_counted_and_the_first_is_taken(kind: str) -> None:
    pages = [Image.fromarray(np.full((16, 16), 60 * k, np.uint8)) for k in range(1, 4)]
    content = saved(pages[0], kind, save_all=True, append_images=pages[1:])
    found = images.decode_picture(content, "L")
    assert found.pages == 3
    np.testing.assert_array_equal(found.pixels, 60)


@pytest.mark.parametrize(("content", "word"), [(b"", "empty"), (b"<svg/>", "no format")])
def test_what_is_no_picture(content: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        images.decode(content, "RGB")
