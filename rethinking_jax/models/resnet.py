"""ResNet-50 (He et al. 2016) in its version 1.5, the usual yardstick on ImageNet."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.models.layers import (
    BATCH_NORM_MOMENTUM,
    ImageModel,
    pooled_logits,
    residual_conv,
)


def _norm(x: jax.Array, train: bool, dtype: DTypeLike, zero: bool = False) -> jax.Array:
    norm = nn.BatchNorm(
        use_running_average=not train,
        # 0.9 is what the published results of this network were made with (Goyal et al. 2017).
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=1e-5,
        scale_init=nn.initializers.zeros if zero else nn.initializers.ones,
        dtype=dtype,
    )
    normal: jax.Array = norm(x)
    return normal


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution beside a shortcut.

    Attributes:
      features: number of channels inside; four times as many come out.
      stride: step of the 3x3 convolution (in version 1 of the first 1x1, which then skips three
        quarters of its input) and of the shortcut.
      dtype: type that convolutions compute in, and that of the output.
    """

    features: int
    stride: int = 1
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to [b, ceil(h / stride), ceil(w / stride), 4 * features]."""
        wide = 4 * self.features
        y = nn.relu(_norm(residual_conv(x, self.features, 1, self.dtype), train, self.dtype))
        y = residual_conv(y, self.features, 3, self.dtype, self.stride)
        y = nn.relu(_norm(y, train, self.dtype))
        # With a last scale of zero every block starts as its shortcut alone: the sum over
        # blocks does not grow with their number, so large batches and learning rates start
        # without blowing up (Goyal et al. 2017, section 5.1).
        y = _norm(residual_conv(y, wide, 1, self.dtype), train, self.dtype, zero=True)
        if self.stride != 1 or x.shape[-1] != wide:
            x = _norm(residual_conv(x, wide, 1, self.dtype, self.stride), train, self.dtype)
        return nn.relu(x + y)


class ResNet(ImageModel):
    """ResNet of bottleneck blocks; made for 224x224, it takes any size.

    It has 25,557,032 parameters with 50 layers and 1,000 classes. Dropout is on the features
    before the classifier; the original has none.

    Attributes:
      stage_sizes: number of blocks on each grid, each half as large and twice as wide as the one
        before; (3, 4, 6, 3) makes 50 layers.
    """

    stage_sizes: tuple[int, ...] = (3, 4, 6, 3)

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = nn.relu(_norm(residual_conv(x, 64, 7, self.dtype, 2), train, self.dtype))
        x = nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
        for stage, blocks in enumerate(self.stage_sizes):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                x = Bottleneck(64 * 2**stage, stride, self.dtype)(x, train=train)
        return pooled_logits(x, self, train)
