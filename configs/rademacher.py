"""Section 2.2 of the paper: Rademacher complexity, estimated by fitting random signs.

    python -m rethinking_jax.main --config=configs/rademacher.py

Three networks on 62, 250, 1,000 and 4,000 digits of mnist5k (no download), four draws of signs
for each, trained as one sweep; beside them linear and kernel classes, whose values are
formulas. The argument names the data set, the networks (names of models, or mlp_DxW for D hidden
layers of width W, joined by +), draws, sizes (how many numbers of points, each a quarter of the
next), epochs and train_examples (0: all), for instance `:models=mlp_2x64+linear,draws=8`.

Expected: about 1 for mlp_1x512 on every number of points, which makes the bound empty; the small
networks fall below it. What training finds is a lower bound. A command that was stopped goes on
with the first sweep that was not complete.

Takes 3.5 minutes of CPU time.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each network."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        models="mlp_1x512+mlp_1x8+linear",
        draws=4,
        sizes=4,
        epochs=60,
        train_examples=0,
    )
    config = theory_config("rademacher", **recipe.without(chosen, "models"))
    config.sweep = runs([recipe.network(name) for name in chosen.models.split("+")])
    return config
