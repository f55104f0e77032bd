"""Section 5 of the paper: SGD on a linear model converges to the solution of least norm.

    python -m rethinking_jax.main --config=configs/min_norm.py

200 digits of mnist5k, 1,000 random Fourier features, squared loss, float64: SGD from zero
against the pseudo-inverse's solution, and from another start against that solution plus the
start's part outside the span of the digits. And beyond linear models: 2-layer networks of some
widths, trained by gradient descent, against what their neural tangent kernels at the start
predict. The argument names the data set, the features (fourier, or pixels, which converge far
more slowly), the setting, train_examples and those widths joined by + (ntk_widths=: none), for
instance `:dataset=fashion_mnist,corruption=random_labels`.

Expected: relative distances below 1e-3 to both interpolants; of the networks 0.3 at width 32 and
0.03 at width 2,048.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs, sweep
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each setting."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        features="fourier",
        corruption="true_labels",
        train_examples=200,
        ntk_widths="32+128+512+2048",
    )
    config = theory_config("min_norm", **recipe.without(chosen, "corruption"))
    config.sweep = runs(sweep("corruption", chosen.corruption.split("+")))
    return config
