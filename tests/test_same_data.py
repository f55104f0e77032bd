"""Memory, stream and cache train the same: on the same pixels, moments and labels."""

import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from conftest import read_metrics, read_summary
from helpers.tfds_sets import examples, image_features, prepare
from ml_collections import ConfigDict

import rethinking_jax as rj
from rethinking_jax import config as configs
from rethinking_jax import prepare as prepare_command
from rethinking_jax.corruption import SETTINGS, corrupt
from rethinking_jax.data import Dataset, moments
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.step.preprocess import PREPROCESSINGS
from rethinking_jax.step.state import Examples, Hyper
from rethinking_jax.sweep.build import make_corruption, make_preprocess_of

WAYS = ("memory", "stream", "cache")
COUNT, SIDE = 90, 12
PART = {"train_examples": 40, "data_seed": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two prepared sets in colour and their caches; "held_out" has no test split."""
    folder = tmp_path_factory.mktemp("same")
    rng = np.random.default_rng(1)
    # Bright at the border, dark inside, another brightness in each: every crop and part differs.
    bright = np.pad(np.zeros((SIDE - 4, SIDE - 4)), 2, constant_values=90)
    pictures = [
        (bright[..., None] + rng.integers(0, 60 + k, (SIDE, SIDE, 3))).astype(np.uint8)
        for k in range(COUNT)
    ]
    rows = examples(pictures, [k % 2 for k in range(COUNT)])
    features = image_features((SIDE, SIDE, 3))
    for name, splits in (("parted", {"test": rows[:15]}), ("held_out", {})):
        prepare(name, folder, features, train=rows, **splits)
        words = [name, f"--data_dir={folder}", "--cache=0", "--workers=1"]
        assert prepare_command.main(words) == 0
    return folder


def config_of(place: Path, way: str, **changes: Any) -> ConfigDict:
    config = configs.base_config()
    if way == "stream":  # which would take the cache where it finds it
        changes["cache_dir"] = str(place / "streamed")
    config.update(
        {"dataset": "parted", "data_dir": str(place), "crop_size": 8, "input": way,
         "model": "mlp", "hidden_sizes": (4,), "batch_size": 15, "epochs": 2, **changes}
    )  # fmt: skip
    return config


def read(config: ConfigDict) -> Dataset:
    (dataset,) = load_datasets(configs.members(config), lambda line: None).values()
    return dataset


def given_in_memory(config: ConfigDict, dataset: Dataset, rows: np.ndarray) -> list[np.ndarray]:
    """What the network is given, of examples that were cropped and corrupted at the start."""
    train, drawn = dataset.train, corrupt(config, dataset)
    images = drawn.images("train", train.ids, train.images)
    labels = drawn.labels("train", train.ids, train.labels)
    return [np.asarray(make_preprocess_of(config, dataset)(images[rows])), np.asarray(labels)[rows]]


def given_of_batches(config: ConfigDict, dataset: Dataset, rows: np.ndarray) -> list[np.ndarray]:
    """The same of a batch that is corrupted inside the step."""
    train, p = dataset.train, corrupt(config, dataset).noise.p
    labels = jnp.asarray(train.labels[rows])
    stored = Examples(jnp.asarray(train.read(rows)), labels, labels, jnp.asarray(train.ids[rows]))
    seen = make_corruption(config, dataset)(Hyper(config.seed, 0, 0, 0, 0, p), "train", stored)
    images = make_preprocess_of(config, dataset)(seen.images)
    return [np.asarray(images), np.asarray(seen.labels)]


@pytest.fixture(scope="module")
def opened(place: Path) -> dict[str, Dataset]:
    """The same 40 examples in three ways, with their moments."""
    return {way: read(config_of(place, way, **PART, preprocess="dataset")) for way in WAYS}


@pytest.mark.parametrize("preprocess", PREPROCESSINGS)
@pytest.mark.parametrize("corruption", SETTINGS)
def test_the_network_is_given_the_same(
    corruption: str, preprocess: str, opened: dict[str, Dataset], place: Path
) -> None:
    """Of every setting and every preprocessing, to the bit."""
    changes = {**PART, "corruption": corruption, "preprocess": preprocess}
    rows = np.array([31, 2, 2, 17])
    found = []
    for way, dataset in opened.items():
        given = given_in_memory if way == "memory" else given_of_batches
        found.append(given(config_of(place, way, **changes), dataset, rows))
        assert found[-1][0].shape == (4, 8, 8, 3) and found[-1][0].dtype == np.float32
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crop_size": 0},
        {"crop_size": 5},
        {"train_examples": 30, "data_seed": 3},
        {"validation_examples": 20},
        {"train_examples": 30, "validation_examples": 20},
        {"dataset": "held_out"},
        {"dataset": "held_out", "train_examples": 20},
        {"augmentation": "crop"},  # which cuts out of the whole image
        {"image_size": 10, "crop_size": 4},
    ],
    ids=str,
)
def test_moments_are_of_all_cropped_training_images(changes: dict[str, Any], place: Path) -> None:
    """A stream has those of a set in memory, to the bit."""
    ways = [way for way in WAYS if way != "cache" or "image_size" not in changes]
    found = [read(config_of(place, way, preprocess="dataset", **changes)) for way in ways]
    memory = found[0]
    pixels = np.asarray(memory.train.images, np.float64).reshape(-1, 3) / 255
    np.testing.assert_allclose(memory.moments.mean, pixels.mean(0), rtol=1e-6)
    np.testing.assert_allclose(memory.moments.std, pixels.std(0), rtol=1e-6)
    for other in found[1:]:
        np.testing.assert_array_equal(other.train.ids, memory.train.ids)
        np.testing.assert_array_equal(other.moments.mean, memory.moments.mean)
        np.testing.assert_array_equal(other.moments.std, memory.moments.std)


def test_moments_are_measured_once_and_anew_where_anything_differs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "FEW_EXAMPLES", 50)
    passes: list[int] = []
    original = moments._sums

    def counted(name: str, split: Any, *rest: Any) -> np.ndarray:
        passes.append(len(split))
        return original(name, split, *rest)

    monkeypatch.setattr(moments, "_sums", counted)

    def measured(way: str = "stream", **changes: Any) -> list[int]:
        passes.clear()
        read(config_of(place, way, corruption="gaussian", **changes))
        return list(passes)

    assert measured(preprocess="paper") == [COUNT] and measured() == []
    assert measured(seed=3) == [] and measured(validation_examples=20) == [COUNT - 20]
    assert measured(crop_size=7) == [COUNT] and measured("cache") == [COUNT]
    assert measured("cache") == [] and measured(train_examples=40) == [40]
    assert measured(train_examples=40) == [40]  # so few are not worth a file
    for file in (place / "streamed" / "parted-1.0.0").glob("moments-*.npz"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    assert measured() == [COUNT] and measured() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"corruption": "gaussian", "preprocess": "dataset", "accumulate": 3,
         "validation_examples": 15},
        pytest.param({"corruption": "random_pixels", "preprocess": "dataset", "train_examples": 30,
                      "augmentation": "crop+flip"}, marks=pytest.mark.slow),
        pytest.param({"corruption": "random_labels", "preprocess": "raw", "dataset": "held_out",
                      "last_batch": "drop", "batch_size": 16}, marks=pytest.mark.slow),
    ],
    ids=lambda changes: changes["corruption"],
)  # fmt: skip
@pytest.mark.usefixtures("one_device")
def test_runs_end_with_the_same_numbers(
    changes: dict[str, Any], place: Path, tmp_path: Path
) -> None:
    """Stream and cache to the bit, memory within rounding."""
    lines, digests, means = [], set(), set()
    for way in WAYS:
        workdir = tmp_path / way
        rj.run(config_of(place, way, **changes), str(workdir), report=False)
        lines.append(read_metrics(workdir))
        digests.add(read_summary(workdir)["members"][0]["labels_sha256"])
        means.add(str(json.loads((workdir / "data.json").read_text())[0]["mean"]))
    assert len(digests) == 1 and lines[1] == lines[2]
    if changes["preprocess"] == "dataset":  # else a stream has none
        assert len(means) == 1
    for ours, theirs in zip(lines[0], lines[1], strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            wanted = pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
            assert theirs[key] == wanted, key
