"""The paper's claims, each with its outcome in a workdir and the paper's own numbers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rethinking_jax.report import claims, paper
from rethinking_jax.report.claims import NOT_MEASURED, TIME_RATIO, Judged
from rethinking_jax.report.results import Series


class Verdict(NamedTuple):
    """What became of a claim.

    Attributes:
      claim: in words; place: where the paper makes it.
      series: whose runs were judged.
      outcome: YES, NO or NOT_MEASURED.
      ours: a sentence with our numbers, or what is missing.
      paper: a sentence with the paper's.
    """

    claim: str
    place: str
    series: str
    outcome: str
    ours: str
    paper: str


def verdicts(series: Sequence[Series]) -> list[Verdict]:
    """Every claim for every series, in the order of the paper."""
    result = []
    for claim, place, judge, theirs in CLAIMS:
        for one in series:
            outcome, ours = judge(one)
            if outcome != NOT_MEASURED:
                ours = f"{ours} ({_sample(one)})."
            result.append(Verdict(claim, place, one.name, outcome, ours, theirs))
    return result


def _sample(one: Series) -> str:
    seeds = sorted({group.seeds for group in one.groups})
    count = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"{count} seed{'' if count == '1' else 's'}, {one.dataset}"


def _table_1_span(setting: str) -> str:
    rows = [row for row in paper.TABLE_1 if row.setting == setting and not row.weight_decay]
    tests = sorted(row.test_accuracy for row in rows)
    return f"{tests[0]:.4f} to {tests[-1]:.4f} over {len(rows)} models"


CLAIMS: tuple[tuple[str, str, Callable[[Series], Judged], str], ...] = (
    (
        "Every setting is fitted, noise as well as images.",
        "Figure 1a",
        claims.fitted_all,
        "The loss of all five settings goes to 0 (CIFAR-10, small Inception).",
    ),
    (
        "Random labels are fitted.",
        "Table 1",
        claims.fitted_random,
        "Train accuracy 0.9934 to 1.0 over five models (CIFAR-10).",
    ),
    (
        "Networks trained on true labels generalize.",
        "Table 1",
        claims.true_generalizes,
        f"Test accuracy {_table_1_span('true_labels')} (CIFAR-10, no regularizer).",
    ),
    (
        "Networks trained on random labels test at chance.",
        "Table 1",
        claims.random_is_chance,
        f"Test accuracy {_table_1_span('random_labels')} (CIFAR-10).",
    ),
    (
        "Partially corrupted labels: test accuracy lies between.",
        "Figure 1c",
        claims.partial_between,
        "Test error at label noise 0, 0.5 and 1: 0.13, 0.71 and 0.90 (CIFAR-10, small Inception).",
    ),
    (
        "True labels are fitted before random labels.",
        "Figure 1a",
        claims.true_before_random,
        "Loss 0.1 after 3.1 and 13.7 thousand steps (CIFAR-10, small Inception).",
    ),
    (
        "True labels are fitted before corrupted pixels.",
        "Figure 1a",
        claims.true_first,
        "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    (
        "Random labels take longer than corrupted pixels.",
        "Figure 1a",
        claims.random_last,
        "Loss 0.1 after 13.7 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    (
        f"Random labels take {TIME_RATIO[0]:g} to {TIME_RATIO[1]:g} times as long as true labels.",
        "Figure 1b",
        claims.time_ratio,
        "3.6 times (small Inception), 1.55 (small AlexNet), 1.96 (MLP 1x512), all on CIFAR-10.",
    ),
    (
        "Time to fit grows with label noise.",
        "Figure 1b",
        claims.time_grows,
        "From 1 to 3.6 times the time of true labels (CIFAR-10, small Inception).",
    ),
    (
        "Test error rises with label noise to chance.",
        "Figure 1c",
        claims.error_rises,
        "From 0.13 to 0.90 (CIFAR-10, small Inception).",
    ),
)
