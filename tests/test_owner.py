"""One command at a time works in a workdir, and a command that is gone locks nobody out."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command
from helpers.processes import start

import rethinking_jax as rj
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.report import __main__ as report
from rethinking_jax.workdir import owner
from rethinking_jax.workdir.owner import owned

# Holds a workdir until its input ends; a child of it lives on for a while.
HOLDER = """
import os, sys, time
from pathlib import Path
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.owner import owned
try:
    with owned(Path(sys.argv[1]), "the first", print):
        if os.fork() == 0:
            time.sleep(10)
            os._exit(0)
        print("held", flush=True)
        sys.stdin.read()
except UserError as error:
    print(error, flush=True)
    sys.stdin.read()
"""
SMALL = (
    "--config=configs/quickstart.py", "--config.sweep=", "--config.train_examples=100",
    "--config.batch_size=50", "--config.epochs=1",
)  # fmt: skip


def holder(workdir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workdir)], cwd=REPOSITORY, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def take(workdir: Path, said: list[str] | None = None) -> None:
    """Takes a workdir and gives it back."""
    with owned(workdir, "the second", (said if said is not None else []).append):
        found = json.loads((workdir / "owner.json").read_text())
        assert found["command"] == "the second"
        assert found["process"] == os.getpid()
    assert not (workdir / "owner.json").exists()


@pytest.fixture(params=["locks", "no locks"])
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes owners count fast, on a file system with locks and on one without."""
    monkeypatch.setattr(owner, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(owner, "SILENT_SECONDS", 10.0)
    monkeypatch.setattr(owner, "SETTLE_SECONDS", 0.5)
    if request.param == "no locks":

        def flock(*_: object) -> None:
            raise OSError(errno.ENOTSUP, "Operation not supported")

        monkeypatch.setattr(fcntl, "flock", flock)


@contextmanager
def elsewhere(workdir: Path, counts: bool) -> Iterator[None]:
    """Plays an owner on another host, which holds no lock that is seen here."""
    workdir.mkdir()
    file, ended = workdir / "owner.json", threading.Event()

    def write(beats: int) -> None:
        who = {"host": "node7", "process": 4, "since": "noon", "command": "it", "machine": "other"}
        file.write_text(json.dumps({**who, "key": "k", "beats": beats}))

    def count() -> None:
        beats = 0
        while not ended.wait(0.05):
            beats += 1
            write(beats)

    write(0)
    thread = threading.Thread(target=count)
    if counts:
        thread.start()
    yield
    ended.set()
    if counts:
        thread.join()


def test_the_second_is_told_who_works_there_and_nothing_is_written(
    answer: Command, tmp_path: Path
) -> None:
    with owned(tmp_path / "run", "python -m the.first", print):
        before = sorted(tmp_path.rglob("*"))
        result = answer(*SMALL, f"--workdir={tmp_path / 'run'}")
        assert sorted(tmp_path.rglob("*")) == before
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    for text in (f"process {os.getpid()} on {os.uname().nodename} since ", "python -m the.first"):
        assert text in result.stderr
    assert not (tmp_path / "run").exists()  # what was made and stayed empty is removed


def test_reading_needs_no_owner(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    assert answer(*SMALL, f"--workdir={workdir}").returncode == 0
    assert not (workdir / "owner.json").exists()
    with owned(workdir, "", print):
        again = answer(*SMALL, f"--workdir={workdir}")
        assert (again.returncode, "Complete already" in again.stdout) == (0, True)
        assert len(rj.load(workdir)) == 1
        assert report.main([str(workdir)]) == 0
    # A folder of which nothing may be written is complete, too.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
        assert answer(*SMALL, f"--workdir={workdir}").returncode == 0
        refused = answer(*SMALL, "--config.epochs=2", f"--workdir={tmp_path / 'new'}")
        assert (refused.returncode, "can be written to" in refused.stderr) == (2, True)


def test_of_many_that_begin_at_once_one_works_and_a_killed_one_locks_nobody_out(
    tmp_path: Path,
) -> None:
    workdir = tmp_path / "new" / "run"
    with ExitStack() as stack:
        processes = [stack.enter_context(holder(workdir)) for _ in range(3)]
        said = [first_line(process) for process in processes]
        assert said.count("held") == 1
        assert sum("another command works there" in line for line in said) == 2
        assert json.loads((workdir / "owner.json").read_text())["command"] == "the first"
        for process in processes:
            process.kill()
            process.wait()
        take(workdir)  # although a forked child lives on


def test_an_owner_in_this_process_is_one_too(quick: None, tmp_path: Path) -> None:
    for error in (ValueError, KeyboardInterrupt):  # a cell of a notebook that fails
        with pytest.raises(error), owned(tmp_path, "", print):
            with pytest.raises(UserError, match="from a notebook or a script"):
                take(tmp_path)
            raise error
    take(tmp_path)


def test_of_two_threads_one_works(quick: None, tmp_path: Path) -> None:
    answers: list[str] = []

    def work() -> None:
        try:
            with owned(tmp_path / "run", "", print):
                until = time.monotonic() + 20
                while len(answers) < 2 and time.monotonic() < until:
                    time.sleep(0.01)
                answers.append("worked")
        except UserError as error:
            answers.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("worked") == 1
    assert sum("another command works there" in answer for answer in answers) == 2
    assert not (tmp_path / "run").exists()


def test_an_owner_on_another_host_is_found_out_by_its_count(quick: None, tmp_path: Path) -> None:
    said: list[str] = []
    with elsewhere(tmp_path / "run", counts=True), pytest.raises(UserError) as refused:
        take(tmp_path / "run", said)
    assert "process 4 on node7 since noon (it)" in str(refused.value)
    assert f"If it is gone for certain, remove {tmp_path / 'run' / 'owner.json'}" in str(
        refused.value
    )
    assert (tmp_path / "run" / "owner.json").exists()
    assert len(said) == 1  # what it waits for


def test_a_silent_owner_of_another_host_or_of_a_copied_folder_is_gone(
    quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "SILENT_SECONDS", 0.5)
    said: list[str] = []
    with elsewhere(tmp_path / "run", counts=False):
        take(tmp_path / "run", said)
    assert len(said) == 1
    assert "up to 0.5 s show whether it is gone" in said[0]


@pytest.mark.parametrize("left", ["", "{", "[]", "\0\0"])
def test_a_damaged_file_is_nobodys(left: str, quick: None, tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text(left)
    take(tmp_path)


def test_who_stood_still_for_too_long_stops_and_leaves_the_file(
    quick: None, tmp_path: Path
) -> None:
    file = tmp_path / "owner.json"
    with owned(tmp_path, "", print) as check:
        check()
        other = {**json.loads(file.read_text()), "key": "another", "host": "node7"}
        file.write_text(json.dumps(other))
        time.sleep(1)
        with pytest.raises(RunFailed, match=r"another command took .* on node7"):
            check()
    assert json.loads(file.read_text())["key"] == "another"


def test_two_runs_of_one_notebook_do_not_mix(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (40, 4, 4), np.uint8), np.arange(40) % 2
    config = rj.base_config()
    config.model, config.epochs, config.batch_size = "mlp_1x512", 1, 20
    refused: list[str] = []

    def measure(*_: object) -> dict[str, float]:
        """Runs another cell while this one trains."""
        with pytest.raises(UserError) as error:
            rj.run(config, tmp_path / "run", dataset=rj.arrays(x, y, x, y), report=False)
        refused.append(str(error.value))
        return {}

    dataset = rj.arrays(x, y, x, y)
    rj.run(config, tmp_path / "run", dataset=dataset, measure=measure, report=False)
    assert len(refused) == 1
    assert "another command works there" in refused[0]
    assert (tmp_path / "run" / "metrics.jsonl").read_text().count("\n") == 1
    assert rj.run(config, tmp_path / "run", dataset=dataset, report=False)["members"]


@pytest.mark.slow
def test_the_same_command_twice_is_one_run_and_one_refusal(
    environment: dict[str, str], tmp_path: Path
) -> None:
    words = (*SMALL[:4], "--config.epochs=300", "--config.stop_when_fitted=False",
             f"--workdir={tmp_path / 'run'}")  # fmt: skip
    processes = [start(environment, *words) for _ in range(2)]
    ends = [process.communicate(timeout=200) for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 2], ends
    stderr = ends[codes.index(2)][1]
    assert stderr.count("\n") == 1
    assert f"process {processes[codes.index(0)].pid} on " in stderr
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, 301))
