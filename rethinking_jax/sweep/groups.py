"""From the runs of a config to groups that train as one program.

Runs that share their static part and their images form a group; a group is cut into
chunks, and the members of a chunk train together, spread over the devices: as many on
each as memory holds, `vmap`ped, or one on each. A single run is a chunk of one, and so is
a run whose examples are streamed.
"""

import hashlib
from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import CORRUPTIONS, corrupt, corruption_seed
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.state import TrainState
from rethinking_jax.step.train import init_state
from rethinking_jax.sweep.build import (
    build_engine,
    data_devices,
    input_shape,
    is_convolutional,
    make_model,
    make_optimizer_of,
    static_part,
    streamed_part,
    wasteful_batches,
)
from rethinking_jax.sweep.engine import Chunk, Engine, Run
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.memory import ESTIMATE_IS_OFF, SHARE, member_bytes, step_bytes
from rethinking_jax.sweep.mesh import make_mesh, processes_of
from rethinking_jax.sweep.needs import compiled_bytes
from rethinking_jax.sweep.saved import chunk_name

# Small networks on a CPU: what those that train together may touch in a step, about half of a
# usual last level of cache, and how many must fit for it to be worth it (`bench sweep`).
CACHE_BYTES = 16 * 2**20
FEWEST_TOGETHER = 4


def label_run(member: configs.Member, dataset: Dataset) -> Run:
    """Draws a run's labels and says what was really flipped."""
    config = member.config
    drawn = corrupt(config, dataset)
    train, test = (
        np.asarray(drawn.labels(split, part.ids, part.labels))
        for split, part in (("train", dataset.train), ("test", dataset.test))
    )
    flipped = float(np.mean(train != dataset.train.labels))
    return Run(
        name=member.name,
        config=config,
        label_noise=float(drawn.noise.p) if drawn.given is None else flipped,
        train_labels=train,
        test_labels=test,
        flipped_fraction=flipped,
        labels_sha256=hashlib.sha256(train.astype("<i4").tobytes()).hexdigest(),
        transition=transition(dataset.train.labels, train, dataset.num_classes)
        if LOSSES[config.loss].knows_noise
        else np.ones((1, 1), np.float32),
    )


def transition(true: np.ndarray, given: np.ndarray, classes: int) -> np.ndarray:
    """Returns the share of each true class (row) that has each label (column), float32 [k, k].

    A class without examples keeps its label.
    """
    counts = np.zeros((classes, classes))
    np.add.at(counts, (true, given), 1)
    counts += np.diag(counts.sum(1) == 0)
    shares: np.ndarray = (counts / counts.sum(1, keepdims=True)).astype(np.float32)
    return shares


def make_chunks(
    members: Sequence[configs.Member],
    datasets: dict[str, Dataset],
    backend: str,
    devices: Sequence[jax.Device],
    stored: Sequence[Sequence[str]] = (),
    report: Callable[[str], None] = print,
    change: Callable[[Run], Run] = lambda run: run,
    free: int | None = None,
) -> list[Chunk]:
    """Groups the runs, cuts groups into chunks and builds each chunk's engine.

    Args:
      members: the runs.
      datasets: see `rethinking_jax.data.runs.load_datasets`.
      backend: "cpu", "gpu" or "tpu".
      devices: to spread the members over.
      stored: the names of the runs of each chunk of earlier sessions (see
        `rethinking_jax.sweep.recut`): they stay together, and only other runs are grouped.
      report: receives a line for each group that is trained as one: the memory it takes.
      change: gives a run labels or examples of its own.
      free: the bytes that are free on each device; None asks the first of this process.

    Returns:
      The chunks, in the order in which the config names their first runs.
    """
    runs = {member.name: change(label_run(member, datasets[dataset_key(member.config)]))
            for member in members}  # fmt: skip
    kept = [
        names
        for names in stored
        if runs.keys() >= set(names) and len({_key(runs[name]) for name in names}) == 1
    ]
    parts = [tuple(runs[name] for name in names) for names in kept]
    placed = {name for names in kept for name in names}
    for group in _groups([run for name, run in runs.items() if name not in placed]):
        parts += _cut(group, datasets[dataset_key(group[0].config)], backend, devices, report, free)
    engines: dict[str, Engine] = {}
    chunks = []
    for part in parts:
        config = part[0].config
        dataset = datasets[dataset_key(config)]
        mesh = _mesh(config, dataset, len(part), devices)
        own = streamed_part(config) if dataset.streamed else ()
        size = part[0].train_size(len(dataset.train))
        key = str((mesh.shape, static_part(config), own, size))
        if key not in engines:
            if warning := wasteful_batches(config, backend, mesh.shape["data"]):
                report(warning)
            engines[key] = build_engine(config, dataset, backend, mesh, size)
        name = chunk_name([run.name for run in part])
        chunks.append(Chunk(name, part, dataset, engines[key], mesh))
    return sorted(chunks, key=lambda chunk: list(runs).index(chunk.runs[0].name))


def _groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Puts runs that may train together into groups."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_key(run), []).append(run)
    return list(groups.values())


