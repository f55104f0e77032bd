"""One sweep over label noise and seeds, trained in three ways.

It is trained as one vmapped program, vmapped a few runs at a time, as a loop over runs through the
same functions, and as the loop over runs that a PyTorch user writes. Only training epochs are
timed, without evaluation or checkpoints; nothing is written, and compilation is reported apart.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.bench import ours, torch_check
from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import (
    Contestant,
    Progress,
    compile_seconds,
    interleave,
    with_cpu_time,
)
from rethinking_jax.config import recipe
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.models import convolves, create_model
from rethinking_jax.step.state import Carry
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk

VMAP, LOOP, TORCH = "ours, vmap", "ours, loop", "PyTorch loop"
PAIRS = ((VMAP, LOOP), (VMAP, TORCH), (LOOP, TORCH))


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      model: a name of `rethinking_jax.models`, or mlp_DxW.
      dataset: see `rethinking_jax.data.load_dataset`.
      levels: number of levels of label noise, from 0 to 1.
      seeds: number of seeds of each level.
      train_examples: number of training examples; 0 for all.
      epochs: number of epochs in a round.
      repeats: number of rounds.
      batch_size: images of a step.
      at_once: how many runs are vmapped at a time, for a contestant each beside all at once.
    """

    model: str
    dataset: str
    levels: int
    seeds: int
    train_examples: int
    epochs: int
    repeats: int
    batch_size: int = 128
    at_once: tuple[int, ...] = ()


def resolve(
    model: str,
    dataset: str,
    members: int | None = None,
    at_once: tuple[int, ...] = (),
    **given: int | None,
) -> Settings:
    """Fills in what was not given: fewer and smaller runs where a CPU has to convolve.

    Args:
      model: a name of `rethinking_jax.models`, or mlp_DxW.
      dataset: see `rethinking_jax.data.load_dataset`.
      members: the number of runs, each with a level of its own, instead of levels and seeds.
      at_once: see `Settings`.
      **given: other fields of `Settings`; None stands for the default.

    Raises:
      UserError: the model is unknown, or `members` stands beside `levels` or `seeds`.
    """
    usual = {"levels": 11, "seeds": 3, "train_examples": 0, "epochs": 2, "repeats": 5}
    if convolves_on_cpu(model):
        usual = {"levels": 2, "seeds": 1, "train_examples": 128, "epochs": 1, "repeats": 3}
    chosen = {key: value for key, value in given.items() if value is not None}
    if members is not None:
        if {"levels", "seeds"} & set(chosen):
            raise UserError("--members counts all runs: give it, or --levels and --seeds, not both")
        chosen |= {"levels": members, "seeds": 1}
    return Settings(model, dataset, **(usual | chosen), at_once=at_once)


def convolves_on_cpu(model: str) -> bool:
    """Says whether a step takes about a second, and far longer vmapped, as grouped convolutions."""
    own = recipe.network(model)
    network = create_model(own["model"], num_classes=10, hidden_sizes=tuple(own["hidden_sizes"]))
    return convolves(network) and jax.default_backend() == "cpu"


def sweep_config(settings: Settings, data_dir: str) -> ConfigDict:
    """Returns the config of the sweep: label noise from 0 to 1, each level with each seed."""
    config = configs.base_config()
    for key in ("dataset", "train_examples", "epochs", "batch_size"):
        config[key] = getattr(settings, key)
    network = recipe.network(settings.model)
    config.model, config.hidden_sizes = network["model"], tuple(network["hidden_sizes"])
    config.data_dir = data_dir
    config.corruption = "partially_corrupted_labels"
    config.label_noise = 0.5  # each run has its own
    noise = [round(float(p), 6) for p in np.linspace(0, 1, settings.levels)]
    config.sweep = configs.runs(
        configs.product(
            configs.sweep("label_noise", noise), configs.sweep("seed", range(settings.seeds))
        )
    )
    return config


