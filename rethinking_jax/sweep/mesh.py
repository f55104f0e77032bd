"""Where a chunk's runs and batches live: a mesh of devices with the axes "member" and "data".

Members are spread over the axis "member" and never talk to each other: each place runs
the program of its own members (`jax.shard_map`). The devices of the axis "data" share the
batches of a run. The devices may belong to several processes: all call the same functions
in the same order, with the same values, and each holds its part.
"""

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.step.state import PyTree

# Programs are compiled for a number of members per device. A shrinking chunk takes these,
# so that it recompiles a few times, not for every member that leaves.
STEPS = sorted({2**k for k in range(20)} | {3 * 2**k for k in range(20)})


def processes_of(devices: Sequence[jax.Device]) -> int:
    """Returns how many processes the devices belong to, which need not be those of this program."""
    return len({device.process_index for device in devices})


def make_mesh(devices: Sequence[jax.Device], members: int, data: int = 1) -> Mesh:
    """Makes a mesh of as many devices as `members` members can use, `data` for each.

    The devices of a process are neighbours on it, so that each process reads one stretch of a batch
    (see `own_rows`). Their order is kept as far as that allows.
    """
    processes = [device.process_index for device in devices]
    places = max(1, min(len(devices) // data, members))
    used = sorted(devices, key=lambda device: processes.index(device.process_index))
    return Mesh(np.array(used[: places * data]).reshape(places, data), ("member", "data"))


def slots(active: Sequence[int], members: int, places: int) -> tuple[int, ...]:
    """Says which members a program trains: `active`, and copies of its first that fill it up.

    Args:
      active: indices of the members that go on, at least one.
      members: size of the whole chunk.
      places: size of the mesh's axis "member"; the result is a multiple of it.
    """
    each = -(-len(active) // places)
    whole = -(-members // places)
    size = places * min(whole, next(step for step in STEPS if step >= each))
    return (*active, *[active[0]] * (size - len(active)))


def spread(tree: PyTree, mesh: Mesh) -> PyTree:
    """Puts arrays of [members, ...] onto the devices of their members."""
    return _put(tree, NamedSharding(mesh, PartitionSpec("member")))


def share(tree: PyTree, mesh: Mesh) -> PyTree:
    """Puts arrays that all members read onto every device."""
    return _put(tree, NamedSharding(mesh, PartitionSpec()))


def _put(tree: PyTree, sharding: NamedSharding) -> PyTree:
    # Devices of other processes take what is in memory, not what is on a device of ours.
    several = jax.process_count() > 1
    return jax.device_put(jax.tree.map(np.asarray, tree) if several else tree, sharding)


def own_rows(batch_size: int, mesh: Mesh) -> slice:
    """Returns the stretch of every batch that the devices of this process take, see `rows_of`."""
    return rows_of(jax.process_index(), batch_size, mesh)


def rows_of(process: int, batch_size: int, mesh: Mesh) -> slice:
    """Returns the stretch of every batch that the devices of a process take.

    Args:
      process: the index of the process, which has a device at least.
      batch_size: a multiple of the devices of the axis "data".
      mesh: the devices, with one place on the axis "member".

    Raises:
      ValueError: other processes have devices between its devices, so that its rows are no
        stretch; `make_mesh` makes no such mesh.
    """
    parts = _over_data(mesh).devices_indices_map((batch_size,))
    stretches = sorted(
        {part[0].indices(batch_size)[:2] for device, part in parts.items()
         if device.process_index == process}  # type: ignore[attr-defined]
    )  # fmt: skip
    first, end = stretches[0][0], stretches[-1][1]
    if sum(last - begin for begin, last in stretches) < end - first:
        order = [device.process_index for device in mesh.devices.flat]
        raise ValueError(
            f"process {process} would read rows {first} to {end} of a batch, some of which are "
            f"other processes': its devices must be neighbours, and lie in the order {order}"
        )
    return slice(first, end)


def share_out(tree: PyTree, batch_size: int, mesh: Mesh) -> PyTree:
    """Puts a batch on the devices of the axis "data", from the rows of `own_rows` on the host."""
    sharding = _over_data(mesh)

    def put(leaf: np.ndarray) -> jax.Array:
        shape = (batch_size, *leaf.shape[1:])
        whole: jax.Array = jax.make_array_from_process_local_data(sharding, leaf, shape)
        return whole

    return jax.tree.map(put, tree)


def _over_data(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec("data"))
