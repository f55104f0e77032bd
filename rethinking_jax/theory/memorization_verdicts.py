"""What the scores say of each claim; every threshold was fixed before the first run."""

from collections.abc import Sequence
from itertools import pairwise

from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import (
    Difference,
    holm,
    jackknife,
    mean_interval,
    p_above_0,
    paired,
    wilson,
)
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.scores.contrast import values_without
from rethinking_jax.scores.memorization import confirmed
from rethinking_jax.theory.exact_learners import Nearest, share_within
from rethinking_jax.theory.exposure import Exposure
from rethinking_jax.theory.influence_pairs import INFLUENCE, InfluencePairs
from rethinking_jax.theory.memorization_pages import TAIL
from rethinking_jax.theory.removal import FEWEST, Retrained, worth
from rethinking_jax.theory.subset_runs import Memorized

ALPHA = 0.05  # of a family of verdicts, after Holm
SHARE = 0.01  # of the examples: a part that counts as a tail
HALF = 0.5  # the part of the threshold of influence that pairs keep on fresh runs
FITTED = 0.98  # the share of the labels it trains on that a run that memorizes gets right
PAIRS = 10  # fewer have no mean
ERRORS, NEAR = 4, 0.999  # so near is the estimate to the closed form, for this share of examples
OURS = "not a claim of the paper"
FELDMAN = "Feldman and Zhang (2020)"


def _told(found: Difference, over: str) -> str:
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f}, 95 % over {over})"


def _clean(found: Sequence[Memorized]) -> Memorized | None:
    return next((one for one in found if not one.setting.corrupted.any()), None)


def _noisy(found: Sequence[Memorized]) -> list[Memorized]:
    """Returns the settings with enough corrupted and enough clean labels."""
    return [
        one
        for one in found
        if min(one.setting.corrupted.sum(), (~one.setting.corrupted).sum()) >= FEWEST
    ]


def corrupted_is_memorized(found: Sequence[Memorized]) -> Verdict:
    """Judges 1a: whether corrupted labels are memorized more than clean ones, at every level."""
    claim = "Corrupted labels are memorized more than clean ones."
    differences = {}
    for one in _noisy(found):
        corrupted = one.setting.corrupted
        without = values_without(one.sums)
        apart = without[:, corrupted].mean(1) - without[:, ~corrupted].mean(1)
        scores = one.scores.value
        value = float(scores[corrupted].mean() - scores[~corrupted].mean())
        differences[one.setting.name] = jackknife(value, apart.tolist(), "groups")
    ours = "; ".join(
        f"{name}: mean score higher by {_told(own, 'groups of runs')}"
        for name, own in differences.items()
    )
    return verdict(
        claim,
        OURS,
        all(own.low > 0 for own in differences.values()) if differences else None,
        f"{ours}." if ours else f"Needs label noise with {FEWEST} examples of each kind.",
        "Expected from the definition: a label that the others do not tell must be memorized.",
        of_paper=False,
    )


def removal_costs(found: Sequence[Memorized], retrained: Sequence[Retrained]) -> Verdict:
    """Judges 1b: whether memorized examples with true labels are worth more than random ones."""
    clean = _clean(found)
    own = [one for one in retrained if clean is not None and one.name == clean.setting.name]
    return _removal(
        "Without the most memorized examples networks test worse than without as many random ones.",
        FELDMAN,
        own,
        1,
        "Figure 2: so it is on CIFAR-100 and ImageNet, and hardly on MNIST.",
        "true labels",
    )


def removal_helps(found: Sequence[Memorized], retrained: Sequence[Retrained]) -> Verdict:
    """Judges 1c: whether the sign turns with label noise, where the memorized ones are wrong."""
    names = {one.setting.name for one in _noisy(found)}
    own = [one for one in retrained if one.name in names]
    return _removal(
        "With corrupted labels it is the other way round: they test better without the most "
        "memorized examples.",
        OURS,
        own,
        -1,
        "No number in the paper: its labels are true.",
        "label noise",
    )


def _removal(
    claim: str, place: str, own: Sequence[Retrained], sign: int, paper: str, needs: str
) -> Verdict:
    removals = [removal for one in own for removal in one.removals]
    seeds = min((len(one.random) for one in removals), default=0)
    if seeds < 2:
        text = f"Needs {needs}, {FEWEST} examples that reach a threshold, and two retraining seeds."
        return verdict(claim, place, None, text, paper, of_paper=False)
    p_values = worth(removals, sign)
    parts = []
    for one, p in zip(removals, p_values, strict=True):
        apart = paired(one.random, one.memorized)
        parts.append(
            f"{one.name}, mem of at least {one.threshold:g} ({one.removed:,} removed): "
            f"{apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f}), p = {p:.3g}"
        )
    return verdict(
        claim,
        place,
        all(p <= ALPHA for p in p_values),
        "Accuracy without random examples less that without memorized ones: "
        f"{'; '.join(parts)}. 95 % intervals paired over {seeds} seeds; p by Holm.",
        paper,
        of_paper=False,
    )


def pairs_are_confirmed(found: Sequence[Memorized], pairs: Sequence[InfluencePairs]) -> Verdict:
    """Judges 1d: whether pairs of true labels that half of the runs choose hold on the others."""
    clean = _clean(found)
    return _pairs(
        f"Pairs that half of the runs choose for an influence of {INFLUENCE} keep more than half "
        "of it on the other half.",
        FELDMAN,
        [one for one in pairs if clean is not None and one.name == clean.setting.name],
        "Two halves of its runs choose nearly the same pairs.",
    )


