"""What so many examples as ImageNet has cost beside their pixels, in seconds and in memory.

An index of as many made-up examples, and a cache of their images with one pixel each, are written
to a temporary folder. What is measured are the functions of a run that streams: ids from the names
of files, the index, opening the set, the random labels of all examples, their digests, the work
directory, the order of an epoch, and batch k of epoch e, as a run that resumes finds it.

Two processes do this, for a command that prepares and one that trains, so that each has a peak of
memory of its own. Before, each does the same with few examples: what Python imports, and
what any data set costs, is not counted.

    python -m rethinking_jax.bench.scale PART EXAMPLES BATCH_SIZE REPEATS FOLDER

is such a process; it prints one line of JSON.
"""

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np

from rethinking_jax import config as configs
from rethinking_jax.aot.shapes import SIZES
from rethinking_jax.bench.own_process import host_peak_bytes, in_own_process
from rethinking_jax.bench.results import Record, new_record
from rethinking_jax.bench.timing import Progress
from rethinking_jax.config import recipe
from rethinking_jax.data.batches import read_batches
from rethinking_jax.data.cache.read import MANIFEST, Layout, cache_folder, cut, manifest_text
from rethinking_jax.data.cache.write import IMAGES_PER_FILE
from rethinking_jax.data.dataset import labels_and_ids
from rethinking_jax.data.kept import write_kept
from rethinking_jax.data.origin import say_nothing
from rethinking_jax.data.runs import load_datasets, training_sets
from rethinking_jax.data.tfds.index import (
    IDS_RULE,
    Index,
    dataset_folder,
    index_name,
    kept_folders,
)
from rethinking_jax.data.tfds.prepare import open_builder
from rethinking_jax.errors import UserError
from rethinking_jax.host import flags
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import steps_per_epoch
from rethinking_jax.sweep.stream import batches_left
from rethinking_jax.workdir.folder import Folder

