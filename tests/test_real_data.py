"""CIFAR-10 itself, where it is prepared: `RETHINKING_JAX_TEST_TFDS` names a folder that has it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import needs_real, read_summary

import rethinking_jax as rj
from rethinking_jax.config import sweep
from rethinking_jax.corruption import random_labels
from rethinking_jax.data import load_dataset, open_streamed

pytestmark = needs_real("cifar10")

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# Of the 50,000 training images, on the scale 0 to 255.
MEAN, STD = (125.307, 122.950, 113.865), (62.993, 62.089, 66.705)


def test_labels_and_ids(real_data: dict[str, str]) -> None:
    data = open_streamed("cifar10", **real_data, kind="stream")
    assert data.class_names == CLASSES and data.image_shape == (32, 32, 3)
    assert np.bincount(data.train.labels).tolist() == [5000] * 10
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    # The ids are the places in the original files, which do not depend on the order here.
    for split in (data.train, data.test):
        assert sorted(split.ids.tolist()) == list(range(len(split)))
    by_id = np.argsort(data.train.ids)[:10]
    assert data.train.labels[by_id].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    drawn = np.asarray(random_labels(0, data.train.ids, data.train.labels, 10))
    assert (drawn != data.train.labels).mean() == pytest.approx(0.9, abs=4 * 0.3 / 50_000**0.5)
    assert np.bincount(drawn).tolist() == pytest.approx([5000] * 10, abs=4 * 4500**0.5)


@pytest.mark.usefixtures("one_device")
def test_an_mlp_learns_what_is_true_and_nothing_of_random_labels(
    real_data: dict[str, str], tmp_path: Path
) -> None:
    """Three epochs on 2,000 of the images, cropped and standardized as in the paper."""
    config = rj.base_config()
    config.update(
        {**real_data, "dataset": "cifar10", "train_examples": 2000, "epochs": 3, "model": "mlp",
         "hidden_sizes": (64,), "sweep": sweep("corruption", ["true_labels", "random_labels"])}
    )  # fmt: skip
    rj.run(config, str(tmp_path / "run"), report=False)
    true, random = read_summary(tmp_path / "run")["members"]
    # Chance is 0.1, with a standard deviation of 0.003 over 10,000 test images.
    assert true["test_accuracy"] > 0.25 and true["flipped_fraction"] == 0
    assert abs(random["test_accuracy"] - 0.1) < 0.03
    assert abs(random["flipped_fraction"] - 0.9) < 0.03


@pytest.mark.slow
def test_all_of_its_pixels(real_data: dict[str, str]) -> None:
    options: dict[str, Any] = {"name": "cifar10", **real_data}
    for data in (load_dataset(**options), load_dataset(**options)):  # the second out of a file
        pixels = data.train.images.reshape(-1, 3)
        assert pixels.mean(0, np.float64) == pytest.approx(MEAN, abs=1e-3)
        assert pixels.std(0, dtype=np.float64) == pytest.approx(STD, abs=1e-3)
    few = load_dataset(**options, train_examples=1000).train
    rows = {int(example): k for k, example in enumerate(data.train.ids)}
    chosen = [rows[int(example)] for example in few.ids]
    np.testing.assert_array_equal(few.images, data.train.images[chosen])
