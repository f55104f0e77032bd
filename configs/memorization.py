"""Which examples are memorized: the scores of Feldman and Zhang (2020), and what they are worth.

    python -m rethinking_jax.main --config=configs/memorization.py

400 MLPs with 128 hidden units on 4,000 digits of mnist5k (no download), each on another 70 % of
them, once with true labels and once with 10 % of the labels redrawn. The argument names the data
set, train_examples (0: all), the network (a name of a model, or mlp_DxW for D hidden layers of
width W), runs (a multiple of 10), subset (the share of a subset, in tenths), label_noise (levels
joined by +), thresholds (how many scores whose examples are removed; 0: none), retrain (seeds of
each arm), banzhaf (runs on halves for Data Banzhaf values; 0: none), epochs, learner (some of
network, nearest and kernel, joined by +) and published (files of scores to be ranked beside), for
instance `:dataset=fashion_mnist,train_examples=5000,runs=1000,label_noise=0+0.1+0.3`.

Expected: with true labels a mean score of 0.06, 8 % of the digits at 0.25 or more; with noise
0.97 on corrupted labels and 0.12 on the others. Without the 317 most memorized digits networks
test 1.6 points worse than without as many random ones; with noise, without 903, 4 points better.
Pairs that half of the runs choose keep half of their influence with true labels, and a fifth with
noise: for pairs take 1,000 runs. docs/memorization.md says how to read the scores. A command that
was stopped goes on with the runs that were not complete.

Takes 8.5 minutes of CPU time.
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
