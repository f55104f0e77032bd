"""A corruption of one's own: some labels become class 0.

    python -m rethinking_jax.main --config=examples/own_corruption.py

It depends on the seed and on the example alone, and so it works on streamed images, too.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

import rethinking_jax as rj


def to_first_class(key: jax.Array, label: jax.Array, noise) -> jax.Array:
    """Turns a label into class 0 with probability p.

    Args:
      key: the example's own random key.
      label: int32 scalar, the true class.
      noise: has the probability `p` and `num_classes`.
    """
    flipped = jax.random.uniform(key) < noise.p
    return jnp.where(flipped, 0, label)


rj.CORRUPTIONS["first_class"] = rj.Corruption(
    "Some labels become class 0.", labels=to_first_class, p=0.4, uses_label_noise=True
)


def get_config() -> ConfigDict:
    """Two runs: few labels flipped, and more."""
    config = rj.base_config()
    config.experiment, config.corruption = "own_corruption", "first_class"
    config.train_examples, config.batch_size, config.epochs = 500, 50, 30
    config.sweep = rj.runs([{"label_noise": share} for share in (0.1, 0.4)])
    return config
