"""What is recorded of every example: how the network answers it, over the epochs of a run.

A fact of one moment is an entry of `MOMENTS`; the facts that are kept are its last value, its
sum over the epochs that were measured, and when an example was learned and forgotten. All are in
eval mode, for the label that the run has.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import jax
import jax.numpy as jnp

from rethinking_jax.step.metrics import example_losses, is_correct
from rethinking_jax.step.state import Examples, Facts

# By the name of a fact, what it is for each example of a batch, [b].
Moment: TypeAlias = Mapping[str, jax.Array]


def probability(logits: jax.Array, batch: Examples) -> jax.Array:
    """Returns the probability of the label, float32 [b]."""
    return jnp.exp(-example_losses(logits, batch))


def margin(logits: jax.Array, batch: Examples) -> jax.Array:
    """Returns the logit of the label less the largest other one, float32 [b].

    It is the margin of Pleiss et al. (2020), whose mean over epochs is the area under it.
    """
    is_label = jax.nn.one_hot(batch.labels, logits.shape[-1], dtype=bool)
    own = jnp.sum(jnp.where(is_label, logits, 0), -1)
    other: jax.Array = jnp.max(jnp.where(is_label, -jnp.inf, logits), -1)
    return own - other


def error_norm(logits: jax.Array, batch: Examples) -> jax.Array:
    """Returns |p - onehot(label)|_2, float32 [b]: EL2N of Paul et al. (2021), section 2."""
    one_hot = jax.nn.one_hot(batch.labels, logits.shape[-1])
    norm: jax.Array = jnp.linalg.norm(jax.nn.softmax(logits) - one_hot, axis=-1)
    return norm


def prediction(logits: jax.Array, batch: Examples) -> jax.Array:
    """Returns the class of the largest logit, int32 [b]."""
    return jnp.argmax(logits, -1).astype(jnp.int32)


MOMENTS: dict[str, Callable[[jax.Array, Examples], jax.Array]] = {
    "probability": probability,
    "margin": margin,
    "loss": example_losses,
    "error_norm": error_norm,
    "correct": is_correct,
    "prediction": prediction,
}
# The sums that are kept over epochs: what each is a sum of.
SUMS: dict[str, Callable[[Moment], jax.Array]] = {
    "probability_sum": lambda now: now["probability"],
    "probability_squares": lambda now: now["probability"] ** 2,
    "margin_sum": lambda now: now["margin"],
    "loss_sum": lambda now: now["loss"],
    "error_norm_sum": lambda now: now["error_norm"],
    "correct_count": lambda now: now["correct"].astype(jnp.int32),
}
DTYPES = {"correct": jnp.bool_, "prediction": jnp.int32, "correct_count": jnp.int32}
# Epochs, and how often an example was right and is wrong at the next measurement.
TRANSITIONS = ("first_learned", "last_wrong", "forgotten")
NAMES = (*MOMENTS, *SUMS, *TRANSITIONS)


def moment(logits: jax.Array, batch: Examples) -> Moment:
    """Returns every fact of `MOMENTS` for the examples of a batch; logits are float32 [b, k]."""
    return {name: of(logits, batch) for name, of in MOMENTS.items()}


def no_facts(*shape: int) -> Facts:
    """Returns the facts before the first measurement, each an array of this shape."""
    integers = dict.fromkeys(TRANSITIONS, jnp.int32)
    return {name: jnp.zeros(shape, {**DTYPES, **integers}.get(name, jnp.float32)) for name in NAMES}


def with_moment(facts: Facts, now: Moment, epoch: jax.Array) -> Facts:
    """Returns the facts after one more measurement.

    Args:
      facts: those before, each [n].
      now: what is found, each [n].
      epoch: its number, int32, from 1 on.
    """
    right = now["correct"]
    learned = facts["first_learned"]
    return {
        **now,
        **{name: facts[name] + of(now) for name, of in SUMS.items()},
        "first_learned": jnp.where((learned == 0) & right, epoch, learned),
        "last_wrong": jnp.where(right, facts["last_wrong"], epoch),
        # Nothing is right before the first measurement, where `correct` is False.
        "forgotten": facts["forgotten"] + (facts["correct"] & ~right),
    }
