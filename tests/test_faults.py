"""What fails under a command: a disk, memory, files that are read, a screen, a thread.

After one line it ends, within seconds, and what is saved stays.
"""

import contextlib
import errno
import io
import os
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from conftest import REPOSITORY, Command, read_metrics
from helpers.processes import free_port, start, wait_for_lines

from rethinking_jax import config as configs
from rethinking_jax import main, prepare
from rethinking_jax.config.key import check_keys
from rethinking_jax.config.keys import KEYS
from rethinking_jax.data.tfds import records
from rethinking_jax.errors import UserError, file_error, lacking
from rethinking_jax.experiment import job, screen
from rethinking_jax.host import distributed, memory
from rethinking_jax.workdir import checkpoint, metrics

pytestmark = pytest.mark.usefixtures("one_engine")
RUN = (
    "--config.sweep=", "--config.model=mlp", "--config.train_examples=200", "--config.epochs=3",
    "--config.stop_when_fitted=False", "--config.checkpoint_every=1",
)  # fmt: skip
SMALL, LARGE = "--config.hidden_sizes=(8,)", "--config.hidden_sizes=(500,)"
LONG = (*RUN, SMALL, "--config.epochs=100000")
SECONDS = 90  # a busy machine is given so long to end; orbax waited for 20 minutes


def one_line(stderr: str, *words: str) -> None:
    assert stderr.count("\n") == 1, stderr
    assert all(word in stderr for word in words), stderr


# Saving -----------------------------------------------------------------------------


def file_for_folder(folder: Path) -> None:
    folder.rename(folder.parent.parent / "gone")
    folder.touch()


