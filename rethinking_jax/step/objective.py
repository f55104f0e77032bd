"""What a step minimizes, and its gradient: pure functions of one run.

Three of them take such a function and give another: micro-batches, and of what came after
the paper, sharpness-aware minimization; mixup changes the batch instead. With none of
them the program is the plain gradient's.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from rethinking_jax.step.state import MixedLabels, Running

if TYPE_CHECKING:
    from rethinking_jax.step.state import TrainState

AUXILIARY_WEIGHT = 0.4  # of the loss of Inception V3's second head, as in its paper's code


Labels = jax.Array | MixedLabels
# (state, inputs, labels, dropout key) -> (gradients, batch statistics, sums of the batch).
Gradients = Callable[["TrainState", jax.Array, Labels, jax.Array], tuple[Any, Any, Running]]


def cross_entropy(logits: jax.Array, labels: Labels, smoothing: float = 0.0) -> jax.Array:
    """Of each example, float32 [b], from logits [b, k]; of mixed labels the mixed losses."""
    if isinstance(labels, MixedLabels):
        first, second = (cross_entropy(logits, y, smoothing) for y in (labels.first, labels.second))
        return labels.share * first + (1 - labels.share) * second
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    if smoothing == 0:
        return losses
    uniform = -jax.nn.log_softmax(logits).mean(-1)
    return (1 - smoothing) * losses + smoothing * uniform


def make_gradients(model: nn.Module, label_smoothing: float) -> Gradients:
    """The gradient of the mean loss of a batch, see `rethinking_jax.step.train.make_train_step`.

    The batch is counted as correct against its labels, mixed ones against the major label.
    """

    def gradients(
        state: "TrainState", inputs: jax.Array, labels: Labels, key: jax.Array
    ) -> tuple[Any, Any, Running]:
        # A model without any stays without; the rate of one that has it is the run's own.
        own = model
        if getattr(model, "dropout_rate", 0):
            own = model.clone(dropout_rate=state.hyper.dropout_rate)

        def loss_fn(params: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            logits: Any
            logits, updated = own.apply(
                {"params": params, "batch_stats": state.batch_stats},
                inputs,
                train=True,
                mutable=["batch_stats", "auxiliary"],
                rngs={"dropout": key},
            )
            loss = cross_entropy(logits, labels, label_smoothing).mean()
            for extra in jax.tree.leaves(updated.get("auxiliary", {})):
                loss += AUXILIARY_WEIGHT * cross_entropy(extra, labels, label_smoothing).mean()
            return loss, (logits, updated.get("batch_stats", {}))

        grads, (logits, batch_stats) = jax.grad(loss_fn, has_aux=True)(state.params)
        losses = cross_entropy(logits, labels)
        major = labels.major if isinstance(labels, MixedLabels) else labels
        correct = jnp.sum(jnp.argmax(logits, -1) == major, dtype=jnp.int32)
        return grads, batch_stats, Running(jnp.sum(losses), correct, jnp.int32(len(inputs)))

    return gradients


def accumulated(gradients: Gradients, parts: int, unroll: bool) -> Gradients:
    """The mean gradient of micro-batches, one after another; `parts` divides the batch."""

    def accumulate(
        state: "TrainState", inputs: jax.Array, labels: Labels, key: jax.Array
    ) -> tuple[Any, Any, Running]:
        micro = jax.tree.map(partial(_interleaved, parts), (inputs, labels))

        def body(carry: Any, part: Any) -> tuple[Any, None]:
            (images, own), j = part
            total, stats, seen = carry
            now = dataclasses.replace(state, batch_stats=stats)
            grads, stats, sums = gradients(now, images, own, jax.random.fold_in(key, j))
            return (_add(total, grads), stats, _add(seen, sums)), None

        start = (jax.tree.map(jnp.zeros_like, state.params), state.batch_stats, Running.zero())
        (total, batch_stats, sums), _ = jax.lax.scan(
            body, start, (micro, jnp.arange(parts)), unroll=unroll
        )
        return jax.tree.map(lambda leaf: leaf / parts, total), batch_stats, sums

    return accumulate


def sharpness_aware(gradients: Gradients, radius: float) -> Gradients:
    """Sharpness-aware minimization (Foret et al. 2021): the gradient of the worst point near by.

    Two gradients of the same batch with the same dropout: the first says where the loss
    rises fastest, the second is taken at that distance. Batch statistics and sums are the
    first one's, of the network as it is.

    Args:
      gradients: of the whole batch, accumulated or not.
      radius: how far to climb, in the l2 norm over all parameters; above 0.
    """

    def at_worst(
        state: "TrainState", inputs: jax.Array, labels: Labels, key: jax.Array
    ) -> tuple[Any, Any, Running]:
        uphill, batch_stats, sums = gradients(state, inputs, labels, key)
        worst = jax.tree.map(jnp.add, state.params, scaled_to(uphill, radius))
        there = dataclasses.replace(state, params=worst)
        return gradients(there, inputs, labels, key)[0], batch_stats, sums

    return at_worst


def scaled_to(tree: Any, norm: float) -> Any:
    """A tree of arrays scaled to an l2 norm over all of them; zeros stay zeros."""
    length = optax.tree.norm(tree)
    factor = jnp.where(length > 0, norm / jnp.where(length > 0, length, 1.0), 0.0)
    return jax.tree.map(lambda leaf: factor * leaf, tree)


def mixed(
    key: jax.Array, alpha: float, inputs: jax.Array, labels: jax.Array
) -> tuple[jax.Array, MixedLabels]:
    """Mixup (Zhang et al. 2018): every image of a batch mixed with the one before it.

    One share for the batch, drawn from Beta(alpha, alpha). The order of a batch is drawn anew
    in every epoch, so the one before is any other image, as a permutation would have it.

    Args:
      key: of (seed, step).
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
    """[b, ...] -> [parts, b / parts, ...]: part j takes j, j + parts, ...

    So every device that holds a stretch of the batch holds a stretch of each part.
    """
    return jnp.moveaxis(leaf.reshape(-1, parts, *leaf.shape[1:]), 1, 0)


def _add(a: Any, b: Any) -> Any:
    return jax.tree.map(jnp.add, a, b)
