"""One experiment that is to be carried out: what is given, and what its parts are told."""

from collections.abc import Sequence
from typing import NamedTuple

from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.data import Dataset
from rethinking_jax.host.console import say
from rethinking_jax.sweep.stage import Measure
from rethinking_jax.workdir.folder import Folder
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

    @property
    def workdir(self) -> AnyPath:
        """The folder where the results go."""
        return self.folder.path

    def say(self, text: str) -> None:
        """Shows a line as it is."""
        say(self.console, text)