def test_a_save_that_fails_is_one_line_and_leaves_no_thread(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would wait for such a thread at its end."""
    original = checkpoint.save

    def save(manager: object, step: int, *rest: object) -> None:
        folder = tmp_path / "run" / "checkpoints" / "true_labels"
        if step == 4:
            manager.wait_until_finished()  # type: ignore[attr-defined]
            file_for_folder(folder)
        original(manager, step, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoint, "save", save)
    before = set(threading.enumerate())
    result = answer(*RUN, SMALL, f"--workdir={tmp_path / 'run'}")
    assert result.returncode == 1
    one_line(result.stderr, "not a directory", f"what is saved in {tmp_path / 'run'} stays")
    left = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
    # Python itself wakes and ends the idle threads of its pools, and those of its event loops.
    pools = ("ThreadPool", "asyncio_")
    assert not [thread.name for thread in left if not thread.name.startswith(pools)]


@pytest.mark.parametrize("file", ["metrics.jsonl", "labels.npz", "summary.json", "report.html"])
def test_a_full_disk_is_one_line_and_a_run_goes_on_when_there_is_room(
    file: str, answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (*RUN, SMALL, f"--workdir={tmp_path / 'run'}")
    opened = Path.open

    def full(path: Path, mode: str = "r", *rest: object, **options: object) -> object:
        if path.name.removesuffix(".tmp") == file and mode[0] in "wa":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return opened(path, mode, *rest, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        result = answer(*command)
    # Where it is full from the start, the folder is what is wrong in the command.
    assert result.returncode == (2 if file == "labels.npz" else 1)
    one_line(result.stderr.lower(), "no space left on device")
    result = answer(*command)
    assert result.returncode == 0, result.stderr
    assert len(read_metrics(tmp_path / "run")) == 3


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_command_ends_after_a_save_that_fails(
    processes: int, environment: dict[str, str], tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    words = [*LONG, f"--workdir={workdir}"]
    several = [f"--coordinator_address=127.0.0.1:{free_port()}", f"--num_processes={processes}"]
    all_of_them = [
        start(environment, *words, *(f"{word}" for word in several if processes > 1),
              *([f"--process_id={i}"] if processes > 1 else []))
        for i in range(processes)
    ]  # fmt: skip
    wait_for_lines(workdir, 3, all_of_them[0])
    file_for_folder(workdir / "checkpoints" / "true_labels")
    said = [process.communicate(timeout=SECONDS)[1] for process in all_of_them]
    assert all_of_them[0].returncode == 1
    one_line(said[0], "the run failed (", "true_labels", "stays")
    for text in said[1:]:
        assert "another process is gone" in text.splitlines()[-1]


@pytest.mark.slow
def test_a_save_that_fails_in_the_background_ends_every_process(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The folder that is written to is removed, again and again, until it happens in mid-save."""
    workdir = tmp_path / "run"
    both = [
        start(environment, *LONG, f"--workdir={workdir}", f"--coordinator_address={address}",
              "--num_processes=2", f"--process_id={i}")
        for address in [f"127.0.0.1:{free_port()}"] for i in range(2)
    ]  # fmt: skip
    wait_for_lines(workdir, 3, both[0])
    until = time.monotonic() + SECONDS
    while both[0].poll() is None and time.monotonic() < until:
        for folder in (workdir / "checkpoints" / "true_labels").glob("*tmp*"):
            subprocess.run(["rm", "-rf", str(folder)], check=False, stderr=subprocess.DEVNULL)
    said = [process.communicate(timeout=SECONDS)[1] for process in both]
    assert both[0].returncode == 1 and "Traceback" not in said[0]
    one_line(said[0], "the run failed (", "orbax-checkpoint-tmp", "stays")
    assert "another process is gone" in said[1].splitlines()[-1]


@pytest.mark.slow
def test_a_disk_that_takes_no_more_in_the_background(
    command: Command, answer: Command, tmp_path: Path
) -> None:
    """A limit on the size of files stands for it: tensorstore's threads meet it."""
    words = (*RUN, LARGE, f"--workdir={tmp_path / 'run'}")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    full = command(*words, preexec_fn=limit, timeout=SECONDS)
    assert full.returncode == 1
    one_line(full.stderr, "file too large", "stays")
    assert answer(*words).returncode == 0
    assert len(read_metrics(tmp_path / "run")) == 3


def test_a_process_that_fails_to_save_does_not_wait_for_the_others() -> None:
    with pytest.raises(OSError, match="mine"):
        try:
            raise OSError("mine")
        finally:
            checkpoint._meet(key="any", timeout_ms=1)
    checkpoint._meet(key="any", timeout_ms=1)  # alone, it meets nobody


# Reading ----------------------------------------------------------------------------

LACKS = [
    MemoryError("Unable to allocate 3.00 GiB"),
    RuntimeError("can't start new thread"),
    OSError(errno.EMFILE, "Too many open files", "file"),
    OSError(errno.EIO, "Input/output error", "file"),
    ValueError('RESOURCE_EXHAUSTED: Error reading local file "a/b" [OS error 12: ENOMEM]'),
]


@pytest.mark.parametrize("error", LACKS, ids=str)
def test_what_the_machine_lacks_damages_no_checkpoint_and_no_data(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, whose = {"a": jnp.zeros(3)}, checkpoint.Whose(("a",), "12345678")
    (tmp_path / "7").mkdir()

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(checkpoint, "_restore", fail)
    with pytest.raises(type(error), match=re.escape(str(error))):
        checkpoint.restore_latest(tmp_path, tree, whose, print)
    assert (tmp_path / "7").is_dir()
    said = str(records.damaged("mine", "folder", error))
    assert "delete" not in said and "damaged" not in said and lacking(error) in said


@pytest.mark.parametrize(
    ("error", "words", "lacks"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "no space left on device: a/b",
         "no space left on device"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a/b"), "no such file or directory: a/b",
         ""),
        (OSError("a bucket's own words"), "a bucket's own words", ""),
        (ValueError('UNKNOWN: Error writing "x" at local file "/a/b/": [OS error 28: ENOSPC No'),
         "no space left on device: /a/b/", "no space left on device"),
        (ValueError('NOT_FOUND: Error reading local file "/a/b"'), "not found: /a/b", ""),
        (ValueError('FAILED_PRECONDITION: local file "/a" [os_error_code=\'30\']'),
         "read-only file system: /a", ""),
        (ValueError("Checkpoint directory does not exist: /a/4.orbax-checkpoint-tmp/state."),
         "no such file or directory: /a/4.orbax-checkpoint-tmp/state", ""),
        (ValueError("its content is not what was saved"), "", ""),
        (RuntimeError("can't start new thread"), "", "can't start new thread: no memory is left"),
    ],
    ids=str,
)  # fmt: skip
def test_errors_of_files_are_said_in_a_few_words(error: Exception, words: str, lacks: str) -> None:
    assert file_error(error) == words
    assert lacking(error).startswith(lacks) and bool(lacking(error)) == bool(lacks)


class Source:
    """Records that end sooner than their index says."""

    def __getitem__(self, index: int) -> bytes:
        return b""


def test_records_that_are_cut_off_while_they_are_read_are_named() -> None:
    cut = object.__new__(records.Records)
    cut.name, cut.folder, cut.split = "mine", "folder", "train"
    cut._source = Source()
    with pytest.raises(UserError, match=r"damaged in folder \(record 5 .*train is cut off\)"):
        next(cut.read([5]))


def test_records_that_fail_in_mid_run_are_a_failed_run_that_says_what_is_saved(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        *RUN, SMALL, "--config.dataset=mnist5k", "--config.input=stream",
        "--config.eval_batch_size=500", f"--workdir={tmp_path / 'run'}",
    )  # fmt: skip
    raw, append = records.Records.raw, metrics.append_lines
    written: list[int] = []

    def append_lines(*given: object) -> None:
        append(*given)  # type: ignore[arg-type]
        written.append(1)

    def failing(self: records.Records, index: int) -> bytes:
        if written:
            raise records.damaged(self.name, self.folder, EOFError("gone"))
        return raw(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(metrics, "append_lines", append_lines)
        patch.setattr(records.Records, "raw", failing)
        result = answer(*command)
    assert result.returncode == 1
    one_line(result.stderr, "'mnist5k' is damaged", f"what is saved in {tmp_path / 'run'} stays")
    result = answer(*command)
    assert result.returncode == 0, result.stderr
    assert "resuming from step 2" in result.stdout


# Memory -----------------------------------------------------------------------------


@pytest.mark.parametrize("gigabytes", [0.5, 1, 2])
def test_an_address_space_without_room_for_threads_is_refused(
    gigabytes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = int(gigabytes * 2**30)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    with pytest.raises(UserError, match=rf"ulimit -v {limit // 1024} .* take it away"):
        memory.check_address_space()


@pytest.mark.parametrize("limit", [resource.RLIM_INFINITY, 2**40])
def test_an_address_space_with_room_is_taken(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda of: asked.append(of) or (limit, limit))
    memory.check_address_space()  # raises nothing
    assert asked == [resource.RLIMIT_AS]


def test_data_is_not_prepared_without_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**30, 2**30))
    assert prepare.main(["mnist5k"]) == 2
    one_line(capsys.readouterr().err, "ulimit -v 1048576 ")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [700, 1500, 2000])
