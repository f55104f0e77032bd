"""The paper's claims, each with its outcome in a workdir and the paper's own numbers."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rethinking_jax.analysis import claims, distance, paper
from rethinking_jax.analysis import regularizers as reg
from rethinking_jax.analysis.claims import NOT_MEASURED, TIME_RATIO, Judged
from rethinking_jax.analysis.results import Family, Series, count_seeds, families


class Verdict(NamedTuple):
    """What became of a claim.

    Attributes:
      claim: the claim in words.
      place: where the paper makes it, or why it is judged all the same.
      series: whose runs were judged.
      outcome: YES, NO or NOT_MEASURED.
      ours: a sentence with our numbers, or what is missing.
      paper: a sentence with the numbers of the paper, or of whoever else makes the claim.
      of_paper: whether `place` is a part of the paper.
    """

    claim: str
    place: str
    series: str
    outcome: str
    ours: str
    paper: str
    of_paper: bool = True

    @property
    def source(self) -> str:
        """Whose numbers `paper` has."""
        if self.of_paper:
            return f"The paper, {self.place}"
        return self.place[:1].upper() + self.place[1:]


class Answer(NamedTuple):
    """What some runs say of a claim.

    Attributes:
      name: what these runs are called.
      series: their series.
      judged: the outcome and a sentence.
    """

    name: str
    series: Sequence[Series]
    judged: Judged


Judge = Callable[[Sequence[Family]], list[Answer]]
ALL_MODELS = "all models"  # what several families are called that are judged together


class Claim(NamedTuple):
    """What the paper says.

    Attributes:
      text: the claim in words.
      place: where the paper makes it.
      judge: what holds it against the runs of a workdir.
      paper: a sentence with the numbers that the paper has.
      of_paper: whether `place` is a part of the paper.
    """

    text: str
    place: str
    judge: Judge
    paper: str
    of_paper: bool = True


def each_series(judge: Callable[[Series], Judged]) -> Judge:
    """Judges every series of a family that answers; gives one answer where none does."""

    def answers(found: Sequence[Family]) -> list[Answer]:
        result = []
        for family in found:
            of_series = [Answer(one.name, [one], judge(one)) for one in family.series]
            answered = [one for one in of_series if one.judged.outcome != NOT_MEASURED]
            result += answered or [Answer(family.name, family.series, of_series[0].judged)]
        return result

    return answers


def each_family(judge: Callable[[Family], Judged]) -> Judge:
    """Judges every family: a model with and without explicit regularizers."""
    return lambda found: [Answer(family.name, family.series, judge(family)) for family in found]


def all_families(judge: Callable[[Sequence[Family]], Judged]) -> Judge:
    """Judges all models of a workdir together."""

    def answers(found: Sequence[Family]) -> list[Answer]:
        name = found[0].name if len(found) == 1 else ALL_MODELS
        series = [one for family in found for one in family.series]
        return [Answer(name, series, judge(found))]

    return answers


def verdicts(series: Sequence[Series], names: Iterable[str] | None = None) -> list[Verdict]:
    """Judges the claims of `CLAIMS`, all or those of these names, in the order of the paper."""
    found = families(series)
    chosen = [claim for name, claim in CLAIMS.items() if names is None or name in set(names)]
    return [
        Verdict(
            claim.text,
            claim.place,
            answer.name,
            answer.judged.outcome,
            _ours(answer),
            claim.paper,
            claim.of_paper,
        )
        for claim in chosen
        for answer in claim.judge(found)
    ]


def _ours(answer: Answer) -> str:
    """Returns a sentence with our numbers, which says what they are of."""
    text = answer.judged.text
    return text if answer.judged.whole else f"{text} ({_sample(answer.series)})."


def _sample(series: Sequence[Series]) -> str:
    groups = [group for one in series for group in one.groups]
    smoothing = max(group.config.get("label_smoothing", 0.0) for group in groups)
    datasets = ", ".join(dict.fromkeys(one.dataset for one in series))
    return f"{count_seeds(groups)}, {datasets}" + (
        f", label smoothing {smoothing:g}" if smoothing else ""
    )


def _table_1_range(setting: str) -> str:
    rows = [row for row in paper.TABLE_1 if row.setting == setting and not row.regularizers]
    tests = sorted(row.test_accuracy for row in rows)
    return f"{tests[0]:.4f} to {tests[-1]:.4f} over {len(rows)} models"


# The claims by the names of what judges them. A new one is a function and an entry.
CLAIMS: dict[str, Claim] = {
    "fitted_all": Claim(
        "Every setting is fitted, noise as well as images.",
        "Figure 1a",
        each_series(claims.fitted_all),
        "The loss of all five settings goes to 0 (CIFAR-10, small Inception).",
    ),
    "fitted_random": Claim(
        "Random labels are fitted.",
        "Table 1",
        each_series(claims.fitted_random),
        "Train accuracy 0.9934 to 1.0 over five models (CIFAR-10).",
    ),
    "true_generalizes": Claim(
        "Networks trained on true labels generalize.",
        "Table 1",
        each_series(claims.true_generalizes),
        f"Test accuracy {_table_1_range('true_labels')} (CIFAR-10, no regularizer).",
    ),
    "random_is_chance": Claim(
        "Networks trained on random labels test at chance.",
        "Table 1",
        each_series(claims.random_is_chance),
        f"Test accuracy {_table_1_range('random_labels')} (CIFAR-10).",
    ),
    "partial_between": Claim(
        "Partially corrupted labels: test accuracy lies between.",
        "Figure 1c",
        each_series(claims.partial_between),
        "Test error at label noise 0, 0.5 and 1: 0.13, 0.71 and 0.90 (CIFAR-10, small Inception).",
    ),
    "true_before_random": Claim(
        "True labels are fitted before random labels.",
        "Figure 1a",
        each_series(claims.true_before_random),
        "Loss 0.1 after 3.1 and 13.7 thousand steps (CIFAR-10, small Inception).",
    ),
    "true_first": Claim(
        "True labels are fitted before corrupted pixels.",
        "Figure 1a",
        each_series(claims.true_first),
        "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    "random_last": Claim(
        "Random labels take longer than corrupted pixels.",
        "Figure 1a",
        each_series(claims.random_last),
        "Loss 0.1 after 13.7 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2 "
        "(CIFAR-10, small Inception).",
    ),
    "learning_curves": Claim(
        "The learning curves are the paper's.",
        "Figure 1a",
        each_series(distance.judge),
        "Loss 0.1 after 3.1 thousand steps; shuffled 5.1, Gaussian 7.8, random pixels 8.2, random "
        "labels 13.7 (CIFAR-10, small Inception).",
    ),
    "time_ratio": Claim(
        f"Random labels take {TIME_RATIO[0]:g} to {TIME_RATIO[1]:g} times as long as true labels.",
        "Figure 1b",
        each_series(claims.time_ratio),
        "3.6 times (small Inception), 1.55 (small AlexNet), 1.96 (MLP 1x512), all on CIFAR-10.",
    ),
    "time_grows": Claim(
        "Time to fit grows with label noise.",
        "Figure 1b",
        each_series(claims.time_grows),
        "From 1 to 3.6 times the time of true labels (CIFAR-10, small Inception).",
    ),
    "error_rises": Claim(
        "Test error rises with label noise to chance.",
        "Figure 1c",
        each_series(claims.error_rises),
        "From 0.13 to 0.90 (CIFAR-10, small Inception).",
    ),
    "imagenet_random": Claim(
        "Random labels are fitted on ImageNet, too.",
        "Table 2",
        each_family(reg.imagenet_random),
        "Train accuracy 0.9520 top-1, 0.9914 top-5 (ImageNet, Inception V3, no regularizer).",
    ),
    "top5_is_chance": Claim(
        "After random labels top-1 and top-5 are at chance in test.",
        "Table 2",
        each_family(reg.top5_is_chance),
        "0.0009 to 0.0012 top-1, 0.0049 to 0.0056 top-5 (ImageNet, Inception V3).",
    ),
    "generalizes_without": Claim(
        "With all explicit regularizers off the network still generalizes.",
        "Tables 1 and 2",
        each_family(reg.generalizes_without),
        "0.8575 against up to 0.8931 (CIFAR-10, small Inception); 0.5980 against up to 0.7784 "
        "top-1 (ImageNet, Inception V3).",
    ),
    "noise_despite_regularizers": Claim(
        "Explicit regularizers do not prevent fitting random labels.",
        "Tables 2 and 4",
        each_family(reg.noise_despite_regularizers),
        "0.9921 to 1.0, but the small AlexNet failed to converge (CIFAR-10); 0.8781 and 0.9118 "
        "top-1 against 0.9520 without (ImageNet, Inception V3).",
    ),
    "noise_despite_decay": Claim(
        "Weight decay does not prevent fitting random labels.",
        "Tables 2 and 4",
        each_family(reg.noise_despite_decay),
        "1.0 small Inception, 1.0 MLP 3x512, 0.9921 MLP 1x512, the small AlexNet failed to "
        "converge (CIFAR-10); 0.8781 top-1 (ImageNet, Inception V3).",
    ),
    "early_stopping": Claim(
        "Early stopping would have won test accuracy on ImageNet.",
        "Table 2, Figure 2a",
        each_family(reg.early_stopping),
        "3.36 points without regularizers, 5.39 with weight decay (ImageNet, Inception V3, top-1).",
    ),
    "augmentation_over_decay": Claim(
        "Augmentation helps more than weight decay.",
        "Tables 1 and 2",
        each_family(reg.augmentation_over_decay),
        "0.8931 against 0.8603 (CIFAR-10, small Inception), 0.7966 against 0.7736 (small AlexNet), "
        "0.7295 against 0.6718 top-1 (ImageNet, Inception V3).",
    ),
    "architecture_over_regularizers": Claim(
        "Changing the architecture wins more than any regularizer.",
        "Table 1",
        all_families(reg.architecture_over_regularizers),
        "0.8575 small Inception without a regularizer; small AlexNet up to 0.8122 with, MLP 3x512 "
        "0.5335 (CIFAR-10).",
    ),
    "batch_norm_smooths": Claim(
        "Batch norm makes the learning curve smoother.",
        "Figure 2b",
        all_families(reg.batch_norm_smooths),
        "By eye, no number (CIFAR-10, small Inception).",
    ),
    "batch_norm_helps_a_little": Claim(
        "Batch norm helps test accuracy a little.",
        "Figure 2b, Table 1",
        all_families(reg.batch_norm_helps_a_little),
        "0.8575 with and 0.8200 without (CIFAR-10, small Inception, no regularizer).",
    ),
}
