"""The records of a set that tfds has prepared as array_record, read in any order.

Needs no TensorFlow. Loading into memory, streaming and the cache all get their pixels from
`Records`, so they are the same pixels.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.dataset import labels_and_ids, one_line
from rethinking_jax.data.origin import Say
from rethinking_jax.data.tfds import Builder, Features
from rethinking_jax.errors import UserError, lacking
from rethinking_jax.workdir.storage import is_remote, open_path

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
TEST_SPLITS = ("test", "validation")
DIGESTED_BYTES = 1 << 31  # some 2 s of one core's time


class Example(NamedTuple):
    """An example as it is stored in a prepared data set: an image, its label and its id.

    Attributes:
      image: uint8 [h, w, c], before any scaling.
      label: the number of its class.
      text: the feature `id` or `file_name`; b"" where the set has neither.
    """

    image: np.ndarray
    label: int
    text: bytes


class Records:
    """The records of one split; threads may share it, and it travels to other processes."""

    def __init__(self, name: str, folder: str, split: str) -> None:
        """Opens the split `split` of the set `name` that is prepared in `folder`.

        Raises:
          UserError: the set is not for image classification, or damaged.
        """
        self.name, self.folder, self.split = name, folder, split
        try:
            self._open()
        except UserError:
            raise
        except Exception as error:
            raise damaged(name, folder, error) from error

    def __reduce__(self) -> tuple[object, ...]:
        """Makes it travel as its arguments: files are opened where it arrives."""
        return Records, (self.name, self.folder, self.split)

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self._source)

    def _open(self) -> None:
        import tensorflow_datasets as tfds

        open_path(self.folder)  # another process does not know the bucket yet
        builder = tfds.builder_from_directory(self.folder)
        self.features = classification_features(self.name, builder)
        raw = tfds.decode.DeserializeMethod.RAW_BYTES
        files = builder.info.splits[self.split].filepaths
        missing = [Path(file).name for file in files if not file.exists()]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise FileNotFoundError(f"{missing[0]}{more} is missing")
        self._files, self.bytes = files, int(builder.info.splits[self.split].num_bytes)
        self._source = builder.as_data_source(self.split, deserialize_method=raw)
        label, text = self.features["label"], text_key(self.features)
        self.num_classes, self.class_names = label.num_classes, tuple(label.names)
        self.texts_are_file_names = text == "file_name"
        self.has_texts = text != ""
        small = {key: self.features[key] for key in ("label", text) if key}
        self._small = tfds.features.FeaturesDict(small)
        self._text = text
        self._image_key = next(iter(self.features))
        feature = self.features[self._image_key]
        self.image_shape = tuple(feature.shape)
        # tfds would decode with OpenCV where that is installed, whose JPEG pixels differ.
        encoded = isinstance(feature, tfds.features.Image)
        self._decoders = {self._image_key: tfds.decode.SkipDecoding()} if encoded else None
        self._mode = MODES.get(feature.shape[-1], "") if encoded else ""

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all records; "" where they are in a bucket or too many to read for it."""
        if self.bytes > DIGESTED_BYTES or is_remote(self.folder):
            return ""
        sha = hashlib.sha256()
        try:
            for path in self._files:
                with open(path, "rb") as file:
                    while piece := file.read(1 << 20):
                        sha.update(piece)
        except OSError as error:
            raise damaged(self.name, self.folder, error) from error
        return sha.hexdigest()

    def read(self, indices: Iterable[int]) -> Iterator[Example]:
        """Yields the examples at `indices`, decoded.

        Raises:
          UserError: a record cannot be read or an image not be decoded; names it.
        """
        for index in indices:
            found = self._parse(self.raw(index), self.features, self._decoders)
            image, label, text = found[self._image_key], int(found["label"]), self._text_of(found)
            if self._mode:
                try:
                    image = images.decode(image, self._mode)
                except Exception as error:
                    named = f"the image {text.decode(errors='replace')}" if text else "the image"
                    raise UserError(
                        f"dataset={self.name!r}: {named} (record {index} of the split "
                        f"{self.split} in {self.folder}) cannot be decoded ({one_line(error)})."
                    ) from error
            yield Example(image, label, text)

    def read_labels(self, indices: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yields label and text of the examples at `indices`; their images are not decoded."""
        for index in indices:
            found = self._parse(self.raw(index), self._small, None)
            yield int(found["label"]), self._text_of(found)

    def raw(self, index: int) -> bytes:
        """Returns the record at `index`, a serialized tf.train.Example.

        Raises:
          UserError: it cannot be read.
        """
        try:
            record: bytes = self._source[int(index)]
            if not record:  # what array_record finds beyond the end of a file
                raise EOFError(f"record {index} of the split {self.split} is cut off")
            return record
        except Exception as error:
            raise damaged(self.name, self.folder, error) from error

    def _parse(self, record: bytes, features: Features, decoders: Features) -> Features:
        try:
            return features.deserialize_example_np(record, decoders=decoders)
        except Exception as error:
            raise damaged(self.name, self.folder, error) from error

    def _text_of(self, found: Features) -> bytes:
        return bytes(found[self._text]) if self._text else b""


def split_labels(
    records: Records, labels: np.ndarray, texts: list[bytes]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the labels int32 [n] and ids uint32 [n] of all records of a split, checked."""
    return labels_and_ids(
        records.name,
        records.split,
        labels,
        records.num_classes,
        texts if records.has_texts else None,
        records.texts_are_file_names,
    )


def damaged(name: str, folder: object, error: Exception) -> UserError:
    """Returns the error of a prepared set that cannot be read."""
    if reason := lacking(error):
        return UserError(f"dataset={name!r} cannot be read in {folder}: {reason}.")
    return UserError(
        f"dataset={name!r} is damaged in {folder} ({one_line(error)}): delete that folder and "
        "run again to prepare it anew, or point data_dir at a whole copy."
    )


def classification_features(name: str, builder: Builder) -> Features:
    """Returns the features that matter: the image first, `label`, and a text `id` or `file_name`.

    Boxes, masks and everything else are never parsed.

    Raises:
      UserError: the set is not for image classification.
    """
    import tensorflow_datasets as tfds

    features = dict(builder.info.features)
    found = [key for key, feature in features.items() if _is_image(feature)]
    image_key = "image" if "image" in found else (found or [""])[0]
    label = features.get("label")
    if not image_key or not isinstance(label, tfds.features.ClassLabel) or not label.num_classes:
        kinds = ", ".join(f"{key} ({type(value).__name__})" for key, value in features.items())
        raise UserError(
            f"dataset={name!r} is not for image classification: it needs an image of 8 bits "
            f"and a ClassLabel named label, and has {kinds}."
        )
    keys = [image_key, "label", text_key(features)]
    return tfds.features.FeaturesDict({key: features[key] for key in keys if key})


def text_key(features: Features) -> str:
    """Returns the key of the text that tells examples apart: `id`, else `file_name`, else ""."""
    import tensorflow_datasets as tfds

    texts = [key for key in ("id", "file_name") if key in features]
    return next((key for key in texts if isinstance(features[key], tfds.features.Text)), "")


def _is_image(feature: Features) -> bool:
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.Image):
        return bool(feature.np_dtype == np.uint8) and feature.shape[-1] in MODES
    # ClassLabel and others are Tensors too, of lower rank.
    is_tensor = isinstance(feature, tfds.features.Tensor)
    return is_tensor and bool(feature.np_dtype == np.uint8) and len(feature.shape) == 3


