"""A lesson of one's own: does a larger learning rate fit random labels sooner?

    python -m rethinking_jax.main --config=examples/own_lesson.py

Its slide and its verdict are in report.html and in figures/.
"""

from ml_collections import ConfigDict

import rethinking_jax as rj
from rethinking_jax import lesson


def plots(results, translate) -> list[rj.Plot]:
    """Draws the training loss of each learning rate against epochs."""
    groups = lesson.by_key(results, "learning_rate")
    loss = {rate: lesson.over_epochs(group, "train_loss") for rate, group in groups.items()}
    curves = [lesson.curve(f"rate {rate}", points, "") for rate, points in loss.items()]
    return [rj.Plot("rates", "Training loss", "Cross-entropy.", "epochs", "training loss", curves)]


def judge(results) -> list:
    """Compares the epochs until everything is fitted."""
    groups = lesson.by_key(results, "learning_rate")
    epochs = {rate: lesson.epochs_to_loss(group, 0.1) for rate, group in groups.items()}
    claim = "A larger learning rate fits random labels sooner."
    outcome = "yes" if epochs[max(epochs)] < epochs[min(epochs)] else "no"
    return [lesson.verdict(results, claim, outcome, f"Epochs to a loss of 0.1: {epochs}")]


rj.LESSONS["own_lesson"] = rj.Lesson(plots, judge)


def get_config() -> ConfigDict:
    """One run for each learning rate."""
    config = rj.base_config()
    config.experiment, config.corruption, config.model = "own_lesson", "random_labels", "mlp_1x512"
    config.train_examples, config.batch_size, config.epochs = 300, 50, 40
    config.sweep = rj.runs([{"learning_rate": rate} for rate in (0.003, 0.03)])
    return config
