"""The results of an experiment as tables: on the screen, as CSV and as Markdown."""

import csv
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from rethinking_jax.metrics import write_atomically

# Column title -> key of a member in summary.json, and how to print it. Titles fold on the
# screen; seven columns fit into 80 characters.
COLUMNS = {
    "run": ("name", "{}"),
    "really flipped": ("flipped_fraction", "{:.4f}"),
    "train acc.": ("train_accuracy", "{:.4f}"),
    "test acc.": ("test_accuracy", "{:.4f}"),
    "best test": ("best_test_accuracy", "{:.4f}"),
    "epochs to fit": ("epochs_to_fit", "{:,}"),
    "steps to fit": ("steps_to_fit", "{:,}"),
}


def rows(summary: dict[str, Any]) -> list[list[str]]:
    """One row of texts for each member, in the order of `COLUMNS`."""
    return [
        [_text(member[key], form) for key, form in COLUMNS.values()]
        for member in summary["members"]
    ]


def _text(value: Any, form: str) -> str:
    # A fit that never came, or a metric that is not a number.
    return (
        "never" if value is None and "," in form else "nan" if value is None else form.format(value)
    )


def screen_table(summary: dict[str, Any]) -> Table:
    """The table that ends a run."""
    title = f"{summary['experiment']} on {summary['dataset']}, {summary['device']}"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in COLUMNS:
        name = title == "run"
        table.add_column(title, justify="left" if name else "right", no_wrap=name)
    for row in rows(summary):
        table.add_row(*row)
    return table


def write_tables(summary: dict[str, Any], folder: Path) -> None:
    """Writes results.csv (full precision) and results.md into `folder`."""
    folder.mkdir(exist_ok=True)
    with (folder / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(key for key, _ in COLUMNS.values())
        for member in summary["members"]:
            writer.writerow(member[key] for key, _ in COLUMNS.values())
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *rows(summary)]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    write_atomically(folder / "results.md", text)
