"""Reading a set that tfds has prepared, without TensorFlow."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.dataset import Dataset, Split, make_dataset, make_split, one_line
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.tfds_prepare import prepared_builder
from rethinking_jax.errors import UserError

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
TEST_SPLITS = ("test", "validation")


def load_tfds(
    name: str, data_dir: str, manual_dir: str, image_size: int, say: Callable[[str], None]
) -> Dataset:
    """Reads the training and test split of any image classification set of tfds.

    The test split is `test`, or `validation` where there is no test or its labels are
    hidden (-1); where there is neither, a fifth of the training split is held out.

    Args:
      name: as `tfds.builder` takes it.
      data_dir: see `load_dataset`.
      manual_dir: see `load_dataset`.
      image_size: see `load_dataset`.
      say: is given lines of progress.

    Raises:
      UserError: the set is unknown, not prepared and cannot be, of another kind, or damaged.
    """
    builder = prepared_builder(name, data_dir, manual_dir, say)
    image_key, fields = _fields(name, builder)
    num_classes = fields["label"].num_classes
    sizes = {split: info.num_examples for split, info in builder.info.splits.items()}
    if not sizes.get("train"):
        raise UserError(
            f"dataset={name!r} has no train split in {builder.data_dir}; "
            f"it has {', '.join(sizes) or 'none'}."
        )

    def read(split: str) -> Split:
        pixels, labels, texts = _read_split(name, builder, split, image_key, fields, image_size)
        return make_split(name, split, pixels, labels, num_classes, texts)

    try:
        test_split = _test_split(builder, fields, sizes)
        say(f"reading {name}: {sizes['train'] + sizes.get(test_split, 0):,} examples")
        train = read("train")
        train, test = (train, read(test_split)) if test_split else hold_out(name, train, say)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"dataset={name!r} is damaged in {builder.data_dir} ({one_line(error)}): delete that "
            "folder and run again to prepare it anew, or point data_dir at a whole copy."
        ) from error
    return make_dataset(name, train, test, fields["label"].names)


def _fields(name: str, builder: Any) -> tuple[str, Any]:
    """The key of the image, and the features that matter: that image, `label` and a text `id`.

    Everything else (boxes, masks, file names) is never parsed.
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
    keys = [image_key, "label"]
    if isinstance(features.get("id"), tfds.features.Text):
        keys.append("id")
    return image_key, tfds.features.FeaturesDict({key: features[key] for key in keys})


def _is_image(feature: Any) -> bool:
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.Image):
        return feature.np_dtype == np.uint8 and feature.shape[-1] in MODES
    # ClassLabel and others are Tensors too, of lower rank.
    is_tensor = isinstance(feature, tfds.features.Tensor)
    return is_tensor and feature.np_dtype == np.uint8 and len(feature.shape) == 3


def _records(builder: Any, split: str) -> Any:
    import tensorflow_datasets as tfds

    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    return builder.as_data_source(split, deserialize_method=raw)


def _test_split(builder: Any, fields: Any, sizes: dict[str, int]) -> str:
    """The first split to test on that has labels, or ""."""
    import tensorflow_datasets as tfds

    label = tfds.features.FeaturesDict({"label": fields["label"]})
    for split in TEST_SPLITS:
        if sizes.get(split):
            first = label.deserialize_example_np(_records(builder, split)[0])
            if first["label"] >= 0:
                return split
    return ""


def _read_split(
    name: str, builder: Any, split: str, image_key: str, fields: Any, image_size: int
) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    """Images uint8 [n, h, w, c], labels int64 [n] and the texts of `id`, if any."""
    import tensorflow_datasets as tfds

    is_encoded = isinstance(fields[image_key], tfds.features.Image)
    mode = MODES.get(fields[image_key].shape[-1], "")
    # tfds would decode with OpenCV where that is installed, whose JPEG pixels differ.
    decoders = {image_key: tfds.decode.SkipDecoding()} if is_encoded else None
    records = _records(builder, split)
    labels = np.zeros(len(records), np.int64)
    texts = [""] * len(records) if "id" in fields else None

    def read(indices: range) -> Iterator[np.ndarray]:
        for index, record in zip(indices, records.__getitems__(indices), strict=True):
            example = fields.deserialize_example_np(record, decoders=decoders)
            labels[index] = example["label"]
            if texts is not None:
                texts[index] = example["id"].decode()
            image = example[image_key]
            yield images.decode(io.BytesIO(image), mode) if is_encoded else image

    pixels = images.stack_images(name, len(records), read, image_size)
    return pixels, labels, texts
