"""The ways to train through wrong labels that are compared: what each sets, and how strongly."""

from collections.abc import Callable
from typing import NamedTuple

from rethinking_jax.config import Overrides

PLAIN = "cross_entropy"
# Not trained by itself: the plain runs, ended where noisy held-out labels say so.
EARLY = "early_stopping"


class Method(NamedTuple):
    """One way to train.

    Attributes:
      keys: what a run sets, from the share of its labels that are wrong.
      paper: who proposed it.
    """

    keys: Callable[[float], Overrides]
    paper: str = ""


def _of_loss(name: str) -> Callable[[float], Overrides]:
    return lambda wrong: {"loss": name}


METHODS: dict[str, Method] = {
    # Of plain training alone the distance from the start is measured, for a claim about it.
    PLAIN: Method(lambda wrong: {"measures": "distance"}),
    "label_smoothing": Method(lambda wrong: {"label_smoothing": 0.1}, "Szegedy et al. 2016"),
    "dropout": Method(lambda wrong: {"dropout_rate": 0.5}, "Srivastava et al. 2014"),
    "mixup": Method(lambda wrong: {"mixup_alpha": 8.0}, "Zhang et al. 2018"),
    "soft_bootstrap": Method(_of_loss("soft_bootstrap"), "Reed et al. 2015"),
    "hard_bootstrap": Method(_of_loss("hard_bootstrap"), "Reed et al. 2015"),
    "generalized_cross_entropy": Method(
        _of_loss("generalized_cross_entropy"), "Zhang and Sabuncu 2018"
    ),
    "early_learning": Method(_of_loss("early_learning"), "Liu et al. 2020"),
    # It is told the share of wrong labels, as in its paper.
    "co_teaching": Method(
        lambda wrong: {"loss": "co_teaching", "loss_strength": min(wrong, 0.9)}, "Han et al. 2018"
    ),
    # It is told how classes are confused.
    "forward_correction": Method(_of_loss("forward_correction"), "Patrini et al. 2017"),
}
