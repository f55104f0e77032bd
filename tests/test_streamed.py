"""Reading in batches: memory, stream and cache give the same examples."""

import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from conftest import needs_real
from helpers.tfds_sets import examples, image_features, noise, prepare
from hypothesis import given, settings
from hypothesis import strategies as st
from imagenet_fixture import (
    CMYK_NAME,
    PNG_NAME,
    TRAIN,
    TURNED,
    Archives,
    encode,
    odd_photographs,
    texture,
)
from PIL import Image

from rethinking_jax.data import Dataset, images, load_dataset
from rethinking_jax.data.batches import HostBatch, read_batches
from rethinking_jax.data.cache import read as cache_read
from rethinking_jax.data.cache.read import CachedImages, cache_folder, read_manifest
from rethinking_jax.data.cache.write import write_cache
from rethinking_jax.data.dataset import Reader, Split
from rethinking_jax.data.ids import example_ids
from rethinking_jax.data.load import open_streamed
from rethinking_jax.data.tfds import index
from rethinking_jax.data.tfds.index import dataset_folder, fingerprint
from rethinking_jax.data.tfds.prepare import open_builder
from rethinking_jax.data.tfds.records import open_records
from rethinking_jax.data.tfds.stream import estimate_bytes
from rethinking_jax.errors import RunFailed, UserError

SIZE = 40


def make_cache(
    name: str, data_dir: Path, cache_dir: Path, image_size: int, workers: int = 1
) -> list[str]:
    """Writes a cache with small files; returns what it said."""
    said: list[str] = []
    builder = open_builder(name, str(data_dir))
    splits = [records for records in open_records(name, builder) if records]
    write_cache(
        splits,
        {r.split: fingerprint(builder, r.split) for r in splits},
        cache_folder(dataset_folder(str(cache_dir), builder), image_size),
        image_size,
        workers=workers,
        say=said.append,
        watch=lambda *_: None,
        images_per_file=16,
    )
    return said


