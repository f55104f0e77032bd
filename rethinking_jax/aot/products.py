"""Which types a program multiplies, and what in it must not be there, by its text."""

from collections import Counter

from rethinking_jax.aot.hlo import (
    FREE,
    Array,
    Instruction,
    Module,
    called,
    operands_of,
    total_bytes,
)

# Parts of the names of library functions that multiply: cuDNN's and cuBLAS's.
LIBRARIES = ("conv", "gemm", "matmul")
TO_HOST = ("infeed", "outfeed", "send", "recv")


def multiplied(module: Module) -> dict[str, int]:
    """Counts convolutions and products of matrices by the type of what they multiply."""
    found: Counter[str] = Counter()
    for computation, instruction in module.all():
        if instruction.code in ("convolution", "dot") or _multiplies(instruction):
            types = [own[0].dtype for own in operands_of(computation, instruction)[:2] if own]
            found["*".join(sorted(set(types)))] += 1
    return dict(sorted(found.items()))


def _multiplies(instruction: Instruction) -> bool:
    _, _, target = instruction.rest.partition('custom_call_target="')
    name = target.partition('"')[0].lower()
    return instruction.code == "custom-call" and any(part in name for part in LIBRARIES)


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


def moved_bytes(module: Module) -> int:
    """Counts the bytes that the instructions of a program read and write, a loop's body once.

    It is for GPUs, where XLA makes no such account without a device. Of an array of which a fusion
    takes rows alone, these rows count.
    """
    moved = 0
    for computation, instruction in module.scheduled():
        if instruction.code in FREE or instruction.code.endswith("-done"):
            continue
        read = operands_of(computation, instruction)
        moved += total_bytes(instruction.results)
        moved += sum(
            _read_bytes(module, instruction, place, arrays) for place, arrays in enumerate(read)
        )
    return moved


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
