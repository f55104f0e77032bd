"""Belkin, Ma and Mandal (2018): kernels that fit noisy labels exactly, and nearest neighbours.

python -m rethinking_jax.main --config=configs/kernel_noise.py
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs, sweep
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each kernel, and one for the nearest neighbours."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        kernel="gaussian+laplacian+nearest",
        sizes="500+1500+3000",
        noise="0+0.01+0.1+0.3+0.5+0.8+1",
        draws=5,
        ridges="0.01+0.1+1+10",
    )
    config = theory_config("kernel_noise", **recipe.without(chosen, "kernel"))
    config.sweep = runs(sweep("kernel", chosen.kernel.split("+")))
    return config