DATASET = "imagenet2012"
IMAGENET = SIZES[DATASET]
FEW = 1_000  # examples of the set with which a process begins
EPOCH = 100  # in whose middle a run resumes
# The processes, by the command that each stands for.
COMMANDS = {"prepare": "preparing", "train": "beginning a run on"}
RESUMED = f"resumed: the batch in the middle of epoch {EPOCH}"
Found = TypeVar("Found")
Words = ParamSpec("Words")


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      examples: how many training examples there are; there are 50,000 for validation, or fewer in
        proportion.
      batch_size: the examples of a step.
      repeats: number of rounds, of which the first one compiles.
    """

    examples: int
    batch_size: int
    repeats: int


def resolve(examples: int | None, batch_size: int, repeats: int) -> Settings:
    """Returns settings, checked; without a number of examples there are as many as in ImageNet.

    Raises:
      UserError: a batch is larger than the set.
    """
    examples = examples or IMAGENET.train
    if batch_size > examples:
        raise UserError(
            f"--batch_size={batch_size}: a batch has at most the {examples:,} of --examples"
        )
    return Settings(examples, batch_size, repeats)


def bench_scale(settings: Settings, say: Progress) -> Record:
    """Measures every step of both processes, in less than a minute for ImageNet's number.

    Returns:
      The record: `results.new_record` with `parts`, each as `measure` returns it.

    Raises:
      RunFailed: a process failed, for lack of memory perhaps; the message has its last line.
    """
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for part, about in COMMANDS.items():
            say(f"{about} {settings.examples:,} examples without pixels")
            words = [part, *map(str, settings), folder]
            parts.append(in_own_process("scale", words, f"{settings.examples:,} examples"))
    return new_record("scale", settings._asdict()) | {"parts": parts}


@flags.settled()
def measure(part: str, settings: Settings, folder: Path) -> Record:
    """Does one part of the work in this process.

    Args:
      part: a name in `COMMANDS`, of which the second one reads what the first one has written.
      settings: how large it is.
      folder: what is written goes here.

    Returns:
      `part`; `start_bytes`, the peak of the process's memory after the same with few examples;
      `peak_bytes`, that after the first round; and `steps`, each with its `name`, its `seconds` and
      `cpu_seconds` by round, and `peak_bytes`, the peak after it in the first round.
    """
    work = {"prepare": _prepare, "train": _train}[part]
    few = Settings(FEW, min(settings.batch_size, FEW), 1)
    work(few, folder / "few", _Clock())
    clock, start = _Clock(), host_peak_bytes()
    work(settings, folder / "many", clock)
    steps = list(clock.steps.values())
    # A command does each step once, so the peak of further rounds is not its own.
    peak = max(step["peak_bytes"] for step in steps)
    return {"part": part, "start_bytes": start, "peak_bytes": peak, "steps": steps}


class _Clock:
    """Measures steps, which may come again in further rounds."""

    def __init__(self) -> None:
        self.steps: dict[str, Record] = {}

    def __call__(
        self, name: str, work: Callable[Words, Found], *args: Words.args, **options: Words.kwargs
    ) -> Found:
        """Calls a function, which is a step with this name, and returns what it returns."""
        started, cpu = time.perf_counter(), time.process_time()
        found = work(*args, **options)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        new = {"name": name, "seconds": [], "cpu_seconds": [], "peak_bytes": host_peak_bytes()}
        step = self.steps.setdefault(name, new)
        step["seconds"].append(seconds)
        step["cpu_seconds"].append(cpu_seconds)
        return found


# What preparing leaves behind -----------------------------------------------------------


def validation_examples(examples: int) -> int:
    """Returns how many examples are for validation beside so many for training."""
    return max(1, round(examples * IMAGENET.test / IMAGENET.train))


def _prepare(settings: Settings, folder: Path, clock: _Clock) -> None:
    """Writes the indices of both splits, and a cache whose pixels are all zero."""
    builder = open_builder(DATASET, str(folder))
    classes = tuple(builder.info.features["label"].names)
    counts = {"train": settings.examples, "validation": validation_examples(settings.examples)}
    prints = {split: _fingerprint(str(builder.version), split, n) for split, n in counts.items()}
    labels = {split: np.arange(count) % len(classes) for split, count in counts.items()}
    # A pass over the records has the names of all files of a split in memory, too.
    names = {
        split: [_file_name(split, classes[k % len(classes)], k) for k in range(count)]
        for split, count in counts.items()
    }

    def index() -> dict[str, Index]:
        many = len(classes)
        return {
            split: Index(*labels_and_ids(DATASET, split, labels[split], many, names[split], True))
            for split in counts
        }

    def write(indices: dict[str, Index]) -> None:
        for split, found in indices.items():
            arrays = {**found._asdict(), "ids_rule": np.array(IDS_RULE)}
            write_kept(kept_folders("", builder), index_name(split), prints[split], arrays)

    for _ in range(settings.repeats):
        indices = clock("ids and labels from the names of files", index)
        clock("index written", write, indices)
    _write_cache(cache_folder(dataset_folder("", builder), 1), counts, prints, classes)


def _file_name(split: str, synset: str, k: int) -> bytes:
    if split == "train":
        return f"{synset}_{k // 1000}.JPEG".encode()
    return f"ILSVRC2012_val_{k + 1:08d}.JPEG".encode()


def _fingerprint(version: str, split: str, examples: int) -> str:
    """Returns what `data.tfds.index.fingerprint` would of records that are not there."""
    found = {"version": version, "split": split, "examples": examples, "bytes": 0,
             "shard_lengths": [examples]}  # fmt: skip
    return json.dumps(found)


def _write_cache(
    folder: Path, counts: dict[str, int], prints: dict[str, str], names: tuple[str, ...]
) -> None:
    """Writes a whole cache of black images of 1 x 1 pixel."""
    folder.mkdir(parents=True)
    shards = [one for split, n in counts.items() for one in cut(split, n, IMAGES_PER_FILE)]
    layout = Layout(DATASET, 1, (1, 1, 3), "made up", names, "validation", prints, tuple(shards))
    for k, shard in enumerate(shards):
        content = bytes(layout.shard_bytes(shard))
        (folder / shard.file).write_bytes(content)
        shards[k] = shard._replace(sha256=hashlib.sha256(content).hexdigest())
    (folder / MANIFEST).write_text(manifest_text(layout._replace(shards=tuple(shards))))


# What a run does before its first step ---------------------------------------------------


def _train(settings: Settings, folder: Path, clock: _Clock) -> None:
    """Opens the set as a run does, draws its labels, begins a work directory, and finds batches."""
    config = recipe.imagenet_config("mlp_1x512", 1, settings.batch_size, EPOCH + 1, "sgd")
    config.update(data_dir=str(folder), input="cache", corruption="random_labels")
    (member,) = members = configs.members(config)
    first = steps_per_epoch(member.config, settings.examples) // 2
    for k in range(settings.repeats):
        datasets = clock("set opened", load_datasets, members, say_nothing)
        (dataset,) = datasets.values()
        run = clock("random labels of all, and their digest", groups.label_run, member, dataset)
        sets = clock("digests of the data", training_sets, members, datasets)
        results = Folder(folder / f"run {k}", configs.to_json(config), lambda plain: plain)
        labels = {run.name: run.train_labels}
        clock("labels and ids written to the work directory", results.begin, labels, [], sets)
        clock("order of an epoch", batches_left, member.config, settings.examples, k)
        left = clock(RESUMED, batches_left, member.config, settings.examples, EPOCH, first)
        batches = read_batches(dataset.train, left[0], threads=1, workers=0)
        clock("its examples read", next, batches)
        batches.close()


if __name__ == "__main__":
    part, *numbers, place = sys.argv[1:]
    try:
        print(json.dumps(measure(part, Settings(*map(int, numbers)), Path(place))))
    except UserError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
