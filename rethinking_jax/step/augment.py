"""Augmentation of training images on the device: pure functions of (seed, epoch, example id).

A new picture in every epoch, the label fixed: random crops (tables 1 and 4 of the paper), flip
and rotation by up to 25 degrees (table 4), and for table 2 what Inception V3 was trained with:
flip, the crops of Szegedy et al. (2015) and the colors of TF-slim's preprocessing.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.step.preprocess import to_unit

MAX_ROTATION = 25.0  # degrees, either way
CROP_AREA = (0.08, 1.0)  # share of the image's area
CROP_RATIO = (3 / 4, 4 / 3)  # width over height
BRIGHTNESS = 32 / 255  # the most that is added or taken off, on the scale 0 to 1
SATURATION = (0.5, 1.5)  # range of the factor
HUE = 0.2  # the most that is added or taken off; 1 is the whole circle
CONTRAST = (0.5, 1.5)  # range of the factor

_TRIES = 10  # windows that `draw_window` draws for one that fits


def augment(
    names: Sequence[str],
    seed: int | jax.Array,
    epoch: int | jax.Array,
    ids: jax.Array,
    images: jax.Array,
    crop_size: int = 0,
) -> jax.Array:
    """Applies augmentations in the order of their names, each drawn anew for every image.

    A draw depends on (seed, epoch, id) and on the augmentation's own name: not on the batch,
    the position in it or the other names.

    Args:
      names: keys of `AUGMENTATIONS`, each at most once.
      seed: the run's seed; may be traced.
      epoch: counted from anywhere; may be traced.
      ids: uint32 [n], the stable ids of the examples.
      images: [n, h, w, c], uint8, or float32 on the scale 0 to 1.
      crop_size: side that "crop" and "inception_crop" give; 0: the stored one.

    Returns:
      [n, h', w', c] of the same dtype and scale; uint8 is rounded after each augmentation
      that computes. Only the crops change the size.

    Raises:
      UserError: an unknown name, one given twice, a negative crop_size, or "color" on images
        that have neither 1 nor 3 channels.
    """
    check_augmentation(names, crop_size)
    key = jax.random.fold_in(purpose_key(seed, "augmentation"), epoch)

    def one(example_id: jax.Array, image: jax.Array) -> jax.Array:
        own = jax.random.fold_in(key, example_id)
        for name in names:
            image = AUGMENTATIONS[name](jax.random.fold_in(own, DRAWS[name]), image, crop_size)
        return image

    return jax.vmap(one)(ids, images)


def parse(text: str) -> tuple[str, ...]:
    """Returns the names in a config's `augmentation`, such as "flip+rotate"; () for ""."""
    return tuple(text.split("+")) if text else ()


def changes_size(names: Sequence[str]) -> bool:
    """Says whether one of these augmentations crops, so that it wants the whole stored image."""
    return not {"crop", "inception_crop"}.isdisjoint(names)


def check_augmentation(names: Sequence[str], crop_size: int) -> None:
    """Raises UserError where `augment` could not use these."""
    for name in names:
        if name not in AUGMENTATIONS:
            close, known = nearest(name, AUGMENTATIONS) or ".", ", ".join(AUGMENTATIONS)
            raise UserError(f"augmentation {name!r} is not known{close} Known: {known}")
        if list(names).count(name) > 1:
            raise UserError(f"augmentation {name!r} is given twice: its draws would be the same")
    if crop_size < 0:
        raise UserError(f"crop_size={crop_size} must be at least 0")


def flip(key: jax.Array, image: jax.Array, crop_size: int) -> jax.Array:
    """Swaps left and right with probability 1/2; [h, w, c] to [h, w, c]."""
    return jnp.where(jax.random.bernoulli(key), image[:, ::-1], image)


def crop(key: jax.Array, image: jax.Array, crop_size: int) -> jax.Array:
    """Cuts out one of all crop_size x crop_size windows, each as likely (28 of 32 in the paper).

    A side of at most crop_size stays whole, as does everything with crop_size 0.
    """
    if crop_size == 0:
        return image
    height, width, channels = image.shape
    rows, columns = min(crop_size, height), min(crop_size, width)
    top_key, left_key = jax.random.split(key)
    top = jax.random.randint(top_key, (), 0, height - rows + 1)
    left = jax.random.randint(left_key, (), 0, width - columns + 1)
    return jax.lax.dynamic_slice(image, (top, left, 0), (rows, columns, channels))


