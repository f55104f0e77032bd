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

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.step.objective import (
    Labels,
    accumulated,
    make_gradients,
    mixed,
    sharpness_aware,
)
from rethinking_jax.step.state import Examples, Hyper, Running, Sums, TrainState
from rethinking_jax.workdir.metrics import TOP5_CLASSES

# From stored pixels to the network's input, in eval mode.
Preprocess = Callable[[jax.Array], jax.Array]
# The same in train mode, where augmentation may draw: (state, images, ids) -> inputs.
Prepare = Callable[["TrainState", jax.Array, jax.Array], jax.Array]
BuildOptimizer = Callable[[Hyper], optax.GradientTransformation]


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
    mixup_alpha: float = 0.0,
    sam_radius: float = 0.0,
    accumulate: int = 1,
    unroll: bool = False,
    gradient_norm: bool = False,
) -> Steps:
    """The functions of one run; see `init_state`, `make_train_step` and `make_eval_step`.

    Args:
      model: a network of float32 [b, h, w, c].
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
      preprocess: from stored images to inputs.
      image_shape: (h, w, c) of the inputs.
      prepare: the same in training, where it differs.
      label_smoothing: see `make_train_step`, as for all that follow.
      mixup_alpha: of mixup.
      sam_radius: of sharpness-aware minimization.
      accumulate: micro-batches of a step.
      unroll: them.
      gradient_norm: is measured.
    """
    return Steps(
        partial(init_state, model, optimizer, image_shape=image_shape),
        make_train_step(
            model,
            optimizer,
            prepare or (lambda state, images, ids: preprocess(images)),
            label_smoothing=label_smoothing,
            mixup_alpha=mixup_alpha,
            sam_radius=sam_radius,
            accumulate=accumulate,
            unroll=unroll,
            gradient_norm=gradient_norm,
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
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
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
    mixup_alpha: float = 0.0,
    sam_radius: float = 0.0,
    accumulate: int = 1,
    unroll: bool = False,
    gradient_norm: bool = False,
) -> Callable[[TrainState, Examples], tuple[TrainState, Running]]:
    """The train step of one run.

    Args:
      model: a network; logits that it sows as "auxiliary" are trained too.
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
      prepare: from stored images to inputs, float32 [b, h, w, c].
      label_smoothing: the share of a label's weight that all classes get alike.
      mixup_alpha: trains on mixtures of two images, see `objective.mixed`; 0: as they are.
      sam_radius: takes the gradient of a point at this distance, see
        `objective.sharpness_aware`; 0: of the parameters.
      accumulate: micro-batches whose mean gradient makes a step; it divides the batch.
        Batch norm sees one micro-batch at a time, and the running averages each of them.
      unroll: the micro-batches, for convolutions on a CPU (see `program.use_scan`).
      gradient_norm: the sums have the l2 norm of the step's gradient over all parameters.

    Returns:
      `train_step(state, batch) -> (state, sums)`, pure: sums are the batch's, in train
      mode, before the update; their loss is the cross-entropy, not smoothed. What is
      minimized is its mean over the batch, smoothed, and 0.4 times that of each auxiliary
      head (Szegedy et al. 2016).
    """
    gradients = make_gradients(model, label_smoothing)
    if accumulate > 1:
        gradients = accumulated(gradients, accumulate, unroll)
    if sam_radius:
        gradients = sharpness_aware(gradients, sam_radius)

    def train_step(state: TrainState, batch: Examples) -> tuple[TrainState, Running]:
        inputs = prepare(state, batch.images, batch.ids)
        labels: Labels = batch.labels
        if mixup_alpha:
            inputs, labels = mixed(_step_key(state, "mixup"), mixup_alpha, inputs, batch.labels)
        grads, batch_stats, sums = gradients(state, inputs, labels, _step_key(state, "dropout"))
        if gradient_norm:
            norm = optax.tree.norm(grads) * sums.count
            sums = dataclasses.replace(sums, gradient_norm=norm)
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


def _step_key(state: TrainState, purpose: str) -> jax.Array:
    return jax.random.fold_in(purpose_key(state.hyper.seed, purpose), state.step)


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
