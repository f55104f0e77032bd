"""The architectures of the paper's experiments (appendix A), and others beside them, by name.

A model of one's own is a Flax Linen class and a line in `MODELS`. The class has a field
`num_classes` and a method `__call__(self, x, *, train)`, which maps images, float32 [b, h, w, c],
to logits, float32 [b, num_classes]. It may have more:

- a field `dropout_rate`, a number or an array (`layers.Dropout` takes either), for the key of a
  config of that name; likewise `dtype`, and `hidden_sizes`, a tuple of widths;
- a field `for_cpu`, which is True where it trains on one CPU device;
- a class attribute `convolutional`: False where the network is made of dense layers alone, which
  on a CPU trains faster in one loop with others. A class that does not say is taken to convolve;
- class attributes `chain` and `homogeneous`: True where its layers are what measures of norms take
  for granted (see `rethinking_jax.step.norms.NEEDS`). A class that does not say has no such norm.

Other fields need a default, or a value by `functools.partial`. With `train=True` a model draws
dropout by the rng "dropout" and may update the collection "batch_stats", so it is applied with
`rngs={"dropout": key}` and `mutable=["batch_stats"]`.
"""

import inspect
from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from rethinking_jax.errors import UserError, nearest
from rethinking_jax.models.alexnet import SmallAlexNet
from rethinking_jax.models.all_cnn import AllCNN
from rethinking_jax.models.inception import SmallInception
from rethinking_jax.models.inception_v3 import InceptionV3
from rethinking_jax.models.maxout import Maxout
from rethinking_jax.models.mlp import MLP, Linear
from rethinking_jax.models.mobilenet import SmallMobileNet
from rethinking_jax.models.resnet import ResNet
from rethinking_jax.models.vgg import SmallVGG
from rethinking_jax.models.wide_resnet import WideResNet

# A Linen class, with `partial` around it where some of its fields are fixed.
Architecture = Callable[..., nn.Module]

