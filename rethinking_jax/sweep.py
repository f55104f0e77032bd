"""From the runs of a config to groups that train as one program.

Runs that share their static part and their images form a group; a group is cut into
chunks, and the members of a chunk train together: all of them `vmap`ped, or one at a
time. A single run is a chunk of one.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import (
    LABEL_SETTINGS,
    corrupt_images,
    corrupt_labels,
    label_probability,
)
from rethinking_jax.data import Dataset, Split, load_dataset, subset
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model
from rethinking_jax.optimizer import Hyper, make_optimizer
from rethinking_jax.preprocess import center_crop, make_preprocess, pixel_moments
from rethinking_jax.program import Program, make_program, use_scan
from rethinking_jax.train import Examples

# Pixel corruptions are drawn this many examples at a time: the random bits of a whole
# set would take several times its memory.
CORRUPTION_BATCH = 2000


class DeviceSplit(NamedTuple):
    """A split on the device, cropped, before any corruption."""

    images: jax.Array  # uint8 [n, h, w, c]
    labels: jax.Array  # int32 [n]
    ids: jax.Array  # uint32 [n]


class Source(NamedTuple):
    """A data set on the device."""

    num_classes: int
    train: DeviceSplit
    test: DeviceSplit
    mean: jax.Array  # float32 [c], of the training pixels, scale 0 to 1
    std: jax.Array


class Run(NamedTuple):
    """One run, with the labels it trains on and is tested on."""

    name: str
    config: ConfigDict
    label_noise: float  # p
    train_labels: np.ndarray  # int32 [n]
    test_labels: np.ndarray
    flipped_fraction: float
    labels_sha256: str


class Chunk(NamedTuple):
    """Runs that train together, and all that training needs."""

    name: str  # of its folder of checkpoints
    runs: tuple[Run, ...]
    source: Source
    program: Program
    scan: bool


def load_sources(
    members: Sequence[configs.Member], progress: Callable[[str], None]
) -> dict[str, Source]:
    """Reads each data set that the members name, once; keys as of `_source_key`.

    Raises:
      UserError: a data set cannot be had, or a batch is larger than it.
    """
    sources: dict[str, Source] = {}
    for _, config in members:
        key = _source_key(config)
        if key not in sources:
            dataset = load_dataset(
                config.dataset,
                data_dir=config.data_dir,
                manual_dir=config.manual_dir,
                image_size=config.image_size,
                progress=progress,
            )
            dataset = subset(dataset, config.train_examples, config.data_seed)
            sources[key] = _to_device(dataset, config.crop_size)
        size = len(sources[key].train.labels)
        if config.batch_size > size:
            raise UserError(
                f"config.batch_size={config.batch_size} is more than the {size} training "
                f"examples of {config.dataset}"
            )
    return sources


def _source_key(config: ConfigDict) -> str:
    keys = ("dataset", "image_size", "train_examples", "data_seed", "crop_size")
    return str([config[key] for key in keys])


def _to_device(dataset: Dataset, crop_size: int) -> Source:
    def split(part: Split) -> DeviceSplit:
        images = center_crop(jnp.asarray(part.images), crop_size)
        return DeviceSplit(images, jnp.asarray(part.labels), jnp.asarray(part.ids))

    train, test = split(dataset.train), split(dataset.test)
    mean, std = map(jnp.asarray, pixel_moments(np.asarray(train.images)))
    return Source(dataset.num_classes, train, test, mean, std)


def label_run(member: configs.Member, source: Source) -> Run:
    """Draws a run's labels and says what was really flipped."""
    config = member.config
    p = label_probability(config.corruption, config.label_noise)

    def labels(split: str, part: DeviceSplit) -> np.ndarray:
        return np.asarray(
            corrupt_labels(
                config.seed,
                split,
                part.ids,
                part.labels,
                p,
                source.num_classes,
                config.exclude_true_class,
            )
        )

    train = labels("train", source.train)
    true_test = np.asarray(source.test.labels)
    test = labels("test", source.test) if config.corrupt_test_labels else true_test
    return Run(
        name=member.name,
        config=config,
        label_noise=p,
        train_labels=train,
        test_labels=test,
        flipped_fraction=float(np.mean(train != np.asarray(source.train.labels))),
        labels_sha256=hashlib.sha256(train.astype("<i4").tobytes()).hexdigest(),
    )


def make_chunks(
    members: Sequence[configs.Member], sources: dict[str, Source], backend: str
) -> list[Chunk]:
    """Groups the runs, builds each group's program and cuts groups into chunks.

    Args:
      members: the runs.
      sources: see `load_sources`.
      backend: "cpu", "gpu" or "tpu".

    Returns:
      The chunks, in the order in which the config names their first runs.
    """
    groups: dict[str, list[Run]] = {}
    for member in members:
        run = label_run(member, sources[_source_key(member.config)])
        groups.setdefault(_group_key(member.config), []).append(run)
    chunks = []
    programs: dict[str, tuple[Program, bool]] = {}
    for runs in groups.values():
        config = runs[0].config
        source = sources[_source_key(config)]
        static = str(_static_part(config))
        if static not in programs:
            programs[static] = _build_program(config, source, backend)
        program, scan = programs[static]
        size = len(runs) if _use_vmap(config, backend) else 1
        for i in range(0, len(runs), size):
            part = tuple(runs[i : i + size])
            chunks.append(Chunk(_chunk_name(part), part, source, program, scan))
    names = [member.name for member in members]
    return sorted(chunks, key=lambda chunk: names.index(chunk.runs[0].name))


