"""A job: one experiment that is carried out, and whether it is through already."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.data import Dataset, fingerprint
from rethinking_jax.host.console import say
from rethinking_jax.host.processes import refuse_together
from rethinking_jax.sweep.stage import Measure
from rethinking_jax.workdir import damage
from rethinking_jax.workdir.folder import Fingerprint, Folder
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath


class Job(NamedTuple):
    """One experiment that is carried out.

    Attributes:
      config: the config.
      members: its runs.
      folder: where the results go.
      command: what to type to resume, for messages and the report; '' where nobody typed one.
      console: where progress is shown.
      report: whether figures, tables and a report are made of the results.
      started: when it began, in seconds as of `time.monotonic`.
      dataset: what all runs read in place of the data set that the config names.
      measure: a user's own numbers of each run, where it trains.
      check_owner: raises RunFailed where the workdir has another owner meanwhile.
    """

    config: ConfigDict
    members: Sequence[configs.Member]
    folder: Folder
    command: str
    console: Console
    report: bool
    started: float
    dataset: Dataset | None = None
    measure: Measure | None = None
    check_owner: Callable[[], object] = lambda: None

    @property
    def workdir(self) -> AnyPath:
        """The folder where the results go."""
        return self.folder.path

    def say(self, text: str) -> None:
        """Shows a line as it is."""
        say(self.console, text)


class Way(NamedTuple):
    """How experiments are carried out: by training, or by measuring what theory says.

    Attributes:
      check: refuses the resolved config of one run.
      check_job: refuses runs that cannot be one experiment, before its workdir is looked at.
      damage: says in a line for each what is wrong in a workdir, and is made again.
      read: reads the data again and returns which they are.
      carry_out: writes all results but the summary and the report; returns the summary, and what
        writes the report.
      show: shows what came out.
    """

    check: Callable[[ConfigDict], None]
    check_job: Callable[[Job], None]
    damage: Callable[[Job], list[str]]
    read: Callable[[Job], Sequence[Fingerprint]]
    carry_out: Callable[[Job], tuple[Json, Callable[[], None]]]
    show: Callable[[Job, Json], None]


def found_complete(job: Job, way: Way) -> Json | None:
    """Returns the summary of a job that is through; None where something is left to do.

    Raises:
      UserError: the workdir belongs to another config, what is there is of other data, or
        something stands in the place of a file.
    """
    folder = job.folder
    damage.check_places(folder.path)
    configs.check_resumed(folder.stored_config(), job.config, folder.path)
    folder.check()
    if not folder.is_complete() or way.damage(job):
        return None
    refuse_together(partial(_check_data, job, way))
    job.say(f"Complete already: {job.workdir}")
    return folder.summary()


def _check_data(job: Job, way: Way) -> None:
    """Reads the data of a job that is through where they may have changed, and refuses others."""
    stored = job.folder.fingerprints()
    if stored and (job.dataset is not None or fingerprint.may_differ(stored, job.members)):
        job.say("comparing the data with those that the results are of")
        fingerprint.check_same(stored, way.read(job), job.workdir)
