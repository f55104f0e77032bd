"""What a step minimizes, and its gradient: pure functions of one run.

Three options take a function that computes a gradient and give another, or change the batch:
micro-batches and, younger than the paper, sharpness-aware minimization and mixup. Without
them the program is the plain gradient's.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from rethinking_jax.step.losses import LOSSES, Strength, early_learning, kept, remembered
from rethinking_jax.step.state import (
    Labels,
    LossHyper,
    MixedLabels,
    PyTree,
    RememberedLabels,
    Running,
    TrainState,
)

AUXILIARY_WEIGHT = 0.4  # weight of the loss of Inception V3's second head, as in its paper's code


class Objective(NamedTuple):
    """What a step minimizes, and how; the defaults are the mean loss of a plain batch.

    Attributes:
      label_smoothing: the share of a label's weight that all classes get alike.
      mixup_alpha: trains on mixtures of two images, see `mixed`; 0: on the images as they are.
      sam_radius: takes the gradient of a point at this distance, see `sharpness_aware`; 0:
        that of the parameters.
      accumulate: the number of micro-batches whose mean gradient makes a step; it divides the
        batch. Batch norm sees one micro-batch at a time, and its running averages move by each.
      gradient_norm: the sums have the l2 norm of the step's gradient over all parameters.
      unroll: compiles no loop for the micro-batches, for convolutions on a CPU (see
        `rethinking_jax.sweep.program.use_scan`).
      loss: a name of `rethinking_jax.step.losses.LOSSES`.
      steps_per_epoch: the steps of an epoch, for a loss that changes over epochs.
    """

    label_smoothing: float = 0.0
    mixup_alpha: float = 0.0
    sam_radius: float = 0.0
    accumulate: int = 1
    gradient_norm: bool = False
    unroll: bool = False
    loss: str = "cross_entropy"
    steps_per_epoch: int = 1


PLAIN = Objective()


class Found(NamedTuple):
    """What a batch says of a run, in train mode.

    Attributes:
      grads: the gradients of the parameters.
      batch_stats: the new batch statistics.
      sums: those of the batch.
      logits: float32 [b, k]; None where micro-batches have them.
    """

    grads: PyTree
    batch_stats: PyTree
    sums: Running
    logits: jax.Array | None = None


# (state, inputs float32 [b, h, w, c], labels, dropout key) -> what is found.
Gradients: TypeAlias = Callable[[TrainState, jax.Array, Labels, jax.Array], Found]


def cross_entropy(logits: jax.Array, labels: Labels, smoothing: float = 0.0) -> jax.Array:
    """Returns the loss of each example, float32 [b], from logits [b, k].

    Mixed labels have the mixture of the losses of both.
    """
    if isinstance(labels, MixedLabels):
        first, second = (cross_entropy(logits, y, smoothing) for y in (labels.first, labels.second))
        return labels.share * first + (1 - labels.share) * second
    if isinstance(labels, RememberedLabels):
        labels = labels.major
    losses: jax.Array = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    if smoothing == 0:
        return losses
    uniform = -jax.nn.log_softmax(logits).mean(-1)
    smoothed: jax.Array = (1 - smoothing) * losses + smoothing * uniform
    return smoothed


def make_gradients(model: nn.Module, objective: Objective = PLAIN) -> Gradients:
    """Returns the gradient of the mean loss of a batch, see `Objective` and `make_train_step`.

    The batch is counted as correct against its labels, mixed ones against the major label.
    """
    mean_loss = make_mean_loss(objective)

    def gradients(state: TrainState, inputs: jax.Array, labels: Labels, key: jax.Array) -> Found:
        # A model without dropout stays without; the rate of one that has it is the run's own.
        own = model
        if getattr(model, "dropout_rate", 0):
            own = model.clone(dropout_rate=state.hyper.dropout_rate)

        def loss_fn(params: PyTree) -> tuple[jax.Array, tuple[jax.Array, PyTree]]:
            logits: jax.Array
            logits, updated = own.apply(
                state.variables | {"params": params},
                inputs,
                train=True,
                mutable=["batch_stats", "auxiliary", "peer"],
                rngs={"dropout": key},
            )
            peers = jax.tree.leaves(updated.get("peer", {}))
            loss = mean_loss(state, logits, labels, *peers)
            for extra in jax.tree.leaves(updated.get("auxiliary", {})):
                loss += AUXILIARY_WEIGHT * mean_loss(state, extra, labels)
            return loss, (logits, updated.get("batch_stats", {}))

        grads, (logits, batch_stats) = jax.grad(loss_fn, has_aux=True)(state.params)
        losses = cross_entropy(logits, labels)
        major = labels if isinstance(labels, jax.Array) else labels.major
        correct = jnp.sum(jnp.argmax(logits, -1) == major, dtype=jnp.int32)
        sums = Running(jnp.sum(losses), correct, jnp.int32(len(inputs)))
        return Found(grads, batch_stats, sums, logits)

    return gradients


def make_mean_loss(objective: Objective) -> Callable[..., jax.Array]:
    """Returns the function that gradients are taken of.

    It takes the state, logits float32 [b, k], labels, and the logits of a peer where two networks
    teach each other.
    """
    loss, smoothing = LOSSES[objective.loss], objective.label_smoothing
    if objective.loss == "cross_entropy":
        return lambda state, logits, labels: cross_entropy(logits, labels, smoothing).mean()

    def of_each(logits: jax.Array, labels: Labels, strength: Strength) -> jax.Array:
        if isinstance(labels, MixedLabels):
            first = loss.of(logits, labels.first, strength)
            return labels.share * first + (1 - labels.share) * loss.of(
                logits, labels.second, strength
            )
        if isinstance(labels, RememberedLabels):
            targets = remembered(logits, labels.targets)
            own = loss.of(logits, labels.major, strength)
            return own + strength.value * early_learning(logits, targets)
        return loss.of(logits, labels, strength)

    def mean_loss(
        state: TrainState, logits: jax.Array, labels: Labels, peer: jax.Array | None = None
    ) -> jax.Array:
        hyper = cast(LossHyper, state.hyper)
        strength = Strength(hyper.loss_strength, hyper.transition)
        losses = of_each(logits, labels, strength)
        if peer is None:
            return losses.mean()
        others = of_each(peer, labels, strength)
        epoch = 1 + state.step // objective.steps_per_epoch
        chosen, own = (kept(found, strength.value, epoch) for found in (others, losses))
        return (chosen * losses).mean() + (own * others).mean()

    return mean_loss


def accumulated(gradients: Gradients, parts: int, unroll: bool) -> Gradients:
    """Returns the mean gradient of micro-batches, one after another; `parts` divides the batch."""

    def accumulate(state: TrainState, inputs: jax.Array, labels: Labels, key: jax.Array) -> Found:
        micro = jax.tree.map(partial(_interleaved, parts), (inputs, labels))

        def body(
            carry: tuple[PyTree, PyTree, Running], part: tuple[tuple[jax.Array, Labels], jax.Array]
        ) -> tuple[tuple[PyTree, PyTree, Running], None]:
            (images, own), j = part
            total, stats, seen = carry
            now = dataclasses.replace(state, batch_stats=stats)
            grads, stats, sums, _ = gradients(now, images, own, jax.random.fold_in(key, j))
            return (_add(total, grads), stats, _add(seen, sums)), None

        start = (jax.tree.map(jnp.zeros_like, state.params), state.batch_stats, Running.zero())
        (total, batch_stats, sums), _ = jax.lax.scan(
            body, start, (micro, jnp.arange(parts)), unroll=unroll
        )
        return Found(jax.tree.map(lambda leaf: leaf / parts, total), batch_stats, sums)

    return accumulate


def sharpness_aware(gradients: Gradients, radius: float) -> Gradients:
    """Takes the gradient of the worst point near by (sharpness-aware, Foret et al. 2021).

    Two gradients of the same batch with the same dropout: the first says where the loss
    rises fastest, the second is taken at that distance. Batch statistics and sums are the
    first one's, of the network as it is.

    Args:
      gradients: the gradient of the whole batch, accumulated or not.
      radius: how far to climb, in the l2 norm over all parameters; above 0.
    """

    def at_worst(state: TrainState, inputs: jax.Array, labels: Labels, key: jax.Array) -> Found:
        uphill, batch_stats, sums, logits = gradients(state, inputs, labels, key)
        worst = jax.tree.map(jnp.add, state.params, scaled_to(uphill, radius))
        there = dataclasses.replace(state, params=worst)
        return Found(gradients(there, inputs, labels, key).grads, batch_stats, sums, logits)

    return at_worst


def scaled_to(tree: PyTree, norm: float) -> PyTree:
    """Scales a tree of arrays to an l2 norm over all of them; zeros stay zeros."""
    length = optax.tree.norm(tree)
    factor = jnp.where(length > 0, norm / jnp.where(length > 0, length, 1.0), 0.0)
    return jax.tree.map(lambda leaf: factor * leaf, tree)


def mixed(
    key: jax.Array, alpha: float, inputs: jax.Array, labels: jax.Array
) -> tuple[jax.Array, MixedLabels]:
    """Mixes every image of a batch with the one before it (mixup, Zhang et al. 2018).

    One share for the batch, drawn from Beta(alpha, alpha). The order of a batch is drawn anew
    in every epoch, so the one before is any other image, as a permutation would have it.

    Args:
      key: the generator, a function of (seed, step).
      alpha: above 0; near 0 images stay nearly as they are, at 1 every share is as likely.
      inputs: float32 [b, h, w, c], after augmentation and preprocessing.
      labels: int32 [b].

    Returns:
      The mixtures, float32 [b, h, w, c], and their labels.
    """
    share = jax.random.beta(key, alpha, alpha)
    mixtures = share * inputs + (1 - share) * jnp.roll(inputs, 1, axis=0)
    return mixtures, MixedLabels(labels, jnp.roll(labels, 1), jnp.full(labels.shape, share))


def _interleaved(parts: int, leaf: jax.Array) -> jax.Array:
    """Cuts [b, ...] into [parts, b / parts, ...]: part j takes examples j, j + parts, ...

    So every device that holds a stretch of the batch holds a stretch of each part.
    """
    return jnp.moveaxis(leaf.reshape(-1, parts, *leaf.shape[1:]), 1, 0)


def _add(a: PyTree, b: PyTree) -> PyTree:
    return jax.tree.map(jnp.add, a, b)
