"""What a program multiplies, moves, and must not do, by its text."""

import re
from collections import Counter
from typing import NamedTuple

from rethinking_jax.aot.hlo import (
    FREE,
    Array,
    Instruction,
    Module,
    called,
    operands_of,
    total_bytes,
)

# A product as the program that is handed to XLA has it, with the types of what is multiplied.
PRODUCT = re.compile(
    r"stablehlo\.(?:convolution|dot_general)\b.*? : "
    r"\(tensor<(?:[^>]*x)?(\w+)>, tensor<(?:[^>]*x)?(\w+)>\) ->"
)
TO_HOST = ("infeed", "outfeed", "send", "recv")


def multiplied(asked: str) -> dict[str, int]:
    """Counts convolutions and products of matrices by the type of what they multiply.

    Args:
      asked: the program as it is handed to XLA, which later moves rounding into the products.
    """
    found = Counter("*".join(sorted(set(types))) for types in PRODUCT.findall(asked))
    return dict(sorted(found.items()))


def unwanted(module: Module) -> list[str]:
    """Names the instructions that call the host or compute in double precision."""
    found = []
    for _, instruction in module.all():
        calls_host = instruction.code.removesuffix("-done") in TO_HOST or (
            instruction.code == "custom-call" and "callback" in instruction.rest
        )
        if calls_host or any(array.dtype in ("f64", "c128") for array in instruction.results):
            found.append(instruction.name)
    return found


class Moved(NamedTuple):
    """The bytes that the instructions of a program read and write, by its text.

    Attributes:
      once: by those outside of loops.
      looped: by those in the body of a loop, which counts once.
    """

    once: int
    looped: int


def moved_bytes(module: Module) -> Moved:
    """Counts the bytes that the instructions of a program read and write, without padding.

    Of an array of which a fusion takes rows alone, these rows count.
    """
    once = looped = 0
    entry = module.computations.get(module.entry)
    for computation, instruction in module.scheduled():
        if instruction.code in FREE or instruction.code.endswith("-done"):
            continue
        read = operands_of(computation, instruction)
        moved = total_bytes(instruction.results) + sum(
            _read_bytes(module, instruction, place, arrays) for place, arrays in enumerate(read)
        )
        if computation is entry:
            once += moved
        else:
            looped += moved
    return Moved(once, looped)


def _read_bytes(
    module: Module, instruction: Instruction, place: int, arrays: tuple[Array, ...]
) -> int:
    """Returns how much an instruction reads of one of its operands."""
    whole = total_bytes(arrays)
    inner = next((module.computations.get(name, {}) for name in called(instruction)), {})
    own = f"({place})"
    taken = {one.name for one in inner.values()
             if one.code == "parameter" and one.rest.startswith(own)}  # fmt: skip
    users = [one for one in inner.values() if taken & set(one.operands)]
    if users and all(one.code in ("gather", "dynamic-slice") for one in users):
        return min(whole, sum(total_bytes(one.results) for one in users))
    return whole