def error_of(*words: str, **options: object) -> str:
    with pytest.raises(UserError) as raised:
        open_streamed(**{"name": "imagenet2012", "image_size": SIZE, **options})
    message = str(raised.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


@pytest.fixture(scope="module")
def memory(imagenet_data_dir: Path) -> Dataset:
    return load_dataset("imagenet2012", data_dir=str(imagenet_data_dir), image_size=SIZE)


@pytest.fixture(scope="module")
def cache_dir(imagenet_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    make_cache("imagenet2012", imagenet_data_dir, folder, SIZE)
    return folder


@pytest.fixture(scope="module")
def opened(imagenet_data_dir: Path, cache_dir: Path) -> dict[str, Dataset]:
    return {
        kind: open_streamed(
            "imagenet2012",
            data_dir=str(imagenet_data_dir),
            image_size=SIZE,
            cache_dir=str(cache_dir),
            kind=kind,
        )
        for kind in ("stream", "cache")
    }


# The same examples in three ways ----------------------------------------------------


def assert_same(found: Dataset, expected: Dataset) -> None:
    assert found.class_names == expected.class_names
    assert found.num_classes == expected.num_classes
    for ours, theirs in ((found.train, expected.train), (found.test, expected.test)):
        assert ours.labels.dtype == np.int32 and ours.ids.dtype == np.uint32
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        assert ours.image_shape == theirs.images.shape[1:]
        everything = ours.read(np.arange(len(ours.labels)))
        assert everything.dtype == np.uint8
        np.testing.assert_array_equal(everything, theirs.images)


@pytest.mark.parametrize("kind", ["stream", "cache"])
def test_imagenet(kind: str, opened: dict[str, Dataset], memory: Dataset) -> None:
    assert opened[kind].train.reader.kind == kind
    assert len(memory.train.labels) == TRAIN and len(memory.test.labels) == 24
    assert_same(opened[kind], memory)


@settings(max_examples=30, deadline=None)
@given(
    positions=st.lists(st.integers(0, TRAIN - 1), max_size=40),
    kind=st.sampled_from(["stream", "cache"]),
)
def test_any_positions_in_any_order(
    positions: list[int], kind: str, opened: dict[str, Dataset], memory: Dataset
) -> None:
    found = opened[kind].train.read(np.array(positions, np.int64))
    np.testing.assert_array_equal(found, memory.train.images[np.array(positions, int)])


@pytest.mark.parametrize("kind", ["stream", "cache"])
@pytest.mark.parametrize("wrong", [-1, TRAIN])
def test_positions_that_are_not_there(kind: str, wrong: int, opened: dict[str, Dataset]) -> None:
    with pytest.raises(IndexError, match=rf"{wrong}.* of {TRAIN}"):
        opened[kind].train.read(np.array([wrong]))


def test_what_the_archives_hold_is_what_is_read(memory: Dataset, imagenet_tars: Archives) -> None:
    """From the archives' own files, by name: the label, the id and the pixels."""
    names_file = tfds.core.tfds_path("datasets/imagenet2012/labels.txt")
    synsets = names_file.read_text().split()
    row_of = {int(example_id): k for k, example_id in enumerate(memory.train.ids)}
    assert len(row_of) == len(imagenet_tars.train)
    for name, content in imagenet_tars.train.items():
        label = synsets.index(name[:9])
        row = row_of[label * 2**22 + int(name[10:-5])]
        assert memory.train.labels[row] == label
        expected = images.fit(images.decode_with_pillow(content, "RGB"), SIZE).astype(int)
        # The builder encodes CMYK and PNG files anew where it knows their names.
        changed = name in (CMYK_NAME, PNG_NAME)
        difference = np.abs(memory.train.images[row] - expected)
        assert difference.mean() < (12 if changed else 1e-9)
    assert sorted(memory.test.ids) == list(range(1, 25))
    for number, row in zip(memory.test.ids, memory.test.images, strict=True):
        content = imagenet_tars.validation[f"ILSVRC2012_val_{number:08d}.JPEG"]
        np.testing.assert_array_equal(row, images.fit(images.decode(content, "RGB"), SIZE))


def scaled_exactly(image: np.ndarray, side: int) -> np.ndarray:
    """A whole image at this size by its definition, cropped then: float64 [side, side, c].

    The weight of a pixel falls linearly with its distance, over one pixel of the larger grid.
    """
    lengths = [max(side, round(n * side / min(image.shape[:2]))) for n in image.shape[:2]]
    found = image.astype(np.float64)
    for axis, length in enumerate(lengths):
        step = image.shape[axis] / length
        centres = (np.arange(length)[:, None] + 0.5) * step
        distances = np.abs(np.arange(image.shape[axis]) + 0.5 - centres) / max(step, 1)
        weights = np.maximum(0, 1 - distances)
        weights /= weights.sum(1, keepdims=True)
        found = np.moveaxis(np.tensordot(weights, found, (1, axis)), 0, axis)
    top, left = ((length - side) // 2 for length in lengths)
    return found[top : top + side, left : left + side]


def test_every_kind_of_photograph_is_decoded_and_scaled_as_the_docs_say(
    memory: Dataset,
) -> None:
    """Against Pillow and a definition in float64: large, gray, turned, of any sampling."""
    rows = {int(example_id): k for k, example_id in enumerate(memory.train.ids)}
    label_of = {int(i) % 2**22: int(i) >> 22 for i in memory.train.ids if int(i) % 2**22 > 9000}
    gray = 0
    for name, content in odd_photographs().items():
        number = int(name[10:-5])
        found = memory.train.images[rows[label_of[number] * 2**22 + number]]
        with Image.open(io.BytesIO(content)) as opened:
            seen = np.asarray(opened.convert("RGB"))
            turned = opened.getexif().get(0x0112) == TURNED
            if opened.mode == "L":
                gray += 1
                assert (found == found[..., :1]).all()
        expected = scaled_exactly(np.rot90(seen, -1) if turned else seen, SIZE)
        # Each of two passes rounds to whole numbers.
        assert np.abs(found - expected).max() <= 1.01, name
    assert gray == 2


@pytest.mark.parametrize("kind", ["stream", "cache"])
def test_embedded_digits_of_a_tensor_feature(kind: str, data_dir: Path, tmp_path: Path) -> None:
    expected = load_dataset("mnist5k", data_dir=str(data_dir))
    make_cache("mnist5k", data_dir, tmp_path, 0)
    found = open_streamed("mnist5k", data_dir=str(data_dir), cache_dir=str(tmp_path), kind=kind)
    assert_same(found, expected)


@pytest.mark.slow
@needs_real("fashion_mnist")
def test_fashion_mnist_test_split(real_data: dict[str, str]) -> None:
    expected = load_dataset("fashion_mnist", **real_data)
    found = open_streamed("fashion_mnist", **real_data, kind="stream")
    np.testing.assert_array_equal(found.train.labels, expected.train.labels)
    np.testing.assert_array_equal(found.test.read(np.arange(10_000)), expected.test.images)


@pytest.mark.parametrize("kind", ["stream", "cache"])
def test_a_set_whose_test_split_is_held_out(kind: str, tmp_path: Path) -> None:
    pictures = [noise(4, 4, 1) for _ in range(40)]
    text = {"id": tfds.features.Text()}
    train = examples(
        pictures, [int(i >= 30) for i in range(40)], id=[f"x_{9 * i}" for i in range(40)]
    )
    prepare("streamed_train_only", tmp_path, image_features((4, 4, 1), **text), train=train)
    make_cache("streamed_train_only", tmp_path, tmp_path / "cache", 0)
    options = {"data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache")}
    found = open_streamed("streamed_train_only", kind=kind, **options)
    assert_same(found, load_dataset("streamed_train_only", data_dir=str(tmp_path)))
    assert sorted(found.train.ids.tolist() + found.test.ids.tolist()) == list(range(0, 360, 9))


# Ids of file names ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "labels", "expected"),
    [
        (["n01440764_10.JPEG", "n01443537_10.JPEG"], [0, 1], [10, 2**22 + 10]),
        (["n01440764_10.JPEG", "n01443537_7.JPEG"], [1023, 1], [1023 * 2**22 + 10, 2**22 + 7]),
        (["n01440764_10.JPEG", "n01440764_10.JPEG"], [0, 0], [0, 1]),  # Twice the same.
        (["n01440764_4194304.JPEG", "n01443537_7.JPEG"], [0, 1], [4194304, 7]),  # 2**22.
        (["n01440764_10.JPEG", "n01443537_7.JPEG"], [1024, 0], [10, 7]),
        (["n0144076_10.JPEG", "n01443537_7.JPEG"], [0, 1], [10, 7]),
        (["ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000001.JPEG"], [5, 5], [2, 1]),
        (["cat_1.jpg", "dog_1.jpg"], [0, 1], [0, 1]),
        (["a/7", "b/8.tar"], [0, 1], [7, 8]),
        (["7.tar.8", "b.5x"], [0, 1], [0, 1]),
        ([".JPEG", "9.JPEG"], [0, 1], [0, 1]),
        (["99999999999999999999.JPEG", "9.JPEG"], [0, 1], [0, 1]),
    ],
)
def test_ids_of_file_names(names: list[str], labels: list[int], expected: list[int]) -> None:
    encoded = [name.encode() for name in names]
    ids = example_ids(encoded, np.array(labels), file_names=True)
    assert ids.dtype == np.uint32 and ids.tolist() == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1023), st.integers(0, 2**22 - 1)), min_size=1, unique=True)
)
def test_imagenet_ids_are_unique(pairs: list[tuple[int, int]]) -> None:
    names = [f"n{label:08d}_{number}.JPEG".encode() for label, number in pairs]
    ids = example_ids(names, np.array([label for label, _ in pairs]), file_names=True)
    assert ids.tolist() == [label * 4194304 + number for label, number in pairs]


