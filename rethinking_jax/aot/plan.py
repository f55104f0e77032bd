"""What the runs of a config would be on a slice of chips: groups, programs, memory, time."""

from collections.abc import Callable, Sequence
from typing import Any

from rethinking_jax.aot.compiled import Compiled, compile_step
from rethinking_jax.aot.roofline import bound
from rethinking_jax.aot.shapes import shapes_of
from rethinking_jax.aot.topology import Slice
from rethinking_jax.config import Member
from rethinking_jax.step import flops
from rethinking_jax.sweep.build import input_shape, make_model, wasteful_batches
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.groups import make_chunks
from rethinking_jax.sweep.lowered import evaluated, members_of, steps_of

Record = dict[str, Any]  # what JSON holds
Say = Callable[[str], None]


def plan(members: Sequence[Member], target: Slice, say: Say) -> list[Record]:
    """Compiles the programs of each group of runs that share them, and says what they are.

    Args:
      members: the runs of a config.
      target: the chips.
      say: is given lines of progress.

    Returns:
      For each group what it is and whether it `fits`; see `_group`.

    Raises:
      UserError: a batch cannot be parted among the chips, or a data set is not known.
      RunFailed: XLA cannot compile a program.
    """
    chunks = _chunks(members, target, say)
    alike: dict[tuple[object, ...], list[Chunk]] = {}
    for chunk in chunks:
        dtype = "" if chunk.dataset.streamed else chunk.config.corruption == "gaussian"
        alike.setdefault((id(chunk.engine), members_of(chunk), dtype), []).append(chunk)
    return [_group(same, target, say) for same in alike.values()]


def train_peak(members: Sequence[Member], target: Slice) -> int | None:
    """Returns the bytes that the first train step of some runs takes; None where it does not fit.

    Raises:
      UserError: see `plan`.
      RunFailed: see `plan`.
    """
    chunk = _chunks(members, target, lambda line: None)[0]
    found = compile_step(steps_of(chunk, target.chip.backend)["train"], chunk.mesh)
    if isinstance(found, str) or found.memory.peak > target.chip.memory_bytes:
        return None
    return found.memory.peak


def _chunks(members: Sequence[Member], target: Slice, say: Say) -> list[Chunk]:
    memory = target.chip.memory_bytes
    datasets = shapes_of(members, memory)
    backend = target.chip.backend
    return make_chunks(members, datasets, backend, target.devices, report=say, free=memory)


def _group(chunks: Sequence[Chunk], target: Slice, say: Say) -> Record:
    """Compiles what some chunks share.

    Returns:
      A dictionary of what the runs are (`runs`, `model`, `dataset`, ...), `programs` by name (see
      `_program`), `fits`, `why_not`, `notes`, and, where it fits, `epoch` and `whole`.
    """
    chunk = chunks[0]
    record = _about(chunks)
    say(f"compiling for {target.name}: {chunk.config.model}, {record['runs']} run(s)")
    programs: dict[str, Record] = {}
    why_not = ""
    for name, step in steps_of(chunk, target.chip.backend).items():
        found = compile_step(step, chunk.mesh)
        if isinstance(found, str):
            why_not = f"{name}: {found}"
            break
        programs[name] = _program(name, found, chunk, target) | {"calls": step.calls}
        peak = found.memory.peak
        if peak > target.chip.memory_bytes:
            why_not = f"{name}: {gib(peak)} of {gib(target.chip.memory_bytes)} GiB"
    record |= {"fits": not why_not, "why_not": why_not, "programs": programs}
    record["notes"] = _notes(chunks, programs, target)
    return record | (_times(chunks, programs, target) if not why_not else {})


def gib(count: float) -> str:
    """Returns a number of bytes in GiB."""
    return f"{count / 2**30:.2f}"


def _about(chunks: Sequence[Chunk]) -> Record:
    chunk, config = chunks[0], chunks[0].config
    height, width, channels = input_shape(config, chunk.dataset)
    return {
        "runs": sum(len(each.runs) for each in chunks),
        "names": [run.name for each in chunks for run in each.runs],
        "model": config.model,
        "dtype": config.dtype,
        "dataset": config.dataset,
        "examples": chunk.train_size,
        "image": [height, width, channels],
        "input": "streamed" if chunk.dataset.streamed else "on the chips",
        "batch_size": int(config.batch_size),
        "epochs": int(config.epochs),
        "at_once": len(chunk.runs),
        "one_after_another": len(chunks),
        "mesh": dict(chunk.mesh.shape),
    }


