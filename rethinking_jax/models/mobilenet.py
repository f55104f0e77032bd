"""A small MobileNet (Howard et al. 2017): depthwise separable convolutions."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.models.layers import ConvUnit, ImageModel, pooled_logits

# (features, stride): MobileNet's blocks on its first three grids.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))


class SeparableBlock(nn.Module):
    """A 3x3 convolution of each channel alone, then a 1x1 convolution that mixes channels.

    Attributes:
      features: number of output channels.
      stride: step of the first convolution.
      dtype: type that convolutions compute in, and that of the output.
      for_cpu: see `ImageModel`.
    """

    features: int
    stride: int
    dtype: DTypeLike = jnp.float32
    for_cpu: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), features]."""
        channels = x.shape[-1]
        unit = partial(ConvUnit, dtype=self.dtype, for_cpu=self.for_cpu)
        each = unit(channels, 3, self.stride, groups=channels)
        mixed = unit(self.features, 1)
        return mixed(each(x, train=train), train=train)


class SmallMobileNet(ImageModel):
    """A 3x3 convolution, five depthwise separable blocks, a global average.

    This is MobileNet of width 1 as far as its sixth layer, but for the first stride, which is 1
    in place of 2, as images of 28x28 are small already. It has 135,306 parameters on 3 channels
    with 10 classes. Dropout is on the features before the classifier.
    """

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = ConvUnit(32, 3, dtype=self.dtype, for_cpu=self.for_cpu)(x, train=train)
        for features, stride in _BLOCKS:
            x = SeparableBlock(features, stride, self.dtype, self.for_cpu)(x, train=train)
        return pooled_logits(x, self, train)
