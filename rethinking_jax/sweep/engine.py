"""The types of a sweep: a run, the runs that train together, and the engine that trains them."""

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, TypeAlias

import jax
import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.host.cpu import on_cpu
from rethinking_jax.step.facts import Moment
from rethinking_jax.step.state import Carry, Hyper, Sums, TrainState
from rethinking_jax.sweep.evaluation import Between


class Run(NamedTuple):
    """One run, with the labels it trains on and is tested on."""

    name: str
    config: ConfigDict
    # The probability p with which a label is drawn anew; of given labels the share that is wrong.
    label_noise: float
    train_labels: np.ndarray  # int32 [n]
    test_labels: np.ndarray  # int32, as many as there are test examples
    flipped_fraction: float  # share of the training labels that are not the true ones
    labels_sha256: str  # digest of the training labels
    # Positions (i, j): the run trains on a copy of example j where the others have example i. It
    # makes twins that differ in one example; not where examples are streamed.
    replaced: tuple[int, int] | None = None
    # Positions of the training examples that the run trains on, int32 [m]; None: on all of them.
    # Not where examples are streamed.
    subset: np.ndarray | None = None

    # The share of each true class (row) that has each label (column), float32 [k, k]; [1, 1] where
    # the loss is not told.
    transition: np.ndarray | None = None

    @property
    def has_corrupted_labels(self) -> bool:
        """Says whether training labels are drawn anew, or given and wrong here and there."""
        return self.label_noise > 0 or self.flipped_fraction > 0

    def train_size(self, examples: int) -> int:
        """Returns how many of the examples of a training set the run trains on."""
        return examples if self.subset is None else len(self.subset)

    def labels_of(self, split: str, part: Split) -> np.ndarray:
        """Returns the labels that the run has of a split, int32 [n]; the true ones of others."""
        return {"train": self.train_labels, "test": self.test_labels}.get(split, part.labels)


class Taken(NamedTuple):
    """Members of a chunk after some more batches of an epoch."""

    carry: Carry
    done: int  # batches of the epoch that are trained
    waited: float  # seconds that the devices may have waited for input, since the last


Pieces: TypeAlias = Generator[Taken, None, None]


class Feed(NamedTuple):
    """How the members of a chunk that go on are trained and evaluated on their examples.

    Attributes:
      train: (carry, epoch, first) -> the rest of the epoch from batch `first` on, in pieces.
        A carry is used up when the next piece is asked for.
      evaluate: (state, split, between) -> sums of each member over a split of the data set or
        "train_sample" (`config.train_eval_examples`); None where it was stopped. `between` is
        called between batches, unless all of them are one program. Of the training set a run
        is evaluated on the examples that it trains on.
      examine: (state, split, between) -> the facts of every example of a split at this moment,
        each [members, n], those that a run does not train on included; None as above.
    """

    train: Callable[[Carry, int, int], Pieces]
    evaluate: Callable[[TrainState, str, Between], Sums | None]
    examine: Callable[[TrainState, str, Between], Moment | None]


# From the indices of members (see `rethinking_jax.sweep.mesh.slots`) to their feed.
Feeds: TypeAlias = Callable[[Sequence[int]], Feed]


class Engine(NamedTuple):
    """What trains a chunk, wherever its examples are: compiled once for all alike chunks.

    Which examples are in batch k of epoch e is a function of (seed, e, k), the same for images
    on the device and for streamed ones (`rethinking_jax.step.train.epoch_order`).

    Attributes:
      init: Hyper of [m] -> TrainState of [m, ...], of m members.
      open: brings to the devices what all members of a chunk share, and returns their feeds.
      scan: whether an epoch is one call of a program, not a call for each step.
    """

    init: Callable[[Hyper], TrainState]
    open: "Callable[[Chunk], Feeds]"
    scan: bool


class Chunk(NamedTuple):
    """Runs that train together, and all that training needs."""

    name: str  # the name of its folder of checkpoints
    runs: tuple[Run, ...]
    dataset: Dataset
    engine: Engine
    mesh: Mesh

    @property
    def config(self) -> ConfigDict:
        """The config of the first run; all but its keys of scope "array" is that of every run."""
        return self.runs[0].config

    @property
    def train_size(self) -> int:
        """The number of examples that each run trains on."""
        return self.runs[0].train_size(len(self.dataset.train))

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, the smaller last batch included where it is trained."""
        return steps_per_epoch(self.config, self.train_size)


def steps_per_epoch(config: ConfigDict, train_size: int) -> int:
    """Counts the steps of an epoch, the smaller last batch included where it is trained."""
    full, rest = divmod(train_size, int(config.batch_size))
    return full + (1 if rest and config.last_batch == "train" else 0)


def train_sample(config: ConfigDict, train_size: int) -> np.ndarray:
    """Returns the positions that `config.train_eval_examples` looks at, int64, ascending."""
    with on_cpu():
        key = jax.random.fold_in(purpose_key(config.data_seed, "order"), 2**31 - 1)
        order = np.asarray(jax.random.permutation(key, train_size))
    return np.sort(order[: config.train_eval_examples]).astype(np.int64)
