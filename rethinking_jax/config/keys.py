"""What every config shares: the keys, their meaning, their validation, sweep helpers.

A config file returns `base_config()` with some keys changed. A sweep is a list of
overrides, kept in `config.sweep` as JSON text, so that it prints, compares and can be
switched off on the command line (`--config.sweep=''`).
"""

import hashlib
import itertools
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ml_collections import ConfigDict, config_dict

from rethinking_jax import corruption
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.models import DTYPES, create_model
from rethinking_jax.step import augment, optimizer, preprocess

# Where things lie, how they are read and on what they run: not part of what a run is.
LOCATION_KEYS = (
    "data_dir",
    "manual_dir",
    "cache_dir",
    "input",
    "read_threads",
    "read_workers",
    "data_devices",
    "tensorboard",
    "profile",
    "language",
)
# One value for the whole command, whatever its runs.
COMMAND_KEYS = (
    *LOCATION_KEYS,
    "experiment",
    "sweep",
    "vectorize",
    "max_members",
    "validation_examples",
)
# Differ between the members of one group as arrays, or only on the host.
PER_RUN_KEYS = (
    "seed",
    "corruption",
    "label_noise",
    "exclude_true_class",
    "corrupt_test_labels",
    "learning_rate",
    "momentum",
    "weight_decay",
    "dropout_rate",
)

Overrides = dict[str, Any]


class Member(NamedTuple):
    """One run of an experiment: its name in the results and its resolved config."""

    name: str
    config: ConfigDict


def base_config() -> ConfigDict:
    """Every key with its default; appendix A of the paper where it says one."""
    config = ConfigDict()
    config.experiment = "experiment"  # names the default workdir

    # Data: a tfds name, a folder of images per class, or an .npz file.
    config.dataset = "mnist5k"
    config.data_dir = ""  # of tfds; '': its own default
    config.manual_dir = ""  # archives that were downloaded by hand
    config.image_size = 0  # resize and crop to a square; 0: as they are
    config.train_examples = 0  # the first n of a seeded permutation; 0: all
    config.data_seed = 0  # of that permutation, shared by the runs of a sweep
    # The end of that permutation: measured in place of the test set, which is looked at once,
    # when all runs are through, by the setting with the best validation accuracy.
    config.validation_examples = 0
    # memory; stream (from a cache of decoded images where there is one); cache (that or
    # nothing); auto: stream what takes more than half of a device's memory.
    config.input = "auto"
    config.cache_dir = ""  # of decoded images (rethinking_jax.prepare); '': within data_dir
    config.read_threads = 0  # that read and decode a stream; 0: one per core
    config.read_workers = 0  # processes that do so instead; 0: threads

    # Corruption (section 2.1).
    config.corruption = "true_labels"
    config.label_noise = config_dict.placeholder(float)  # p of partially corrupted labels
    config.exclude_true_class = False  # a redrawn label is never the true one
    config.corrupt_test_labels = False  # test_* on labels corrupted alike

    config.preprocess = "paper"  # paper, dataset, inception, none
    config.crop_size = 28  # central crop before anything else; 0: none
    config.augmentation = ""  # such as crop+flip, of training images; see `augment`

    config.model = "mlp_1x512"
    config.hidden_sizes = ()  # of model=mlp
    config.dropout_rate = 0.0
    config.dtype = "float32"  # of the network's arithmetic; parameters are float32 always

    # 128: not stated in the paper; its plots fit 391 steps an epoch. 0: the whole training set.
    config.batch_size = 128
    config.last_batch = "train"  # the smaller last batch of an epoch: train or drop
    config.accumulate = 1  # micro-batches of a step, whose gradients are averaged
    config.eval_batch_size = 1000
    config.measure_every = 1  # epochs, and at the end: a small set has few steps in an epoch
    config.train_eval_examples = 0  # of the training set, looked at in an epoch; 0: all
    config.epochs = 100
    config.stop_when_fitted = True
    config.fit_threshold = 1.0  # train_accuracy that counts as fitted
    config.seed = 0

    config.optimizer = "sgd"
    config.learning_rate = 0.01
    config.lr_decay = 0.95
    config.lr_decay_steps = 0  # 0: once per epoch
    config.momentum = 0.9
    config.weight_decay = 0.0
    config.weight_decay_mask = "all"  # all, kernels
    config.weight_decay_kind = "coupled"  # an l2 penalty; decoupled: as SGDW and AdamW
    config.optimizer_epsilon = 0.0  # of adam and rmsprop; 0: 1e-8
    config.label_smoothing = 0.0
    config.gradient_norm = False  # the mean of it over an epoch's steps, in metrics.jsonl
    # What came after the paper, see `objective`.
    config.mixup_alpha = 0.0  # of Beta(alpha, alpha), the share of each of two images; 0: off
    config.sam_radius = 0.0  # of sharpness-aware minimization; 0: off

    config.sweep = ""  # JSON list of overrides, see `runs`
    config.vectorize = "auto"  # several runs at once on a device: auto, vmap, loop
    config.max_members = 0  # runs that train at once; 0: as many as memory holds
    config.data_devices = 0  # that share the batches of a run; 0: all if streamed, else one
    config.epoch_loop = "auto"  # steps of an epoch in one call: auto, scan, step
    config.checkpoint_every = 1  # epochs; 0: none
    config.checkpoint_every_steps = 0  # within an epoch; 0: none
    config.checkpoints_to_keep = 2  # the last few, beside the best
    config.tensorboard = False
    config.language = "en"  # of the slides of a course experiment: en, es
    config.profile = False  # a profiler trace of some steps, into the folder profile of the workdir
    return config


