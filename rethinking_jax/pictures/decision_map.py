"""What networks of points in the plane answer all over it, at each of their checkpoints."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.data.checkerboard import is_outside
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.pictures.film import EXTENT, Panel
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep.build import make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.position import fresh
from rethinking_jax.workdir import checkpoint
from rethinking_jax.workdir.storage import AnyPath

GRID = 125  # points along each side, so that no square's edge falls on one


def of_runs(chunks: Sequence[Chunk], workdir: AnyPath) -> list[Panel]:
    """A panel for each data set of points, of its first run; [] where no such run has checkpoints.

    Args:
      chunks: whose runs are trained.
      workdir: with their checkpoints; one that is damaged is left out.
    """
    first: dict[str, tuple[Chunk, int]] = {}
    for chunk in chunks:
        for index, run in enumerate(chunk.runs):
            if chunk.dataset.holds_points:
                first.setdefault(run.config.dataset, (chunk, index))
    panels = (_panel(chunk, index, workdir) for chunk, index in first.values())
    return [panel for panel in panels if len(panel.steps) > 1]


def _panel(chunk: Chunk, index: int, workdir: AnyPath) -> Panel:
    """How the answers of one run change, from before its first step on."""
    states = {0: jax.device_get(fresh(chunk))[0]}
    template = jax.eval_shape(partial(fresh, chunk))
    folder = workdir / "checkpoints" / chunk.name
    for step in checkpoint.saved_steps(folder):
        restored = checkpoint.restore(folder, step, template)
        if restored is not None:
            states[step] = restored[0]
    answer = _answers(chunk.runs[index].config, chunk.dataset)
    points = np.asarray(chunk.dataset.train.images)[:, 0, :, 0]
    return Panel(
        points,
        chunk.runs[index].train_labels,
        is_outside(points),
        tuple(states),
        np.stack([answer(_member(state, index)) for state in states.values()]),
    )


def _member(state: TrainState, index: int) -> dict[str, Any]:
    both = {"params": state.params, "batch_stats": state.batch_stats}
    return jax.tree.map(lambda leaf: leaf[index], both)


def _answers(config: ConfigDict, dataset: Dataset) -> Any:
    """From a network's variables to the probability of class 1, float32 [GRID, GRID]: x2, x1."""
    model = make_model(config, dataset.num_classes)
    preprocess = make_preprocess(config.preprocess, *dataset.moments)
    line = (np.arange(GRID) + 0.5) / GRID * 2 * EXTENT - EXTENT
    x1, x2 = np.meshgrid(line, line)
    inputs = preprocess(jnp.asarray(np.stack([x1, x2], -1), jnp.float32).reshape(-1, 1, 2, 1))

    @jax.jit
    def answers(variables: dict[str, Any]) -> jax.Array:
        logits: Any = model.apply(variables, inputs, train=False)
        return jax.nn.softmax(logits)[:, 1].reshape(GRID, GRID)

    return answers
