"""From the name of a slice of TPUs, or of some GPUs, to devices that programs are compiled for."""

import importlib.metadata
import importlib.util
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import jax

from rethinking_jax.aot.chips import CHIPS, GPU_SHARE, Chip
from rethinking_jax.errors import UserError, first_line
from rethinking_jax.host.packages import install
from rethinking_jax.sweep.mesh import processes_of

KNOWN = "v5e-8, v5e:2x4, v4:2x2x4, v6e-8 or h100x8"
GPUS_OF_HOST = 8
# The slices of two dimensions that can be had, by their number of chips.
FLAT = {1: (1, 1), 4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8), 64: (8, 8), 128: (8, 16),
        256: (16, 16)}  # fmt: skip


class Slice(NamedTuple):
    """Some chips that work together.

    Attributes:
      name: as it was given.
      chip: what each of them is.
      shape: how many there are along each axis of their network, for GPUs (hosts, GPUs of each).
      devices: the devices that programs are compiled for, one for each chip.
    """

    name: str
    chip: Chip
    shape: tuple[int, ...]
    devices: Sequence[jax.Device]

    @property
    def hosts(self) -> int:
        """How many processes drive the chips."""
        return processes_of(self.devices)

    @property
    def interconnect(self) -> float:
        """The bytes that a chip sends to the others in a second, by the slowest of the ways."""
        between_hosts = self.chip.backend == "gpu" and self.hosts > 1
        return self.chip.network if between_hosts else self.chip.interconnect


def parse(name: str) -> tuple[Chip, tuple[int, ...]]:
    """Returns the chip that a name is of, and how many there are along each axis.

    Args:
      name: such as v5e:2x4 (TPUs along each axis), v4-32 (a TPU type, whose number counts cores
        for v4 and v5p and chips for v5e and v6e) or h100x8 (GPUs, 8 of which are one host).

    Raises:
      UserError: it is none of these.
    """
    match = re.fullmatch(r"(v\d+[a-z]*)(?::(\d+(?:x\d+)+)|-(\d+))|([a-z]+\d+)(?:x(\d+))?", name)
    kind = (match[1] or match[4]) if match else ""
    chip = CHIPS.get(kind)
    if not match or chip is None or (chip.backend == "tpu") != bool(match[1]):
        raise UserError(
            f"--topology={name!r} is not known: give one such as {KNOWN}; the chips are "
            f"{', '.join(CHIPS)}"
        )
    if chip.backend == "gpu":
        return chip, _hosts_and_gpus(name, int(match[5] or 1))
    if match[2]:
        shape = tuple(map(int, match[2].split("x")))
    else:
        shape = _usual_shape(name, chip, int(match[3]))
    if len(shape) != chip.dimensions or min(shape) < 1:
        like = "2x2x4" if chip.dimensions == 3 else "2x4"
        raise UserError(
            f"--topology={name}: {chip.name} has {chip.dimensions} axes, so give {chip.name}:{like}"
        )
    if math.prod(shape) > chip.pod:
        raise UserError(f"--topology={name}: there are at most {chip.pod:,} chips of {chip.name}")
    return chip, shape


def open_slice(name: str) -> Slice:
    """Returns the slice of a name, with its devices.

    Raises:
      UserError: the name is not known, there is no such slice, or what compiles for it is not
        installed.
    """
    chip, shape = parse(name)
    devices = _tpus(name, chip, shape) if chip.backend == "tpu" else _gpus(chip, shape)
    return Slice(name, chip, shape, devices)


