"""A signal at any time: one line that says what is saved and how to go on, and nothing is lost."""

import io
import math
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flax.linen as nn
import jax
import pytest
from conftest import REPOSITORY, Command, read_metrics, read_summary
from helpers import commands
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax import experiment, prepare
from rethinking_jax.bench import __main__ as bench
from rethinking_jax.errors import RunFailed
from rethinking_jax.experiment import stage, training
from rethinking_jax.host.signals import stop_requests
from rethinking_jax.pictures import illustrations
from rethinking_jax.report import __main__ as report
from rethinking_jax.report import page
from rethinking_jax.sweep import measure

pytestmark = pytest.mark.usefixtures("one_engine")
SMALL = (
    "--config.sweep=", "--config.model=mlp", "--config.hidden_sizes=8", "--config.epochs=2",
    "--config.train_examples=200",
)  # fmt: skip
LISTEN = """
import hashlib, time
from rethinking_jax import cli
cli.begin()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt as error:
    print(cli.reason(error), flush=True)
hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # minutes in which Python handles no signal
"""
# A signal comes where Python drops what is raised.
COLLECT = """
import gc, os, signal
from rethinking_jax import cli
cli.begin()
gc.callbacks.append(lambda *_: os.kill(os.getpid(), signal.SIGTERM))
gc.collect()
print("goes on")
"""
# A signal comes within what `exec` runs.
EXECUTE = """
import os, signal, time
from rethinking_jax import cli
cli.begin()
try:
    exec("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)")
except KeyboardInterrupt as error:
    cli.end(cli.fail(cli.reason(error), 1))
"""
# A signal comes when Python ends, has forgotten its handlers, and takes modules apart.
END = """
import os, signal
from rethinking_jax import cli
class Last:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGTERM):
        kill(process, number)
cli.begin()
last = Last()
cli.end(3)
"""
# Sends itself a signal where a function is called, or a module imported, of a command.
DRIVE = """
import importlib, os, runpy, signal, sys
from rethinking_jax import cli
place, number, *sys.argv = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
home, _, name = place.rpartition(".")

class Finder:
    def find_spec(self, module, *_):
        if module == name:
            os.kill(os.getpid(), number)

def begin():
    usual()
    if home == "import":
        sys.meta_path.insert(0, Finder())
        return
    module = importlib.import_module(home)
    function = getattr(module, name)
    def signalled(*arguments, **options):
        os.kill(os.getpid(), number)
        return function(*arguments, **options)
    setattr(module, name, signalled)

usual, cli.begin = cli.begin, begin
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
MAIN = "rethinking_jax.main"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PLACES = {
    "import.jaxlib": "before anything was written",
    "rethinking_jax.experiment.training.load_datasets": "before anything was written",
    "rethinking_jax.experiment.screen.parameter_shapes": "what is saved in {workdir} stays",
    "rethinking_jax.sweep.loop.resumed": "saved {workdir}/checkpoints/true_labels/2",
    "rethinking_jax.sweep.loop.measured": "saved {workdir}/checkpoints/true_labels/2",
    "rethinking_jax.experiment.training.summarize": "what is saved in {workdir} stays",
    "rethinking_jax.pictures.illustrations.draw": "all results are in {workdir}",
    "rethinking_jax.analysis.table.write_tables": "all results are in {workdir}",
}


def one_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@contextmanager
def interrupted(module: object, name: str, word: str = "SIGTERM") -> Iterator[None]:
    """As if the signal came when a function is called."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt(word)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, stop)
        yield


