"""A train step of an ImageNet network: speed by batch size, share of the peak, what it waits for.

The program is that of a streamed run with random labels, so uint8 images are scaled and
labels are drawn inside the step. Each batch size is measured with a batch that lies on the
devices, then as the loop does it, which reads from a decoded cache and copies to the devices beside
the steps. The cache is of noise, in a temporary folder, and fits into the memory of the host;
a disk has to deliver `bytes_per_second` where it does not.
"""

import dataclasses
import gc
import statistics
import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.bench.operations import operations
from rethinking_jax.bench.peak import PEAK, matmul_peak
from rethinking_jax.bench.results import Record, new_record
from rethinking_jax.bench.timing import Contestant, Progress, compile_seconds, interleave
from rethinking_jax.config import recipe
from rethinking_jax.data.batches import HostBatch
from rethinking_jax.data.cache.read import CachedImages, Layout, cut
from rethinking_jax.data.dataset import Dataset, Read, Split
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.data.tfds.stream import cached_reader
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.models import create_model
from rethinking_jax.step import flops
from rethinking_jax.step.state import Carry, Examples
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import build_stream_program, make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import spread
from rethinking_jax.sweep.profiling import trace_options
from rethinking_jax.sweep.program import zero_running
from rethinking_jax.sweep.stream import StreamProgram, on_devices, stream_engine

OURS = "train step"
EXAMPLES, CLASSES = 1_281_167, 1000
IMAGES_PER_FILE = 1024  # images in a file of the cache
WARM_STEPS = 2  # steps after compilation, the first of which loads code and libraries
TRACED_STEPS = 3  # steps that are profiled
TOP = 5  # operations that are listed


class Settings(NamedTuple):
    """What is measured, for one model.

    Attributes:
      model: a name of `rethinking_jax.models`.
      image_size: side of the images, in pixels.
      dtype: type that the network computes in.
      batch_sizes: the batch sizes, rising.
      steps: number of steps in a round.
      repeats: number of rounds.
      images: number of images in the cache.
      threads: number of threads that read it.
    """

    model: str
    image_size: int
    dtype: str
    batch_sizes: tuple[int, ...]
    steps: int
    repeats: int
    images: int
    threads: int


class Trial(NamedTuple):
    """A run with one batch size."""

    chunk: Chunk
    program: StreamProgram  # what the chunk's engine runs


