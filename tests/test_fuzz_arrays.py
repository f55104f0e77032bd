"""A fuzz of arrays: they become the pixels and labels that plain Python makes of them, or one line.

What is drawn are arrays that people have, and mistakes near them: other shapes, types, ranges and
byte orders, labels with gaps, one class, nothing, and arrays that nobody reads.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import fuzz
from hypothesis import assume
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax.data import Dataset, arrays
from rethinking_jax.errors import UserError

# A command that warns prints more than its one line.
pytestmark = pytest.mark.filterwarnings("error")
IMAGE_TYPES = ("u1", "i1", "<u2", ">u2", "i4", "i8", "u8", "f2", "<f4", ">f8", "?")
LABEL_TYPES = ("u1", "i1", "<i2", ">i4", "i8", "u8", "f2", "f8", "?")
NO_NUMBERS = ("c8", "S2", "U2", "O")
SHAPES = ((4, 4), (4, 4, 1), (3, 5, 3), (4, 4, 4), (2, 2, 2))
NO_SHAPES = ((4, 4, 5), (0, 4), (6,), (2, 2, 2, 2), (4, 4, 0))
POOLS = ([0, 1], [0, 1, 2], [1, 2, 3], [0, 2], [3, 50, 99], [7, 8], [0, 100])
NO_POOLS = ([5], [0, 1, -1], [0, 1, 1.5], [0, 1, float("nan")], [0, 2**31], [0, float("inf")])
# What a case does wrong, or oddly. Half of the cases do nothing of it.
ODD = (
    "image type", "image value", "image shape", "test shape", "test type", "label type",
    "label value", "label shape", "test labels", "count", "nothing", "missing", "further",
    "class number", "few names", "both",
)  # fmt: skip


class Given(NamedTuple):
    """The arrays of one case, and the way in which they are given."""

    found: dict[str, Any]
    layout: str  # "C", "F", "strided", "list"
    image_size: int


class Expected(NamedTuple):
    """What a data set must be: images and labels of every example by split, and the classes."""

    images: dict[str, np.ndarray]
    labels: dict[str, list[int]]
    class_names: list[str]


@st.composite
def image_arrays(draw: st.DrawFn, shape: tuple[int, ...], kind: str, odd: bool) -> np.ndarray:
    """Images of a type, in its range unless one value is odd."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if kind in NO_NUMBERS:
        return np.full(shape, 1).astype(kind)
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        made = (rng.random(shape) * draw(st.sampled_from([1.0, 0.5, 1.0]))).astype(dtype)
        values = [np.nan, np.inf, -0.001, -0.0, 1.001, 255.0]
    else:
        most = 2 if dtype.kind == "b" else min(256, np.iinfo(dtype).max + 1)
        made = rng.integers(0, draw(st.sampled_from([most, most, 2])), shape).astype(dtype)
        bounds = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        values = [
            each for each in (0, 255, 256, -1, 65535, 2**40) if bounds[0] <= each <= bounds[1]
        ]
    if odd and made.size:
        made.flat[draw(st.integers(0, made.size - 1))] = draw(st.sampled_from(values))
    return made


@st.composite
def label_arrays(draw: st.DrawFn, count: int, pool: list[Any], kind: str, odd: bool) -> np.ndarray:
    """Labels out of a pool of numbers, of which a small type takes the nearest that it has."""
    chosen = [pool[k % len(pool)] for k in range(min(count, len(pool)))]
    chosen += [draw(st.sampled_from(pool)) for _ in range(count - len(chosen))]
    if kind in NO_NUMBERS:
        return np.array(chosen).astype(kind)
    dtype = np.dtype(kind)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        chosen = [int(min(max(each, low), high)) if np.isfinite(each) else high for each in chosen]
    made = np.array([min(each, 60000) if dtype.kind == "f" else each for each in chosen], dtype)
    if odd:
        odd_shapes = [np.eye(3)[np.arange(count) % 3], made[:, None, None], np.array(1)]
        return draw(st.sampled_from(odd_shapes))
    return draw(st.sampled_from([made, made, made[:, None]]))


