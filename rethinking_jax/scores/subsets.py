"""Which examples each of many runs trains on, so that all are left out equally often.

Runs come in groups. A group has one random order of all examples, seen as a circle, and each of
its runs leaves out another stretch of the circle. Where the examples divide evenly into blocks,
one for each run of a group, a stretch is a number of whole blocks, and every example is left out
of exactly so many runs of each group. So no example is without a run that has it or one that
lacks it, which independent subsets do not promise, and each subset alone is still a uniform one.
Every group has an order of its own: examples that shared a block in all groups would be given each
other's influence.
"""

import numpy as np

from rethinking_jax.corruption.randomness import generator

BLOCKS = 10  # the runs of a group, and the blocks that its order is cut into


def balanced(
    count: int, groups: int, left_out: int, seed: int, purpose: str, blocks: int = BLOCKS
) -> np.ndarray:
    """Returns the training examples of each run, int32 [groups * blocks, m], ascending in a row.

    All subsets have the same size, m = count - ceil(count * left_out / blocks). Where `count` is
    a multiple of `blocks`, every example is left out of exactly `left_out` runs of each group.
    Otherwise the stretches of neighbouring runs overlap by one example here and there: these few,
    others in every group, are left out of one run more.

    Args:
      count: the number of examples, at least `blocks`.
      groups: the number of groups, each of `blocks` runs, one after the other.
      left_out: how many of the blocks each run leaves out, from 1 to blocks - 1.
      seed: the seed of all orders.
      purpose: a name in `HOST_PURPOSES`; group g depends on (seed, purpose, g) alone, so that
        more groups change none of the first.
      blocks: the number of runs of a group.

    Raises:
      ValueError: there are fewer examples than blocks, or no such number of them is left out.
    """
    if not 1 <= left_out < blocks or count < blocks:
        raise ValueError(f"count={count}, blocks={blocks} and left_out={left_out} make no subsets")
    kept = count - -(-count * left_out // blocks)
    found = np.empty((groups, blocks, kept), np.int32)
    for group in range(groups):
        order = generator(seed, purpose, group).permutation(count)
        for run in range(blocks):
            # What is left out ends where the part that is trained on begins.
            first = run * count // blocks - kept
            found[group, run] = np.sort(order.take(range(first, first + kept), mode="wrap"))
    return found.reshape(groups * blocks, kept)


def halves(count: int, pairs: int, seed: int) -> np.ndarray:
    """Returns the training examples of pairs of runs, int32 [2 * pairs, count // 2].

    The two runs of a pair have no example in common, and every example is in one of them; where
    `count` is odd one example, another for each pair, is in neither. These are the subsets of
    Data Banzhaf, in which an example is with probability 1/2, made of equal size, see `banzhaf`.

    Args:
      count: the number of examples, at least 2.
      pairs: the number of pairs, one after the other.
      seed: the seed of all pairs.
    """
    return balanced(count, pairs, 1, seed, "halves", blocks=2)


def trained_on(subsets: np.ndarray, count: int) -> np.ndarray:
    """Says of each run and example whether the run trains on it, bool [runs, count].

    Args:
      subsets: positions of examples, int [runs, m].
      count: the number of examples.
    """
    found = np.zeros((len(subsets), count), bool)
    np.put_along_axis(found, subsets, True, axis=1)
    return found
