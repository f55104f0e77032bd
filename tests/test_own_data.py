"""Data of one's own: arrays, a further kind of data set, and a run that is given one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers.tfds_sets import examples, image_features, prepare

from rethinking_jax.config import base_config, members
from rethinking_jax.corruption import random_labels
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
    return 255 - np.arange(count * 12, dtype=np.uint8).reshape(count, 3, 4)


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


@pytest.mark.parametrize(
    ("train", "test", "names", "word"),
    [
        # Labels that count from 0 without a gap stay what they are, whatever their type.
        (np.array([0, 1, 2]), np.array([2, 0]), "012", None),
        (np.array([0.0, 1.0, 2.0]), np.array([[2], [0]], np.uint8), "012", None),
        (np.array([False, True]), np.array([1]), "01", None),
        (np.array([[0], [1]], np.uint64), np.array([1]), "01", None),
        # Others are numbered anew, and keep their names.
        (np.array([1, 2, 3]), np.array([3, 1]), "123", "from 0 to 2: they are 1, 2, 3"),
        (np.array([9999, 3, 500]), np.array([3]), ["3", "500", "9999"], "they are 3, 500, 9999"),
        (np.array([0, 2**40]), np.array([0]), ["0", str(2**40)], f"they are 0, {2**40}"),
        # A class between others that only the test set shows is one.
        (np.array([0, 2]), np.array([1]), "012", "no training images of 1 of its 3 classes"),
        # What is not a label of the training set's range, or none at all.
        (np.array([1, 2, 3]), np.array([0, 1]), None, "index 0 of the test split is 0, outside"),
        (np.array([0, 1, 2]), np.array([1, 3]), None, "index 1 of the test split is 3, outside"),
        (np.array([-1, 1, 1]), np.array([1]), None, "index 0 of the train split is -1, outside"),
        (np.array([-1, -1]), np.array([-1]), None, "is -1, outside the classes from 0 on"),
        (np.array([0, 2**64 - 1], np.uint64), np.array([0]), None, "outside the classes"),
        (np.array([0.5, 1.0]), np.array([1]), None, "whole numbers"),
        (np.array([0.0, np.nan]), np.array([0]), None, "whole numbers"),
        (np.array([0.0, np.inf]), np.array([0]), None, "whole numbers"),
        (np.array(["a", "b"]), np.array(["a"]), None, "whole numbers"),
        (np.eye(3), np.array([1]), None, "of one-hot rows take argmax"),
    ],
)
@pytest.mark.parametrize("door", ["python", "npz"])
def test_labels_of_every_kind(
    train: np.ndarray,
    test: np.ndarray,
    names: str | list[str] | None,
    word: str | None,
    door: str,
    tmp_path: Path,
) -> None:
    given = {"x_train": gray(len(train)), "y_train": train}
    given |= {"x_test": gray(len(test)), "y_test": test}
    said: list[str] = []

    def load() -> Dataset:
        if door == "python":
            return arrays(**given, progress=said.append)
        np.savez(tmp_path / "mine.npz", **given)
        data = load_dataset(str(tmp_path / "mine.npz"), progress=said.append)
        assert said.pop(0).startswith("reading ")
        return data

    if names is None:
        with pytest.raises(UserError, match=re.escape(word or "")):
            load()
        return
    data = load()
    assert data.class_names == tuple(names)
    for split, labels in ((data.train, train), (data.test, test)):
        assert [int(names[k]) for k in split.labels] == labels.ravel().astype(int).tolist()
    assert [word in line for line in said] == ([True] if word else [])


@pytest.mark.parametrize(
    ("images", "peak"),
    [
        (np.full((2, 3, 4), 0.9).astype(np.uint8), 0),  # floats in 0..1, cast
        (np.full((2, 3, 4), 1 / 255, np.float32), 1),  # scaled twice
        (np.full((2, 3, 4), True).astype(np.int64), 1),
        (np.full((2, 3, 4), 63, np.uint8), 63),
        (np.full((2, 3, 4), 64, np.uint8), None),
        (np.full((2, 3, 4), True), None),
    ],
)
def test_arrays_that_are_nearly_black_are_said(images: np.ndarray, peak: int | None) -> None:
    said: list[str] = []
    arrays(images, np.arange(2), images // 2, np.arange(2), name="mine", progress=said.append)
    line = f"the images of mine are dark: the largest value in any of them is {peak} of 255"
    assert said == ([] if peak is None else [line])


@pytest.mark.parametrize("declared", [{"num_classes": 4}, {"class_names": list("abcd")}])
def test_classes_that_are_declared_stay_and_are_said(declared: dict, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", images=gray(20), labels=np.arange(20) % 2 * 3, **declared)
    said: list[str] = []
    data = load_dataset(str(tmp_path / "mine.npz"), progress=said.append)
    assert data.num_classes == 4 and set(data.train.labels) == {0, 3}
    missing = ", ".join(data.class_names[1:3])
    assert any(
        line.endswith(f"no training images of 2 of its 4 classes, from which random labels are "
                      f"drawn too: {missing}")
        for line in said
    )  # fmt: skip


def test_arrays_that_are_not_read_are_named(tmp_path: Path) -> None:
    splits = {f"x_{split}": gray(2) for split in ("train", "test", "val")}
    labels = {f"y_{split}": np.arange(2) for split in ("train", "test", "val")}
    np.savez(tmp_path / "mine.npz", **splits, **labels)
    said: list[str] = []
    load_dataset(str(tmp_path / "mine.npz"), progress=said.append)
    assert said[0] == f"not read in {tmp_path / 'mine.npz'}: the arrays x_val, y_val"


@pytest.mark.parametrize("opened", [load_dataset, open_streamed])
def test_numbers_that_no_image_has_are_no_classes_of_tfds(
    opened: Callable[..., Dataset], tmp_path: Path
) -> None:
    # As emnist/letters is: labels 1 to 26 of 37 numbers.
    features = image_features((4, 4, 1))
    features["label"] = tfds.features.ClassLabel(num_classes=6)
    images = [np.full((4, 4, 1), k, np.uint8) for k in range(1, 9)]
    train = examples(images, [1, 2, 4, 1, 2, 4, 1, 2])
    prepare("letters", tmp_path, features, train=train, test=train[:3], extra=train[:5])
    said: list[str] = []
    say = {load_dataset: "progress", open_streamed: "say"}[opened]
    data = opened("letters", data_dir=str(tmp_path), **{say: said.append})
    assert data.class_names == ("1", "2", "4")
    expected = {1: 0, 2: 1, 3: 2, 4: 0, 5: 1, 6: 2, 7: 0, 8: 1}
    shown = np.asarray(data.train.read(np.arange(8)))[:, 0, 0, 0]
    assert data.train.labels.tolist() == [expected[int(k)] for k in shown]
    assert data.train.labels.dtype == np.int32
    assert "not read of letters/1.0.0: the split(s) extra (5)" in said
    assert said[-1] == "the labels of letters are numbered from 0 to 2: they are 1, 2, 4"


def test_random_labels_are_drawn_from_classes_that_exist() -> None:
    labels = np.repeat([3, 500, 9999], 200)
    data = arrays(gray(600), labels, gray(600), labels, progress=lambda line: None)
    config = base_config()
    config.corruption, config.crop_size, config.validation_examples = "random_labels", 0, 0
    (member,) = members(config)
    (read,) = load_datasets([member], lambda line: None, data).values()
    drawn = random_labels(0, read.train.ids, read.train.labels, read.num_classes)
    assert np.bincount(drawn).tolist() == pytest.approx([200] * 3, abs=40)


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