def inception_crop(key: jax.Array, image: jax.Array, crop_size: int) -> jax.Array:
    """Brings a random window (see `draw_window`) to crop_size, or to the stored size at 0."""
    height, width, _ = image.shape
    window = draw_window(key, height, width)
    return resize_window(image, window, (crop_size or height, crop_size or width))


def rotate(key: jax.Array, image: jax.Array, crop_size: int) -> jax.Array:
    """Rotates by an angle drawn uniformly from -25 to 25 degrees, see `rotate_by`."""
    return rotate_by(image, jax.random.uniform(key, (), minval=-MAX_ROTATION, maxval=MAX_ROTATION))


def color(key: jax.Array, image: jax.Array, crop_size: int) -> jax.Array:
    """Changes brightness, saturation, hue and contrast, each drawn uniformly from its range.

    See `adjust_color`. TF-slim draws one of four orders for each image; this is its first.
    """
    brightness, saturation, hue, contrast = (
        jax.random.uniform(part, (), minval=low, maxval=high)
        for part, (low, high) in zip(
            jax.random.split(key, 4),
            ((-BRIGHTNESS, BRIGHTNESS), SATURATION, (-HUE, HUE), CONTRAST),
            strict=True,
        )
    )
    return adjust_color(image, brightness, saturation, hue, contrast)


# By the name in a config: (generator, image [h, w, c], crop_size) -> the new image.
AUGMENTATIONS: dict[str, Callable[[jax.Array, jax.Array, int], jax.Array]] = {
    "flip": flip,
    "crop": crop,
    "inception_crop": inception_crop,
    "rotate": rotate,
    "color": color,
}

# What each name's draws are keyed by; changing a number changes published results.
DRAWS = {"flip": 0, "crop": 1, "inception_crop": 2, "rotate": 3, "color": 4}


