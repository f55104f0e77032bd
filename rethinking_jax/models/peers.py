"""Two networks of one kind that learn side by side, as co-teaching has them."""

from typing import Any

import flax.linen as nn
import jax

from rethinking_jax.models.initializers import OWN, redrawn

PARTS = ("first", "second")


class Peers(nn.Module):
    """Two networks; the first is the one that is evaluated.

    In train mode the logits of the second go out as `self.sow("peer", "logits", ...)`: with
    `mutable=["peer"]`, `apply` returns them beside those of the first.

    Attributes:
      network: what each of the two is.
      dropout_rate: that of both, which takes the place of the network's own.
    """

    network: nn.Module
    dropout_rate: float | jax.Array = 0.0

    @property
    def convolutional(self) -> bool:
        """Whether the networks convolve."""
        return bool(getattr(self.network, "convolutional", True))

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images [b, h, w, c] to the logits of the first network, float32 [b, classes]."""
        network = self.network
        if getattr(network, "dropout_rate", 0):  # one without dropout stays without
            network = network.clone(dropout_rate=self.dropout_rate)
        first, second = (network.clone(parent=self, name=name) for name in PARTS)
        logits: jax.Array = first(x, train=train)
        if train or self.is_initializing():
            self.sow("peer", "logits", second(x, train=train))
        return logits


def initial_variables(
    model: nn.Module, key: jax.Array, images: jax.Array, initializer: str = OWN
) -> dict[str, Any]:
    """Returns the variables of a network at its start, by the names of their collections.

    Of two peers the first starts as it would alone, the second from another key.

    Args:
      model: a network, or two peers.
      key: the key that it draws from.
      images: floating [b, h, w, c], of the shape of its input.
      initializer: see `rethinking_jax.models.initializers.redrawn`.
    """

    def start(network: nn.Module, own: jax.Array) -> dict[str, Any]:
        variables = dict(network.init(own, images, train=False))
        return {**variables, "params": redrawn(initializer, own, variables["params"])}

    if not isinstance(model, Peers):
        return start(model, key)
    each = [start(model.network, own) for own in (key, jax.random.fold_in(key, 1))]
    return {name: dict(zip(PARTS, (own[name] for own in each), strict=True)) for name in each[0]}


def evaluated(model: nn.Module, params: Any) -> tuple[nn.Module, Any]:
    """Returns the network that is evaluated, and its parameters: of two peers the first."""
    return (model.network, params[PARTS[0]]) if isinstance(model, Peers) else (model, params)
