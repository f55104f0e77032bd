"""Several runs as one program: what a group may share, and what it must not change."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import Command, read_metrics, read_summary
from hypothesis import given
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.config import Member, members, product, runs
from rethinking_jax.config import sweep as values_of
from rethinking_jax.corruption import SETTINGS
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.sweep import groups, resident
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.mesh import slots

pytestmark = pytest.mark.usefixtures("no_report")
SEEDS = '[{"seed": 0}, {"seed": 1}, {"seed": 2, "learning_rate": 0.02}]'
ARGUMENTS = (
    "--config=configs/quickstart.py",
    f"--config.sweep={SEEDS}",
    "--config.corruption=random_labels",
    "--config.train_examples=400",
    "--config.batch_size=50",
    "--config.learning_rate=0.05",
    "--config.checkpoint_every=5",
)


@pytest.fixture(scope="module")
def vmapped(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("sweep") / "vmapped"
    result = answer(*ARGUMENTS, "--config.vectorize=vmap", f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return workdir


@pytest.mark.parametrize("devices", [1, 8])
def test_a_group_ends_as_its_runs_alone(
    devices: int, vmapped: Path, answer: Command, tmp_path: Path
) -> None:
    """One after another on one device; each on a device of its own (8, of which 3 are used)."""
    looped = tmp_path / "looped"
    words = ("--config.vectorize=loop", f"--workdir={looped}")
    result = answer(*ARGUMENTS, *words, devices=devices)
    assert result.returncode == 0, result.stderr
    chunks = json.loads((looped / "chunks.json").read_text())
    assert len(chunks) == (3 if devices == 1 else 1)
    together, alone = read_summary(vmapped)["members"], read_summary(looped)["members"]
    for a, b in zip(together, alone, strict=True):
        for key in ("name", "labels_sha256", "flipped_fraction", "parameters"):
            assert a[key] == b[key]
        assert a["train_accuracy"] == b["train_accuracy"] == 1.0
        # Rounding differs and grows; by the time of the fit it may cost two epochs.
        assert abs(a["epochs_to_fit"] - b["epochs_to_fit"]) <= 2
    first = [
        {line["member"]: line for line in read_metrics(folder) if line["epoch"] == 1}
        for folder in (vmapped, looped)
    ]
    assert first[0].keys() == first[1].keys()
    for name in first[0]:
        for key in ("running_loss", "train_loss", "test_loss"):
            assert first[0][name][key] == pytest.approx(first[1][name][key], rel=1e-4)


def test_added_runs_are_all_that_is_trained(vmapped: Path, answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    shutil.copytree(vmapped, workdir)
    before = (workdir / "metrics.jsonl").read_text()
    more = json.dumps([*json.loads(SEEDS), {"seed": 3}, {"seed": 4}])
    added = (*ARGUMENTS, f"--config.sweep={more}", "--config.vectorize=vmap")
    result = answer(*added, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert (workdir / "metrics.jsonl").read_text().startswith(before)
    old, new = read_summary(vmapped)["members"], read_summary(workdir)["members"]
    assert new[:3] == old
    assert [member["name"] for member in new[3:]] == ["seed=3", "seed=4"]
    assert all(member["train_accuracy"] == 1.0 for member in new)
    assert len({member["labels_sha256"] for member in new}) == 5
    with np.load(workdir / "labels.npz") as labels:
        assert len(labels.files) == 6 and len(labels["ids"]) == len(labels["seed=3"])
    # And the runs that were there cannot be taken away.
    result = answer(*ARGUMENTS, "--config.vectorize=vmap", f"--workdir={workdir}")
    assert result.returncode == 2
    assert "sweep" in result.stderr


def test_members_leave_the_group_when_they_have_fitted(vmapped: Path) -> None:
    lines = read_metrics(vmapped)
    epochs = {m["name"]: m["epochs"] for m in read_summary(vmapped)["members"]}
    assert len(set(epochs.values())) > 1
    for name, last in epochs.items():
        own = [line for line in lines if line["member"] == name]
        assert [line["epoch"] for line in own] == list(range(1, last + 1))
        assert all(line["train_accuracy"] < 1 for line in own[:-1])
    # By epoch, then in the order of the config.
    order = [(line["epoch"], list(epochs).index(line["member"])) for line in lines]
    assert order == sorted(order)


def test_a_group_that_lost_members_resumes_exactly(
    vmapped: Path, answer: Command, tmp_path: Path
) -> None:
    """As a kill leaves it: the last checkpoint is gone, the one before has a member less."""
    workdir = tmp_path / "run"
    shutil.copytree(vmapped, workdir)
    (workdir / "summary.json").unlink()
    (folder,) = (workdir / "checkpoints").iterdir()
    steps = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    shutil.rmtree(folder / str(steps[-1]))
    ends = [m["steps"] for m in read_summary(vmapped)["members"]]
    assert min(ends) <= steps[-2] < max(ends)
    result = answer(*ARGUMENTS, "--config.vectorize=vmap", f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert f"resuming from step {steps[-2]}" in result.stdout
    assert read_metrics(workdir) == read_metrics(vmapped)
    assert read_summary(workdir) == read_summary(vmapped)


def chunks_of(
    config: ConfigDict, backend: str, data_dir: Path, stored: list[list[str]] | None = None
) -> list[Chunk]:
    config.data_dir = str(data_dir)
    made: list[Member] = members(config)
    datasets = load_datasets(made, lambda text: None)
    devices = jax.devices()[:1]
    return groups.make_chunks(made, datasets, backend, devices, stored or (), lambda text: None)


def base() -> ConfigDict:
    config = configs.base_config()
    config.train_examples = 256
    return config


def test_runs_are_grouped_by_what_is_static_and_by_their_images(data_dir: Path) -> None:
    config = base()
    config.sweep = runs(product(values_of("corruption", SETTINGS), values_of("seed", [0, 1])))
    grouped = chunks_of(config, "gpu", data_dir)
    names = [[run.name for run in chunk.runs] for chunk in grouped]
    # Label settings of all seeds share one copy of the images; corrupted pixels are one's own.
    assert [len(part) for part in names] == [6, 1, 1, 1, 1, 1, 1]
    assert len({id(chunk.engine) for chunk in grouped}) == 1
    assert len({chunk.name for chunk in grouped}) == 7
    assert [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)] == [1] * 12
    config.vectorize = "vmap"
    assert [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)] == [6] + [1] * 6


def test_runs_with_the_same_corrupted_pixels_share_them(data_dir: Path) -> None:
    config = base()
    config.corruption = "random_pixels"
    config.sweep = runs(
        [{"seed": 0}, {"seed": 1}, {"seed": 2, "corruption_seed": 0},
         {"seed": 3, "corruption_seed": 0}, {"seed": 3, "corruption_seed": 1}]
    )  # fmt: skip
    grouped = [
        [run.config.seed for run in chunk.runs] for chunk in chunks_of(config, "gpu", data_dir)
    ]
    assert grouped == [[0, 2, 3], [1, 3]]


def test_a_group_is_cut_where_memory_ends(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = base()
    config.vectorize = "vmap"
    config.sweep = runs(values_of("seed", range(10)))
    assert [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)] == [10]
    config.max_members = 4
    assert [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)] == [4, 4, 2]
    config.max_members = 0
    # Five states' worth and a bit: the state alone is parameters and momentum.
    state = 2 * 4 * (784 * 512 + 512 + 5130)
    monkeypatch.setattr(groups, "free_bytes", lambda device: 10 * state)
    (first, *_) = sizes = [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)]
    assert 1 <= first <= 5
    assert sum(sizes) == 10
    monkeypatch.setattr(groups, "free_bytes", lambda device: 1)  # one always goes
    assert [len(chunk.runs) for chunk in chunks_of(config, "cpu", data_dir)] == [1] * 10


def test_stored_chunks_stay_together(data_dir: Path) -> None:
    config = base()
    config.vectorize = "vmap"
    config.sweep = runs(values_of("seed", range(5)))
    made = chunks_of(config, "cpu", data_dir, [["seed=3", "seed=1"], ["seed=9"]])
    names = [[run.name for run in chunk.runs] for chunk in made]
    assert names == [["seed=0", "seed=2", "seed=4"], ["seed=3", "seed=1"]]


@given(st.integers(1, 8), st.integers(1, 100), st.data())
def test_slots_hold_the_active_members_first(
    devices: int, members: int, data: st.DataObject
) -> None:
    active = data.draw(st.lists(st.integers(0, members - 1), min_size=1, unique=True).map(sorted))
    used = slots(active, members, devices)
    assert list(used[: len(active)]) == active
    assert set(used) == set(active)
    assert len(used) % devices == 0
    assert len(used) < max(len(active) * 1.5, len(active) + 2 * devices)
    assert len(slots(range(members), members, devices)) < members + devices


def test_convolutions_take_single_steps_on_a_cpu_only(data_dir: Path) -> None:
    config = base()
    for model, backend, scan in (
        ("mlp_1x512", "cpu", True),
        ("alexnet_small", "cpu", False),
        ("alexnet_small", "gpu", True),
    ):
        config.model = model
        assert chunks_of(config, backend, data_dir)[0].engine.scan is scan
    config.epoch_loop = "step"
    assert chunks_of(config, "gpu", data_dir)[0].engine.scan is False


@pytest.mark.parametrize("setting", ["shuffled_pixels", "random_pixels", "gaussian"])
def test_corrupted_pixels_in_memory_are_those_of_corruption(
    setting: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rethinking_jax.corruption import corrupt

    monkeypatch.setattr(resident, "CORRUPTION_BATCH", 100)  # 256 are cut unevenly
    config = base()
    config.corruption, config.validation_examples = setting, 150
    (chunk,) = chunks_of(config, "cpu", data_dir)
    dataset = chunk.dataset
    splits = resident.examples(chunk, resident.images(chunk), [0])
    assert list(splits) == ["train", "test", "validation"]
    for split, made in splits.items():
        part = dataset.splits[split]
        # Where an example stands does not matter: one set aside is what it would be in training.
        drawn = "test" if split == "test" else "train"
        expected = corrupt(config, dataset).images(drawn, part.ids, part.images)
        rows = np.asarray(expected).reshape(len(part), -1)  # as they lie on the device
        np.testing.assert_allclose(np.asarray(made.images), rows, atol=1e-6)
        assert made.images.dtype == (np.float32 if setting == "gaussian" else np.uint8)
        assert (made.labels[0] == part.labels).all()
    assert isinstance(made.images, jax.Array)


def test_the_subset_keeps_ids_so_labels_do_not_change_with_its_size(data_dir: Path) -> None:
    config = base()
    config.corruption = "random_labels"
    drawn = []
    for n in (150, 300):
        config.train_examples = n
        (chunk,) = chunks_of(config, "cpu", data_dir)
        ids = np.asarray(chunk.dataset.train.ids)
        drawn.append(dict(zip(ids.tolist(), chunk.runs[0].train_labels.tolist(), strict=True)))
    assert drawn[0].items() <= drawn[1].items()


def test_config_json_says_what_was_run(vmapped: Path) -> None:
    config = json.loads((vmapped / "config.json").read_text())
    assert config["sweep"] == json.loads(SEEDS)
    assert config["corruption"] == "random_labels"
