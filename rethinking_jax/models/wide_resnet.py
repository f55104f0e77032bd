"""Wide ResNet 28-1 (Zagoruyko & Komodakis 2016), of the paper's first author's demo."""

from typing import ClassVar

import flax.linen as nn
import jax

from rethinking_jax.models.layers import BATCH_NORM_MOMENTUM, CLASSIFIER_INIT, RELU_INIT, Dropout


def _conv(x: jax.Array, features: int, size: int, stride: int = 1) -> jax.Array:
    # The original pads by one on every side, which is not SAME where the stride is 2.
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=size // 2,
        use_bias=False,
        kernel_init=RELU_INIT,
    )(x)


def _norm_relu(x: jax.Array, train: bool) -> jax.Array:
    norm = nn.BatchNorm(use_running_average=not train, momentum=BATCH_NORM_MOMENTUM)
    return nn.relu(norm(x))


class PreActivationBlock(nn.Module):
    """Twice batch norm, ReLU, 3x3 convolution, beside a shortcut.

    Attributes:
      features: output channels.
      stride: of the first convolution and the shortcut.
    """

    features: int
    stride: int

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), features]."""
        shortcut = x
        x = _norm_relu(x, train)
        if self.stride != 1 or shortcut.shape[-1] != self.features:
            shortcut = _conv(x, self.features, 1, self.stride)
        x = _conv(x, self.features, 3, self.stride)
        x = _conv(_norm_relu(x, train), self.features, 3)
        return x + shortcut


class WideResNet(nn.Module):
    """Wide ResNet of depth 28 and widening factor 1; 369,498 parameters on 3 channels.

    Its logits mean nothing in eval mode before some training steps: only then do the
    running averages say what the residual sum has grown to.

    Attributes:
      num_classes: number of logits.
      dropout_rate: of the features before the classifier (the original has its dropout
        inside the blocks).
    """

    num_classes: int
    dropout_rate: float | jax.Array = 0.0
    convolutional: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = _conv(x, 16, 3)
        for features, first_stride in ((16, 1), (32, 2), (64, 2)):
            for block in range(4):
                stride = first_stride if block == 0 else 1
                x = PreActivationBlock(features, stride)(x, train=train)
        x = _norm_relu(x, train).mean(axis=(1, 2))
        x = Dropout(self.dropout_rate)(x, train=train)
        return nn.Dense(self.num_classes, kernel_init=CLASSIFIER_INIT)(x)
