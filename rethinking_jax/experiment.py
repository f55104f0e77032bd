"""One experiment from its config to its results, as `main` and a notebook run it."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate

import jax
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax import screen
from rethinking_jax.analysis import drawing, findings
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import Results, read_pictures
from rethinking_jax.cli import reason
from rethinking_jax.data import Dataset, fingerprint
from rethinking_jax.data.runs import load_datasets, training_sets
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host import flags
from rethinking_jax.host.environment import check_devices, describe_device, versions
from rethinking_jax.host.processes import is_primary, refuse_together, wait_for_all
from rethinking_jax.host.signals import stop_requests
from rethinking_jax.job import Job, Way, found_complete
from rethinking_jax.models import Architecture
from rethinking_jax.pictures import illustrations
from rethinking_jax.report import page
from rethinking_jax.step.precision import flagged
from rethinking_jax.sweep import (
    groups,
    longer,
    profiling,
    recorder,
    recut,
    remaining,
    selection,
    shares,
)
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.loop import is_complete, train_chunk
from rethinking_jax.sweep.measure import of_each_run
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.stage import Measure, Stage, measures_nothing
from rethinking_jax.sweep.summary import summarize
from rethinking_jax.talk import file as talk
from rethinking_jax.talk import material
from rethinking_jax.theory import settings
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.fitting import Lab
from rethinking_jax.theory.kind import Tools
from rethinking_jax.theory.kinds import kind_of
from rethinking_jax.workdir import damage, metrics, owner, storage, tensorboard
from rethinking_jax.workdir.folder import Fingerprint, Folder, TrainingSet
from rethinking_jax.workdir.metrics import Json, Line
from rethinking_jax.workdir.storage import AnyPath


def way_of(config: ConfigDict) -> Way:
    """Returns how a config is carried out: one that names no kind of theory trains."""
    return MEASURING if "kind" in config else TRAINING


def members(config: ConfigDict) -> list[configs.Member]:
    """Returns the runs of a config of any kind, checked; see `rethinking_jax.config.members`."""
    return configs.members(config, way_of(config).check, settings.keys_of(config))


@flags.settled()
def run(
    config: "ConfigDict | Mapping[str, object]",
    workdir: "AnyPath | str",
    *,
    dataset: Dataset | None = None,
    model: Architecture | None = None,
    measure: Measure | None = None,
    command: str = "",
    console: Console | None = None,
    report: bool = True,
    share: str = "",
) -> Json:
    """Carries out every run of a config, or what is left of them, and writes the results.

    Args:
      config: `rethinking_jax.config.base_config()` or `rethinking_jax.theory.settings
        .theory_config(KIND)` with changes, or a dict of some of their keys.
      workdir: the folder for all results; the README names its files. Several processes
        share it. A path, or gs://BUCKET/FOLDER or s3://BUCKET/FOLDER.
      dataset: what all runs read; default: what the config names.
      model: a Linen class that all runs train; default: what the config names. The results name
        both, and go on with the same only.
      measure: numbers that the lines of `metrics.jsonl` hold besides ours.
      command: what to type to resume, for messages and the report; '' where nobody typed one.
      console: where to show progress; default: standard output.
      report: whether to write figures, tables and a report, too.
      share: which part of the runs is carried out here, such as "2/4", see
        `rethinking_jax.sweep.shares`; "": all of them.

    Returns:
      What `summary.json` holds.

    Raises:
      UserError: bad input, or a claim that cannot hold for this data; nothing is written.
      RunFailed: stopped by a signal, the loss of every run stopped being a number, or the report
        could not be written; the results are.
    """
    started = time.monotonic()
    name = configs.dataset_name(dataset.name, dataset.digest) if dataset else None
    config = configs.with_names(configs.resolved(config, settings.theory_config), model, name)
    runs, console, of_share = members(config), console or Console(), {}
    if share:
        own, sweep = shares.share_of(share, config), configs.parse_sweep(config)
        chosen, of_share = shares.places(runs, own), own.keys(sweep)
        config, runs = shares.part(config, runs, own), [runs[place] for place in chosen]
    identity = partial(configs.identity_of, keys=settings.keys_of(config))
    folder = Folder(storage.open_path(workdir), configs.to_json(config) | of_share, identity)
    runs = configs.named_as_begun(config, runs, folder.names)
    return _finished(Job(config, runs, folder, command, console, report, started, dataset, measure))


def _finished(job: Job) -> Json:
    """Carries out what is left of a job and returns its summary."""
    way = way_of(job.config)
    check_devices()
    way.check_job(job)
    summary, failure = found_complete(job, way), None
    if summary is None:
        if job.report:
            drawing.check_matplotlib()
        job.folder.check_writable()
        damage.check_places(job.workdir, write=True)
        with owner.owned(job.workdir, job.command, job.say) as check:
            summary, failure = _carried_out(job._replace(check_owner=check))
    way.show(job, summary)
    if failure is not None:
        pictures = "" if "kind" in job.config else " --pictures"
        raise RunFailed(
            f"the report is not written ({reason(failure)}); all results are in {job.workdir}. To "
            f"write it: python -m rethinking_jax.report {shlex.quote(str(job.workdir))}{pictures}"
        ) from failure
    return summary


def _carried_out(job: Job) -> tuple[Json, BaseException | None]:
    """Does what is left, in a workdir that nobody else works in.

    Returns:
      The summary, and why the report could not be written, if so.
    """
    way = way_of(job.config)
    summary, failure = found_complete(job, way), None  # by the owner before, perhaps
    if summary is None:
        for text in way.damage(job):
            job.say(text)
        summary, write_report = way.carry_out(job)
        job.check_owner()
        failure = _failure_of(write_report) if job.report else None
        if is_primary():
            job.folder.finish(summary)
        wait_for_all("all is written")
    return summary, failure


def _failure_of(write_report: Callable[[], None]) -> BaseException | None:
    """Writes the report, and returns what went wrong: what is measured is kept all the same."""
    try:
        write_report()
    except (Exception, KeyboardInterrupt) as error:
        return error
    return None


@contextmanager
def _stage(job: Job, progress: ProgressReport, before: float = 0.0) -> Iterator[Stage]:
    """Gives training what it needs from the outside world; Ctrl-C and SIGTERM stop it.

    Args:
      job: what is carried out.
      progress: shows how it goes.
      before: seconds that earlier sessions took.
    """
    profiled = job.config.get("profile", False) and is_primary()

    def reason_to_stop() -> str | None:
        job.check_owner()
        return stop_requested()

    with (
        stop_requests() as stop_requested,
        tensorboard.writer(job.config.get("tensorboard", False), job.workdir) as write_scalars,
        profiling.step_profile(
            job.workdir / "profile" if profiled else None, progress.message
        ) as profile,
    ):
        yield Stage(
            workdir=job.workdir,
            command=job.command or "the same command",
            progress=progress,
            stop_requested=reason_to_stop,
            elapsed=lambda: before + time.monotonic() - job.started,
            write_scalars=write_scalars,
            profile=profile,
            measure=partial(of_each_run, job.measure) if job.measure else measures_nothing,
        )


# Training ---------------------------------------------------------------------------


def _check_training_job(job: Job) -> None:
    selection.check_choice(job.members)
    if job.config.tensorboard:
        tensorboard.check_installed(job.workdir)


def _read_for_training(job: Job) -> list[Fingerprint]:
    datasets = load_datasets(job.members, job.say, job.dataset)
    sets = training_sets(job.members, datasets, job.dataset is not None)
    return [one.fingerprint for one in sets]


def _train(job: Job) -> tuple[Json, Callable[[], None]]:
    """Trains every run, or what is left of it."""
    progress = ProgressReport(job.console)
    chunks = _prepare(job, progress)
    screen.show_start(job, chunks)
    lines = metrics.read_lines(job.workdir / "metrics.jsonl")
    before = max((line.get("elapsed_seconds") or 0.0 for line in lines), default=0.0)
    with _stage(job, progress, before) as stage:
        _train_chunks(chunks, stage)
        tested = _tested(job, chunks, stage) if job.config.validation_examples else {}
    if chunks[0].config.record_examples:
        recorder.merge(job.workdir, [member.name for member in job.members])
    plain, by_run = job.folder.config, stage.lines()
    summary = {
        **summarize(plain, job.members, chunks, by_run, tested),
        "wall_seconds": round(stage.elapsed(), 3),
        "command": job.command,
    }

    def write_report() -> None:
        illustrations.draw(job.workdir, chunks, job.config.language)
        if is_primary():
            results = Results(summary, by_run, plain, read_pictures(job.workdir))
            page.write_report(job.workdir, results)

    return summary, write_report


def _prepare(job: Job, progress: ProgressReport) -> list[Chunk]:
    """Reads the data, groups the runs, and opens the workdir for them."""
    stored = job.folder.chunks()
    kept = longer.kept_lines(job.folder, job.members)
    lines = metrics.by_member(kept)
    datasets = load_datasets(job.members, progress.message, job.dataset)
    sets: list[TrainingSet] = []

    def check_data() -> None:
        sets.extend(training_sets(job.members, datasets, job.dataset is not None))
        now = [one.fingerprint for one in sets]
        fingerprint.check_same(job.folder.fingerprints(), now, job.workdir)

    refuse_together(check_data)
    chunks = groups.make_chunks(
        job.members,
        datasets,
        jax.default_backend(),
        jax.devices(),
        recut.cut_again(stored, job.members, lines, jax.devices()),
        progress.message,
    )
    refuse_together(lambda: recorder.check_same_examples(chunks))
    wait_for_all("all is read")
    old = recut.divide_checkpoints(chunks, stored, job.workdir / "checkpoints", lines)
    if is_primary():
        metrics.mend(job.workdir / "metrics.jsonl", kept)
        labels = {run.name: run.train_labels for chunk in chunks for run in chunk.runs}
        names = [[run.name for run in chunk.runs] for chunk in chunks]
        job.folder.begin(labels, names, sets)
        for folder in old:
            storage.remove_tree(folder)
    wait_for_all("the workdir is open")
    return chunks


def _train_chunks(chunks: Sequence[Chunk], stage: Stage) -> None:
    """Trains what is not complete, chunk by chunk."""
    lines = stage.lines()
    last = list(accumulate(len(chunk.runs) for chunk in chunks))
    left = [i for i, chunk in enumerate(chunks) if not is_complete(chunk, stage, lines)]
    ahead = [remaining.of_lines(chunks[i], lines) for i in left]
    for k, i in enumerate(left):
        place = _place(last[i] - len(chunks[i].runs) + 1, last[i], last[-1])
        train_chunk(chunks[i], stage._replace(place=place, later=ahead[k + 1 :]))
    wait_for_all("all is trained")


def _place(first: int, last: int, total: int) -> str:
    """Says which of all runs some are, "" where there is but one."""
    if total == 1:
        return ""
    return f"run {first} of {total}, " if first == last else f"runs {first}-{last} of {total}, "


def _tested(job: Job, chunks: Sequence[Chunk], stage: Stage) -> dict[str, Line]:
    """Returns the test metrics of the runs that validation chooses, by name."""
    chosen = selection.chosen_runs(job.members, stage.lines())
    if chosen:
        stage.progress.message(
            f"chosen by validation: {', '.join(chosen)}; one look at the test set"
        )
    return selection.look_at_test(chunks, chosen, stage)


# Measuring what theory says -----------------------------------------------------------


def _check_measuring_job(job: Job) -> None:
    settings.check_shared(job.config, job.members)
    if job.measure is not None:
        raise UserError(f"measure= is for runs that train, not for config.kind={job.config.kind}")
    if job.dataset is not None and job.dataset.streamed:
        raise UserError(f"dataset= is streamed: config.kind={job.config.kind} takes one in memory")
    if jax.process_count() > 1:
        raise UserError(
            f"{job.config.kind} runs in one process: start it once, without num_processes"
        )


def _read_for_measuring(job: Job) -> list[Fingerprint]:
    tasks = Tasks(job.say, job.dataset)
    read = {name for one in job.folder.fingerprints() for name in one.runs}
    for name, config in job.members:
        if name in read:
            tasks.dataset(config)
    return tasks.fingerprints(job.members)


def _claim(job: Job, tasks: Tasks) -> None:
    """Makes the workdir the job's, unless it is of other data than those that were read."""
    read = tasks.fingerprints(job.members)
    fingerprint.check_same(job.folder.fingerprints(), read, job.workdir)
    job.folder.claim([one._asdict() for one in read])


