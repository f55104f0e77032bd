"""Augmentation against NumPy, Pillow, SciPy and matplotlib, and its draws against statistics."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.colors
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rethinking_jax.corruption.randomness import PURPOSES
from rethinking_jax.errors import UserError
from rethinking_jax.step.augment import (
    AUGMENTATIONS,
    DRAWS,
    adjust_color,
    augment,
    draw_window,
    resize_window,
    rotate_by,
)

SEED, EPOCH = 3, 7
# Names, crop_size, and by how much a float on the scale 0 to 1 may differ between two
# compilations: not at all where pixels are only moved.
CASES = [
    (("flip",), 0, 0.0),
    (("crop",), 28, 0.0),
    (("inception_crop",), 24, 1e-5),
    (("inception_crop",), 0, 1e-5),
    (("rotate",), 0, 1e-5),
    (("color",), 0, 1e-5),
    (("crop", "flip", "rotate"), 20, 1e-5),
]
# Compiles in half the time, and these programs run once.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
each_case = pytest.mark.parametrize(("names", "crop_size", "tolerance"), CASES)


def pictures(n: int, height: int = 32, width: int = 32, channels: int = 3) -> np.ndarray:
    """Smooth random pictures, uint8 [n, h, w, c]."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(n, height, width, channels))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 2, 2, 0))
    return np.uint8(np.clip(128 + 300 * smooth, 0, 255))


def places(n: int, side: int = 32) -> np.ndarray:
    """Images whose two channels are the row and the column of each pixel, uint8."""
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    return np.repeat(np.uint8(grid)[None], n, axis=0)


@functools.cache
def compiled(names: tuple[str, ...], crop_size: int) -> Any:
    return jit(lambda *args: augment(names, *args, crop_size=crop_size))


def run(
    names: tuple[str, ...],
    images: Any,
    crop_size: int = 0,
    ids: Any = None,
    seed: int = SEED,
    epoch: int = EPOCH,
) -> np.ndarray:
    ids = np.arange(len(images)) if ids is None else ids
    return np.asarray(compiled(names, crop_size)(seed, epoch, np.uint32(ids), images))


# Crop and flip --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_crop_and_flip_are_slices(dtype: Any) -> None:
    images = (pictures(40) / (1 if dtype == np.uint8 else 255)).astype(dtype)
    where = places(40)
    flipped = run(("flip",), where)[:, 0, 0, 1] == 31
    assert 5 < flipped.sum() < 35
    result = run(("flip",), images)
    expected = np.where(flipped[:, None, None, None], images[:, :, ::-1], images)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == dtype

    corners = run(("crop",), where, 28)[:, 0, 0].astype(int)
    result = run(("crop",), images, 28)
    assert result.shape == (40, 28, 28, 3) and result.dtype == dtype
    for image, (top, left), cropped in zip(images, corners, result, strict=True):
        np.testing.assert_array_equal(cropped, image[top : top + 28, left : left + 28])


def test_crop_offsets_are_uniform() -> None:
    corners = run(("crop",), places(5000), 28)[:, 0, 0].astype(int)
    assert corners.min() == 0 and corners.max() == 4
    counts = np.bincount(corners[:, 0] * 5 + corners[:, 1], minlength=25)
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_crop_leaves_a_small_side_whole() -> None:
    images = pictures(3, 20, 32)
    assert run(("crop",), images, 28).shape == (3, 20, 28, 3)
    np.testing.assert_array_equal(run(("crop",), images, 32), images)
    np.testing.assert_array_equal(run(("crop",), images, 0), images)


def test_half_of_the_images_are_flipped() -> None:
    flipped = run(("flip",), places(4000, 8))[:, 0, 0, 1] == 7
    assert scipy.stats.binomtest(int(flipped.sum()), 4000).pvalue > 0.01


# The crops of Inception -------------------------------------------------------------------------


def pillow_resize(image: np.ndarray, window: Any, size: tuple[int, int]) -> np.ndarray:
    top, left, rows, columns = (float(value) for value in window)
    box = (left, top, min(left + columns, image.shape[1]), min(top + rows, image.shape[0]))
    channels = [
        Image.fromarray(np.float32(channel)).resize(size[::-1], Image.Resampling.BILINEAR, box=box)
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def windows(n: int, height: int, width: int) -> np.ndarray:
    """float32 [n, 4]: top, left, height, width."""
    keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(0), i))(jnp.arange(n))
    draw = jit(jax.vmap(functools.partial(draw_window, height=height, width=width)))
    return np.stack(draw(keys), axis=-1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 40)])
