"""What `label_errors` says of what the literature claims of its scores.

Thresholds stand here. Differences are paired over the draws of the corruption, and those of the
family are judged by Holm's p-values (one-sided, 5 % for the family).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import Difference, holm, mean_interval, p_above_0
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.label_error_ranks import by_draw, settings_of
from rethinking_jax.theory.label_error_scores import SCORES
from rethinking_jax.workdir.metrics import Json

SURE = 0.05  # the chance of a wrong "yes" in the family of differences
FITTED = 0.9  # of the corrupted labels, for noise that counts as fitted
NARROW = 0.05  # half an interval's width, beyond which 0.5 within it says little
FOLLOWS = 0.3  # the rank correlation of a score that follows the norm of the input
SPREAD = 0.01  # of the norms, relative to their mean: below, they are the same for all
WINNER = 0.95  # the share of the bootstrap draws that a winner wins
FEWEST = 50  # corrupted labels of a setting
PLACE = "not a claim of the paper"
CUMULATIVE = ("cumulative_loss", "area_under_margin", "wrong_events")
SYMMETRIC, PAIR = "partially_corrupted_labels", "pair_flip"


class Evidence(NamedTuple):
    """What the verdicts are about.

    Attributes:
      measured: the rows of `label_error_ranks`.
      snapshots: the AUROC of the loss at the end of each epoch, mean over the runs of a draw,
        float64 [draws, epochs], by setting.
      early: the epoch of the scores that are called early.
      norm_correlation: Spearman's correlation of GraNd at the start with the norm of the input,
        one for each draw; () where it is not measured.
      norm_spread: the standard deviation of the inputs' norms over their mean.
      wins: the share of bootstrap draws in which a score is the best.
    """

    measured: Sequence[Json]
    snapshots: Mapping[str, np.ndarray]
    early: int
    norm_correlation: Sequence[float]
    norm_spread: float
    wins: Mapping[str, float]


class Claim(NamedTuple):
    """A claim that a difference is above 0.

    Attributes:
      claim: in words.
      differences: one for each draw of the corruption; () where it is not measured.
      ours: what was compared, or why it was not.
      paper: whose claim it is.
    """

    claim: str
    differences: Sequence[float]
    ours: str
    paper: str


def verdicts(of: Evidence) -> list[Verdict]:
    """Judges all claims, in their order."""
    family = [*_cumulative(of), _best_epoch(of), _out_of_fold(of), _forgetting(of), _pair(of)]
    told = _judged(family)
    return [*told[:5], _start(of), _norm(of), *told[5:], _best(of)]


def _judged(family: Sequence[Claim]) -> list[Verdict]:
    known = [one for one in family if len(one.differences) > 1]
    adjusted = dict(
        zip(
            [one.claim for one in known],
            holm([p_above_0(one.differences) for one in known]),
            strict=True,
        )
    )
    found = []
    for one in family:
        if one.claim not in adjusted:
            found.append(verdict(one.claim, PLACE, None, one.ours, one.paper, of_paper=False))
            continue
        p, mean = adjusted[one.claim], mean_interval(list(one.differences), "corruptions")
        ours = f"{one.ours}: {_told(mean, len(one.differences))}; p = {p:.2g} by Holm."
        found.append(verdict(one.claim, PLACE, p <= SURE, ours, one.paper, of_paper=False))
    return found


def _told(found: Difference, count: int, of: str = "corruptions") -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}, 95 % over {count} {of})"


def _settings(of: Evidence, score: str) -> list[str]:
    """Returns the settings with enough corrupted labels in which a score was measured."""
    own = {
        row["name"]
        for row in of.measured
        if row["score"] == score and row["corrupted"] >= FEWEST
    }  # fmt: skip
    return [name for name in settings_of(of.measured) if name in own]


def _difference(
    of: Evidence, better: str, worse: str, settings: Sequence[str]
) -> tuple[float, ...]:
    a, b = (by_draw(of.measured, score, "precision", settings) for score in (better, worse))
    return tuple(np.subtract(a, b).tolist())


def _compared(of: Evidence, claim: str, better: str, worse: str, paper: str) -> Claim:
    """Returns the claim that a score has a higher precision at the true number than another."""
    settings = [name for name in _settings(of, better) if name in _settings(of, worse)]
    a, b = SCORES[better].title, SCORES[worse].title
    if not settings:
        return Claim(
            claim, (), f"Needs both scores, and at least {FEWEST} corrupted labels.", paper
        )
    ours = f"Precision at the true number, {a} less {b}, over {', '.join(settings)}"
    return Claim(claim, _difference(of, better, worse, settings), ours, paper)


def _cumulative(of: Evidence) -> list[Claim]:
    """3a: summed over training each score finds more than the last loss, once noise is fitted."""
    fitted: dict[str, list[float]] = {}
    for row in of.measured:
        if row["fitted"] is not None:
            fitted.setdefault(row["name"], []).append(row["fitted"])
    claims = []
    for score in CUMULATIVE:
        claim = (
            f"Once the noise is fitted, {SCORES[score].title} over all epochs finds more label "
            "errors than the loss at the last epoch."
        )
        paper = "Pleiss et al. 2020 and Ravikumar et al. 2025 sum over training."
        settings = [
            name
            for name in _settings(of, score)
            if np.mean(fitted[name]) >= FITTED and name in _settings(of, "final_loss")
        ]
        ours = f"Precision at the true number, difference, over {', '.join(settings)}"
        if not settings:
            ours = (
                f"Needs both scores, and networks that fit {FITTED:.0%} of the corrupted labels: "
                "give it more epochs."
            )
            claims.append(Claim(claim, (), ours, paper))
        else:
            claims.append(Claim(claim, _difference(of, score, "final_loss", settings), ours, paper))
    return claims


def _best_epoch(of: Evidence) -> Claim:
    """3b: the loss of one epoch finds most before the last; the epoch is chosen on other draws."""
    claim = "The loss of a single epoch finds more label errors before the end than at the end."
    paper = "Later the network has memorized the wrong labels, too."
    settings = _settings(of, "final_loss") or _settings(of, "cumulative_loss")
    curves = [of.snapshots[name] for name in settings if name in of.snapshots]
    if not curves or curves[0].shape[0] < 2:
        return Claim(claim, (), f"Needs at least {FEWEST} corrupted labels.", paper)
    gained = np.zeros(len(curves[0]))
    for own in curves:
        for draw in range(len(own)):
            epoch = np.delete(own, draw, 0).mean(0).argmax()
            gained[draw] += (own[draw, epoch] - own[draw, -1]) / len(curves)
    best = ", ".join(str(own.mean(0).argmax() + 1) for own in curves)
    early, last = (np.mean([own[:, at].mean() for own in curves]) for at in (of.early - 1, -1))
    ours = (
        f"AUROC of the loss is highest after epoch {best} of {curves[0].shape[1]} "
        f"({', '.join(settings)}), which only who knows the errors can tell; after epoch "
        f"{of.early} it is {early:.3f}, at the end {last:.3f}. Best epoch by the other corruptions "
        "less the last"
    )
    return Claim(claim, tuple(gained.tolist()), ours, paper)


def _out_of_fold(of: Evidence) -> Claim:
    """3c: confidences of networks that have not seen the example find more."""
    return _compared(
        of,
        "The confidence of networks that have not seen an example finds more label errors than "
        "that of networks that have, at the last epoch.",
        "held_out_confidence",
        "final_confidence",
        "Northcutt et al. 2021 ask for probabilities out of sample.",
    )


def _forgetting(of: Evidence) -> Claim:
    """3f: counts of forgetting find less than the epoch from which an example stays right."""
    return _compared(
        of,
        "When an example is learned for good finds more label errors than how often it is "
        "forgotten.",
        "learned_last",
        "forgetting",
        "An example that is never learned counts as forgotten in every epoch.",
    )


def _pair(of: Evidence) -> Claim:
    """3g: the area under the margin finds less where errors are always of the same kind."""
    score, claim = "area_under_margin", (
        "The area under the margin finds fewer label errors where a class is always mistaken for "
        "the same other one."
    )  # fmt: skip
    paper = "Pleiss et al. 2020 state asymmetric noise as a failure."
    known = _settings(of, score)
    by_noise: dict[str, dict[float, str]] = {SYMMETRIC: {}, PAIR: {}}
    for row in of.measured:
        if row["name"] in known and row["corruption"] in by_noise:
            by_noise[row["corruption"]][row["label_noise"]] = row["name"]
    both = sorted(by_noise[SYMMETRIC].keys() & by_noise[PAIR].keys())
    if not both:
        return Claim(claim, (), "Needs symmetric and pair noise of the same strength.", paper)
    symmetric, pair = (
        by_draw(of.measured, score, "precision", [by_noise[kind][noise] for noise in both])
        for kind in (SYMMETRIC, PAIR)
    )
    strengths = ", ".join(f"{noise:g}" for noise in both)
    ours = f"Precision at the true number, symmetric less pair noise, of {strengths}"
    return Claim(claim, tuple(np.subtract(symmetric, pair).tolist()), ours, paper)


def _start(of: Evidence) -> Verdict:
    """3d: by symmetry a gradient norm at the start cannot tell a wrong label."""
    claim = "The gradient norm at the start does not tell a wrong label from a right one."
    paper = "It follows from the symmetry of the initial weights; Kirsch 2023 doubts the score."
    settings = [
        name
        for name in _settings(of, "gradient_norm_start")
        if any(r["name"] == name and r["corruption"] == SYMMETRIC for r in of.measured)
    ]
    values = by_draw(of.measured, "gradient_norm_start", "auroc", settings)
    if len(values) < 2:
        return verdict(claim, PLACE, None, "Needs the score on symmetric noise.", paper, False)
    mean = mean_interval(values, "corruptions")
    ours = f"AUROC {_told(mean, len(values))}; 0.5 is chance."
    half = (mean.high - mean.low) / 2
    if half > NARROW:
        ours += f" Half the interval is above {NARROW}: it needs more corruptions or inits."
        return verdict(claim, PLACE, None, ours, paper, of_paper=False)
    return verdict(claim, PLACE, mean.low <= 0.5 <= mean.high, ours, paper, of_paper=False)


def _norm(of: Evidence) -> Verdict:
    """3e: what a gradient norm at the start follows is the norm of the input."""
    claim = "The gradient norm at the start follows the norm of the input."
    paper = "Kirsch 2023."
    if len(of.norm_correlation) < 2:
        return verdict(claim, PLACE, None, "Needs the score.", paper, of_paper=False)
    if of.norm_spread < SPREAD:
        ours = (
            "All inputs have nearly the same norm, as preprocess=paper makes it: take "
            "preprocess=dataset."
        )
        return verdict(claim, PLACE, None, ours, paper, of_paper=False)
    mean = mean_interval(of.norm_correlation, "corruptions")
    ours = (
        f"Spearman's correlation {_told(mean, len(of.norm_correlation))}; above {FOLLOWS} counts."
    )
    return verdict(claim, PLACE, mean.low > FOLLOWS, ours, paper, of_paper=False)


def _best(of: Evidence) -> Verdict:
    """3h: one score is the best."""
    claim = "One of the scores finds the most label errors."
    if len(of.wins) < 2:
        ours = "Needs at least two scores that all settings have."
        return verdict(claim, PLACE, None, ours, "", of_paper=False)
    ranked = sorted(of.wins.items(), key=lambda pair: -pair[1])
    told = ", ".join(f"{SCORES[name].title} {share:.0%}" for name, share in ranked[:3] if share)
    ours = (
        f"Highest precision at the true number in bootstrap draws: {told}; {WINNER:.0%} make a "
        f"winner of {len(ranked)} scores."
    )
    return verdict(claim, PLACE, ranked[0][1] >= WINNER, ours, "", of_paper=False)
