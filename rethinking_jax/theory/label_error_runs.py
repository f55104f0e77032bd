"""Which networks `label_errors` trains: on all examples, on folds of them, and on subsets.

All runs of one corruption share its labels: they differ in their initial weights, in the order of
examples, and in which of them they train on.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.config import Member, Overrides
from rethinking_jax.corruption import corruption_seed
from rethinking_jax.scores.subsets import BLOCKS, balanced
from rethinking_jax.theory.subset_runs import own_keys

LEFT_OUT = 3  # of `BLOCKS` blocks: each subset run trains on 70 % (Feldman and Zhang 2020)
MAX_MEMBERS = 100  # so that what is lost when a command is killed took a minute or two


class Cell(NamedTuple):
    """One corruption of one setting, and the names of its runs.

    Attributes:
      setting: the name of the setting.
      config: its config.
      corruption: which corruption of the setting, from 0.
      whole: the runs on all examples, one for each initialization.
      folds: those on all but one fold each; () for none.
      subsets: those on subsets; () for none.
    """

    setting: str
    config: ConfigDict
    corruption: int
    whole: tuple[str, ...]
    folds: tuple[str, ...]
    subsets: tuple[str, ...]


def cells(members: Sequence[Member]) -> list[Cell]:
    """Returns all corruptions of all settings."""
    found = []
    for name, config in members:
        for corruption in range(config.corruptions):
            whole, folds, subsets = (
                tuple(f"{name},corruption={corruption},{role}={i}" for i in range(count))
                for role, count in (
                    ("init", config.inits), ("fold", config.folds), ("subset", config.subsets)
                )
            )  # fmt: skip
            found.append(Cell(name, config, corruption, whole, folds, subsets))
    return found


def role(name: str) -> str:
    """Returns what a run is for, by its name: "init", "fold" or "subset"."""
    return name.rpartition(",")[2].partition("=")[0]


def positions(cell: Cell, count: int) -> dict[str, np.ndarray]:
    """Returns the examples that each run on a part of them trains on, int32 [m], by its name.

    Args:
      cell: whose runs.
      count: the number of training examples.
    """
    seed, found = _corruption_seed(cell), dict[str, np.ndarray]()
    if cell.folds:
        parts = balanced(count, 1, 1, seed, "folds", blocks=len(cell.folds))
        found |= dict(zip(cell.folds, parts, strict=True))
    if cell.subsets:
        parts = balanced(count, len(cell.subsets) // BLOCKS, LEFT_OUT, seed, "subsets")
        found |= dict(zip(cell.subsets, parts, strict=True))
    return found


def overrides(cell: Cell) -> Iterator[Overrides]:
    """Yields the keys of each run of a cell, its name included."""
    config = cell.config
    shared = {
        **own_keys(config), "corruption_seed": _corruption_seed(cell), "record_examples": True,
    }  # fmt: skip
    # Corruptions share no initialization, so that they are independent; settings share all.
    first = config.seed + cell.corruption * max(config.inits, config.folds, config.subsets)
    for names, epochs, every in (
        (cell.whole, config.epochs, 1),
        (cell.folds, config.epochs, config.epochs),
        (cell.subsets, config.subset_epochs, config.subset_epochs),
    ):
        for i, name in enumerate(names):
            yield {
                **shared, "name": name, "seed": first + i, "epochs": epochs,
                "measure_every": every,
            }  # fmt: skip


def _corruption_seed(cell: Cell) -> int:
    return corruption_seed(cell.config) + cell.corruption