@pytest.mark.parametrize("number", SIGNALS)
def test_the_second_signal_ends_a_command_at_once_even_within_a_compiled_program(
    number: signal.Signals, environment: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[number]
    for line in ("ready", f"stopped by {name}"):
        assert process.stdout is not None and process.stdout.readline() == f"{line}\n"
        process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == f"rethinking_jax: ended at once by a second {name}; what is saved stays\n"


@pytest.mark.parametrize(
    ("script", "code", "line"),
    [
        (COLLECT, 1, "rethinking_jax: stopped by SIGTERM; what is saved stays\n"),
        (EXECUTE, 1, "rethinking_jax: stopped by SIGTERM\n"),
        (END, 3, ""),
    ],
    ids=["collected", "executed", "ending"],
)
def test_a_signal_where_python_catches_none(
    script: str, code: int, line: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(script)
    words = [sys.executable, "-m", "script"]  # as a command is run: Python ends otherwise with -c
    result = subprocess.run(
        words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (code, "", line)


def test_a_signal_that_comes_as_training_ends_acts_when_it_has_ended() -> None:
    with pytest.raises(KeyboardInterrupt), stop_requests() as requested:
        os.kill(os.getpid(), signal.SIGINT)
        assert requested() == "Ctrl-C"
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


class Convolving(nn.Module):
    """As small as a network can be whose batches are calls of their own on a CPU."""

    num_classes: int
    convolutional = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        return nn.Dense(self.num_classes)(x.reshape(len(x), -1))


def test_stopped_at_any_batch_of_training_or_evaluation_it_ends_as_if_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch has 3 batches, and its evaluation 3 of training and 10 of test images."""
    config = configs.base_config()
    config.train_examples, config.batch_size, config.epochs = 300, 100, 2
    config.eval_batch_size, config.sweep, config.corruption = 100, "", "random_labels"
    asked = 0

    @contextmanager
    def stop_requests() -> Iterator[Any]:
        def reason() -> str | None:
            nonlocal asked
            asked += 1
            return "a test" if asked >= last else None

        yield reason

    def run(name: str) -> list[dict[str, Any]]:
        console = Console(file=io.StringIO())
        experiment.run(config, tmp_path / name, model=Convolving, report=False, console=console)
        return read_metrics(tmp_path / name)

    monkeypatch.setattr(stage, "stop_requests", stop_requests)
    last = math.inf
    whole = run("whole")
    assert asked == 27, "between any two batches, and after an evaluation but the last"
    for last in (2, 4, 8, 13, 16, 19):
        asked, name = 0, f"stopped at {last}"
        with pytest.raises(RunFailed, match="stopped by a test: saved"):
            run(name)
        last = math.inf
        assert run(name) == whole


def test_a_signal_outside_training_says_what_is_saved_and_loses_nothing(
    answer: Command, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert answer(*SMALL, f"--workdir={whole}").returncode == 0
    arguments = (*SMALL, f"--workdir={cut}")
    with interrupted(training, "load_datasets", ""):
        one_line(answer(*arguments), "stopped by Ctrl-C before anything was written", str(cut))
    assert not cut.exists()
    with interrupted(training, "summarize"):
        result = answer(*arguments)
    one_line(result, f"stopped by SIGTERM; what is saved in {cut} stays. To go on", *SMALL)
    assert read_metrics(cut) == read_metrics(whole)
    with interrupted(page, "write_report"):
        result = answer(*arguments)
    one_line(result, "stopped by SIGTERM", f"all results are in {cut}")
    assert read_summary(cut) == read_summary(whole)
    redo = shlex.split(result.stderr.split("or python -m rethinking_jax.report ")[1])
    assert commands.answer(report.main, redo, tmp_path).returncode == 0
    assert (cut / "report.html").exists()
    for file in (whole / "figures").iterdir():
        assert (cut / "figures" / file.name).read_bytes() == file.read_bytes()
    assert "Complete already" in answer(*arguments).stdout


def test_a_signal_in_the_look_at_the_test_set(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*SMALL, "--config.validation_examples=50", f"--workdir={tmp_path / 'run'}")

    def signalled(*_: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        # As a feed does that is asked to stop between two pieces of a large test set.
        return [None], SimpleNamespace(evaluate=lambda *_: None)

    with monkeypatch.context() as patch:
        patch.setattr(measure, "taken", signalled)
        result = answer(*arguments)
    one_line(result, "stopped by Ctrl-C: every run is trained and saved", str(tmp_path / "run"))
    before = read_metrics(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(page, "write_report", lambda *_: None)
        assert answer(*arguments).returncode == 0
    assert read_metrics(tmp_path / "run") == before
    assert "test_accuracy" in read_summary(tmp_path / "run")["members"][0]


@pytest.mark.parametrize("error", [ValueError("a\nreason"), OSError(28, "No space left")])
def test_a_report_that_fails_loses_no_result(
    error: Exception, answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(illustrations, "draw", fail)
    result = answer(*SMALL, f"--workdir={tmp_path / 'run'}")
    one_line(result, "the report is not written", str(error).split()[0], "--pictures")
    assert (f"{Path(__file__).name} line" in result.stderr) == isinstance(error, ValueError)
    assert "really" in result.stdout  # the table of results
    assert read_summary(tmp_path / "run")["members"][0]["epochs"] == 2
    monkeypatch.undo()
    again = answer(*SMALL, f"--workdir={tmp_path / 'run'}")
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert "<html" in (tmp_path / "run" / "report.html").read_text()


def test_what_is_measured_is_kept_where_the_report_of_a_theory_experiment_is_stopped(
    answer: Command, tmp_path: Path
) -> None:
    arguments = (
        "--config=configs/kernel.py:train_examples=100,kernel=gaussian,ridge=0",
        f"--workdir={tmp_path / 'w'}",
    )
    with interrupted(page, "write_report"):
        one_line(answer(*arguments, cwd=REPOSITORY), "all results are in")
    assert commands.answer(report.main, ["w"], tmp_path).returncode == 0
    assert "Complete already" in answer(*arguments, cwd=REPOSITORY).stdout


@pytest.mark.parametrize(
    ("main", "module", "name", "arguments", "words"),
    [
        (prepare.main, prepare, "prepare", ["mnist5k"], "goes on from what is whole"),
        (report.main, report, "_read", ["."], "writes the report anew"),
        (bench.main, bench, "parse", ["solve"], ""),
    ],
    ids=["prepare", "report", "bench"],
)
def test_the_other_commands_end_with_one_line(
    main: Callable, module: object, name: str, arguments: list[str], words: str, tmp_path: Path
) -> None:
    with interrupted(module, name):
        one_line(commands.answer(main, arguments, tmp_path), "stopped by SIGTERM", words)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "number"), list(zip(PLACES, SIGNALS * 4, strict=True)))
def test_a_real_signal_at_any_stage(
    place: str, number: signal.Signals, environment: dict[str, str], answer: Command, tmp_path: Path
) -> None:
    workdir = tmp_path / "run"
    words = [sys.executable, "-c", DRIVE, place, str(int(number)), MAIN, *SMALL,
             f"--workdir={workdir}"]  # fmt: skip
    result = subprocess.run(
        words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    one_line(result, PLACES[place].format(workdir=workdir))
    assert ("Ctrl-C" if number == signal.SIGINT else "SIGTERM") in result.stderr
    assert answer(*SMALL, f"--workdir={workdir}").returncode == 0
    assert read_summary(workdir)["members"][0]["epochs"] == 2
