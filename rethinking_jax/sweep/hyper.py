"""The numbers in which the runs of a chunk differ, as arrays."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.state import Hyper, LossHyper
from rethinking_jax.sweep.engine import Run


def hyper(runs: Sequence[Run]) -> Hyper:
    """Returns the numbers in which the runs of a chunk differ, each an array of [members]."""

    def column(key: str, dtype: type) -> jax.Array:
        return jnp.array([run.config[key] for run in runs], dtype)

    numbers = {
        "seed": column("seed", jnp.int32),
        "learning_rate": column("learning_rate", jnp.float32),
        "momentum": column("momentum", jnp.float32),
        "weight_decay": column("weight_decay", jnp.float32),
        "dropout_rate": column("dropout_rate", jnp.float32),
        "label_noise": jnp.array([run.label_noise for run in runs], jnp.float32),
    }
    loss = LOSSES[runs[0].config.loss]
    if loss is LOSSES["cross_entropy"]:
        return Hyper(**numbers)
    strengths = [run.config.loss_strength for run in runs]
    return LossHyper(
        **numbers,
        loss_strength=jnp.array([loss.chosen(own) for own in strengths], jnp.float32),
        transition=jnp.stack([jnp.asarray(run.transition) for run in runs]),
    )
