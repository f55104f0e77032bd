"""What a batch is trained to make small: the paper's cross-entropy, and losses that resist noise.

A loss is one line of `LOSSES` and a pure function of logits and labels. The robust ones answer
the question that the paper opened: what trains through wrong labels without learning them?
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

EARLY_MEMORY = 0.7  # the share of itself that a target of early-learning regularization keeps
CLOSEST = 1e-4  # a probability is kept this far from 0 and 1 where its logarithm is taken
GRADUAL_EPOCHS = 10  # the epochs in which co-teaching comes to drop its whole share


class Strength(NamedTuple):
    """What a run says of its loss.

    Attributes:
      value: float32, what `Loss.strength` is the default of.
      transition: float32 [k, k], the share of the true class (row) that has a label (column);
        [1, 1] for a loss that is not told.
    """

    value: jax.Array
    transition: jax.Array


# (logits float32 [b, k], labels int32 [b], strength) -> float32 [b].
OfExamples = Callable[[jax.Array, jax.Array, Strength], jax.Array]


class Loss(NamedTuple):
    """What a batch is trained to make small, and what it needs to know of a run.

    Attributes:
      doc: what it is, in a phrase.
      of: computes it.
      strength: its strength where a run names none; None where it has none.
      most: the largest strength; the least is 0.
      remembers: whether each example has a target that it moves, see `remembered`.
      pairs: whether two networks choose each other's examples, see `kept`.
      knows_noise: whether it is told which classes are confused, see `Strength.transition`.
    """

    doc: str
    of: OfExamples
    strength: float | None = None
    most: float = 1.0
    remembers: bool = False
    pairs: bool = False
    knows_noise: bool = False

    def chosen(self, strength: float | None) -> float:
        """Returns the strength of a run, from what its config says; 0 where the loss has none."""
        return (self.strength or 0.0) if strength is None else strength


def cross_entropy(logits: jax.Array, labels: jax.Array, strength: Strength) -> jax.Array:
    """Returns -log p(label)."""
    losses: jax.Array = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return losses


def squared(logits: jax.Array, labels: jax.Array, strength: Strength) -> jax.Array:
    """Returns the mean over classes of the squared distance of logits and one-hot label."""
    return jnp.mean((logits - jax.nn.one_hot(labels, logits.shape[-1])) ** 2, -1)


def generalized_cross_entropy(
    logits: jax.Array, labels: jax.Array, strength: Strength
) -> jax.Array:
    """Returns (1 - p(label)^q) / q (Zhang and Sabuncu 2018); at q = 0 it is cross-entropy."""
    plain = cross_entropy(logits, labels, strength)
    q = strength.value
    safe = jnp.where(q > 0, q, 1.0)
    return jnp.where(q > 0, -jnp.expm1(-safe * plain) / safe, plain)


def soft_bootstrap(logits: jax.Array, labels: jax.Array, strength: Strength) -> jax.Array:
    """Returns b times the cross-entropy and 1 - b times the entropy (Reed et al. 2015)."""
    log_p = jax.nn.log_softmax(logits)
    entropy = -jnp.sum(jnp.exp(log_p) * log_p, -1)
    b = strength.value
    return b * cross_entropy(logits, labels, strength) + (1 - b) * entropy


def hard_bootstrap(logits: jax.Array, labels: jax.Array, strength: Strength) -> jax.Array:
    """Returns the cross-entropy with the label (share b) and the prediction (Reed et al. 2015)."""
    own, b = jnp.argmax(logits, -1), strength.value
    return b * cross_entropy(logits, labels, strength) + (1 - b) * cross_entropy(
        logits, own, strength
    )


def forward_correction(logits: jax.Array, labels: jax.Array, strength: Strength) -> jax.Array:
    """Returns -log of the probability of the label after the noise (Patrini et al. 2017)."""
    to_label = jnp.log(strength.transition).T[labels]  # of each class, [b, k]
    return -jax.nn.logsumexp(jax.nn.log_softmax(logits) + to_label, axis=-1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("the paper's", cross_entropy),
    "squared": Loss("squared distance to the one-hot label", squared),
    "generalized_cross_entropy": Loss(
        "(1 - p^q) / q, loss_strength is q", generalized_cross_entropy, 0.7
    ),
    "soft_bootstrap": Loss(
        "the share loss_strength of the label, the rest of the prediction", soft_bootstrap, 0.95
    ),
    "hard_bootstrap": Loss("the same with the predicted class alone", hard_bootstrap, 0.8),
    "forward_correction": Loss(
        "cross-entropy after the noise, whose matrix is that of the run's labels",
        forward_correction,
        knows_noise=True,
    ),
    "early_learning": Loss(
        "cross-entropy and loss_strength times the regularization of Liu et al. (2020)",
        cross_entropy,
        3.0,
        most=1e6,
        remembers=True,
    ),
    "co_teaching": Loss(
        "two networks, each trained on the examples that the other finds easiest, without the "
        "share loss_strength (Han et al. 2018)",
        cross_entropy,
        0.2,
        pairs=True,
    ),
}


def remembered(logits: jax.Array, before: jax.Array) -> jax.Array:
    """Returns the targets of early-learning regularization after one more look at their examples.

    They are running averages of predictions, and no gradient flows into them.

    Args:
      logits: float32 [b, k].
      before: the targets so far, float32 [b, k], 0 at the start.
    """
    p = jnp.clip(jax.nn.softmax(jax.lax.stop_gradient(logits)), CLOSEST, 1 - CLOSEST)
    return EARLY_MEMORY * before + (1 - EARLY_MEMORY) * p / p.sum(-1, keepdims=True)


def early_learning(logits: jax.Array, targets: jax.Array) -> jax.Array:
    """Returns log(1 - <p, target>) of each example, float32 [b] (Liu et al. 2020, section 4)."""
    p = jnp.clip(jax.nn.softmax(logits), CLOSEST, 1 - CLOSEST)
    return jnp.log1p(-jnp.sum(p * targets, -1))


def kept(losses: jax.Array, share: jax.Array, epoch: jax.Array) -> jax.Array:
    """Returns the weights, of mean 1, of the examples that one network keeps for the other.

    Those with the smallest losses are kept; R(T) = 1 - min(T / 10, 1) share of them in epoch T
    (Han et al. 2018, algorithm 1).

    Args:
      losses: float32 [b], of the network that chooses.
      share: how much is dropped in the end, float32 in [0, 1).
      epoch: T, int32 from 1 on.
    """
    size = len(losses)
    remembered_share = 1 - share * jnp.minimum(epoch / GRADUAL_EPOCHS, 1.0)
    count = jnp.maximum(jnp.floor(remembered_share * size + CLOSEST), 1)
    rank = jnp.argsort(jnp.argsort(jax.lax.stop_gradient(losses)))
    return jnp.where(rank < count, size / count, 0.0)
