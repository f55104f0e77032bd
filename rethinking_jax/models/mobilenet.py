"""A small MobileNet (Howard et al. 2017): depthwise separable convolutions."""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from rethinking_jax.models.layers import ConvUnit, Dropout, classifier

# (features, stride): MobileNet's blocks on its first three grids.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))


class SeparableBlock(nn.Module):
    """A 3x3 convolution of each channel alone, then a 1x1 convolution that mixes channels.

    Attributes:
      features: output channels.
      stride: of the first.
      dtype: that convolutions compute in, and the output's.
    """

    features: int
    stride: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), features]."""
        channels = x.shape[-1]
        each = ConvUnit(channels, 3, self.stride, True, self.dtype, groups=channels)
        return ConvUnit(self.features, 1, 1, True, self.dtype)(each(x, train=train), train=train)


class SmallMobileNet(nn.Module):
    """A 3x3 convolution, five depthwise separable blocks, a global average.

    MobileNet of width 1 as far as its sixth layer; ours is the first stride, 1 for 2, as
    images of 28x28 are small already. 135,306 parameters on 3 channels with 10 classes.

    Attributes:
      num_classes: number of logits.
      dropout_rate: of the features before the classifier.
      dtype: that convolutions compute in.
    """

    num_classes: int
    dropout_rate: float | jax.Array = 0.0
    dtype: Any = jnp.float32
    convolutional: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = ConvUnit(32, 3, 1, True, self.dtype)(x, train=train)
        for features, stride in _BLOCKS:
            x = SeparableBlock(features, stride, self.dtype)(x, train=train)
        x = x.mean(axis=(1, 2), dtype=jnp.float32)
        x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)
