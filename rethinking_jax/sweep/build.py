"""From the config of a run and its data set to the functions that train it.

Everything here is static: runs with the same recipe share a program.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import CORRUPTIONS, corrupt
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.errors import UserError
from rethinking_jax.models import convolves, create_model
from rethinking_jax.step.augment import augment, changes_size, parse
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import center_crop, make_preprocess
from rethinking_jax.step.state import Examples, Hyper, Raw, TrainState
from rethinking_jax.step.train import Steps, make_steps
from rethinking_jax.sweep.program import Program, apart, make_program, use_scan, xla_options
from rethinking_jax.sweep.stream_program import Corrupt, StreamProgram, make_stream_program


def static_part(config: ConfigDict) -> dict[str, object]:
    """What runs must have in common to share a program, but for their images."""
    # The rate is an array, but a program without dropout draws nothing.
    return {**configs.static_part(config), "dropout_rate": config.dropout_rate > 0}


def streamed_part(config: ConfigDict) -> tuple[object, ...]:
    """What is static besides where the corruption is part of the program."""
    corruption = CORRUPTIONS[config.corruption]
    changes = corruption.labels, corruption.images, corruption.purpose
    return *changes, config.exclude_true_class, config.corrupt_test_labels


def make_model(config: ConfigDict, num_classes: int) -> nn.Module:
    """The network of a config."""
    return create_model(
        config.model,
        num_classes=num_classes,
        hidden_sizes=tuple(config.hidden_sizes),
        dropout_rate=config.dropout_rate,
        dtype=config.dtype,
    )


def is_convolutional(config: ConfigDict) -> bool:
    """Whether its network convolves."""
    return convolves(make_model(config, 2))


def steps_per_epoch(config: ConfigDict, train_size: int) -> int:
    """Steps of an epoch, the smaller last batch included where it is trained."""
    full, rest = divmod(train_size, config.batch_size)
    return full + (1 if rest and config.last_batch == "train" else 0)


def input_shape(config: ConfigDict, dataset: Dataset) -> tuple[int, int, int]:
    """(h, w, c) of what the network is given."""
    stored = jax.ShapeDtypeStruct((1, *dataset.image_shape), jnp.uint8)
    cropped = jax.eval_shape(lambda images: center_crop(images, config.crop_size), stored)
    return cropped.shape[1:]


def make_optimizer_of(config: ConfigDict, train_size: int) -> Callable[[Hyper], Any]:
    """The optimizer of a config."""
    return make_optimizer(
        config.optimizer,
        config.lr_decay,
        config.lr_decay_steps or steps_per_epoch(config, train_size),
        config.weight_decay_mask,
        config.optimizer_epsilon,
        config.weight_decay_kind,
    )


def data_devices(config: ConfigDict, streamed: bool, members: int, devices: Sequence[Any]) -> int:
    """How many devices share the batches of each run.

    A streamed run has all of them; a run whose data is on the device one, unless the config
    says otherwise. With several processes every device has to take part.

    Raises:
      UserError: there are fewer, or the batches cannot be parted so.
    """
    count = config.data_devices
    if count > len(devices):
        raise UserError(f"config.data_devices={count} is more than the {len(devices)} devices here")
    if not count:
        spread = streamed or jax.process_count() > 1
        count = max(1, len(devices) // (1 if streamed else members)) if spread else 1
    return count


def check_batches(config: ConfigDict, train_size: int, parts: int) -> None:
    """Refuses batches that cannot be parted among the devices and micro-batches.

    Raises:
      UserError: with what would be right.
    """
    pieces = parts * config.accumulate
    what = (
        f"{parts} devices x accumulate={config.accumulate}"
        if parts > 1
        else (f"accumulate={config.accumulate}")
    )
    if config.batch_size % pieces:
        raise UserError(
            f"config.batch_size={config.batch_size} cannot be parted by {what}: take a multiple "
            f"of {pieces}" + (", or set config.data_devices" if parts > 1 else "")
        )
    rest = train_size % config.batch_size
    if config.last_batch == "train" and rest % pieces:
        raise UserError(
            f"config.last_batch=train: the last {rest} of {train_size:,} examples cannot be "
            f"parted by {what}; --config.last_batch=drop leaves them out of the epoch"
        )


def build_program(
    config: ConfigDict, dataset: Dataset, backend: str, mesh: Mesh
) -> tuple[Program | StreamProgram, bool]:
    """The compiled functions of a group of runs, and whether they scan over steps."""
    train_size = len(dataset.train)
    check_batches(config, train_size, mesh.shape["data"])
    convolutional = is_convolutional(config)
    fast_loop = use_scan(backend, convolutional)
    options = xla_options(backend, convolutional)
    steps = _make_steps(
        config, dataset, unroll=not fast_loop, draw_apart=backend == "cpu" and mesh.size == 1
    )
    if dataset.streamed:
        return make_stream_program(steps, make_corruption(config, dataset), mesh, options), False
    scan = config.epoch_loop == "scan" or (config.epoch_loop == "auto" and fast_loop)
    program = make_program(
        steps,
        train_size=train_size,
        batch_size=config.batch_size,
        eval_batch_size=config.eval_batch_size,
        scan=scan,
        mesh=mesh,
        compiler_options=options,
    )
    return program, scan and not config.checkpoint_every_steps


def _make_steps(config: ConfigDict, dataset: Dataset, unroll: bool, draw_apart: bool) -> Steps:
    size = len(dataset.train)
    per_epoch = steps_per_epoch(config, size)
    scale = make_preprocess(config.preprocess, *dataset.moments)
    chosen = parse(config.augmentation)

    def preprocess(images: jax.Array) -> jax.Array:
        return scale(center_crop(images, config.crop_size))

    def draw(seed: jax.Array, epoch: jax.Array, ids: jax.Array, images: jax.Array) -> jax.Array:
        return augment(chosen, seed, epoch, ids, images, config.crop_size)

    drawn = apart(draw) if draw_apart else draw

    def prepare(state: TrainState, images: jax.Array, ids: jax.Array) -> jax.Array:
        # The epoch of the step, so that a resumed run draws what it would have drawn.
        return preprocess(drawn(state.hyper.seed, state.step // per_epoch, ids, images))

    return make_steps(
        make_model(config, dataset.num_classes),
        make_optimizer_of(config, size),
        preprocess,
        input_shape(config, dataset),
        prepare=prepare if chosen else None,
        label_smoothing=config.label_smoothing,
        mixup_alpha=config.mixup_alpha,
        sam_radius=config.sam_radius,
        accumulate=config.accumulate,
        unroll=unroll,
        gradient_norm=config.gradient_norm,
    )


def make_corruption(config: ConfigDict, dataset: Dataset) -> Corrupt:
    """Corrupts batches inside the step, with the very functions that corrupt whole sets."""
    crop_size = 0 if changes_size(parse(config.augmentation)) else config.crop_size

    of_config = corrupt(config, dataset)

    def corrupt_batch(hyper: Hyper, split: str, raw: Raw) -> Examples:
        noise = of_config.noise._replace(p=hyper.label_noise)
        drawn = of_config._replace(seed=hyper.seed, noise=noise)
        labels = jnp.asarray(drawn.labels(split, raw.ids, raw.labels))
        images = drawn.images(split, raw.ids, center_crop(raw.images, crop_size))
        return Examples(images, labels, raw.labels, raw.ids)

    return corrupt_batch
