"""From parsed options to a benchmark, its record in a file and its table on the screen."""

import os
import statistics
from argparse import Namespace
from collections.abc import Callable, Iterator

from absl import logging
from rich.console import Console

from rethinking_jax.bench import (
    augment,
    campaign,
    commands,
    findings,
    imagenet,
    members,
    scale,
    solve,
    sweep,
    train,
    values,
)
from rethinking_jax.bench import input as bench_input
from rethinking_jax.bench.results import Record, busy, check_output, save, spread
from rethinking_jax.bench.timing import Progress
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.console import print_table

MEGABYTE = 1e6


def run(options: Namespace) -> None:
    """Runs the benchmark that the options name, and shows and saves what it measures.

    Raises:
      UserError: a value is wrong.
      RunFailed: a measurement failed.
    """
    logging.set_verbosity(logging.FATAL)  # orbax and tfds talk
    console = Console(highlight=False, markup=False, emoji=False)
    check_output(options.output)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if warning := busy(load):
        console.print(warning)
    for record in RUNS[options.bench](options, console):
        if options.output:
            save(options.output, record | {"load_average_before": load})
            console.print(f"added to {options.output}")


def _say(console: Console) -> Progress:
    return lambda line: console.print(line, style="dim", soft_wrap=True)


def _sweep(options: Namespace, console: Console) -> Iterator[Record]:
    settings = sweep.resolve(
        options.model,
        options.dataset,
        options.members,
        options.at_once,
        levels=options.levels,
        seeds=options.seeds,
        train_examples=options.train_examples,
        epochs=options.epochs,
        repeats=options.repeats,
    )
    record = sweep.bench_sweep(settings, options.data_dir, _say(console))
    runs = settings.levels * settings.seeds
    print_speeds(record, f"{runs} runs of {settings.model}", console)
    _print_cpu_ratios(record, console)
    yield record


def _train(options: Namespace, console: Console) -> Iterator[Record]:
    scan, limit = options.scan_convolutions, options.compile_limit
    settings = [
        train.resolve(model, options.repeats, options.steps, scan, limit)
        for model in options.models.split(",")
    ]
    for own in settings:
        record = train.bench_train(own, _say(console))
        print_speeds(record, f"train step of {own.model}; ours is {record['picked']}", console)
        peak, share = record["peak_flops"], record["peak_share"]
        console.print(
            f"{record['picked']}: {spread(share, '{:.0%}')} of the matmul peak, "
            f"{spread([p / 1e9 for p in peak], '{:,.0f}')} GFLOP/s\n"
        )
        yield record


def _imagenet(options: Namespace, console: Console) -> Iterator[Record]:
    threads = options.threads or os.cpu_count() or 1
    settings = [
        imagenet.resolve(
            model,
            options.image_size,
            options.dtype,
            options.batch_sizes,
            options.steps,
            options.repeats,
            options.images,
            threads,
        )
        for model in options.models.split(",")
    ]
    for own in settings:
        record = imagenet.bench_imagenet(own, _say(console))
        _print_imagenet(record, own, console)
        yield record


def _print_imagenet(record: Record, settings: imagenet.Settings, console: Console) -> None:
    rows = []
    for size in record["sizes"]:
        if "out_of_memory" in size:
            rows.append([str(size["batch_size"]), "out of memory", "", "", "", "", ""])
            continue
        memory, fed = size["memory_bytes"], size["fed"]
        rows.append(
            [
                str(size["batch_size"]),
                spread(size["images_per_second"], "{:,.0f}"),
                f"{statistics.median(size['peak_share']):.1%}",
                f"{memory / MEGABYTE:,.0f}" if memory else "",
                f"{size['compile_seconds']:.1f}",
                f"{statistics.median(fed['images_per_second']):,.0f}",
                f"{statistics.median(fed['waiting_for_input']):.1%}",
            ]
        )
    side = settings.image_size
    title = f"{settings.model}, {side}x{side}, {settings.dtype}, {record['device']}"
    columns = ["batch", "images/s (least to most)", "of peak", "MB", "compile s", "fed", "waiting"]
    print_table(console, title, columns, rows)
    console.print(
        f"{record['forward_macs'] / 1e9:.2f} GMAC forward, {record['flops_per_image'] / 1e9:.1f} "
        f"GFLOP a step, per image; the best batch size is {record['best_batch_size']}. Of peak: of "
        "a matmul's. Fed: images/s from a decoded cache; waiting: of that time, for input"
    )
    for found in record["operations"]:
        console.print(
            f"{found['share']:5.1%}  {found['seconds'] * 1000:8.2f} ms  {found['name']}  "
            f"{found['source']}",
            markup=False,
            soft_wrap=True,
        )


