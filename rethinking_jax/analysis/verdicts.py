"""The paper's claims, each with its outcome in a workdir and the paper's own numbers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rethinking_jax.analysis import claims, paper
from rethinking_jax.analysis import regularizers as reg
from rethinking_jax.analysis.claims import NOT_MEASURED, TIME_RATIO, Judged
from rethinking_jax.analysis.results import Family, Series, families


class Verdict(NamedTuple):
    """What became of a claim.

    Attributes:
      claim: in words; place: where the paper makes it, or why it is judged all the same.
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

    @property
    def source(self) -> str:
        """Whose `paper` is: the paper's only where the place is a part of it."""
        parts = ("Figure", "Table", "section", "Theorem", "Corollary")
        if self.place.startswith(parts):
            return f"The paper, {self.place}"
        return self.place[:1].upper() + self.place[1:]


def verdicts(series: Sequence[Series]) -> list[Verdict]:
    """Every claim for every series, family or all of them, in the order of the paper."""
    result = []
    found = families(series)
    for claim in CLAIMS:
        for family in found:
            result += _of_variants(claim, family)
    for claim in FAMILY_CLAIMS:
        result += [
            _verdict(claim, family.name, claim.judge(family), family.series) for family in found
        ]
    name = found[0].name if len(found) == 1 else "all models"
    result += [_verdict(claim, name, claim.judge(found), series) for claim in STUDY_CLAIMS]
    return result


def _of_variants(claim: "Claim", family: Family) -> list[Verdict]:
    """One claim for every series of a family that answers it; one verdict where none does."""
    judged = [(one, claim.judge(one)) for one in family.series]
    answered = [
        _verdict(claim, one.name, found, [one]) for one, found in judged if found[0] != NOT_MEASURED
    ]
    return answered or [_verdict(claim, family.name, judged[0][1], family.series)]


def _verdict(claim: "Claim", name: str, judged: Judged, series: Sequence[Series]) -> Verdict:
    outcome, ours = judged
    # A full stop ends what is missing; a sentence with numbers says of what.
    if not ours.endswith("."):
        ours = f"{ours} ({_sample(series)})."
    return Verdict(claim.text, claim.place, name, outcome, ours, claim.paper)


def _sample(series: Sequence[Series]) -> str:
    groups = [group for one in series for group in one.groups]
    seeds = sorted({group.seeds for group in groups})
    count = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    smoothing = max(group.config.get("label_smoothing", 0.0) for group in groups)
    datasets = ", ".join(dict.fromkeys(one.dataset for one in series))
    return f"{count} seed{'' if count == '1' else 's'}, {datasets}" + (
        f", label smoothing {smoothing:g}" if smoothing else ""
    )


def _table_1_span(setting: str) -> str:
    rows = [row for row in paper.TABLE_1 if row.setting == setting and not row.regularizers]
    tests = sorted(row.test_accuracy for row in rows)
    return f"{tests[0]:.4f} to {tests[-1]:.4f} over {len(rows)} models"


class Claim(NamedTuple):
    """What the paper says: in words, where, how to judge it, with which numbers."""

    text: str
    place: str
    judge: Callable[[Any], Judged]
    paper: str