def _measure(job: Job) -> tuple[Json, Callable[[], None]]:
    """Measures what a kind of theory experiment asks for, and writes it.

    Theory is of numbers, not of speed: products are float32's, unless a flag of JAX says otherwise.
    """
    with jax.default_matmul_precision(flagged("float32")):
        return _measured(job)


def _measured(job: Job) -> tuple[Json, Callable[[], None]]:
    job.say(f"On {describe_device()}; results go to {job.workdir}")
    kind, tasks = kind_of(job.config), Tasks(job.say, job.dataset)
    claim = partial(_claim, job, tasks)
    tools = Tools(
        tasks=tasks,
        say=job.say,
        open_lab=partial(_lab, job, claim),
        run_experiment=partial(_run_within, job),
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


def _run_within(job: Job, config: ConfigDict, name: str) -> Json:
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
    with _stage(job, ProgressReport(job.console)) as stage:
        yield Lab(stage, claim)


TRAINING = Way(
    configs.check_training,
    _check_training_job,
    lambda job: damage.of_training(job.folder, dict(job.members)),
    _read_for_training,
    _train,
    screen.show_trained,
)
MEASURING = Way(
    settings.check,
    _check_measuring_job,
    lambda job: findings.damage(job.folder),
    _read_for_measuring,
    _measure,
    screen.show_measured,
)
