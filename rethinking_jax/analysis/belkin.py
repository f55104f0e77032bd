"""Numbers of Belkin, Ma and Mandal (2018), arXiv 1802.01396, that a report puts beside ours.

Nothing here was measured by this package: Tables 6 and 7 are copied, and so is what the text says
of Tables 1 and 2. All are of MNIST, pixels from 0 to 1. Of the labels, training and test, a share
is drawn anew from all ten classes.
"""

from typing import NamedTuple

PAPER = "Belkin, Ma and Mandal (2018)"
DATASET, TEST_EXAMPLES = "mnist", 10_000
SIZES = (500, 1500, 3000, 7500, 15_000)


class Cell(NamedTuple):
    """A number of Table 6 or 7.

    Attributes:
      table: the table that it is in.
      learner: the learner, by its name here.
      noise: the probability with which a label is drawn anew.
      examples: the number of training examples.
      error: the test error, from 0 to 1.
    """

    table: str
    learner: str
    noise: float
    examples: int
    error: float


# In percent, for each number of training examples of `SIZES`; kernels interpolate.
_TABLES = {
    ("Table 6", 0.0): {
        "gaussian": (9.35, 5.49, 4.10, 2.64, 2.07),
        "laplacian": (11.27, 6.43, 4.94, 3.38, 2.39),
        "1-NN": (14.55, 9.53, 7.71, 5.76, 4.60),
        "5-NN": (16.68, 9.83, 7.47, 5.47, 4.32),
    },
    ("Table 7", 0.1): {
        "gaussian": (20.98, 16.32, 14.00, 13.01, 12.16),
        "laplacian": (21.08, 15.49, 13.85, 12.38, 11.41),
        "1-NN": (28.90, 24.72, 22.78, 21.90, 21.21),
        "5-NN": (25.37, 18.66, 16.05, 14.39, 13.06),
    },
}
CELLS = tuple(
    Cell(name, learner, noise, examples, round(error / 100, 4))
    for (name, noise), rows in _TABLES.items()
    for learner, errors in rows.items()
    for examples, error in zip(SIZES, errors, strict=True)
)


def cell(learner: str, noise: float, examples: int) -> Cell | None:
    """Returns what Table 6 or 7 has of a learner, if it has it."""
    found = (one for one in CELLS if one[1:4] == (learner, noise, examples))
    return next(found, None)
