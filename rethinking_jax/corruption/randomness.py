"""Every random draw of the package: a pure function of (seed, purpose, example id or epoch).

There is no global generator and no key that is split along the way, so nothing about
randomness has to be saved, and the order of work changes no draw. The numbers in the tables
are part of the format: changing one changes every published result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

# Nothing in this folder imports JAX before it draws with it: what checks a config or reads
# data, in processes of its own too, imports these tables and has no use for JAX.
if TYPE_CHECKING:
    import jax

# What JAX draws on the device, in a run that trains.
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
    "own_images": 9,  # corruptions of images that are not the paper's
    "critical_samples": 10,  # the noise of a search
}

# What NumPy draws on the host, keyed by a seed. Purposes with the same number belong to
# different kinds of experiment.
HOST_PURPOSES = {
    "training_part": 0,  # which examples are trained on, and which are for validation
    "theorem1_projection": 1,
    "theorem1_sample": 2,
    "theorem1_order": 3,
    "kernel_patches": 4,
    "whitening_patches": 19,
    "fourier_features": 5,
    "min_norm_start": 6,
    "min_norm_batches": 7,
    "kernel_landmarks": 8,
    "rademacher_points": 8,
    "ntk_examples": 9,
    "ntk_weights": 10,
    "shattering_points": 9,
    "shattering_directions": 10,
    "shattering_labels": 11,
    "twins": 12,
    "subsets": 13,
    "halves": 14,
    "removed_at_random": 15,
    "descent_examples": 13,
    "permuted_membership": 16,
    "folds": 16,
    "held_out_labels": 17,
    "equally_hard": 18,
    "norm_examples": 19,
    "critical_examples": 12,  # which held-out examples are searched around
    "identity_examples": 19,
}

# What NumPy draws for everyone alike, whatever the seed of a run.
FIXED_PURPOSES = {
    "held_out": 0,
    "checkerboard_train": 0,
    "checkerboard_test": 1,
    "checkerboard_train_outside": 2,
    "checkerboard_outside": 3,
}


def purpose_key(seed: int | jax.Array, purpose: str) -> jax.Array:
    """Returns the JAX key for one purpose of one run.

    Args:
      seed: the run's seed, a Python int or an int32/uint32 scalar (may be traced).
      purpose: a name in `PURPOSES`.

    Returns:
      A typed threefry key, the same whatever `--jax_default_prng_impl` and
      `--jax_random_seed_offset` say.
    """
    import jax
    import jax.numpy as jnp

    # What `jax.random.key` makes of a seed below 2**32, without its offset.
    bits = jnp.stack([jnp.zeros((), jnp.uint32), jnp.asarray(seed, jnp.uint32)])
    key = jax.random.wrap_key_data(bits, impl="threefry2x32")
    return jax.random.fold_in(key, PURPOSES[purpose])


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """Returns the NumPy generator for one purpose of one run.

    Args:
      seed: the run's seed, at least 0.
      purpose: a name in `HOST_PURPOSES`.
      index: which of the purpose's independent sequences of draws, at least 0.
    """
    key = [seed, HOST_PURPOSES[purpose]]
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, index]))


def fixed_bits(purpose: str, count: int) -> np.ndarray:
    """Returns the first raw draws of a purpose that is the same for everyone: uint64 [count].

    NumPy promises the raw bits of Philox for every version, which it does not promise for
    permutations or other distributions.

    Args:
      purpose: a name in `FIXED_PURPOSES`.
      count: how many numbers to draw; fewer are the beginning of more.
    """
    return np.random.Philox(key=FIXED_PURPOSES[purpose]).random_raw(count)