@st.composite
def cases(draw: st.DrawFn) -> Given:
    """Arrays of a file or of a notebook."""
    odd = draw(st.one_of(st.just(set()), st.sets(st.sampled_from(ODD), min_size=1, max_size=2)))

    def of(name: str, usual: Any, others: Any) -> Any:
        return draw(st.sampled_from(others if name in odd else usual))

    shape = of("image shape", SHAPES, NO_SHAPES)
    kind = of("image type", IMAGE_TYPES, NO_NUMBERS)
    label_kind = of("label type", LABEL_TYPES, NO_NUMBERS)
    pool = of("label value", POOLS, NO_POOLS)
    n = draw(st.integers(6, 12)) if "nothing" not in odd else draw(st.integers(0, 2))
    keys = draw(st.sampled_from([("x_train", "y_train", "x_test", "y_test"), ("images", "labels")]))
    labels = n + of("count", [0], [-1, 1])
    found = {
        keys[0]: draw(image_arrays((n, *shape), kind, "image value" in odd)),
        keys[1]: draw(label_arrays(max(labels, 0), pool, label_kind, "label shape" in odd)),
    }
    if len(keys) == 4:
        m = draw(st.integers(1, 4))
        own = (*shape[:-1], shape[-1] + 1) if "test shape" in odd else shape
        test_kind = of("test type", [kind], [*IMAGE_TYPES, *NO_NUMBERS])
        found["x_test"] = draw(image_arrays((m, *own), test_kind, False))
        others = of("test labels", [pool], [*POOLS, *NO_POOLS])
        found["y_test"] = draw(label_arrays(m, others, label_kind, False))
    declared = draw(st.sampled_from(["nothing", "nothing", "class_names", "num_classes"]))
    classes = max([2, *(int(each) + 1 for each in pool if 0 <= each < 1000)])
    if declared == "class_names":
        names = [f"k{i}é" for i in range(classes - ("few names" in odd))]
        found[declared] = draw(
            st.sampled_from([np.array(names), np.array([name.encode() for name in names])])
        )
    elif declared == "num_classes":
        right = [np.int64(classes), np.array([classes + 1])]
        wrong = [
            np.float64(3),
            np.array([1, 2]),
            np.array(-1),
            np.array(0),
            np.array("3"),
            np.array(10**9),
        ]
        found[declared] = of("class number", right, wrong)
    if "both" in odd:
        found.setdefault("class_names", np.array(["a", "b"]))
        found.setdefault("num_classes", np.int64(draw(st.sampled_from([2, 3]))))
    if "missing" in odd:
        del found[draw(st.sampled_from(keys))]
    if "further" in odd:
        extra = draw(
            st.sampled_from(["x_valid", "y_valid", "X_test", "x_test", "labels", "images"])
        )
        found.setdefault(extra, np.zeros((2, *shape), np.uint8))
    layout = draw(st.sampled_from(["C", "C", "F", "strided", "list"]))
    return Given(found, layout, draw(st.sampled_from([0, 0, 0, 4])))


# The slow reference --------------------------------------------------------------------


def pixel(value: Any, kind: str) -> int | None:
    """One value as 0..255; None where it has no place there."""
    if kind == "b":
        return 255 if value else 0
    if kind == "f":
        # In 32 bits, or in those that the value has.
        return round(float(value * np.float32(255))) if 0 <= float(value) <= 1 else None
    if kind in "iu":
        return int(value) if 0 <= int(value) <= 255 else None
    return None


def pixels(images: np.ndarray) -> np.ndarray | None:
    """Images as uint8 [n, h, w, c], one value at a time; None where they are no images."""
    shape = (*images.shape, 1) if images.ndim == 3 else images.shape
    if len(shape) != 4 or not 1 <= shape[3] <= 4 or 0 in shape:
        return None
    values = [pixel(value, images.dtype.kind) for value in images.reshape(-1)]
    return None if None in values else np.array(values, np.uint8).reshape(shape)


