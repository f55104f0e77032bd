"""How precisely products and convolutions of float32 are computed.

On a TPU the default is one pass of bfloat16, and on GPUs since Ampere TF32, which keeps ten of the
23 bits of a float32. A CPU computes in float32 whatever is asked for.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import jax

Given = ParamSpec("Given")
Result = TypeVar("Result")

# What may be asked for, with JAX's names. "default" is what JAX's own flag says, and where it says
# nothing what is fastest on the device.
PRECISIONS = ("default", "tensorfloat32", "float32")


def precisely(precision: str, function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Makes a function whose products are computed in a precision when it is traced.

    Args:
      precision: one of `PRECISIONS`.
      function: what computes; its gradients have the precision, too.
    """
    if precision == "default":
        return function

    @wraps(function)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with jax.default_matmul_precision(precision):
            return function(*args, **kwargs)

    return called


def flagged(otherwise: str = "default") -> str:
    """Names the precision that JAX's flag asks for at this moment, `otherwise` if it is not set."""
    flag: str | None = jax.config.values["jax_default_matmul_precision"]
    return flag or otherwise


def effective(precision: str) -> str:
    """Names the precision that a program with `config.matmul_precision` has at this moment."""
    return flagged() if precision == "default" else precision
