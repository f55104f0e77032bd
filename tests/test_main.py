"""The real command: what it refuses, and how it says so."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command, needs_real, read_metrics
from PIL import Image

ONE_RUN = "--config.sweep="
SMALL = (ONE_RUN, "--config.train_examples=300", "--config.epochs=2")


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line on stderr that has all the words."""
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config=configs/quikstart.py"], ["configs/quikstart.py", "did you mean 'quickstart'"]),
        (["--config.epohs=3"], ["--config.epohs", "did you mean 'epochs'"]),
        (["--config.epochs=abc"], ["--config.epochs=abc", "type int"]),
        (["--config.epochs=1.5"], ["--config.epochs=1.5", "type int"]),
        (["--config.learning_rate=fast"], ["--config.learning_rate=fast", "type float"]),
        (["--config.stop_when_fitted=7"], ["--config.stop_when_fitted=7", "type bool"]),
        (["--config.learning_rate=-0.1", ONE_RUN], ["learning_rate=-0.1", "above 0"]),
        (["--config.epochs=0"], ["epochs=0", "at least 1"]),
        (["--config.batch_size=-1"], ["batch_size=-1", "at least 1"]),
        (["--config.batch_size=4001"], ["batch_size=4001", "4000 training examples"]),
        (["--config.train_examples=4001"], ["train_examples=4001", "4,000"]),
        (["--config.label_noise=1.5"], ["label_noise=1.5", "from 0 to 1"]),
        ([ONE_RUN, "--config.corruption=rando_labels"], ["'rando_labels'", "'random_labels'"]),
        (["--config.corruption=gaussian"], ["corruption=gaussian", "no effect", "sweep"]),
        (["--config.model=mlp_1x51"], ["'mlp_1x51'", "'mlp_1x512'"]),
        (["--config.dataset=fashon_mnist"], ["'fashon_mnist'", "'fashion_mnist'"]),
        (["--config.dataset=no/such/file.npz"], ["no/such/file.npz"]),
        (["--workdir=/dev/null/run"], ["--workdir=/dev/null/run", "written to"]),
        (["--wrkdir=x"], ["wrkdir", "Did you mean: workdir"]),
        (["quickstart"], ["'quickstart'", "only flags"]),
        (["--config=configs/cifar10_random.py:modl=3"], ["modl=3", "did you mean 'model'"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], words: list[str], answer: Command, tmp_path: Path
) -> None:
    where = [] if any("workdir" in a for a in arguments) else [f"--workdir={tmp_path / 'run'}"]
    refused(answer(*arguments, *where, cwd=tmp_path), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_process_ends_with_one_line_and_code_2(command: Command, tmp_path: Path) -> None:
    """What the tests above and below see without a process of its own."""
    refused(command("--config.epohs=3", cwd=tmp_path), "did you mean 'epochs'")
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_cannot_be_had_fails_within_five_seconds(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    """Offline by a proxy that is not there; measured against a command that is refused at once."""
    offline = environment | {
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    times = [time.monotonic()]
    refused(command("--config.epohs=3", env=offline))
    times.append(time.monotonic())
    result = command("--config.dataset=cifar10", f"--config.data_dir={tmp_path}", env=offline)
    times.append(time.monotonic())
    refused(result, "'cifar10'", "network", "cifar-10-binary.tar.gz", "manual_dir")
    # The tests beside this one take their share of the cores.
    start, seconds = times[1] - times[0], times[2] - times[1]
    assert seconds < 5 + 5 * start


def test_labels_outside_the_classes_and_unreadable_images(answer: Command, tmp_path: Path) -> None:
    images = np.zeros((12, 4, 4), np.uint8)
    labels = np.arange(12) % 3
    file = tmp_path / "mine.npz"
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels + 1)
    workdir = f"--workdir={tmp_path / 'run'}"
    refused(answer(*SMALL, f"--config.dataset={file}", workdir), "label", "3", "0..2")
    folder = tmp_path / "folder"
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            Image.fromarray(images[0]).save(folder / name / f"{i}.png")
    (folder / "dogs" / "3.png").write_bytes(b"\x89PNG not really")
    refused(answer(*SMALL, f"--config.dataset={folder}", workdir), "dogs/3.png")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_images_and_an_npz_give_the_same_run(answer: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 6, 5, 3)).astype(np.uint8)
    labels = np.repeat([0, 1, 2], 20)
    folder = tmp_path / "folder"
    for split, part in (("train", slice(0, None, 2)), ("test", slice(1, None, 2))):
        for i, (image, label) in enumerate(zip(images[part], labels[part], strict=True)):
            place = folder / split / f"class{label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{i:03}.png")
    file = tmp_path / "mine.npz"
    np.savez(file, x_train=images[::2], y_train=labels[::2], x_test=images[1::2],
             y_test=labels[1::2])  # fmt: skip
    made = []
    for dataset in (folder, file):
        workdir = tmp_path / f"run{len(made)}"
        result = answer(
            ONE_RUN, "--config.epochs=3", "--config.stop_when_fitted=False",
            "--config.batch_size=7", "--config.last_batch=drop", f"--config.dataset={dataset}",
            f"--workdir={workdir}",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        assert "drops the last 2 of 30" in result.stdout
        made.append(read_metrics(workdir))
    assert made[0] == made[1]
    # 30 examples, batches of 7: the last two of an epoch are dropped, as the config says.
    assert made[0][-1]["step"] == 3 * 4


def test_the_smaller_last_batch_is_trained_by_default(answer: Command, tmp_path: Path) -> None:
    result = answer(*SMALL, f"--workdir={tmp_path / 'run'}", "--config.corruption=random_labels",
                     "--config.label_noise=1.0", "--config.corrupt_test_labels=True")  # fmt: skip
    assert result.returncode == 0, result.stderr
    last = read_metrics(tmp_path / "run")[-1]
    assert last["step"] == 2 * 3  # 300 = 128 + 128 + 44
    assert {"test_accuracy", "test_accuracy_true_labels", "train_accuracy_true_labels",
            "train_accuracy_on_corrupted", "train_accuracy_on_clean"} <= set(last)  # fmt: skip


def test_a_loss_that_stops_being_a_number(answer: Command, tmp_path: Path) -> None:
    """Weights grow by half at each step until float32 ends, in some epoch after the first."""
    workdir = tmp_path / "run"
    arguments = (
        *SMALL[:2], "--config.epochs=200", "--config.weight_decay=250.0", "--config.momentum=0",
        "--config.lr_decay=1", "--config.learning_rate=0.01", f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    lines = read_metrics(workdir)
    epoch = lines[-1]["epoch"]
    assert 1 < epoch < 200
    assert lines[-1]["train_loss"] is None
    assert all(line["train_loss"] is not None for line in lines[:-1])
    good = workdir / "checkpoints" / "true_labels" / str(3 * (epoch - 1))
    for word in (f"epoch {epoch}", "learning rate 0.01", str(good), "--config.learning_rate=0.001"):
        assert word in result.stderr
    assert good.is_dir()
    again = answer(*arguments)  # it would only happen again
    assert (again.returncode, again.stderr) == (1, result.stderr)
    assert read_metrics(workdir) == lines


def test_a_diverging_member_does_not_harm_its_neighbours(answer: Command, tmp_path: Path) -> None:
    sweep = '[{"weight_decay": 0.0}, {"weight_decay": 1e9}, {"weight_decay": 0.1}]'
    common = (SMALL[1], "--config.epochs=6", "--config.learning_rate=0.1")
    result = answer(*common, f"--config.sweep={sweep}", "--config.vectorize=vmap",
                     f"--workdir={tmp_path / 'all'}")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "weight_decay=1000000000.0: the loss stopped being a number" in result.stdout
    lines = read_metrics(tmp_path / "all")
    for decay in ("0.0", "0.1"):
        alone = tmp_path / decay
        assert answer(*common, ONE_RUN, f"--config.weight_decay={decay}",
                       f"--workdir={alone}").returncode == 0  # fmt: skip
        own = [line for line in lines if line["member"] == f"weight_decay={decay}"]
        expected = read_metrics(alone)
        assert len(own) == len(expected)
        for a, b in zip(own, expected, strict=True):
            assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-3, abs=1e-5)


def test_the_default_workdir_is_named_by_the_config(answer: Command, tmp_path: Path) -> None:
    for _ in range(2):
        assert answer(*SMALL, cwd=tmp_path).returncode == 0
    assert answer(*SMALL, "--config.seed=1", cwd=tmp_path).returncode == 0
    names = [path.name for path in (tmp_path / "runs").iterdir()]
    assert len(names) == 2
    assert all(name.startswith("quickstart-") and len(name) == 19 for name in names)


def test_jax_flags_and_flags_with_a_space_work(command: Command, tmp_path: Path) -> None:
    result = command("--config", "configs/quickstart.py", "--config.sweep", "", *SMALL[1:],
                     "--jax_debug_nans", "--workdir", str(tmp_path / "run"))  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_base_install_never_imports_tensorflow(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import sys; from rethinking_jax import config, experiment; c = config.base_config();"
        "c.epochs = 1; c.train_examples = 200;"
        f"experiment.run(c, {str(tmp_path)!r});"
        "sys.exit('tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], env=environment, check=False, text=True,
                            capture_output=True, timeout=300)  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_tensorboard_without_tensorflow_is_one_line(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None; sys.argv[0] = 'main';"
        "from rethinking_jax import main; main.run()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "--config.tensorboard=True", f"--workdir={tmp_path / 'x'}"],
        env=environment, cwd=REPOSITORY, check=False, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    refused(result, "tensorboard=True", "[tensorflow]")
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_tensorboard_gets_every_metric(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("tensorflow", exc_type=ImportError)
    workdir = tmp_path / "run"
    assert command(*SMALL, "--config.tensorboard=True", f"--workdir={workdir}").returncode == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(workdir / "tensorboard" / "true_labels"))
    events.Reload()
    lines = read_metrics(workdir)
    for key in ("train_loss", "train_accuracy", "test_accuracy", "running_loss", "learning_rate"):
        written = [(event.step, tensor_util.make_ndarray(event.tensor_proto).item())
                   for event in events.Tensors(key)]  # fmt: skip
        assert written == [(line["step"], pytest.approx(line[key])) for line in lines]


@pytest.mark.slow
@needs_real("fashion_mnist")
def test_half_corrupted_fashion_mnist_reports_both_parts(
    command: Command, real_data: dict[str, str], tmp_path: Path
) -> None:
    """All 60,000 real images: 0.5 x 9/10 of the labels are really flipped."""
    workdir = tmp_path / "run"
    result = command(
        "--config=configs/fashion_mnist_random.py:partially_corrupted_labels,model=mlp_1x512",
        *(f"--config.{key}={value}" for key, value in real_data.items()), "--config.epochs=2",
        "--config.learning_rate=0.01", f"--workdir={workdir}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    (member,) = summary["members"]
    assert abs(member["flipped_fraction"] - 0.45) < 0.01
    assert (summary["train_examples"], summary["test_examples"]) == (60_000, 10_000)
    assert member["labels_sha256"] in result.stdout
    # Two epochs learn what is true and memorize little of what is not.
    assert member["train_accuracy_on_clean"] > 0.75
    assert member["train_accuracy_on_corrupted"] < 0.2
    assert member["test_accuracy"] > 0.75