def _hosts_and_gpus(name: str, count: int) -> tuple[int, int]:
    hosts = -(-count // GPUS_OF_HOST)
    if count < 1 or count % hosts:
        raise UserError(
            f"--topology={name}: {count} GPUs are no whole hosts: give 1 to {GPUS_OF_HOST}, or a "
            f"multiple of {GPUS_OF_HOST}"
        )
    return hosts, count // hosts


def _usual_shape(name: str, chip: Chip, number: int) -> tuple[int, ...]:
    """Returns the shape of a slice that is named by its number of cores or chips."""
    chips = number // chip.cores_in_name
    if chip.dimensions == 2 and chips in FLAT:
        return FLAT[chips]
    power = chips.bit_length() - 1
    if chip.dimensions == 3 and number == chip.cores_in_name * 2**power and power >= 2:
        # 2x2x1, 2x2x2, 2x2x4, 2x4x4, 4x4x4, 4x4x8 and so on: no side is more than twice another,
        # but for the smallest.
        sides = [2, 2, 1] if power == 2 else [2, 2, 2]
        for k in range(power - 3):
            sides[2 - k % 3] *= 2
        return tuple(sides)
    sizes = [chip.cores_in_name * size for size in (FLAT if chip.dimensions == 2 else (4, 8, 16))]
    raise UserError(
        f"--topology={name} is no usual slice: {chip.name}-N has N = {', '.join(map(str, sizes))}"
        f"{'' if chip.dimensions == 2 else ' and so on'}; others are given by their shape"
    )


# Devices -------------------------------------------------------------------------------


def _tpus(name: str, chip: Chip, shape: tuple[int, ...]) -> Sequence[jax.Device]:
    from jax.experimental import topologies

    check_libtpu()
    # A host of v5e and v6e has up to 8 chips where it is alone, and 4 in a larger slice.
    alone = math.prod(shape) <= 8 and chip.dimensions == 2
    width, height = shape[:2] if alone else (min(2, side) for side in shape[:2])
    options: dict[str, object] = {"chips_per_host_bounds": (width, height, 1)}
    if chip.name == "v4":
        options["chip_config_name"] = "megacore"  # two cores as one device, as on Cloud TPU
    text = f"{chip.name}:{'x'.join(map(str, shape))}"
    try:
        found = topologies.get_topology_desc(platform="tpu", topology_name=text, **options)
    except jax.errors.JaxRuntimeError as error:
        raise UserError(
            f"--topology={name}: there is no such slice ({first_line(error)})"
        ) from None
    devices: Sequence[jax.Device] = found.devices
    return devices


def check_libtpu() -> None:
    """Refuses to begin where the compiler for TPUs is not installed.

    Raises:
      UserError: with what installs it.
    """
    if importlib.util.find_spec("libtpu") is None:
        raise UserError(
            "libtpu is not installed, which compiles for TPUs (137 MB; no TPU is needed): "
            f"{install('compile')}{_fitting_libtpu()}"
        )


def _fitting_libtpu() -> str:
    """Says which version of libtpu the installed JAX asks for."""
    wanted = [line for line in importlib.metadata.requires("jax") or () if "libtpu" in line]
    return f" (JAX {jax.__version__} asks for {wanted[0].split(';')[0].strip()})" if wanted else ""


def _gpus(chip: Chip, shape: tuple[int, ...]) -> Sequence[jax.Device]:
    from jax.experimental import topologies

    if importlib.util.find_spec("jax_cuda12_plugin") is None:
        raise UserError(
            "the CUDA plugin of JAX is not installed, which compiles for GPUs (6 GB of disk; no "
            f"GPU is needed): pip install 'jax-cuda12-plugin[with-cuda]=={jax.__version__}'"
        )
    hosts, gpus = shape
    found = topologies.get_topology_desc(
        platform="cuda", target_config=target_config(chip), topology=f"1x{hosts}x{gpus}"
    )
    devices: Sequence[jax.Device] = found.devices
    return devices


def target_config(chip: Chip) -> str:
    """Returns what XLA has to know of a GPU, as the text of its `GpuTargetConfigProto`."""
    gpu = chip.gpu
    if gpu is None:
        raise ValueError(f"{chip.name} is no GPU")
    major, minor = gpu.capability
    return f"""
gpu_device_info {{
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048
  shared_memory_per_block: 49152 shared_memory_per_core: {gpu.shared_memory}
  shared_memory_per_block_optin: {gpu.shared_memory - 1024}
  core_count: {gpu.cores} fpus_per_core: {gpu.fpus_per_core} clock_rate_ghz: {gpu.clock_ghz}
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  memory_bandwidth: {int(chip.bandwidth)} l2_cache_size: {gpu.l2_cache}
  device_memory_size: {int(chip.memory_bytes / GPU_SHARE)}
  cuda_compute_capability {{ major: {major} minor: {minor} }}
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 10 }}
device_description_str: "{gpu.name}"
"""
