"""What people read of a plan: tables of its groups, and one of what all of it costs."""

from collections.abc import Callable

from rich.console import Console

from rethinking_jax.aot.cost import SHARES
from rethinking_jax.aot.plan import Record, gib
from rethinking_jax.host.console import print_table, say

NAMES_SHOWN = 3


def show(report: Record, console: Console) -> None:
    """Prints a report; see `rethinking_jax.aot.report.report_of`."""
    target = report["topology"]
    say(
        console,
        f"{report['experiment']} on {target['name']}: {target['chips']} x {target['chip']}, "
        f"{target['hosts']} host(s), {gib(target['memory_bytes'])} GiB for programs on each",
    )
    for group in report["groups"]:
        _show_group(group, target, console)
    if report["costs"] is not None:
        _show_costs(report, console)


def _show_group(group: Record, target: Record, console: Console) -> None:
    say(console, f"\n{_title(group)}")
    verdict = "It fits." if group["fits"] else f"It does not fit: {group['why_not']}."
    if group["programs"]:
        _show_programs(group["programs"], target, console)
        _show_sent(group["programs"], console)
    say(console, verdict)
    if group["fits"]:
        _show_speed(group, console)
    for note in group["notes"]:
        say(console, f"Note: {note}.")
    for batch in group.get("tried_batches", []):
        peak = batch["peak"]
        fits = "does not fit" if peak is None else f"fits, peak {gib(peak)} GiB"
        say(console, f"Batches of {batch['batch_size']:,}: {fits}")
    if "largest_batch" in group:
        largest = group["largest_batch"]
        which = f"{largest:,}" if largest else "none"
        say(console, f"The largest batch that fits, of a power of two or three halves: {which}")


def _title(group: Record) -> str:
    names = group["names"]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    height, width, channels = group["image"]
    mesh = group["mesh"]
    together = f"{group['at_once']} at a time on {mesh['member']} x {mesh['data']} chips"
    return (
        f"{', '.join(names[:NAMES_SHOWN])}{more}: {group['model']}, {group['dtype']}, batches of "
        f"{group['batch_size']:,}, {group['examples']:,} images of {height} x {width} x {channels} "
        f"{group['input']}; {together}"
    )


def _show_programs(programs: Record, target: Record, console: Console) -> None:
    def row(title: str, value: Callable[[Record], str]) -> list[str]:
        return [title, *map(value, programs.values())]

    total = target["memory_bytes"]
    rows = [
        row("compiled in, seconds", lambda one: f"{one['compile_seconds']:.1f}"),
        row("of all cores together", lambda one: f"{one['compile_cpu_seconds']:.1f}"),
        row("arguments, GiB", lambda one: gib(one["memory"]["arguments"])),
        row("temporary, GiB", lambda one: gib(one["memory"]["temporary"])),
        row("held besides, GiB", lambda one: gib(one["memory"]["held"])),
        row("peak, GiB", lambda one: gib(one["memory"]["peak"])),
        row("of the chip's memory", lambda one: f"{one['memory']['peak'] / total:.1%}"),
        row("GFLOP", lambda one: _giga(one["flops"])),
        row("GFLOP counted by layers", lambda one: _giga(one["counted_flops"])),
        row("GB read and written", lambda one: _giga(one["bytes"], 2)),
        row("results are padded, times", _padded),
        row("products by type", _products),
        row("least time, ms", lambda one: number(1e3 * one["bound"]["seconds"])),
        row("which is set by", lambda one: one["bound"]["by"]),
        row("utilization at most", lambda one: f"{one['utilization']:.0%}"),
        row("XLA's own estimate, ms", _estimate),
    ]
    print_table(console, "On each chip, in a step", ["", *programs], rows)


def number(value: float) -> str:
    """Returns a number with three digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _giga(value: float | None, digits: int = 1) -> str:
    return "not known" if value is None else f"{value / 1e9:,.{digits}f}"


def _estimate(one: Record) -> str:
    return "none" if one["xla_seconds"] is None else number(1e3 * one["xla_seconds"])


def _padded(one: Record) -> str:
    return f"{one['padding']['times']:.2f}" if "padding" in one else "not known"


def _products(one: Record) -> str:
    return ", ".join(f"{count} {dtype}" for dtype, count in one["multiplied"].items()) or "none"


def _show_sent(programs: Record, console: Console) -> None:
    rows = [
        [f"{name}: {one['kind']} over {one['axes']}", one["dtype"], str(one["arrays"]),
         f"{one['bytes'] / 1e6:,.3f}"]
        for name, program in programs.items()
        for one in program.get("collectives", [])
    ]  # fmt: skip
    if rows:
        print_table(console, "What the chips send", ["", "type", "arrays", "MB"], rows)
    elif all("collectives" in program for program in programs.values()):
        say(console, "The chips send each other nothing.")


def _show_speed(group: Record, console: Console) -> None:
    rows = []
    for share in SHARES:
        row = [
            f"at {share:.0%} of the bound",
            number(1e3 * group["programs"]["train"]["bound"]["seconds"] / share),
            number(share * group["images_per_second"]),
            number(group["epoch"]["seconds"] / share / 60),
            number(group["seconds"] / share / 3600),
        ]
        if "feed" in group:
            feed = group["feed"]
            row += [
                number(share * feed["images_per_second_of_a_host"]),
                number(share * feed["bytes_per_second_of_a_host"] / 1e6),
            ]
        rows.append(row)
    columns = ["", "step, ms", "images/s", "epoch, min", "all, h"]
    fed = ["host, images/s", "host, MB/s"] if "feed" in group else []
    title = f"{group['runs']} run(s), at most {group['epochs']} epochs"
    print_table(console, title, columns + fed, rows)


def _show_costs(report: Record, console: Console) -> None:
    columns = ["all groups", "hours", "chip-hours"]
    rows = [
        [f"at {one['share']:.0%} of the bound", number(one["hours"]), number(one["chip_hours"])]
        for one in report["costs"]
    ]
    if report["price_per_hour"] is not None:
        columns.append(f"at {report['price_per_hour']:g} per chip and hour")
        for row, one in zip(rows, report["costs"], strict=True):
            row.append(number(one["money"]))
    print_table(console, "The whole config, if no run ends sooner", columns, rows)
    say(console, "These are bounds by the chips' published peaks, and no measurements.")
