"""Section 2.2 of the paper: how many labelings of n points a network fits, as n grows.

    python -m rethinking_jax.main --config=configs/shattering.py

Gaussian points in 4 dimensions, from half as many as a network has weights to two and a half
times as many; all dichotomies of few points, 64 random ones of more, trained as one sweep. The
argument names the networks (joined by +: linear, names of models, mlp_DxW for D hidden layers
of width W), dimensions, dichotomies (the most to be trained), and points: gaussian, or images,
random projections of a data set's, for instance
`:models=linear+mlp_1x4,points=images,dataset=fashion_mnist`.

Expected: linear classifiers follow Cover's theorem, half of the dichotomies at two points per
weight; networks with a hidden layer memorize about one point per weight, a lower bound, for
training may miss a labeling that they have. A command that was stopped goes on with the first
sweep that was not complete.

Takes 4.5 minutes of CPU time.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each network."""
    chosen = parse_argument(
        argument,
        positional="models",
        models="linear+mlp_1x2+mlp_1x4+mlp_1x8",
        points="gaussian",
        dataset="mnist5k",
        dimensions=4,
        dichotomies=64,
    )
    config = theory_config("shattering", **recipe.without(chosen, "models"))
    # Hyperplanes with narrow margins are found late: 3,000 steps at 0.03 miss some.
    rates = {"linear": 0.1}
    members = [recipe.network(name) for name in chosen.models.split("+")]
    config.sweep = runs(
        [{**member, "learning_rate": rates.get(member["model"], 0.03)} for member in members]
    )
    return config
