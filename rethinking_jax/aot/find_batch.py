"""The largest batch that fits."""

from collections.abc import Callable, Sequence

from rethinking_jax.aot.plan import Record
from rethinking_jax.config import Member

# Images per chip that are tried: powers of two, and half of the way between them.
PER_CHIP = sorted({2**k for k in range(15)} | {3 * 2**k for k in range(14)})


def find_batch(
    members: Sequence[Member],
    parts: int,
    most: int,
    compile_with: Callable[[Sequence[Member]], Record],
) -> tuple[Record | None, list[Record]]:
    """Finds the largest batch of runs that share a program.

    It tries larger ones as long as they fit, two sizes at a time, then what lies between.

    Args:
      members: the runs.
      parts: how many chips, times micro-batches, share a batch of each.
      most: how many examples a batch can have.
      compile_with: returns the group of such runs with another batch, see
        `rethinking_jax.aot.plan.plan`.

    Returns:
      The group with the largest batch, None where even the smallest does not fit; and the batches
      that were tried, with `fits` and `peak`, in their order.
    """
    sizes = [size * parts for size in PER_CHIP if size * parts <= most]
    start = next(
        (k for k, size in enumerate(sizes) if size >= members[0].config.batch_size), len(sizes) - 1
    )
    tried: dict[int, Record] = {}

    def fits(place: int) -> bool:
        if place not in tried:
            tried[place] = compile_with([_with_batch(one, sizes[place]) for one in members])
        return bool(tried[place]["fits"])

    low, high = _bracket(fits, start, len(sizes))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    shown = [
        {"batch_size": sizes[place], "fits": tried[place]["fits"], "peak": _peak(tried[place])}
        for place in sorted(tried)
    ]
    return tried.get(low), shown


def _bracket(fits: Callable[[int], bool], start: int, count: int) -> tuple[int, int]:
    """Returns neighbours or farther places of which the first fits, the second not; -1, `count`."""
    if not count:
        return -1, 0
    place, step = start, 2
    if fits(place):
        while place + step < count and fits(place + step):
            place += step
        return place, min(place + step, count)
    while place - step >= 0 and not fits(place - step):
        place -= step
    return max(place - step, -1), place


def _peak(group: Record) -> int | None:
    """Returns the largest peak of the programs of a group; None where XLA gave up before."""
    peaks = [one["memory"]["peak"] for one in group["programs"].values()]
    return max(peaks) if peaks and group["fits"] else None


def _with_batch(member: Member, batch_size: int) -> Member:
    config = member.config.copy_and_resolve_references()
    config.batch_size = batch_size
    return member._replace(config=config)
