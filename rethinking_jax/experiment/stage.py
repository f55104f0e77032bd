"""What training gets from the outside world."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rethinking_jax.experiment.job import Job
from rethinking_jax.host.processes import is_primary
from rethinking_jax.host.signals import stop_requests
from rethinking_jax.sweep import profiling
from rethinking_jax.sweep.measure import of_each_run
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.stage import Stage, measures_nothing
from rethinking_jax.workdir import tensorboard


@contextmanager
def open_stage(job: Job, progress: ProgressReport, before: float = 0.0) -> Iterator[Stage]:
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
