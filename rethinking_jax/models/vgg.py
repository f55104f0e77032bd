"""A small network in the style of VGG (Simonyan & Zisserman 2015)."""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from rethinking_jax.models.layers import RELU_INIT, ConvUnit, Dropout, classifier

_FEATURES = (64, 128, 256)
_HIDDEN = 512


class SmallVGG(nn.Module):
    """Three times two 3x3 convolutions and max pooling 2x2, then a hidden dense layer.

    VGG's first three grids with its channels; ours are batch norm, which came after it, two
    convolutions on the third grid (VGG has three), and the dense head of one hidden layer
    of 512. 3,248,202 parameters on 28x28x3 with 10 classes.

    Attributes:
      num_classes: number of logits.
      dropout_rate: of the hidden dense layer's activations, as in VGG.
      dtype: that convolutions and the hidden dense layer compute in.
    """

    num_classes: int
    dropout_rate: float | jax.Array = 0.0
    dtype: Any = jnp.float32
    convolutional: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        for features in _FEATURES:
            for _ in range(2):
                x = ConvUnit(features, 3, 1, True, self.dtype)(x, train=train)
            x = nn.max_pool(x, (2, 2), strides=(2, 2), padding="SAME")
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(nn.Dense(_HIDDEN, dtype=self.dtype, kernel_init=RELU_INIT)(x))
        x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)
