"""How much of what a TPU writes is padding: it holds arrays in tiles, such as of 8 x 128 values."""

import math
import re
from typing import NamedTuple

from rethinking_jax.aot.hlo import BITS, FREE, Array, Module

TILE = re.compile(r":T\(([\d,]+)\)")
SHOWN = 5


class Padding(NamedTuple):
    """The results of all instructions of a program.

    Attributes:
      bytes: of their values.
      padded_bytes: with the padding.
      worst: of the arrays with most padding, each once, the largest share first: the array as XLA
        writes it and how many times its values it takes.
    """

    bytes: int
    padded_bytes: int
    worst: list[tuple[str, float]]

    @property
    def times(self) -> float:
        """How many times their values the results take."""
        return self.padded_bytes / max(1, self.bytes)


def padding(module: Module) -> Padding:
    """Measures the results of the instructions that a program runs; a loop's body counts once."""
    values = padded = 0
    lost: dict[str, tuple[int, float]] = {}
    for _, instruction in module.scheduled():
        if instruction.code in FREE or instruction.code.endswith("-done"):
            continue
        for array in instruction.results:
            own, whole = array.bytes, padded_bytes(array)
            values += own
            padded += whole
            name = f"{array.dtype}[{','.join(map(str, array.shape))}]"
            before = lost.get(name, (0, 0.0))[0]
            lost[name] = before + whole - own, whole / max(1, own)
    most = sorted(lost.items(), key=lambda item: -item[1][0])[:SHOWN]
    worst = [(name, round(times, 2)) for name, (bytes_lost, times) in most if bytes_lost]
    return Padding(values, padded, worst)


def padded_bytes(array: Array) -> int:
    """Returns the bytes of an array in its tiles; its own where its layout names none."""
    tile = TILE.search(array.layout)
    if not tile or not array.shape:
        return array.bytes
    order = [int(axis) for axis in array.layout.split(":")[0].split(",") if axis]
    sides = [array.shape[axis] for axis in order]  # the fastest first
    lengths = [int(length) for length in reversed(tile[1].split(","))]
    filled = [
        -(-side // length) * length
        for side, length in zip(sides, lengths, strict=False)
    ]  # fmt: skip
    return math.prod([*filled, *sides[len(filled) :]]) * BITS[array.dtype] // 8
