"""The paper's randomization tests: six settings, their curves and what became of each."""

import numpy as np

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import Lesson, Say, curve, groups_of, note, over_epochs
from rethinking_jax.analysis.results import Group, Results, series
from rethinking_jax.analysis.verdicts import Verdict, verdicts

# Of the paper's claims those that the lecture makes.
CLAIMS = (
    "Every setting is fitted, noise as well as images.",
    "Random labels are fitted.",
    "Networks trained on true labels generalize.",
    "Networks trained on random labels test at chance.",
    "True labels are fitted before random labels.",
)


def plots(results: Results, say: Say) -> list[Plot]:
    """Training loss of each setting; its final accuracies in the legend."""

    def name(group: Group) -> str:
        return say(
            "{setting}: {train:.2f} / {test:.2f}",
            setting=say(group.members[0]["corruption"].replace("_", " ")),
            train=float(np.mean(group.values("train_accuracy"))),
            test=float(np.mean(group.test_accuracy())),
        )

    curves = [
        curve(name(group), over_epochs(group, "train_loss"), note(group, say))
        for group in groups_of(results)
    ]
    title = say("Training loss, and training / test accuracy at the end")
    caption = "Cross-entropy over the training set as the run sees it; in the legend accuracies."
    return [Plot("randomization", title, caption, say("epochs"), say("training loss"), curves)]


def judge(results: Results) -> list[Verdict]:
    """The paper's own claims, as its report judges them."""
    return [verdict for verdict in verdicts(series(results)) if verdict.claim in CLAIMS]


LESSON = Lesson(plots, judge)