def _program(name: str, found: Compiled, chunk: Chunk, target: Slice) -> Record:
    """Returns what is known of a compiled program; all numbers are those of one chip.

    `counted_flops` are those of products and convolutions by the layers of the network, and
    `bound` the seconds of its roofline.
    """
    counted = _counted_flops(name, chunk)
    # XLA counts one of the micro-batches, which are a loop.
    pieces = chunk.config.accumulate if name == "train" else 1
    limit = bound(
        target,
        max(counted, (found.flops or 0.0) * pieces),
        (found.bytes or 0.0) * pieces,
        found.text.collectives if found.text else [],
    )
    record: Record = {
        "compile_seconds": round(found.seconds, 1),
        "compile_cpu_seconds": round(found.cpu_seconds, 1),
        "memory": {**found.memory._asdict(), "peak": found.memory.peak},
        "flops": found.flops,
        "counted_flops": counted,
        "bytes": found.bytes,
        "xla_seconds": found.xla_seconds,
        "bound": {**limit._asdict(), "seconds": limit.seconds, "by": limit.by},
        "multiplied": found.multiplied,
        "utilization": counted / target.chip.flops / limit.seconds if limit.seconds else None,
    }
    if found.text is None:
        return record | {"text": None}
    text = found.text
    return record | {
        "collectives": [one._asdict() for one in text.collectives],
        "padding": {**text.padding._asdict(), "times": text.padding.times},
        "unwanted": text.unwanted,
    }


def _counted_flops(name: str, chunk: Chunk) -> float:
    """Counts the operations of one call on a chip by the layers of the network."""
    model = make_model(chunk.config, chunk.dataset.num_classes)
    macs = flops.layer_macs(model, input_shape(chunk.config, chunk.dataset))
    trains = name == "train"
    size = chunk.config.batch_size if trains else chunk.config.eval_batch_size
    images: float = min(size, chunk.train_size) * members_of(chunk) / chunk.mesh.size
    return images * (flops.train_flops(macs) if trains else 2 * sum(macs))


def _times(chunks: Sequence[Chunk], programs: Record, target: Slice) -> Record:
    """Returns the least time of an epoch and of all runs of a group, one chunk after another."""
    seconds = {name: one["calls"] * one["bound"]["seconds"] for name, one in programs.items()}
    epoch = sum(seconds.values())
    chunk = chunks[0]
    step = programs["train"]["bound"]["seconds"]
    images = chunk.config.batch_size * len(chunk.runs) / step
    record: Record = {
        "epoch": {
            "train_seconds": seconds["train"],
            "evaluate_seconds": seconds["evaluate"],
            "evaluated": evaluated(chunk),
            "seconds": epoch,
        },
        "images_per_second": images,
        "seconds": epoch * sum(int(each.config.epochs) for each in chunks),
    }
    if chunk.dataset.streamed:
        per_host = images / target.hosts
        height, width, channels = chunk.dataset.image_shape
        record["feed"] = {
            "images_per_second_of_a_host": per_host,
            "bytes_per_second_of_a_host": per_host * height * width * channels,
        }
    return record


def _notes(chunks: Sequence[Chunk], programs: Record, target: Slice) -> list[str]:
    """Says what one would not expect of the numbers, and what is not known."""
    chunk, notes = chunks[0], []
    count, used = len(target.devices), chunk.mesh.size
    if used < count:
        notes.append(f"{count - used} of {count} chips have nothing to do")
    slots = members_of(chunk)
    if slots > len(chunk.runs):
        notes.append(f"{slots - len(chunk.runs)} of {slots} places train copies")
    wasteful = wasteful_batches(chunk.config, target.chip.backend, chunk.mesh.shape["data"])
    if wasteful:
        notes.append(wasteful)
    if any(one.get("text", "") is None for one in programs.values()):
        notes.append("XLA wrote no text of a program: what the chips send is not known")
    if target.chip.backend == "gpu":
        notes.append(
            "XLA does not try algorithms without a GPU and makes no account of costs: operations "
            "are counted by layers, bytes by the program's text, and what cuDNN takes besides is "
            "not known, so the memory is a lower bound"
        )
    if chunk.config.record_examples:
        notes.append("the facts of record_examples are not in the memory")
    for name, one in programs.items():
        if one.get("unwanted"):
            notes.append(f"{name} calls the host or computes in float64: {one['unwanted'][:3]}")
    return notes
