"""The small AlexNet (paper, appendix A), which follows TensorFlow's CIFAR-10 tutorial."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from rethinking_jax.models import mixed_precision, pooling
from rethinking_jax.models.layers import RELU_INIT, Dropout, ImageModel, classifier, hidden

_RADIUS = 4
_BIAS = 1.0
_ALPHA = 0.001 / 9


class SmallAlexNet(ImageModel):
    """Two convolutions with pooling and local response normalization, three dense layers.

    It has 1,387,786 parameters on 28x28x3 with 10 classes. Dropout is on the activations of both
    hidden dense layers.
    """

    chain: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        for _ in range(2):
            fields = mixed_precision.conv_fields(self.dtype)
            x = nn.Conv(64, (5, 5), kernel_init=RELU_INIT, **fields)(x)
            x = nn.relu(x).astype(self.dtype)
            x = pooling.max_pool(x, 3, 2) if self.for_cpu else max_pool(x)
            x = local_response_normalization(x)
        x = x.reshape(x.shape[0], -1)
        for width in (384, 192):
            x = nn.relu(hidden(x, width, self.dtype)).astype(self.dtype)
            x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)


def max_pool(x: jax.Array) -> jax.Array:
    """Takes the largest of 3x3 places, stride 2, SAME, of rows first and then of columns.

    The values are those of `nn.max_pool`; where several are the largest, each gets a part
    of the gradient. A train step of the small AlexNet takes 260 ms so and 340 ms with
    `nn.max_pool` (2 CPU cores, batch 128), most of it in that pooling's gradient.

    Args:
      x: floating [b, h, w, c].

    Returns:
      The same dtype [b, ceil(h / 2), ceil(w / 2), c].
    """
    for axis in (1, 2):
        before = x.shape[axis]
        after = -(-before // 2)
        missing = 2 * after + 1 - before
        padding = [(0, 0)] * 4
        padding[axis] = (missing // 2, missing - missing // 2)
        padded = jnp.pad(x, padding, constant_values=-jnp.inf)
        first, second, third = (
            lax.slice_in_dim(padded, k, k + 2 * after - 1, stride=2, axis=axis) for k in range(3)
        )
        x = jnp.maximum(jnp.maximum(first, second), third)
    return x


def local_response_normalization(x: jax.Array) -> jax.Array:
    """Divides by a power of the energy in the neighbouring channels.

    It is what `tf.nn.local_response_normalization` defines, with the tutorial's constants:
    `x / (1 + alpha * s) ** 0.75`, where s is the sum (not the mean) of the squares over
    channels d - 4 to d + 4, those outside counted as zero.

    Args:
      x: float32 or bfloat16 [..., channels].

    Returns:
      The same dtype [..., channels]; computed in float32, for 1 + alpha * s would be 1 in
      bfloat16 up to s = 35.
    """
    given, x = x.dtype, x.astype(jnp.float32)
    ones = (1,) * (x.ndim - 1)
    padding = [(0, 0)] * (x.ndim - 1) + [(_RADIUS, _RADIUS)]
    energy = lax.reduce_window(x * x, 0.0, lax.add, (*ones, 2 * _RADIUS + 1), (*ones, 1), padding)
    # Square roots make root ** 1.5, with its gradient 3 times as fast on a CPU as a power. The
    # window is about 1.3 times as fast as a product with a banded matrix.
    root = lax.rsqrt(_BIAS + _ALPHA * energy)
    return (x * root * lax.sqrt(root)).astype(given)