def appendix_learning_rate(model: str) -> float:
    """The paper's learning rate of a model (appendix A), or the nearest that works.

    The wide ResNet is not in the paper; it has batch norm, as the small Inception. Without
    batch norm the small Inception diverges at 0.1 from this start, and learns at 0.001.
    """
    rates = {"inception_small": 0.1, "wide_resnet_28_1": 0.1, "inception_small_no_bn": 0.001}
    return rates.get(model, 0.01)


# Sweep helpers -----------------------------------------------------------------


def sweep(key: str, values: Iterable[Any]) -> list[Overrides]:
    """One run for each value of one key."""
    return [{key: value} for value in values]


def product(*sweeps: Sequence[Overrides]) -> list[Overrides]:
    """Every combination; the last sweep varies fastest."""
    return [_merge(parts) for parts in itertools.product(*sweeps)]


def zipped(*sweeps: Sequence[Overrides]) -> list[Overrides]:
    """The first of each together, the second of each together, and so on.

    Raises:
      ValueError: the sweeps differ in length.
    """
    return [_merge(parts) for parts in zip(*sweeps, strict=True)]


def runs(overrides: Sequence[Overrides]) -> str:
    """What `config.sweep` holds: the list of runs as JSON.

    A run may have a "name" of its own; else it is named by its values.
    """
    return json.dumps(list(overrides))


def _merge(parts: Iterable[Overrides]) -> Overrides:
    return {key: value for part in parts for key, value in part.items()}


# Argument strings ---------------------------------------------------------------


def parse_argument(argument: str, positional: str = "", **defaults: Any) -> ConfigDict:
    """Reads the part behind the colon of `--config=file.py:argument`.

    Args:
      argument: "key=value,key=value"; the first part may be a bare value for the key
        `positional`.
      positional: the key that a bare first part stands for; '': none may.
      **defaults: every key that may be given; its default decides the type.

    Returns:
      The values, defaults filled in.

    Raises:
      UserError: unknown key, or a value of another type.
    """
    values = ConfigDict(defaults)
    for i, part in enumerate(filter(None, argument.split(","))):
        key, equals, text = part.partition("=")
        if not equals and i == 0 and positional:
            key, text = positional, part
        if key not in defaults:
            raise UserError(
                f"the config's argument {part!r} is not known{nearest(key, defaults)}. "
                f"Known: {', '.join(f'{k}={v}' for k, v in defaults.items())}"
            )
        try:
            # A locked type: 3.5 for an int or "x" for a float is refused, 1 for a float is not.
            values[key] = text if isinstance(defaults[key], str) else json.loads(text.lower())
        except (ValueError, TypeError):
            kind = type(defaults[key]).__name__
            raise UserError(f"the config's argument {key}={text}: must be of type {kind}") from None
    return values


# From a config to its runs --------------------------------------------------------


