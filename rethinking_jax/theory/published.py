"""How scores of examples rank them beside scores that others have published."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rethinking_jax.analysis.intervals import LEVEL
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.data.by_id import place, read_values
from rethinking_jax.theory.subset_runs import Setting
from rethinking_jax.workdir.metrics import Json

KEY = "published"  # the key of the config, files joined by +
OURS = ("mem", "out", "mem_nearest", "mem_kernel")  # the columns of ours that are compared

COLUMNS = (
    Column("labels", "name"),
    Column("score here", "ours"),
    Column("published", "published"),
    Column("examples", "examples", "{:,}"),
    Column("rank correlation", "correlation", "{:.4f}"),
    Column("from", "low", "{:.4f}"),
    Column("to", "high", "{:.4f}"),
)
NOTE = (
    "Spearman's rank correlation over examples, with its 95 % interval (Bonett and Wright 2000), "
    "which knows of the chance in which examples there are, not of that in which runs. out: how "
    "often runs are right that do not train on an example; mem: its memorization score. "
    "Networks, sizes of subsets and training differ from those of the publication."
)


def read_published(setting: Setting, whole: bool) -> dict[str, np.ndarray]:
    """Reads the scores of the files that a config names, in the order of the setting's examples.

    Args:
      setting: the examples.
      whole: whether they are all of a training set.

    Returns:
      float64 [n] by FILE:ARRAY, without the folder.

    Raises:
      UserError: a file is not there, cannot be read, or lacks an example.
    """
    order = np.argsort(setting.ids)
    found = {}
    for name in filter(None, str(setting.config[KEY]).split("+")):
        array, values = read_values(KEY, name, setting.ids[order], whole, "score", "iuf")
        own = np.empty(len(order))
        own[order] = values
        found[f"{place(name)[0].name}:{array}"] = own
    return found


def correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float, int]:
    """Returns Spearman's correlation with the ends of its interval, and over how many examples.

    Examples where either score is not a number are left out. The standard error of its Fisher
    transform is sqrt((1 + r^2 / 2) / (n - 3)) (Bonett and Wright 2000); it is infinite for fewer
    than four examples.
    """
    from scipy.stats import norm, spearmanr  # slow to import

    known = np.isfinite(a) & np.isfinite(b)
    count = int(known.sum())
    if count < 4:
        return math.nan, -1.0, 1.0, count
    r = float(spearmanr(a[known], b[known]).statistic)
    half = float(norm.ppf((1 + LEVEL) / 2)) * math.sqrt((1 + r * r / 2) / (count - 3))
    middle = math.atanh(min(max(r, -1 + 1e-15), 1 - 1e-15))
    return r, math.tanh(middle - half), math.tanh(middle + half), count


def published_rows(
    settings: Sequence[Setting],
    columns: Sequence[Mapping[str, np.ndarray]],
    published: Mapping[str, np.ndarray],
) -> list[Json]:
    """Returns a row for each of our scores and each published one.

    Args:
      settings: the runs of the config.
      columns: of each our scores by their names, [n].
      published: see `read_published`.
    """
    rows = []
    for setting, own in zip(settings, columns, strict=True):
        for ours in (name for name in OURS if name in own):
            for theirs, values in published.items():
                r, low, high, count = correlation(own[ours], values)
                rows.append(
                    {
                        "name": setting.name,
                        "ours": ours,
                        "published": theirs,
                        "examples": count,
                        "correlation": None if math.isnan(r) else r,
                        "low": low,
                        "high": high,
                    }
                )
    return rows


def published_table(rows: Sequence[Json]) -> Table:
    """Returns the table of rank correlations with published scores."""
    return table("published", "Beside published scores", COLUMNS, rows, NOTE)
