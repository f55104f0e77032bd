"""The benchmark of the ImageNet networks, in a small form on a CPU."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from helpers.benchmarks import bench

from rethinking_jax.bench import imagenet
from rethinking_jax.bench.timing import Contestant
from rethinking_jax.data.batches import read_batches
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.models import create_model
from rethinking_jax.step import flops

SETTINGS = imagenet.Settings("alexnet_small", 32, "float32", (8, 16, 32), 2, 1, 20, 2)


def quiet(line: str) -> None:
    pass


def test_defaults_are_the_sizes_that_the_networks_are_made_for() -> None:
    found = {
        model: imagenet.resolve(model, None, "bfloat16", None, None, 3, 64, 2)
        for model in ("inception_v3", "resnet_50")
    }
    assert {model: own.image_size for model, own in found.items()} == {
        "inception_v3": 299,
        "resnet_50": 224,
    }
    # On a CPU, for each of eight devices.
    assert found["resnet_50"].batch_sizes == (32, 64)
    with pytest.raises(UserError, match="--batch_sizes=8,12: 8 devices"):
        imagenet.resolve("resnet_50", None, "bfloat16", (8, 12), None, 3, 64, 2)


def test_the_cache_is_read_by_the_reader_of_runs_again_and_again(tmp_path: Path) -> None:
    dataset = imagenet._dataset(SETTINGS, tmp_path / "cache")
    assert dataset.streamed and len(dataset.train) == 1_281_167
    positions = np.array([[0, 19, 20, 1_281_166]])
    (batch,) = read_batches(dataset.train, positions, threads=2, workers=0)
    stored = np.fromfile(next((tmp_path / "cache").glob("*.u8")), np.uint8)
    stored = stored.reshape(20, 32, 32, 3)
    np.testing.assert_array_equal(batch.images, stored[[0, 19, 0, 1_281_166 % 20]])
    assert 120 < stored.mean() < 135 and stored.std() > 70  # noise of all values


def fails_at(size: int, error: Exception) -> Any:
    """In place of a measurement: a rising speed, and an error from a batch size on."""

    def measure(trial: Any, *_: Any) -> dict[str, Any]:
        own = trial.chunk.config.batch_size
        if own >= size:
            raise error
        return {"batch_size": own, "images_per_second": [float(own)]}

    return measure


NO_MEMORY = jax.errors.JaxRuntimeError(
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 123 bytes.\nmore of it"
)


@pytest.mark.parametrize("error", [NO_MEMORY, MemoryError("Unable to allocate 9 GiB")])
def test_a_batch_that_does_not_fit_is_noted_and_ends_the_list(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(imagenet, "_measure", fails_at(16, error))
    monkeypatch.setattr(imagenet, "_feed", lambda chunk, settings: {})
    dataset = imagenet._dataset(SETTINGS, tmp_path / "cache")
    peak = Contestant("matmul peak", lambda: None, quiet, 1)
    sizes, best = imagenet._sizes(SETTINGS, dataset, 1, peak, quiet)
    assert [size["batch_size"] for size in sizes] == [8, 16]
    assert sizes[1]["out_of_memory"] == str(error).split("\n")[0]
    assert best.chunk.config.batch_size == 8


def test_no_batch_that_fits_and_other_errors_are_told_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = imagenet._dataset(SETTINGS, tmp_path / "cache")
    peak = Contestant("matmul peak", lambda: None, quiet, 1)
    monkeypatch.setattr(imagenet, "_measure", fails_at(0, NO_MEMORY))
    with pytest.raises(RunFailed, match="batches of 8 do not fit into memory: RESOURCE"):
        imagenet._sizes(SETTINGS, dataset, 1, peak, quiet)
    monkeypatch.setattr(
        imagenet, "_measure", fails_at(0, jax.errors.JaxRuntimeError("INTERNAL: cuDNN"))
    )
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        imagenet._sizes(SETTINGS, dataset, 1, peak, quiet)


@pytest.mark.slow
def test_the_command_gives_figures_that_follow_from_its_times(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ["--models=alexnet_small", "--image_size=32", "--batch_sizes=4,8", "--steps=3"]
    more = ["--repeats=2", "--images=30", "--threads=2", "--output=b.json"]
    result = bench(environment, "imagenet", *options, *more, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    assert record["settings"]["dtype"] == "bfloat16" and record["settings"]["devices"] == 1
    macs = flops.layer_macs(create_model("alexnet_small", num_classes=1000), (32, 32, 3))
    assert record["forward_macs"] == sum(macs)
    assert record["flops_per_image"] == 2 * (3 * sum(macs) - macs[0])
    assert [size["batch_size"] for size in record["sizes"]] == [4, 8]
    for size in record["sizes"]:
        for k, seconds in enumerate(size["seconds"]):
            speed = 3 * size["batch_size"] / seconds
            assert size["images_per_second"][k] == pytest.approx(speed)
            share = speed * record["flops_per_image"] / size["peak_flops"][k]
            assert size["peak_share"][k] == pytest.approx(share) and 0 < share < 1
        assert len(size["seconds"]) == len(size["fed"]["waiting_for_input"]) == 2
        assert all(0 <= share < 1 for share in size["fed"]["waiting_for_input"])
        assert size["compile_seconds"] > 0.1
        # Weights, their gradients' momentum and the new ones are on the device at once.
        assert size["memory_bytes"] > 3 * 4 * 1_500_000
        assert 0.5 < size["xla_flops_per_image"] / record["flops_per_image"] < 2
    best = max(record["sizes"], key=lambda size: sum(size["images_per_second"]))
    assert record["best_batch_size"] == best["batch_size"]
    found = record["operations"]
    assert len(found) == 5 and found[0]["seconds"] > 0
    shares = [each["share"] for each in found]
    assert shares == sorted(shares, reverse=True) and 0.1 < sum(shares) <= 1
    # Which take longest differs from run to run; what is known of them is of the train step.
    assert any(each["source"].startswith("jit(mapped)/") for each in found)
    assert str(tmp_path) not in (tmp_path / "b.json").read_text()


@pytest.mark.slow
def test_steps_fed_from_the_cache_are_those_of_a_run(tmp_path: Path) -> None:
    """No further compilation, and a share of the time as a run writes it down."""
    from rethinking_jax.bench.timing import compile_seconds

    dataset = imagenet._dataset(SETTINGS, tmp_path / "cache")
    trial = imagenet._trial(SETTINGS, dataset, 8)
    peak = Contestant("matmul peak", lambda: None, quiet, 1)
    found = imagenet._measure(trial, SETTINGS, 1, peak, quiet)
    assert trial.program.train_batch._cache_size() == 1  # type: ignore[attr-defined]
    with compile_seconds() as compiled:
        fed = imagenet._feed(trial, SETTINGS)
        # The order of an epoch alone is compiled anew, not the step.
        assert compiled() < found["compile_seconds"]
    assert trial.program.train_batch._cache_size() == 1  # type: ignore[attr-defined]
    (speed,) = fed["images_per_second"]
    assert fed["bytes_per_second"] == pytest.approx(speed * 32 * 32 * 3)
