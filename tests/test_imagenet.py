"""ImageNet from its archives to a report, through the commands: small images, the real shape."""

import functools
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command, read_metrics, read_summary
from imagenet_fixture import has_tensorflow, photograph, write_tar

from rethinking_jax.corruption import random_labels
from rethinking_jax.data.load import open_streamed
from rethinking_jax.step.train import epoch_order

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_tensorflow(), reason="TensorFlow, which prepares imagenet2012, is not installed"
    ),
    pytest.mark.usefixtures("no_report"),  # the commands in processes of their own write theirs
]
PER_CLASS, VALIDATION, PHOTOGRAPHS = 2, 200, 60


def synsets() -> list[str]:
    """All 1,000, in the order of their labels."""
    import tensorflow_datasets as tfds

    file = Path(tfds.__file__).parent / "datasets" / "imagenet2012" / "labels.txt"
    return file.read_text().split()


def inner_tar(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture(scope="module")
def whole_imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 + 200 JPEGs, prepared by the real tfds builder, and their cache at 32 x 32."""
    folder = tmp_path_factory.mktemp("imagenet_whole")
    photographs = [photograph(k) for k in range(PHOTOGRAPHS)]
    classes = {
        f"{synset}.tar": inner_tar(
            {f"{synset}_{10 * i + 26}.JPEG": photographs[(7 * k + i) % PHOTOGRAPHS]
             for i in range(PER_CLASS)}
        )
        for k, synset in enumerate(synsets())
    }  # fmt: skip
    (folder / "manual").mkdir()
    write_tar(folder / "manual" / "ILSVRC2012_img_train.tar", classes)
    validation = {
        f"ILSVRC2012_val_{i + 1:08d}.JPEG": photographs[i % PHOTOGRAPHS] for i in range(VALIDATION)
    }
    write_tar(folder / "manual" / "ILSVRC2012_img_val.tar", validation)
    words = [sys.executable, "-m", "rethinking_jax.prepare", "imagenet2012", "--cache=32",
             f"--data_dir={folder / 'data'}", f"--manual_dir={folder / 'manual'}"]  # fmt: skip
    done = subprocess.run(
        words, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "train 2,000, validation 200 examples" in done.stdout
    return folder / "data"


def smoke(whole_imagenet: Path, workdir: Path) -> tuple[str, ...]:
    return (
        "--config=configs/imagenet_random.py:smoke",
        f"--config.data_dir={whole_imagenet}",
        f"--workdir={workdir}",
        "--config.checkpoint_every_steps=7",
        "--config.train_eval_examples=400",
    )


@pytest.fixture(scope="module")
def reference(
    whole_imagenet: Path, command: Command, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two epochs of random labels, never interrupted."""
    workdir = tmp_path_factory.mktemp("smoke") / "reference"
    result = command(*smoke(whole_imagenet, workdir))
    assert result.returncode == 0, result.stderr
    assert "from the cache in" in result.stdout
    return workdir


def test_killed_in_mid_epoch_it_ends_as_if_never_interrupted(
    whole_imagenet: Path,
    reference: Path,
    command: Command,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    workdir = tmp_path / "run"
    words = [sys.executable, "-m", "rethinking_jax.main", *smoke(whole_imagenet, workdir)]
    process = subprocess.Popen(
        words, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    folder = workdir / "checkpoints" / "random_labels"
    end = time.monotonic() + 300
    while not {"49", "56", "63", "70"} & {path.name for path in folder.glob("*")}:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert len(read_metrics(workdir)) == 1  # the second epoch was under way
    result = command(*smoke(whole_imagenet, workdir))
    assert result.returncode == 0, result.stderr
    resumed = int(result.stdout.split("resuming from step ")[1].split()[0])
    assert 40 < resumed < 80
    assert read_metrics(workdir) == read_metrics(reference)
    assert read_summary(workdir) == read_summary(reference)


def test_the_report_holds_the_run_beside_table_2(reference: Path) -> None:
    (member,) = json.loads((reference / "summary.json").read_text())["members"]
    assert member["flipped_fraction"] == pytest.approx(0.999, abs=0.003)
    assert {"train_top5_accuracy", "best_test_top5_accuracy"} <= member.keys()
    lines = read_metrics(reference)
    # A sample in the first epoch, all of them at the end.
    assert [line.get("train_evaluated") for line in lines] == [400, None]
    table = (reference / "tables" / "table_2.md").read_text()
    assert "95.20" in table or "0.9520" in table
    assert "report.html" in {path.name for path in reference.iterdir()}


def test_labels_and_order_are_those_of_the_whole_set(whole_imagenet: Path, reference: Path) -> None:
    """Drawn inside the step, batch by batch, as corruption.py draws them for all ids at once."""
    dataset = open_streamed(
        "imagenet2012", data_dir=str(whole_imagenet), image_size=32, kind="cache", say=None
    )
    train = dataset.train
    expected = np.asarray(random_labels(0, train.ids, train.labels, 1000))
    with np.load(reference / "labels.npz") as stored:
        np.testing.assert_array_equal(stored["random_labels"], expected)
    rng = np.random.default_rng(0)
    order = rng.permutation(2000)
    parts = [
        np.asarray(random_labels(0, train.ids[p], train.labels[p], 1000))
        for p in order.reshape(-1, 50)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), expected[order])
    # Every example once an epoch, another order in each.
    orders = [np.asarray(epoch_order(0, epoch, 2000)) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(2000)) for order in orders)
    assert (orders[0] != orders[1]).any()


@functools.cache
def losses(workdir: Path) -> list[tuple[float, ...]]:
    keys = ("running_loss", "train_loss", "test_loss", "train_accuracy", "test_accuracy")
    return [tuple(line[key] for key in keys) for line in read_metrics(workdir)]


def test_stream_and_cache_and_memory_train_the_same(
    whole_imagenet: Path, answer: Command, tmp_path: Path
) -> None:
    """An MLP with augmentation: the first two to the bit, memory within rounding."""
    common = (
        "--config=configs/imagenet_random.py:smoke",
        "--config.model=mlp_1x512",
        "--config.train_examples=300",
        "--config.augmentation=crop+flip",
        "--config.crop_size=28",
        f"--config.data_dir={whole_imagenet}",
    )
    changes = {
        "cache": ("--config.input=cache",),
        "stream": ("--config.input=stream", f"--config.cache_dir={tmp_path}/none"),
        "memory": ("--config.input=memory",),
    }
    digests = set()
    for name, own in changes.items():
        result = answer(*common, *own, f"--workdir={tmp_path / name}")
        assert result.returncode == 0, result.stderr
        assert {"cache": "from the cache", "stream": "streaming", "memory": "reading"}[
            name
        ] in result.stdout
        digests.add(read_summary(tmp_path / name)["members"][0]["labels_sha256"])
    assert len(digests) == 1
    assert losses(tmp_path / "stream") == losses(tmp_path / "cache")
    np.testing.assert_allclose(losses(tmp_path / "memory"), losses(tmp_path / "cache"), rtol=1e-4)
