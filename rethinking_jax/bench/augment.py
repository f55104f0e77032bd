"""Time of an epoch with augmentation over one without, for a cheap network and a convolving one.

The images are random and 32x32, batches have 128, crops are 28x28. Each augmentation is measured
alone, as the paper's tables combine it, and with all others. What it costs depends on the network
beside it, so the ratio is what counts.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.bench import ours
from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import Contestant, Progress, compile_seconds, interleave
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.step.augment import AUGMENTATIONS
from rethinking_jax.step.state import Carry
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import is_convolutional

NONE = "none"
SIDE, CROP, CLASSES = 32, 28, 10
CASES = (
    "",
    *AUGMENTATIONS,
    "flip+rotate",  # Table 4
    "inception_crop+flip+color",  # Table 2
    "+".join(AUGMENTATIONS),
)


class Settings(NamedTuple):
    """What is measured, for one model.

    Attributes:
      model: a name of `rethinking_jax.models`.
      batches: number of batches of an epoch.
      repeats: number of epochs with each augmentation.
    """

    model: str
    batches: int
    repeats: int


def resolve(model: str, batches: int | None, repeats: int) -> Settings:
    """Fills in an epoch of some tenths of a second.

    Raises:
      UserError: the model is unknown.
    """
    slow = is_convolutional(_config(model)) and jax.default_backend() == "cpu"
    return Settings(model, batches or (3 if slow else 60), repeats)


def bench_augment(settings: Settings, say: Progress) -> Record:
    """Measures one model.

    Returns:
      The record: `results.new_record` and `results.measured`, whose ratios are speeds with an
      augmentation over that without, and compile_seconds.
    """
    size = _config(settings.model).batch_size * settings.batches
    dataset = _random_dataset(size)
    contestants, compiled = [], {}
    for names in CASES:
        name = names or NONE
        say(f"compiling: {settings.model}, {name}")
        contestant = _contestant(name, _config(settings.model, names), dataset)
        with compile_seconds() as seconds:
            contestant.run(contestant.prepare())
            compiled[name] = seconds()
        contestants.append(contestant)
    seconds_of = interleave(contestants, settings.repeats, say)
    pairs = [(names, NONE) for names in CASES if names]
    work = {contestant.name: size for contestant in contestants}
    return {
        **new_record("augment", settings._asdict()),
        **measured(seconds_of, work, pairs),
        "compile_seconds": compiled,
    }


def _config(model: str, augmentation: str = "") -> ConfigDict:
    config = configs.base_config()
    config.model, config.augmentation, config.crop_size = model, augmentation, CROP
    return config


def _random_dataset(size: int) -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (size, SIDE, SIDE, 3), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, size, dtype=np.int32)
    split = Split(jnp.asarray(images), labels, np.arange(size, dtype=np.uint32))
    return Dataset("random", split, split, tuple(map(str, range(CLASSES))))


def _contestant(name: str, config: ConfigDict, dataset: Dataset) -> Contestant:
    """Returns a contestant that trains an epoch of the config's run."""
    (chunk,) = groups.make_chunks(
        configs.members(config),
        {dataset_key(config): dataset},
        jax.default_backend(),
        jax.devices()[:1],
    )
    feed = ours.feed_of(chunk)

    def run(carry: Carry) -> None:
        ours.train(feed, carry, 1)

    return Contestant(name, lambda: ours.fresh_carries([chunk])[0], run, chunk.train_size)