def _members(options: Namespace, console: Console) -> Iterator[Record]:
    settings = members.Settings(options.model, options.dataset, options.members, options.epochs)
    record = members.bench_members(settings, options.data_dir, _say(console))
    growth = [None, *record["growth"]]
    rows = [
        [
            str(group["members"]),
            f"{group['median_epoch_seconds']:.3f}",
            f"{group['median_epoch_seconds'] / group['members']:.3f}",
            f"{group['peak_bytes'] / MEGABYTE:,.0f}",
            f"{more['bytes_per_member'] / MEGABYTE:.1f}" if more else "",
            f"{group['estimated_bytes_per_member'] / MEGABYTE:.1f}",
        ]
        for group, more in zip(record["groups"], growth, strict=True)
    ]
    columns = ["members", "s per epoch", "s per member", "peak MB", "MB per further one",
               "estimate"]  # fmt: skip
    print_table(console, f"vmapped {settings.model}, {record['device']}", columns, rows)
    yield record


def _input(options: Namespace, console: Console) -> Iterator[Record]:
    threads = options.threads or os.cpu_count() or 1
    for size in options.image_sizes:
        settings = bench_input.Settings(size, options.images, options.repeats, threads)
        record = bench_input.bench_input(settings, _say(console))
        rows = [
            [name, *(spread([work / s for s in times[name]], "{:,.0f}") for times in clocks)]
            for name, work in record["images_per_round"].items()
            for clocks in [(record["seconds"], record["cpu_seconds"])]
        ]
        title = f"JPEGs of {record['bytes_per_jpeg'] / 1000:.0f} kB to {size}x{size}"
        columns = ["", "images/s (least to most)", "images per CPU second"]
        print_table(console, f"{title}, {threads} thread(s), {record['device']}", columns, rows)
        for wall, cpu in zip(record["ratios"], record["cpu_ratios"], strict=True):
            spreads = [spread(found["rounds"], "{:.2f}") for found in (wall, cpu)]
            console.print(f"{wall['of']} / {wall['over']}: {spreads[0]}, by CPU {spreads[1]}")
        labels = spread(record["label_seconds"], "{:.3f}")
        console.print(f"labels of {bench_input.IMAGENET:,} images: {labels} s\n")
        yield record


def _augment(options: Namespace, console: Console) -> Iterator[Record]:
    settings = [
        augment.resolve(model, options.batches, options.repeats)
        for model in options.models.split(",")
    ]
    for own in settings:
        record = augment.bench_augment(own, _say(console))
        print_speeds(record, f"{own.model}, an epoch with augmentation", console)
        yield record


def _solve(options: Namespace, console: Console) -> Iterator[Record]:
    settings = solve.resolve(options.examples, options.ridge, options.repeats)
    record = solve.bench_solve(settings, options.data_dir, _say(console))
    title = f"kernel machine, {settings.examples:,} digits, ridge {settings.ridge:g}"
    print_speeds(record, title, console)
    found = ", ".join(f"{name} {left:.1e}" for name, left in record["residuals"].items())
    console.print(f"relative residuals: {found}")
    yield record


