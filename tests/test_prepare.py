"""The command that prepares: archives, records, index, cache; and what can go wrong."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY
from imagenet_fixture import Archives, has_tensorflow, write_tar

from rethinking_jax import prepare
from rethinking_jax.data import load_dataset
from rethinking_jax.data.cache import write as cache_write
from rethinking_jax.data.cache.read import read_manifest, unfinished
from rethinking_jax.data.load import open_streamed
from rethinking_jax.data.tfds import archives as imagenet_archives
from rethinking_jax.data.tfds import index
from rethinking_jax.data.tfds import prepare as tfds_prepare

TRAIN, VALIDATION = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
needs_tensorflow = pytest.mark.skipif(not has_tensorflow(), reason="TensorFlow is not installed")
Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: exit code, lines of stdout, stderr."""

    def call(*arguments: object) -> tuple[int, list[str], str]:
        capsys.readouterr()
        code = prepare.main([str(word) for word in arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return call


@pytest.fixture
def digits(data_dir: Path, tmp_path: Path) -> Path:
    """A data_dir of its own with the embedded digits."""
    load_dataset("mnist5k", data_dir=str(data_dir))
    shutil.copytree(data_dir / "mnist5k", tmp_path / "data" / "mnist5k")
    return tmp_path / "data"


def images_folder(data_dir: Path, size: int = 0) -> Path:
    return data_dir / "rethinking_jax" / "mnist5k-1.0.0" / f"images-{size}"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.u8"))}


# The way it should go ---------------------------------------------------------------


def test_records_index_and_cache_and_where_they_are(run: Run, digits: Path) -> None:
    code, lines, err = run("mnist5k", f"--data_dir={digits}", "--cache=14", "--workers=1")
    assert (code, err) == (0, "")
    text = "\n".join(lines)
    folder = images_folder(digits, 14)
    assert "train 4,000, test 1,000" in text and str(folder) in text
    assert "5,000 images of 14x14x1, 980.0 kB" in text and "free disk" in text
    assert lines[-1] == (
        "next: python -m rethinking_jax.main --config.dataset=mnist5k "
        f"--config.data_dir={digits} --config.image_size=14"
    )
    expected = load_dataset("mnist5k", data_dir=str(digits), image_size=14)
    assert b"".join(files_of(folder).values()) == (
        expected.test.images.tobytes() + expected.train.images.tobytes()
    )
    found = open_streamed("mnist5k", data_dir=str(digits), image_size=14)
    assert found.train.reader.kind == "cache"
    np.testing.assert_array_equal(found.test.read(np.arange(1000)), expected.test.images)
    # Again: nothing to do.
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    code, lines, _ = run("mnist5k", f"--data_dir={digits}", "--cache=14")
    assert code == 0 and any("is whole" in line for line in lines)
    del before[folder / ".lock"]
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_the_manifest_says_what_the_images_are(run: Run, digits: Path) -> None:
    assert run("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")[0] == 0
    folder = images_folder(digits)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["dataset"] == "mnist5k" and manifest["image_shape"] == [28, 28, 1]
    assert "simplejpeg 1" in manifest["pixels"] and "pillow 1" in manifest["pixels"]
    sums = {shard[1]: shard[4] for shard in manifest["shards"]}
    assert sums == {
        name: hashlib.sha256(content).hexdigest() for name, content in files_of(folder).items()
    }


def test_workers_write_the_same_files(
    run: Run, digits: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cache_write, "IMAGES_PER_FILE", 1500)
    for workers in (1, 2):
        code, _, err = run(
            "mnist5k", f"--data_dir={digits}", "--cache=8", f"--workers={workers}",
            f"--cache_dir={tmp_path / str(workers)}",
        )  # fmt: skip
        assert (code, err) == (0, "")
    one, two = (files_of(tmp_path / w / "mnist5k-1.0.0" / "images-8") for w in "12")
    assert len(one) == 4 and one == two


def test_workers_read_the_same_index(
    run: Run, digits: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(index, "CHUNK", 333)
    found = []
    for few in (100, 0):  # In this process, and in two others.
        monkeypatch.setattr(index, "FEW_CHUNKS", few)
        folder = tmp_path / str(few)
        words = (f"--data_dir={digits}", f"--cache_dir={folder}", "--workers=2")
        assert run("mnist5k", *words)[0] == 0
        found.append(np.load(folder / "mnist5k-1.0.0" / "index-train.npz"))
    for key in ("labels", "ids"):
        np.testing.assert_array_equal(found[0][key], found[1][key])
    expected = load_dataset("mnist5k", data_dir=str(digits))
    np.testing.assert_array_equal(found[0]["labels"], expected.train.labels)


def test_other_pixels_begin_anew_unless_whole(
    run: Run, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")
    assert run(*words)[0] == 0
    monkeypatch.setattr(cache_write.images, "describe", lambda: "another decoder")
    code, lines, _ = run(*words)
    assert code == 0 and any("delete that folder to make it anew" in line for line in lines)
    next(images_folder(digits).glob("train*")).unlink()
    code, lines, _ = run(*words)
    assert code == 0 and any("making it anew" in line for line in lines)
    assert "2 files: 0 kept, 2 written" in lines
    layout = read_manifest(images_folder(digits))
    assert layout is not None and layout.pixels == "another decoder"


def test_verify_finds_and_repairs_what_sizes_do_not_show(run: Run, digits: Path) -> None:
    words = ("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")
    assert run(*words)[0] == 0
    folder = images_folder(digits)
    whole = files_of(folder)
    name = next(name for name in whole if name.startswith("train"))
    damaged = bytearray(whole[name])
    damaged[12345] ^= 1
    (folder / name).write_bytes(damaged)
    assert run(*words)[0] == 0 and files_of(folder) != whole  # As large as before.
    code, lines, _ = run(*words, "--verify")
    assert code == 0 and "2 files: 1 kept, 1 written" in lines
    assert files_of(folder) == whole
    assert "2 files: 2 kept, 0 written" in run(*words, "--verify")[1]


# What is wrong in the command --------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["DATASET"]),
        (["mnist5k", "--cach=3"], ["--cach=3"]),
        (["mnist5k", "--cache=big"], ["--cache", "'big'", "whole number"]),
        (["mnist5k", "--workers=0"], ["--workers", "at least 1"]),
        (["mnist5k", "--verify"], ["--cache=SIZE"]),
        (["minst5k", "--cache=3"], ["did you mean 'mnist5k'"]),
        (["imagenet2012"], ["TensorFlow", "ILSVRC2012_img_train.tar"]),
        (["imagenet2012", "--manual_dir=/no/such"], ["manual_dir='/no/such'"]),
    ],
)
def test_a_wrong_command(
    arguments: list[str], words: list[str], run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tfds_prepare, "_has_tensorflow", lambda: False)
    code, out, err = run(*arguments, f"--data_dir={tmp_path}")
    assert code == 2 and err.count("\n") == 1 and err.startswith("rethinking_jax: ")
    for word in words:
        assert word in err
    assert out == [] and list(tmp_path.iterdir()) == []


def test_help_and_typos_import_nothing_slow() -> None:
    script = (
        "import sys\n"
        "from rethinking_jax import prepare\n"
        "try: prepare.main(['--help'])\n"
        "except SystemExit: pass\n"
        "prepare.main(['x', '--typo'])\n"
        "slow = ('jax', 'tensorflow_datasets', 'numpy', 'rich')\n"
        "print([name for name in slow if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]" and "--verify" in done.stdout
    assert "--typo" in done.stderr and done.stderr.count("\n") == 1


# Wrong archives ---------------------------------------------------------------------


def cut_file(path: Path, keep: int) -> None:
    with open(path, "r+b") as file:
        file.truncate(keep)


def end_of_members(path: Path) -> int:
    with tarfile.open(path) as archive:
        archive.getmembers()
        return archive.offset


def spoil(folder: Path, damage: str) -> None:
    train, validation = folder / TRAIN, folder / VALIDATION
    if damage == "missing":
        validation.unlink()
    elif damage == "empty file":
        train.write_bytes(b"")
    elif damage == "empty archive":
        write_tar(train, {})
    elif damage == "no archive":
        train.write_bytes(b"<html>please log in</html>" * 100)
    elif damage == "truncated":
        cut_file(validation, validation.stat().st_size // 2)
    elif damage == "truncated between members":
        cut_file(train, end_of_members(train))
    elif damage == "swapped":
        other = folder / "other"
        train.rename(other)
        validation.rename(train)
        other.rename(validation)
    elif damage == "another class":
        write_tar(train, {"n99999999.tar": b""})
    elif damage == "folder inside":
        write_tar(validation, {"val/ILSVRC2012_val_00000001.JPEG": b""})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("missing", [VALIDATION, "is missing"]),
        ("empty file", [TRAIN, "(0 bytes) is not a whole tar archive"]),
        ("empty archive", [TRAIN, "empty archive"]),
        ("no archive", [TRAIN, "is not a whole tar archive"]),
        ("truncated", [VALIDATION, "is not a whole tar archive"]),
        ("truncated between members", [TRAIN, "is not a whole", "too early"]),
        ("swapped", [TRAIN, "ILSVRC2012_val_00000001.JPEG", "1,000 classes"]),
        ("another class", [TRAIN, "n99999999.tar"]),
        ("folder inside", [VALIDATION, "'val/ILSVRC2012_val_00000001.JPEG'"]),
    ],
)
def test_wrong_archives(
    damage: str, words: list[str], run: Run, imagenet_tars: Archives, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tfds_prepare, "_has_tensorflow", lambda: True)
    archives = tmp_path / "archives"
    shutil.copytree(imagenet_tars.folder, archives)
    spoil(archives, damage)
    data = tmp_path / "data"
    code, _, err = run("imagenet2012", f"--data_dir={data}", f"--manual_dir={archives}")
    assert code == 2 and err.count("\n") == 1
    for word in words:
        assert word in err
    assert not data.exists() or not list(data.glob("imagenet2012"))


def test_no_room_to_prepare_imagenet(
    run: Run, imagenet_tars: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfds_prepare, "_has_tensorflow", lambda: True)
    little = shutil._ntuple_diskusage(10**9, 10**9, 10**5)
    monkeypatch.setattr(imagenet_archives.shutil, "disk_usage", lambda path: little)
    code, _, err = run(
        "imagenet2012", f"--data_dir={tmp_path}", f"--manual_dir={imagenet_tars.folder}"
    )
    assert code == 2 and "make room" in err and list(tmp_path.iterdir()) == []


@needs_tensorflow
@pytest.mark.slow
def test_a_damaged_archive_within_leaves_nothing(imagenet_tars: Archives, tmp_path: Path) -> None:
    """Names and ends are right; a class's own archive is not: tfds meets it half-way."""
    archives, data = tmp_path / "archives", tmp_path / "data"
    archives.mkdir()
    with tarfile.open(imagenet_tars.folder / TRAIN) as archive:
        classes = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    classes["n15075141.tar"] = b"not an archive" * 200
    write_tar(archives / TRAIN, classes)
    shutil.copy(imagenet_tars.folder / VALIDATION, archives)
    # And what a killed process has left.
    (data / "imagenet2012" / "incomplete.ABCDEF_5.1.0").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "rethinking_jax.prepare", "imagenet2012", f"--data_dir={data}",
         f"--manual_dir={archives}"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("rethinking_jax: dataset='imagenet2012' cannot")
    assert "Traceback" not in done.stderr
    assert list((data / "imagenet2012").iterdir()) == []


# Disks ------------------------------------------------------------------------------


def test_a_disk_without_room_is_refused_first(
    run: Run, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr(cache_write.shutil, "disk_usage", lambda path: little)
    code, _, err = run("mnist5k", f"--data_dir={digits}", "--cache=32")
    assert code == 2 and err.count("\n") == 1
    assert "takes 5.1 MB" in err and "1.0 MB free" in err and "--cache_dir" in err
    assert files_of(images_folder(digits, 32)) == {}


class FullDisk:
    """`open` of a disk with room for so many bytes of images."""

    def __init__(self, room: int) -> None:
        self.room = room

    def __call__(self, path: Any, mode: str) -> Any:
        file = Path(path).open(mode)  # noqa: SIM115  (closed by the one that opened it)
        if mode != "wb":
            return file
        write = file.write

        def limited(content: bytes) -> int:
            self.room -= len(content)
            if self.room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(content)

        class File:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> Any:
                return limited if name == "write" else getattr(file, name)

        return File()


def test_a_disk_that_fills_up_keeps_what_is_whole(
    run: Run, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_write, "IMAGES_PER_FILE", 1000)
    words = ("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")
    monkeypatch.setattr(cache_write, "open", FullDisk(2_500 * 784), raising=False)
    code, _, err = run(*words)
    assert code == 1 and err.count("\n") == 1
    assert "no space left on device" in err and "2 of its 5 files are kept" in err
    folder = images_folder(digits)
    assert len(files_of(folder)) == 2 and not list(folder.glob("*.tmp"))
    assert open_streamed("mnist5k", data_dir=str(digits)).train.reader.kind == "stream"
    monkeypatch.undo()
    monkeypatch.setattr(cache_write, "IMAGES_PER_FILE", 1000)
    code, lines, _ = run(*words)
    assert code == 0 and "5 files: 2 kept, 3 written" in lines


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_real_disk_that_is_full(
    workers: int, run: Run, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_write, "IMAGES_PER_FILE", 1000)
    monkeypatch.setattr(cache_write, "SPARE_BYTES", -(10**9))  # Past the first look.
    with small_disk(tmp_path / "disk", 3_000_000):
        code, _, err = run(
            "mnist5k", f"--data_dir={digits}", "--cache=0", f"--workers={workers}",
            f"--cache_dir={tmp_path / 'disk'}",
        )  # fmt: skip
        assert code == 1 and err.count("\n") == 1 and "no space left on device" in err
        folder = tmp_path / "disk" / "mnist5k-1.0.0" / "images-0"
        layout = read_manifest(folder)
        assert layout is not None and "files are written" in unfinished(folder, layout)
        trusted = {shard.file: shard.sha256 for shard in layout.shards if shard.sha256}
        assert 0 < len(trusted) < 5
        for name, content in files_of(folder).items():
            if name in trusted:
                assert hashlib.sha256(content).hexdigest() == trusted[name]


def test_a_cache_dir_that_cannot_be_written(run: Run, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = run(
        "mnist5k", f"--data_dir={digits}", "--cache=0", f"--cache_dir={tmp_path / 'file'}"
    )
    assert code == 2 and err.count("\n") == 1 and "another --cache_dir" in err


# Processes that are killed -----------------------------------------------------------

SLOW = """
import sys, time
from rethinking_jax import prepare
from rethinking_jax.data import images
from rethinking_jax.data.cache import write as cache_write
cache_write.IMAGES_PER_FILE = {per_file}
fit = images.fit
images.fit = lambda *given: (time.sleep({pause}), fit(*given))[1]
if __name__ == "__main__":
    sys.exit(prepare.main(sys.argv[1:]))
"""


def start(tmp_path: Path, per_file: int, pause: float, *arguments: str) -> subprocess.Popen:
    script = tmp_path / "slow_prepare.py"
    script.write_text(SLOW.format(per_file=per_file, pause=pause))
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
    )


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def written(folder: Path) -> int:
    layout = read_manifest(folder)
    return sum(bool(shard.sha256) for shard in layout.shards) if layout else 0


def test_a_killed_command_goes_on_from_whole_files(
    run: Run, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")
    folder = images_folder(digits)
    process = start(tmp_path, 100, 0.001, *words)
    try:
        wait_for(lambda: written(folder) >= 3 and list(folder.glob(".*.tmp")))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = written(folder)
    assert 3 <= done < 50
    assert open_streamed("mnist5k", data_dir=str(digits)).train.reader.kind == "stream"
    monkeypatch.setattr(cache_write, "IMAGES_PER_FILE", 100)
    # One that is whole in size and not in content must not be taken over.
    first = next(folder.glob("train-00000*"))
    content = bytearray(first.read_bytes())
    content[0] ^= 255
    first.write_bytes(content)
    code, lines, _ = run(*words)
    assert code == 0 and f"50 files: {done - 1} kept, {51 - done} written" in lines
    assert not list(folder.glob(".*.tmp"))
    expected = load_dataset("mnist5k", data_dir=str(digits))
    assert b"".join(files_of(folder).values()) == (
        expected.test.images.tobytes() + expected.train.images.tobytes()
    )


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux tells the children")
def test_workers_end_with_the_command(digits: Path, tmp_path: Path) -> None:
    words = ("mnist5k", f"--data_dir={digits}", "--cache=8", "--workers=2")
    # The workers import the script anew, so they are slow too.
    process = start(tmp_path, 2000, 0.01, *words)
    try:
        wait_for(lambda: len(list(images_folder(digits, 8).glob(".*.tmp"))) == 2)
        workers = children(process.pid)
        assert len(workers) >= 2
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20)


def test_ctrl_c_is_one_line(digits: Path, tmp_path: Path) -> None:
    process = start(tmp_path, 100, 0.001, "mnist5k", f"--data_dir={digits}", "--cache=0",
                    "--workers=1")  # fmt: skip
    wait_for(lambda: written(images_folder(digits)) >= 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    assert not list(images_folder(digits).glob(".*.tmp"))


def test_two_commands_at_once_share_the_work(run: Run, digits: Path, tmp_path: Path) -> None:
    words = ("mnist5k", f"--data_dir={digits}", "--cache=0", "--workers=1")
    process = start(tmp_path, 4096, 0.0005, *words)
    wait_for(lambda: list(images_folder(digits).glob(".*.tmp")))
    code, lines, _ = run(*words)
    assert process.wait(60) == 0 and code == 0
    text = "\n".join(lines)
    assert "waiting for another process that is writing this cache" in text and "is whole" in text
