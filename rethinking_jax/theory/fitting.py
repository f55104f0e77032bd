"""How theory experiments train networks on labels of their own: by the sweep engine.

There is no training loop here: `sweep` makes a program of the runs and `loop` trains it. Lines
go to `metrics.jsonl` of the workdir. Nothing is checkpointed, for a chunk takes seconds: a
command that was stopped goes on with the first chunk that was not complete. Runs that need no
labels of their own are an experiment of their own, see `trained_width`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import NO_MOMENTS, Moments
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.given_labels import with_given_labels
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.step.preprocess import pixel_moments
from rethinking_jax.sweep import groups, recorder
from rethinking_jax.sweep.build import is_convolutional, make_model
from rethinking_jax.sweep.engine import Chunk, Run
from rethinking_jax.sweep.loop import is_complete, train_chunk
from rethinking_jax.sweep.recorder import Recorded
from rethinking_jax.sweep.stage import MeasureMembers, Stage, measures_nothing
from rethinking_jax.workdir.metrics import Line

# The keys that say how a network is trained; they mean here what they mean everywhere.
TRAINING_KEYS = (
    "model",
    "hidden_sizes",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
    "preprocess",
)


class Lab(NamedTuple):
    """Where a theory experiment trains its networks.

    Attributes:
      stage: what training needs from the outside world.
      claim: makes the workdir the experiment's, before anything is trained.
    """

    stage: Stage
    claim: Callable[[], None]

    def train(
        self,
        config: ConfigDict,
        runs: Sequence[configs.Overrides],
        dataset: Dataset,
        change: Callable[[int, Run], Run] = lambda index, run: run,
        measure: Callable[[Chunk], MeasureMembers] = measures_nothing,
    ) -> dict[str, list[Line]]:
        """Trains runs to their ends, or what is left of them; those of one network as one sweep.

        Args:
          config: config of all runs, see `training_config`.
          runs: keys that each run overrides, with a "name" that no other run has.
          dataset: examples of all runs.
          change: gives a run its own labels or examples, from its index and what its config says.
          measure: makes what measures more of a chunk (see `sweep.stage.MeasureMembers`).

        Returns:
          The lines of `metrics.jsonl` of each run, by its name.

        Raises:
          RunFailed: stopped by a signal.
        """
        base = config.copy_and_resolve_references()
        base.sweep = configs.runs(runs)
        # Runs that are the same here differ in their labels.
        members = configs.members(base, check=None)
        index = {member.name: i for i, member in enumerate(members)}
        dataset = with_given_labels(dataset, [member.config for member in members])
        datasets = {dataset_key(member.config): dataset for member in members}
        chunks = groups.make_chunks(
            members,
            datasets,
            jax.default_backend(),
            jax.local_devices(),
            report=lambda text: None,
            change=lambda run: change(index[run.name], run),
        )
        self.claim()
        for chunk in chunks:
            if not is_complete(chunk, self.stage, self.stage.lines()):
                train_chunk(chunk, self.stage._replace(measure=measure))
        lines = self.stage.lines()
        return {name: lines[name] for name in index}

    def examples(self, names: Sequence[str]) -> Recorded:
        """Returns what was recorded of runs that were trained with `record_examples`, in order."""
        return recorder.read(self.stage.workdir, names)


def training_config(config: ConfigDict, **changes: object) -> ConfigDict:
    """Returns the config that the runs of a theory experiment are trained with.

    The learning rate is constant, nothing is saved, and the runs are vmapped where that is
    not slower by far. Runs that need not be in one program take vectorize="auto", which is faster.
    """
    made = configs.base_config()
    for key in ("dataset", "image_size", "train_examples", "data_seed", "crop_size", "seed"):
        made[key] = config[key]
    for key in TRAINING_KEYS:
        made[key] = config.get(key, made[key])
    made.lr_decay, made.checkpoint_every = 1.0, 0
    made.vectorize = "auto" if is_convolutional(made) else "vmap"
    made.update(changes)
    return made


def dataset_of(images: np.ndarray, ids: np.ndarray, repeats: int = 1) -> Dataset:
    """Makes points of two classes that runs label themselves, and that they are tested on, too.

    Args:
      images: uint8 or float32 [n, h, w, c].
      ids: uint32 [n], the ids by which labels are drawn.
      repeats: how often each point, with its label, is in the training set. An epoch is that
        many passes, for an epoch of few points takes longer to start than to train.
    """
    once = Split(jax.numpy.asarray(images), np.zeros(len(ids), np.int32), ids)
    many = once
    if repeats > 1:
        tiled = np.tile(images, (repeats, 1, 1, 1))
        labels = np.zeros(len(tiled), np.int32)
        many = Split(jax.numpy.asarray(tiled), labels, np.tile(ids, repeats))
    moments = Moments(*pixel_moments(images)) if images.dtype == np.uint8 else NO_MOMENTS
    return Dataset("points", many, once, ("0", "1"), moments=moments)


def parameters(config: ConfigDict, image_shape: tuple[int, ...], num_classes: int = 2) -> int:
    """Returns how many numbers a network of a config is made of."""
    model = make_model(config, num_classes)
    inputs = jax.ShapeDtypeStruct((1, *image_shape), np.float32)
    init = partial(model.init, train=False)
    made = jax.eval_shape(init, jax.random.key(0), inputs)["params"]
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(made))
