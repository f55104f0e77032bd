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
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.workdir.metrics import Line

# (the members that go on, their states) -> what the line of each holds of the measures.
MeasureNorms: TypeAlias = Callable[[tuple[int, ...], TrainState], Sequence[Line]]


def norms_of(chunk: Chunk) -> MeasureNorms:
    """Makes what measures the members of a chunk as its config asks for."""
    if not chunk.config.measures:
        return lambda active, state: [{} for _ in active]
    names = names_of(chunk.config, "measures", norms.MEASURES)
    model = make_model(chunk.config, chunk.dataset.num_classes)
    start = jax.device_get(chunk.engine.init(groups.hyper(chunk.runs)).params)

    def members(active: tuple[int, ...], state: TrainState) -> list[Line]:
        now = fetch(state.params)
        lines = []
        for slot, member in enumerate(active):
            params, first = (
                evaluated(model, jax.tree.map(partial(_at, place), tree))
                for tree, place in ((now, slot), (start, member))
            )
            network = norms.Network(norms.matrices(params), norms.matrices(first))
            found = norms.columns(names, network)
            lines.append({name: _number(value) for name, value in found.items()})
        return lines

    return members


def _at(place: int, leaf: np.ndarray) -> np.ndarray:
    own: np.ndarray = leaf[place]
    return own


def _number(value: float) -> float | None:
    """Returns a number as JSON has it: None where it is not finite."""
    return value if math.isfinite(value) else None
