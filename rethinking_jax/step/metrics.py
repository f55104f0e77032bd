"""Every number that a line of `metrics.jsonl` takes from the steps of an epoch or an evaluation.

A metric is one entry here: evaluation sums it up, and the lines, the summary and TensorBoard
have it under its name. What follows from the lines is in `rethinking_jax.workdir.metrics`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from rethinking_jax.step.state import Examples, Running, Sums, Total
from rethinking_jax.workdir.metrics import Line


class Metric(NamedTuple):
    """A mean over the examples of a split with the model fixed, in eval mode.

    Attributes:
      values: (logits float32 [b, k], batch) -> the value of each example, bool or float32 [b].
      dtype: int32 where `values` says yes or no, so that the count is exact; else float32.
      among: batch -> the examples that the mean is over, bool [b]; None: all of them.
      needs_corruption: a line has it only where the labels of the split are corrupted.
      training_only: other splits are not measured by it.
      classes: the least number of classes with which it says something.
    """

    values: Callable[[jax.Array, Examples], jax.Array]
    dtype: type = jnp.int32
    among: Callable[[Examples], jax.Array] | None = None
    needs_corruption: bool = False
    training_only: bool = False
    classes: int = 2


def example_losses(logits: jax.Array, batch: Examples) -> jax.Array:
    """Returns the cross-entropy of each example with its label, float32 [b]."""
    losses: jax.Array = optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)
    return losses


def is_correct(logits: jax.Array, batch: Examples) -> jax.Array:
    """Says whether the largest logit is that of the label which the run has, bool [b]."""
    return jnp.argmax(logits, -1) == batch.labels


def is_truly_correct(logits: jax.Array, batch: Examples) -> jax.Array:
    """Says whether the largest logit is that of the true label, bool [b]."""
    return jnp.argmax(logits, -1) == batch.true_labels


def is_in_top5(logits: jax.Array, batch: Examples) -> jax.Array:
    """Says whether the label is among those of the five largest logits, bool [b]."""
    return jnp.any(jax.lax.top_k(logits, 5)[1] == batch.labels[:, None], axis=-1)


def is_corrupted(batch: Examples) -> jax.Array:
    """Says whether the label is not the true one, bool [b]."""
    return batch.labels != batch.true_labels


def is_clean(batch: Examples) -> jax.Array:
    """Says whether the label is the true one, bool [b]."""
    return batch.labels == batch.true_labels


# By the name that follows the split's, such as "test_" + "accuracy", in the order of a line.
METRICS: dict[str, Metric] = {
    "loss": Metric(example_losses, jnp.float32),
    "accuracy": Metric(is_correct),
    "top5_accuracy": Metric(is_in_top5, classes=100),
    "accuracy_true_labels": Metric(is_truly_correct, needs_corruption=True),
    "accuracy_on_corrupted": Metric(
        is_correct, among=is_corrupted, needs_corruption=True, training_only=True
    ),
    "accuracy_on_clean": Metric(
        is_correct, among=is_clean, needs_corruption=True, training_only=True
    ),
}

# Means over the examples of an epoch while it is trained: the sum, or None where it has none.
RUNNING: dict[str, Callable[[Running], jax.Array | None]] = {
    "running_loss": lambda running: running.loss,
    "running_accuracy": lambda running: running.correct,
    "gradient_norm": lambda running: running.gradient_norm,
}


def sum_up(logits: jax.Array, batch: Examples, counted: jax.Array) -> Sums:
    """Sums every metric over a batch.

    Args:
      logits: float32 [b, k].
      batch: what they answer.
      counted: bool [b], False for examples that only fill up the batch.
    """

    def total(metric: Metric) -> Total:
        if logits.shape[-1] < metric.classes:
            return _nothing(metric)
        here = counted if metric.among is None else counted & metric.among(batch)
        values = jnp.where(here, metric.values(logits, batch), 0)
        return Total(values.sum(dtype=metric.dtype), here.sum(dtype=jnp.int32))

    return {name: total(metric) for name, metric in METRICS.items()}


def zero_sums() -> Sums:
    """Returns the sums over no example, of one run."""
    return {name: _nothing(metric) for name, metric in METRICS.items()}


def _nothing(metric: Metric) -> Total:
    return Total(jnp.zeros((), metric.dtype), jnp.zeros((), jnp.int32))


def running_metrics(running: Running) -> Line:
    """Returns the means over the mini-batches since the last line, by name.

    Args:
      running: the sums of one member, NumPy scalars.
    """
    sums = {name: of(running) for name, of in RUNNING.items()}
    return {
        name: _mean(Total(found, running.count))
        for name, found in sums.items()
        if found is not None
    }


def split_metrics(split: str, sums: Sums, corrupted: bool, num_classes: int) -> Line:
    """Returns what a line says of a split with the model fixed, by name.

    Args:
      split: its name, which the keys begin with; "train" is the one that is trained on.
      sums: the sums of one member over the split or a part of it, NumPy scalars.
      corrupted: whether the labels of the split are corrupted.
      num_classes: the number of classes of the data set.
    """
    return {
        f"{split}_{name}": _mean(sums[name])
        for name, metric in METRICS.items()
        if (corrupted or not metric.needs_corruption)
        and (split == "train" or not metric.training_only)
        and num_classes >= metric.classes
    }


def _mean(total: Total) -> float | None:
    """Returns a mean; None, JSON's null, where it is no number or is over nothing."""
    count = int(total.count)
    mean = total.sum.item() / count if count else math.nan
    return mean if math.isfinite(mean) else None
