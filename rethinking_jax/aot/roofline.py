"""The least time that a program can take on a chip: a bound, no measurement.

A chip neither multiplies faster than its peak nor moves bytes faster than its memory, and chips
that sum something over a ring each send it nearly twice (Williams, Waterman and Patterson 2009,
"Roofline", and Patarasuk and Yuan 2009 for the ring). Waiting for input, and all that is started
late, is left out.
"""

from typing import NamedTuple

from rethinking_jax.aot.collectives import Collective
from rethinking_jax.aot.topology import Slice


class Bound(NamedTuple):
    """The least seconds that a program takes, by what it has to do.

    Attributes:
      compute: for its operations at the peak of bfloat16.
      memory: for its bytes.
      network: for what the chips send each other.
    """

    compute: float
    memory: float
    network: float

    @property
    def seconds(self) -> float:
        """The least time in all: operations run beside bytes, what is sent after them."""
        return max(self.compute, self.memory) + self.network

    @property
    def by(self) -> str:
        """What takes most of it."""
        return max(self._asdict(), key=lambda name: getattr(self, name))


def bound(target: Slice, flops: float, moved: float, sent: list[Collective]) -> Bound:
    """Returns the bound of a program.

    Args:
      target: the chips that it runs on.
      flops: floating-point operations of a chip.
      moved: bytes that a chip reads and writes in its memory.
      sent: what the chips send each other.
    """
    return Bound(
        flops / target.chip.flops,
        moved / target.chip.bandwidth,
        sum(_sent_bytes(one) for one in sent) / target.interconnect,
    )


def _sent_bytes(one: Collective) -> float:
    """Returns what each chip sends at least."""
    share = (one.chips - 1) / max(1, one.chips)
    return one.bytes * share * (2 if one.kind == "all-reduce" else 1)
