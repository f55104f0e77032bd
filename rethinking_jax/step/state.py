"""Every type that flows through a step: a run's numbers, its state, its examples, its sums.

All are trees of arrays of ONE run; a group of runs has a leading axis of members.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import struct

# A tree of arrays whose structure the network or the optimizer decides; JAX has no type for it.
PyTree: TypeAlias = Any


@struct.dataclass
class Hyper:
    """The numbers in which the runs of a group differ: float32 scalars, the seed int32."""

    seed: jax.Array
    learning_rate: jax.Array
    momentum: jax.Array
    weight_decay: jax.Array
    dropout_rate: jax.Array
    label_noise: jax.Array  # the probability p, for labels that are corrupted inside the step


@struct.dataclass
class LossHyper(Hyper):
    """The numbers of a run whose loss is not cross-entropy.

    It is a class of its own so that checkpoints of before there were other losses are read.
    """

    loss_strength: jax.Array  # float32
    transition: jax.Array  # float32 [k, k], see `rethinking_jax.step.losses.Strength`


# What is recorded of the examples of a split, each an array [n], by the names of
# `rethinking_jax.step.facts`.
Facts: TypeAlias = dict[str, jax.Array]


@struct.dataclass
class TrainState:
    """A run between two steps: all that a checkpoint has to hold."""

    step: jax.Array  # int32, the number of steps taken
    hyper: Hyper
    params: PyTree
    batch_stats: PyTree
    opt_state: PyTree

    @property
    def variables(self) -> dict[str, PyTree]:
        """What `apply` of a Linen module takes."""
        return {"params": self.params, "batch_stats": self.batch_stats}


@struct.dataclass
class ExtendedState(TrainState):
    """A run that also keeps something of every example.

    It is a class of its own because orbax reads a checkpoint of a run that keeps nothing, of
    this version or an earlier one, only into a tree that has no place for it.
    """

    # What is recorded of the examples of a split, by its name; None where nothing is.
    facts: dict[str, Facts] | None = None
    # The targets of the training examples, float32 [n, k], where the loss remembers; else None.
    targets: jax.Array | None = None


def extended(state: TrainState, **more: PyTree) -> ExtendedState:
    """Returns a state with fields of `ExtendedState` besides those that it has."""
    own = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return ExtendedState(**{**own, **more})


def facts_of(state: TrainState) -> dict[str, Facts] | None:
    """Returns what runs have recorded so far, by split; None where they record nothing."""
    return state.facts if isinstance(state, ExtendedState) else None


def targets_of(state: TrainState) -> jax.Array | None:
    """Returns the targets of the training examples; None where the loss remembers nothing."""
    return state.targets if isinstance(state, ExtendedState) else None


@struct.dataclass
class Examples:
    """Examples as one run sees them, on the device: a whole split, or a batch of it."""

    # uint8 (float32 for gaussian) [n, h, w, c]; a whole split on the devices [n, h * w * c].
    images: jax.Array
    labels: jax.Array  # int32 [n], those that the run has; before corruption the true ones
    true_labels: jax.Array  # int32 [n]
    ids: jax.Array  # uint32 [n]


@struct.dataclass
class MixedLabels:
    """Two labels of each example of a batch, and how much of the first."""

    first: jax.Array  # int32 [b]
    second: jax.Array  # int32 [b]
    share: jax.Array  # float32 [b], the weight of `first`; `second` has the rest

    @property
    def major(self) -> jax.Array:
        """The label with the larger share, int32 [b]."""
        return jnp.where(self.share >= 0.5, self.first, self.second)


@struct.dataclass
class RememberedLabels:
    """The labels of a batch with the targets that its examples had before, see `losses`."""

    major: jax.Array  # int32 [b]
    targets: jax.Array  # float32 [b, k]


Labels: TypeAlias = jax.Array | MixedLabels | RememberedLabels  # int32 [b], or with more


@struct.dataclass
class Running:
    """Sums over the mini-batches of the current epoch, each seen by the model of its moment."""

    loss: jax.Array  # float32, sum over examples
    correct: jax.Array  # int32, number of examples
    count: jax.Array  # int32, number of examples
    # Sum over steps of the gradient's l2 norm times the step's examples, float32; None where the
    # config does not ask for it.
    gradient_norm: jax.Array | None = None

    @classmethod
    def zero(cls, gradient_norm: bool = False) -> "Running":
        """Returns sums over nothing, of one run."""
        none = jnp.zeros((), jnp.int32)
        return cls(jnp.zeros(()), none, none, jnp.zeros(()) if gradient_norm else None)


@struct.dataclass
class Total:
    """A metric summed over examples, and their number: its mean is the one over the other."""

    sum: jax.Array  # int32 where the metric counts examples, else float32
    count: jax.Array  # int32


Carry: TypeAlias = tuple[TrainState, Running]  # what goes from step to step

# What an evaluation has summed up, by the name of a metric (see `rethinking_jax.step.metrics`).
Sums: TypeAlias = dict[str, Total]


class Steps(NamedTuple):
    """The pure functions of one run: all that an engine of many runs is made of.

    init: Hyper -> TrainState.
    train: (TrainState, Examples of a batch) -> (TrainState, Running of that batch).
    evaluate: (TrainState, Examples of a batch, counted bool [b]) -> Sums.
    examine: (TrainState, Examples of a batch) -> `rethinking_jax.step.facts.Moment`, each [b].
    """

    init: Callable[[Hyper], TrainState]
    train: Callable[[TrainState, Examples], tuple[TrainState, Running]]
    evaluate: Callable[[TrainState, Examples, jax.Array], Sums]
    examine: Callable[[TrainState, Examples], Mapping[str, jax.Array]]
