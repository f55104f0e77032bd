"""What the loop needs from the outside world, and how a run is measured by others than us."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import jax
from ml_collections import ConfigDict

from rethinking_jax.step.state import PyTree, TrainState
from rethinking_jax.sweep.engine import Chunk, Run
from rethinking_jax.sweep.profiling import Traced
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.remaining import Ahead
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath

# (the members that go on, their states) -> what the line of each holds besides ours.
MeasureMembers: TypeAlias = Callable[[tuple[int, ...], TrainState], Sequence[Line]]


class Measure(Protocol):
    """A user's own numbers of a run; they go into its lines of `metrics.jsonl`."""

    def __call__(
        self, run: Run, variables: PyTree, apply: Callable[[jax.Array], jax.Array], /
    ) -> Mapping[str, float]:
        """Returns numbers by name; it is called for each run at each epoch that is measured.

        Args:
          run: the run, with its config and the labels it trains on.
          variables: its "params" and "batch_stats", trees of NumPy arrays.
          apply: from stored images [n, h, w, c] to its logits, float32 [n, classes], in eval
            mode, with its preprocessing.
        """


def measures_nothing(chunk: Chunk) -> MeasureMembers:
    """Makes a function that adds nothing to the lines of a chunk."""
    return lambda active, state: [{} for _ in active]


class Stage(NamedTuple):
    """What the loop needs from the outside world."""

    workdir: AnyPath
    command: str  # shown as the way to resume
    progress: ProgressReport
    stop_requested: Callable[[], str | None]  # why to stop, or None
    elapsed: Callable[[], float]  # seconds, those of earlier sessions included
    write_scalars: Callable[[Line], None]  # to TensorBoard, or nowhere
    profile: Traced  # traces some of the pieces of an epoch, or none
    place: str = ""  # which of how many runs these are, such as "run 3 of 33, ", for the live line
    later: Sequence[Ahead] = ()  # what the chunks after this one have before them
    measure: Callable[[Chunk], MeasureMembers] = measures_nothing

    @property
    def metrics_file(self) -> AnyPath:
        """The file with the lines of all members."""
        return self.workdir / "metrics.jsonl"

    def lines(self) -> dict[str, list[Line]]:
        """Reads the lines of each member that has some."""
        return metrics.by_member(metrics.read_lines(self.metrics_file))

    def checkpoints(self, chunk: Chunk) -> AnyPath:
        """Returns the folder of a chunk's checkpoints."""
        return self.workdir / "checkpoints" / chunk.name


def saves(config: ConfigDict) -> bool:
    """Says whether a config wants checkpoints."""
    return bool(config.checkpoint_every or config.checkpoint_every_steps)
