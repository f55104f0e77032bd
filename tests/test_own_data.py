"""Data of one's own: arrays, a further kind of data set, and a run that is given one."""

import re
from typing import Any

import numpy as np
import pytest

from rethinking_jax.config import base_config, members
from rethinking_jax.data import (
    DATASETS,
    Dataset,
    Origin,
    Request,
    arrays,
    load_dataset,
    open_streamed,
)
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import UserError


def gray(count: int) -> np.ndarray:
    return np.arange(count * 12, dtype=np.uint8).reshape(count, 3, 4)


def test_arrays_are_a_data_set() -> None:
    labels = np.array([0, 2, 1, 2])
    made = arrays(gray(4), labels, gray(2), labels[:2, None])
    assert (made.name, made.class_names, made.streamed) == ("arrays", ("0", "1", "2"), False)
    assert made.train.image_shape == (3, 4, 1) and made.train.images.dtype == np.uint8
    np.testing.assert_array_equal(made.train.images[..., 0], gray(4))
    assert made.train.ids.tolist() == [0, 1, 2, 3] and made.test.labels.tolist() == [0, 2]
    half = arrays(gray(4) / 255, labels, gray(2) / 255, labels[:2], ["a", "b", "c"], "mine")
    assert half.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(half.test.images, made.test.images)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"x_test": gray(2)[:, :2]}, "images of 3x4x1 and 2x4x1"),
        ({"y_train": np.array([0, 1, 3, 0]), "class_names": ("a", "b")}, "index 2 of the train"),
        ({"y_train": np.array([0, 1])}, "x_train has 4 examples and y_train has 2"),
        ({"x_train": gray(4) * 2.0}, "floats must lie in 0..1"),
        ({"y_test": np.eye(2)}, "of one-hot rows take argmax"),
    ],
)
def test_arrays_that_are_no_data_set(changes: dict[str, Any], word: str) -> None:
    labels = np.array([0, 1, 1, 0])
    given = {"x_train": gray(4), "y_train": labels, "x_test": gray(2), "y_test": labels[:2]}
    with pytest.raises(UserError, match=re.escape(word)):
        arrays(**{**given, **changes})


def test_a_kind_of_data_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_stripes(request: Request) -> Dataset:
        count = int(request.name.removeprefix("stripes:"))
        labels = np.arange(count) % 2
        images = np.zeros((count, 4, 4), np.uint8)
        images[labels == 1, 0] = 255
        return arrays(images, labels, images, labels, name=request.name)

    own = Origin("Stripes.", lambda request: request.name.startswith("stripes:"), load_stripes)
    monkeypatch.setitem(DATASETS, "stripes", own)
    assert len(load_dataset("stripes:6").train) == 6
    with pytest.raises(UserError, match="read into memory only"):
        open_streamed("stripes:6")


def test_a_run_reads_the_data_set_that_is_given() -> None:
    labels = np.arange(40) % 2
    given = arrays(gray(40), labels, gray(10), labels[:10])
    config = base_config()
    config.train_examples, config.validation_examples, config.crop_size = 20, 5, 2
    config.preprocess, config.batch_size = "dataset", 0
    (member,) = members(config)
    (read,) = load_datasets([member], lambda line: None, given).values()
    assert {name: len(split) for name, split in read.splits.items()} == {
        "train": 20, "test": 10, "validation": 5}  # fmt: skip
    assert read.measured == ("validation",) and member.config.batch_size == 20
    assert read.image_shape == (2, 2, 1) and read.moments.mean.shape == (1,)
    chosen = read.train.ids.astype(int)
    np.testing.assert_array_equal(read.train.images[..., 0], gray(40)[chosen, :2, 1:3])
    member.config.input = "stream"
    with pytest.raises(UserError, match="input='stream' has no effect"):
        load_datasets([member], lambda line: None, given)
