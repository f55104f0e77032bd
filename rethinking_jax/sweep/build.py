"""From the config of a run and its data set to the engine that trains it.

Everything here is static: runs with the same recipe share an engine.
"""

from collections.abc import Sequence

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
from rethinking_jax.models.own import check_logits, is_own
from rethinking_jax.models.peers import Peers
from rethinking_jax.step.augment import augment, changes_size, parse
from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.objective import Objective
from rethinking_jax.step.optimizer import BuildOptimizer, make_optimizer
from rethinking_jax.step.precision import precisely
from rethinking_jax.step.preprocess import Preprocess, center_crop, make_preprocess
from rethinking_jax.step.state import Examples, Hyper, Steps, TrainState
from rethinking_jax.step.train import make_steps
from rethinking_jax.sweep.engine import Engine, steps_per_epoch
from rethinking_jax.sweep.mesh import processes_of
from rethinking_jax.sweep.program import Program, apart, make_program, use_scan, xla_options
from rethinking_jax.sweep.resident import resident_engine
from rethinking_jax.sweep.stream import Corrupt, StreamProgram, make_stream_program, stream_engine

# A TPU takes the examples of a convolution so many at a time; fewer cost almost as much.
TPU_BATCH = 128


def static_part(config: ConfigDict) -> dict[str, object]:
    """Returns what runs must have in common to share an engine, but for their images."""
    # The rate is an array, but a program without dropout draws nothing.
    return {**configs.static_part(config), "dropout_rate": config.dropout_rate > 0}


def streamed_part(config: ConfigDict) -> tuple[object, ...]:
    """Returns what is static besides where the corruption is part of the program."""
    corruption = CORRUPTIONS[config.corruption]
    changes = corruption.labels, corruption.images, corruption.purpose
    keys = "exclude_true_class", "corrupt_test_labels", "corruption_seed"
    file = config.labels_file if corruption.from_file else ""
    return *changes, *(config[key] for key in keys), file


def make_model(config: ConfigDict, num_classes: int, for_cpu: bool = False) -> nn.Module:
    """Makes the network of a config; `for_cpu` says that it trains on one CPU device."""
    network = create_model(
        config.model,
        num_classes=num_classes,
        hidden_sizes=tuple(config.hidden_sizes),
        dropout_rate=config.dropout_rate,
        dtype=config.dtype,
        for_cpu=for_cpu,
    )
    pairs = LOSSES[config.get("loss", "cross_entropy")].pairs
    return Peers(network, config.dropout_rate) if pairs else network


def for_cpu(backend: str, mesh: Mesh) -> bool:
    """Says whether layers train with gradients of their own (see `models.layers.ImageModel`).

    Their loops over the images of a batch would move images between devices that share it.
    """
    return backend == "cpu" and mesh.shape["data"] == 1


def is_convolutional(config: ConfigDict) -> bool:
    """Says whether the network of a config convolves."""
    return convolves(make_model(config, 2))


def input_shape(config: ConfigDict, dataset: Dataset) -> tuple[int, int, int]:
    """Returns (h, w, c) of what the network is given."""
    stored = jax.ShapeDtypeStruct((1, *dataset.image_shape), jnp.uint8)
    cropped = jax.eval_shape(lambda images: center_crop(images, config.crop_size), stored)
    _, height, width, channels = cropped.shape
    return height, width, channels


def make_preprocess_of(config: ConfigDict, dataset: Dataset) -> Preprocess:
    """Makes the preprocessing of a config in eval mode, the central crop included."""
    scale = make_preprocess(config.preprocess, *dataset.moments)
    return lambda images: scale(center_crop(images, config.crop_size))


def make_optimizer_of(config: ConfigDict, train_size: int) -> BuildOptimizer:
    """Makes the optimizer of a config."""
    return make_optimizer(
        config.optimizer,
        config.lr_decay,
        config.lr_decay_steps or steps_per_epoch(config, train_size),
        config.weight_decay_mask,
        config.optimizer_epsilon,
        config.weight_decay_kind,
    )


def data_devices(
    config: ConfigDict, streamed: bool, members: int, devices: Sequence[jax.Device]
) -> int:
    """Says how many devices share the batches of each run.

    A streamed run has all of them; a run whose data is on the device one, unless the config
    says otherwise. With several processes every device has to take part.

    Raises:
      UserError: there are fewer, or the batches cannot be parted so.
    """
    count = int(config.data_devices)
    if count > len(devices):
        raise UserError(f"config.data_devices={count} is more than the {len(devices)} devices here")
    if not count:
        spread = streamed or processes_of(devices) > 1
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


def wasteful_batches(config: ConfigDict, backend: str, parts: int) -> str:
    """Says in one line that a TPU would fill up the batches of a network; "" where it does not.

    A TPU lays the batch of a convolution out in pieces of 128 examples, and computes whole
    pieces. Other devices, and dense layers, have no such step.

    Args:
      config: of the run.
      backend: "cpu", "gpu" or "tpu".
      parts: how many devices share a batch.
    """
    each = config.batch_size // (parts * config.accumulate)
    if backend != "tpu" or not is_convolutional(config) or each >= TPU_BATCH:
        return ""
    wanted = TPU_BATCH * parts * config.accumulate
    return (
        f"config.batch_size={config.batch_size} gives each of {parts} TPU chips {each} examples at "
        f"a time, and a chip computes {TPU_BATCH} in about the time: fewer chips cost less, or "
        f"batch_size={wanted} with a learning rate for it"
    )


