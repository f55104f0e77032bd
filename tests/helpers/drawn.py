"""Draws what the README and docs/results.md say of the paper's own data."""

from collections.abc import Sequence
from typing import NamedTuple

from helpers import measured, measured_figure1
from helpers.measured import Found
from helpers.measured_figure1 import MEASURES
from rethinking_jax.analysis import belkin
from rethinking_jax.analysis.regularizers import listed
from rethinking_jax.analysis.table import Column, Spread, markdown, table, with_values
from rethinking_jax.theory import critical_results, norm_results, published, robust_results
from rethinking_jax.theory.kernel_noise_pages import BESIDE_NOTE
from rethinking_jax.workdir.metrics import Json, text_of

BEGIN = "<!-- Drawn from docs/results/ by `python tests/test_measured.py`, up to the next mark. -->"
END = "<!-- The end of what is drawn. -->"
MAIN = "python -m rethinking_jax.main --config=configs"
NOTE = (
    "Mean over seeds, in round brackets the extremes. Points are percentage points, ours less the "
    "paper's. Within its spread: no further from the paper than its own runs are from each other, "
    "two points, six with the small AlexNet and without batch norm. Runs that are not finished say "
    "which epoch they have reached; what they will come to nobody knows yet."
)
FILES = "### The files"
# The kinds of experiment that are not the paper's.
AFTER = (
    "critical_samples",
    "double_descent",
    "easy_examples",
    "identity",
    "kernel_noise",
    "label_errors",
    "memorization",
    "norms",
    "robust_labels",
)
# The letters of docs/results.md for what a command needs.
NEEDS = {"fashion_mnist": " (a)", "cifar10": " (b)", "imagenet2012": " (c)", "mnist": " (d)"}


def drawn(columns: Sequence[Column], rows: Sequence[Json]) -> str:
    """Returns rows as Markdown; a row that lacks a key has "-" there."""
    return markdown(table("", "", columns, rows))


class Rows(NamedTuple):
    """The rows of each table; a group of runs is in just one of them."""

    table_1: list[Json]
    table_4: list[Json]
    figure_1a: list[Json]
    figure_1b: list[Json]
    table_3: list[Json]
    kernel_noise: list[Json]
    published: list[Json]
    robust: list[Json]
    norms: list[Json]
    critical: list[Json]
    theory: list[Json]
    clocks: list[Json]
    others: list[Json]

    @property
    def cells(self) -> int:
        """How many numbers of ours stand beside one of the paper's on CIFAR-10."""
        return sum(row.get("cells", 0) for rows in self for row in rows)


def rows_of(files: dict[str, Json]) -> Rows:
    found = measured.found_in(files)
    papers = [
        make(found)
        for make in (
            measured.table_1,
            measured.table_4,
            measured_figure1.figure_1a,
            measured_figure1.figure_1b,
        )
    ]
    clocks = measured_figure1.other_clocks(_left(found, papers))
    others = measured.others(_left(found, [*papers, clocks]))
    solved = [make(files) for make in (measured.table_3, measured.kernel_noise)]
    solved.append(measured.of_kind(files, "memorization", "published"))
    solved.append(measured.of_kind(files, "robust_labels", "method"))
    solved.append(measured.of_kind(files, "norms", "measure"))
    solved.append(measured.of_kind(files, "critical_samples", "radius"))
    return Rows(*papers, *solved, measured.theory(files), clocks, others)


def _left(found: list[Found], tables: list[list[Json]]) -> list[Found]:
    """Returns the groups that no row of these tables is of."""
    taken = [row.get("of") for rows in tables for row in rows]
    return [one for one in found if not any(one is other for other in taken)]


