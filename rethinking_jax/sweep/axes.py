"""The axes of a group's arrays: "member", of runs that are mapped over, and "data", of batches."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar, cast

import jax
from jax.sharding import Mesh, PartitionSpec

from rethinking_jax.step.state import Examples, PyTree

Given = ParamSpec("Given")
Result = TypeVar("Result")

# Images, true labels and ids exist once for all members; the labels are each member's own.
EXAMPLE_AXES = Examples(images=None, labels=0, true_labels=None, ids=None)  # type: ignore[arg-type]


def over_data(batch: Result, mesh: Mesh) -> Result:
    """Parts the leading axis of a batch among the devices of the axis "data"."""
    if mesh.shape["data"] == 1:
        return batch
    parted: Result = jax.lax.with_sharding_constraint(batch, PartitionSpec("data"))
    return parted


def over_members(
    function: Callable[Given, Result], axes: Sequence[PyTree], mesh: Mesh | None = None
) -> Callable[Given, Result]:
    """Maps a function of one run over the leading member axis of its arguments.

    Each place on the mesh's axis "member" maps over its own members, without
    communication. One member alone is squeezed instead of vmapped: a batched convolution
    over a batch of one is another, slower operation. The axis "data" is left to the
    partitioner of XLA (see `over_data`).

    Args:
      function: takes trees of arrays as positional arguments.
      axes: as `in_axes` of `jax.vmap`, 0 or None (shared) per argument.
      mesh: None, or one whose axis "member" divides the number of members.
    """

    alone = cast(Callable[..., Result], function)  # an argument list is of no known length

    def mapped(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        result: Result
        if _members(args, axes) > 1:
            result = jax.vmap(alone, tuple(axes))(*args)
        else:
            first = [_take_first(arg, axis) for arg, axis in zip(args, axes, strict=True)]
            result = jax.tree.map(lambda leaf: leaf[None], alone(*first))
        return result

    if mesh is None or mesh.size == 1:
        return mapped
    own, shared = PartitionSpec("member"), PartitionSpec()
    specs = jax.tree.map(
        lambda axis: shared if axis is None else own, tuple(axes), is_leaf=lambda x: x is None
    )
    # Nothing here is replicated by computing it twice, so there is nothing to check.
    parted: Callable[Given, Result] = jax.shard_map(
        mapped, mesh=mesh, in_specs=specs, out_specs=own, axis_names={"member"}, check_vma=False
    )
    return parted


def _members(args: Sequence[PyTree], axes: Sequence[PyTree]) -> int:
    own = next(arg for arg, axis in zip(args, axes, strict=True) if axis == 0)
    return len(jax.tree.leaves(own)[0])


def _take_first(arg: PyTree, axis: PyTree) -> PyTree:
    """Takes an argument of the first member; an axis of None is shared by all."""
    if isinstance(axis, Examples):
        return dataclasses.replace(arg, labels=arg.labels[0])
    return arg if axis is None else jax.tree.map(lambda leaf: leaf[0], arg)
