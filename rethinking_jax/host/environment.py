"""Where an experiment ran: device and versions, for the record."""

import importlib.metadata
import os
import platform
from pathlib import Path

import jax

from rethinking_jax.errors import UserError
from rethinking_jax.host.memory import check_address_space

# Packages whose versions belong to a result.
PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "tensorflow-datasets",
    "ml-collections",
    "numpy",
)


def check_devices() -> None:
    """Refuses to begin on devices that are not there.

    Raises:
      UserError: JAX_PLATFORMS, or --jax_platforms, names what JAX does not find here, or this
        process may not have the memory to ask.
    """
    check_address_space()
    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:  # JAX leaves CUDA out, and then has nothing
        platforms = getattr(jax.config, "jax_platforms", None)
        why = str(error).split(" (set JAX_PLATFORMS")[0].rstrip(".") or "it says no more"
        raise UserError(
            f"JAX_PLATFORMS={platforms}: JAX finds no such device here ({why}). "
            "Leave it out to compute on what there is, or give cpu"
        ) from None


def describe_device() -> str:
    """Names the devices, such as "4 x NVIDIA H100" or "CPU (AMD EPYC 9B14, 2 cores)"."""
    devices = jax.devices()
    kind = devices[0].device_kind
    if devices[0].platform == "cpu":
        kind = f"CPU ({_processor()}, {os.cpu_count()} cores)"
    return kind if len(devices) == 1 else f"{len(devices)} x {kind}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Returns the versions of Python, of this package and of what its numbers rest on."""
    from rethinking_jax import __version__

    return {
        "python": platform.python_version(),
        "rethinking_jax": __version__,
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }
