"""Experiments that train the runs of a config."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import jax

from rethinking_jax.analysis.results import Results, read_pictures
from rethinking_jax.data import fingerprint
from rethinking_jax.data.runs import load_datasets, training_sets
from rethinking_jax.experiment import screen
from rethinking_jax.experiment.job import Job
from rethinking_jax.experiment.stage import open_stage
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.host.processes import is_primary, refuse_together, wait_for_all
from rethinking_jax.pictures import illustrations
from rethinking_jax.report import page
from rethinking_jax.sweep import (
    groups,
    longer,
    recorder,
    recut,
    remaining,
    selection,
)
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.loop import is_complete, train_chunk
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.stage import Stage
from rethinking_jax.sweep.summary import summarize
from rethinking_jax.workdir import metrics, storage, tensorboard
from rethinking_jax.workdir.folder import Fingerprint, TrainingSet
from rethinking_jax.workdir.metrics import Json, Line


def check(job: Job) -> None:
    """Refuses runs that cannot be trained as one experiment.

    Raises:
      UserError: says what would be right.
    """
    selection.check_choice(job.members)
    if job.config.tensorboard:
        tensorboard.check_installed(job.workdir)


def read(job: Job) -> list[Fingerprint]:
    """Reads the data of the runs again, and returns which they are."""
    datasets = load_datasets(job.members, job.say, job.dataset)
    sets = training_sets(job.members, datasets, job.dataset is not None)
    return [one.fingerprint for one in sets]


def train(job: Job) -> tuple[Json, Callable[[], None]]:
    """Trains every run, or what is left of it."""
    progress = ProgressReport(job.console)
    chunks = _prepare(job, progress)
    screen.show_start(job, chunks)
    lines = metrics.read_lines(job.workdir / "metrics.jsonl")
    before = max((line.get("elapsed_seconds") or 0.0 for line in lines), default=0.0)
    with open_stage(job, progress, before) as stage:
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
        now = {"command": job.command, "device": describe_device(), "versions": versions()}
        job.folder.begin(labels, names, sets, now)
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
