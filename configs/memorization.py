"""Which examples are memorized: the scores of Feldman and Zhang (2020), and what they are worth.

    python -m rethinking_jax.main --config=configs/memorization.py

TODO
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each level of label noise."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        train_examples=0,
        model="mlp_1x128",
        runs=400,
        subset=0.7,
        label_noise="0+0.1",
        thresholds=6,
        retrain=10,
        banzhaf=0,
        published="",
        epochs=20,
        learner="network+nearest+kernel",
    )
    network = recipe.network(chosen.model)
    config = theory_config("memorization", **recipe.without(chosen, "label_noise", "model"))
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    config.sweep = runs(
        [
            {"name": f"label_noise={noise:g}", "corruption": "true_labels"}
            if noise == 0
            else {
                "name": f"label_noise={noise:g}",
                "corruption": "partially_corrupted_labels",
                "label_noise": noise,
            }
            for noise in recipe.numbers("label_noise", chosen.label_noise)
        ]
    )
    return config