def noisy_pairs_are_confirmed(
    found: Sequence[Memorized], pairs: Sequence[InfluencePairs]
) -> Verdict:
    """Judges whether 1d holds where labels are corrupted, too."""
    names = {one.setting.name for one in _noisy(found)}
    return _pairs(
        "So do those that are chosen where labels are corrupted.",
        OURS,
        [one for one in pairs if one.name in names],
        "No number in the paper: its labels are true.",
    )


def _pairs(claim: str, place: str, found: Sequence[InfluencePairs], paper: str) -> Verdict:
    own = [one for one in found if one.mean is not None and len(one.pairs.train) >= PAIRS]
    parts = [
        f"{one.name}: {len(one.pairs.train):,} pairs, chosen at {one.pairs.chosen.mean():.3f} in "
        f"the mean, measured at {_told(one.mean, 'groups of runs')}"
        for one in own
        if one.mean is not None
    ]
    holds = all(one.mean is not None and one.mean.low > HALF * INFLUENCE for one in own)
    return verdict(
        claim,
        place,
        holds if own else None,
        f"{'; '.join(parts)}." if own else f"Needs such labels, {PAIRS} pairs and 60 runs.",
        paper,
        of_paper=False,
    )


def rises_with_noise(found: Sequence[Memorized]) -> Verdict:
    """Judges 1e: whether mean memorization grows with label noise as fitted labels must."""
    claim = (
        "The more labels are corrupted, the more is memorized: as much as runs fail to guess of "
        "labels that they have not seen."
    )
    place = "follows from its definition"
    order = sorted(found, key=lambda one: one.setting.corrupted.mean())
    if len(order) < 2:
        return verdict(claim, place, None, "Needs two levels of label noise.", "", of_paper=False)
    rises = []
    for low, high in pairwise(order):
        without = [values_without(one.sums).mean(1) for one in (low, high)]
        value = float(high.scores.value.mean() - low.scores.value.mean())
        rises.append(jackknife(value, (without[1] - without[0]).tolist(), "groups"))
    fitted = min(float(one.scores.inside.mean()) for one in order)
    parts = ", ".join(
        f"{one.scores.value.mean():.4f} ({one.setting.name}; labels not seen are guessed with "
        f"{one.scores.outside.mean():.4f})"
        for one in order
    )
    return verdict(
        claim,
        place,
        all(rise.low > 0 for rise in rises) and fitted >= FITTED,
        f"Mean score {parts}; the least rise is "
        f"{_told(min(rises, key=lambda rise: rise.low), 'groups of runs')}; of labels that they "
        f"train on runs get at least {fitted:.4f} right.",
        "The mean score is the accuracy on labels that are trained on less that on those that are "
        "not.",
        of_paper=False,
    )


def has_a_tail(found: Sequence[Memorized]) -> Verdict:
    """Judges 1f: whether a part of the true labels is memorized, confirmed on both halves."""
    clean = _clean(found)
    claim = f"Of the true labels more than {SHARE:.0%} are memorized, with a score of {TAIL}."
    if clean is None:
        return verdict(claim, FELDMAN, None, "Needs true labels.", "", of_paper=False)
    tail = confirmed(clean.sums, TAIL)
    share = wilson(tail.confirmed, tail.examples)
    return verdict(
        claim,
        FELDMAN,
        share.low > SHARE,
        f"{tail.confirmed:,} of {tail.examples:,} reach it on each half of the runs by itself: "
        f"{_told(share, 'examples')}; {tail.found:,} on all runs, which chance makes too many.",
        "Most of them on ImageNet and CIFAR-100, hardly any on MNIST.",
        of_paper=False,
    )


def membership_is_exposed(found: Sequence[Exposure]) -> Verdict:
    """Judges whether the attack tells more of corrupted labels than of clean ones."""
    apart = {
        one.name: paired(one.corrupted, one.clean)
        for one in found
        if one.corrupted is not None and one.clean is not None
    }
    parts = "; ".join(
        f"{name}: AUROC higher by {_told(one, 'groups of runs')}" for name, one in apart.items()
    )
    return verdict(
        "Whether a run has trained on an example shows more where its label is corrupted.",
        OURS,
        all(one.low > 0 for one in apart.values()) if apart else None,
        f"{parts}." if apart else f"Needs label noise with {FEWEST} labels of each kind.",
        "No number in the paper.",
        of_paper=False,
    )


def nothing_in_permuted(found: Sequence[Exposure]) -> Verdict:
    """Judges the null of membership inference: AUROC 0.5 with permuted membership."""
    areas = {one.name: mean_interval(one.null, "permutations") for one in found}
    parts = "; ".join(f"{name} {_told(one, 'permutations')}" for name, one in areas.items())
    off = [[area - 0.5 for area in one.null] for one in found]
    either = [2 * min(p_above_0(own), p_above_0([-x for x in own])) for own in off]
    return verdict(
        "Where membership is permuted the attack tells nothing.",
        "a check of the method",
        all(p > ALPHA for p in holm(either)) if areas else None,
        f"AUROC: {parts}; two-sided, by Holm." if areas else "Needs the learner network.",
        "0.5 by symmetry.",
        of_paper=False,
    )


def estimate_is_exact(found: Sequence[tuple[str, Nearest]]) -> Verdict:
    """Judges whether the estimator agrees with the closed form of the nearest neighbour."""
    shares = {name: share_within(own, ERRORS) for name, own in found}
    parts = ", ".join(f"{share:.4f} ({name})" for name, share in shares.items())
    return verdict(
        "The estimate from the subsets of the runs agrees with the closed form where there is one.",
        "a check of the method",
        all(share >= NEAR for share in shares.values()) if shares else None,
        f"Nearest neighbour, share of the examples within {ERRORS} standard errors: {parts}; "
        f"{NEAR} is asked for."
        if shares
        else "Needs the learner nearest.",
        "All but 6 of 100,000 by chance.",
        of_paper=False,
    )
