"""A test split for data that comes without one."""

from collections.abc import Callable

import numpy as np

from rethinking_jax.corruption.randomness import fixed_bits
from rethinking_jax.data.dataset import Split
from rethinking_jax.errors import UserError


def held_out(labels: np.ndarray) -> np.ndarray:
    """Chooses a stratified fifth of the examples, the same one for everyone.

    A class of n examples gives n / 5, rounded, and at least one where n > 1; a class with a
    single example keeps it for training.

    Args:
      labels: integers [n].

    Returns:
      bool [n], true for the examples that are held out.
    """
    draws = fixed_bits("held_out", len(labels))
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = max((len(members) + 2) // 5, int(len(members) > 1))
        chosen[members[np.argsort(draws[members], kind="stable")[:count]]] = True
    return chosen


def hold_out(name: str, split: Split, say: Callable[[str], None]) -> tuple[Split, Split]:
    """Parts `split` into training and test examples, keeping their order and ids, and says so.

    Raises:
      UserError: no class has two examples, so nothing can be held out.
    """
    test = held_out(split.labels)
    if not test.any():
        raise UserError(
            f"dataset={name!r} has no test split and too few examples to hold one out: "
            "give at least 2 examples of a class."
        )
    say(
        f"{name} has no test split with labels: holding out {test.sum():,} of its {len(test):,} "
        "examples for testing (a fifth of each class, always the same)"
    )
    return split.take(~test), split.take(test)
