"""Wide ResNet 28-1 (Zagoruyko & Komodakis 2016), of the paper's first author's demo."""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from rethinking_jax.models.layers import (
    BATCH_NORM_MOMENTUM,
    Dropout,
    classifier,
    residual_conv,
)


def _norm_relu(x: jax.Array, train: bool, dtype: Any) -> jax.Array:
    norm = nn.BatchNorm(use_running_average=not train, momentum=BATCH_NORM_MOMENTUM, dtype=dtype)
    return nn.relu(norm(x))


class PreActivationBlock(nn.Module):
    """Twice batch norm, ReLU, 3x3 convolution, beside a shortcut.

    Attributes:
      features: output channels.
      stride: of the first convolution and the shortcut.
      dtype: that convolutions compute in, and the output's.
    """

    features: int
    stride: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), features]."""
        shortcut = x
        x = _norm_relu(x, train, self.dtype)
        if self.stride != 1 or shortcut.shape[-1] != self.features:
            shortcut = residual_conv(x, self.features, 1, self.dtype, self.stride)
        x = residual_conv(x, self.features, 3, self.dtype, self.stride)
        x = residual_conv(_norm_relu(x, train, self.dtype), self.features, 3, self.dtype)
        return x + shortcut


class WideResNet(nn.Module):
    """Wide ResNet of depth 28 and widening factor 1; 369,498 parameters on 3 channels.

    Its logits mean nothing in eval mode before some training steps: only then do the
    running averages say what the residual sum has grown to.

    Attributes:
      num_classes: number of logits.
      dropout_rate: of the features before the classifier (the original has its dropout
        inside the blocks).
      dtype: that convolutions compute in.
    """

    num_classes: int
    dropout_rate: float | jax.Array = 0.0
    dtype: Any = jnp.float32
    convolutional: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = residual_conv(x, 16, 3, self.dtype)
        for features, first_stride in ((16, 1), (32, 2), (64, 2)):
            for block in range(4):
                stride = first_stride if block == 0 else 1
                x = PreActivationBlock(features, stride, self.dtype)(x, train=train)
        x = _norm_relu(x, train, self.dtype).mean(axis=(1, 2), dtype=jnp.float32)
        x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)