def draw_window(
    key: jax.Array, height: int, width: int
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Draws a window of 8 % to 100 % of the area and an aspect ratio of 3/4 to 4/3.

    Area is uniform, the logarithm of the ratio too, so that tall and wide are as likely. Of
    ten such windows it is the first that fits into the image, at a uniform place. Where none
    does (on images far from square) it is the largest in the centre with a ratio in the range.

    Args:
      key: the image's own generator.
      height: the image's height in pixels.
      width: the image's width in pixels.

    Returns:
      (top, left, height, width), float32 scalars, in pixels and their fractions.
    """
    area_key, ratio_key, place_key = jax.random.split(key, 3)
    low, high = CROP_AREA
    area = height * width * jax.random.uniform(area_key, (_TRIES,), minval=low, maxval=high)
    low, high = jnp.log(jnp.array(CROP_RATIO))
    ratio = jnp.exp(jax.random.uniform(ratio_key, (_TRIES,), minval=low, maxval=high))
    widths, heights = jnp.sqrt(area * ratio), jnp.sqrt(area / ratio)
    fits = (widths <= width) & (heights <= height)
    first = jnp.argmax(fits)
    nearest = min(max(width / height, CROP_RATIO[0]), CROP_RATIO[1])
    rows = jnp.where(fits[first], heights[first], min(height, width / nearest))
    columns = jnp.where(fits[first], widths[first], min(width, height * nearest))
    place = jnp.where(fits[first], jax.random.uniform(place_key, (2,)), 0.5)
    return place[0] * (height - rows), place[1] * (width - columns), rows, columns


def resize_window(
    image: jax.Array,
    window: tuple[jax.Array, jax.Array, jax.Array, jax.Array],
    size: tuple[int, int],
) -> jax.Array:
    """Brings a window of an image to another size, bilinear and antialiased.

    It does what Pillow's `Image.resize(..., BILINEAR, box)` does: pixels beside the window
    take part in those at its edge.

    Args:
      image: uint8 or float32 [h, w, c].
      window: (top, left, height, width), float32 scalars, see `draw_window`.
      size: (height, width) of the result.

    Returns:
      [*size, c] of the same dtype.
    """
    top, left, rows, columns = window
    scale = jnp.array(size) / jnp.stack([rows, columns])
    translation = -scale * jnp.stack([top, left])
    shape = (*size, image.shape[-1])
    result = jax.image.scale_and_translate(
        to_unit(image), shape, (0, 1), scale, translation, method="linear", antialias=True
    )
    return _as_given(result, image)


def rotate_by(image: jax.Array, degrees: float | jax.Array) -> jax.Array:
    """Rotates counter-clockwise about the centre, bilinear; outside, the nearest edge goes on.

    Args:
      image: uint8 or float32 [h, w, c].
      degrees: the angle.

    Returns:
      [h, w, c] of the same dtype.
    """
    height, width, _ = image.shape
    angle = jnp.deg2rad(degrees)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    middle = (height - 1) / 2, (width - 1) / 2
    down, right = jnp.meshgrid(
        jnp.arange(height) - middle[0], jnp.arange(width) - middle[1], indexing="ij"
    )
    source = [cosine * down + sine * right + middle[0], cosine * right - sine * down + middle[1]]

    def channel(values: jax.Array) -> jax.Array:
        at: jax.Array = jax.scipy.ndimage.map_coordinates(values, source, order=1, mode="nearest")
        return at

    return _as_given(jax.vmap(channel, in_axes=-1, out_axes=-1)(to_unit(image)), image)


def adjust_color(
    image: jax.Array,
    brightness: float | jax.Array,
    saturation: float | jax.Array,
    hue: float | jax.Array,
    contrast: float | jax.Array,
) -> jax.Array:
    """Changes the colors of an image; (0, 1, 0, 1) changes nothing.

    Args:
      image: [h, w, 1 or 3], uint8, or float32 on the scale 0 to 1. Gray has no saturation
        and no hue: there these two do nothing.
      brightness: added to all channels; the sum is cut off at 0 and 1.
      saturation: factor on the saturation (of hue, saturation, value), cut off at 1.
      hue: added to the hue, 1 being the whole circle.
      contrast: factor on the distance from the mean of each channel; cut off at 0 and 1.

    Returns:
      [h, w, c] of the same dtype.

    Raises:
      UserError: neither 1 nor 3 channels.
    """
    channels = image.shape[-1]
    if channels not in (1, 3):
        raise UserError(f"augmentation 'color' needs images of 1 or 3 channels, not {channels}")
    x = jnp.clip(to_unit(image) + brightness, 0.0, 1.0)
    if channels == 3:
        x = _shift_hue_and_saturation(x, saturation, hue)
    mean = x.mean((0, 1))
    return _as_given(jnp.clip((x - mean) * contrast + mean, 0.0, 1.0), image)


def _shift_hue_and_saturation(
    rgb: jax.Array, saturation: float | jax.Array, hue: float | jax.Array
) -> jax.Array:
    """Changes red, green and blue by way of hue, saturation and value; float32 [..., 3]."""
    # Plane by plane: a maximum over an axis of three is a slow reduction on a CPU.
    red, green, blue = (rgb[..., i] for i in range(3))
    value = jnp.maximum(jnp.maximum(red, green), blue)
    chroma = value - jnp.minimum(jnp.minimum(red, green), blue)
    divisor = jnp.where(chroma > 0, chroma, 1.0)
    sixths = jnp.where(
        value == red,
        (green - blue) / divisor,
        jnp.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    # The chroma is value * saturation, so at most the value, where the saturation is 1.
    chroma = jnp.minimum(chroma * saturation, value)

    def channel(start: float) -> jax.Array:
        place = start + sixths + 6 * hue
        place -= 6 * jnp.floor(place / 6)  # as % does, for which a CPU asks its C library
        return value - chroma * jnp.clip(jnp.minimum(place, 4 - place), 0.0, 1.0)

    return jnp.stack([channel(5.0), channel(3.0), channel(1.0)], axis=-1)


def _as_given(result: jax.Array, image: jax.Array) -> jax.Array:
    """Brings float32 on the scale 0 to 1 to the dtype of the image that it was made from."""
    if image.dtype == jnp.uint8:
        return jnp.clip(jnp.round(result * 255.0), 0, 255).astype(jnp.uint8)
    return result
