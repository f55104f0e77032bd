"""The small Inception (paper, appendix A and figure 3)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from rethinking_jax.models.layers import ConvUnit, ImageModel, max_pool, pooled_logits


class SmallInception(ImageModel):
    """The small Inception.

    It has 1,649,402 parameters on any size of 3 channels with 10 classes. Dropout is on the
    features before the classifier.

    Attributes:
      batch_norm: whether there is batch norm; False is the paper's "Inception w/o BatchNorm".
    """

    batch_norm: bool = True

    @property
    def homogeneous(self) -> bool:  # type: ignore[override]
        """Whether it is made of sums, ReLU and maxima alone."""
        return not self.batch_norm

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""

        def conv(x: jax.Array, features: int, size: int, stride: int = 1) -> jax.Array:
            unit = ConvUnit(
                features, size, stride, self.batch_norm, self.dtype, for_cpu=self.for_cpu
            )
            return unit(x, train=train)

        def inception(x: jax.Array, narrow: int, wide: int) -> jax.Array:
            return jnp.concatenate([conv(x, narrow, 1), conv(x, wide, 3)], axis=-1)

        def downsample(x: jax.Array, features: int) -> jax.Array:
            pooled = max_pool(x, 3, 2, for_cpu=self.for_cpu)
            return jnp.concatenate([conv(x, features, 3, stride=2), pooled], axis=-1)

        x = conv(x, 96, 3)
        x = inception(x, 32, 32)
        x = inception(x, 32, 48)
        x = downsample(x, 80)
        x = inception(x, 112, 48)
        x = inception(x, 96, 64)
        x = inception(x, 80, 80)
        x = inception(x, 48, 96)
        x = downsample(x, 96)
        x = inception(x, 176, 160)
        x = inception(x, 176, 160)
        return pooled_logits(x, self, train)  # the average is over 7x7 for an image of 28x28
