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


class ConvUnit(nn.Module):
    """Convolution, batch norm, ReLU: the "conv module" of the paper's figure 3.

    Attributes:
      features: output channels.
      size: side of the kernel.
      stride: in both directions.
      batch_norm: False leaves it out and gives the convolution a bias: the number of
        parameters is the same, for batch norm has a shift and no scale (TF-slim's default).
      dtype: that the convolution computes in, and the output's.
      groups: that channels are parted into; each output channel sees its own group alone. As
        many as channels: a depthwise convolution.
    """

    features: int
    size: int
    stride: int
    batch_norm: bool
    dtype: Any = jnp.float32
    groups: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), features]."""
        # 1x1 as a matrix product (nn.Dense) was no faster: 0.93 to 1.05 times the speed
        # of the whole train step on 2 CPU cores.
        x = nn.Conv(
            self.features,
            (self.size, self.size),
            strides=self.stride,
            use_bias=not self.batch_norm,
            dtype=self.dtype,
            kernel_init=RELU_INIT,
            feature_group_count=self.groups,
        )(x)
        if self.batch_norm:
            x = nn.BatchNorm(
                use_running_average=not train,
                momentum=BATCH_NORM_MOMENTUM,
                epsilon=1e-3,  # TF-slim's default
                use_scale=False,
                dtype=self.dtype,
            )(x)
        return nn.relu(x)


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