MODELS: dict[str, Architecture] = {
    "mlp_1x512": partial(MLP, hidden_sizes=(512,)),
    "mlp_3x512": partial(MLP, hidden_sizes=(512, 512, 512)),
    "mlp": MLP,
    "mlp_sigmoid": partial(MLP, sigmoid=True),
    "linear": Linear,
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

# float16 is left out, for its gradients underflow unless the loss is scaled.
DTYPES = ("float32", "bfloat16")


def create_model(
    model: str | Architecture,
    *,
    num_classes: int,
    hidden_sizes: tuple[int, ...] = (),
    dropout_rate: float = 0.0,
    dtype: DTypeLike = jnp.float32,
    for_cpu: bool = False,
) -> nn.Module:
    """Builds a model and gives it the fields that its class has.

    Args:
      model: a key of `MODELS`, or such a class itself.
      num_classes: number of logits.
      hidden_sizes: widths of the hidden layers; () where the class has its own.
      dropout_rate: from 0 (none) to below 1.
      dtype: one of `DTYPES`, by name or as a type: what convolutions and hidden dense layers
        compute in. Parameters, batch statistics, the classifier and its logits are float32.
      for_cpu: whether it trains on one CPU device, see `layers.ImageModel`.

    Returns:
      A Linen module: `module.apply(variables, x, train=...)` maps images, float32
      [b, h, w, c] of any size (inception_v3: from 75x75 on), to logits, float32
      [b, num_classes].

    Raises:
      UserError: the name is unknown, the model has no field for a value or cannot take it, or
        the class is no such model.
    """
    name = model if isinstance(model, str) else getattr(model, "__name__", repr(model))
    architecture = _find(model) if isinstance(model, str) else model
    if not 0 <= dropout_rate < 1:
        raise UserError(f"dropout_rate={dropout_rate} must be at least 0 and below 1")
    if (dtype_name := _dtype_name(dtype)) not in DTYPES:
        raise UserError(f"dtype={dtype_name!r} must be one of: {', '.join(DTYPES)}")
    fields = _free_fields(architecture)
    _check_widths(name, hidden_sizes, fields)
    for key, value, off in (("dropout_rate", dropout_rate, 0.0), ("dtype", dtype_name, "float32")):
        if key not in fields and value != off:
            raise UserError(
                f"{key}={value} has no effect on model={name!r}, whose class has no field {key}: "
                f"leave it at {off}"
            )
    given: dict[str, object] = {"num_classes": num_classes, "dropout_rate": dropout_rate}
    given |= {"dtype": jnp.dtype(dtype), "for_cpu": for_cpu}
    if hidden_sizes:
        given["hidden_sizes"] = tuple(hidden_sizes)
    return _build(name, architecture, fields, given)


def takes_widths(name: str) -> bool:
    """Says whether a model of `MODELS` has its widths from the key hidden_sizes."""
    return "hidden_sizes" in _free_fields(MODELS[name])


def convolves(model: nn.Module) -> bool:
    """Says whether a model is slow inside a loop on a CPU, as convolutions are.

    A class that does not say counts as one that convolves: its steps are taken one by one, which
    is right for every network and costs a small one some time.
    """
    return bool(getattr(model, "convolutional", True))


def having(attribute: str) -> list[str]:
    """Returns the names of the models of `MODELS` whose class has an attribute that is True."""
    classes = {name: getattr(made, "func", made) for name, made in MODELS.items()}
    return [name for name, own in classes.items() if getattr(own, attribute, False) is True]


def _find(name: str) -> Architecture:
    if name not in MODELS:
        raise UserError(
            f"model={name!r} is not known{nearest(name, MODELS)} (known: {', '.join(MODELS)})"
        )
    return MODELS[name]


def _free_fields(architecture: Architecture) -> dict[str, bool]:
    """Returns the fields that are not fixed yet, by name, and whether each needs a value."""
    fixed = architecture.keywords if isinstance(architecture, partial) else {}
    return {
        name: parameter.default is parameter.empty
        for name, parameter in inspect.signature(architecture).parameters.items()
        if name not in fixed
    }


def _check_widths(name: str, widths: tuple[int, ...], fields: dict[str, bool]) -> None:
    if "hidden_sizes" not in fields:
        if widths:
            others = " and ".join(other for other in MODELS if takes_widths(other))
            raise UserError(
                f"hidden_sizes={widths} has no effect on model={name!r}: it is for {others}"
            )
        return
    given = widths or not fields["hidden_sizes"]
    if not given or any(not isinstance(width, int) or width < 1 for width in widths):
        raise UserError(
            f"hidden_sizes={widths}: model={name!r} needs one or more widths of at least 1"
        )


def _build(
    name: str, architecture: Architecture, fields: dict[str, bool], given: dict[str, object]
) -> nn.Module:
    """Builds a model from those of the given values that it has fields for.

    Raises:
      UserError: a field has no value, or what is built is no model.
    """
    if "num_classes" not in fields:
        raise UserError(f"model={name!r} has no field num_classes, the number of its logits")
    missing = [key for key, needed in fields.items() if needed and key not in given]
    if missing:
        raise UserError(
            f"model={name!r} needs a value for {', '.join(missing)}: give the field a default, or "
            "its value by functools.partial"
        )
    made = architecture(**{key: value for key, value in given.items() if key in fields})
    if not isinstance(made, nn.Module):
        raise UserError(f"model={name!r} must be a class of flax.linen, not {type(made).__name__}")
    if "train" not in inspect.signature(made.__call__).parameters:
        raise UserError(
            f"model={name!r}: its __call__ must take the argument train, as in "
            "__call__(self, x, *, train)"
        )
    return made


def _dtype_name(dtype: DTypeLike) -> str:
    try:
        return jnp.dtype(dtype).name
    except TypeError:
        return str(dtype)
