"""Whether PyTorch can take part; it is not imported where it cannot."""

import importlib.util

# The models that `torch_models` has.
MODELS = ("mlp_1x512", "mlp_3x512", "alexnet_small", "inception_small")


def why_not(model: str, backend: str) -> str:
    """Returns why PyTorch sits out, or "" where it does not.

    Args:
      model: a name of `rethinking_jax.models`.
      backend: JAX's backend, "cpu", "gpu" or "tpu".
    """
    if model not in MODELS:
        return f"there is no PyTorch model {model} here"
    if importlib.util.find_spec("torch") is None:
        return "PyTorch is not installed: pip install '.[bench]'"
    if backend == "tpu":
        return "PyTorch does not run on this TPU"
    if backend == "gpu":
        import torch

        if not torch.cuda.is_available():
            return "JAX has a GPU and this PyTorch has none"
    return ""
