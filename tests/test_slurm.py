"""launch/slurm.sbatch and slurm_array.sbatch on a real SLURM: one node, its daemons started here.

Needs root and the programs of SLURM and MUNGE (Debian: slurm-wlm, munge).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import QUICKLY, REPOSITORY
from helpers.processes import free_port

SBATCH = REPOSITORY / "launch" / "slurm.sbatch"
ARRAY = REPOSITORY / "launch" / "slurm_array.sbatch"
missing = [name for name in ("slurmctld", "slurmd", "munged") if not shutil.which(name)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)} here"),
    pytest.mark.skipif(os.geteuid() != 0, reason="SLURM's daemons need root"),
]
# A name of its own for the host, so that nothing depends on how the real one resolves.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
JobRequeue=1
ReturnToService=2
KillWait=10
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4 GraceTime=20
PartitionName=urgent Nodes=ALL PriorityTier=10 State=UP
"""
Slurm = Callable[..., str]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Runs a program of SLURM against a cluster of one node; returns its output."""
    folder = tmp_path_factory.mktemp("slurm")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)  # slurmd wants to reach its folders as any user
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0], port=free_port(), node_port=free_port(),
        folder=folder,
    ))  # fmt: skip
    environ = {**os.environ, "SLURM_CONF": str(configuration)}
    munge = folder / "munge"
    daemons = [
        ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket",
         f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed",
         "--origin=127.0.0.1"],
        ["slurmctld", "-D", "-f", str(configuration)],
        ["slurmd", "-D", "-f", str(configuration)],
    ]  # fmt: skip
    started = []

    def run(*words: str, **more: str) -> str:
        result = subprocess.run(words, env={**environ, **more}, text=True, capture_output=True,
                                check=False, timeout=60)  # fmt: skip
        assert result.returncode == 0, (words, result.stderr)
        return result.stdout

    try:
        for words in daemons:
            with open(folder / f"{words[0]}.out", "w") as out:
                started.append(subprocess.Popen(words, env=environ, stdout=out, stderr=out))
            time.sleep(0.5)
        for _ in range(120):
            state = subprocess.run(["sinfo", "--noheader", "--format=%t"], env=environ, text=True,
                                   capture_output=True, check=False)  # fmt: skip
            if state.stdout.strip() == "idle":
                break
            time.sleep(0.5)
        else:
            logs = [path.read_text()[-2000:] for path in folder.glob("*.log")]
            pytest.fail(f"the node did not come up: {state.stdout} {state.stderr} {logs}")
        yield run
        subprocess.run(["scancel", "--user=root"], env=environ, check=False, timeout=60)
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def submit(
    slurm: Slurm,
    tmp_path: Path,
    *words: str,
    run: str = "",
    script: Path = SBATCH,
    log_name: str = "job.log",
    **more: str,
) -> tuple:
    """Submits a script; returns the job's number and its log file."""
    log = tmp_path / log_name
    options = [word for word in words if not word.startswith("+")]
    arguments = [word[1:] for word in words if word.startswith("+")]
    answer = slurm(
        "sbatch", "--parsable", f"--output={log}", f"--chdir={REPOSITORY}", "--nodes=1",
        "--overcommit", *options, str(script), *arguments,
        PYTHONPATH=str(REPOSITORY), RUN=run or f"{sys.executable} -m rethinking_jax.main",
        JAX_PLATFORMS="cpu", XLA_FLAGS=f"{QUICKLY} --xla_force_host_platform_device_count=2",
        **more,
    )  # fmt: skip
    return answer.strip(), log


