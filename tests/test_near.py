"""How near a run stays to itself where it is computed in another width: to rounding."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import Command, read_metrics

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_report", "one_engine")]
RUN = (
    "--config.model=mlp",
    "--config.hidden_sizes=(32,)",
    "--config.train_examples=200",
    "--config.batch_size=20",
    "--config.epochs=12",
    "--config.checkpoints_to_keep=20",
    "--config.fit_threshold=0.9",
)
LOSSES = ("train_loss", "test_loss", "running_loss")
LONG = {"name": "long", "corruption": "random_labels", "learning_rate": 0.003}
SHORT = [{"name": f"short{i}", "seed": i, "learning_rate": 0.02} for i in range(5)]


def train(answer: Command, workdir: Path, runs: list[dict], *words: str, devices: int = 1) -> None:
    sweep = f"--config.sweep={json.dumps(runs)}"
    done = answer(*RUN, sweep, *words, f"--workdir={workdir}", devices=devices)
    assert done.returncode == 0, done.stderr


def farthest(one: list[dict], other: list[dict]) -> float:
    """The largest relative difference of two runs' losses; what is counted must be equal."""
    assert len(one) == len(other) == 12
    for a, b in zip(one, other, strict=True):
        assert [a[key] for key in ("epoch", "step")] == [b[key] for key in ("epoch", "step")]
        assert a["train_accuracy"] == pytest.approx(b["train_accuracy"], abs=0.011)
    pairs = [(a[key], b[key]) for a, b in zip(one, other, strict=True) for key in LOSSES]
    return max(abs(a - b) / a for a, b in pairs)


@pytest.fixture(scope="module")
def alone(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("near") / "alone"
    train(answer, workdir, [LONG], "--config.vectorize=vmap")
    return workdir


def test_a_run_that_five_of_six_leave_goes_on_as_if_they_had_never_been_there(
    alone: Path, answer: Command, tmp_path: Path
) -> None:
    train(answer, tmp_path / "six", [LONG, *SHORT], "--config.vectorize=vmap")
    lines = read_metrics(tmp_path / "six")
    last = {line["member"]: line["epoch"] for line in lines}
    assert max(last[short["name"]] for short in SHORT) < last["long"] == 12
    long = [line for line in lines if line["member"] == "long"]
    # 4e-7 was measured; the least that a float32 can differ by is 6e-8.
    assert farthest(long, read_metrics(alone)) < 3e-6


@pytest.mark.parametrize(("devices", "near"), [(1, 0.0), (4, 5e-5)])
def test_a_run_resumes_exactly_on_as_many_devices_and_nearly_on_others(
    devices: int, near: float, alone: Path, answer: Command, tmp_path: Path
) -> None:
    workdir = shutil.copytree(alone, tmp_path / "stopped")
    (workdir / "summary.json").unlink()
    for step in range(50, 121, 10):
        shutil.rmtree(workdir / "checkpoints" / "long" / str(step), ignore_errors=True)
    words = ["--config.vectorize=vmap", f"--config.data_devices={devices}"]
    train(answer, workdir, [LONG], *words, devices=devices)
    # 5e-6 was measured on four devices after 150 steps.
    assert farthest(read_metrics(workdir), read_metrics(alone)) <= near
