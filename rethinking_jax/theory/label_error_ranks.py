"""How well each score of `label_errors` ranks the corrupted labels, for each corruption."""

from collections.abc import Callable, Sequence

import numpy as np

from rethinking_jax.scores.ranking import auroc, average_precision, precision_at
from rethinking_jax.theory.label_error_scores import Found
from rethinking_jax.workdir.metrics import Json

DRAWS = 500  # of the bootstrap

# How a ranking is judged, by the key of a row.
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "precision": precision_at,
    "auroc": lambda scores, corrupted: float(auroc(scores, corrupted)),
    "average_precision": average_precision,
}


def rows(found: Sequence[Found]) -> list[Json]:
    """Returns a row for each cell and score; a metric is None where nothing is corrupted."""
    made: list[Json] = []
    for one in found:
        config, count = one.cell.config, int(one.corrupted.sum())
        for name, scores in one.scores.items():
            judged = {key: of(scores, one.corrupted) for key, of in METRICS.items()}
            made.append(
                {
                    "name": one.cell.setting,
                    "corruption": config.corruption,
                    "label_noise": config.label_noise,
                    "draw": one.cell.corruption,
                    "examples": len(scores),
                    "corrupted": count,
                    "fitted": None if np.isnan(one.fitted) else one.fitted,
                    "score": name,
                    **{key: None if np.isnan(own) else own for key, own in judged.items()},
                }
            )
    return made


def settings_of(measured: Sequence[Json]) -> list[str]:
    """Returns the names of the settings in which something is corrupted, in their order."""
    known = (row["name"] for row in measured if row["auroc"] is not None)
    return list(dict.fromkeys(known))


def scores_of(measured: Sequence[Json], settings: Sequence[str]) -> list[str]:
    """Returns the names of the scores that were measured in all of some settings."""
    every = [{row["score"] for row in measured if row["name"] == name} for name in settings]
    names = dict.fromkeys(row["score"] for row in measured)
    return [name for name in names if all(name in own for own in every)]


def by_draw(
    measured: Sequence[Json], score: str, metric: str, settings: Sequence[str]
) -> list[float]:
    """Returns the mean of a metric over settings, one value for each draw of the corruption."""
    own: dict[int, list[float]] = {}
    for row in measured:
        if row["score"] == score and row["name"] in settings and row[metric] is not None:
            own.setdefault(row["draw"], []).append(row[metric])
    return [float(np.mean(values)) for _, values in sorted(own.items())]


def wins(found: Sequence[Found], names: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Returns in which share of bootstrap draws each score has the highest precision.

    A draw takes corruptions with replacement, and of each the examples with replacement: the
    precision at the true number is averaged over the corruptions taken and their settings. A tie
    is shared.

    Args:
      found: all cells in which something is corrupted.
      names: of the scores, which every cell has.
      seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    draws = sorted({one.cell.corruption for one in found})
    precision = np.zeros((DRAWS, len(names), len(draws)))
    for place, draw in enumerate(draws):
        own = [one for one in found if one.cell.corruption == draw]
        for one in own:
            scores = np.stack([one.scores[name] for name in names])
            for i in range(DRAWS):
                some = rng.integers(0, len(one.corrupted), len(one.corrupted))
                positive = one.corrupted[some]
                precision[i, :, place] += [precision_at(row, positive) for row in scores[:, some]]
        precision[:, :, place] /= len(own)
    taken = rng.integers(0, len(draws), (DRAWS, len(draws)))
    mean = np.take_along_axis(precision, taken[:, None], 2).mean(2)
    best = mean == mean.max(1, keepdims=True)
    shares = (best / best.sum(1, keepdims=True)).mean(0)
    return dict(zip(names, shares.tolist(), strict=True))
