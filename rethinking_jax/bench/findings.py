"""What a campaign found, as a table: a few numbers of each part, with its state."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from rethinking_jax.analysis import paper
from rethinking_jax.bench.campaign import DONE, clock
from rethinking_jax.bench.results import Record, spread
from rethinking_jax.host.console import print_table, say
from rethinking_jax.workdir.metrics import text_of

Finding = tuple[str, str]  # what was measured, and the number


def show(records: Sequence[Record], console: Console) -> None:
    """Prints the table of a campaign's records, and why parts are not done."""
    rows: list[list[str]] = []
    for record in records:
        took = f" in {clock(record['seconds'])}" if record["seconds"] else ""
        rows.append([record["settings"]["part"], f"{record['state']}{took}"])
        rows += [[f"  {name}", value] for name, value in findings(record)]
    print_table(console, f"campaign, {records[0]['device']}", ["", "found"], rows)
    for record in records:
        if record["state"] != DONE:
            say(console, f"{record['settings']['part']}: {record['state']}: {record['reason']}")


def findings(record: Record) -> Iterator[Finding]:
    """Returns the numbers of a part that say most."""
    for run in record.get("numbers", {}).get("runs", ()):
        yield from _of_run(run, record["distances"].get(run["name"]))
    for machine in record.get("numbers", {}).get("members", ()):
        about = f"{machine['name']}: test error and norm"
        yield about, f"{text_of(machine['test_error'])}, {machine['norm']:,.0f}"
    inner = record.get("records", ())
    for one in inner:
        about = one["settings"].get("model") or one["settings"].get("image_size")
        prefix = f"{about}: " if len(inner) > 1 else ""
        for name, value in _of_benchmark(one):
            yield f"{prefix}{name}", value


def _of_run(run: Record, far: Record | None) -> Iterator[Finding]:
    text = f"{text_of(run['train_accuracy'])}, {text_of(run['test_accuracy'])}"
    key = run["model"], run["setting"], tuple(run["regularizers"]), run["augmentation"]
    if (theirs := paper.table_1(*key)) and run["comparable"].startswith("yes"):
        text += f" (paper {theirs.train_accuracy:.4f}, {theirs.test_accuracy:.4f})"
    yield f"{run['name']}: accuracy in training and test, epoch {run['epochs']}", text
    if far:
        ratio = far["fitted"]
        text = f"{ratio:.2f}" if ratio else "not there yet"
        yield f"{run['name']}: steps to loss 0.1 over the paper's", text
        yield f"{run['name']}: steps at equal losses over the paper's", f"{far['factor']:.2f}"


def _of_benchmark(record: Record) -> Iterator[Finding]:
    for found in record.get("ratios", ()):
        yield f"{found['of']} / {found['over']}", spread(found["rounds"], "{:.2f}")
    if "peak_share" in record:
        seconds, work = (record[key][record["picked"]] for key in ("seconds", "images_per_round"))
        yield "images/s", spread([work / own for own in seconds], "{:,.0f}")
        yield "of the matmul peak", spread(record["peak_share"], "{:.1%}")
    for size in record.get("sizes", ()):
        if size["batch_size"] == record["best_batch_size"]:
            yield f"images/s, batches of {size['batch_size']}", _thousands(size)
            yield "of the matmul peak", spread(size["peak_share"], "{:.1%}")
            yield "images/s, from a cache", _thousands(size["fed"])
            yield "waiting for input", spread(size["fed"]["waiting_for_input"], "{:.1%}")
    for group in record.get("groups", ()):
        text = f"{group['median_epoch_seconds']:.3f} s, {group['peak_bytes'] / 1e6:,.0f} MB"
        yield f"an epoch of {group['members']} members", text


def _thousands(measured: Record) -> str:
    return spread(measured["images_per_second"], "{:,.0f}")
