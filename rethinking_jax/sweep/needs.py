"""What the members of a group take of a device, by XLA's account of their compiled train step."""

from collections.abc import Sequence
from typing import Any

import jax

from rethinking_jax.data.dataset import Dataset
from rethinking_jax.sweep.build import build_engine
from rethinking_jax.sweep.engine import Chunk, Run
from rethinking_jax.sweep.lowered import steps_of
from rethinking_jax.sweep.mesh import make_mesh

# How XLA says that a program is too large for its device.
TOO_LARGE = "RESOURCE_EXHAUSTED"


def compiled_bytes(
    group: Sequence[Run], dataset: Dataset, backend: str, devices: Sequence[jax.Device]
) -> tuple[int, int]:
    """Compiles the train step of one and of two members for the devices of one place.

    Args:
      group: the runs, at least two; the first two are taken.
      dataset: what they train on, in memory.
      backend: "gpu" or "tpu".
      devices: those of all processes, or of a topology.

    Returns:
      The bytes that each member takes on a device, and those that all of them share. Where two do
      not fit, a member takes more than there is.

    Raises:
      jax.errors.JaxRuntimeError: XLA cannot compile it for another reason.
    """
    own = [device for device in devices if device.process_index == devices[0].process_index]
    here = [device for device in devices if device.process_index == jax.process_index()] or own
    one, two = (_taken(group[:count], dataset, backend, here) for count in (1, 2))
    if one is None or two is None:
        return 2**62, 0
    each = max(1, two - one)
    return each, max(0, one - each)


def _taken(
    runs: Sequence[Run], dataset: Dataset, backend: str, devices: Sequence[jax.Device]
) -> int | None:
    """Returns the bytes of a device while some members train; None where they do not fit."""
    config = runs[0].config
    mesh = make_mesh(devices, 1, max(1, int(config.data_devices)))
    size = runs[0].train_size(len(dataset.train))
    engine = build_engine(config, dataset, backend, mesh, size)
    step = steps_of(Chunk("", tuple(runs), dataset, engine, mesh), backend)["train"]
    try:
        needs = step.lower().compile().memory_analysis()
    except jax.errors.JaxRuntimeError as error:
        if TOO_LARGE in str(error):
            return None
        raise
    return step.held_bytes + (0 if needs is None else _peak_bytes(needs))


def _peak_bytes(needs: Any) -> int:  # which has no public type
    """Returns what a program takes in all of a device, by XLA's account."""
    parts = needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes
    return int(parts - needs.alias_size_in_bytes)