def build_engine(
    config: ConfigDict, dataset: Dataset, backend: str, mesh: Mesh, train_size: int | None = None
) -> Engine:
    """Builds what trains runs of a config; here alone it matters where their examples are.

    Args:
      config: what the runs share.
      dataset: what they are trained on.
      backend: "cpu", "gpu" or "tpu".
      mesh: the devices, see `rethinking_jax.sweep.mesh.make_mesh`.
      train_size: how many examples each run trains on; None: all of the data set.
    """
    if dataset.streamed:
        return stream_engine(build_stream_program(config, dataset, backend, mesh))
    scan = _scans(config, backend) and not config.checkpoint_every_steps
    return resident_engine(build_program(config, dataset, backend, mesh, train_size), scan)


def build_program(
    config: ConfigDict, dataset: Dataset, backend: str, mesh: Mesh, train_size: int | None = None
) -> Program:
    """Makes the compiled functions of runs with a data set in memory, see `build_engine`."""
    size = train_size or len(dataset.train)
    return make_program(
        _make_steps(config, dataset, backend, mesh, size),
        train_size=size,
        image_shape=dataset.image_shape,
        batch_size=config.batch_size,
        eval_batch_size=config.eval_batch_size,
        scan=_scans(config, backend),
        mesh=mesh,
        compiler_options=_xla_options(config, backend),
    )


def build_stream_program(
    config: ConfigDict, dataset: Dataset, backend: str, mesh: Mesh
) -> StreamProgram:
    """Makes the compiled functions of a run with a streamed data set, see `build_engine`."""
    steps = _make_steps(config, dataset, backend, mesh, len(dataset.train))
    options = _xla_options(config, backend)
    return make_stream_program(steps, make_corruption(config, dataset), mesh, options)


def _xla_options(config: ConfigDict, backend: str) -> dict[str, str]:
    return xla_options(backend, is_convolutional(config), config.deterministic)


def _scans(config: ConfigDict, backend: str) -> bool:
    """Says whether evaluation, and an epoch where nothing has to come between, is one call."""
    fast = use_scan(backend, is_convolutional(config))
    return bool(config.epoch_loop == "scan" or (config.epoch_loop == "auto" and fast))


def _make_steps(config: ConfigDict, dataset: Dataset, backend: str, mesh: Mesh, size: int) -> Steps:
    """Makes the functions of one run on `size` examples, after a check of its batches."""
    check_batches(config, size, mesh.shape["data"])
    per_epoch = steps_per_epoch(config, size)
    preprocess, chosen = make_preprocess_of(config, dataset), parse(config.augmentation)

    def draw(seed: jax.Array, epoch: jax.Array, ids: jax.Array, images: jax.Array) -> jax.Array:
        return augment(chosen, seed, epoch, ids, images, config.crop_size)

    drawn = apart(draw) if backend == "cpu" and mesh.size == 1 else draw

    def prepare(state: TrainState, images: jax.Array, ids: jax.Array) -> jax.Array:
        # The epoch of the step, so that a resumed run draws what it would have drawn.
        return preprocess(drawn(state.hyper.seed, state.step // per_epoch, ids, images))

    # Every field but one is a key of the config.
    wanted = {key: config[key] for key in Objective._fields if key in config}
    unroll = not use_scan(backend, is_convolutional(config))
    model = make_model(config, dataset.num_classes, for_cpu(backend, mesh))
    if is_own(config.model) and not isinstance(model, Peers):
        check_logits(config.model, model, input_shape(config, dataset), dataset.num_classes)
    steps = make_steps(
        model,
        make_optimizer_of(config, size),
        preprocess,
        input_shape(config, dataset),
        Objective(**wanted, unroll=unroll, steps_per_epoch=per_epoch),
        prepare if chosen else None,
        dataset.train.ids,
        config.initializer,
        config.init_scale,
    )
    of = config.matmul_precision
    return Steps(
        steps.init,  # it draws, and multiplies nothing
        precisely(of, steps.train),
        precisely(of, steps.evaluate),
        precisely(of, steps.examine),
    )


def make_corruption(config: ConfigDict, dataset: Dataset) -> Corrupt:
    """Corrupts batches inside the step, with the very functions that corrupt whole sets."""
    crop_size = 0 if changes_size(parse(config.augmentation)) else config.crop_size
    of_config = corrupt(config, dataset)
    by_run = config.corruption_seed is None  # a state has but the run's own seed

    def corrupt_batch(hyper: Hyper, split: str, stored: Examples) -> Examples:
        noise = of_config.noise._replace(p=hyper.label_noise)
        seed = hyper.seed if by_run else of_config.seed
        drawn = of_config._replace(seed=seed, noise=noise)
        labels = jnp.asarray(drawn.labels(split, stored.ids, stored.true_labels))
        images = drawn.images(split, stored.ids, center_crop(stored.images, crop_size))
        return Examples(images, labels, stored.true_labels, stored.ids)

    return corrupt_batch
