"""What a member of a vmapped group costs in memory and time.

Each number of members trains in a process of its own, so that the peak of its memory is
its own. These processes do not take turns: for speed, compare with `bench sweep`.

    python -m rethinking_jax.bench.members MEMBERS MODEL DATASET DATA_DIR EPOCHS

is such a process; it prints one line of JSON.
"""

import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import jax

from rethinking_jax import config as configs
from rethinking_jax.bench import ours
from rethinking_jax.bench.own_process import in_own_process, peak_bytes
from rethinking_jax.bench.results import Record, new_record
from rethinking_jax.bench.sweep import Settings as SweepSettings
from rethinking_jax.bench.sweep import sweep_config
from rethinking_jax.bench.timing import Progress
from rethinking_jax.config import recipe
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.sweep import groups


class Settings(NamedTuple):
    """What is measured.

    Attributes:
      model: a name of `rethinking_jax.models`, or mlp_DxW.
      dataset: see `rethinking_jax.data.load_dataset`.
      members: the numbers of members, rising.
      epochs: number of epochs that are timed, after one that compiles.
    """

    model: str
    dataset: str
    members: tuple[int, ...]
    epochs: int


def bench_members(settings: Settings, data_dir: str, say: Progress) -> Record:
    """Measures each number of members, about a minute in all.

    Returns:
      The record: `results.new_record` with a list `groups`, see `measure`, and the growth
      per member of the peak beside the estimate (`growth`), in bytes.

    Raises:
      UserError: the model is unknown, or the data set cannot be had.
      RunFailed: a process failed, for lack of memory perhaps; the message has its last line.
    """
    recipe.network(settings.model)  # it refuses an unknown name at once
    # Nothing here may touch the device before the last of these processes is through: on a
    # GPU this one would take most of the memory.
    groups = []
    for members in settings.members:
        what = f"{members} member{'s' if members > 1 else ''}"
        say(what)
        words = [str(members), settings.model, settings.dataset, data_dir, str(settings.epochs)]
        groups.append(in_own_process("members", words, what))
    return new_record("members", settings._asdict() | {"members": list(settings.members)}) | {
        "groups": groups,
        "growth": growth(groups),
    }


def growth(groups: Sequence[Record]) -> list[dict[str, float]]:
    """Returns the bytes of peak memory that a further member adds, from group to group."""
    return [
        {
            "from": small["members"],
            "to": large["members"],
            "bytes_per_member": (large["peak_bytes"] - small["peak_bytes"])
            / (large["members"] - small["members"]),
            "estimate": large["estimated_bytes_per_member"],
        }
        for small, large in itertools.pairwise(groups)
    ]


def measure(members: int, model: str, dataset: str, data_dir: str, epochs: int) -> Record:
    """Trains one vmapped group in this process.

    Returns:
      A dictionary of members, epoch_seconds (of each epoch but the first) and their median,
      start_bytes (memory before training, the data set included), peak_bytes, and
      estimated_bytes_per_member, by which groups are cut (`memory.member_bytes`).
    """
    settings = SweepSettings(model, dataset, members, 1, 0, epochs, 1)
    config = sweep_config(settings, data_dir)
    config.vectorize = "vmap"
    runs = configs.members(config)
    datasets = load_datasets(runs, lambda line: None)
    chunk, *others = groups.make_chunks(
        runs, datasets, jax.default_backend(), jax.devices()[:1], report=lambda line: None
    )
    if others:
        raise UserError(
            f"--members={members}: the free memory has room for {len(chunk.runs)} of {model}"
        )
    feed = ours.feed_of(chunk)
    start = peak_bytes()
    seconds = []
    for _ in range(epochs + 1):
        (carry,) = ours.fresh_carries([chunk])
        started = time.perf_counter()
        ours.train(feed, carry, 1)
        seconds.append(time.perf_counter() - started)
    return {
        "members": members,
        "epoch_seconds": seconds[1:],
        "median_epoch_seconds": statistics.median(seconds[1:]),
        "start_bytes": start,
        "peak_bytes": peak_bytes(),
        "estimated_bytes_per_member": groups.estimate_bytes(chunk.runs[0], chunk.dataset),
    }


if __name__ == "__main__":
    given = sys.argv[1:]
    try:
        print(json.dumps(measure(int(given[0]), given[1], given[2], given[3], int(given[4]))))
    except UserError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
