"""One run's training and evaluation as pure functions of plain values.

Everything here is written for ONE run. What differs between the runs of a sweep is
an array in the state or in the examples, so `jax.vmap` turns one run into many.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from rethinking_jax.keys import purpose_key
from rethinking_jax.metrics import TOP5_CLASSES
from rethinking_jax.optimizer import Hyper

AUXILIARY_WEIGHT = 0.4  # of the loss of Inception V3's second head, as in its paper's code

# From stored pixels to the network's input, in eval mode.
Preprocess = Callable[[jax.Array], jax.Array]
# The same in train mode, where augmentation may draw: (state, images, ids) -> inputs.
Prepare = Callable[["TrainState", jax.Array, jax.Array], jax.Array]
BuildOptimizer = Callable[[Hyper], optax.GradientTransformation]


@struct.dataclass
class TrainState:
    """A run between two steps: all that a checkpoint has to hold."""

    step: jax.Array  # int32, steps taken
    hyper: Hyper
    params: Any
    batch_stats: Any
    opt_state: Any


@struct.dataclass
class Running:
    """Sums over the mini-batches of the current epoch, each seen by the model of its moment."""

    loss: jax.Array  # float32, sum over examples
    correct: jax.Array  # int32
    count: jax.Array  # int32

    @classmethod
    def zero(cls) -> "Running":
        """Nothing seen yet."""
        return cls(jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


@struct.dataclass
class Examples:
    """Examples as one run sees them, on the device: a whole split, or a batch of it."""

    images: jax.Array  # uint8 (float32 for gaussian) [n, h, w, c]
    labels: jax.Array  # int32 [n], corrupted
    true_labels: jax.Array  # int32 [n]
    ids: jax.Array  # uint32 [n]


@struct.dataclass
class Sums:
    """Exact counts and the summed loss over some examples, in eval mode."""

    loss: jax.Array  # float32
    count: jax.Array  # int32
    correct: jax.Array  # int32, against the labels of the run
    correct_true: jax.Array  # int32, against the true labels
    corrupted: jax.Array  # int32, examples whose label is not the true one
    correct_on_corrupted: jax.Array  # int32, against the label of the run
    correct_top5: jax.Array  # int32, the run's label is among the five largest logits

    @classmethod
    def zero(cls) -> "Sums":
        """Nothing seen yet."""
        return cls(jnp.zeros(()), *(jnp.zeros((), jnp.int32) for _ in range(6)))


class Steps(NamedTuple):
    """The pure functions of one run: all that a program of many runs is made of.

    init: Hyper -> TrainState.
    train: (TrainState, Examples of a batch) -> (TrainState, Running).
    evaluate: (TrainState, Examples of a batch, counted bool [b]) -> Sums.
    """

    init: Callable[[Hyper], TrainState]
    train: Callable[[TrainState, Examples], tuple[TrainState, Running]]
    evaluate: Callable[[TrainState, Examples, jax.Array], Sums]


def make_steps(
    model: nn.Module,
    optimizer: BuildOptimizer,
    preprocess: Preprocess,
    image_shape: tuple[int, int, int],
    *,
    prepare: Prepare | None = None,
    label_smoothing: float = 0.0,
    accumulate: int = 1,
    unroll: bool = False,
) -> Steps:
    """The functions of one run; see `init_state`, `make_train_step` and `make_eval_step`.

    Args:
      model: a network of float32 [b, h, w, c].
      optimizer: see `rethinking_jax.optimizer.make_optimizer`.
      preprocess: from stored images to inputs.
      image_shape: (h, w, c) of the inputs.
      prepare: the same in training, where it differs.
      label_smoothing: see `make_train_step`; so are accumulate and unroll.
      accumulate: micro-batches of a step.
      unroll: them.
    """
    return Steps(
        partial(init_state, model, optimizer, image_shape=image_shape),
        make_train_step(
            model,
            optimizer,
            prepare or (lambda state, images, ids: preprocess(images)),
            label_smoothing=label_smoothing,
            accumulate=accumulate,
            unroll=unroll,
        ),
        make_eval_step(model, preprocess),
    )


def init_state(
    model: nn.Module,
    optimizer: BuildOptimizer,
    hyper: Hyper,
    image_shape: tuple[int, int, int],
) -> TrainState:
    """A fresh run; its parameters depend on the model and `hyper.seed` alone.

    Args:
      model: see `rethinking_jax.models.create_model`.
      optimizer: see `rethinking_jax.optimizer.make_optimizer`.
      hyper: of one run.
      image_shape: (h, w, c) of the network's input.
    """
    images = jnp.zeros((1, *image_shape))
    variables = model.init(purpose_key(hyper.seed, "init"), images, train=False)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        hyper=hyper,
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer(hyper).init(variables["params"]),
    )


def epoch_order(seed: int | jax.Array, epoch: int | jax.Array, n: int) -> jax.Array:
    """The order of the n examples in an epoch, int32 [n]: a function of (seed, epoch)."""
    key = jax.random.fold_in(purpose_key(seed, "order"), epoch)
    return jax.random.permutation(key, n)


def make_train_step(
    model: nn.Module,
    optimizer: BuildOptimizer,
    prepare: Prepare,
    *,
    label_smoothing: float = 0.0,
    accumulate: int = 1,
    unroll: bool = False,
) -> Callable[[TrainState, Examples], tuple[TrainState, Running]]:
    """The train step of one run.

    Args:
      model: a network; logits that it sows as "auxiliary" are trained too.
      optimizer: see `rethinking_jax.optimizer.make_optimizer`.
      prepare: from stored images to inputs, float32 [b, h, w, c].
      label_smoothing: the share of a label's weight that all classes get alike.
      accumulate: micro-batches whose mean gradient makes a step; it divides the batch.
        Batch norm sees one micro-batch at a time, and the running averages each of them.
      unroll: the micro-batches, for convolutions on a CPU (see `program.use_scan`).

    Returns:
      `train_step(state, batch) -> (state, sums)`, pure: sums are the batch's, in train
      mode, before the update; their loss is the plain cross-entropy. What is minimized is
      its mean over the batch, smoothed, and 0.4 times that of each auxiliary head
      (Szegedy et al. 2016).
    """
    gradients = _make_gradients(model, label_smoothing)

    def train_step(state: TrainState, batch: Examples) -> tuple[TrainState, Running]:
        inputs = prepare(state, batch.images, batch.ids)
        key = jax.random.fold_in(purpose_key(state.hyper.seed, "dropout"), state.step)
        if accumulate == 1:
            grads, batch_stats, sums = gradients(state, inputs, batch.labels, key)
        else:
            parts = jax.tree.map(partial(_interleaved, accumulate), (inputs, batch.labels))

            def body(carry: Any, part: Any) -> tuple[Any, None]:
                (images, labels), j = part
                total, stats, seen = carry
                now = dataclasses.replace(state, batch_stats=stats)
                grads, stats, sums = gradients(now, images, labels, jax.random.fold_in(key, j))
                return (_add(total, grads), stats, _add(seen, sums)), None

            start = (jax.tree.map(jnp.zeros_like, state.params), state.batch_stats, Running.zero())
            (total, batch_stats, sums), _ = jax.lax.scan(
                body, start, (parts, jnp.arange(accumulate)), unroll=unroll
            )
            grads = jax.tree.map(lambda leaf: leaf / accumulate, total)
        updates, opt_state = optimizer(state.hyper).update(grads, state.opt_state, state.params)
        new_state = dataclasses.replace(
            state,
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=batch_stats,
            opt_state=opt_state,
        )
        return new_state, sums

    return train_step


def _make_gradients(model: nn.Module, label_smoothing: float) -> Callable[..., Any]:
    """(state, inputs, labels, dropout key) -> (gradients, batch statistics, sums)."""

    def objective(logits: jax.Array, labels: jax.Array) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        if label_smoothing == 0:
            return losses
        uniform = -jax.nn.log_softmax(logits).mean(-1)
        return (1 - label_smoothing) * losses + label_smoothing * uniform

    def gradients(
        state: TrainState, inputs: jax.Array, labels: jax.Array, key: jax.Array
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
            loss = objective(logits, labels).mean()
            for extra in jax.tree.leaves(updated.get("auxiliary", {})):
                loss += AUXILIARY_WEIGHT * objective(extra, labels).mean()
            return loss, (logits, updated.get("batch_stats", {}))

        grads, (logits, batch_stats) = jax.grad(loss_fn, has_aux=True)(state.params)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        correct = jnp.sum(jnp.argmax(logits, -1) == labels, dtype=jnp.int32)
        return grads, batch_stats, Running(jnp.sum(losses), correct, jnp.int32(len(labels)))

    return gradients


def _interleaved(parts: int, leaf: jax.Array) -> jax.Array:
    """[b, ...] -> [parts, b / parts, ...]: part j takes j, j + parts, ...

    So every device that holds a stretch of the batch holds a stretch of each part.
    """
    return jnp.moveaxis(leaf.reshape(-1, parts, *leaf.shape[1:]), 1, 0)


def _add(a: Any, b: Any) -> Any:
    return jax.tree.map(jnp.add, a, b)


def make_eval_step(
    model: nn.Module, preprocess: Preprocess
) -> Callable[[TrainState, Examples, jax.Array], Sums]:
    """The evaluation of one batch with the model fixed and in eval mode.

    Returns:
      `eval_step(state, batch, counted) -> Sums`; `counted`, bool [b], is False for the
      padding of the last batch, so that every example counts exactly once.
    """

    def eval_step(state: TrainState, batch: Examples, counted: jax.Array) -> Sums:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        logits: Any = model.apply(variables, preprocess(batch.images), train=False)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)
        predicted = jnp.argmax(logits, -1)
        correct = predicted == batch.labels
        corrupted = batch.labels != batch.true_labels

        def count(which: jax.Array) -> jax.Array:
            return jnp.sum(which & counted, dtype=jnp.int32)

        return Sums(
            loss=jnp.sum(jnp.where(counted, losses, 0.0)),
            count=jnp.sum(counted, dtype=jnp.int32),
            correct=count(correct),
            correct_true=count(predicted == batch.true_labels),
            corrupted=count(corrupted),
            correct_on_corrupted=count(correct & corrupted),
            correct_top5=count(_in_top5(logits, batch.labels)),
        )

    return eval_step


def _in_top5(logits: jax.Array, labels: jax.Array) -> jax.Array:
    if logits.shape[-1] < TOP5_CLASSES:
        return jnp.zeros(labels.shape, bool)  # says nothing about ten classes: not computed
    return jnp.any(jax.lax.top_k(logits, 5)[1] == labels[:, None], axis=-1)
