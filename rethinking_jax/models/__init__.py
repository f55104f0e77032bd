"""The architectures of the paper's experiments (appendix A), and others beside them, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from rethinking_jax.errors import UserError, nearest
from rethinking_jax.models.alexnet import SmallAlexNet
from rethinking_jax.models.all_cnn import AllCNN
from rethinking_jax.models.inception import SmallInception
from rethinking_jax.models.inception_v3 import InceptionV3
from rethinking_jax.models.maxout import Maxout
from rethinking_jax.models.mlp import MLP
from rethinking_jax.models.mobilenet import SmallMobileNet
from rethinking_jax.models.resnet import ResNet
from rethinking_jax.models.vgg import SmallVGG
from rethinking_jax.models.wide_resnet import WideResNet

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp_1x512": partial(MLP, hidden_sizes=(512,)),
    "mlp_3x512": partial(MLP, hidden_sizes=(512, 512, 512)),
    "mlp": MLP,
    "mlp_sigmoid": partial(MLP, sigmoid=True),
    "linear": partial(MLP, hidden_sizes=()),
    "alexnet_small": SmallAlexNet,
    "inception_small": SmallInception,
    "inception_small_no_bn": partial(SmallInception, batch_norm=False),
    "wide_resnet_28_1": WideResNet,
    "vgg_small": SmallVGG,
    "all_cnn": AllCNN,
    "mobilenet_small": SmallMobileNet,
    "maxout": Maxout,
    "inception_v3": InceptionV3,
    "inception_v3_aux": partial(InceptionV3, auxiliary=True),
    "resnet_50": ResNet,
}

# Their widths are given; the others have their own.
WITH_WIDTHS = ("mlp", "mlp_sigmoid")
# Not float16: its gradients underflow unless the loss is scaled.
DTYPES = ("float32", "bfloat16")


def create_model(
    name: str,
    *,
    num_classes: int,
    hidden_sizes: tuple[int, ...] = (),
    dropout_rate: float = 0.0,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """Builds the model of a name.

    Args:
      name: a key of `MODELS`.
      num_classes: number of logits.
      hidden_sizes: widths of the hidden layers; for `WITH_WIDTHS`, and needed there.
      dropout_rate: from 0 (none) to below 1; acts in every model with a hidden layer.
      dtype: one of `DTYPES`, by name or as a type: what convolutions and hidden dense layers
        compute in. Parameters, batch statistics, the classifier and its logits are float32.

    Returns:
      A Linen module: `module.apply(variables, x, train=...)` maps images, float32
      [b, h, w, c] of any size (inception_v3: from 75x75 on), to logits, float32
      [b, num_classes]. With `train=True` it needs the rng "dropout" where dropout_rate > 0,
      and `mutable=["batch_stats"]` where it has batch norm. `module.convolutional` says
      whether it is slow inside a loop on a CPU.

    Raises:
      UserError: unknown name, or a value that the model cannot take.
    """
    if name not in MODELS:
        raise UserError(
            f"model={name!r} is not known{nearest(name, MODELS)} (known: {', '.join(MODELS)})"
        )
    if not 0 <= dropout_rate < 1:
        raise UserError(f"dropout_rate={dropout_rate} must be at least 0 and below 1")
    if (dtype_name := _dtype_name(dtype)) not in DTYPES:
        raise UserError(f"dtype={dtype_name!r} must be one of: {', '.join(DTYPES)}")
    if name == "linear" and (dropout_rate or dtype_name != "float32"):
        raise UserError(
            f"dropout_rate={dropout_rate}, dtype={dtype_name} have no effect on model='linear', "
            "which has no hidden layer: leave them at 0 and float32"
        )
    if name == "mlp_sigmoid" and num_classes != 2:
        raise UserError(
            f"model='mlp_sigmoid' has one output, for 2 classes, and the data set has "
            f"{num_classes}: take model='mlp'"
        )
    if name in WITH_WIDTHS:
        if not hidden_sizes or any(not isinstance(w, int) or w < 1 for w in hidden_sizes):
            raise UserError(
                f"hidden_sizes={hidden_sizes}: model={name!r} needs one or more widths of at "
                "least 1"
            )
        widths = {"hidden_sizes": tuple(hidden_sizes)}
    elif hidden_sizes:
        raise UserError(
            f"hidden_sizes={hidden_sizes} has no effect on model={name!r}: it is for "
            f"{' and '.join(WITH_WIDTHS)}"
        )
    else:
        widths = {}
    return MODELS[name](
        num_classes=num_classes, dropout_rate=dropout_rate, dtype=jnp.dtype(dtype), **widths
    )


def _dtype_name(dtype: Any) -> str:
    try:
        return jnp.dtype(dtype).name
    except TypeError:
        return str(dtype)