def test_ids_of_all_of_imagenet_take_less_than_two_seconds() -> None:
    count = 1_281_167
    labels = np.arange(count) % 1000
    names = [b"n%08d_%d.JPEG" % (k % 1000, k // 1000) for k in range(count)]
    started = time.process_time()
    ids = example_ids(names, labels, file_names=True)
    assert time.process_time() - started < 2  # 0.6 on the machine it was written on
    np.testing.assert_array_equal(ids, labels * 2**22 + np.arange(count) // 1000)


# Batches ----------------------------------------------------------------------------


def assert_batches(found: list[HostBatch], positions: np.ndarray, expected: Dataset) -> None:
    assert len(found) == len(positions)
    for batch, row in zip(found, positions, strict=True):
        np.testing.assert_array_equal(batch.images, expected.train.images[row])
        np.testing.assert_array_equal(batch.labels, expected.train.labels[row])
        np.testing.assert_array_equal(batch.ids, expected.train.ids[row])


@pytest.mark.parametrize("kind", ["stream", "cache"])
@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (1, 37), (2, 16), (8, 40), (3, 17)])
def test_batches_are_in_order_whatever_the_threads(
    kind: str, threads: int, batch: int, opened: dict[str, Dataset], memory: Dataset
) -> None:
    positions = np.random.default_rng(batch).integers(0, TRAIN, (6, batch))
    found = list(read_batches(opened[kind].train, positions, threads=threads, workers=0))
    assert_batches(found, positions, memory)


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_are_in_order_whatever_the_workers(
    workers: int, opened: dict[str, Dataset], memory: Dataset
) -> None:
    positions = np.random.default_rng(workers).integers(0, TRAIN, (5, 37))
    found = list(read_batches(opened["stream"].train, positions, threads=2, workers=workers))
    assert_batches(found, positions, memory)


def test_no_batches(opened: dict[str, Dataset]) -> None:
    positions = np.zeros((0, 5), np.int64)
    assert list(read_batches(opened["stream"].train, positions, threads=2, workers=0)) == []


def counting_split(read: Callable[[np.ndarray], np.ndarray], slice_size: int = 4) -> Split:
    count = 10_000
    reader = Reader(read, (1, 1, 1), slice_size, "stream")
    return Split(reader, np.zeros(count, np.int32), np.arange(count, dtype=np.uint32))


@pytest.mark.parametrize(("batch", "threads"), [(4, 2), (64, 2), (64, 5), (512, 3)])
def test_what_is_read_ahead_is_bounded(batch: int, threads: int) -> None:
    started, lock = [0], threading.Lock()

    def read(positions: np.ndarray) -> np.ndarray:
        with lock:
            started[0] += len(positions)
        return np.zeros((len(positions), 1, 1, 1), np.uint8)

    positions = np.arange(12 * batch).reshape(12, batch) % 10_000
    bound = max(2 * batch, 4 * threads)
    for k, _ in enumerate(
        read_batches(counting_split(read), positions, threads=threads, workers=0)
    ):
        time.sleep(0.02)  # Time to run ahead.
        with lock:
            assert started[0] <= (k + 1) * batch + bound


def test_closing_early_ends_the_reading() -> None:
    reads = [0]

    def read(positions: np.ndarray) -> np.ndarray:
        reads[0] += 1
        return np.zeros((len(positions), 1, 1, 1), np.uint8)

    found = read_batches(counting_split(read), np.zeros((1000, 8), int), threads=2, workers=0)
    next(found)
    found.close()  # type: ignore[attr-defined]
    time.sleep(0.2)
    done = reads[0]
    time.sleep(0.2)
    assert reads[0] == done < 100
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("grain-prefetch")]


