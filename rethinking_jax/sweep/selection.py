"""Hyper-parameters chosen on a validation set, and the one look at the test set.

With `config.validation_examples` no epoch looks at the test set. When all runs are through,
those of the best setting do, once, as they ended; nothing depends on what they find.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean

import jax
import numpy as np

from rethinking_jax import config as configs
from rethinking_jax.errors import UserError
from rethinking_jax.step.metrics import split_metrics
from rethinking_jax.step.state import Sums
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.measure import evaluate_trained
from rethinking_jax.sweep.stage import Stage
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Line


def check_choice(members: Sequence[configs.Member]) -> None:
    """Refuses runs whose validation accuracies cannot be compared.

    Raises:
      UserError: they are of several data sets.
    """
    datasets = {member.config.dataset for member in members}
    if members[0].config.validation_examples and len(datasets) > 1:
        raise UserError(
            f"config.validation_examples={members[0].config.validation_examples}: hyper-parameters "
            f"are chosen on one data set, and the sweep has {', '.join(sorted(datasets))}"
        )


def chosen_runs(
    members: Sequence[configs.Member], lines: Mapping[str, Sequence[Line]]
) -> list[str]:
    """Chooses the runs of the setting with the best validation accuracy at its end.

    Args:
      members: the runs; those that differ only in their seed, or in that of their corruption,
        are one setting.
      lines: the lines of each run, by its name.

    Returns:
      Their names, [] where every setting has a run that diverged. A setting's accuracy is
      the mean over its seeds; of equal ones the first is taken.
    """
    settings: dict[str, list[str]] = {}
    for member in members:
        drawn = {"seed": None, "corruption_seed": None, "sweep": None}
        plain = configs.to_json(member.config) | drawn
        settings.setdefault(json.dumps(plain, sort_keys=True), []).append(member.name)
    whole = [
        names
        for names in settings.values()
        if not any(metrics.diverged(lines[name][-1]) for name in names)
    ]

    def accuracy(names: Sequence[str]) -> float:
        return fmean(lines[name][-1]["validation_accuracy"] for name in names)

    return max(whole, key=accuracy, default=[])


def look_at_test(chunks: Sequence[Chunk], names: Sequence[str], stage: Stage) -> dict[str, Line]:
    """Measures some runs of trained chunks on the test set; returns what lines say, by name.

    Raises:
      RunFailed: see `rethinking_jax.sweep.measure.evaluate_trained`.
    """
    found: dict[str, Line] = {}
    for chunk in chunks:
        chosen = [i for i, run in enumerate(chunk.runs) if run.name in names]
        if not chosen:
            continue
        sums = evaluate_trained(chunk, stage, chosen, "test")
        corrupted, classes = chunk.config.corrupt_test_labels, chunk.dataset.num_classes
        for place, i in enumerate(chosen):
            own: Sums = jax.tree.map(partial(_at, place), sums)
            found[chunk.runs[i].name] = split_metrics("test", own, corrupted, classes)
    return found


def _at(place: int, leaf: np.ndarray) -> np.ndarray:
    member: np.ndarray = leaf[place]
    return member