def _cut(
    group: Sequence[Run],
    dataset: Dataset,
    backend: str,
    devices: Sequence[jax.Device],
    report: Callable[[str], None],
    free: int | None,
) -> list[tuple[Run, ...]]:
    """Cuts a group into chunks."""
    config = group[0].config
    if dataset.streamed:
        size = 1
    elif len(group) > 1 and (most := _members_at_once(group, dataset, backend)) > 1:
        size = _chunk_size(group, dataset, backend, devices, most, report, free)
    else:
        size = places_of(config, devices)
    return [tuple(group[i : i + size]) for i in range(0, len(group), size)]


def places_of(config: ConfigDict, devices: Sequence[jax.Device]) -> int:
    """Says how many runs can have devices of their own."""
    return max(1, len(devices) // max(1, int(config.data_devices)))


def _mesh(
    config: ConfigDict, dataset: Dataset, members: int, devices: Sequence[jax.Device]
) -> Mesh:
    """Makes the mesh of a chunk of `members` runs."""
    data = data_devices(config, dataset.streamed, members, devices)
    # No process may be left without a device: places that are too many train copies.
    several = processes_of(devices) > 1 and not dataset.streamed
    return make_mesh(devices, len(devices) if several else members, data)


def _chunk_size(
    group: Sequence[Run],
    dataset: Dataset,
    backend: str,
    devices: Sequence[jax.Device],
    most: int,
    report: Callable[[str], None],
    free: int | None,
) -> int:
    """Says how many runs of a vmapped group train at once, at most `most` on a device.

    On accelerators the estimate decides only where all of them would fit if it were far too low:
    else their train step is compiled for one and for two of them.
    """
    places = places_of(group[0].config, devices)
    free = free_bytes(jax.local_devices()[0]) if free is None else free
    each, shared, source = estimate_bytes(group[0], dataset), 0, "about"
    on_each = min(most, -(-len(group) // places))
    if backend != "cpu" and each * on_each * ESTIMATE_IS_OFF > SHARE * free:
        each, shared = compiled_bytes(group, dataset, backend, devices)
        source = "by XLA's account"
    fits = min(most, max(1, int((SHARE * free - shared) / each))) * places
    chosen = min(len(group), int(group[0].config.max_members) or fits, fits)
    report(
        f"{len(group)} runs as one program, {chosen} at a time: {source} {each / 2**20:.1f} MiB "
        f"for each, {free / 2**30:.1f} GiB free"
    )
    return chosen


def estimate_bytes(run: Run, dataset: Dataset) -> int:
    """Estimates the memory that one more member like this takes, see `memory.member_bytes`."""
    config, size = run.config, run.train_size(len(dataset.train))
    image_shape = input_shape(config, dataset)
    return member_bytes(
        make_model(config, dataset.num_classes),
        _init_of(run, dataset, image_shape),
        image_shape,
        config.batch_size,
        min(config.eval_batch_size, size),
        size,
    )


def _init_of(
    run: Run, dataset: Dataset, image_shape: tuple[int, int, int]
) -> Callable[[], TrainState]:
    """Returns what makes the state of a run."""
    model = make_model(run.config, dataset.num_classes)
    build = make_optimizer_of(run.config, run.train_size(len(dataset.train)))
    one = jax.tree.map(lambda leaf: leaf[0], hyper([run]))
    return lambda: init_state(model, build, one, image_shape)


def _key(run: Run) -> str:
    return group_key(run.config, None if run.subset is None else len(run.subset))


def group_key(config: ConfigDict, examples: int | None = None) -> str:
    """Returns a text that is the same for all runs that may train together.

    Args:
      config: of the run.
      examples: the size of the part of the training set that it is given; None: the whole.
    """
    # Members of a group share their images: corrupted pixels are those of one seed.
    shared = CORRUPTIONS[config.corruption].images is None
    own = "" if shared else (config.corruption, corruption_seed(config))
    return str((static_part(config), own, examples))


def _members_at_once(group: Sequence[Run], dataset: Dataset, backend: str) -> int:
    """Says how many runs share a device at most, if memory allows; 1: they are looped.

    On a CPU a few small networks train faster together, for a step of one is too small for the
    cores. More of them than the cache holds are slower than one at a time, and so are vmapped
    convolutions, which become grouped ones (see `rethinking_jax.bench`).
    """
    config = group[0].config
    if config.vectorize == "vmap":
        return len(group)
    if config.vectorize == "loop" or is_convolutional(config):
        return 1
    if backend != "cpu":
        return len(group)
    in_cache = CACHE_BYTES // _step_bytes(group[0], dataset)
    return in_cache if in_cache >= FEWEST_TOGETHER else 1


def _step_bytes(run: Run, dataset: Dataset) -> int:
    """Estimates what a member touches in a train step, see `memory.step_bytes`."""
    config, image_shape = run.config, input_shape(run.config, dataset)
    init = _init_of(run, dataset, image_shape)
    return step_bytes(init, image_shape, config.batch_size)