@pytest.mark.parametrize("size", [(9, 9), (24, 24), (64, 50)])
def test_windows_are_resized_as_by_pillow(height: int, width: int, size: tuple[int, int]) -> None:
    resize = jit(resize_window, static_argnames="size")
    image = pictures(1, height, width)[0]
    for window in windows(10, height, width):
        expected = pillow_resize(image, window, size)
        actual = resize(np.float32(image / 255), tuple(window), size=size)
        np.testing.assert_allclose(255 * np.asarray(actual), expected, atol=0.02)  # of 255
        rounded = np.asarray(resize(image, tuple(window), size=size))
        assert rounded.dtype == np.uint8
        np.testing.assert_allclose(rounded, expected, atol=0.52)


def test_windows_have_the_area_and_shape_asked_for() -> None:
    n, height, width = 4000, 40, 60
    top, left, rows, columns = windows(n, height, width).T.astype(np.float64)
    assert (top >= 0).all() and (top + rows <= height * (1 + 1e-6)).all()
    assert (left >= 0).all() and (left + columns <= width * (1 + 1e-6)).all()
    area, ratio = rows * columns / (height * width), columns / rows
    assert area.min() > 0.08 - 1e-6 and area.max() <= 1 + 1e-6
    assert ratio.min() > 3 / 4 - 1e-6 and ratio.max() < 4 / 3 + 1e-6

    rng = np.random.default_rng(0)
    wanted = rng.uniform(0.08, 1, 40 * n), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), 40 * n))
    inside = (wanted[0] * height * width * wanted[1] <= width**2) & (
        wanted[0] * height * width / wanted[1] <= height**2
    )
    for drawn, reference in zip((area, ratio), wanted, strict=True):
        assert scipy.stats.ks_2samp(drawn, reference[inside]).pvalue > 0.01
    for place, free in ((top, height - rows), (left, width - columns)):
        share = place[free > 1] / free[free > 1]
        assert scipy.stats.kstest(share, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(4, 400, (0, 200 - 8 / 3, 4, 16 / 3)), (400, 4, (200 - 8 / 3, 0, 16 / 3, 4))],
)
def test_where_no_window_fits_it_is_the_largest_in_the_centre(
    height: int, width: int, expected: tuple[float, ...]
) -> None:
    for window in windows(5, height, width):
        np.testing.assert_allclose(window, expected, rtol=1e-5)


def test_inception_crop_gives_crop_size_or_the_stored_size() -> None:
    images = pictures(3, 24, 40)
    assert run(("inception_crop",), images, 16).shape == (3, 16, 16, 3)
    assert run(("inception_crop",), images).shape == images.shape
    # A picture of places tells the window: it is smaller, and another for each image.
    where = run(("inception_crop",), np.float32(places(200) / 255)) * 255
    extent = (where[:, -1, -1] - where[:, 0, 0]).prod(-1) / 31**2
    assert extent.min() < 0.15 and extent.max() > 0.9 and np.unique(extent).size == 200


