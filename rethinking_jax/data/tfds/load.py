"""A set of tfds, read into memory."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from rethinking_jax.data import images
from rethinking_jax.data.classes import say_classes
from rethinking_jax.data.dataset import Dataset, Split, labels_and_ids, make_dataset
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.origin import Request, Say
from rethinking_jax.data.tfds.prepare import prepared_builder
from rethinking_jax.data.tfds.records import Records, open_records, say_unread


def load_tfds(request: Request) -> Dataset:
    """Reads the training and test split of any image classification set of tfds.

    The test split is `test`, or `validation` where there is no test or its labels are
    hidden (-1); where there is neither, a fifth of the training split is held out.

    Raises:
      UserError: the set is unknown, not prepared and cannot be, of another kind, or damaged.
    """
    name, say = request.name, request.say
    builder = prepared_builder(name, request.data_dir, request.manual_dir, say)
    train_records, test_records = open_records(name, builder)
    say_unread(builder, (train_records, test_records), say)
    total = len(train_records) + (len(test_records) if test_records else 0)
    say(f"reading {name}: {total:,} examples")
    train = _read_split(train_records, request.image_size)
    if test_records is None:
        train, test = hold_out(name, train, say)
    else:
        test = _read_split(test_records, request.image_size)
    return tfds_dataset(name, train, test, train_records.class_names, say)


def tfds_dataset(
    name: str, train: Split, test: Split, class_names: Sequence[str], say: Say
) -> Dataset:
    """Returns a data set of two splits without the classes that are only numbers.

    `emnist/letters` declares 37 classes without names and has images of 26: no label should be
    drawn from the others. A class that has a name stays, with images or without.

    Raises:
      UserError: see `make_dataset`.
    """
    classes = np.arange(len(class_names))
    if list(class_names) == [str(number) for number in classes]:
        classes = np.union1d(train.labels, test.labels)
        train, test = (
            dataclasses.replace(each, labels=np.searchsorted(classes, each.labels).astype(np.int32))
            for each in (train, test)
        )
        class_names = [str(number) for number in classes]
    say_classes(name, classes, train.labels, class_names, say)
    return make_dataset(name, train, test, class_names)


def _read_split(records: Records, image_size: int) -> Split:
    labels = np.zeros(len(records), np.int64)
    texts = [b""] * len(records)

    def read(indices: range) -> Iterator[np.ndarray]:
        for index, example in zip(indices, records.read(indices), strict=True):
            labels[index], texts[index] = example.label, example.text
            yield example.image

    pixels = images.stack_images(records.name, len(records), read, image_size)
    return Split(pixels, *split_labels(records, labels, texts))


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
