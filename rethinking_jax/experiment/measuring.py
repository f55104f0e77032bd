"""Experiments that measure what theory says."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import jax
from ml_collections import ConfigDict

from rethinking_jax.analysis import findings
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.data import fingerprint
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.experiment.job import Job
from rethinking_jax.experiment.stage import open_stage
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.report import page
from rethinking_jax.step.precision import flagged
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.talk import file as talk
from rethinking_jax.talk import material
from rethinking_jax.theory import settings
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.fitting import Lab
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.kinds import kind_of
from rethinking_jax.workdir.folder import Fingerprint
from rethinking_jax.workdir.metrics import Json

# What carries out a config in a folder, see `rethinking_jax.experiment.lifecycle.run`.
RunConfig = Callable[..., Json]


def check(job: Job) -> None:
    """Refuses runs that cannot be one experiment of theory.

    Raises:
      UserError: says what would be right.
    """
    settings.check_shared(job.config, job.members)
    if job.measure is not None:
        raise UserError(f"measure= is for runs that train, not for config.kind={job.config.kind}")
    if job.dataset is not None and job.dataset.streamed:
        raise UserError(f"dataset= is streamed: config.kind={job.config.kind} takes one in memory")
    if jax.process_count() > 1:
        raise UserError(
            f"{job.config.kind} runs in one process: start it once, without num_processes"
        )


def read(job: Job) -> list[Fingerprint]:
    """Reads again the data that runs of the workdir have read, and returns which they are."""
    tasks = Tasks(job.say, job.dataset)
    begun = {name for one in job.folder.fingerprints() for name in one.runs}
    for name, config in job.members:
        if name in begun:
            tasks.dataset(config)
    return tasks.fingerprints(job.members)


def _claim(job: Job, tasks: Tasks) -> None:
    """Makes the workdir the job's, unless it is of other data than those that were read."""
    read = tasks.fingerprints(job.members)
    fingerprint.check_same(job.folder.fingerprints(), read, job.workdir)
    job.folder.claim([one._asdict() for one in read])


def measure(job: Job, run: RunConfig) -> tuple[Json, Callable[[], None]]:
    """Measures what a kind of theory experiment asks for, and writes it.

    Theory is of numbers, not of speed: products are float32's, unless a flag of JAX says otherwise.
    """
    with jax.default_matmul_precision(flagged("float32")):
        return _measured(job, run)


def _measured(job: Job, run: RunConfig) -> tuple[Json, Callable[[], None]]:
    job.say(f"On {describe_device()}; results go to {job.workdir}")
    kind, tasks = kind_of(job.config), Tasks(job.say, job.dataset)
    claim = partial(_claim, job, tasks)
    tools = Tools(
        tasks=tasks,
        say=job.say,
        open_lab=partial(_lab, job, claim),
        run_experiment=partial(_run_within, job, run),
        write_deck=partial(_write_deck, job),
    )
    found = kind.measure(job.members, tools)
    summary = {
        "experiment": job.config.experiment,
        "kind": job.config.kind,
        "dataset": ", ".join(dict.fromkeys(kind.data_name(own) for _, own in job.members)),
        "device": describe_device(),
        "matmul_precision": flagged(),
        "versions": versions(),
        "wall_seconds": round(time.monotonic() - job.started, 3),
        "command": job.command,
        "verdicts": [verdict._asdict() for verdict in found.verdicts],
        "members": found.members,
    }
    claim()
    findings.write(job.workdir, found)
    results = TheoryResults(job.folder.config, summary, found)
    return summary, partial(page.write_report, job.workdir, results)


def _run_within(job: Job, run: RunConfig, config: ConfigDict, name: str) -> Json:
    """Carries out another config in a folder of a job's workdir."""
    try:
        return run(config, job.workdir / name, dataset=job.dataset, report=job.report)
    except RunFailed as error:
        again = job.command or "the same command"
        raise RunFailed(f"{error}; then, to go on in {job.workdir}: {again}") from error


def _write_deck(job: Job, folders: Sequence[str]) -> None:
    """Writes the talk of what some folders of a job's workdir hold."""
    found = {
        place: one for name in folders for place, one in material.read(job.workdir / name).items()
    }
    talk.write(job.workdir / talk.NAME, found, job.config.language, job.say)
    job.say(f"Slides: {job.workdir / talk.NAME}")


@contextmanager
def _lab(job: Job, claim: Callable[[], None]) -> Iterator[Lab]:
    """Opens the place where a kind of theory experiment trains networks."""
    with open_stage(job, ProgressReport(job.console)) as stage:
        yield Lab(stage, claim)