# Rotation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(32, 32), (25, 40)])
@pytest.mark.parametrize("degrees", [-25.0, -3.0, 0.0, 17.5, 90.0])
def test_rotation_is_scipys_and_pillows(height: int, width: int, degrees: float) -> None:
    image = np.float32(pictures(1, height, width)[0] / 255)
    actual = np.asarray(jit(rotate_by)(image, degrees))
    expected = scipy.ndimage.rotate(
        image, degrees, axes=(1, 0), reshape=False, order=1, mode="nearest"
    )
    np.testing.assert_allclose(actual, expected, atol=1e-4)
    # Pillow fills with black what comes from outside, so far from the edges.
    pillow = Image.fromarray(image[..., 0]).rotate(degrees, Image.Resampling.BILINEAR)
    middle = np.s_[height // 2 - 6 : height // 2 + 6, width // 2 - 6 : width // 2 + 6]
    np.testing.assert_allclose(actual[..., 0][middle], np.asarray(pillow)[middle], atol=1e-4)
    rounded = np.asarray(jit(rotate_by)(np.uint8(np.round(255 * image)), degrees))
    assert rounded.dtype == np.uint8
    np.testing.assert_allclose(rounded, 255 * expected, atol=0.53)


def test_angles_are_uniform_within_25_degrees() -> None:
    ramps = np.float32(places(2000, 12) / 12)
    turned = run(("rotate",), ramps)[..., 1]  # brighter to the right
    right, down = turned[:, 5, 6] - turned[:, 5, 5], turned[:, 6, 5] - turned[:, 5, 5]
    angles = np.rad2deg(np.arctan2(-down, right))
    assert np.abs(angles).max() <= 25 + 1e-3
    assert scipy.stats.kstest(angles, "uniform", (-25, 50)).pvalue > 0.01


# Color ------------------------------------------------------------------------------------------


def reference_color(
    image: np.ndarray, brightness: float, saturation: float, hue: float, contrast: float
) -> np.ndarray:
    """float64, image on the scale 0 to 1; hue and saturation by matplotlib."""
    hsv = matplotlib.colors.rgb_to_hsv(np.clip(image + brightness, 0, 1))
    hsv[..., 0] = (hsv[..., 0] + hue) % 1
    hsv[..., 1] = np.minimum(hsv[..., 1] * saturation, 1)
    rgb = matplotlib.colors.hsv_to_rgb(hsv)
    mean = rgb.mean((0, 1))
    return np.clip((rgb - mean) * contrast + mean, 0, 1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    brightness=st.floats(-0.5, 0.5),
    saturation=st.floats(0, 3),
    hue=st.floats(-1, 1),
    contrast=st.floats(0, 3),
)
def test_color_is_matplotlibs(
    seed: int, brightness: float, saturation: float, hue: float, contrast: float
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    image[0, 0], image[0, 1], image[0, 2] = 0, 255, 77
    values = tuple(np.float32(value) for value in (brightness, saturation, hue, contrast))
    expected = reference_color(image / 255, *map(float, values))
    adjust = jit(adjust_color)
    np.testing.assert_allclose(adjust(np.float32(image / 255), *values), expected, atol=2e-5)
    rounded = np.asarray(adjust(image, *values))
    assert rounded.dtype == np.uint8
    np.testing.assert_allclose(rounded, 255 * expected, atol=0.51)


@pytest.mark.parametrize("channels", [1, 3])
def test_color_without_strength_is_the_identity(channels: int) -> None:
    images = pictures(5, channels=channels)
    for image in images:
        np.testing.assert_array_equal(adjust_color(image, 0.0, 1.0, 0.0, 1.0), image)
        unit = np.float32(image / 255)
        np.testing.assert_allclose(adjust_color(unit, 0.0, 1.0, 0.0, 1.0), unit, atol=1e-6)


def test_color_stays_in_range_and_acts_on_gray() -> None:
    for channels in (1, 3):
        images = np.float32(pictures(50, channels=channels) / 255)
        result = run(("color",), images)
        assert result.min() >= 0 and result.max() <= 1
        assert (np.abs(result - images).max((1, 2, 3)) > 0.01).all()
    gray = np.repeat(pictures(5, channels=1), 3, axis=-1)
    colored = run(("color",), gray)
    np.testing.assert_array_equal(colored, np.repeat(colored[..., :1], 3, axis=-1))
    with pytest.raises(UserError, match="'color' needs images of 1 or 3 channels, not 2"):
        augment(("color",), 0, 0, jnp.arange(1), jnp.zeros((1, 4, 4, 2)))


def test_colors_are_drawn_from_tf_slims_ranges() -> None:
    n = 2000
    # One color all over: contrast does nothing, brightness is what the mean moves by.
    result = np.float64(run(("color",), np.tile(np.float32([0.55, 0.5, 0.45]), (n, 2, 2, 1))))
    hsv = matplotlib.colors.rgb_to_hsv(result[:, 0, 0])
    hue = (hsv[:, 0] - 1 / 12 + 0.5) % 1 - 0.5  # the color's own is orange, 30 degrees
    # Halves, a tenth apart in gray: contrast alone changes the difference.
    halves = np.tile(np.float32([0.45, 0.55])[None, :, None, None], (n, 1, 2, 1))
    gray = np.float64(run(("color",), halves))[:, :, 0, 0]
    drawn = {
        "brightness": (hsv[:, 2] - 0.55, -32 / 255, 32 / 255),
        "saturation": (hsv[:, 1] * hsv[:, 2] / 0.1, 0.5, 1.5),
        "hue": (hue, -0.2, 0.2),
        "contrast": ((gray[:, 1] - gray[:, 0]) / 0.1, 0.5, 1.5),
    }
    for name, (values, low, high) in drawn.items():
        assert low - 1e-4 < values.min() and values.max() < high + 1e-4, name
        assert scipy.stats.kstest(values, "uniform", (low, high - low)).pvalue > 0.01, name
    together = np.corrcoef([values for values, _, _ in drawn.values()])
    assert np.abs(together - np.eye(4)).max() < 0.08  # four draws, not one


# What a draw depends on -------------------------------------------------------------------------


@each_case
def test_a_batch_is_its_images_one_by_one_in_any_order(
    names: tuple[str, ...], crop_size: int, tolerance: float
) -> None:
    images, ids = pictures(6), np.array([5, 0, 2**32 - 1, 17, 12345, 1])
    unit = np.float32(images / 255)
    together = run(names, unit, crop_size, ids)
    alone = [run(names, unit[i : i + 1], crop_size, ids[i : i + 1])[0] for i in range(6)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=tolerance)
    order = np.array([3, 1, 5, 0, 4, 2])
    shuffled = run(names, unit[order], crop_size, ids[order])
    np.testing.assert_allclose(shuffled, together[order], rtol=0, atol=tolerance)


@each_case
def test_seed_epoch_and_id_each_change_the_draw(
    names: tuple[str, ...], crop_size: int, tolerance: float
) -> None:
    one = pictures(1)
    images = np.repeat(one, 12, axis=0)
    first = run(names, images, crop_size)
    for other in (
        run(names, images, crop_size, seed=SEED + 1),
        run(names, images, crop_size, epoch=EPOCH + 1),
        run(names, images, crop_size, ids=np.arange(12) + 12),
    ):
        assert (other != first).any((1, 2, 3)).mean() > 0.2
    assert (first[1:] != first[:1]).any()
    np.testing.assert_array_equal(run(names, images, crop_size), first)


@each_case
def test_members_may_have_seeds_of_their_own(
    names: tuple[str, ...], crop_size: int, tolerance: float
) -> None:
    images, ids = np.float32(pictures(3) / 255), np.arange(3, dtype=np.uint32)
    members = jit(jax.vmap(lambda seed: augment(names, seed, 1, ids, images, crop_size)))
    together = members(jnp.array([4, 9]))
    for seed, member in zip((4, 9), together, strict=True):
        alone = run(names, images, crop_size, ids, seed, 1)
        np.testing.assert_allclose(member, alone, rtol=0, atol=tolerance)


def test_adding_one_changes_no_other_draw() -> None:
    where = places(300)
    flip, crop = run(("flip",), where), run(("crop",), where, 28)
    both = run(("flip", "crop"), where, 28)
    flipped = flip[:, 0, 0, 1] > flip[:, 0, -1, 1]
    np.testing.assert_array_equal(both[:, 0, 0, 1] > both[:, 0, -1, 1], flipped)
    np.testing.assert_array_equal(both[..., 0], crop[..., 0])
    columns = np.where(flipped[:, None], 31 - crop[:, 0, :, 1], crop[:, 0, :, 1])
    np.testing.assert_array_equal(both[:, 0, :, 1], columns)


def test_the_numbers_of_the_draws_are_the_format() -> None:
    assert PURPOSES["augmentation"] == 7
    assert DRAWS == {"flip": 0, "crop": 1, "inception_crop": 2, "rotate": 3, "color": 4}
    assert set(AUGMENTATIONS) == set(DRAWS)


@pytest.mark.parametrize(
    ("names", "crop_size", "message"),
    [
        (("filp",), 0, "augmentation 'filp' is not known: did you mean 'flip'? Known: flip, crop"),
        (("zebra",), 0, "augmentation 'zebra' is not known. Known: flip, crop"),
        (("flip", "crop", "flip"), 0, "augmentation 'flip' is given twice"),
        (("crop",), -1, "crop_size=-1 must be at least 0"),
    ],
)
def test_mistakes_are_named(names: tuple[str, ...], crop_size: int, message: str) -> None:
    with pytest.raises(UserError) as error:
        augment(names, 0, 0, jnp.arange(1), jnp.zeros((1, 4, 4, 3)), crop_size)
    assert str(error.value).startswith(message)


def test_nothing_asked_for_is_nothing_done() -> None:
    images = pictures(2)
    np.testing.assert_array_equal(run((), images, 28), images)
