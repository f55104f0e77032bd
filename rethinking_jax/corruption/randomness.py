"""Random keys: every draw is a pure function of (seed, purpose, example id or epoch).

There is no global generator and no key that is split along the way, so nothing
about randomness has to be saved, and the order of work changes no draw.
"""

import jax

# Labels must not depend on a flag of JAX's; this value is its default today.
jax.config.update("jax_threefry_partitionable", True)

# The numbers are part of the format: changing one changes every published result.
PURPOSES = {
    "init": 0,
    "order": 1,
    "dropout": 2,
    "labels": 3,
    "shuffled_pixels": 4,
    "random_pixels": 5,
    "gaussian": 6,
    "augmentation": 7,
    "mixup": 8,
}


def purpose_key(seed: int | jax.Array, purpose: str) -> jax.Array:
    """The key for one purpose of one run.

    Args:
      seed: the run's seed, a Python int or an int32/uint32 scalar (may be traced).
      purpose: a key of `PURPOSES`.

    Returns:
      A typed threefry key (the implementation is fixed here, so that
      `--jax_default_prng_impl` cannot change labels).
    """
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), PURPOSES[purpose])
