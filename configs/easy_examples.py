"""Which examples are easy? Arpit et al. (2017), section 3.1 and Figure 1, in one epoch.

    python -m rethinking_jax.main --config=configs/easy_examples.py

1,000 digits of mnist5k (no download) with their labels, with random labels, and with Gaussian noise
in the place of the images; of each 100 runs of an MLP with 128 hidden units, which differ in their
initial weights and orders and share the labels and the noise. After one epoch it is counted how
many runs are right on each example. The argument names the data set, settings (joined by +, any
corruptions), the network (a name of a model, or mlp_DxW for D hidden layers of width W), runs,
epochs and train_examples (0: all), for instance `:runs=400,train_examples=0`.

Expected: a dispersion (1 if all examples are equally hard, and 100 if each is right in all runs
or in none) of about 48 on true labels, 15 on random ones and 3 on Gaussian noise: the order of
the paper's Figure 1, which has no numbers. The noise is not quite binomial, as the figure
suggests: the examples are the same in all runs, and which of them are alike by chance is, too.
The report shows the sorted rates, and the easiest and the hardest digits; scores.csv has the
counts. A command that was stopped starts the runs again that train together.

Takes half a minute of CPU time.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs, sweep
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each setting, each of which trains as many networks as `runs` says."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        settings="true_labels+random_labels+gaussian",
        model="mlp_1x128",
        runs=100,
        epochs=1,
        train_examples=1000,
    )
    network = recipe.network(chosen.model)
    config = theory_config("easy_examples", **recipe.without(chosen, "settings", "model"))
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    config.sweep = runs(sweep("corruption", chosen.settings.split("+")))
    return config
