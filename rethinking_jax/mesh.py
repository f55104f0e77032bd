"""Where the members of a chunk live: a mesh of devices with the axes "member" and "data".

Members are spread over the axis "member" and never talk to each other: each device runs
the program of its own members (`jax.shard_map`). The axis "data" has size 1 today: every
batch is one device's own.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

# Programs are compiled for a number of members per device. A shrinking chunk takes these,
# so that it recompiles a few times, not for every member that leaves.
STEPS = sorted({2**k for k in range(20)} | {3 * 2**k for k in range(20)})


def make_mesh(devices: Sequence[jax.Device], members: int) -> Mesh:
    """A mesh of as many of the devices as `members` members can use."""
    used = list(devices)[: max(1, min(len(devices), members))]
    return Mesh(np.array(used).reshape(-1, 1), ("member", "data"))


def slots(active: Sequence[int], members: int, devices: int) -> tuple[int, ...]:
    """Which members a program trains: `active`, and copies of its first that fill it up.

    Args:
      active: indices of the members that go on, at least one.
      members: size of the whole chunk.
      devices: of the mesh; the result is a multiple of it.
    """
    each = -(-len(active) // devices)
    whole = -(-members // devices)
    size = devices * min(whole, next(step for step in STEPS if step >= each))
    return (*active, *[active[0]] * (size - len(active)))


def spread(tree: Any, mesh: Mesh) -> Any:
    """Puts arrays of [members, ...] onto the devices of their members."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec("member")))


def share(tree: Any, mesh: Mesh) -> Any:
    """Puts arrays that all members read onto every device."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))
