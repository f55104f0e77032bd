"""A decoded set is kept: read the next time, never stale, and made anew where it is damaged."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY
from helpers.tfds_sets import examples, image_features, noise, prepare

from rethinking_jax.data import Dataset, images, kept, load_dataset, open_streamed
from rethinking_jax.data.kept import make_room, read_kept, write_kept
from rethinking_jax.data.tfds import decoded
from rethinking_jax.data.tfds.records import Records

PICTURES = [noise(6, 6, 3) for _ in range(24)]
LABELS = [k % 2 for k in range(24)]


def make(folder: Path, pictures: list[np.ndarray] = PICTURES) -> dict[str, Any]:
    """Prepares a set of 24 and 8 images; returns the options that read it."""
    shutil.rmtree(folder / "kept_set", ignore_errors=True)
    rows = examples(pictures, LABELS)
    prepare("kept_set", folder, image_features((6, 6, 3)), train=rows, test=rows[:8])
    return {"name": "kept_set", "data_dir": str(folder)}


def assert_same(found: Dataset, expected: Dataset) -> None:
    for ours, theirs in zip(found.splits.values(), expected.splits.values(), strict=True):
        np.testing.assert_array_equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        assert ours.labels.dtype == np.int32 and ours.ids.dtype == np.uint32


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this user, and no set that is too small to be kept."""
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "own"))
    monkeypatch.setattr(decoded, "FEW_SECONDS", 0.0)
    return tmp_path / "own"


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of all images that are decoded."""
    found: list[int] = []
    original = Records.read

    def read(self: Records, indices: Any) -> Iterator[Any]:
        for index, example in zip(indices, original(self, indices), strict=True):
            found.append(index)
            yield example

    monkeypatch.setattr(Records, "read", read)
    return found


def test_a_set_is_decoded_once(tmp_path: Path, decodings: list[int]) -> None:
    options, said = make(tmp_path), []
    first = load_dataset(**options, progress=said.append)
    # The first image of each split is looked at before the others.
    assert len(decodings) == 24 + 8 + 2 and len(said) == 3
    files = sorted((tmp_path / "rethinking_jax" / "kept_set-1.0.0").iterdir())
    assert [file.name for file in files] == ["decoded-test-0.npz", "decoded-train-0.npz"]
    for file, line in zip(files, reversed(said[1:]), strict=True):
        assert f"kept in {file} (" in line
    decodings.clear()
    assert_same(load_dataset(**options), first)
    assert decodings == []
    smaller = load_dataset(**options, image_size=4)
    assert len(decodings) == 34 and smaller.image_shape == (4, 4, 3)


def test_a_part_decodes_no_more_than_it_needs(tmp_path: Path, decodings: list[int]) -> None:
    options = make(tmp_path)
    parts = {"train_examples": 5, "data_seed": 1, "validation_examples": 3}
    found = load_dataset(**options, **parts)
    # Five to train on, three for validation, the test set, and the first of each once more.
    assert len(decodings) == 5 + 3 + 8 + 3
    assert {name: len(split) for name, split in found.splits.items()} == {
        "train": 5, "test": 8, "validation": 3}  # fmt: skip
    whole = load_dataset(**options)
    decodings.clear()
    assert_same(load_dataset(**options, **parts), found)  # now out of the whole set
    assert decodings == [] and set(found.train.ids) < set(whole.train.ids)
    row = {int(example): k for k, example in enumerate(whole.train.ids)}
    for example, image in zip(found.train.ids, found.train.images, strict=True):
        np.testing.assert_array_equal(image, whole.train.images[row[int(example)]])


def test_what_is_kept_is_never_stale(
    tmp_path: Path, decodings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = make(tmp_path)
    load_dataset(**options)
    turned = [picture[::-1].copy() for picture in PICTURES]
    times = [(file, file.stat()) for file in tmp_path.glob("kept_set/1.0.0/*record*")]
    make(tmp_path, turned)  # as many images, of the same version
    for file, stat in times:
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    found = load_dataset(**options)
    expected = {picture.tobytes() for picture in turned}
    assert {image.tobytes() for image in found.train.images} == expected
    # Another library may decode to other pixels.
    monkeypatch.setattr(images, "describe", lambda: "another Pillow")
    decodings.clear()
    load_dataset(**options)
    assert len(decodings) == 34


def test_a_damaged_file_is_said_and_made_anew(tmp_path: Path) -> None:
    options, said = make(tmp_path), []
    expected = load_dataset(**options)
    file = tmp_path / "rethinking_jax" / "kept_set-1.0.0" / "decoded-train-0.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert_same(load_dataset(**options, progress=said.append), expected)
    assert len(said) == 3 and f"{file} is damaged (" in said[1] and "kept in" in said[2]
    assert_same(load_dataset(**options, progress=said.append), expected)
    assert len(said) == 4


def test_no_damage_is_taken_for_the_truth(tmp_path: Path) -> None:
    arrays = {"images": np.stack(PICTURES), "labels": np.arange(24)}
    file = Path(write_kept([tmp_path], "kept.npz", "x", arrays))
    content = file.read_bytes()
    damages = [content[:k] for k in (0, 100, len(content) // 2, len(content) - 1)]
    # Every byte of the header of an array, and a sample of the rest.
    start = content.index(b"images.npy")
    for k in [*range(start, start + 150), *range(0, len(content), 17)]:
        damages.append(content[:k] + bytes([content[k] ^ 1]) + content[k + 1 :])
    found_out = 0
    for damage in damages:
        file.write_bytes(damage)
        said: list[str] = []
        found = read_kept([tmp_path], "kept.npz", "x", tuple(arrays), said.append)
        found_out += found is None
        if found is not None:  # a flipped time in the archive harms nobody
            assert found.keys() == arrays.keys() and said == []
            for key, array in arrays.items():
                assert found[key].dtype == array.dtype
                np.testing.assert_array_equal(found[key], array)
    assert found_out > len(damages) * 0.8
    assert read_kept([tmp_path], "nothing.npz", "x", (), print) is None


WRITER = """
import sys
from pathlib import Path
import numpy as np
from rethinking_jax.data.kept import write_kept
for k in range(30):
    write_kept([Path(sys.argv[1])], "kept.npz", "x", {"a": np.full(50_000, int(sys.argv[2]) + k)})
