"""One run's training and evaluation as pure functions of plain values.

Everything here is written for ONE run. What differs between the runs of a sweep is
an array in the state or in the examples, so `jax.vmap` turns one run into many.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.models.initializers import OWN
from rethinking_jax.models.peers import initial_variables
from rethinking_jax.step.facts import Moment, moment
from rethinking_jax.step.losses import LOSSES, remembered
from rethinking_jax.step.metrics import sum_up
from rethinking_jax.step.objective import (
    PLAIN,
    Objective,
    accumulated,
    make_gradients,
    mixed,
    sharpness_aware,
)
from rethinking_jax.step.optimizer import BuildOptimizer
from rethinking_jax.step.preprocess import Preprocess
from rethinking_jax.step.state import (
    Examples,
    Hyper,
    Labels,
    PyTree,
    RememberedLabels,
    Running,
    Steps,
    Sums,
    TrainState,
    extended,
    targets_of,
)

# From stored pixels to the network's input in train mode, where augmentation may draw:
# (state, images, ids) -> inputs.
Prepare: TypeAlias = Callable[[TrainState, jax.Array, jax.Array], jax.Array]


def make_steps(
    model: nn.Module,
    optimizer: BuildOptimizer,
    preprocess: Preprocess,
    image_shape: tuple[int, int, int],
    objective: Objective = PLAIN,
    prepare: Prepare | None = None,
    ids: np.ndarray | None = None,
    initializer: str = OWN,
    init_scale: float = 1.0,
) -> Steps:
    """Returns the functions of one run, see `rethinking_jax.step.state.Steps`.

    Args:
      model: a network of float32 [b, h, w, c].
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
      preprocess: from stored images to inputs.
      image_shape: (h, w, c) of the inputs.
      objective: what a step minimizes.
      prepare: from stored images to inputs in training; None: as `preprocess`.
      ids: uint32 [n], those of the training examples, for a loss that remembers each of them.
      initializer, init_scale: see `init_state`.
    """
    prepare = prepare or (lambda state, images, ids: preprocess(images))
    return Steps(
        partial(
            init_state,
            model,
            optimizer,
            image_shape=image_shape,
            initializer=initializer,
            init_scale=init_scale,
        ),
        make_train_step(model, optimizer, prepare, objective, ids),
        make_eval_step(model, preprocess),
        make_examine_step(model, preprocess),
    )


def init_state(
    model: nn.Module,
    optimizer: BuildOptimizer,
    hyper: Hyper,
    image_shape: tuple[int, int, int],
    initializer: str = OWN,
    init_scale: float = 1.0,
) -> TrainState:
    """Returns a fresh run; its parameters depend on the model, `hyper.seed` and how they start.

    What it keeps of every example is added where examples are known, see `sweep.position.fresh`.

    Args:
      model: see `rethinking_jax.models.create_model`.
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
      hyper: the numbers of one run.
      image_shape: (h, w, c) of the network's input.
      initializer: see `rethinking_jax.models.initializers.redrawn`.
      init_scale: the factor on all parameters (Liu et al. 2023, Omnigrok); 1 leaves the program as
        it is without.
    """
    images = jnp.zeros((1, *image_shape))
    variables = initial_variables(model, purpose_key(hyper.seed, "init"), images, initializer)
    params = variables["params"]
    if init_scale != 1.0:
        params = jax.tree.map(lambda leaf: init_scale * leaf, params)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        hyper=hyper,
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer(hyper).init(params),
    )


def epoch_order(seed: int | jax.Array, epoch: int | jax.Array, n: int) -> jax.Array:
    """Returns the order of the n examples in an epoch, int32 [n]: a function of (seed, epoch)."""
    key = jax.random.fold_in(purpose_key(seed, "order"), epoch)
    return jax.random.permutation(key, n)


def make_train_step(
    model: nn.Module,
    optimizer: BuildOptimizer,
    prepare: Prepare,
    objective: Objective = PLAIN,
    ids: np.ndarray | None = None,
) -> Callable[[TrainState, Examples], tuple[TrainState, Running]]:
    """Builds the train step of one run.

    Args:
      model: a network; logits that it sows as "auxiliary" are trained too.
      optimizer: see `rethinking_jax.step.optimizer.make_optimizer`.
      prepare: from stored images to inputs, float32 [b, h, w, c].
      objective: what a step minimizes.
      ids: see `make_steps`.

    Returns:
      `train_step(state, batch) -> (state, sums)`, pure: sums are the batch's, in train
      mode, before the update; their loss is the cross-entropy, not smoothed. What is
      minimized is its mean over the batch, smoothed, and 0.4 times that of each auxiliary
      head (Szegedy et al. 2016).
    """
    gradients = make_gradients(model, objective)
    if objective.accumulate > 1:
        gradients = accumulated(gradients, objective.accumulate, objective.unroll)
    if objective.sam_radius:
        gradients = sharpness_aware(gradients, objective.sam_radius)
    alpha = objective.mixup_alpha
    order = np.sort(ids) if ids is not None and LOSSES[objective.loss].remembers else None

    def train_step(state: TrainState, batch: Examples) -> tuple[TrainState, Running]:
        inputs = prepare(state, batch.images, batch.ids)
        labels: Labels = batch.labels
        if alpha:
            inputs, labels = mixed(_step_key(state, "mixup"), alpha, inputs, batch.labels)
        targets = None if order is None else targets_of(state)
        if order is not None and targets is not None:
            places = jnp.searchsorted(jnp.asarray(order), batch.ids)
            labels = RememberedLabels(batch.labels, targets[places])
        found = gradients(state, inputs, labels, _step_key(state, "dropout"))
        grads, batch_stats, sums = found.grads, found.batch_stats, found.sums
        if objective.gradient_norm:
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
        if isinstance(labels, RememberedLabels) and targets is not None:
            after = remembered(cast(jax.Array, found.logits), labels.targets)
            new_state = extended(new_state, targets=targets.at[places].set(after))
        return new_state, sums

    return train_step


def _step_key(state: TrainState, purpose: str) -> jax.Array:
    return jax.random.fold_in(purpose_key(state.hyper.seed, purpose), state.step)


def make_apply(
    model: nn.Module, preprocess: Preprocess
) -> Callable[[PyTree, jax.Array], jax.Array]:
    """Returns the network as a function of (variables, stored images) -> logits, in eval mode."""

    def apply(variables: PyTree, images: jax.Array) -> jax.Array:
        # Flax's type says that this may be a tuple, which it is for mutable variables only.
        return cast(jax.Array, model.apply(variables, preprocess(images), train=False))

    return apply


def make_eval_step(
    model: nn.Module, preprocess: Preprocess
) -> Callable[[TrainState, Examples, jax.Array], Sums]:
    """Builds the evaluation of one batch with the model fixed and in eval mode.

    Returns:
      `eval_step(state, batch, counted) -> Sums`; `counted`, bool [b], is False for the
      padding of the last batch, so that every example counts exactly once.
    """
    apply = make_apply(model, preprocess)

    def eval_step(state: TrainState, batch: Examples, counted: jax.Array) -> Sums:
        return sum_up(apply(state.variables, batch.images), batch, counted)

    return eval_step


def make_examine_step(
    model: nn.Module, preprocess: Preprocess
) -> Callable[[TrainState, Examples], Moment]:
    """Builds what finds the facts of each example of a batch, the model fixed and in eval mode."""
    apply = make_apply(model, preprocess)

    def examine_step(state: TrainState, batch: Examples) -> Moment:
        return moment(apply(state.variables, batch.images), batch)

    return examine_step