def numbers(labels: np.ndarray) -> list[int] | None:
    """Labels as whole numbers; None where they are none."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iufb":
        return None
    values = labels.tolist()
    if any(value >= 2**63 for value in values):
        return None
    return (
        [int(value) for value in values] if all(value == value // 1 for value in values) else None
    )


def classes_of(found: Mapping[str, Any], labels: list[list[int]]) -> list[tuple[int, str]] | None:
    """Label and name of each class, in their order; None where what is said of them is wrong."""
    texts = np.asarray(found.get("class_names", [])).tolist()
    names = [text.decode() if isinstance(text, bytes) else text for text in texts]
    if "num_classes" in found:
        number = np.asarray(found["num_classes"])
        if number.size != 1 or number.dtype.kind not in "iu" or not 0 < number.item() <= 10**6:
            return None
        if names and len(names) != number.item():
            return None
        names = names or [str(k) for k in range(number.item())]
    if names:
        return list(enumerate(names))
    train = [value for value in labels[0] if value >= 0]
    if not train:
        return None
    shown = set(train) | {v for v in labels[-1] if min(train) <= v <= max(train)}
    return [(value, str(value)) for value in sorted(shown)]


def expected(found: Mapping[str, Any]) -> Expected | None:
    """What the arrays are as a data set; None where they must be refused."""
    keys = ("x_train", "y_train", "x_test", "y_test")
    if "x_train" not in found and "images" in found:
        keys = ("images", "labels")
    if not all(key in found for key in keys):
        return None
    images = [pixels(np.asarray(found[key])) for key in keys[::2]]
    labels = [numbers(np.asarray(found[key])) for key in keys[1::2]]
    if any(part is None for part in [*images, *labels]):
        return None
    classes = classes_of(found, labels)
    if classes is None or len(classes) < 2:
        return None
    places = {value: place for place, (value, _) in enumerate(classes)}
    for part, own in zip(images, labels, strict=True):
        if len(part) != len(own) or any(value not in places for value in own):
            return None
    if images[0].shape[1:] != images[-1].shape[1:]:
        return None
    if len(images) == 1 and len(set(labels[0])) == len(labels[0]):
        return None  # nothing can be held out
    names = ("train", "test") if len(images) == 2 else ("all",)
    return Expected(
        dict(zip(names, images, strict=True)),
        {name: [places[v] for v in own] for name, own in zip(names, labels, strict=True)},
        [name for _, name in classes],
    )


# The doors -----------------------------------------------------------------------------


def laid_out(array: Any, layout: str) -> Any:
    """The same values in another layout of the memory."""
    array = np.asarray(array)
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=0)[::2]
    return array


def compare(made: Dataset, wanted: Expected) -> None:
    """Asserts that a data set holds exactly what is wanted."""
    assert list(made.class_names) == wanted.class_names
    for split in (made.train, made.test):
        assert split.images.dtype == np.uint8 and split.labels.dtype == np.int32
    if "all" not in wanted.images:
        for name, split in made.splits.items():
            np.testing.assert_array_equal(split.images, wanted.images[name])
            assert split.labels.tolist() == wanted.labels[name]
            assert split.ids.tolist() == list(range(len(split)))
        return
    whole, labels = wanted.images["all"], wanted.labels["all"]
    ids = np.concatenate([made.train.ids, made.test.ids])
    assert sorted(ids.tolist()) == list(range(len(whole)))
    for split in (made.train, made.test):
        np.testing.assert_array_equal(split.images, whole[split.ids])
        assert split.labels.tolist() == [labels[i] for i in split.ids]
    for place in range(len(wanted.class_names)):
        count, held = labels.count(place), made.test.labels.tolist().count(place)
        assert held == (max((count + 2) // 5, 1) if count > 1 else 0)


def unread(found: Mapping[str, Any]) -> set[str]:
    """The arrays of a file that no data set is made of."""
    keys = (
        {"x_train", "y_train", "x_test", "y_test"} if "x_train" in found else {"images", "labels"}
    )
    return set(found) - keys - {"class_names", "num_classes"}


def check_file(case: Given, path: Path) -> None:
    found = {key: laid_out(value, case.layout) for key, value in case.found.items()}
    np.savez(path, **found)  # what is no number is pickled, and never read
    said: list[str] = []
    wanted = expected(found)
    try:
        made = rj.load_dataset(str(path), image_size=case.image_size, progress=said.append)
    except UserError as error:
        fuzz.check_refusal(error)
        assert wanted is None or case.image_size
        return
    if case.image_size:
        assert made.train.image_shape[:2] == (case.image_size,) * 2
        if wanted is None or next(iter(wanted.images.values())).shape[1:3] != (4, 4):
            return
    assert wanted is not None, "it had to be refused"
    compare(made, wanted)
    for key in unread(found):
        assert any(key in line for line in said), f"nothing is said of {key}"
    renumbered = "class_names" not in found and wanted.class_names != [
        str(k) for k in range(len(wanted.class_names))
    ]
    absent = set(range(len(wanted.class_names))) - set(made.train.labels.tolist())
    assert any("numbered" in line for line in said) == renumbered
    assert any("no training images" in line for line in said) == bool(absent)


def check_arguments(case: Given) -> None:
    keys = ("x_train", "y_train", "x_test", "y_test")
    if not all(key in case.found for key in keys):
        return
    given = [laid_out(case.found[key], case.layout) for key in keys]
    if case.layout == "list":
        given = [part.tolist() for part in given]
    names = case.found.get("class_names")
    if names is not None and names.dtype.kind == "S":
        return  # a list of bytes is no list of names in Python
    found = dict(zip(keys, map(np.asarray, given), strict=True))
    if names is not None:
        found["class_names"] = names
    wanted = expected(found)
    try:
        made = arrays(
            *given, names if names is None else names.tolist(), progress=lambda line: None
        )
    except UserError as error:
        fuzz.check_refusal(error)
        assert wanted is None
        return
    assert wanted is not None, "it had to be refused"
    compare(made, wanted)


def check(case: Given, path: Path) -> None:
    check_file(case, path)
    check_arguments(case)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrays") / "mine.npz"


@fuzz.few(cases(), 60)
def test_arrays_become_what_plain_python_makes_of_them(case: Given, path: Path) -> None:
    check(case, path)


@fuzz.many(cases(), 1500)
def test_many_arrays_become_what_plain_python_makes_of_them(case: Given, path: Path) -> None:
    check(case, path)


@fuzz.many(cases(), 12, part=200)
def test_some_arrays_are_trained_on(case: Given, path: Path) -> None:
    found = {key: laid_out(value, case.layout) for key, value in case.found.items()}
    wanted = expected(found)
    assume(wanted is not None)
    np.savez(path, **found)
    made = rj.load_dataset(str(path))
    compare(made, wanted)
    fuzz.check_trained(str(path), made, path.parent / "run")
