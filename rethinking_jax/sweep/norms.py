"""The measures of a chunk's members that the key `measures` asks for, at each measured epoch.

They are computed on the host, in float64: a largest singular value takes a few matrix-vector
products there, where a device computes all of them. Weights at the start follow from the seed, so
nothing more is stored, and a run that was stopped measures what it would have measured.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import jax
import numpy as np

from rethinking_jax.config.joined import names_of
from rethinking_jax.host.processes import fetch
from rethinking_jax.models.peers import evaluated
from rethinking_jax.step import norms
from rethinking_jax.step.state import TrainState, facts_of
from rethinking_jax.sweep.build import input_shape, make_model
from rethinking_jax.sweep.engine import Chunk, Feed
from rethinking_jax.sweep.evaluation import Between
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.workdir.metrics import Line

# (the members that go on, their states, their examples, what may stop it) -> what the line of each
# holds of the measures; None where it was stopped.
MeasureNorms: TypeAlias = Callable[
    [tuple[int, ...], TrainState, Feed, Between], Sequence[Line] | None
]


def norms_of(chunk: Chunk) -> MeasureNorms:
    """Makes what measures the members of a chunk as its config asks for."""
    if not chunk.config.measures:
        return lambda active, state, feed, between: [{} for _ in active]
    names = names_of(chunk.config, "measures", norms.MEASURES)
    model = make_model(chunk.config, chunk.dataset.num_classes)
    start = jax.device_get(chunk.engine.init(hyper(chunk.runs)).params)
    shape = input_shape(chunk.config, chunk.dataset)
    path = jax.jit(lambda params: norms.path_norm(*evaluated(model, params), shape))

    def members(
        active: tuple[int, ...], state: TrainState, feed: Feed, between: Between
    ) -> list[Line] | None:
        margins = _margins(state, feed, between) if "margin" in names else None
        if margins is None and "margin" in names:
            return None
        now = fetch(state.params)
        lines = []
        for slot, member in enumerate(active):
            own = jax.tree.map(partial(_at, slot), now)
            weights, first = (
                norms.matrices(evaluated(model, params)[1])
                for params in (own, jax.tree.map(partial(_at, member), start))
            )
            subset = chunk.runs[member].subset
            network = norms.Network(
                weights,
                first,
                float(path(own)) if "path" in names else math.nan,
                _chosen(margins[slot], subset) if margins is not None else np.empty(0),
            )
            found = norms.columns(names, network)
            lines.append({name: _number(value) for name, value in found.items()})
        return lines

    return members


def _margins(state: TrainState, feed: Feed, between: Between) -> np.ndarray | None:
    """Returns the margin of every training example, float32 [members, n]; None where stopped."""
    recorded = facts_of(state)  # of this very moment
    now = recorded["train"] if recorded else feed.examine(state, "train", between)
    return None if now is None else np.asarray(fetch(now["margin"]))


def _chosen(values: np.ndarray, subset: np.ndarray | None) -> np.ndarray:
    own: np.ndarray = values if subset is None else values[subset]
    return own


def _at(place: int, leaf: np.ndarray) -> np.ndarray:
    own: np.ndarray = leaf[place]
    return own


def _number(value: float) -> float | None:
    """Returns a number as JSON has it: None where it is not finite."""
    return value if math.isfinite(value) else None
