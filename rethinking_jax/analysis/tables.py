"""The tables of trained runs, in a list: a new one is a function and a line."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rethinking_jax.analysis import beside, norms, paper
from rethinking_jax.analysis.chance import best_by_noise
from rethinking_jax.analysis.figure1 import loss_times, ratios
from rethinking_jax.analysis.fitted import common_level
from rethinking_jax.analysis.results import Group, Results, Series, setting_of, tested_series
from rethinking_jax.analysis.table import Column, Table, spread, table, with_values
from rethinking_jax.host.console import print_table
from rethinking_jax.workdir.metrics import Json, judged_on, text_of

if TYPE_CHECKING:
    from rich.console import Console

# What is shown where a metric is not a number, and where a run never fitted.
NAN, NEVER = "nan", "never"

RUN = Column("run", "name")
FLIPPED = Column("really flipped", "flipped_fraction", text_of, NAN)
TRAIN = Column("train acc.", "train_accuracy", text_of, NAN)
TEST = Column("test acc.", "test_accuracy", text_of, NAN)
EPOCHS_TO_FIT = Column("epochs to fit", "epochs_to_fit", "{:,}", NEVER)
# The columns of the results. Titles fold on the screen; seven columns fit into 80 characters.
COLUMNS = (
    RUN,
    FLIPPED,
    TRAIN,
    TEST,
    Column("best test", "best_test_accuracy", text_of, NAN),
    EPOCHS_TO_FIT,
    Column("steps to fit", "steps_to_fit", "{:,}", NEVER),
)
# The same where hyper-parameters were chosen by validation; only the chosen runs have a test
# accuracy.
VALIDATED = (
    RUN,
    FLIPPED,
    TRAIN,
    Column("val. acc.", "validation_accuracy", text_of, NAN),
    Column("best val.", "best_validation_accuracy", text_of, NAN),
    EPOCHS_TO_FIT,
    TEST,
)
# The columns beside those in files and on the page, where there is room.
EARLY_STOPPING = (
    Column("best epoch", "best_epoch", "{:,}", NEVER),
    Column("early stopping wins", "early_stopping_gain", text_of, NAN),
    Column("noise alone wins up to", "early_stopping_noise", text_of, NAN),
)
EARLY_STOPPING_NOTE = (
    "Early stopping wins: the test accuracy of the best epoch less that of the last. The best of "
    "many epochs is chosen on the test set itself, so that noise wins, too: up to the last column, "
    "by how far the accuracy wanders from epoch to epoch. A gain below it says nothing."
)
VALIDATED_NOTE = (
    "Validation chooses among the runs: those with a test accuracy are the chosen ones, and the "
    "test set was looked at once, as they ended. Early stopping wins: the validation accuracy of "
    "the best epoch less that of the last; noise alone wins up to the last column."
)
NOISE = (
    Column("runs", "series"),
    Column("label noise", "label_noise", "{:g}"),
    Column("seeds", "seeds"),
    Column("epochs to fit", "epochs_to_fit", "{:.1f}"),
    Column("relative time (accuracy)", "relative_time_accuracy", "{:.2f}"),
    Column("relative time (loss 0.05)", "relative_time_loss", "{:.2f}"),
    Column("test error, true labels", "test_error_true_labels", text_of),
    Column("test error, corrupted labels", "test_error_corrupted_labels", text_of),
    Column("paper's relative time (Figure 1b, CIFAR-10)", "paper_relative_time", "{:.2f}"),
    Column("paper's test error (Figure 1c, CIFAR-10)", "paper_test_error", text_of),
)


def results_table(results: Results) -> Table:
    """Makes the table of what became of each run."""
    columns = (*result_columns(results.summary), *EARLY_STOPPING)
    note = VALIDATED_NOTE if results.validated else EARLY_STOPPING_NOTE
    asked = {config.get("fit_threshold", 1.0) for config in results.configs}
    levels = asked if results.fit_threshold is None else {results.fit_threshold}
    to_fit = " or ".join(f"{level:g}" for level in sorted(levels))
    to_fit = f"To fit is to reach a train accuracy of {to_fit}, or what --fit_threshold says."
    made = table("results", "Results", columns, _result_rows(results), f"{to_fit} {note}")
    return made._replace(short_titles=True)


def noise_table(results: Results) -> Table | None:
    """Makes a row for each series and level of label noise; None where no series has two levels."""
    swept = [one for one in tested_series(results) if len(one.by_label_noise()) > 1]
    rows = [row for one in swept for row in _noise_rows(one)]
    if not rows:
        return None
    levels = "; ".join(f"{one.name} {common_level(one.by_label_noise()):g}" for one in swept)
    note = (
        f"Epochs and time to fit are by the highest train accuracy that all levels reach: {levels}."
    )
    return table("label_noise", "Over label noise", with_values(NOISE, rows), rows, note)


TABLES: list[Callable[[Results], Table | None]] = [
    results_table,
    noise_table,
    norms.norms_table,
    beside.paper_table,
    beside.table_2,
]


def tables(results: Results) -> list[Table]:
    """Makes every table that the runs allow."""
    return [made for make in TABLES if (made := make(results)) is not None]


def result_columns(summary: Json) -> tuple[Column, ...]:
    """Returns the columns of the results, by the split that the runs are judged on."""
    return VALIDATED if judged_on(summary["members"][0]) == "validation" else COLUMNS


def _result_rows(results: Results) -> list[Json]:
    """Returns each run with what stopping at its best epoch would have won, and noise alone."""
    rows = []
    for member, config in zip(results.summary["members"], results.configs, strict=True):
        split = judged_on(member)
        key = f"{split}_accuracy"
        accuracies = [line[key] for line in results.lines[member["name"]]]
        examples = results.summary.get(f"{split}_examples")
        trend = setting_of(member, config) != "random_labels"
        gain = max(accuracies) - accuracies[-1]
        noise = best_by_noise(accuracies, examples, trend) if examples else None
        rows.append({**member, "early_stopping_gain": gain, "early_stopping_noise": noise})
    return rows


def show_results(summary: Json, console: "Console") -> None:
    """Prints the table that is shown when all runs have ended."""
    title = f"{summary['experiment']} on {summary['dataset']}, {summary['device']}"
    made = table("results", title, result_columns(summary), summary["members"])
    print_table(console, title, made.columns, made.texts)


def _noise_rows(one: Series) -> list[Json]:
    """Returns a row for each level of label noise, with the paper's numbers where it has them."""
    figure, groups = paper.figure_1(), one.by_label_noise()
    level = common_level(groups)
    by_accuracy = ratios(groups, [group.to_accuracy(level) for group in groups])
    by_loss = ratios(groups, [loss_times(group) for group in groups])
    rows = []
    for group, accuracy, loss in zip(groups, by_accuracy, by_loss, strict=True):
        corrupted = group.corrupted_test_accuracy() or []
        measured: dict[str, Sequence[float | None]] = {
            "epochs_to_fit": group.to_accuracy(level, "epoch"),
            "relative_time_accuracy": accuracy,
            "relative_time_loss": loss,
            "test_error_true_labels": [1 - value for value in group.test_accuracy()],
            "test_error_corrupted_labels": [1 - value for value in corrupted],
        }
        rows.append(
            {
                "series": one.name,
                "label_noise": group.label_noise,
                "seeds": group.seeds,
                **{key: spread(values) for key, values in measured.items()},
                "paper_relative_time": _at(figure["relative_time"], one.model, group),
                "paper_test_error": _at(figure["test_error"], one.model, group),
            }
        )
    return rows


def _at(values: Mapping[str, Sequence[float]], model: str, group: Group) -> float | None:
    """Returns the paper's number for a model and a group's label noise, if it has one."""
    levels = paper.figure_1()["label_noise"]
    if model not in values or group.label_noise not in levels:
        return None
    return values[model][levels.index(group.label_noise)]