def open_records(name: str, builder: Builder) -> tuple[Records, Records | None]:
    """Returns the training records of a prepared set, and those to test on.

    Tests are made on the split `test`, or on `validation` where there is no `test` or its
    labels are hidden (-1). The second is None where there is neither.

    Raises:
      UserError: there is no training split, or the set is of another kind or damaged.
    """
    folder = str(builder.data_path)
    sizes = {split: info.num_examples for split, info in builder.info.splits.items()}
    if not sizes.get("train"):
        classification_features(name, builder)
        raise UserError(
            f"dataset={name!r} has no train split in {folder}; it has {', '.join(sizes) or 'none'}."
        )
    train = Records(name, folder, "train")
    for split in TEST_SPLITS:
        if sizes.get(split):
            records = Records(name, folder, split)
            if next(records.read_labels([0]))[0] >= 0:
                return train, records
    return train, None


def say_unread(builder: Builder, read: Iterable[Records | None], say: Say) -> None:
    """Says which splits of a prepared set are not read, beside those that are."""
    used = {records.split for records in read if records}
    sizes = {split: info.num_examples for split, info in builder.info.splits.items()}
    rest = [f"{split} ({count:,})" for split, count in sizes.items() if count and split not in used]
    if rest:
        say(f"not read of {builder.info.full_name}: the split(s) {', '.join(rest)}")


def split_shape(records: Records, image_size: int) -> tuple[int, int, int]:
    """Returns the shape [h, w, c] of the images of a split at this size.

    Raises:
      UserError: `image_size` is 0 and the images have no shape in common.
    """
    height, width, channels = records.image_shape
    if image_size:
        return image_size, image_size, channels
    if height is None or width is None:
        raise UserError(
            f"image_size=0 (as they are) cannot be: the images of dataset={records.name!r} have "
            "different sizes. Give a side in pixels, for example 224."
        )
    return height, width, channels
