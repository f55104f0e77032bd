"""What a job shows on the screen: what it will do, and what came of it."""

from collections.abc import Sequence

from clu import parameter_overview

from rethinking_jax.analysis import findings, tables
from rethinking_jax.analysis.table import markdown
from rethinking_jax.config.key import ABOVE_ZERO
from rethinking_jax.errors import RunFailed
from rethinking_jax.experiment.job import Job
from rethinking_jax.host.console import say
from rethinking_jax.host.environment import describe_device
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.summary import parameter_shapes
from rethinking_jax.workdir import checkpoint
from rethinking_jax.workdir.metrics import Json, text_of
from rethinking_jax.workdir.share import SHARE, WHOLE

OVERVIEW_LINES = 48  # of the parameter table: the small networks whole, not Inception V3


def show_start(job: Job, chunks: Sequence[Chunk]) -> None:
    """Shows what will be trained, on what, and with which labels."""
    shown = set()
    for chunk in chunks:
        if id(chunk.engine) not in shown:
            shown.add(id(chunk.engine))
            overview = parameter_overview.get_parameter_overview(
                parameter_shapes(chunk), include_stats=False, max_lines=OVERVIEW_LINES
            )
            job.say(f"{chunk.config.model}\n{overview}")
        size = len(chunk.dataset.train.labels)
        dropped = size % chunk.config.batch_size
        if dropped and chunk.config.last_batch == "drop":
            job.say(f"Every epoch drops the last {dropped} of {size:,} examples of its order")
        for run in chunk.runs:
            job.say(
                f"{run.name}: p = {run.label_noise:g}, really flipped "
                f"{text_of(run.flipped_fraction)}, labels SHA-256 {run.labels_sha256}"
            )
    if share := job.folder.config.get(SHARE):
        whole = len(job.folder.config[WHOLE])
        job.say(f"Share {share} of a sweep: {len(job.members)} of {whole} runs")
    job.say(f"On {describe_device()}; results go to {job.workdir}")


def show_trained(job: Job, summary: Json) -> None:
    """Shows the results and says where they lie; a run without any good end has failed."""
    tables.show_results(summary, job.console)
    report, curves = job.workdir / "report.html", job.workdir / "figures" / "learning_curves.png"
    if report.exists():
        if curves.exists():
            say(job.console, f"Learning curves: {curves}", highlight=True)
        else:  # a lesson of the course has slides in their place
            say(job.console, f"Slides:          {curves.parent}", highlight=True)
        say(job.console, f"Report:          {report}", highlight=True)
    say(job.console, f"All results:     {job.workdir}", highlight=True)
    failures = [_failure(job, member) for member in summary["members"] if member["diverged"]]
    if len(failures) == len(summary["members"]):
        raise RunFailed("; ".join(failures))
    for failure in failures:
        job.say(failure)


def _failure(job: Job, member: Json) -> str:
    rate = member["learning_rate"]
    folder = job.workdir / member["checkpoints"]
    steps = checkpoint.saved_steps(folder)
    saved = (
        f"the last good checkpoint is {folder / str(steps[-1])}" if steps else "nothing was saved"
    )
    return (
        f"{member['name']}: the loss stopped being a number in epoch {member['epochs']} "
        f"at learning rate {rate:g}; {saved}. Try a smaller one: "
        f"--config.learning_rate={max(rate / 10, ABOVE_ZERO):g}"
    )


def show_measured(job: Job, summary: Json) -> None:
    """Shows the verdicts and tables and says where they lie."""
    for verdict in summary["verdicts"]:
        job.say(f"{verdict['outcome'].upper()}: {verdict['claim']} {verdict['ours']}")
    for one in findings.read(job.workdir).found.tables:
        job.say(f"\n{markdown(one)}")
    if (report := job.workdir / "report.html").exists():
        job.say(f"Report:      {report}")
    job.say(f"All results: {job.workdir}")
