"""The campaign: how it divides its time, goes on, and survives what its parts do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import pytest
from absl import flags
from helpers.benchmarks import bench
from helpers.commands import answer
from hypothesis import given
from hypothesis import strategies as st

from rethinking_jax import experiment
from rethinking_jax import main as command
from rethinking_jax.analysis import paper
from rethinking_jax.bench import __main__, campaign, findings, leash, parts
from rethinking_jax.bench.results import save
from rethinking_jax.errors import RunFailed, UserError

MACHINE = {"bench": "campaign", "settings": {}, "device": "a GPU", "backend": "gpu"}

# Parts and plan ----------------------------------------------------------------------


@given(st.lists(st.integers(1, 500), max_size=12), st.floats(1, 2000))
def test_a_plan_gives_all_the_time_to_the_first_that_fit(needs: list[int], seconds: float) -> None:
    needed = {f"part {i}": float(own) for i, own in enumerate(needs)}
    shares = parts.plan(needed, seconds)
    assert list(shares) == list(needed)
    before = 0.0
    for name, own in needed.items():
        fits = before + own <= seconds
        assert (shares[name] >= own * (1 - 1e-9)) if fits else (shares[name] == 0)
        before += own if fits else 0
    assert sum(shares.values()) == (pytest.approx(seconds) if before else 0)


def test_the_first_parts_of_25_minutes_are_those_that_matter_most() -> None:
    needed = {part.name: float(part.seconds) for part in parts.parts_on("gpu")}
    fitting = [name for name, share in parts.plan(needed, 1490).items() if share]
    assert fitting[:3] == ["sweep", "figure1a", "train_inception_small"]
    assert {"imagenet_inception_v3", "imagenet_resnet_50", "input", "solve"} < set(fitting)
    assert sum(part.seconds for part in parts.parts_on("cpu")) < 1490


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("name", parts.PARTS)
def test_every_part_is_a_command_that_exists(name: str, backend: str) -> None:
    (part,) = (part for part in parts.parts_on(backend) if part.name == name)
    door, *words = part.words.split()
    if door == "bench":
        assert __main__.parse(words).bench == words[0]
        return
    values = flags.FlagValues()
    assert command.parse_flags(["main", *words], values) == ["main"]
    members = experiment.members(values.config)
    assert {member.config["dataset"] for member in members} == {paper.DATASET}
    assert values.config.train_examples == (256 if backend == "cpu" else 0)


# The loop ----------------------------------------------------------------------------


class Machine:
    """In place of processes: a clock, and what becomes of each part."""

    def __init__(self, outcomes: dict[str, list[tuple[int | None, float]]]) -> None:
        """Takes exit codes and seconds by part; a part that is not named is done in a second."""
        self.now, self.outcomes = 1000.0, outcomes
        self.began: list[tuple[str, float]] = []
        self.words: list[Sequence[str]] = []

    def monotonic(self) -> float:
        return self.now

    def run(
        self, words: Sequence[str], log: Path, seconds: float, tell: Callable[[str], None]
    ) -> leash.Ended:
        if log.stem == "device":
            return leash.Ended(0, False, json.dumps(MACHINE), 0.0)
        if words[0].endswith("report"):
            Path(words[-1].removeprefix("--numbers=")).write_text('{"runs": []}')
            return leash.Ended(0, False, "", 0.0)
        if words[0].endswith("main"):
            Path(words[-1].removeprefix("--workdir=")).mkdir(exist_ok=True)
        self.began.append((log.stem, seconds))
        self.words.append(words)
        code, took = (self.outcomes.get(log.stem) or [(0, 1.0)]).pop(0)
        self.now += min(took, seconds)
        return leash.Ended(code, took > seconds, f"the last line of {log.stem}", took)


def carried_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, output: Path, minutes: int, *names: str
) -> dict[str, tuple[str, str]]:
    """State and reason of each part that a campaign told of; it saves as the command does."""

    def refuse() -> Any:
        raise AssertionError("the campaign's own process takes the device's memory")

    monkeypatch.setattr(leash, "run", machine.run)
    monkeypatch.setattr(campaign, "time", machine)
    monkeypatch.setattr(jax, "devices", refuse)
    monkeypatch.setattr(jax, "default_backend", refuse)
    settings = campaign.resolve(minutes, ",".join(names), "", str(output))
    found = {}
    for record in campaign.bench_campaign(settings, lambda line: None):
        save(str(output), record)
        found[record["settings"]["part"]] = (record["state"], record["reason"])
    return found


def test_a_part_that_fails_is_told_and_tried_again_and_one_that_is_done_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, names = tmp_path / "gpu.json", ("sweep", "solve", "members")
    machine = Machine({"solve": [(1, 5.0), (0, 5.0)], "members": [(-9, 5.0), (0, 5.0)]})
    assert carried_out(machine, monkeypatch, output, 25, *names) == {
        "sweep": ("done", ""),
        "solve": ("failed", "the last line of solve"),
        "members": ("failed", "ended by signal 9 after: the last line of members"),
    }
    found = carried_out(machine, monkeypatch, output, 25, *names)
    assert found == {"solve": ("done", ""), "members": ("done", "")}
    assert carried_out(machine, monkeypatch, output, 25, *names) == {}
    assert [name for name, _ in machine.began] == [*names, "solve", "members"]
    assert [record["state"] for record in campaign.found_in(output)] == ["done"] * 3


def test_what_does_not_fit_is_skipped_with_its_reason_and_what_is_over_goes_to_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, names = tmp_path / "gpu.json", ("sweep", "figure1a", "solve")
    machine = Machine({"sweep": [(0, 10.0)], "solve": [(0, 20.0)]})
    # 170 seconds: not enough for Figure 1a.
    found = carried_out(machine, monkeypatch, output, 3, *names)
    assert found == {
        "sweep": ("done", ""),
        "solve": ("done", ""),
        "figure1a": ("skipped", "it takes about 7:00, and 2:20 were left"),
    }
    assert machine.began == [("sweep", 85.0), ("solve", 160.0)]
    assert carried_out(machine, monkeypatch, output, 3, *names) == {}  # nothing new to tell
    assert carried_out(machine, monkeypatch, output, 8, *names) == {"figure1a": ("done", "")}


def test_an_experiment_that_was_ended_goes_on_with_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, names = tmp_path / "gpu.json", ("figure1a", "solve")
    machine = Machine({"figure1a": [(1, 9999.0), (1, 9999.0), (0, 10.0)], "solve": [(0, 5.0)]})
    found = carried_out(machine, monkeypatch, output, 10, *names)
    assert found["figure1a"][0] == "out of time" and found["solve"] == ("done", "")
    tries = [seconds for name, seconds in machine.began if name == "figure1a"]
    # Of each, 20 seconds are kept for reading what it came to.
    first = 590 * 420 / 480 - 20
    assert tries == [pytest.approx(first), pytest.approx(590 - first - 5 - 20)]
    assert machine.now == pytest.approx(1000 + 590 - 20)
    found = carried_out(machine, monkeypatch, output, 2, *names)  # the whole would not fit
    assert found == {"figure1a": ("done", "")}
    (folder,) = {words[-1] for words in machine.words if words[0].endswith("main")}
    assert folder == f"--workdir={tmp_path}/gpu_parts/figure1a"
    figure, solve = sorted(campaign.found_in(output), key=lambda one: one["settings"]["part"])
    assert (figure["numbers"], solve["records"]) == ({"runs": []}, [])


def test_results_of_another_device_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "gpu.json"
    save(str(output), MACHINE | {"device": "another GPU", "state": "done"})
    with pytest.raises(UserError, match="results of another GPU, and this is a GPU: give another"):
        carried_out(Machine({}), monkeypatch, output, 25)


def test_a_device_that_cannot_be_asked_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leash, "run", lambda *_: leash.Ended(1, False, "no such device", 1.0))
    settings = campaign.resolve(1, "", "", str(tmp_path / "gpu.json"))
    with pytest.raises(RunFailed, match="the device cannot be asked: no such device"):
        next(campaign.bench_campaign(settings, lambda line: None))


# Processes ---------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module that processes find, and returns its name."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(leash.__file__).parents[2]}")

    def write(code: str) -> str:
        (tmp_path / "given.py").write_text(f"import os, signal, subprocess, sys, time\n{code}")
        return "given"

    return write


def test_a_command_ends_with_its_code_and_its_last_line(
    module: Callable[[str], str], tmp_path: Path
) -> None:
    complaint = "print('rethinking_jax: no\\n', file=sys.stderr)"
    name = module(f"print(sys.argv[1:], __name__)\n{complaint}\nsys.exit(3)")
    ended = leash.run([name, "--a=b"], tmp_path / "log", 30, print)
    assert (ended.code, ended.late, ended.said) == (3, False, "no")
    assert (tmp_path / "log").read_text().splitlines()[0] == "['--a=b'] __main__"


def test_a_command_that_hangs_ends_in_time_and_what_it_started_too(
    module: Callable[[str], str], tmp_path: Path
) -> None:
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(60)']"
    name = module(
        "signal.signal(signal.SIGTERM, lambda *_: print('asked to end', flush=True))\n"
        f"print(subprocess.Popen({sleeper}).pid, flush=True)\n"
        "while True: time.sleep(60)"
    )
    started = time.monotonic()
    ended = leash.run([name], tmp_path / "log", 4, print)
    assert (ended.code, ended.late, ended.said) == (-signal.SIGKILL, True, "asked to end")
    assert time.monotonic() - started < 9
    assert_gone(int((tmp_path / "log").read_text().splitlines()[0]))


def test_a_command_ends_with_the_process_that_started_it(
    module: Callable[[str], str], tmp_path: Path
) -> None:
    name, log = module("print(os.getpid(), flush=True)\ntime.sleep(60)"), tmp_path / "log"
    code = (
        "from pathlib import Path\nfrom rethinking_jax.bench import leash\n"
        f"leash.run([{name!r}], Path({str(log)!r}), 60, print)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        while not (log.exists() and log.read_text().endswith("\n")):
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    assert_gone(int(log.read_text()))


def assert_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and _state(pid) != "Z":
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.05)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


# What is found -----------------------------------------------------------------------


def a_run(name: str, **values: Any) -> dict[str, Any]:
    """What `rethinking_jax.analysis.numbers` keeps of a run, as far as it is shown."""
    usual = {"model": "inception_small", "setting": name, "regularizers": [], "augmentation": ""}
    measured = {"train_accuracy": 0.5, "test_accuracy": 0.25, "epochs": 3, "comparable": "yes"}
    return {"name": name, **usual, **measured, **values}


def test_the_table_has_a_few_numbers_of_each_part() -> None:
    figure = paper.figure_1()
    steps = [2000 * thousand for thousand in figure["thousand_steps"]]  # twice as many
    theirs = figure["training_loss"]["true_labels"]
    runs = [
        a_run(
            "true_labels",
            curve_of_batches=list(zip(steps, theirs, strict=True)),
        ),
        a_run("random_labels", train_accuracy=0.99998, curve_of_batches=[[391, None]]),  # nan
        a_run("gaussian", comparable="not comparable: 256 training images"),
    ]
    text = "accuracy in training and test, epoch 3"
    numbers = {"runs": runs}
    far = campaign.distances(numbers)
    assert dict(findings.findings({"numbers": numbers, "distances": far})) == {
        f"true_labels: {text}": "0.5000, 0.2500 (paper 1.0000, 0.8575)",
        "true_labels: steps to loss 0.1 over the paper's": "2.00",
        "true_labels: steps at equal losses over the paper's": "2.00",
        f"random_labels: {text}": "0.99998, 0.2500 (paper 1.0000, 0.0978)",
        f"gaussian: {text}": "0.5000, 0.2500",
    }
    ratio = {"of": "ours", "over": "PyTorch", "rounds": [1.0, 3.0, 2.0]}
    train = {"settings": {"model": "mlp_1x512"}, "ratios": [ratio], "picked": "ours",
             "seconds": {"ours": [0.5, 1.0]}, "images_per_round": {"ours": 1000},
             "peak_share": [0.1, 0.2]}  # fmt: skip
    assert dict(findings.findings({"records": [train]})) == {
        "ours / PyTorch": "2.00 (1.00 to 3.00)",
        "images/s": "1,500 (1,000 to 2,000)",
        "of the matmul peak": "15.0% (10.0% to 20.0%)",
    }
    machine = {"name": "gaussian", "test_error": 0.46, "norm": 1234.5}
    found = findings.findings({"numbers": {"members": [machine]}, "distances": {}})
    assert list(found) == [("gaussian: test error and norm", "0.4600, 1,234")]
    assert list(findings.findings({"numbers": {}, "distances": {}})) == []


# The command -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--minutes=0", "--output=a.json"], ["--minutes", "'0'", "at least 1"]),
        (["--parts=sweep,figure1", "--output=a.json"], ["'figure1'", "did you mean 'figure1a'"]),
        ([], ["campaign", "--output=FILE"]),
        (["--show", "--output=a.json"], ["--output=a.json", "no results of a campaign"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: list[str], words: list[str], tmp_path: Path
) -> None:
    result = answer(__main__.main, ["campaign", *arguments], tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    for word in words:
        assert word in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_campaign_on_a_cpu(environment: dict[str, str], tmp_path: Path) -> None:
    """Also that a part whose data are missing is told in its own words, and that it goes on."""
    words = ["campaign", "--minutes=4", "--parts=figure1a,train_mlp_1x512", "--output=c.json"]
    result = bench(environment, *words, cwd=tmp_path)
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    assert "failed: figure1a; the same command" in result.stderr
    figure, train = json.loads((tmp_path / "c.json").read_text())
    assert (figure["state"], train["state"]) == ("failed", "done")
    assert "'cifar10' is not prepared" in figure["reason"] and figure["numbers"] == {}
    assert train["device"].startswith("CPU") and train["versions"]["jax"] == jax.__version__
    assert [record["settings"]["model"] for record in train["records"]] == ["mlp_1x512"]
    assert "of the matmul peak" in result.stdout
    shown = bench(environment, "campaign", "--show", "--output=c.json", cwd=tmp_path)
    table = shown.stdout[shown.stdout.index("campaign, CPU") :]
    assert shown.returncode == 0 and result.stdout.endswith(table)
    assert "figure1a: failed: dataset='cifar10' is not prepared" in table
