"""From encoded images to pixels."""

import io

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