def test_a_limit_on_the_address_space_is_one_line(
    megabytes: int, command: Command, tmp_path: Path
) -> None:
    limit = megabytes * 2**20
    result = command(
        *RUN, SMALL, f"--workdir={tmp_path / 'run'}", timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert result.returncode == 2
    one_line(result.stderr, f"ulimit -v {megabytes * 1024} ")


# Other processes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ValueError("UNKNOWN: Gloo AllGather failed: Connection closed by peer"), True),
        (ValueError("Gloo"), False),  # not from XLA
        (ValueError("INVALID_ARGUMENT: shapes"), False),
        (OSError("UNAVAILABLE: connection"), False),
    ],
    ids=str,
)
def test_an_error_that_says_that_another_process_is_gone(
    error: Exception, lost: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrapped = TimeoutError("Timed out while waiting for async_write_complete barrier.")
    wrapped.__cause__ = error
    assert not distributed.is_lost(error)  # alone there is no other
    monkeypatch.setattr(distributed, "_here", distributed._Process(1, 2, None))  # type: ignore
    assert distributed.is_lost(error) is lost
    assert distributed.is_lost(wrapped) is lost
    if lost:
        assert main._reason(error, "w", "c").startswith("another process is gone (UNKNOWN: Gloo")
        assert capfd.readouterr().err == ""


# The screen, and the end of the process -----------------------------------------------


class Screen(io.StringIO):
    """It takes some lines and then no more."""

    def __init__(self, error: OSError, lines: int) -> None:
        super().__init__()
        self.error, self.left = error, lines

    def write(self, text: str) -> int:
        self.left -= text.count("\n")
        if self.left < 0:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("lines", [0, 1, 8])
@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO])
def test_a_screen_that_takes_no_more_stops_a_run_with_its_line(
    number: int, lines: int, tmp_path: Path
) -> None:
    screen, said = Screen(OSError(number, os.strerror(number)), lines), io.StringIO()
    words = ["rethinking_jax.main", *RUN, SMALL, f"--workdir={tmp_path / 'run'}"]
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(said):
        assert main.main(words) == 1
    one_line(said.getvalue(), f"standard output, which takes no more ({os.strerror(number)})")


