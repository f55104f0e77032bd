"""Lesson: a network first corrects wrong labels, and memorizes them later.

    python -m rethinking_jax.main --config=configs/course_early_learning.py
    python -m rethinking_jax.main --config=configs/course_early_learning.py:dataset=cifar10

An MLP with 512 hidden units on 4,000 digits, with true labels and with 40 % of them drawn anew,
SGD, 150 epochs. Arguments: noise (several joined by +), dataset, seeds, epochs, train_examples (0:
all).

Expected: after 12 epochs 0.86 of the wrongly labelled digits are given their true class, and 0.03
their label; in the end it is 0.06 and 0.93. Test accuracy falls from 0.87 to 0.73; with true
labels it stays at 0.93.

`configs/robust_labels.py` has more noise, and what was found against it.

Takes 1 minute on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each label noise and seed."""
    chosen = parse_argument(
        argument,
        positional="noise",
        noise="0+0.4",
        dataset="mnist5k",
        seeds=3,
        epochs=150,
        train_examples=0,
    )
    config = recipe.course_config("course_early_learning", chosen)
    config.hidden_sizes = (512,)
    config.learning_rate = 0.02
    members = [
        {
            "name": f"noise={level:g}",
            "corruption": "partially_corrupted_labels" if level else "true_labels",
            "label_noise": level,
        }
        for level in recipe.numbers("noise", chosen.noise)
    ]
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
