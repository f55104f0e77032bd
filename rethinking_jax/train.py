"""One run's training and evaluation as pure functions of plain values.

Everything here is written for ONE run. What differs between the runs of a sweep is
an array in the state or in the examples, so `jax.vmap` turns one run into many.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from rethinking_jax.keys import purpose_key
from rethinking_jax.optimizer import Hyper

Preprocess = Callable[[jax.Array], jax.Array]
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
    """One split as one run sees it, on the device."""

    images: jax.Array  # uint8 (float32 for gaussian) [n, h, w, c]
    labels: jax.Array  # int32 [n], corrupted
    true_labels: jax.Array  # int32 [n]


@struct.dataclass
class Sums:
    """Exact counts and the summed loss over some examples, in eval mode."""

    loss: jax.Array  # float32
    count: jax.Array  # int32
    correct: jax.Array  # int32, against the labels of the run
    correct_true: jax.Array  # int32, against the true labels
    corrupted: jax.Array  # int32, examples whose label is not the true one
    correct_on_corrupted: jax.Array  # int32, against the label of the run

    @classmethod
    def zero(cls) -> "Sums":
        """Nothing seen yet."""
        return cls(jnp.zeros(()), *(jnp.zeros((), jnp.int32) for _ in range(5)))


def init_state(
    model: nn.Module,
    optimizer: BuildOptimizer,
    hyper: Hyper,
    image_shape: tuple[int, int, int],
) -> TrainState:
    """A fresh run; its parameters depend on the model and `hyper.seed` alone."""
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
    model: nn.Module, optimizer: BuildOptimizer, preprocess: Preprocess
) -> Callable[[TrainState, tuple[jax.Array, jax.Array]], tuple[TrainState, Running]]:
    """The train step of one run.

    Returns:
      `train_step(state, (images, labels)) -> (state, sums)`, pure: images uint8 or
      float32 [b, h, w, c], labels int32 [b]; sums are the batch's, in train mode,
      before the update. The loss is the mean cross-entropy over the batch.
    """

    def train_step(
        state: TrainState, batch: tuple[jax.Array, jax.Array]
    ) -> tuple[TrainState, Running]:
        images, labels = batch
        inputs = preprocess(images)
        dropout_key = jax.random.fold_in(purpose_key(state.hyper.seed, "dropout"), state.step)
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
                mutable=["batch_stats"],
                rngs={"dropout": dropout_key},
            )
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            return losses.mean(), (logits, updated.get("batch_stats", {}))

        grad_fn = jax.value_and_grad(loss_fn, has_aux=True)
        (loss, (logits, batch_stats)), grads = grad_fn(state.params)
        updates, opt_state = optimizer(state.hyper).update(grads, state.opt_state, state.params)
        new_state = dataclasses.replace(
            state,
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=batch_stats,
            opt_state=opt_state,
        )
        size = labels.shape[0]
        correct = jnp.sum(jnp.argmax(logits, -1) == labels, dtype=jnp.int32)
        return new_state, Running(loss * size, correct, jnp.int32(size))

    return train_step


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
        )

    return eval_step