@dataclasses.dataclass(frozen=True)
class Repeated:
    """Reads a split that has the same few images again and again."""

    read: Read
    count: int

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Reads the images at positions, integers [b]: uint8 [b, h, w, c]."""
        return self.read(np.asarray(positions) % self.count)


def resolve(
    model: str,
    image_size: int | None,
    dtype: str,
    batch_sizes: tuple[int, ...] | None,
    steps: int | None,
    repeats: int,
    images: int,
    threads: int,
) -> Settings:
    """Fills in the size that a network is made for, batches and steps.

    Raises:
      UserError: the model or dtype is unknown, or the devices cannot share a batch.
    """
    create_model(model, num_classes=CLASSES, dtype=dtype)
    slow, devices = jax.default_backend() == "cpu", len(jax.devices())
    usual = (4, 8) if slow else (64, 128, 256, 512, 1024)
    batch_sizes = batch_sizes or tuple(devices * size for size in usual)
    if any(size % devices for size in batch_sizes):
        given = ",".join(map(str, batch_sizes))
        raise UserError(f"--batch_sizes={given}: {devices} devices share a batch: take multiples")
    return Settings(
        model=model,
        image_size=image_size or (299 if model.startswith("inception_v3") else 224),
        dtype=dtype,
        batch_sizes=batch_sizes,
        steps=steps or (2 if slow else 30),
        repeats=repeats,
        images=images,
        threads=threads,
    )


def bench_imagenet(settings: Settings, say: Progress) -> Record:
    """Measures one model.

    Returns:
      The record: `results.new_record` with forward_macs and flops_per_image; sizes, one entry for
      each batch size (see `_measure` and, as "fed", `_feed`; or its batch_size and why it is
      "out_of_memory"); best_batch_size, that of the fastest step; operations, the five of it that
      take longest; and notes.

    Raises:
      RunFailed: no batch fits into memory.
    """
    model = make_model(_config(settings, settings.batch_sizes[0]), CLASSES)
    macs = flops.layer_macs(model, (settings.image_size, settings.image_size, 3))
    per_image = flops.train_flops(macs)
    peak = matmul_peak(settings.dtype)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        say(f"writing {settings.images:,} images of noise")
        dataset = _dataset(settings, Path(folder) / "cache")
        sizes, best = _sizes(settings, dataset, per_image, peak, say)
        say(f"profiling batches of {best.chunk.config.batch_size}")
        found = _operations(best, settings, Path(folder) / "profile")
    if not found:
        notes.append("the profiler saw no operations of the device")
        say(notes[-1])
    return new_record("imagenet", settings._asdict() | {"devices": len(jax.devices())}) | {
        "forward_macs": sum(macs),
        "flops_per_image": per_image,
        "sizes": sizes,
        "best_batch_size": best.chunk.config.batch_size,
        "operations": found,
        "notes": notes,
    }


def _sizes(
    settings: Settings, dataset: Dataset, per_image: int, peak: Contestant, say: Progress
) -> tuple[list[Record], Trial]:
    """Measures batch sizes up to the first too large one; returns the fastest trial, too."""
    sizes: list[Record] = []
    best: Trial | None = None
    most, reason = 0.0, ""
    for size in settings.batch_sizes:
        say(f"compiling: {settings.model}, batches of {size}")
        trial = _trial(settings, dataset, size)
        try:
            found = _measure(trial, settings, per_image, peak, say)
            say("reading from the cache")
            found["fed"] = _feed(trial, settings)
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            if not (reason := _out_of_memory(error)):
                raise
        # The handler would be too early: its error holds the buffers of the step that failed.
        gc.collect()
        if reason:
            say(f"batches of {size} do not fit: {reason}")
            sizes.append({"batch_size": size, "out_of_memory": reason})
            break
        sizes.append(found)
        speed = statistics.median(found["images_per_second"])
        if speed > most:
            best, most = trial, speed
    if best is None:
        raise RunFailed(f"{settings.model}: batches of {size} do not fit into memory: {reason}")
    return sizes, best


def _out_of_memory(error: Exception) -> str:
    """Returns what went wrong, in a line, where there was too little memory; else ""."""
    words = str(error).strip().split("\n")[0][:200]
    if isinstance(error, MemoryError):
        return words or "too little memory on the host"
    return words if "RESOURCE_EXHAUSTED" in str(error) or "ut of memory" in str(error) else ""


def _measure(
    trial: Trial, settings: Settings, per_image: int, peak: Contestant, say: Progress
) -> Record:
    """Measures a batch size in turns with the matmul peak.

    Returns:
      A dictionary of batch_size, compile_seconds (the backend's trials of algorithms included),
      memory_bytes that the step takes on a device by XLA's account, xla_flops_per_image by its
      count, and for each round seconds of its steps, images_per_second, peak_flops (of one
      device) and peak_share (of all).
    """
    program, size = trial.program, trial.chunk.config.batch_size
    batch = _batch(trial.chunk)
    with compile_seconds() as compiled:
        lowered = program.train_batch.lower(*_fresh(trial), batch)  # type: ignore[attr-defined]
        needs = lowered.compile().memory_analysis()
        seconds = compiled()

    def run(carry: Carry) -> None:
        _train(program, carry, batch, settings.steps)

    _train(program, _fresh(trial), batch, WARM_STEPS)
    contestant = Contestant(OURS, lambda: _fresh(trial), run, size * settings.steps)
    times = interleave([contestant, peak], settings.repeats, say)
    peaks = [peak.work / s for s in times[PEAK]]
    speed = [contestant.work / s for s in times[OURS]]
    most = [p * trial.chunk.mesh.size for p in peaks]
    return {
        "batch_size": size,
        "compile_seconds": seconds,
        "memory_bytes": _bytes(needs),
        "xla_flops_per_image": (lowered.cost_analysis() or {}).get("flops", 0.0) / size,
        "seconds": times[OURS],
        "images_per_second": speed,
        "peak_flops": peaks,
        "peak_share": [per_image * s / p for s, p in zip(speed, most, strict=True)],
    }


def _bytes(needs: Any) -> int | None:  # XLA's analysis has no public type
    """Sums arguments, results and what is in between; None where the backend does not say."""
    if needs is None:
        return None
    parts = needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes
    return int(parts - needs.alias_size_in_bytes)


def _train(program: StreamProgram, carry: Carry, batch: Examples, steps: int) -> None:
    """Takes steps on one batch, one of them in flight as in a run, and waits for the last."""
    state, running = carry
    for _ in range(steps):
        previous = running
        state, running = program.train_batch(state, running, batch)
        jax.block_until_ready(previous)
    jax.block_until_ready((state, running))


def _feed(trial: Trial, settings: Settings) -> Record:
    """Measures steps that are fed from the cache.

    Returns:
      A dictionary of images_per_second and waiting_for_input for each round, the latter the
      share of the time as a run writes it down, and the median of bytes_per_second.
    """
    size, steps = trial.chunk.config.batch_size, settings.steps
    feed = trial.chunk.engine.open(trial.chunk)([0])
    speeds, shares = [], []
    with closing(feed.train(_fresh(trial), 0, 0)) as pieces:
        for taken in islice(pieces, WARM_STEPS):
            jax.block_until_ready(taken.carry[1])
        for _ in range(settings.repeats):
            started, waited = time.perf_counter(), 0.0
            for taken in islice(pieces, steps):
                waited += taken.waited
            jax.block_until_ready(taken.carry[1])
            seconds = time.perf_counter() - started
            speeds.append(size * steps / seconds)
            shares.append(waited / seconds)
    return {
        "images_per_second": speeds,
        "waiting_for_input": shares,
        "bytes_per_second": statistics.median(speeds) * 3 * settings.image_size**2,
    }


def _operations(trial: Trial, settings: Settings, folder: Path) -> list[Record]:
    """Returns the operations that take longest, with their seconds in a step."""
    program, batch = trial.program, _batch(trial.chunk)
    carry = _fresh(trial)
    lowered = program.train_batch.lower(*carry, batch)  # type: ignore[attr-defined]
    with jax.profiler.trace(str(folder), profiler_options=trace_options()):
        _train(program, carry, batch, TRACED_STEPS)
    found = operations(folder, lowered.compile().as_text())[:TOP]
    return [each._replace(seconds=each.seconds / TRACED_STEPS)._asdict() for each in found]


# What a run on ImageNet would have -------------------------------------------------------


def _config(settings: Settings, batch_size: int) -> ConfigDict:
    config = recipe.imagenet_config(settings.model, settings.image_size, batch_size, 1, "sgd")
    config.dtype = settings.dtype
    config.corruption = "random_labels"
    config.read_threads = settings.threads
    return config


def _dataset(settings: Settings, folder: Path) -> Dataset:
    """Makes as many examples as ImageNet has, whose images are those of the cache, in turn."""
    shape = (settings.image_size, settings.image_size, 3)
    layout = _write_cache(settings, folder)
    labels = (np.arange(EXAMPLES) % CLASSES).astype(np.int32)
    ids = np.arange(EXAMPLES, dtype=np.uint32)
    read = Repeated(CachedImages(str(folder), layout, "train"), settings.images)
    split = Split(cached_reader(read, shape), labels, ids)
    return Dataset("noise", split, split, tuple(map(str, range(CLASSES))))


def _write_cache(settings: Settings, folder: Path) -> Layout:
    folder.mkdir()
    size, rng = settings.image_size, np.random.default_rng(0)
    shards = cut("train", settings.images, IMAGES_PER_FILE)
    layout = Layout("noise", size, (size, size, 3), "noise", (), "", {}, shards)
    for shard in shards:
        (folder / shard.file).write_bytes(rng.bytes(layout.shard_bytes(shard)))
    return layout


def _trial(settings: Settings, dataset: Dataset, batch_size: int) -> Trial:
    config = _config(settings, batch_size)
    members = configs.members(config)
    datasets = {dataset_key(config): dataset}
    (chunk,) = groups.make_chunks(members, datasets, jax.default_backend(), jax.devices())
    program = build_stream_program(chunk.config, dataset, jax.default_backend(), chunk.mesh)
    return Trial(chunk._replace(engine=stream_engine(program)), program)


def _fresh(trial: Trial) -> Carry:
    carry = trial.program.init(hyper(trial.chunk.runs)), zero_running(1)
    ready: Carry = jax.block_until_ready(spread(carry, trial.chunk.mesh))
    return ready


def _batch(chunk: Chunk) -> Examples:
    """Brings a batch to the devices."""
    train, size = chunk.dataset.train, chunk.config.batch_size
    images = np.asarray(train.read(np.arange(size)))
    return on_devices(HostBatch(images, train.labels[:size], train.ids[:size]), size, chunk.mesh)
