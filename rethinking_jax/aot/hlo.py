"""The text of a program that XLA has compiled, read into instructions."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

# Bits of one value of each type; a type that is not named here has no values, as a token.
BITS = {
    "pred": 8, "s4": 4, "u4": 4, "s8": 8, "u8": 8, "s16": 16, "u16": 16, "s32": 32, "u32": 32,
    "s64": 64, "u64": 64, "f16": 16, "bf16": 16, "f32": 32, "f64": 64, "c64": 64, "c128": 128,
    "f8e4m3fn": 8, "f8e5m2": 8,
}  # fmt: skip
ARRAY = re.compile(r"\b([a-z]\w*)\[([\d,]*)\](?:\{([^}]*)\})?")
NAME = re.compile(r"%([\w.\-]+)")
CALLS = re.compile(
    r"\b(?:calls|body|condition|to_apply|true_computation|false_computation)=%([\w.\-]+)"
)
BRANCHES = re.compile(r"\bbranch_computations=\{([^}]*)\}")
# What an instruction with one of these codes yields exists already, or costs nothing.
FREE = frozenset(
    {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "while",
     "conditional", "call", "partition-id", "replica-id", "optimization-barrier"}
)  # fmt: skip


class Array(NamedTuple):
    """One array of a program.

    Attributes:
      dtype: XLA's name of its type.
      shape: its shape.
      layout: what stands in braces behind it: the order of its axes, the fastest first, and tiles.
    """

    dtype: str
    shape: tuple[int, ...]
    layout: str

    @property
    def bytes(self) -> int:
        """The bytes of its values, without padding."""
        return math.prod(self.shape) * BITS.get(self.dtype, 0) // 8


class Instruction(NamedTuple):
    """One line of a program.

    Attributes:
      name: its name, unique within its computation.
      results: the arrays that it yields.
      code: what it does, such as "fusion" or "all-reduce-start".
      operands: the names of the instructions whose results it takes.
      rest: the line from the parenthesis before its operands on.
    """

    name: str
    results: tuple[Array, ...]
    code: str
    operands: tuple[str, ...]
    rest: str


class Module(NamedTuple):
    """A compiled program: its computations by name, and the name of the one that is run."""

    computations: Mapping[str, Mapping[str, Instruction]]
    entry: str

    def all(self) -> Iterator[tuple[Mapping[str, Instruction], Instruction]]:
        """Yields every instruction with its computation, those within fusions included."""
        for computation in self.computations.values():
            for instruction in computation.values():
                yield computation, instruction

    def scheduled(self) -> Iterator[tuple[Mapping[str, Instruction], Instruction]]:
        """Yields the instructions that are run one after the other; a loop's body once."""
        left, seen = [self.entry], set()
        while left:
            name = left.pop()
            if name in seen or name not in self.computations:
                continue
            seen.add(name)
            computation = self.computations[name]
            for instruction in computation.values():
                yield computation, instruction
                if instruction.code in ("while", "conditional", "call"):
                    left += called(instruction)


def called(instruction: Instruction) -> list[str]:
    """Returns the names of the computations that an instruction calls."""
    branches = BRANCHES.search(instruction.rest)
    return CALLS.findall(instruction.rest) + (NAME.findall(branches[1]) if branches else [])


def operands_of(
    computation: Mapping[str, Instruction], instruction: Instruction
) -> list[tuple[Array, ...]]:
    """Returns the arrays of each operand of an instruction."""
    found = (computation.get(name) for name in instruction.operands)
    return [one.results for one in found if one is not None]


def read_module(text: str) -> Module:
    """Reads what `jax.stages.Compiled.as_text` returns."""
    computations: dict[str, dict[str, Instruction]] = {}
    entry, current = "", None
    for line in text.splitlines():
        if line.startswith("}"):
            current = None
        elif current is None:
            head = re.match(r"(ENTRY )?%?([\w.\-]+) \(.*\{$", line)
            if head:
                current = computations.setdefault(head[2], {})
                entry = head[2] if head[1] else entry
        else:
            instruction = _instruction(line)
            if instruction:
                current[instruction.name] = instruction
    return Module(computations, entry)


def arrays(text: str) -> tuple[Array, ...]:
    """Returns the arrays of a type, such as "(f32[2,3]{1,0}, s32[])"."""
    return tuple(
        Array(dtype, tuple(map(int, filter(None, shape.split(",")))), layout or "")
        for dtype, shape, layout in ARRAY.findall(text)
        if dtype in BITS
    )


def _instruction(line: str) -> Instruction | None:
    match = re.match(r"\s+(?:ROOT )?%([\w.\-]+) = ", line)
    if not match:
        return None
    type_end = _end(line, match.end()) if line[match.end()] == "(" else line.find(" ", match.end())
    code = re.match(r"\s*([\w\-]+)\(", line[type_end:])
    if not code:
        return None
    opened = type_end + code.end() - 1
    closed = _end(line, opened)
    return Instruction(
        match[1],
        arrays(line[match.end() : type_end]),
        code[1],
        tuple(NAME.findall(line[opened:closed])),
        line[opened:],
    )


def _end(line: str, opened: int) -> int:
    """Returns the place behind the parenthesis that closes the one at `opened`."""
    depth = 0
    for place in range(opened, len(line)):
        depth += (line[place] == "(") - (line[place] == ")")
        if not depth:
            return place + 1
    return len(line)


def total_bytes(found: Sequence[Array]) -> int:
    """Returns the bytes of some arrays, without padding."""
    return sum(array.bytes for array in found)