"""


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), first], env=environment)
        for first in ("0", "1000")
    ]
    said: list[str] = []
    seen = set()
    while any(writer.poll() is None for writer in writers):
        found = read_kept([tmp_path], "kept.npz", "x", ("a",), said.append)
        if found:
            (value,) = np.unique(found["a"])  # one of them, whole
            seen.add(int(value) // 1000)
    assert [writer.returncode for writer in writers] == [0, 0] and said == []
    # Which of them is seen when, and who is last, is chance.
    assert seen <= {0, 1} and [file.name for file in tmp_path.iterdir()] == ["kept.npz"]
    found = read_kept([tmp_path], "kept.npz", "x", ("a",), said.append)
    assert found is not None and np.unique(found["a"]).tolist() in ([29], [1029]) and said == []


def test_data_where_nobody_may_write(tmp_path: Path, own_cache: Path) -> None:
    """It is kept in the folder of this user; a superuser keeps out of there, too."""
    options = make(tmp_path / "data")
    (tmp_path / "data").chmod(0o555)
    try:
        said: list[str] = []
        first = load_dataset(**options, progress=said.append)
        assert f"kept in {own_cache}/kept_set-1.0.0-" in said[1]
        assert_same(load_dataset(**options), first)
        assert len(list(own_cache.glob("*/decoded-*"))) == 2
        # Another set of that name and version, elsewhere, has a place of its own.
        other = make(tmp_path / "other", [255 - picture for picture in PICTURES])
        (tmp_path / "other").chmod(0o555)
        assert (load_dataset(**other).train.images == 255 - first.train.images).all()
        assert len(list(own_cache.glob("*/decoded-*"))) == 4
        shutil.rmtree(own_cache)
        own_cache.touch()
        said.clear()
        assert_same(load_dataset(**options, progress=said.append), first)
        assert len(said) == 3 and "is made anew each time, unless cache_dir names" in said[1]
        load_dataset(**options, cache_dir=str(tmp_path / "given"))
        assert len(list((tmp_path / "given" / "kept_set-1.0.0").iterdir())) == 2
    finally:
        for folder in (tmp_path / "data", tmp_path / "other"):
            folder.chmod(0o755)


def test_only_so_much_is_kept(tmp_path: Path) -> None:
    """What was not used for longest goes, and what a killed process has left."""
    pixels = np.zeros(1000, np.uint8)
    for k, name in enumerate("abc"):
        path = write_kept([tmp_path / name], "decoded.npz", name, {"images": pixels})
        os.utime(path, (k, k))
    half = tmp_path / "a" / ".decoded.npz.host-1.tmp"
    half.touch()
    os.utime(half, (0, 0))
    assert read_kept([tmp_path / "a"], "decoded.npz", "a", (), print) is not None
    new = write_kept([tmp_path / "d"], "decoded.npz", "d", {"images": pixels})
    make_room(tmp_path, "*/decoded.npz", 3 * new.stat().st_size, new)
    assert sorted(file.parent.name for file in tmp_path.glob("*/*")) == ["a", "c", "d"]
    assert not half.exists()


def test_an_index_is_of_the_very_records(tmp_path: Path) -> None:
    """Other labels take as many bytes: only the content of the records tells."""
    options = {**make(tmp_path), "kind": "stream"}
    first = open_streamed(**options)
    rows = examples(PICTURES, [1 - label for label in LABELS])
    shutil.rmtree(tmp_path / "kept_set")
    prepare("kept_set", tmp_path, image_features((6, 6, 3)), train=rows, test=rows[:8])
    found = open_streamed(**options)
    assert found.train.reader.records == first.train.reader.records
    np.testing.assert_array_equal(found.train.labels, 1 - first.train.labels)