ENDING = """
import contextlib, threading
from rethinking_jax import cli
cli.begin()
cli.END_SECONDS = 0.5
with contextlib.suppress(OSError):
    print("hello")
threading.Thread(target=threading.Event().wait).start()
cli.end(3)
"""


@pytest.mark.parametrize("outputs", ["", ">/dev/full", ">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_process_ends_whatever_threads_and_outputs_it_has(outputs: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    words = ["bash", "-c", f'"$0" -c "$1" {outputs}', sys.executable, ENDING]
    ended = subprocess.run(words, cwd=REPOSITORY, check=False, timeout=SECONDS, text=True,
                           capture_output=True)  # fmt: skip
    assert (ended.returncode, ended.stderr) == (3, "")
    assert ended.stdout == ("" if ">" in outputs and not outputs.startswith("2") else "hello\n")


# Numbers ------------------------------------------------------------------------------

NUMBERS = {float: [np.nan, np.inf, -np.inf, 1e39, 1e-50], int: [10**30, 2**31, 2**32]}


@pytest.mark.parametrize("key", [key for key in KEYS.values() if key.kind in NUMBERS],
                         ids=lambda key: key.name)  # fmt: skip
def test_a_number_that_no_device_holds_is_refused(key: object) -> None:
    for value in NUMBERS[key.kind]:  # type: ignore[attr-defined]
        config = configs.base_config()
        with pytest.raises(UserError, match=rf"config.{key.name}="):  # type: ignore[attr-defined]
            config[key.name] = value  # type: ignore[attr-defined]
            check_keys(config, KEYS)


@pytest.mark.parametrize("rate", [3.4e38, 1e30, 1.0, 1e-30, 2e-38, 1.2e-38])
def test_a_smaller_learning_rate_that_is_advised_is_allowed(rate: float, tmp_path: Path) -> None:
    config = configs.base_config()
    config.learning_rate = rate
    check_keys(config, KEYS)
    done = job.Job(config, [], FakeFolder(tmp_path), "", None, False, 0.0)  # type: ignore
    member = {"name": "a", "learning_rate": rate, "checkpoints": "c", "epochs": 1}
    advised = float(screen._failure(done, member).rpartition("learning_rate=")[2])
    assert 0 < advised <= rate
    config.learning_rate = advised
    check_keys(config, KEYS)


class FakeFolder:
    """A folder that nothing is saved in."""

    def __init__(self, path: Path) -> None:
        self.path = path