def _static_part(config: ConfigDict) -> dict[str, object]:
    plain = configs.to_json(config)
    skipped = (*configs.PER_RUN_KEYS, *configs.COMMAND_KEYS)
    return {key: value for key, value in plain.items() if key not in skipped}


def _group_key(config: ConfigDict) -> str:
    # Members of a group share their images; corrupted pixels are a run's own.
    shared = config.corruption in LABEL_SETTINGS
    own = "" if shared else (config.corruption, config.seed)
    return str((_static_part(config), own))


def _use_vmap(config: ConfigDict, backend: str) -> bool:
    if config.vectorize == "auto":
        # On two CPU cores a single MLP keeps the cores busy already, and vmapped
        # convolutions become grouped ones, which are slow: there one run at a time.
        return backend != "cpu" and not _is_convolutional(config)
    return bool(config.vectorize == "vmap")


def _is_convolutional(config: ConfigDict) -> bool:
    return bool(_model(config, 2).convolutional)


def _model(config: ConfigDict, num_classes: int) -> nn.Module:
    return create_model(
        config.model,
        num_classes=num_classes,
        hidden_sizes=tuple(config.hidden_sizes),
        dropout_rate=config.dropout_rate,
    )


def _build_program(config: ConfigDict, source: Source, backend: str) -> tuple[Program, bool]:
    scan = config.epoch_loop == "scan" or (
        config.epoch_loop == "auto" and use_scan(backend, _is_convolutional(config))
    )
    optimizer = make_optimizer(
        config.optimizer,
        config.lr_decay,
        config.lr_decay_steps or steps_per_epoch(config, len(source.train.labels)),
        config.weight_decay_mask,
    )
    program = make_program(
        _model(config, source.num_classes),
        optimizer,
        make_preprocess(config.preprocess, source.mean, source.std),
        image_shape=tuple(source.train.images.shape[1:]),  # type: ignore[arg-type]
        train_size=len(source.train.labels),
        batch_size=config.batch_size,
        eval_batch_size=config.eval_batch_size,
        scan=scan,
    )
    return program, scan


def steps_per_epoch(config: ConfigDict, train_size: int) -> int:
    """Steps of an epoch, the smaller last batch included where it is trained."""
    full, rest = divmod(train_size, config.batch_size)
    return full + (1 if rest and config.last_batch == "train" else 0)


def _chunk_name(runs: Sequence[Run]) -> str:
    name = runs[0].name + (f"+{len(runs) - 1}" if len(runs) > 1 else "")
    safe = re.sub(r"[^A-Za-z0-9_.,=+-]", "_", name)
    # Two names may become the same folder name, and a folder name has a longest length.
    if safe == name and len(safe) < 120:
        return safe
    return f"{safe[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def hyper(runs: Sequence[Run]) -> Hyper:
    """The numbers in which the runs of a chunk differ, each an array of [members]."""

    def column(key: str, dtype: type) -> jax.Array:
        return jnp.array([run.config[key] for run in runs], dtype)

    return Hyper(
        seed=column("seed", jnp.int32),
        learning_rate=column("learning_rate", jnp.float32),
        momentum=column("momentum", jnp.float32),
        weight_decay=column("weight_decay", jnp.float32),
    )


def examples(chunk: Chunk) -> tuple[Examples, Examples]:
    """Training and test set of a chunk: images shared, labels int32 [members, n]."""
    train = np.stack([run.train_labels for run in chunk.runs])
    test = np.stack([run.test_labels for run in chunk.runs])
    return (
        _examples(chunk, "train", chunk.source.train, train),
        _examples(chunk, "test", chunk.source.test, test),
    )


def _examples(chunk: Chunk, split: str, part: DeviceSplit, labels: np.ndarray) -> Examples:
    config, source = chunk.runs[0].config, chunk.source

    @jax.jit
    def corrupt(ids: jax.Array, images: jax.Array) -> jax.Array:
        return corrupt_images(
            config.corruption, config.seed, split, ids, images, source.mean, source.std
        )

    images = part.images
    if config.corruption not in LABEL_SETTINGS:
        parts = [
            corrupt(part.ids[i : i + CORRUPTION_BATCH], images[i : i + CORRUPTION_BATCH])
            for i in range(0, len(part.ids), CORRUPTION_BATCH)
        ]
        images = jnp.concatenate(parts)
    return Examples(images, jnp.asarray(labels), part.labels)