def bench_sweep(settings: Settings, data_dir: str, say: Progress) -> Record:
    """Measures the ways to train a sweep, for some minutes.

    Args:
      settings: what is measured.
      data_dir: folder of tfds; "" for its own.
      say: shows what is going on.

    Returns:
      The record: `results.new_record` and `results.measured`, with the seconds of all cores by
      round (cpu_seconds) and the ratios by them (cpu_ratios), which other users of a machine
      disturb less, compile_seconds of our contestants and notes on who sat out.

    Raises:
      UserError: a setting is wrong, or the data set cannot be had.
    """
    backend = jax.default_backend()
    config = sweep_config(settings, data_dir)
    datasets = load_datasets(configs.members(config), say)
    (train_size,) = {len(dataset.train) for dataset in datasets.values()}
    work = settings.levels * settings.seeds * train_size * settings.epochs
    contestants, compiled, notes = [], {}, []
    groupings = [(VMAP, "vmap", 0), *((vmap_of(n), "vmap", n) for n in settings.at_once)]
    for name, vectorize, size in (*groupings, (LOOP, "loop", 0)):
        say(f"compiling: {name}")
        config.vectorize, config.max_members = vectorize, size
        runs = configs.members(config)
        chunks = groups.make_chunks(runs, datasets, backend, jax.devices()[:1], report=say)
        contestant, compiled[name] = _ours(name, chunks, settings.epochs, work)
        once = vectorize == "vmap" and convolves_on_cpu(settings.model)
        contestants.append(contestant._replace(rounds=1) if once else contestant)
    if reason := torch_check.why_not(settings.model, backend):
        notes.append(f"{TORCH} left out: {reason}")
        say(notes[-1])
    else:
        contestants.append(_torch(chunks, settings, work))
    cpu: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    contestants = [with_cpu_time(one, cpu[one.name]) for one in contestants]
    seconds = interleave(contestants, settings.repeats, say)
    record = new_record("sweep", settings._asdict() | {"at_once": list(settings.at_once)})
    pairs = [*PAIRS, *((vmap_of(n), LOOP) for n in settings.at_once)]
    by_wall, by_cpu = (measured(s, dict.fromkeys(seconds, work), pairs) for s in (seconds, cpu))
    return (
        record
        | by_wall
        | {
            "cpu_seconds": cpu,
            "cpu_ratios": by_cpu["ratios"],
            "compile_seconds": compiled,
            "notes": notes,
        }
    )


def vmap_of(members: int) -> str:
    """Returns the name of the contestant that vmaps so many runs at a time."""
    return f"{VMAP} of {members}"


def _ours(name: str, chunks: list[Chunk], epochs: int, work: int) -> tuple[Contestant, float]:
    feeds = [ours.feed_of(chunk) for chunk in chunks]

    def run(carries: list[Carry]) -> None:
        for feed, carry in zip(feeds, carries, strict=True):
            ours.train(feed, carry, epochs)

    with compile_seconds() as compiled:
        # All chunks share the shapes of the first: one epoch of it compiles everything.
        ours.train(feeds[0], ours.fresh_carries(chunks[:1])[0], 1)
        seconds = compiled()
    return Contestant(name, partial(ours.fresh_carries, chunks), run, work), seconds


def _torch(chunks: list[Chunk], settings: Settings, work: int) -> Contestant:
    """Returns PyTorch's contestant: the same runs with the same labels, one after another."""
    from rethinking_jax.bench import torch_train

    dataset, runs = chunks[0].dataset, [chunk.runs[0] for chunk in chunks]
    images = np.asarray(dataset.train.images)
    data = torch_train.to_device(images, [run.train_labels for run in runs], jax.default_backend())

    def prepare() -> list[torch_train.Learner]:
        return [
            torch_train.make_learner(
                torch_train.create_on(own, settings.model, dataset.num_classes, run.config.seed),
                run.config.learning_rate,
                run.config.momentum,
                run.config.lr_decay,
            )
            for own, run in zip(data, runs, strict=True)
        ]

    def train(learners: list[torch_train.Learner], epochs: int) -> None:
        for learner, own in zip(learners, data, strict=False):
            torch_train.train_epochs(learner, own, settings.batch_size, epochs)

    train(prepare()[:1], 1)  # warms up
    return Contestant(TORCH, prepare, partial(train, epochs=settings.epochs), work)