# Of one series: a model, its regularizers as they are.
CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Every setting is fitted, noise as well as images.",
        "Figure 1a",
        claims.fitted_all,
        "The loss of all five settings goes to 0 (CIFAR-10, small Inception).",
    ),
    Claim(
        "Random labels are fitted.",
        "Table 1",
        claims.fitted_random,
        "Train accuracy 0.9934 to 1.0 over five models (CIFAR-10).",
    ),
    Claim(
        "Networks trained on true labels generalize.",
        "Table 1",
        claims.true_generalizes,
        f"Test accuracy {_table_1_span('true_labels')} (CIFAR-10, no regularizer).",
    ),
    Claim(
        "Networks trained on random labels test at chance.",
        "Table 1",
        claims.random_is_chance,
        f"Test accuracy {_table_1_span('random_labels')} (CIFAR-10).",
    ),
    Claim(
        "Partially corrupted labels: test accuracy lies between.",
        "Figure 1c",
        claims.partial_between,
        "Test error at label noise 0, 0.5 and 1: 0.13, 0.71 and 0.90 (CIFAR-10, small Inception).",
    ),
    Claim(
        "True labels are fitted before random labels.",
        "Figure 1a",
        claims.true_before_random,
        "Loss 0.1 after 3.1 and 13.7 thousand steps (CIFAR-10, small Inception).",
    ),
    Claim(
        "True labels are fitted before corrupted pixels.",
        "Figure 1a",
        claims.true_first,
        "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    Claim(
        "Random labels take longer than corrupted pixels.",
        "Figure 1a",
        claims.random_last,
        "Loss 0.1 after 13.7 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    Claim(
        f"Random labels take {TIME_RATIO[0]:g} to {TIME_RATIO[1]:g} times as long as true labels.",
        "Figure 1b",
        claims.time_ratio,
        "3.6 times (small Inception), 1.55 (small AlexNet), 1.96 (MLP 1x512), all on CIFAR-10.",
    ),
    Claim(
        "Time to fit grows with label noise.",
        "Figure 1b",
        claims.time_grows,
        "From 1 to 3.6 times the time of true labels (CIFAR-10, small Inception).",
    ),
    Claim(
        "Test error rises with label noise to chance.",
        "Figure 1c",
        claims.error_rises,
        "From 0.13 to 0.90 (CIFAR-10, small Inception).",
    ),
)

# Of a family: a model with and without explicit regularizers.
FAMILY_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Random labels are fitted on ImageNet, too.",
        "Table 2",
        reg.imagenet_random,
        "Train accuracy 0.9520 top-1, 0.9914 top-5 (ImageNet, Inception V3, no regularizer).",
    ),
    Claim(
        "After random labels top-1 and top-5 are at chance in test.",
        "Table 2",
        reg.top5_is_chance,
        "0.0009 to 0.0012 top-1, 0.0049 to 0.0056 top-5 (ImageNet, Inception V3).",
    ),
    Claim(
        "With all explicit regularizers off the network still generalizes.",
        "Tables 1 and 2",
        reg.generalizes_without,
        "0.8575 against up to 0.8931 (CIFAR-10, small Inception); 0.5980 against up to 0.7784 "
        "top-1 (ImageNet, Inception V3).",
    ),
    Claim(
        "Explicit regularizers do not prevent fitting random labels.",
        "Tables 2 and 4",
        reg.noise_despite_regularizers,
        "0.9921 to 1.0, but the small AlexNet failed to converge (CIFAR-10); 0.8781 and 0.9118 "
        "top-1 against 0.9520 without (ImageNet, Inception V3).",
    ),
    Claim(
        "Weight decay does not prevent fitting random labels.",
        "Tables 2 and 4",
        reg.noise_despite_decay,
        "1.0 small Inception, 1.0 MLP 3x512, 0.9921 MLP 1x512, the small AlexNet failed to "
        "converge (CIFAR-10); 0.8781 top-1 (ImageNet, Inception V3).",
    ),
    Claim(
        "Early stopping would have won test accuracy on ImageNet.",
        "Table 2, Figure 2a",
        reg.early_stopping,
        "3.36 points without regularizers, 5.39 with weight decay (ImageNet, Inception V3, top-1).",
    ),
    Claim(
        "Augmentation helps more than weight decay.",
        "Tables 1 and 2",
        reg.augmentation_over_decay,
        "0.8931 against 0.8603 (CIFAR-10, small Inception), 0.7966 against 0.7736 (small AlexNet), "
        "0.7295 against 0.6718 top-1 (ImageNet, Inception V3).",
    ),
)
# Of all models of a workdir.
STUDY_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Changing the architecture wins more than any regularizer.",
        "Table 1",
        reg.architecture_over_regularizers,
        "0.8575 small Inception without a regularizer; small AlexNet up to 0.8122 with, MLP 3x512 "
        "0.5335 (CIFAR-10).",
    ),
    Claim(
        "Batch norm makes the learning curve smoother.",
        "Figure 2b",
        reg.batch_norm_smooths,
        "By eye, no number (CIFAR-10, small Inception).",
    ),
    Claim(
        "Batch norm helps test accuracy a little.",
        "Figure 2b, Table 1",
        reg.batch_norm_helps_a_little,
        "0.8575 with and 0.8200 without (CIFAR-10, small Inception, no regularizer).",
    ),
)
