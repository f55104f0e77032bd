"""What the architectures share: how weights start, how batch norm averages."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

# The paper does not say how it initializes. He's normal, cut off at two deviations, keeps
# the second moment of the activations at that of the input through any number of ReLU
# layers, so that a net without batch norm starts alive too.
RELU_INIT = nn.initializers.he_normal()

# No ReLU follows the classifier: LeCun's, with a tenth of its variance. Logits of unit
# variance would start at a loss about 0.5 above that of a guess, ln(num_classes).
CLASSIFIER_INIT = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")

# Running averages forget with this factor per step. Figure 2b implies 0.99 or less at 391
# steps an epoch; small data sets have far fewer. On 528 digits (5 steps an epoch, 300 in
# all) small Inception takes random labels exactly in eval mode with 0.9 and 0.95; with 0.99
# its train accuracy reads 0.77, with 0.999 0.21, of the very same weights.
BATCH_NORM_MOMENTUM = 0.9


def classifier(num_classes: int) -> nn.Dense:
    """The last layer, to float32 logits, [b, features] to [b, num_classes].

    It computes in float32 whatever the rest does: the loss is made of logits, and from 16 on
    bfloat16 has steps of an eighth.
    """
    return nn.Dense(num_classes, dtype=jnp.float32, kernel_init=CLASSIFIER_INIT)


def residual_conv(x: jax.Array, features: int, size: int, dtype: Any, stride: int = 1) -> jax.Array:
    """A convolution of a residual network, [b, h, w, c] to [b, ceil(h / stride), ..., features].

    It pads by size // 2 on every side, as the originals do, which is not SAME where the
    stride is 2. Called within the `__call__` of a module, where its parameters belong.
    """
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=size // 2,
        use_bias=False,
        dtype=dtype,
        kernel_init=RELU_INIT,
    )(x)


class Dropout(nn.Module):
    """Sets a share of the features to zero in train mode and scales up the rest.

    As flax's, but its rate may be an array: a sweep over rates is one program.

    Attributes:
      rate: probability of zero, from 0 to below 1; a Python 0 draws nothing.
    """

    rate: float | jax.Array

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps an array of any shape to one of the same shape and dtype."""
        if not train or (isinstance(self.rate, float | int) and self.rate == 0):
            return x
        kept = 1.0 - self.rate
        mask = jax.random.bernoulli(self.make_rng("dropout"), kept, x.shape)
        return jnp.where(mask, x / kept, 0.0).astype(x.dtype)
