"""What Data Banzhaf values cost: networks on random halves of the training set, and their accuracy.

The same subsets, network and epochs are trained here and by pyDVL, in turns. There they pass
through its `ModelUtility`, which trains a network that a PyTorch user writes, alone and as a part
of its `MSRBanzhafValuation`, which makes values of the accuracies. The task that is stated
beside is 10,000 networks: its time here and there follows from the measured part of it.
"""

import importlib.util
import statistics
from typing import NamedTuple

import jax
import numpy as np

from rethinking_jax import config as configs
from rethinking_jax.bench import ours
from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import (
    Contestant,
    Progress,
    compile_seconds,
    interleave,
    with_cpu_time,
)
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.scores.banzhaf import banzhaf_values
from rethinking_jax.scores.subsets import halves
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk

OURS, UTILITY, PYDVL = "ours", "pyDVL, training alone", "pyDVL, with values"
TASK = 10_000  # networks, for the values of as many examples
# Networks of a round that pyDVL makes values of: these take it far longer than training.
VALUED = 2
INSTALL = (
    "pip install torch cvxpy more-itertools 'pyDeprecate==0.3.2' 'numcodecs<0.16' and then "
    "pip install --no-deps pydvl, for it asks for NumPy 1 and works with NumPy 2"
)


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      dataset: see `rethinking_jax.data.load_dataset`.
      train_examples: number of training examples.
      hidden_sizes: widths of the hidden layers; 128 and 64 on digits are 0.11 million weights.
      epochs: of each network.
      models: number of networks in a round, even.
      repeats: number of rounds.
      batch_size: images of a step.
      learning_rate, momentum: of SGD, constant.
    """

    dataset: str
    train_examples: int
    hidden_sizes: tuple[int, ...]
    epochs: int
    models: int
    repeats: int
    batch_size: int = 128
    learning_rate: float = 0.05
    momentum: float = 0.9


def resolve(
    dataset: str, train_examples: int, hidden_sizes: tuple[int, ...], **given: int
) -> Settings:
    """Returns the settings where both contestants can take part.

    Raises:
      UserError: PyTorch or pyDVL is not installed, or the number of networks is odd.
    """
    missing = [name for name in ("torch", "pydvl") if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"bench values compares with pyDVL: {missing[0]} is missing ({INSTALL})")
    if given["models"] % 2:
        raise UserError(f"--models={given['models']} must be even: halves come in pairs")
    return Settings(dataset, train_examples, hidden_sizes, **given)


def bench_values(settings: Settings, data_dir: str, say: Progress) -> Record:
    """Measures both, for some minutes.

    Returns:
      The record: `results.new_record` and `results.measured`, with cpu_seconds and cpu_ratios as
      in `bench sweep`, the mean test accuracy of each, and `task_hours`, what 10,000 networks
      would take.

    Raises:
      UserError: the data set cannot be had.
    """
    chunks, trained = _chunks(settings, data_dir, say)
    dataset = chunks[0].dataset
    accuracies: dict[str, list[float]] = {OURS: [], UTILITY: []}
    contestants = [_ours(settings, chunks, trained, accuracies[OURS])]
    contestants += _theirs(settings, dataset, trained, accuracies[UTILITY])
    say("compiling")
    with compile_seconds() as compiled:
        contestants[0].run(contestants[0].prepare())
        seconds_to_compile = {OURS: compiled()}
    cpu: dict[str, list[float]] = {one.name: [] for one in contestants}
    timed = [with_cpu_time(one, cpu[one.name]) for one in contestants]
    seconds = interleave(timed, settings.repeats, say)
    work = {one.name: one.work for one in contestants}
    images = _images(settings, trained[:1])  # of one network
    pairs = [(OURS, UTILITY), (OURS, PYDVL)]
    plain = settings._asdict() | {"hidden_sizes": list(settings.hidden_sizes)}
    return {
        **new_record("values", plain),
        **measured(seconds, work, pairs),
        "compile_seconds": seconds_to_compile,
        "cpu_seconds": cpu,
        "cpu_ratios": measured(cpu, work, pairs)["ratios"],
        "mean_test_accuracy": {name: float(np.mean(own)) for name, own in accuracies.items()},
        "task_hours": {
            name: statistics.median(own) / work[name] * images * TASK / 3600
            for name, own in seconds.items()
        },
    }


def _chunks(settings: Settings, data_dir: str, say: Progress) -> tuple[list[Chunk], np.ndarray]:
    """Returns the networks as groups, and what each trains on, bool [models, n]."""
    config = configs.base_config()
    config.dataset, config.data_dir = settings.dataset, data_dir
    config.train_examples, config.epochs = settings.train_examples, settings.epochs
    config.model, config.hidden_sizes = "mlp", settings.hidden_sizes
    config.batch_size, config.learning_rate = settings.batch_size, settings.learning_rate
    config.momentum, config.lr_decay = settings.momentum, 1.0
    config.sweep = configs.runs([{"seed": seed} for seed in range(settings.models)])
    members = configs.members(config)
    datasets = load_datasets(members, say)
    (count,) = {len(dataset.train) for dataset in datasets.values()}
    subsets = halves(count, settings.models // 2, seed=0)
    chunks = groups.make_chunks(
        members,
        datasets,
        jax.default_backend(),
        jax.devices()[:1],
        report=say,
        change=lambda run: run._replace(subset=subsets[run.config.seed]),
    )
    trained = np.zeros((settings.models, count), bool)
    np.put_along_axis(trained, subsets, True, axis=1)
    return chunks, trained


def _ours(
    settings: Settings, chunks: list[Chunk], trained: np.ndarray, accuracies: list[float]
) -> Contestant:
    """Returns our contestant: all networks to their end, their accuracies, and the values."""
    feeds = [ours.feed_of(chunk) for chunk in chunks]

    def run(_: None) -> None:
        found = []
        for chunk, feed in zip(chunks, feeds, strict=True):
            (carry,) = ours.fresh_carries([chunk])
            state = ours.train(feed, carry, settings.epochs)
            sums = feed.evaluate(state, "test", lambda share: None)
            assert sums is not None  # nobody asks to stop
            found.append(np.asarray(sums["accuracy"].sum / sums["accuracy"].count))
        utility = np.concatenate(found)
        banzhaf_values(trained, utility)
        accuracies.append(float(utility.mean()))

    return Contestant(OURS, lambda: None, run, _images(settings, trained))


def _theirs(
    settings: Settings,
    dataset: Dataset,
    trained: np.ndarray,
    accuracies: list[float],
) -> list[Contestant]:
    """Returns pyDVL's contestants on the same subsets."""
    from rethinking_jax.bench import pydvl_values

    utility, data = pydvl_values.utility_of(settings, dataset)
    subsets = [np.flatnonzero(row) for row in trained]

    def train(_: None) -> None:
        found = [pydvl_values.accuracy(utility, subset) for subset in subsets]
        accuracies.append(float(np.mean(found)))

    def value(_: None) -> None:
        pydvl_values.values(utility, data, subsets[:VALUED])

    return [
        Contestant(UTILITY, lambda: None, train, _images(settings, trained)),
        Contestant(PYDVL, lambda: None, value, _images(settings, trained[:VALUED])),
    ]


def _images(settings: Settings, trained: np.ndarray) -> int:
    """Returns the images that networks train on, an image in each epoch anew."""
    return int(trained.sum()) * settings.epochs
