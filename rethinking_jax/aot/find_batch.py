"""The largest batch that fits."""

import bisect
from collections.abc import Callable

# Images per chip that are tried: powers of two, and half of the way between them.
PER_CHIP = sorted({2**k for k in range(18)} | {3 * 2**k for k in range(17)})


def find_batch(
    given: int, parts: int, most: int, memory: int, peak_of: Callable[[int], int | None]
) -> dict[int, int | None]:
    """Finds the largest batch that fits, of `PER_CHIP` images on each chip.

    The memory grows about in proportion to the batch, so the first that is tried beside the given
    one is where it would be full; from there the sizes are tried one after another.

    Args:
      given: a batch size to begin with.
      parts: how many chips, times micro-batches, share a batch of each run.
      most: how many examples a batch can have.
      memory: the bytes of a chip.
      peak_of: compiles a train step with a batch; returns the bytes that it takes, None where it
        does not fit.

    Returns:
      The sizes that were tried, in their order, with their bytes. The largest that fits is the
      largest of them, for the next was tried, or there is none.
    """
    sizes = [size * parts for size in PER_CHIP if size * parts <= most]
    tried: dict[int, int | None] = {}

    def fits(place: int) -> bool:
        size = sizes[place]
        if size not in tried:
            tried[size] = peak_of(size)
        return tried[size] is not None

    if not sizes:
        return {}
    place = min(bisect.bisect_left(sizes, given), len(sizes) - 1)
    if fits(place):
        full = sizes[place] * memory // max(1, tried[sizes[place]] or 0)
        place = max(place, bisect.bisect_right(sizes, full) - 1)
    while place > 0 and not fits(place):
        place -= 1
    while place + 1 < len(sizes) and fits(place) and fits(place + 1):
        place += 1
    fits(place)
    return dict(sorted(tried.items()))
