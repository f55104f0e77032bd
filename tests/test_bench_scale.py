"""What the examples of ImageNet cost without their pixels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.benchmarks import bench
from helpers.commands import answer

from rethinking_jax.bench import scale
from rethinking_jax.bench.__main__ import main
from rethinking_jax.corruption import random_labels
from rethinking_jax.data.load import open_streamed
from rethinking_jax.workdir.arrays import read_arrays


def steps_of(found: dict[str, Any]) -> list[str]:
    assert found["peak_bytes"] >= found["start_bytes"] > 10**7
    for step in found["steps"]:
        assert len(step["seconds"]) == len(step["cpu_seconds"]) == 1
        assert min(step["seconds"]) > 0 and step["peak_bytes"] >= found["start_bytes"] - 10**7
    return [step["name"] for step in found["steps"]]


def test_the_steps_are_those_of_commands(tmp_path: Path) -> None:
    """What is written are an index that opens, and labels as a run of all examples has them."""
    settings = scale.Settings(scale.FEW, 64, 1)
    prepared = scale.measure("prepare", settings, tmp_path)
    assert steps_of(prepared) == ["ids and labels from the names of files", "index written"]
    opened = open_streamed("imagenet2012", data_dir=str(tmp_path / "many"), image_size=1)
    assert (len(opened.train), len(opened.test)) == (1000, scale.validation_examples(1000))
    np.testing.assert_array_equal(opened.train.labels, np.arange(1000))
    np.testing.assert_array_equal(opened.train.ids, np.arange(1000) * 2**22)
    assert opened.train.read(np.arange(3)).shape == (3, 1, 1, 3)

    trained = scale.measure("train", settings, tmp_path)
    names = steps_of(trained)
    assert len(names) == 7 and scale.RESUMED in names
    expected = random_labels(0, opened.train.ids, opened.train.labels, 1000)
    kept = read_arrays(tmp_path / "many" / "run 0" / "labels.npz")
    np.testing.assert_array_equal(kept["random_labels"], expected)


def test_a_batch_that_is_too_large_is_one_line(tmp_path: Path) -> None:
    result = answer(main, ["scale", "--examples=100", "--batch_size=101"], tmp_path)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert "--batch_size=101" in result.stderr and "100" in result.stderr


@pytest.mark.slow
def test_memory_is_of_ids_and_labels_alone(environment: dict[str, str], tmp_path: Path) -> None:
    options = ["--examples=50000", "--repeats=1", "--output=b.json"]
    result = bench(environment, "scale", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    assert record["settings"] == {"examples": 50_000, "batch_size": 256, "repeats": 1}
    assert [part["part"] for part in record["parts"]] == list(scale.COMMANDS)
    for part in record["parts"]:
        # Programs for another number of examples are compiled, which takes most of it.
        assert part["peak_bytes"] - part["start_bytes"] < 200e6
    assert str(tmp_path) not in json.dumps(record) and "ids and labels" in result.stdout
