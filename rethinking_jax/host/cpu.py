"""The CPU of the host, which JAX has beside an accelerator."""

from contextlib import AbstractContextManager, nullcontext

import jax


def on_cpu() -> AbstractContextManager[object]:
    """Makes a context in which JAX computes on the host's CPU, whatever the accelerator is.

    What the host asks for and takes back belongs there, above all a sort of a million numbers, such
    as the order of an epoch of ImageNet. It takes a core 0.7 s, and XLA half a minute to compile
    for a TPU. Draws have the same bits on every device. Where JAX was told to leave the CPU out
    (JAX_PLATFORMS=cuda), the context changes nothing.
    """
    try:
        (cpu, *_) = jax.local_devices(backend="cpu")
    except RuntimeError:
        return nullcontext()
    found: AbstractContextManager[object] = jax.default_device(cpu)
    return found
