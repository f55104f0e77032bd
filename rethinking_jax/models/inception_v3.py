"""Inception V3 (Szegedy et al. 2016), the network of the paper's ImageNet experiments."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.errors import UserError
from rethinking_jax.models.layers import ConvUnit, ImageModel, classifier, pooled_logits

SMALLEST = 75  # a smaller side leaves the last downsampling less than its 3x3 window

# It is called as conv(x, features, size, stride, padding) and returns the new x.
Conv = Callable[..., jax.Array]


class AuxiliaryHead(nn.Module):
    """A second classifier on the last 17x17 grid.

    Attributes:
      num_classes: number of logits.
      batch_norm_scale: whether batch norm has a scale, see `ConvUnit`.
      dtype: type that convolutions compute in.
    """

    num_classes: int
    batch_norm_scale: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps [b, h, w, c] to logits, float32 [b, num_classes]."""

        unit = partial(
            ConvUnit, padding="VALID", batch_norm_scale=self.batch_norm_scale, dtype=self.dtype
        )

        def conv(x: jax.Array, features: int, size: tuple[int, int]) -> jax.Array:
            return unit(features, size)(x, train=train)

        # The grid shrinks from 17x17 to 5x5 to 1x1; a window that finds less takes all there is.
        x = nn.avg_pool(x, _at_most(5, x), strides=(3, 3))
        x = conv(x, 128, (1, 1))
        x = conv(x, 768, _at_most(5, x))
        return classifier(self.num_classes)(x.mean(axis=(1, 2), dtype=jnp.float32))


class InceptionV3(ImageModel):
    """Inception V3; made for 299x299, it takes any size from 75x75 on.

    With 1,000 classes it has 23,817,352 parameters; 27,161,264 with batch_norm_scale and
    auxiliary (fewer on less than 299x299, where the auxiliary head has a smaller kernel). Dropout
    is on the features before the classifier.

    Attributes:
      auxiliary: whether there is an auxiliary head, in train mode alone. It changes no logits;
        its own go out as `self.sow("auxiliary", "logits", ...)`: with `mutable=["auxiliary"]`,
        `apply` returns {"auxiliary": {"logits": (float32 [b, num_classes],)}} beside them.
      batch_norm_scale: whether batch norm has a scale. Without one, as in the original, nothing
        is lost: ReLU lets a scale through to the weights behind it.
    """

    auxiliary: bool = False
    batch_norm_scale: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images, float32 [b, h, w, c], to logits, float32 [b, num_classes].

        The grids, [b, h', w', c'], go out as intermediates "stem" and "mixed_0" to "mixed_10".

        Raises:
          UserError: images of less than 75 pixels on a side.
        """
        if min(x.shape[1:3]) < SMALLEST:
            raise UserError(
                f"model='inception_v3' needs images of {SMALLEST}x{SMALLEST} or more, not "
                f"{x.shape[1]}x{x.shape[2]}"
            )

        unit = partial(ConvUnit, batch_norm_scale=self.batch_norm_scale, dtype=self.dtype)

        def conv(
            x: jax.Array,
            features: int,
            size: int | tuple[int, int],
            stride: int = 1,
            padding: str = "SAME",
        ) -> jax.Array:
            return unit(features, size, stride, padding=padding)(x, train=train)

        x = _stem(conv, x)
        self.sow("intermediates", "stem", x)
        for i, block in enumerate(_BLOCKS):
            x = block(conv, x)
            self.sow("intermediates", f"mixed_{i}", x)
            # The head needs its parameters, though `init` runs in eval mode.
            if i == 7 and self.auxiliary and (train or self.is_initializing()):
                head = AuxiliaryHead(self.num_classes, self.batch_norm_scale, self.dtype)
                logits = head(x, train=train)
                if not self.is_initializing():
                    self.sow("auxiliary", "logits", logits)
        return pooled_logits(x, self, train)


def _stem(conv: Conv, x: jax.Array) -> jax.Array:
    """Maps 299x299x3 to 35x35x192."""
    x = conv(x, 32, 3, 2, "VALID")
    x = conv(x, 32, 3, 1, "VALID")
    x = _halve(conv(x, 64, 3))
    x = conv(x, 80, 1)
    return _halve(conv(x, 192, 3, 1, "VALID"))


def _mixed_35(conv: Conv, x: jax.Array, pooled: int) -> jax.Array:
    """Maps 35x35 to 224 + pooled channels on the same grid."""
    return _beside(
        conv(x, 64, 1),
        conv(conv(x, 48, 1), 64, 5),
        conv(conv(conv(x, 64, 1), 96, 3), 96, 3),
        conv(_average(x), pooled, 1),
    )


def _mixed_35_to_17(conv: Conv, x: jax.Array) -> jax.Array:
    """Maps 35x35x288 to 17x17x768."""
    return _beside(
        conv(x, 384, 3, 2, "VALID"),
        conv(conv(conv(x, 64, 1), 96, 3), 96, 3, 2, "VALID"),
        _halve(x),
    )


def _mixed_17(conv: Conv, x: jax.Array, n: int) -> jax.Array:
    """Maps 17x17x768 to itself: 7x7 convolutions as a row and a column, n channels between."""
    row, column = (1, 7), (7, 1)

    def twice(x: jax.Array) -> jax.Array:
        x = conv(conv(conv(x, n, 1), n, column), n, row)
        return conv(conv(x, n, column), 192, row)

    return _beside(
        conv(x, 192, 1),
        conv(conv(conv(x, n, 1), n, row), 192, column),
        twice(x),
        conv(_average(x), 192, 1),
    )


def _mixed_17_to_8(conv: Conv, x: jax.Array) -> jax.Array:
    """Maps 17x17x768 to 8x8x1280."""
    return _beside(
        conv(conv(x, 192, 1), 320, 3, 2, "VALID"),
        conv(conv(conv(conv(x, 192, 1), 192, (1, 7)), 192, (7, 1)), 192, 3, 2, "VALID"),
        _halve(x),
    )


def _mixed_8(conv: Conv, x: jax.Array) -> jax.Array:
    """Maps 8x8 to 2048 channels: 3x3 convolutions as a row beside a column."""

    def fork(x: jax.Array) -> jax.Array:
        return _beside(conv(x, 384, (1, 3)), conv(x, 384, (3, 1)))

    return _beside(
        conv(x, 320, 1),
        fork(conv(x, 384, 1)),
        fork(conv(conv(x, 448, 1), 384, 3)),
        conv(_average(x), 192, 1),
    )


_BLOCKS: tuple[Callable[[Conv, jax.Array], jax.Array], ...] = (
    *(partial(_mixed_35, pooled=pooled) for pooled in (32, 64, 64)),
    _mixed_35_to_17,
    *(partial(_mixed_17, n=n) for n in (128, 160, 160, 192)),
    _mixed_17_to_8,
    *(_mixed_8, _mixed_8),
)


def _beside(*parts: jax.Array) -> jax.Array:
    return jnp.concatenate(parts, axis=-1)


def _halve(x: jax.Array) -> jax.Array:
    pooled: jax.Array = nn.max_pool(x, (3, 3), strides=(2, 2))
    return pooled


def _average(x: jax.Array) -> jax.Array:
    # At the edges TensorFlow averages the pixels there are, without zeros beside them.
    mean: jax.Array = nn.avg_pool(x, (3, 3), padding="SAME", count_include_pad=False)
    return mean.astype(x.dtype)  # flax divides by float32


def _at_most(size: int, x: jax.Array) -> tuple[int, int]:
    return min(size, x.shape[1]), min(size, x.shape[2])
