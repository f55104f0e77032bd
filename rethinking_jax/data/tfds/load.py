"""A set of tfds, read into memory."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from rethinking_jax.data.classes import say_classes
from rethinking_jax.data.dataset import Dataset, Split, make_dataset
from rethinking_jax.data.hold_out import hold_out
from rethinking_jax.data.origin import Request, Say
from rethinking_jax.data.tfds.decoded import read_split
from rethinking_jax.data.tfds.index import fingerprint, kept_folders
from rethinking_jax.data.tfds.prepare import prepared_builder
from rethinking_jax.data.tfds.records import Records, open_records, say_unread


def load_tfds(request: Request) -> Dataset:
    """Reads the training and test split of any image classification set of tfds.

    The test split is `test`, or `validation` where there is no test or its labels are
    hidden (-1); where there is neither, a fifth of the training split is held out. Where a
    part of the training split is enough, its images may be left to be read.

    Raises:
      UserError: the set is unknown, not prepared and cannot be, of another kind, or damaged.
    """
    name, say = request.name, request.say
    builder = prepared_builder(name, request.data_dir, request.manual_dir, say)
    train_records, test_records = open_records(name, builder)
    say_unread(builder, (train_records, test_records), say)
    total = len(train_records) + (len(test_records) if test_records else 0)
    say(f"reading {name}: {total:,} examples")
    folders = kept_folders(request.cache_dir, builder)

    def read(records: Records, whole: bool) -> Split:
        of = fingerprint(builder, records.split)
        return read_split(records, request.image_size, of, folders, say, whole)

    train = read(train_records, not request.part)
    if test_records is None:
        train, test = hold_out(name, train, say)
    else:
        test = read(test_records, whole=True)
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
