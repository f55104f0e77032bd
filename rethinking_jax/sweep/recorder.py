"""What is recorded of every example of every run: part files while runs train, then one file.

A chunk that is through writes examples/CHUNK.npz; when all are, examples.npz takes their place.
The facts themselves are part of the states (see `rethinking_jax.step.facts`), so that checkpoints
hold them and a run that is killed at any moment records what it would have recorded.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.host.processes import is_primary
from rethinking_jax.step.facts import NAMES, no_facts, with_moment
from rethinking_jax.step.state import TrainState, extended, facts_of
from rethinking_jax.sweep.engine import Chunk, Feed
from rethinking_jax.sweep.evaluation import Between
from rethinking_jax.sweep.mesh import spread
from rethinking_jax.workdir.arrays import read_arrays, write_arrays
from rethinking_jax.workdir.storage import AnyPath, make_folder, remove_tree

FILE, PARTS = "examples.npz", "examples"


class Recording(NamedTuple):
    """What is recorded of one split; `runs` of them, n examples.

    Attributes:
      ids: uint32 [n], the stable ids of the examples.
      true_labels: int32 [n].
      labels: int32 [runs, n], those that each run has.
      trained: bool [runs, n], whether a run trains on an example.
      facts: by the names of `rethinking_jax.step.facts`, each [runs, n].
    """

    ids: np.ndarray
    true_labels: np.ndarray
    labels: np.ndarray
    trained: np.ndarray
    facts: dict[str, np.ndarray]


class Recorded(NamedTuple):
    """What examples.npz holds.

    Attributes:
      runs: the names of the runs, in the order of every leading axis.
      epochs: int32 [runs], how many epochs of each were measured.
      splits: by the names of the splits.
    """

    runs: tuple[str, ...]
    epochs: np.ndarray
    splits: dict[str, Recording]


def recorded_splits(chunk: Chunk) -> tuple[str, ...]:
    """Returns the names of the splits that are recorded: what is trained on, and is measured."""
    return ("train", *chunk.dataset.measured)


def with_no_facts(chunk: Chunk, state: TrainState) -> TrainState:
    """Returns the states of all members before their first step, ready to record where wanted."""
    if not chunk.config.record_examples:
        return state
    sizes = {split: len(chunk.dataset.splits[split]) for split in recorded_splits(chunk)}
    facts = {split: no_facts(len(chunk.runs), size) for split, size in sizes.items()}
    return extended(state, facts=facts)


def with_facts(
    chunk: Chunk, feed: Feed, state: TrainState, epoch: int, between: Between
) -> TrainState | None:
    """Returns states with what is found at the end of an epoch; None where asked to stop.

    Args:
      chunk: all members.
      feed: of the members that go on.
      state: theirs.
      epoch: its number, from 1 on.
      between: see `rethinking_jax.sweep.engine.Feed`.
    """
    before = facts_of(state)
    if before is None:
        return state
    found = {}
    for split, facts in before.items():
        now = feed.examine(state, split, between)
        if now is None:
            return None
        found[split] = _with_moment(facts, spread(now, chunk.mesh), np.int32(epoch))
    return extended(state, facts=found)


_with_moment = jax.jit(with_moment)


def write_part(chunk: Chunk, state: TrainState, epochs: Sequence[int], workdir: AnyPath) -> None:
    """Writes what is recorded of the runs of a chunk that is through.

    Args:
      chunk: all members.
      state: how all of them ended, on the host.
      epochs: how many epochs of each were measured.
      workdir: where its file goes.
    """
    facts_by_split = facts_of(state)
    if facts_by_split is None or not is_primary():
        return
    arrays = {
        "runs": np.array([run.name for run in chunk.runs]),
        "epochs": np.array(epochs, np.int32),
    }
    for split, facts in facts_by_split.items():
        part = chunk.dataset.splits[split]
        trained = np.zeros((len(chunk.runs), len(part)), bool)
        for row, run in zip(trained, chunk.runs, strict=True):
            if split == "train":
                row[slice(None) if run.subset is None else run.subset] = True
        own = {
            "ids": part.ids,
            "true_labels": part.labels,
            "labels": np.stack([run.labels_of(split, part) for run in chunk.runs]),
            "trained": trained,
            **{name: np.asarray(facts[name]) for name in NAMES},
        }
        arrays |= {f"{split}_{name}": array for name, array in own.items()}
    make_folder(workdir / PARTS)
    write_arrays(_part_of(chunk, workdir), arrays)


def is_written(chunk: Chunk, epochs: Sequence[int], workdir: AnyPath) -> bool:
    """Says whether what a chunk has to record is in a file; true where it records nothing.

    Args:
      chunk: its runs.
      epochs: how many epochs of each are measured: a file of runs that had fewer is an old one.
      workdir: where the files are.
    """
    if not chunk.config.record_examples:
        return True
    wanted = {(run.name, count) for run, count in zip(chunk.runs, epochs, strict=True)}
    for file in (workdir / FILE, _part_of(chunk, workdir)):
        try:
            held = read_arrays(file, "runs", "epochs") if file.exists() else {}
            if held and wanted <= set(
                zip(held["runs"].tolist(), held["epochs"].tolist(), strict=True)
            ):
                return True
        except UserError:
            pass  # it is recorded again
    return False


def read(workdir: AnyPath, names: Sequence[str]) -> Recorded:
    """Reads what is recorded of some runs, in their order, from examples.npz or from its parts.

    Raises:
      UserError: a file is damaged, or a run is in none.
    """
    places: dict[str, tuple[int, int]] = {}
    files = [workdir / FILE] if (workdir / FILE).exists() else []
    files += sorted((workdir / PARTS).glob("*.npz")) if (workdir / PARTS).is_dir() else []
    wanted, read_files = set(names), list[Mapping[str, np.ndarray]]()
    damaged: UserError | None = None
    for file in files:
        try:
            runs = read_arrays(file, "runs")["runs"].tolist()
            if wanted & set(runs):
                read_files.append(read_arrays(file))
                places |= {name: (len(read_files) - 1, row) for row, name in enumerate(runs)}
        except UserError as error:
            damaged = error  # what was recorded again is in a part
    if missing := wanted - places.keys():
        raise damaged or UserError(f"{workdir / FILE} has nothing of {min(missing)}")

    def rows(key: str) -> np.ndarray:
        return np.stack(
            [read_files[place][key][row] for place, row in (places[name] for name in names)]
        )

    first = read_files[0]
    splits = [key.removesuffix("_ids") for key in first if key.endswith("_ids")]
    return Recorded(
        tuple(names),
        rows("epochs"),
        {
            split: Recording(
                first[f"{split}_ids"],
                first[f"{split}_true_labels"],
                rows(f"{split}_labels"),
                rows(f"{split}_trained"),
                {name: rows(f"{split}_{name}") for name in NAMES},
            )
            for split in splits
        },
    )


def merge(workdir: AnyPath, names: Sequence[str]) -> None:
    """Puts what is recorded of all runs into examples.npz, in the order of their names here."""
    if not is_primary():
        return
    whole = read(workdir, names)
    arrays: dict[str, np.ndarray] = {"runs": np.array(whole.runs), "epochs": whole.epochs}
    for split, own in whole.splits.items():
        plain = {**own._asdict(), **own.facts}
        arrays |= {f"{split}_{name}": plain[name] for name in plain if name != "facts"}
    write_arrays(workdir / FILE, arrays)
    if (workdir / PARTS).exists():  # it is gone where a command was killed after this
        remove_tree(workdir / PARTS)


def check_same_examples(chunks: Sequence[Chunk]) -> None:
    """Refuses runs that record examples and do not read the same ones: one array holds them.

    Raises:
      UserError: with two of the runs.
    """
    first = chunks[0]
    for chunk in chunks[1:]:
        if not chunk.config.record_examples and not first.config.record_examples:
            continue
        if chunk.config.record_examples != first.config.record_examples:
            raise UserError("config.sweep: 'record_examples' must be the same for all runs")
        for split in recorded_splits(first):
            own, other = (one.dataset.splits.get(split) for one in (first, chunk))
            if own is None or other is None or not np.array_equal(own.ids, other.ids):
                raise UserError(
                    f"config.record_examples=True: {first.runs[0].name!r} and "
                    f"{chunk.runs[0].name!r} do not read the same examples: give each data set a "
                    "command of its own"
                )


def _part_of(chunk: Chunk, workdir: AnyPath) -> AnyPath:
    return workdir / PARTS / f"{chunk.name}.npz"