def section(files: dict[str, Json]) -> str:
    """Returns what docs/results.md says of the paper's own data."""
    rows = rows_of(files)
    parts = [
        f"{rows.cells} of our numbers on CIFAR-10 stand beside the paper's. {NOTE}",
        f"### Table 1\n\n`{MAIN}/table1.py` (b)",
        drawn(measured.COLUMNS_1, rows.table_1),
        f"### Table 4, random labels with regularizers\n\n`{MAIN}/table4.py` (b)",
        drawn(measured.COLUMNS_4, rows.table_4),
        "### Figure 1a, learning curves\n\nThe mean factor is between the steps at equal losses, "
        "whichever takes longer: 1 is the same curve. The paper does not say which loss it plots. "
        "In training: the mean over the batches of an epoch, at the middle of its steps. "
        f"`{MAIN}/figure1.py:a` (b)",
        drawn(measured_figure1.COLUMNS_1A, rows.figure_1a),
        "### Figures 1b and 1c, label noise\n\nTimes are relative to those at label noise 0. The "
        f"paper does not say by which measure. `{MAIN}/figure1.py:b` (b)",
        drawn(measured_figure1.COLUMNS_1B, rows.figure_1b),
        f"### Table 3, kernels\n\n`{MAIN}/kernel.py:dataset=cifar10` (b)",
        drawn(measured.COLUMNS_3, rows.table_3),
    ]
    if rows.kernel_noise:
        parts += [
            f"### Kernels on noisy labels: Tables 6 and 7 of {belkin.PAPER}\n\n"
            f"`{MAIN}/kernel_noise.py:dataset=mnist` (d). {BESIDE_NOTE}",
            drawn(measured.COLUMNS_BELKIN, rows.kernel_noise),
        ]
    if rows.published:
        parts += [
            "### Which examples are memorized, beside published scores\n\n"
            f"`{MAIN}/memorization.py:dataset=cifar10` (b). {published.NOTE}",
            drawn(measured.COLUMNS_PUBLISHED, rows.published),
        ]
    if rows.robust:
        parts += [
            "### Training through wrong labels\n\n"
            f"`{MAIN}/robust_labels.py` and, with (b), `:dataset=cifar10`. {robust_results.NOTE}",
            drawn(measured.COLUMNS_ROBUST, rows.robust),
        ]
    if rows.norms:
        parts += [
            f"### Norms and margins of networks that fit\n\n`{MAIN}/norms.py`. {norm_results.NOTE}",
            drawn(measured.COLUMNS_NORMS, rows.norms),
        ]
    if rows.critical:
        parts += [
            f"### Critical samples\n\n`{MAIN}/critical_samples.py` and, with (b), "
            f"`:dataset=cifar10`. {critical_results.NOTE}",
            drawn(measured.COLUMNS_CRITICAL, rows.critical),
        ]
    later = [row for row in rows.theory if row["kind"] in AFTER]
    theory = [row for row in rows.theory if row not in later]
    if theory:
        parts += ["### Theory", drawn(measured.COLUMNS_THEORY, theory)]
    if later:
        parts += [
            "### What came after the paper\n\nClaims of later papers and of ours; a row names its "
            "data, and mnist5k is no data set of theirs.",
            drawn(measured.COLUMNS_THEORY, later),
        ]
    if rows.clocks:
        parts += [
            "### Figures 1b and 1c, trained or begun in other ways than appendix A says",
            drawn(measured_figure1.COLUMNS_1B, rows.clocks),
        ]
    if rows.others:
        columns = with_values(measured.COLUMNS_OTHERS, rows.others)
        parts += [
            "### Lessons, and other runs\n\nA row names its data; mnist5k is no data set of the "
            "paper's.",
            drawn(columns, rows.others),
        ]
    if files:
        parts += [FILES, "\n".join(_file(*one) for one in files.items())]
    return "\n\n".join(part.strip("\n") for part in parts)


def _file(name: str, numbers: Json) -> str:
    """Returns the entry of a file: how it was made, and of what."""
    need = NEEDS.get(numbers["dataset"], "")
    made = f"`{numbers['command']}`{need}" if numbers["command"] else "a command that is not known"
    digests = "; ".join(
        f"{split} {own['examples']:,} examples, pixels {own.get('pixels', '-')}"
        for data in numbers["data"]
        for split, own in data.items()
    )
    versions = numbers["versions"] or {}
    runs = numbers.get("runs", [])
    whole = len(runs) + numbers.get("runs_to_come", 0)
    state = f", {sum(run['finished'] for run in runs)} of {whole} runs finished" if runs else ""
    return (
        f"- [{name}.json](results/{name}.json): {made}, {numbers['dataset']} ({digests}), "
        f"{numbers['device'] or 'a device that is not known yet'}, JAX {versions.get('jax', '-')}, "
        f"{numbers['date']}{state}."
    )


TABLE_EPOCHS = 100  # of the configs of Tables 1 and 4
HEADLINES = (
    Column("the paper's item", "item"),
    Column("ours", "ours"),
    Column("the paper's", "paper"),
)


def headlines(files: dict[str, Json]) -> str:
    """Returns what the README says of the paper's own data: what is finished, in few rows."""
    found = rows_of(files)
    rows = [
        *_heads_1(found.table_1),
        *_heads_4(found.table_4),
        *_heads_1a(found.figure_1a),
        *_heads_1b(found.figure_1b),
        *_heads_3(found.table_3),
        *_heads_of_theorem_1(found.theory),
    ]
    if not rows:
        return "No image experiment was run on the paper's own data yet."
    shown = drawn(HEADLINES, rows).strip("\n")
    return (
        f"{found.cells} of our numbers on CIFAR-10 stand beside the paper's. Table 1 without "
        f"regularizers: train, test accuracy; Table 4: train accuracy of random labels.\n\n{shown}"
    )


