"""How much a device multiplies at most: the yardstick for a train step."""

import jax
import numpy as np

from rethinking_jax.bench.timing import Contestant
from rethinking_jax.step import flops

PEAK = "matmul peak"


def matmul_peak(dtype: str) -> Contestant:
    """Returns a contestant that multiplies large matrices on one device, warm.

    The precision of the products is the one that models get, too.

    Args:
      dtype: "float32" or "bfloat16".
    """
    if jax.default_backend() == "cpu":
        size, times = 2048, 10
    else:
        size, times = 8192, 100 if dtype == "bfloat16" else 20
    matrix = (jax.random.normal(jax.random.key(0), (size, size)) / np.sqrt(size)).astype(dtype)

    @jax.jit
    def multiply(a: jax.Array, b: jax.Array) -> jax.Array:
        return a @ b

    def run(product: jax.Array) -> None:
        for _ in range(times):
            product = multiply(product, matrix)
        jax.block_until_ready(product)

    run(matrix)
    return Contestant(PEAK, lambda: matrix, run, flops.matmul_flops(size) * times)
