"""The JPEG decoders that a reader could use, each with the scaling that ours has."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rethinking_jax.data import images

Decode = Callable[[bytes], object]  # it makes pixels, as an array or a TensorFlow tensor

OURS = "simplejpeg"
# Each decoder's module and the package that has it.
PACKAGES = {
    "simplejpeg": ("simplejpeg", "simplejpeg"),
    "Pillow": ("PIL", "pillow"),
    "OpenCV": ("cv2", "opencv-python-headless"),
    "TensorFlow": ("tensorflow", "tensorflow-cpu"),
}


class Decoder(NamedTuple):
    """A decoder that is installed.

    Attributes:
      name: its name in the results.
      version: the package's version.
      decode: makes all pixels, RGB.
      decode_and_fit: makes pixels that are scaled and cropped as by `images.fit`.
    """

    name: str
    version: str
    decode: Decode
    decode_and_fit: Decode


def found_decoders(image_size: int) -> tuple[list[Decoder], list[str]]:
    """Returns the decoders that are installed, ours first, and a note on each other one."""
    makers = {
        "simplejpeg": _simplejpeg,
        "Pillow": _pillow,
        "OpenCV": _opencv,
        "TensorFlow": _tensorflow,
    }
    found, notes = [], []
    for name, (module, package) in PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            notes.append(f"{name} left out: it is not installed ({package})")
            continue
        decode, decode_and_fit = makers[name](image_size)
        version = importlib.metadata.version(package)
        found.append(Decoder(name, version, decode, decode_and_fit))
    return found, notes


def _simplejpeg(image_size: int) -> tuple[Decode, Decode]:
    return _with_our_fit(lambda content: images.decode(content, "RGB"), image_size)


def _pillow(image_size: int) -> tuple[Decode, Decode]:
    return _with_our_fit(lambda content: images.decode_with_pillow(content, "RGB"), image_size)


def _opencv(image_size: int) -> tuple[Decode, Decode]:
    import cv2

    def decode(content: bytes) -> np.ndarray:
        bytes_ = np.frombuffer(content, np.uint8)
        if hasattr(cv2, "IMREAD_COLOR_RGB"):  # since version 4.11
            return np.asarray(cv2.imdecode(bytes_, cv2.IMREAD_COLOR_RGB))
        pixels = cv2.imdecode(bytes_, cv2.IMREAD_COLOR)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))

    return _with_our_fit(decode, image_size)


def _with_our_fit(decode: Callable[[bytes], np.ndarray], size: int) -> tuple[Decode, Decode]:
    return decode, lambda content: images.fit(decode(content), size)


def _tensorflow(image_size: int) -> tuple[Decode, Decode]:
    import tensorflow as tf

    def fit(content: object) -> object:
        return tensorflow_fit(content, image_size, antialias=True)

    # Both are traced, as a tf.data pipeline runs them.
    signature = [tf.TensorSpec([], tf.string)]
    decode = tf.function(lambda content: tf.io.decode_jpeg(content, 3), signature)
    return decode, tf.function(fit, signature)


def tensorflow_fit(content: object, size: int, antialias: bool) -> object:
    """Does what `images.fit` does to a tensor of an encoded image: uint8 [size, size, 3]."""
    import tensorflow as tf

    image = tf.io.decode_jpeg(content, 3)
    shape = tf.shape(image)[:2]
    scaled = tf.cast(shape, tf.float64) * (size / tf.reduce_min(shape))
    rows, columns = tf.unstack(tf.maximum(size, tf.cast(tf.round(scaled), tf.int32)))
    image = tf.image.resize(image, (rows, columns), "bilinear", antialias=antialias)
    image = tf.image.crop_to_bounding_box(
        image, (rows - size) // 2, (columns - size) // 2, size, size
    )
    return tf.cast(tf.round(image), tf.uint8)