class Fails:
    """A picklable reader that fails at position 7."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        if 7 in positions:
            raise self.error
        return np.zeros((len(positions), 1, 1, 1), np.uint8)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("error", [UserError("one line"), ZeroDivisionError("another")])
def test_an_error_arrives_as_itself_and_after_what_came_before(
    error: Exception, workers: int
) -> None:
    positions = np.arange(12).reshape(4, 3)
    found = read_batches(counting_split(Fails(error)), positions, threads=2, workers=workers)
    assert [next(found).ids.tolist() for _ in range(2)] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(type(error), match=str(error)):
        next(found)


class Dies:
    """A reader whose process is killed, as for memory."""

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros((len(positions), 1, 1, 1), np.uint8)


def test_a_worker_that_dies_is_said() -> None:
    found = read_batches(counting_split(Dies()), np.zeros((2, 2), int), threads=1, workers=1)
    with pytest.raises(RunFailed, match=r"reading ahead failed: .*exit code -9"):
        next(found)


# The index --------------------------------------------------------------------------


def test_the_index_is_made_once_and_anew_for_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [noise(4, 4, 1) for _ in range(6)]

    def make(labels: list[int]) -> None:
        shutil.rmtree(tmp_path / "indexed_set", ignore_errors=True)
        train = examples(pictures[: len(labels)], labels)
        prepare("indexed_set", tmp_path, image_features((4, 4, 1)), train=train, test=train[:2])

    passes: list[str] = []
    original = index._pass_over
    monkeypatch.setattr(
        index, "_pass_over", lambda r, *rest: (passes.append(r.split), original(r, *rest))[1]
    )

    def labels() -> list[int]:
        passes.clear()
        return open_streamed("indexed_set", data_dir=str(tmp_path)).train.labels.tolist()

    make([0, 1, 0, 1])
    first = labels()
    assert sorted(first) == [0, 0, 1, 1] and passes == ["train", "test"]
    assert labels() == first and passes == []
    make([0, 1, 0, 1, 1])
    assert sorted(labels()) == [0, 0, 1, 1, 1] and passes == ["train"]
    file = tmp_path / "rethinking_jax" / "indexed_set-1.0.0" / "index-train.npz"
    content = file.read_bytes()
    for broken in (b"", content[: len(content) // 2], b"no npz"):
        file.write_bytes(broken)
        assert len(labels()) == 5 and passes == ["train"]
    assert file.read_bytes() == content  # Written anew, nothing beside it.
    assert sorted(p.name for p in file.parent.iterdir()) == ["index-test.npz", "index-train.npz"]


def test_a_folder_that_cannot_be_written_is_said_once(data_dir: Path, tmp_path: Path) -> None:
    load_dataset("mnist5k", data_dir=str(data_dir))
    (tmp_path / "file").touch()
    said: list[str] = []
    found = open_streamed(
        "mnist5k", data_dir=str(data_dir), cache_dir=str(tmp_path / "file"), say=said.append
    )
    assert len(found.train.labels) == 4000
    assert len([line for line in said if "cannot be kept" in line]) == 1


# Which of them, and what is wrong ----------------------------------------------------


def test_auto_takes_a_whole_fitting_cache_and_says_which(
    imagenet_data_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    options = {"data_dir": str(imagenet_data_dir), "image_size": SIZE}

    def opened_as(**more: object) -> tuple[str, str]:
        said: list[str] = []
        found = open_streamed("imagenet2012", **{**options, "say": said.append, **more})
        return found.train.reader.kind, "\n".join(said)

    kind, line = opened_as(cache_dir=str(cache_dir))
    assert kind == "cache" and f"images-{SIZE}" in line
    kind, line = opened_as(cache_dir=str(cache_dir), image_size=SIZE + 1)
    assert kind == "stream" and "there is no cache of decoded images in" in line
    copy = tmp_path / "copy"
    shutil.copytree(cache_dir, copy)
    folder = copy / "imagenet2012-5.1.0" / f"images-{SIZE}"
    shard = next(folder.glob("train-00001*"))
    with open(shard, "r+b") as file:
        file.truncate(shard.stat().st_size - 1)
    kind, line = opened_as(cache_dir=str(copy))
    assert kind == "stream" and shard.name in line and "has 76,799 bytes, not 76,800" in line
    error_of(shard.name, "76,799", f"--cache_dir={copy}", kind="cache",
             data_dir=str(imagenet_data_dir), cache_dir=str(copy))  # fmt: skip
    shard.unlink()
    error_of(shard.name, "is missing", kind="cache", data_dir=str(imagenet_data_dir),
             cache_dir=str(copy))  # fmt: skip


def test_a_cache_of_other_data_is_not_taken(tmp_path: Path) -> None:
    for count in (8, 6):
        shutil.rmtree(tmp_path / "changed_set", ignore_errors=True)
        train = examples([noise(4, 4, 1) for _ in range(count)], [i % 2 for i in range(count)])
        prepare("changed_set", tmp_path, image_features((4, 4, 1)), train=train, test=train)
        if count == 8:
            make_cache("changed_set", tmp_path, tmp_path / "cache", 4)
    options = {"data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache"), "image_size": 4}
    assert open_streamed("changed_set", **options).train.reader.kind == "stream"
    error_of("other data", name="changed_set", kind="cache", **options)


def test_a_cache_that_is_not_there_names_the_command_that_makes_it(
    imagenet_data_dir: Path, tmp_path: Path
) -> None:
    error_of(
        "there is no cache of decoded images in",
        f"python -m rethinking_jax.prepare imagenet2012 --data_dir={imagenet_data_dir} "
        f"--cache_dir={tmp_path} --cache={SIZE}",
        kind="cache",
        data_dir=str(imagenet_data_dir),
        cache_dir=str(tmp_path),
    )


def test_a_cache_and_its_index_need_no_records(
    opened: dict[str, Dataset], cache_dir: Path, tmp_path: Path, memory: Dataset
) -> None:
    # `opened` has put the index beside the cache.
    found = open_streamed(
        "imagenet2012", data_dir=str(tmp_path), image_size=SIZE, cache_dir=str(cache_dir)
    )
    assert found.train.reader.kind == "cache" and list(tmp_path.iterdir()) == []
    assert_same(found, memory)


def test_a_file_cut_short_while_it_is_read(cache_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(cache_dir / "imagenet2012-5.1.0" / f"images-{SIZE}", folder)
    layout = read_manifest(folder)
    assert layout is not None
    reader = CachedImages(str(folder), layout, "train")
    before = reader(np.arange(16))
    file = next(folder.glob("train-00000*"))
    os.truncate(file, 5 * layout.image_bytes + 10)
    np.testing.assert_array_equal(reader(np.arange(5)), before[:5])
    with pytest.raises(UserError, match=rf"{file.name} is cut short; .*--cache={SIZE}"):
        reader(np.array([5]))


def test_a_missing_file_of_records(imagenet_data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(imagenet_data_dir / "imagenet2012", tmp_path / "imagenet2012")
    file = next(tmp_path.glob("**/imagenet2012-train.array_record*"))
    file.unlink()
    error_of(file.name, "is missing", str(file.parent), data_dir=str(tmp_path), kind="stream")


@pytest.mark.parametrize("loader", ["memory", "stream", "cache"])
def test_a_broken_image_is_named(loader: str, tmp_path: Path) -> None:
    whole = encode(texture(30, 40, seed=1))
    contents = [whole, whole, whole[: len(whole) // 2], whole]
    rows = [
        {"image": content, "label": i % 2, "file_name": f"picture_{i}.JPEG"}
        for i, content in enumerate(contents)
    ]
    text = {"file_name": tfds.features.Text()}
    features = image_features((None, None, 3), **text)
    prepare("broken_image", tmp_path, features, train=rows, test=rows[:2])
    with pytest.raises(UserError) as raised:
        if loader == "memory":
            load_dataset("broken_image", data_dir=str(tmp_path), image_size=8)
        elif loader == "stream":
            opened = open_streamed("broken_image", data_dir=str(tmp_path), image_size=8)
            list(read_batches(opened.train, np.arange(4)[None], threads=2, workers=0))
        else:
            make_cache("broken_image", tmp_path, tmp_path / "cache", 8)

    message = str(raised.value)
    assert "\n" not in message
    for word in ("broken_image", "picture_2.JPEG", "split train", "truncated"):
        assert word in message


def test_images_of_many_sizes_need_a_size(imagenet_data_dir: Path, tmp_path: Path) -> None:
    error_of("image_size=0", "different sizes", image_size=0, data_dir=str(imagenet_data_dir),
             cache_dir=str(tmp_path))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"kind": "fast"}, "auto, stream, cache"),
        ({"image_size": -1}, "image_size=-1"),
        ({"name": "data.npz"}, "into memory only"),
        ({"name": "./folder"}, "into memory only"),
        ({"name": "imagnet2012"}, "did you mean 'imagenet2012'"),
    ],
)
def test_what_cannot_be_opened(options: dict, word: str, tmp_path: Path) -> None:
    error_of(word, **{"data_dir": str(tmp_path), **options})


def test_bytes_in_memory(imagenet_data_dir: Path, data_dir: Path, tmp_path: Path) -> None:
    assert (
        estimate_bytes("imagenet2012", str(imagenet_data_dir), 299) == (TRAIN + 24) * 299 * 299 * 3
    )
    assert estimate_bytes("imagenet2012", str(imagenet_data_dir), 0) is None
    load_dataset("mnist5k", data_dir=str(data_dir))
    assert estimate_bytes("mnist5k", str(data_dir), 0) == 5000 * 784
    assert estimate_bytes("mnist5k", str(tmp_path), 0) is None
    for name in ("imagenet2012", "no_such_set", "./folder", "data.npz"):
        assert estimate_bytes(name, str(tmp_path), 32) is None


def test_streaming_does_not_import_tensorflow_or_jax(
    imagenet_data_dir: Path, cache_dir: Path
) -> None:
    import subprocess

    from conftest import REPOSITORY

    script = (
        "import sys, numpy as np\n"
        "from rethinking_jax.data.load import open_streamed\n"
        "for kind in ('stream', 'cache'):\n"
        "    data = open_streamed('imagenet2012', data_dir=sys.argv[1], cache_dir=sys.argv[2],\n"
        f"                         image_size={SIZE}, kind=kind)\n"
        "    data.train.read(np.arange(9))\n"
        "print([name for name in ('tensorflow', 'cv2', 'jax') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(imagenet_data_dir), str(cache_dir)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")


# Bits that have flipped, and pictures as they are seen --------------------------------


@pytest.fixture
def small_cache(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """Options that open a set with a cache of 8 files, and the folder of the cache."""
    train = examples([noise(4, 4, 1) for _ in range(112)], [i % 2 for i in range(112)])
    prepare("flipped", tmp_path, image_features((4, 4, 1)), train=train, test=train[:16])
    make_cache("flipped", tmp_path, tmp_path / "cache", 4)
    options = {"name": "flipped", "data_dir": str(tmp_path), "image_size": 4,
               "cache_dir": str(tmp_path / "cache")}  # fmt: skip
    return options, tmp_path / "cache" / "flipped-1.0.0" / "images-4"


@pytest.mark.parametrize("kind", ["auto", "cache"])
def test_a_flipped_bit_is_found_at_the_start(
    kind: str, small_cache: tuple[dict[str, Any], Path]
) -> None:
    options, folder = small_cache
    said: list[str] = []
    assert open_streamed(**options, say=said.append, kind=kind).train.reader.kind == "cache"
    assert said[-1].endswith("(the checksums of all 8 files are right)")
    file = folder / "train-00003-of-00007.u8"
    content = bytearray(file.read_bytes())
    content[5] ^= 4
    file.write_bytes(content)
    error_of(
        f"the cache file {file} is damaged", f"--cache_dir={options['cache_dir']} --cache=4 "
        "--verify", **options, kind=kind,
    )  # fmt: skip


def test_of_a_large_cache_chance_picks_the_files(
    small_cache: tuple[dict[str, Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    options, folder = small_cache
    monkeypatch.setattr(cache_read, "CHECKED_BYTES", 2 * 16 * 16)
    said: list[str] = []
    open_streamed(**options, say=said.append)
    assert said[-1].endswith("(the checksums of 2 of 8 files are right)")
    for file in folder.glob("*.u8"):  # A bit in every file is found whatever is picked.
        file.write_bytes(bytes(value ^ 1 for value in file.read_bytes()))
    error_of("is damaged", **options)


def test_pictures_of_tfds_are_upright_and_on_white_in_every_way(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    names = [str(tmp_path / name) for name in ("turned.jpg", "drawing.png")]
    turned = np.repeat([0, 255], 8).astype(np.uint8)[:, None, None].repeat(16, 1).repeat(3, 2)
    Image.fromarray(turned).save(names[0], exif=exif, quality=100)
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[:8, :, 3] = 255
    Image.fromarray(ink).save(names[1])
    train = [{"image": name, "label": k} for k, name in enumerate(names)]
    prepare("pictures", tmp_path, image_features((16, 16, 3)), train=train, test=train)
    make_cache("pictures", tmp_path, tmp_path / "cache", 16)
    options: dict[str, Any] = {"data_dir": str(tmp_path), "image_size": 16}
    expected = {0: np.rot90(turned, -1), 1: np.repeat(255 - ink[..., 3:], 3, -1)}
    ways = [load_dataset("pictures", **options)] + [
        open_streamed("pictures", **options, cache_dir=str(tmp_path / "cache"), kind=kind)
        for kind in ("stream", "cache")
    ]
    for found in ways:
        for image, label in zip(found.train.read(np.arange(2)), found.train.labels, strict=True):
            assert np.abs(image.astype(int) - expected[int(label)]).max() <= 2
