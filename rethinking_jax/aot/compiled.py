"""One program, compiled: whether it fits, what it computes, moves and sends."""

import re
import time
from typing import Any, NamedTuple

import jax
from jax.sharding import Mesh

from rethinking_jax.aot.collectives import Collective, collectives
from rethinking_jax.aot.hlo import Module, read_module
from rethinking_jax.aot.padding import Padding, padding
from rethinking_jax.aot.products import moved_bytes, multiplied, unwanted
from rethinking_jax.errors import RunFailed
from rethinking_jax.sweep.lowered import Step

# How XLA says that a program is too large for its device, and what begins a page of details.
TOO_LARGE = ("RESOURCE_EXHAUSTED", "Ran out of memory")
DETAILS = re.compile(r" (?:Total hbm usage|Program hbm requirement|Largest program allocations)")


class Memory(NamedTuple):
    """What a program takes of each chip, in bytes.

    Attributes:
      arguments: what it is given.
      results: what it returns.
      donated: the results that take the place of arguments.
      temporary: what lies between.
      code: the program itself.
      held: what lies there meanwhile besides, such as the images of the other splits.
    """

    arguments: int
    results: int
    donated: int
    temporary: int
    code: int
    held: int

    @property
    def peak(self) -> int:
        """The most that is there at once."""
        return sum(self) - 2 * self.donated


class Compiled(NamedTuple):
    """What a program that fits is; bytes and operations are those of one chip.

    Attributes:
      seconds: how long it took to lower and compile it.
      cpu_seconds: the same, of all cores together: on a busy machine it is what the work takes.
      memory: what it takes.
      flops: floating-point operations by XLA's count, a loop's body once; None where it has none.
      bytes: what it reads and writes in the memory, counted alike, by XLA's account where it makes
        one, else by the program's text; None where neither is known.
      xla_seconds: XLA's own estimate of its time; None where it makes none.
      multiplied: how many convolutions and products of matrices there are, by type.
      text: what its text says; None where XLA writes none.
    """

    seconds: float
    cpu_seconds: float
    memory: Memory
    flops: float | None
    bytes: float | None
    xla_seconds: float | None
    multiplied: dict[str, int]
    text: "Text | None"


class Text(NamedTuple):
    """What the text of a program says.

    Attributes:
      collectives: what the chips send each other.
      padding: how its results are padded.
      unwanted: instructions that call the host or compute in double precision.
    """

    collectives: list[Collective]
    padding: Padding
    unwanted: list[str]


def compile_step(step: Step, mesh: Mesh) -> Compiled | str:
    """Compiles a program for the devices of its mesh.

    Returns:
      What it is; or, where its memory does not suffice, what XLA says of that.

    Raises:
      RunFailed: XLA cannot compile it for another reason.
    """
    started, worked = time.perf_counter(), time.process_time()
    try:
        lowered = step.lower()
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        said = " ".join(str(error).split())
        if not any(words in said for words in TOO_LARGE):
            raise RunFailed(f"XLA cannot compile this: {said[:300]}") from error
        return re.split(r" (?:Total hbm usage|Program hbm requirement|Largest program)", said)[
            0
        ].rstrip(".")
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    needs: Any = compiled.memory_analysis()  # which has no public type
    memory = Memory(
        needs.argument_size_in_bytes,
        needs.output_size_in_bytes,
        needs.alias_size_in_bytes,
        needs.temp_size_in_bytes,
        needs.generated_code_size_in_bytes,
        step.held_bytes,
    )
    costs = compiled.cost_analysis() or {}
    module = _module(compiled)
    moved = _moved(costs.get("bytes accessed"), module, step)
    estimate = costs.get("optimal_seconds", 0.0)
    text = _text(module, mesh) if module else None
    return Compiled(
        seconds,
        cpu_seconds,
        memory,
        costs.get("flops"),
        moved,
        estimate if estimate > 0 else None,  # XLA has negative ones, too
        multiplied(lowered.as_text()),
        text,
    )


def _moved(counted: float | None, module: Module | None, step: Step) -> float | None:
    """Returns the bytes of one run of a loop's body, with its share of what is done before."""
    if module is None:
        return counted
    by_text = moved_bytes(module)
    whole = by_text.once + by_text.looped
    per_body = by_text.looped + by_text.once / step.loop if step.loop > 1 else whole
    # XLA's account knows of padding, and the text where it is written.
    return (counted or whole) * per_body / max(1, whole)


def _module(compiled: jax.stages.Compiled) -> Module | None:
    try:
        text = compiled.as_text()
    except jax.errors.JaxRuntimeError:  # as for some programs of v5p
        return None
    return read_module(text) if text else None


def _text(module: Module, mesh: Mesh) -> Text:
    return Text(
        collectives(module, dict(mesh.shape)),
        padding(module),
        unwanted(module),
    )
