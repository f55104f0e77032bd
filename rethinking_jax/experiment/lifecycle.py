"""The life of an experiment: from its config, new or begun, to its results and report."""

import shlex
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.analysis import drawing, findings, results
from rethinking_jax.cli import reason
from rethinking_jax.data import Dataset
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.experiment import measuring, screen, training
from rethinking_jax.experiment.job import Job, Way, found_complete
from rethinking_jax.host import flags
from rethinking_jax.host.environment import check_devices
from rethinking_jax.host.processes import is_primary, wait_for_all
from rethinking_jax.models import Architecture
from rethinking_jax.report import page
from rethinking_jax.sweep import shares
from rethinking_jax.sweep.stage import Measure
from rethinking_jax.theory import settings
from rethinking_jax.workdir import damage, owner, storage
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Json
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
    _check_given(dataset, measure)
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


def _check_given(dataset: object, measure: object) -> None:
    """Refuses what a notebook gives in the place of a data set or a measure.

    Raises:
      UserError: says what would be right.
    """
    if dataset is not None and not isinstance(dataset, Dataset):
        raise UserError(
            f"dataset={type(dataset).__name__}: give what load_dataset or arrays returns, or its "
            "name in config.dataset"
        )
    if measure is not None and not callable(measure):
        raise UserError(f"measure={measure!r} must be a function that returns names and numbers")


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
    elif job.report and is_primary() and not (job.workdir / "report.html").exists():
        failure = _failure_of(partial(_write_report_again, job))
    way.show(job, summary)
    if failure is not None:
        pictures = "" if "kind" in job.config else " --pictures"
        raise RunFailed(
            f"the report is not written ({reason(failure)}{_place(failure)}); all results are in "
            f"{job.workdir}. To write it: the same command again, or python -m "
            f"rethinking_jax.report {shlex.quote(str(job.workdir))}{pictures}"
        ) from failure
    return summary


def _write_report_again(job: Job) -> None:
    """Writes the report of a job that is through, where it could not be written before."""
    theory = "kind" in job.config
    page.write_report(job.workdir, (findings if theory else results).read(job.workdir))


def _place(failure: BaseException) -> str:
    """Says in which line of which file there is a mistake; a full disk or a signal is none."""
    if isinstance(failure, OSError | KeyboardInterrupt):
        return ""
    frames = traceback.extract_tb(failure.__traceback__)
    return f", {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""


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


TRAINING = Way(
    configs.check_training,
    training.check,
    lambda job: damage.of_training(job.folder, dict(job.members)),
    training.read,
    training.train,
    screen.show_trained,
)
MEASURING = Way(
    settings.check,
    measuring.check,
    lambda job: findings.damage(job.folder),
    measuring.read,
    partial(measuring.measure, run=run),
    screen.show_measured,
)
