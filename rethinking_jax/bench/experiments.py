"""What the runs of an experiment came to, complete or not, beside the paper's numbers."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.results import REGULARIZERS
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Json, Line

LOSS = 0.1  # a training loss that Figure 1a's curves are compared at


def runs_of(workdir: Path) -> list[Json]:
    """Returns what each run of a sweep came to that has begun; [] where there is no work directory.

    Returns:
      For each run its name, model, corruption and `metrics.outcome`; whether it is complete;
      its curve, training losses and their steps; steps_to_loss, the first with a loss of at most
      `LOSS`, None for never; and the paper's numbers, see `beside`.
    """
    file = workdir / "config.json"
    if not file.exists():
        return []
    plain = json.loads(file.read_text(encoding="utf-8"))
    lines = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    return [
        _run(own["name"], {**plain, **own}, lines[own["name"]])
        for own in plain["sweep"]
        if lines.get(own["name"])
    ]


def _run(name: str, config: Json, lines: Sequence[Line]) -> Json:
    steps = [line["step"] for line in lines]
    losses = [line["train_loss"] for line in lines]
    return {
        "name": name,
        "model": config["model"],
        "corruption": config["corruption"],
        **metrics.outcome(lines, config["fit_threshold"]),
        "complete": metrics.finished(lines, config),
        "curve": {"steps": steps, "train_loss": losses},
        "steps_to_loss": _first_below(steps, losses),
        "paper": beside(config, steps, losses),
    }


def _first_below(steps: Sequence[float], losses: Sequence[float | None]) -> float | None:
    pairs = zip(steps, losses, strict=True)
    return next((step for step, loss in pairs if loss is not None and loss <= LOSS), None)


def beside(config: Json, steps: Sequence[int], losses: Sequence[float | None]) -> Json:
    """Returns the paper's numbers of a run, where it has any of the same data, whole.

    Args:
      config: the resolved config of the run.
      steps: the steps at which its training loss was measured, rising.
      losses: the losses; None where one is not a number.

    Returns:
      Table 1's train_accuracy and test_accuracy, and Figure 1a's steps_to_loss with its distance
      from our curve (`distance`).
    """
    whole = config["train_examples"] in (0, paper.TRAIN_EXAMPLES[paper.DATASET])
    if config["dataset"] != paper.DATASET or not whole:
        return {}
    on = tuple(name for name, key in REGULARIZERS.items() if config.get(key))
    key = config["model"], config["corruption"], on, config["augmentation"]
    row, figure = paper.table_1(*key), paper.figure_1()
    result: Json = {}
    if row is not None:
        result |= {"train_accuracy": row.train_accuracy, "test_accuracy": row.test_accuracy}
    theirs = figure["training_loss"].get(config["corruption"])
    if theirs is not None and not on and config["model"] == "inception_small":
        their_steps = [1000 * thousand for thousand in figure["thousand_steps"]]
        result["steps_to_loss"] = _first_below(their_steps, theirs)
        result["distance"] = distance(steps, losses, their_steps, theirs)
    return result


def distance(
    steps: Sequence[int],
    losses: Sequence[float | None],
    their_steps: Sequence[float],
    theirs: Sequence[float],
) -> float | None:
    """Returns how far two learning curves are apart, in the unit of the loss.

    Returns:
      The mean of |ours - theirs| over those of their points that lie between our first step and our
      last; our losses are interpolated. None where there is no such point, or where a loss of
      ours is not a number.
    """
    if not steps or None in losses:
        return None
    x, y = np.asarray(their_steps), np.asarray(theirs)
    within = (steps[0] <= x) & (x <= steps[-1])
    if not within.any():
        return None
    ours = np.interp(x[within], steps, np.asarray(losses, float))
    return float(np.abs(ours - y[within]).mean())
