"""The tables of docs/scale.md on what configs take and cost on chips, from docs/bench/compile/."""

import json
from pathlib import Path

from conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "bench" / "compile"
BEGIN = (
    "<!-- Drawn from docs/bench/compile/ by `python tests/test_planned.py`, to the next mark. -->"
)
END = "<!-- The end of what is drawn. -->"
TITLES = {
    "imagenet_random": "One run of Table 2 (Inception V3, ImageNet with random labels, 250 epochs)",
    "imagenet_resnet_50": "The same with ResNet-50 at 224 x 224 and batches of 2,048",
    "table2": "All seven runs of Table 2",
    "figure1a": "Figure 1a (the small Inception, five settings of CIFAR-10, at most 100 epochs)",
    "figure1c_mlp": "33 MLPs (11 levels of label noise x 3 seeds, CIFAR-10, at most 100 epochs)",
}
# Images per second and chip of trainings of ResNet-50 that others published: what, and where.
PUBLISHED = (
    ("Flax's ImageNet example, TPU v3-8 (125,100 steps of 1,024 images in 4.4 h)", 2020, "https://github.com/google/flax/tree/main/examples/imagenet"),
    ("MLPerf Training 3.0, 8 x H100", 6900, "https://mlcommons.org/benchmarks/training/"),
)  # fmt: skip


def read(folder: Path = FOLDER) -> dict[str, dict]:
    """Reads the reports, by the names of their files without .json."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def section(files: dict[str, dict]) -> str:
    """Returns a table for each config, and one of what others published."""
    parts = []
    for name, title in TITLES.items():
        own = [report for stem, report in files.items() if stem.rpartition("_")[0] == name]
        if own:
            parts.append(f"{title}:\n\n{_table(own)}")
    return "\n\n".join([*parts, _published()])


def filled(page: str, text: str) -> str:
    """Returns a page with a text in the place of what is drawn."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _table(reports: list[dict]) -> str:
    streamed = any("feed" in group for report in reports for group in report["groups"])
    head = ["chips", "batch on each", "peak, GiB of", "padded, times", "utilization at most",
            "step, ms", "images/s", "hours at 100 / 75 / 45 %", "chip-hours",
            "compiled in, CPU s"]  # fmt: skip
    if streamed:
        head.insert(7, "of a host")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_row(one, streamed))} |" for one in reports)])


def _row(report: dict, streamed: bool) -> list[str]:
    """One line for a report: of several groups the largest peak and the longest step."""
    target, groups = report["topology"], report["groups"]
    programs = [program for group in groups for program in group["programs"].values()]
    first = max(groups, key=lambda group: group["programs"]["train"]["bound"]["seconds"])
    train = first["programs"]["train"]
    peak = max(program["memory"]["peak"] for program in programs) / 2**30
    batch = first["batch_size"] // first["mesh"]["data"]
    costs = report["costs"]
    row = [
        f"{target['chips']} x {target['chip']} ({target['name']})",
        f"{batch}" + (f" x {first['at_once']} runs" if first["at_once"] > 1 else ""),
        f"{peak:.2f} of {target['memory_bytes'] / 2**30:.2f}",
        f"{train['padding']['times']:.2f}" if "padding" in train else "not known",
        f"{train['utilization']:.0%}",
        number(1e3 * train["bound"]["seconds"]),
        number(first["images_per_second"]),
        " / ".join(number(one["hours"]) for one in costs),
        " / ".join(number(one["chip_hours"]) for one in costs),
        f"{sum(program['compile_cpu_seconds'] for program in programs):.0f}"
        if all("compile_cpu_seconds" in program for program in programs)
        else "not counted",
    ]
    if streamed:
        row.insert(7, number(first["feed"]["images_per_second_of_a_host"]))
    return row


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.3g}"


def _published() -> str:
    rows = [f"| {what} | {speed:,} | {where} |" for what, speed, where in PUBLISHED]
    return "\n".join(
        [
            "Measured by others, with programs of their own, ResNet-50 at 224 x 224:\n",
            "| training | images/s and chip | published |",
            "| --- | --- | --- |",
            *rows,
        ]
    )