def members(config: ConfigDict) -> list[Member]:
    """The runs of a config, checked: one, or one for each entry of `config.sweep`.

    Raises:
      UserError: a value is wrong (the message names the key), a sweep sets a key that
        is not known or not one run's own, or two runs are the same.
    """
    overrides = _parse_sweep(config)
    result = []
    for override in overrides:
        member = config.copy_and_resolve_references()
        for key, value in override.items():
            if key != "name":
                _set(member, key, value)
        _check(member)
        result.append(Member(_name(member, override), member))
    names = [member.name for member in result]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"config.sweep: the run {twice!r} is there twice")
    if "corruption" in config:  # an experiment of theory may draw its labels itself
        _check_label_noise(config, [member.config.corruption for member in result])
    return result


def _parse_sweep(config: ConfigDict) -> list[Overrides]:
    if not config.sweep:
        return [{}]
    try:
        overrides = json.loads(config.sweep)
    except ValueError as error:
        raise UserError(f"config.sweep is not JSON ({error}): {config.sweep[:80]!r}") from None
    if not (
        isinstance(overrides, list) and overrides and all(isinstance(o, dict) for o in overrides)
    ):
        raise UserError(
            'config.sweep must be a JSON list of runs such as [{"seed": 0}, {"seed": 1}], '
            f"given {config.sweep[:80]!r}"
        )
    return overrides


def _set(config: ConfigDict, key: str, value: Any) -> None:
    if key in COMMAND_KEYS:
        raise UserError(f"config.sweep: {key!r} is one for the whole command, not a run's own")
    if key not in config:
        raise UserError(f"config.sweep: {key!r} is not a config key{nearest(key, config)}")
    try:
        config[key] = tuple(value) if isinstance(value, list) else value
    except (TypeError, ValueError):
        kind = config.get_type(key).__name__
        raise UserError(f"config.sweep: {key}={value!r} must be of type {kind}") from None


def _name(config: ConfigDict, override: Overrides) -> str:
    if not override:
        return str(config.get("corruption") or config.get("model"))
    if "name" in override:
        return str(override["name"])
    speaking = ("corruption", "model", "dataset")
    return ",".join(
        str(value) if key in speaking else f"{key}={json.dumps(value)}"
        for key, value in override.items()
    )


def swept_keys(config: ConfigDict) -> set[str]:
    """The keys that every run of `config.sweep` sets: overriding them has no effect."""
    return set.intersection(*(set(override) - {"name"} for override in _parse_sweep(config)))


def _check_label_noise(config: ConfigDict, settings: Sequence[str]) -> None:
    known = corruption.CORRUPTIONS
    noisy = [name for name, one in known.items() if one.uses_label_noise]
    if config.label_noise is None or set(noisy) & set(settings):
        return
    if any(known[s].probability() != config.label_noise for s in settings):
        raise UserError(
            f"config.label_noise={config.label_noise} has no effect on corruption={settings[0]}: "
            f"it is for corruption={' or '.join(noisy)}"
        )


# What a key may be, wherever a config has it.
CHOICES: dict[str, Collection[str]] = {
    "corruption": corruption.CORRUPTIONS,
    "preprocess": preprocess.PREPROCESSINGS,
    "last_batch": ("train", "drop"),
    "optimizer": optimizer.OPTIMIZERS,
    "weight_decay_mask": optimizer.WEIGHT_DECAY_MASKS,
    "weight_decay_kind": optimizer.WEIGHT_DECAY_KINDS,
    "vectorize": ("auto", "vmap", "loop"),
    "epoch_loop": ("auto", "scan", "step"),
    "input": ("auto", "memory", "stream", "cache"),
    "dtype": DTYPES,
    "language": ("en", "es"),
}
# Least, most, and what would be right.
RANGES: dict[str, tuple[float, float, str]] = {
    "label_noise": (0, 1, "a probability from 0 to 1"),
    "image_size": (0, math.inf, "0 (as they are) or a side in pixels"),
    "crop_size": (0, math.inf, "0 (no crop) or a side in pixels"),
    "train_examples": (0, math.inf, "0 (all) or a number of examples"),
    "validation_examples": (0, math.inf, "0 (none) or a number of examples"),
    "batch_size": (0, math.inf, "at least 1, or 0 for the whole training set"),
    "eval_batch_size": (1, math.inf, "at least 1"),
    "epochs": (1, math.inf, "at least 1"),
    "seed": (0, 2**31 - 1, "from 0 to 2147483647"),
    "data_seed": (0, 2**31 - 1, "from 0 to 2147483647"),
    "lr_decay_steps": (0, math.inf, "0 (once per epoch) or a number of steps"),
    "weight_decay": (0, 1e9, "at least 0"),
    "max_members": (0, math.inf, "0 (as many as memory holds) or a number of runs"),
    "checkpoint_every": (0, math.inf, "0 (none) or a number of epochs"),
    "checkpoint_every_steps": (0, math.inf, "0 (none) or a number of steps"),
    "accumulate": (1, math.inf, "at least 1"),
    "measure_every": (1, math.inf, "at least 1"),
    "train_eval_examples": (0, math.inf, "0 (all) or a number of examples"),
    "data_devices": (0, math.inf, "0 (its own choice) or a number of devices"),
    "read_threads": (0, math.inf, "0 (one per core) or a number of threads"),
    "read_workers": (0, math.inf, "0 (threads) or a number of processes"),
    "optimizer_epsilon": (0, math.inf, "at least 0"),
    "checkpoints_to_keep": (1, math.inf, "at least 1"),
}


