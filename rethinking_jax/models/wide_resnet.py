"""Wide ResNet 28-1 (Zagoruyko & Komodakis 2016), of the paper's first author's demo."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.models.layers import (
    ImageModel,
    norm_relu,
    pooled_logits,
    residual_conv,
)


class PreActivationBlock(nn.Module):
    """Batch norm, ReLU and a 3x3 convolution, twice, beside a shortcut.

    Attributes:
      features: number of output channels.
      stride: step of the first convolution and of the shortcut.
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
        shortcut = x
        norm = partial(norm_relu, train=train, dtype=self.dtype, for_cpu=self.for_cpu)
        x = norm(x)
        if self.stride != 1 or shortcut.shape[-1] != self.features:
            shortcut = residual_conv(x, self.features, 1, self.dtype, self.stride)
        x = residual_conv(x, self.features, 3, self.dtype, self.stride)
        x = residual_conv(norm(x), self.features, 3, self.dtype)
        return x + shortcut


class WideResNet(ImageModel):
    """Wide ResNet of depth 28 and widening factor 1; 369,498 parameters on 3 channels.

    Its logits mean nothing in eval mode before some training steps: only then do the
    running averages say what the residual sum has grown to. Dropout is on the features before
    the classifier; the original has its dropout inside the blocks.
    """

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = residual_conv(x, 16, 3, self.dtype)
        for features, first_stride in ((16, 1), (32, 2), (64, 2)):
            for block in range(4):
                stride = first_stride if block == 0 else 1
                x = PreActivationBlock(features, stride, self.dtype, self.for_cpu)(x, train=train)
        x = norm_relu(x, train, dtype=self.dtype, for_cpu=self.for_cpu)
        return pooled_logits(x, self, train)