def wait_until(condition: Callable[[], object], seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, log.read_text() if log.exists() else "no log"
        time.sleep(0.2)


def state(slurm: Slurm, job: str) -> str:
    shown = slurm("scontrol", "show", "job", job)
    match = re.search(r"JobState=(\w+)", shown)
    assert match, shown
    return match[1]


def wait_for_state(slurm: Slurm, job: str, wanted: str, log: Path, seconds: float = 120) -> None:
    def reached() -> bool:
        now = state(slurm, job)
        assert now in (wanted, "PENDING", "RUNNING", "COMPLETING"), (now, log.read_text())
        return now == wanted

    wait_until(reached, seconds, log)


def start_soon(slurm: Slurm, job: str, log: Path) -> None:
    """Starts a requeued job, for which SLURM would wait two minutes.

    Not at once: slurmd refuses a job whose last start it revoked within the same second.
    """
    wait_for_state(slurm, job, "PENDING", log)
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now+3")


def has(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text()


def program(tmp_path: Path, text: str) -> str:
    """The variable RUN for a small Python program."""
    file = tmp_path / "program.py"
    file.write_text("import os, pathlib, signal, sys, time\n" + text)
    return f"{sys.executable} -u {file}"


def test_two_tasks_are_one_run(slurm: Slurm, tmp_path: Path) -> None:
    """jax reads who is who from SLURM; each task has two devices of its own."""
    run = f"{sys.executable} {REPOSITORY / 'tests' / 'psum.py'}"
    job, log = submit(slurm, tmp_path, "--ntasks-per-node=2", "+3", run=run)
    wait_for_state(slurm, job, "COMPLETED", log)
    assert "sum 10 over 4 devices in 2 processes" in log.read_text()


def test_a_killed_task_ends_the_other_and_requeues_the_job(slurm: Slurm, tmp_path: Path) -> None:
    run = f"{sys.executable} {REPOSITORY / 'tests' / 'psum.py'}"
    job, log = submit(slurm, tmp_path, "--ntasks-per-node=2", "+100000", run=run)
    wait_until(lambda: log.exists() and log.read_text().count("round") > 20, 120, log)
    listed = subprocess.run(["pgrep", "-f", f"^{sys.executable} .*psum.py 100000"], text=True,
                            capture_output=True, check=True)  # fmt: skip
    os.kill(int(listed.stdout.split()[0]), signal.SIGKILL)
    wait_until(lambda: has(log, f"+ scontrol requeue {job}"), 60, log)
    text = log.read_text()
    assert "of 2 ended because another process is gone" in text
    assert re.search(r"the run ended with code 1(34|37)", text)
    wait_for_state(slurm, job, "PENDING", log)
    slurm("scancel", job)


@pytest.mark.parametrize("tasks", [1, 2])
def test_a_job_whose_time_is_up_saves_and_goes_on_after_a_requeue(
    tasks: int, slurm: Slurm, tmp_path: Path, data_dir: Path
) -> None:
    """The real command: USR1 to the script, SIGTERM to the tasks, saved, requeued, ended."""
    workdir = tmp_path / "a run"
    job, log = submit(
        slurm, tmp_path, f"--ntasks-per-node={tasks}", "+--config=configs/quickstart.py",
        "+--config.sweep=[{\"seed\": 0}]", "+--config.epochs=60", "+--config.train_examples=1500",
        "+--config.stop_when_fitted=False", f"+--workdir={workdir}", TFDS_DATA_DIR=str(data_dir),
    )  # fmt: skip
    metrics = workdir / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, 120, log)
    slurm("scancel", "--batch", "--signal=USR1", job)
    wait_until(lambda: has(log, f"+ scontrol requeue {job}"), 60, log)
    assert re.search(r"stopped by SIGTERM.*: saved", log.read_text())
    done = len(metrics.read_text().splitlines())
    assert done < 60
    start_soon(slurm, job, log)
    wait_for_state(slurm, job, "COMPLETED", log, seconds=240)
    text = log.read_text()  # of both: open-mode=append
    assert "restart 0" in text
    assert "restart 1" in text
    assert "resuming from step" in text
    assert f"On {2 * tasks} x CPU" in text
    assert len(metrics.read_text().splitlines()) == 60
    assert json.loads((workdir / "summary.json").read_text())["members"][0]["epochs"] == 60


@pytest.mark.parametrize(
    ("code", "again"), [(0, False), (1, False), (2, False), (134, True), (137, True)]
)
def test_which_exit_codes_requeue(slurm: Slurm, tmp_path: Path, code: int, again: bool) -> None:
    run = program(tmp_path, f"sys.exit({code})")
    job, log = submit(slurm, tmp_path, run=run)
    wait_until(lambda: has(log, f"ended with code {code}"), 60, log)
    wanted = "PENDING" if again else "FAILED" if code else "COMPLETED"
    wait_for_state(slurm, job, wanted, log)
    slurm("scancel", job)


def test_restarts_are_capped(slurm: Slurm, tmp_path: Path) -> None:
    job, log = submit(slurm, tmp_path, run=program(tmp_path, "sys.exit(134)"), MAX_RESTARTS="0")
    wait_for_state(slurm, job, "FAILED", log)
    assert "0 restarts are enough" in log.read_text()


def patient(tmp_path: Path) -> str:
    """A program that ends with exit code 1 and a word when it gets SIGTERM."""
    return program(tmp_path, """
signal.signal(signal.SIGTERM, lambda *_: sys.exit('told'))
print('ready')
time.sleep(100)
""")  # fmt: skip


def test_a_preempted_job_saves_and_comes_back(slurm: Slurm, tmp_path: Path) -> None:
    job, log = submit(slurm, tmp_path, "--partition=all", run=patient(tmp_path))
    wait_until(lambda: has(log, "ready"), 60, log)
    urgent = slurm("sbatch", "--parsable", "--exclusive", "--partition=urgent",
                   "--output=/dev/null", "--wrap=sleep 2").strip()  # fmt: skip
    wait_until(lambda: has(log, f"+ scontrol requeue {job}"), 60, log)
    assert "told" in log.read_text()
    wait_for_state(slurm, urgent, "COMPLETED", log)
    start_soon(slurm, job, log)
    wait_until(lambda: has(log, "restart 1"), 120, log)
    slurm("scancel", job)


def test_scancel_is_final(slurm: Slurm, tmp_path: Path) -> None:
    run = patient(tmp_path)
    job, log = submit(slurm, tmp_path, run=run)
    wait_until(lambda: has(log, "ready"), 60, log)
    slurm("scancel", job)
    wait_for_state(slurm, job, "CANCELLED", log)
    wait_until(lambda: has(log, "told"), 30, log)
    assert "requeue" not in log.read_text()


def submit_array(slurm: Slurm, tmp_path: Path, *words: str, **more: str) -> tuple:
    """Submits an array of two jobs; returns its number and the log file of each."""
    job, _ = submit(slurm, tmp_path, "--array=1-2", *words, script=ARRAY, log_name="%a.log",
                    LAUNCH=str(ARRAY.parent), **more)  # fmt: skip
    return job, [tmp_path / f"{task}.log" for task in (1, 2)]


def test_an_array_trains_the_shares_of_a_sweep(
    slurm: Slurm, tmp_path: Path, data_dir: Path
) -> None:
    """The real commands: two jobs, a folder for each, one report."""
    runs = tmp_path / "a sweep"
    job, logs = submit_array(
        slurm, tmp_path, "+--config=configs/quickstart.py", "+--config.epochs=2",
        "+--config.sweep=[{\"seed\": 0}, {\"seed\": 1}, {\"seed\": 2}]",
        "+--config.train_examples=300", f"+--workdir={runs}", TFDS_DATA_DIR=str(data_dir),
    )  # fmt: skip
    folders = [runs / "1-of-2", runs / "2-of-2"]
    for task, log in enumerate(logs, 1):
        wait_for_state(slurm, f"{job}_{task}", "COMPLETED", log, seconds=240)
    names = [json.loads((own / "summary.json").read_text())["members"] for own in folders]
    assert [[member["name"] for member in own] for own in names] == [
        ["seed=0"], ["seed=1", "seed=2"],
    ]  # fmt: skip
    words = [*map(str, folders), f"--joined={runs / 'report'}"]
    joined = subprocess.run([sys.executable, "-m", "rethinking_jax.report", *words], text=True,
                            capture_output=True, check=False, cwd=REPOSITORY)  # fmt: skip
    assert joined.returncode == 0, joined.stderr
    assert (runs / "report" / "tables" / "results.csv").read_text().count("\n") == 4


@pytest.mark.parametrize("task", [1, 2])
def test_a_job_of_an_array_is_requeued_alone(slurm: Slurm, tmp_path: Path, task: int) -> None:
    """The number of one of the jobs is that of the array, and stands for all jobs."""
    job, logs = submit_array(slurm, tmp_path, "+--workdir=a", run=patient(tmp_path))
    own, other = logs[task - 1], logs[2 - task]
    for log in logs:
        wait_until(partial(has, log, "ready"), 60, log)
    slurm("scancel", "--batch", "--signal=USR1", f"{job}_{task}")
    wait_until(lambda: has(own, f"+ scontrol requeue {job}_{task}"), 60, own)
    assert "told" in own.read_text()
    start_soon(slurm, f"{job}_{task}", own)
    wait_until(lambda: has(own, "restart 1"), 120, own)
    wait_until(lambda: own.read_text().count(f"--runs={task}/2") == 2, 60, own)
    assert state(slurm, f"{job}_{3 - task}") == "RUNNING"
    assert "told" not in other.read_text()
    slurm("scancel", job)


def test_a_shell_of_salloc_waits_for_nobody(slurm: Slurm) -> None:
    """SLURM_NTASKS says 2 there, but the program is alone."""
    code = "import os; from rethinking_jax.host import distributed as d; print(d.plan(os.environ))"
    out = slurm("salloc", "--ntasks=2", "--overcommit", sys.executable, "-c", code,
                PYTHONPATH=str(REPOSITORY))  # fmt: skip
    assert out.strip() == "None"
    out = slurm("srun", "--ntasks=2", "--overcommit", sys.executable, "-c", code,
                PYTHONPATH=str(REPOSITORY))  # fmt: skip
    assert out.count("method='slurm'") == 2
