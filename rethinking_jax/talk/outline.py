"""The slides of the talk in their order, with the seconds that are spoken to each."""

from collections.abc import Callable

from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import (
    capacity,
    implicit,
    later,
    noise,
    opening,
    randomization,
    regularization,
)
from rethinking_jax.talk.material import Material
from rethinking_jax.talk.slide import Slide, Timed

# The seconds are 480 in all, 8 minutes.
SLIDES: tuple[tuple[Callable[[Material, Translate], Slide], int], ...] = (
    (opening.title, 10),
    (opening.question, 20),
    (opening.generalization, 15),
    (randomization.what, 20),
    (randomization.images, 15),
    (randomization.fitted, 25),
    (randomization.curves, 20),
    (noise.time, 15),
    (noise.error, 20),
    (randomization.architectures, 20),
    (capacity.rademacher, 25),
    (capacity.shattering, 20),
    (capacity.stability, 20),
    (capacity.theorem1, 20),
    (regularization.explicit, 25),
    (regularization.noise_despite, 20),
    (regularization.imagenet, 15),
    (regularization.early_stopping, 20),
    (regularization.batch_norm, 15),
    (implicit.least_norm, 20),
    (implicit.kernels, 15),
    (later.conclusion, 25),
    (later.memorization, 20),
    (later.double_descent, 20),
    (later.critique, 20),
)


def slides(found: Material, words: Translate) -> list[Timed]:
    """Returns every slide of the talk; one without numbers of ours says so."""
    return [Timed(make(found, words), seconds) for make, seconds in SLIDES]
