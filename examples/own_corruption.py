"""A corruption of one's own: some labels become the next class.

    python -m rethinking_jax.main --config=examples/own_corruption.py

It depends on the seed and on the example alone, and so it works on streamed images, too.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

import rethinking_jax as rj


def pair_flip(key: jax.Array, label: jax.Array, noise) -> jax.Array:
    """Turns a label into the next class with probability p.

    Args:
      key: the example's own random key.
      label: int32 scalar, the true class.
      noise: has the probability `p` and `num_classes`.
    """
    flipped = jax.random.uniform(key) < noise.p
    return jnp.where(flipped, (label + 1) % noise.num_classes, label)


rj.CORRUPTIONS["pair_flip"] = rj.Corruption(
    "Some labels become the next class.", labels=pair_flip, p=0.4, uses_label_noise=True
)


def get_config() -> ConfigDict:
    """Two runs: few labels flipped, and more."""
    config = rj.base_config()
    config.experiment, config.corruption = "own_corruption", "pair_flip"
    config.train_examples, config.batch_size, config.epochs = 500, 50, 30
    config.sweep = rj.runs([{"label_noise": share} for share in (0.1, 0.4)])
    return config