def _mean(value: Spread) -> str:
    return text_of(value.mean)


def _whose(row: Json) -> str:
    """Returns of what a headline is: network, and how it was measured."""
    return f"{row['network']}, {_how(row)}"


def _how(row: Json) -> str:
    """Returns seeds, kind of device, and the epochs where they are not the config's own."""
    device = row["of"].numbers["device"].partition(" (")[0].removeprefix("NVIDIA ")
    epochs = row["of"].of("epochs_in_all")
    own = "" if epochs is None or epochs.max == TABLE_EPOCHS else f", {epochs.max:g} epochs"
    return f"{measured.seeds(row['of'])}, {device}{own}"


def _heads_1(rows: Sequence[Json]) -> list[Json]:
    """Returns a headline for each network of Table 1, with its true and its random labels."""
    networks: dict[tuple[str, str], list[Json]] = {}
    for row in rows:
        if "within" in row and row["regularizers"] == listed(()):
            networks.setdefault((row["network"], row["of"].file), []).append(row)
    return [
        {
            "item": f"Table 1: {network}",
            "ours": "; ".join(
                f"{row['setting'].split()[0]} {_mean(row['train'])}, {_mean(row['test'])}"
                for row in both
            )
            + f" ({_how(both[0])})",
            "paper": "; ".join(
                f"{row['paper_train']:.4f}, {row['paper_test']:.4f}" for row in both
            ),
        }
        for (network, _), both in networks.items()
    ]


def _heads_4(rows: Sequence[Json]) -> list[Json]:
    return [
        {
            "item": f"Table 4, {row['regularizers']}: {row['network']}",
            "ours": f"{_mean(row['train'])} ({_how(row)})",
            "paper": f"{row['paper_train']}",
        }
        for row in rows
        if "cells" in row
    ]


def _heads_1a(rows: Sequence[Json]) -> list[Json]:
    near = [row for row in rows if row.get("fitted")]
    if not near:
        return []
    factors = [row["factor"].mean for row in near]
    return [
        {
            "item": "Figure 1a: learning curves",
            "ours": f"{len(near)} of 5 curves, at a mean factor of {min(factors):.2f} to "
            f"{max(factors):.2f} of the paper's steps (small Inception)",
            "paper": "five curves",
        }
    ]


def _heads_1b(rows: Sequence[Json]) -> list[Json]:
    """Returns headlines for each network whose random labels were measured."""
    result = []
    for last in [row for row in rows if row["label_noise"] == 1 and row["cells"]]:
        # The page of all results has the other measures of time, too.
        time = next((f"{last[n].mean:.2f} by {n}" for n, _, _ in MEASURES if last.get(n)), "")
        if time:
            item = "Figure 1b: time to fit random over true labels"
            ours = f"{time} ({_whose(last)})"
            result.append({"item": item, "ours": ours, "paper": f"{last['paper_time']:.2f}"})
        own = [row for row in rows if row["network"] == last["network"] and row.get("corrupted")]
        shown = [row for row in own if row["label_noise"] in (0, 0.5, 1)]
        if shown:
            levels = ", ".join(f"{row['label_noise']:g}" for row in shown)
            errors = ", ".join(_mean(row["corrupted"]) for row in shown)
            theirs = ", ".join(f"{row['paper_error']:.3f}" for row in shown)
            item = f"Figure 1c: test error at label noise {levels}"
            result.append({"item": item, "ours": f"{errors} ({_whose(last)})", "paper": theirs})
    return result


def _heads_3(rows: Sequence[Json]) -> list[Json]:
    plain = [row for row in rows if row["n"] and row["preprocessing"] == "none"]
    most = {row["data"]: row for row in sorted(plain, key=lambda row: row["n"])}
    return [
        {
            "item": f"Table 3: a Gaussian kernel on {row['data']}",
            "ours": f"test error {row['test']:.4f}, {row['n']:,} examples",
            "paper": f"{row['paper_test']:.3f}",
        }
        for row in most.values()
    ]


def _heads_of_theorem_1(rows: Sequence[Json]) -> list[Json]:
    return [
        {
            "item": "Theorem 1: 2n + d weights take any labels",
            "ours": row["ours"],
            "paper": "proved",
        }
        for row in rows
        if (row["kind"], row["place"], row["dataset"]) == ("theorem1", "Theorem 1", "cifar10")
    ]


def filled(page: str, text: str) -> str:
    """Returns a page with a text in the place of what is drawn."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
