"""The paper's randomization tests: six settings, their curves and what became of each."""

import numpy as np

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import Lesson, curve, groups_of, note, over_epochs
from rethinking_jax.analysis.results import Group, Results, series
from rethinking_jax.analysis.verdicts import Verdict, verdicts
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

# The names of the paper's claims that the lecture makes, too.
CLAIMS = (
    "fitted_all",
    "fitted_random",
    "true_generalizes",
    "random_is_chance",
    "true_before_random",
)


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws the training loss of each setting; the legend has its final accuracies."""

    def name(group: Group) -> str:
        return translate(
            "{setting}: {train} / {test}",
            setting=translate(group.members[0]["corruption"].replace("_", " ")),
            train=text_of(np.mean(group.values("train_accuracy")), 2),
            test=text_of(np.mean(group.test_accuracy()), 2),
        )

    curves = [
        curve(name(group), over_epochs(group, "train_loss"), note(group, translate))
        for group in groups_of(results)
    ]
    title = translate("Training loss, and training / test accuracy at the end")
    caption = "Cross-entropy over the training set as the run sees it; in the legend accuracies."
    axes = translate("epochs"), translate("training loss")
    return [Plot("randomization", title, caption, *axes, curves)]


def judge(results: Results) -> list[Verdict]:
    """Judges the paper's own claims, as the report of other experiments does."""
    return verdicts(series(results), CLAIMS)


LESSON = Lesson(plots, judge)
