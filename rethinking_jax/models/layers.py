"""What the architectures share: fields, layers, how weights start, how batch norm averages."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.models import convolution, mixed_precision, normalization, pooling

# The paper does not say how it initializes. He's normal, cut off at two deviations, keeps
# the second moment of the activations at that of the input through any number of ReLU
# layers, so that a net without batch norm starts alive too.
RELU_INIT = nn.initializers.he_normal()

# No ReLU follows the classifier, so it starts as LeCun's, with a tenth of the variance. Logits of
# unit variance would start at a loss about 0.5 above that of a guess, ln(num_classes).
CLASSIFIER_INIT = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")

# Running averages keep this share of themselves in each step. Figure 2b implies 0.99 or less at 391
# steps an epoch; small data sets have far fewer. On 528 digits (5 steps an epoch, 300 in
# all) small Inception takes random labels exactly in eval mode with 0.9 and 0.95; with 0.99
# its train accuracy reads 0.77, with 0.999 0.21, of the very same weights. On ImageNet TF-slim's
# 0.9997 would look 3,333 steps back, two thirds of an epoch at batch 256.
BATCH_NORM_MOMENTUM = 0.9


class ImageModel(nn.Module):
    """The fields that the models here have in common.

    Attributes:
      num_classes: number of logits.
      dropout_rate: probability that training sets a feature to zero; each class says where.
      dtype: type that convolutions and hidden dense layers compute in.
      for_cpu: whether it trains on one CPU device, where some layers are faster with gradients of
        their own. The values are the same but for rounding; elsewhere XLA's gradients are faster.
      convolutional: whether the model convolves, which is slow inside a loop on a CPU.
      chain, homogeneous: what its layers are to each other, see `rethinking_jax.step.norms.NEEDS`.
    """

    num_classes: int
    dropout_rate: float | jax.Array = 0.0
    dtype: DTypeLike = jnp.float32
    for_cpu: bool = False
    convolutional: ClassVar[bool] = True
    chain: ClassVar[bool] = False
    homogeneous: ClassVar[bool] = False


def hidden(
    x: jax.Array, width: int, dtype: DTypeLike, kernel_init: nn.initializers.Initializer = RELU_INIT
) -> jax.Array:
    """Maps [b, features] to [b, width] by a dense layer that computes in a dtype.

    In bfloat16 the result is float32: cast what is made of it. It is called within the `__call__`
    of a module, where its parameters belong.
    """
    return nn.Dense(width, kernel_init=kernel_init, **mixed_precision.dense_fields(dtype))(x)


def classifier(num_classes: int) -> nn.Dense:
    """Makes the last layer, which maps [b, features] to float32 logits [b, num_classes].

    It computes in float32 whatever the rest does: the loss is made of logits, and from 16 on
    bfloat16 has steps of an eighth.
    """
    return nn.Dense(num_classes, dtype=jnp.float32, kernel_init=CLASSIFIER_INIT)


def pooled_logits(x: jax.Array, model: ImageModel, train: bool) -> jax.Array:
    """Maps features [b, h, w, c] to logits [b, classes]: global average, dropout, classifier.

    It is called within the `__call__` of the model, where its parameters belong.
    """
    x = x.mean(axis=(1, 2), dtype=jnp.float32)
    x = Dropout(model.dropout_rate)(x, train=train)
    return classifier(model.num_classes)(x)


def residual_conv(
    x: jax.Array, features: int, size: int, dtype: DTypeLike, stride: int = 1
) -> jax.Array:
    """Convolves as residual networks do, [b, h, w, c] to [b, ceil(h / stride), ..., features].

    It pads by size // 2 on every side, as the originals do, which is not SAME where the
    stride is 2. It is called within the `__call__` of a module, where its parameters belong.
    """
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=size // 2,
        use_bias=False,
        kernel_init=RELU_INIT,
        **mixed_precision.conv_fields(dtype),
    )(x)


def norm_relu(
    x: jax.Array,
    train: bool,
    *,
    dtype: DTypeLike,
    epsilon: float = 1e-5,
    use_scale: bool = True,
    for_cpu: bool = False,
) -> jax.Array:
    """Normalizes [b, h, w, c] by batch norm, and takes the ReLU; the result has the type `dtype`.

    It is called within the `__call__` of a module, where its parameters belong.
    """
    if for_cpu and train:
        return normalization.BatchNorm(BATCH_NORM_MOMENTUM, epsilon, use_scale)(x.astype(dtype))
    norm = nn.BatchNorm(
        use_running_average=not train,
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=epsilon,
        use_scale=use_scale,
        dtype=dtype,
    )
    return nn.relu(norm(x))


def max_pool(
    x: jax.Array, size: int, stride: int, padding: str = "SAME", for_cpu: bool = False
) -> jax.Array:
    """Takes the largest of size x size places: [b, h, w, c] to [b, h', w', c]."""
    if for_cpu:
        return pooling.max_pool(x, size, stride, padding)
    pooled: jax.Array = nn.max_pool(x, (size, size), strides=(stride, stride), padding=padding)
    return pooled


class ConvUnit(nn.Module):
    """A convolution, batch norm and ReLU: the "conv module" of the paper's figure 3.

    Attributes:
      features: number of output channels.
      size: side of the kernel, or its (height, width).
      stride: step of the kernel in both directions.
      batch_norm: whether there is batch norm. Without it the convolution has a bias: the number
        of parameters is the same, for batch norm has a shift and no scale (TF-slim's default).
      dtype: type that the convolution computes in, and that of the output.
      groups: number of groups of channels; each output channel sees its own group alone. As
        many groups as channels make a depthwise convolution.
      padding: "SAME" or "VALID".
      batch_norm_scale: whether batch norm has a scale beside its shift.
      for_cpu: see `ImageModel`.
    """

    features: int
    size: int | tuple[int, int]
    stride: int = 1
    batch_norm: bool = True
    dtype: DTypeLike = jnp.float32
    groups: int = 1
    padding: str = "SAME"
    batch_norm_scale: bool = False
    for_cpu: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, h', w', features]; "SAME" makes h' = ceil(h / stride)."""
        # A 1x1 convolution as a matrix product (nn.Dense) was no faster: 0.93 to 1.05 times the
        # speed of the whole train step on 2 CPU cores.
        x = nn.Conv(
            self.features,
            (self.size, self.size) if isinstance(self.size, int) else self.size,
            strides=self.stride,
            padding=self.padding,
            use_bias=not self.batch_norm,
            kernel_init=RELU_INIT,
            feature_group_count=self.groups,
            **_conv_fields(self.dtype, self.for_cpu),
        )(x)
        if not self.batch_norm:
            return nn.relu(x).astype(self.dtype)
        return norm_relu(
            x,
            train,
            dtype=self.dtype,
            epsilon=1e-3,  # the default of TF-slim
            use_scale=self.batch_norm_scale,
            for_cpu=self.for_cpu,
        )


def _conv_fields(dtype: DTypeLike, for_cpu: bool) -> mixed_precision.ConvFields:
    if for_cpu:
        return {"dtype": dtype, "conv_general_dilated": convolution.conv_general_dilated}
    return mixed_precision.conv_fields(dtype)


class Dropout(nn.Module):
    """Sets a share of the features to zero in train mode and scales up the rest.

    It differs from flax's in that its rate may be an array: a sweep over rates is one program.

    Attributes:
      rate: probability of zero, from 0 to below 1; with a Python 0 nothing is drawn.
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