def check_values(
    config: ConfigDict,
    choices: Mapping[str, Collection[str]],
    ranges: Mapping[str, tuple[float, float, str]],
) -> None:
    """Checks the keys that a config has, as `CHOICES` and `RANGES` say; None passes.

    Raises:
      UserError: with the key, what was given and what would be right.
    """
    for key, known in choices.items():
        if key in config and config[key] not in known:
            raise UserError(
                f"config.{key}={config[key]!r} is not known{nearest(config[key], known)} "
                f"(known: {', '.join(known)})"
            )
    for key, (low, high, wanted) in ranges.items():
        value = config.get(key)
        if value is not None and not low <= value <= high:
            raise UserError(f"config.{key}={value} must be {wanted}")


def _check(config: ConfigDict) -> None:
    check_values(config, CHOICES, RANGES)
    if "kind" in config:  # an experiment of theory, with keys of its own
        from rethinking_jax.theory import settings

        return settings.check(config)
    _check_training(config)


def _check_training(config: ConfigDict) -> None:
    for key, ok, wanted in (
        ("learning_rate", 0 < config.learning_rate < math.inf, "above 0"),
        ("lr_decay", 0 < config.lr_decay <= 1, "above 0 and at most 1"),
        ("momentum", 0 <= config.momentum < 1, "at least 0 and below 1"),
        ("fit_threshold", 0 < config.fit_threshold <= 1, "above 0 and at most 1"),
        ("label_smoothing", 0 <= config.label_smoothing < 1, "at least 0 and below 1"),
        ("mixup_alpha", 0 <= config.mixup_alpha < math.inf, "0 (off) or above"),
        ("sam_radius", 0 <= config.sam_radius < math.inf, "0 (off) or above"),
    ):
        if not ok:
            raise UserError(f"config.{key}={config[key]} must be {wanted}")
    if config.validation_examples and not (
        config.checkpoint_every or config.checkpoint_every_steps
    ):
        raise UserError(
            f"config.checkpoint_every=0 with validation_examples={config.validation_examples}: the "
            "runs that validation chooses are tested as their last checkpoint has them; take 1 or "
            "more"
        )
    if config.optimizer_epsilon and config.optimizer == "sgd":
        raise UserError(
            f"config.optimizer_epsilon={config.optimizer_epsilon} has no effect on optimizer=sgd: "
            "it is for adam and rmsprop"
        )
    augment.check_augmentation(augment.parse(config.augmentation), config.crop_size)
    create_model(
        config.model,
        num_classes=2,
        hidden_sizes=tuple(config.hidden_sizes),
        dropout_rate=config.dropout_rate,
        dtype=config.dtype,
    )


# Identity ---------------------------------------------------------------------


def to_json(config: ConfigDict) -> dict[str, Any]:
    """The config as JSON-able values, the sweep as a list."""
    plain = json.loads(config.to_json())
    plain["sweep"] = json.loads(config.sweep) if config.sweep else []
    return plain


def from_json(plain: Mapping[str, Any]) -> ConfigDict:
    """The config that `to_json` was given; what `base_config` has besides is as there."""
    config = base_config()
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}
    config.update({**values, "sweep": runs(plain["sweep"]) if plain["sweep"] else ""})
    return config


def identity(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config (as of `to_json`) that says what is run, not where it lies."""
    return {key: value for key, value in plain.items() if key not in LOCATION_KEYS}


def digest(config: ConfigDict) -> str:
    """Eight hexadecimal digits that name the resolved config."""
    text = json.dumps(identity(to_json(config)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
