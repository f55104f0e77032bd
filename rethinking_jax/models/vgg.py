"""A small network in the style of VGG (Simonyan & Zisserman 2015)."""

import flax.linen as nn
import jax

from rethinking_jax.models.layers import (
    ConvUnit,
    Dropout,
    ImageModel,
    classifier,
    hidden,
    max_pool,
)

_FEATURES = (64, 128, 256)
_HIDDEN = 512


class SmallVGG(ImageModel):
    """Three times two 3x3 convolutions and max pooling 2x2, then a hidden dense layer.

    It has VGG's first three grids with its channels. It differs from VGG in batch norm, which came
    later, in two convolutions on the third grid (VGG has three), and in a dense head of one hidden
    layer of 512. It has 3,248,202 parameters on 28x28x3 with 10 classes. Dropout is on the
    hidden dense layer's activations, as in VGG.
    """

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        for features in _FEATURES:
            for _ in range(2):
                x = ConvUnit(features, 3, dtype=self.dtype, for_cpu=self.for_cpu)(x, train=train)
            x = max_pool(x, 2, 2, for_cpu=self.for_cpu)
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(hidden(x, _HIDDEN, self.dtype)).astype(self.dtype)
        x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)
