"""Which classes a data set has: those that it declares, else those that its labels show."""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.origin import Say
from rethinking_jax.errors import UserError


def shown_classes(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Returns the labels that count as classes where a data set declares none.

    A class whose training images are missing by chance lies between others; a label beyond
    those of the training images is more likely a mistake, so it is none.

    Args:
      train: the training labels, integers [n].
      test: the test labels, integers [m].

    Returns:
      The different labels from 0 on, sorted.
    """
    right = train[train >= 0]
    if not len(right):
        return right
    within = test[(test >= right.min()) & (test <= right.max())]
    return np.union1d(right, within)


def number_labels(name: str, split: str, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Returns the places of labels among the classes.

    Args:
      name: the data set, for the message.
      split: "train" or "test", for the message.
      labels: integers [n].
      classes: the labels that count, sorted, integers [k].

    Returns:
      Integers [n] in [0, k).

    Raises:
      UserError: a label is not among the classes.
    """
    wrong = np.flatnonzero(~np.isin(labels, classes))
    if len(wrong):
        classes_said = f"{classes[0]}..{classes[-1]}" if len(classes) else "from 0 on"
        raise UserError(
            f"dataset={name!r}: the label at index {wrong[0]} of the {split} split is "
            f"{labels[wrong[0]]}, outside the classes {classes_said}."
        )
    return np.searchsorted(classes, labels)


def say_classes(
    name: str, classes: np.ndarray, train: np.ndarray, class_names: Sequence[str], say: Say
) -> None:
    """Says how labels were numbered, and which classes have no training images.

    Args:
      name: the data set.
      classes: what each class is called in the data, integers [k].
      train: the training labels in [0, k).
      class_names: the classes' names.
      say: is given up to two lines.
    """
    if not np.array_equal(classes, np.arange(len(classes))):
        labels = one_line(", ".join(map(str, classes.tolist())))
        say(f"the labels of {name} are numbered from 0 to {len(classes) - 1}: they are {labels}")
    absent = np.flatnonzero(np.bincount(train, minlength=len(classes)) == 0)
    if len(absent):
        names = one_line(", ".join(class_names[k] for k in absent.tolist()))
        say(
            f"{name} has no training images of {len(absent)} of its {len(classes)} classes, from "
            f"which random labels are drawn too: {names}"
        )
