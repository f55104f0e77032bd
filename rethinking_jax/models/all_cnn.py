"""All-CNN-C (Springenberg et al. 2015, Table 1): convolutions and nothing else."""

import flax.linen as nn
import jax

from rethinking_jax.models.layers import ConvUnit, Dropout, ImageModel, classifier

# (features, side of the kernel, stride); a stride of 2 stands for a pooling layer.
_LAYERS = (
    *((96, 3, 1), (96, 3, 1), (96, 3, 2)),
    *((192, 3, 1), (192, 3, 1), (192, 3, 2)),
    *((192, 3, 1), (192, 1, 1)),
)


class AllCNN(ImageModel):
    """Nine convolutions, two of them with stride 2 in place of pooling, and a global average.

    It has 1,369,738 parameters on 3 channels with 10 classes, as published. It differs from the
    original in three things: batch norm, whose shift takes the place of the bias; no ReLU on the
    logits before they are averaged; every convolution pads (there the seventh does not), so that
    images may have any size. Dropout follows both strided convolutions, where the original has a
    rate of 0.5 (it drops 0.2 of the input, too).
    """

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        for features, size, stride in _LAYERS:
            unit = ConvUnit(features, size, stride, dtype=self.dtype, for_cpu=self.for_cpu)
            x = unit(x, train=train)
            if stride == 2:
                x = Dropout(self.dropout_rate)(x, train=train)
        # On every place of the grid this is the last 1x1 convolution.
        return classifier(self.num_classes)(x).mean(axis=(1, 2))
