"""What papers on norms and margins say, held against fitted networks; each claim can be "no"."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import Difference, holm, mean_interval, p_above_0
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.scores.ranking import auroc
from rethinking_jax.theory.norm_results import (
    JUDGED,
    RANDOM,
    TRUE,
    Fit,
    log_ratios,
    slopes,
)

SURE = 0.05  # adjusted p-values up to this are no chance
# Where raw margins already tell labels apart this well, nothing can be seen to be better.
CEILING = 0.95
RAW = "margin_10th"
NORMALIZED = {"normalized_margin": "spectral complexity", "margin_over_path": "path norm"}
NEYSHABUR, BARTLETT = "Neyshabur et al. 2017", "Bartlett et al. 2017"
NO_NUMBER = "Signs only: data and networks differ from theirs."
LACKS = "Needs true and random labels, at least 2 seeds, and every network fitted, margins above 0."


def verdicts(fits: Sequence[Fit]) -> list[Verdict]:
    """Returns the claims on the levels of norms, on their growth, and on margins."""
    return [*larger(fits), *faster(fits), *told_apart(fits)]


def larger(fits: Sequence[Fit]) -> list[Verdict]:
    """Judges whether each norm is larger where random labels are fitted; Holm over all norms."""

    def told(found: Difference) -> str:
        value, low, high = (math.exp(end) for end in (found.value, found.low, found.high))
        return f"Random over true labels {value:.2f} ({low:.2f} to {high:.2f})"

    return _family(
        {
            f"At the same training loss the {measure} is larger with random labels than with true "
            "ones.": log_ratios(fits, measure)
            for measure in JUDGED
        },
        NEYSHABUR,
        told,
        LACKS,
    )


def faster(fits: Sequence[Fit]) -> list[Verdict]:
    """Judges whether each norm grows faster with examples on random labels; Holm over all norms."""

    def told(found: Difference) -> str:
        return (
            f"Power of the number of examples, random less true labels {found.value:+.3f} "
            f"({found.low:+.3f} to {found.high:+.3f})"
        )

    apart = {}
    for measure in JUDGED:
        true, random = (slopes(fits, labels, measure) for labels in (TRUE, RANDOM))
        claim = f"The {measure} grows faster with the examples on random labels than on true ones."
        apart[claim] = np.subtract(random, true).tolist() if true and random else []
    return _family(apart, NEYSHABUR, told, f"{LACKS} At least 2 numbers of examples, too.")


def told_apart(fits: Sequence[Fit]) -> list[Verdict]:
    """Judges whether normalized margins tell random from true labels better than raw ones.

    Margins as they are count by the direction that tells more, which is against the claims.
    """
    areas = {column: aurocs(fits, column) for column in (RAW, *NORMALIZED)}
    raw = [max(area, 1 - area) for area in areas[RAW]]
    ceiling = bool(raw) and float(np.mean(raw)) >= CEILING
    apart = {
        f"Margins over the {norm} tell networks on random labels from those on true ones better "
        "than margins as they are.": [] if ceiling else np.subtract(areas[column], raw).tolist()
        for column, norm in NORMALIZED.items()
    }
    names = {RAW: "as they are", **{key: f"over the {norm}" for key, norm in NORMALIZED.items()}}
    listed = ", ".join(f"{name} {np.mean(areas[key]):.3f}" for key, name in names.items() if raw)
    known = f"AUROC, small margins counted for random labels: {listed}"

    def told(found: Difference) -> str:
        return (
            f"{known}; more than that of margins as they are, in the better direction, "
            f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        )

    none_better = f"{known}. Margins as they are already tell all apart, in one of two directions."
    return _family(apart, BARTLETT, told, none_better if ceiling else LACKS)


def aurocs(fits: Sequence[Fit], column: str) -> list[float]:
    """Returns for each seed how well a small margin tells random labels from true ones.

    All numbers of examples and widths are ranked together.

    Args:
      fits: the networks.
      column: a column of margins.

    Returns:
      The areas under the ROC curve; [] where a network does not fit, or labels are missing.
    """
    own = [one for one in fits if one.labels in (TRUE, RANDOM)]
    lines = [one.line[column] for one in own if one.line]
    if None in lines or len(lines) < len(own) or {one.labels for one in own} != {TRUE, RANDOM}:
        return []
    margins, seeds = np.array(lines, np.float64), np.array([one.seed for one in own])
    random = np.array([one.labels == RANDOM for one in own])
    return [float(auroc(-margins[seeds == s], random[seeds == s])) for s in np.unique(seeds)]


def _family(
    values: Mapping[str, Sequence[float]],
    place: str,
    told: Callable[[Difference], str],
    lacks: str,
) -> list[Verdict]:
    """Judges claims that something is above 0 as a family, by Holm.

    Args:
      values: by the claim, a value for each seed; it is not measured with fewer than 2, or a nan.
      place: whose claims they are.
      told: says what was found.
      lacks: what is said of a claim that is not measured.
    """
    known = {claim: own for claim, own in values.items() if len(own) > 1 and np.isfinite(own).all()}
    adjusted = dict(zip(known, holm([p_above_0(own) for own in known.values()]), strict=True))
    return [
        verdict(
            claim,
            place,
            adjusted[claim] <= SURE if claim in known else None,
            f"{told(mean_interval(own, 'seeds'))}, 95 % over {len(own)} seeds; p = "
            f"{adjusted[claim]:.3g} (Holm over {len(known)})."
            if claim in known
            else lacks,
            NO_NUMBER,
            of_paper=False,
        )
        for claim, own in values.items()
    ]
