"""Theorem 1 of the paper, built: a 2-layer ReLU network with 2n + d weights takes n labels.

    python -m rethinking_jax.main --config=configs/theorem1.py

True and random labels of mnist5k (4,000 digits, no download), for 10, 30, 100, ... points,
and Corollary 1's network of depth 4. Its weights are solved for. Beside them 2-layer networks of
some widths are trained on the same labels: how wide must one be that gradient descent finds? The
argument names the data set, the setting (two joined by +), the depth, and those widths joined by
+ (trained_widths=, without any, trains nothing), for instance
`:dataset=fashion_mnist,corruption=random_labels,depth=8,trained_widths=`. What is trained has a
report of its own, in the folder `trained`.

Expected: in float64 every label is taken, with an error that grows with n (50,000
images of CIFAR-10: 4e-5); in float32 labels are lost from 1,000 to 3,000 points on.

Takes 2 minutes of CPU time; half a minute on two cores without what is trained.
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
        corruption="true_labels+random_labels",
        depth=4,
        trained_widths="4+16+64+256",
    )
    config = theory_config("theorem1", **recipe.without(chosen, "corruption"))
    config.sweep = runs(sweep("corruption", chosen.corruption.split("+")))
    return config
