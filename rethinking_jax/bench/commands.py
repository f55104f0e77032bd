"""A sweep as one command against a command for each of its runs.

These are whole commands as they are typed, `python -m rethinking_jax.main`, with all that belongs
to one: Python and JAX begin, data are read, programs compiled, every epoch measured, results and
the report written. In a round the sweep's command and that of one of its runs take turns.
"""

import json
import subprocess
import sys
import tempfile
from typing import NamedTuple

from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import Contestant, Progress, interleave
from rethinking_jax.config import recipe
from rethinking_jax.data import load_dataset
from rethinking_jax.errors import RunFailed, UserError

SWEEP, EACH = "one command", "a command for each run"


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      model: a name of `rethinking_jax.models`, or mlp_DxW.
      dataset: see `rethinking_jax.data.load_dataset`.
      members: number of runs of the sweep, which differ in their seeds.
      train_examples: number of training examples; 0 for all.
      epochs: of each run.
      repeats: number of rounds.
    """

    model: str
    dataset: str
    members: int
    train_examples: int
    epochs: int
    repeats: int


def bench_commands(settings: Settings, data_dir: str, say: Progress) -> Record:
    """Measures both, a minute and more in each round.

    Returns:
      The record: `results.new_record` and `results.measured`.

    Raises:
      UserError: the model is unknown, or the data set cannot be had.
      RunFailed: a command failed; the message has its last line.
    """
    recipe.network(settings.model)  # it refuses an unknown name at once
    dataset = load_dataset(
        settings.dataset, data_dir=data_dir, train_examples=settings.train_examples
    )
    images = len(dataset.train) * settings.epochs
    sweep = [{"seed": seed} for seed in range(settings.members)]

    def run(members: int, folder: str) -> None:
        words = [*_words(settings, data_dir), f"--workdir={folder}/run"]
        _carry_out([*words, f"--config.sweep={json.dumps(sweep[:members])}"])

    with tempfile.TemporaryDirectory() as scratch:

        def fresh() -> str:
            return tempfile.mkdtemp(dir=scratch)

        contestants = [
            Contestant(
                SWEEP, fresh, lambda to: run(settings.members, to), settings.members * images
            ),
            Contestant(EACH, fresh, lambda to: run(1, to), images),
        ]
        seconds = interleave(contestants, settings.repeats, say)
    work = {one.name: one.work for one in contestants}
    record = new_record("commands", settings._asdict())
    return record | measured(seconds, work, [(SWEEP, EACH)]) | {"compile_seconds": {}}


def _words(settings: Settings, data_dir: str) -> list[str]:
    network = recipe.network(settings.model)
    widths = ",".join(map(str, network["hidden_sizes"]))
    return [
        f"--config.model={network['model']}",
        *([f"--config.hidden_sizes={widths}"] if widths else []),
        f"--config.dataset={settings.dataset}",
        f"--config.data_dir={data_dir}",
        f"--config.train_examples={settings.train_examples}",
        f"--config.epochs={settings.epochs}",
        "--config.stop_when_fitted=False",
        "--config.checkpoint_every=0",
    ]


def _carry_out(words: list[str]) -> None:
    command = [sys.executable, "-m", "rethinking_jax.main", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().split("\n") or [""])[-1]
        raise (UserError if result.returncode == 2 else RunFailed)(last or "a command failed")
