"""What the chips of a program send each other, by the program's text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rethinking_jax.aot.hlo import Instruction, Module, operands_of

KINDS = (
    "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute",
    "collective-broadcast", "ragged-all-to-all",
)  # fmt: skip
GROUPS = re.compile(r"\breplica_groups=(\{\{.*?\}\}|\{\}|\[[\d,]+\]<=\[[\d,]+\](?:T\([\d,]+\))?)")
PAIRS = re.compile(r"\bsource_target_pairs=(\{\{.*?\}\})")


class Collective(NamedTuple):
    """All that a program sends in one way.

    Attributes:
      kind: such as "all-reduce".
      axes: the axes of the mesh along which the chips lie that take part, joined by "+".
      dtype: XLA's name of the type.
      arrays: how many arrays are sent; those in the body of a loop count once.
      bytes: of these arrays on one chip.
      chips: how many chips take part in each of the sends, at most.
    """

    kind: str
    axes: str
    dtype: str
    arrays: int
    bytes: int
    chips: int


def collectives(module: Module, shape: dict[str, int]) -> list[Collective]:
    """Returns what a program sends, by kind, axes and type.

    Args:
      module: the program.
      shape: the length of each axis of its mesh, in their order.
    """
    found: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for computation, instruction in module.all():
        kind = instruction.code.removesuffix("-start")
        if kind not in KINDS:
            continue
        groups = list(_groups(instruction, int(np.prod(list(shape.values())))))
        axes = _axes(groups, shape)
        for array in (one for own in operands_of(computation, instruction) for one in own):
            count, sent, chips = found.get((kind, axes, array.dtype), (0, 0, 0))
            most = max(chips, *map(len, groups))
            found[kind, axes, array.dtype] = count + 1, sent + array.bytes, most
    return [Collective(*key, *numbers) for key, numbers in sorted(found.items())]


def _groups(instruction: Instruction, devices: int) -> Iterator[list[int]]:
    """Yields the places on the mesh, row by row, of the chips that talk to each other."""
    match = GROUPS.search(instruction.rest) or PAIRS.search(instruction.rest)
    text = match[1] if match else "{}"
    if text == "{}":
        yield list(range(devices))
    elif text.startswith("{"):
        for group in re.findall(r"\{([\d,\s]+)\}", text):
            yield list(map(int, group.split(",")))
    else:
        lengths, rest = (part.strip("[]") for part in text.split("<="))
        dimensions, _, order = rest.partition("]T(")
        numbers = np.arange(devices).reshape(_numbers(dimensions.strip("[]")))
        if order:
            numbers = numbers.transpose(_numbers(order.strip(")")))
        yield from numbers.reshape(_numbers(lengths)).tolist()


def _numbers(text: str) -> list[int]:
    return list(map(int, text.split(",")))


def _axes(groups: list[list[int]], shape: dict[str, int]) -> str:
    """Names the axes of the mesh along which the members of a group differ."""
    names = set()
    for group in groups:
        places = np.array(np.unravel_index(group, list(shape.values())))
        names |= {name for name, own in zip(shape, places, strict=True) if len(set(own)) > 1}
    return "+".join(name for name in shape if name in names)
