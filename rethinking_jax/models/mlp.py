"""Fully connected networks (paper, appendix A: MLP 1x512 and MLP 3x512)."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.errors import UserError
from rethinking_jax.models.layers import Dropout, classifier, hidden


class Linear(nn.Module):
    """One dense layer on the pixels in a row: a linear model.

    Attributes:
      num_classes: number of logits.
    """

    num_classes: int
    convolutional: ClassVar[bool] = False
    chain: ClassVar[bool] = True
    homogeneous: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        return classifier(self.num_classes)(x.reshape(x.shape[0], -1))


class MLP(nn.Module):
    """Dense layers with ReLU between them, on the pixels in a row.

    Attributes:
      num_classes: number of logits.
      hidden_sizes: widths of the hidden layers.
      dropout_rate: probability of zero, of every hidden layer's activations.
      dtype: type that the hidden layers compute in.
      sigmoid: whether two classes share one output z: logits (0, z), whose softmax is the
        sigmoid of z, and whose cross-entropy is the binary one.
    """

    num_classes: int
    hidden_sizes: tuple[int, ...]
    dropout_rate: float | jax.Array = 0.0
    dtype: DTypeLike = jnp.float32
    sigmoid: bool = False
    convolutional: ClassVar[bool] = False
    chain: ClassVar[bool] = True
    homogeneous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses one output for more than two classes.

        Raises:
          UserError: there are more.
        """
        if self.sigmoid and self.num_classes != 2:
            raise UserError(
                "model='mlp_sigmoid' has one output, for 2 classes, and the data set has "
                f"{self.num_classes}: take model='mlp'"
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = x.reshape(x.shape[0], -1)
        for width in self.hidden_sizes:
            x = nn.relu(hidden(x, width, self.dtype)).astype(self.dtype)
            x = Dropout(self.dropout_rate)(x, train=train)
        if not self.sigmoid:
            return classifier(self.num_classes)(x)
        z = classifier(1)(x)
        return jnp.concatenate([jnp.zeros_like(z), z], axis=-1)
