"""The maxout network (Goodfellow et al. 2013) of permutation-invariant MNIST."""

from typing import ClassVar

import flax.linen as nn
import jax

from rethinking_jax.models.layers import Dropout, ImageModel, classifier, hidden

_UNITS = (240, 240)
_PIECES = 5
# The largest of five standard normal numbers has the second moment 1.80, where ReLU leaves
# 1/2: by He's argument the weights' variance is 1 / (1.80 fan_in) in place of 2 / fan_in.
_INIT = nn.initializers.variance_scaling(1 / 1.80, "fan_in", "truncated_normal")


class Maxout(ImageModel):
    """Two hidden layers of 240 units, each the largest of five linear functions.

    It has 3,115,210 parameters on 28x28x3 with 10 classes. Dropout is on the activations of both
    hidden layers; the bound on the norm of weights, of the original's set-up, is not here.
    """

    convolutional: ClassVar[bool] = False
    chain: ClassVar[bool] = True
    homogeneous: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes]."""
        x = x.reshape(x.shape[0], -1)
        for units in _UNITS:
            x = hidden(x, units * _PIECES, self.dtype, _INIT)
            x = x.reshape(x.shape[0], units, _PIECES).max(axis=-1).astype(self.dtype)
            x = Dropout(self.dropout_rate)(x, train=train)
        return classifier(self.num_classes)(x)