def _commands(options: Namespace, console: Console) -> Iterator[Record]:
    settings = commands.Settings(
        options.model,
        options.dataset,
        options.members,
        options.train_examples,
        options.epochs,
        options.repeats,
    )
    record = commands.bench_commands(settings, options.data_dir, _say(console))
    print_speeds(record, f"{settings.members} runs of {settings.model}", console)
    yield record


def _values(options: Namespace, console: Console) -> Iterator[Record]:
    settings = values.resolve(
        options.dataset,
        options.train_examples,
        options.hidden_sizes,
        epochs=options.epochs,
        models=options.models,
        repeats=options.repeats,
    )
    record = values.bench_values(settings, options.data_dir, _say(console))
    print_speeds(record, f"{settings.models} networks on halves of the training set", console)
    _print_cpu_ratios(record, console)
    for name, hours in record["task_hours"].items():
        console.print(f"{name}: {values.TASK:,} networks would take {hours:.1f} hours")
    for name, accuracy in record["mean_test_accuracy"].items():
        console.print(f"{name}: mean test accuracy {accuracy:.4f}")
    yield record


def _scale(options: Namespace, console: Console) -> Iterator[Record]:
    settings = scale.resolve(options.examples, options.batch_size, options.repeats)
    record = scale.bench_scale(settings, _say(console))
    for part in record["parts"]:
        rows = [
            [
                step["name"],
                spread(step["seconds"], "{:.2f}"),
                spread(step["cpu_seconds"], "{:.2f}"),
                f"{(step['peak_bytes'] - part['start_bytes']) / MEGABYTE:,.0f}",
            ]
            for step in part["steps"]
        ]
        columns = ["", "s (least to most)", "CPU s", "MB more"]
        title = f"{scale.COMMANDS[part['part']]} {settings.examples:,} examples without pixels"
        print_table(console, f"{title}, {record['device']}", columns, rows)
        more = part["peak_bytes"] - part["start_bytes"]
        few = f"{scale.FEW:,} examples"
        console.print(f"the peak of memory is {more / MEGABYTE:,.0f} MB over that with {few}")
    yield record


def _campaign(options: Namespace, console: Console) -> Iterator[Record]:
    settings = campaign.resolve(options.minutes, options.parts, options.data_dir, options.output)
    if not options.show:
        yield from campaign.bench_campaign(settings, _say(console))
    records = campaign.found_in(settings.output)
    if not records:
        raise UserError(f"--output={options.output} has no results of a campaign")
    findings.show(records, console)
    failed = [one["settings"]["part"] for one in records if one["state"] == campaign.FAILED]
    if failed and not options.show:
        raise RunFailed(f"failed: {', '.join(failed)}; the same command tries again what is left")


# Each yields a record as soon as it is measured and shown.
RUNS: dict[str, Callable[[Namespace, Console], Iterator[Record]]] = {
    "sweep": _sweep,
    "train": _train,
    "imagenet": _imagenet,
    "members": _members,
    "input": _input,
    "augment": _augment,
    "solve": _solve,
    "commands": _commands,
    "values": _values,
    "scale": _scale,
    "campaign": _campaign,
}


def print_speeds(record: Record, title: str, console: Console) -> None:
    """Prints the speeds of the contestants, and below them the ratios."""
    compiled = record["compile_seconds"]
    rows = []
    for name, seconds in record["seconds"].items():
        speed = [record["images_per_round"][name] / s for s in seconds]
        took = f"{compiled[name]:.1f}" if name in compiled else ""
        rows.append([name, spread(speed, "{:,.0f}"), took])
    columns = ["", "images/s (least to most)", "compile s"]
    print_table(console, f"{title}, {record['device']}", columns, rows)
    for found in record["ratios"]:
        rounds = spread(found["rounds"], "{:.2f}")
        console.print(f"{found['of']} / {found['over']}: {rounds}")


def _print_cpu_ratios(record: Record, console: Console) -> None:
    for found in record["cpu_ratios"]:
        rounds = spread(found["rounds"], "{:.2f}")
        console.print(f"{found['of']} / {found['over']}, by CPU time: {rounds}")
