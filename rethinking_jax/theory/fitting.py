"""Training for the experiments here: their runs, with labels of their own, in the sweep engine.

There is no training loop here: `sweep` makes a program of the runs and `loop` trains it. Lines
go to `metrics.jsonl` of the workdir. Nothing is checkpointed, for a chunk takes seconds: a
command that was stopped goes on with the first chunk that was not complete.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.corruption import NO_MOMENTS, Moments
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.host.signals import stop_requests
from rethinking_jax.step.preprocess import pixel_moments
from rethinking_jax.sweep import groups, profiling
from rethinking_jax.sweep.build import is_convolutional, make_model
from rethinking_jax.sweep.groups import Chunk, Run
from rethinking_jax.sweep.loop import Measure, Stage, is_complete, measures_nothing, train_chunk
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.theory.settings import TRAINING_KEYS
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath, make_folder, write_atomically

# Lines of each run, by name, from (config, runs as overrides, examples, ...): see `train`.
Train = Callable[..., dict[str, list[Line]]]


class Lab(NamedTuple):
    """Where such an experiment trains."""

    stage: Stage
    plain: dict[str, Any]  # the experiment's config, for config.json

    def train(
        self,
        config: ConfigDict,
        runs: Sequence[configs.Overrides],
        dataset: Dataset,
        change: Callable[[int, Run], Run] = lambda index, run: run,
        measure: Callable[[Chunk], Measure] = lambda chunk: measures_nothing,
    ) -> dict[str, list[Line]]:
        """Trains runs to their ends, or what is left of them; those of one network as one sweep.

        Args:
          config: see `training_config`.
          runs: what they override in it, each with a "name" that no other run has.
          dataset: their examples.
          change: makes a run from its index and what its config says, with labels of its own.
          measure: of a chunk, what its lines hold besides (see `sweep.loop.Measure`).

        Returns:
          The lines of each run, by name.

        Raises:
          RunFailed: stopped by a signal.
        """
        base = config.copy_and_resolve_references()
        base.sweep = configs.runs(runs)
        members = configs.members(base)
        index = {member.name: i for i, member in enumerate(members)}
        chunks = groups.make_chunks(
            members,
            {dataset_key(member.config): dataset for member in members},
            jax.default_backend(),
            jax.local_devices(),
            report=lambda text: None,
        )
        self._open()
        file = self.stage.metrics_file
        for chunk in chunks:
            own = tuple(change(index[run.name], run) for run in chunk.runs)
            chunk = chunk._replace(runs=own)
            if not is_complete(chunk, self.stage, metrics.by_member(metrics.read_lines(file))):
                train_chunk(chunk, self.stage._replace(measure=measure(chunk)))
        lines = metrics.by_member(metrics.read_lines(file))
        return {name: lines[name] for name in index}

    def _open(self) -> None:
        """The workdir says whose it is before anything is trained, and is not complete."""
        workdir = self.stage.workdir
        text = json.dumps(self.plain, indent=2) + "\n"
        file = workdir / "config.json"
        if not file.exists() or file.read_text() != text:
            make_folder(workdir)
            (workdir / "summary.json").unlink(missing_ok=True)
            write_atomically(file, text)


@contextmanager
def open_lab(config: ConfigDict, workdir: AnyPath, command: str, console: Console) -> Iterator[Lab]:
    """A lab that shows progress, and that Ctrl-C and SIGTERM stop."""
    started, progress = time.monotonic(), ProgressReport(console)
    with (
        stop_requests() as stop_requested,
        profiling.step_profile(None, progress.message) as profile,
    ):
        stage = Stage(
            workdir=workdir,
            command=command or "the same command",
            progress=progress,
            stop_requested=stop_requested,
            elapsed=lambda: time.monotonic() - started,
            write_scalars=lambda line: None,
            profile=profile,
        )
        yield Lab(stage, configs.to_json(config))


def training_config(config: ConfigDict, **changes: Any) -> ConfigDict:
    """The config that the runs of an experiment are trained with.

    The learning rate is constant, nothing is saved, and the runs are vmapped where that is
    not slower by far.
    """
    made = configs.base_config()
    for key in ("dataset", "image_size", "train_examples", "data_seed", "crop_size", "seed"):
        made[key] = config[key]
    for key in TRAINING_KEYS:
        made[key] = config.get(key, made[key])
    made.lr_decay, made.checkpoint_every = 1.0, 0
    made.update(changes)
    made.vectorize = "auto" if is_convolutional(made) else "vmap"
    return made


def dataset_of(images: np.ndarray, ids: np.ndarray, repeats: int = 1) -> Dataset:
    """Points of two classes that runs label themselves; tested on the same points.

    Args:
      images: uint8 or float32 [n, h, w, c].
      ids: uint32 [n], by which labels are drawn.
      repeats: how often each point, with its label, is in the training set: an epoch is that
        many passes, for one of few points takes longer to start than to train.
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
    """How many numbers a network of a config is made of."""
    model = make_model(config, num_classes)
    inputs = jax.ShapeDtypeStruct((1, *image_shape), np.float32)
    init = partial(model.init, train=False)
    made = jax.eval_shape(init, jax.random.key(0), inputs)["params"]
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(made))
