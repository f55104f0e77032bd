"""What accelerators can do, by their makers' pages."""

from typing import NamedTuple

GIB = 2**30


class Gpu(NamedTuple):
    """What XLA has to know of a GPU to compile for it, as the device itself would say it.

    Attributes:
      name: what its driver calls it.
      capability: its CUDA compute capability.
      cores: its streaming multiprocessors.
      fpus_per_core: float32 units of each.
      shared_memory: bytes of shared memory of each; a block may have 1,024 fewer.
      l2_cache: bytes.
      clock_ghz: its highest clock.
    """

    name: str
    capability: tuple[int, int]
    cores: int
    fpus_per_core: int
    shared_memory: int
    l2_cache: int
    clock_ghz: float


class Chip(NamedTuple):
    """One accelerator; a rate is in units per second.

    Attributes:
      name: what `--topology` calls it.
      backend: "tpu" or "gpu".
      memory_bytes: what a program may take of its memory. Of a TPU it is what XLA's compiler says
        that it has, a little less than the maker says; of a GPU the share that JAX takes.
      flops: the peak of products of bfloat16.
      bandwidth: bytes to and from its memory.
      interconnect: bytes that it sends to other chips of its slice, by all its links; of a GPU
        those to others of its host.
      source: where these numbers are published.
      dimensions: of a TPU, the axes of its network.
      cores_in_name: of a TPU, what the number in a name such as v4-32 counts for each chip.
      pod: of a TPU, how many chips there are in one network.
      network: of a GPU, bytes that it sends to other hosts.
      gpu: of a GPU, what XLA has to know.
    """

    name: str
    backend: str
    memory_bytes: int
    flops: float
    bandwidth: float
    interconnect: float
    source: str
    dimensions: int = 0
    cores_in_name: int = 1
    pod: int = 0
    network: float = 0.0
    gpu: Gpu | None = None


# A GPU's network is that of a host with an adapter for each: of 200 Gb/s for an A100, else of 400.
# The share of a GPU's memory that JAX takes, unless XLA_PYTHON_CLIENT_MEM_FRACTION says another.
GPU_SHARE = 0.75
_TPU = "https://docs.cloud.google.com/tpu/docs/"
_H100 = "https://www.nvidia.com/en-us/data-center/h100/"
_H200 = "https://www.nvidia.com/en-us/data-center/h200/"
_A100 = "https://www.nvidia.com/en-us/data-center/a100/"

CHIPS = {
    chip.name: chip
    for chip in (
        Chip("v4", "tpu", int(30.75 * GIB), 275e12, 1200e9, 300e9, f"{_TPU}v4", 3, 2, 4096),
        Chip("v5e", "tpu", int(15.75 * GIB), 197e12, 819e9, 200e9, f"{_TPU}v5e", 2, 1, 256),
        Chip("v5p", "tpu", int(95.74 * GIB), 459e12, 2765e9, 600e9, f"{_TPU}v5p", 3, 2, 8960),
        Chip("v6e", "tpu", int(31.25 * GIB), 918e12, 1640e9, 400e9, f"{_TPU}v6e", 2, 1, 256),
        Chip("a100", "gpu", int(GPU_SHARE * 85_100_068_864), 312e12, 2039e9, 300e9, _A100,
             network=25e9,
             gpu=Gpu("NVIDIA A100-SXM4-80GB", (8, 0), 108, 64, 167_936, 41_943_040, 1.41)),
        Chip("h100", "gpu", int(GPU_SHARE * 84_942_979_072), 989e12, 3350e9, 450e9, _H100,
             network=50e9,
             gpu=Gpu("NVIDIA H100 80GB HBM3", (9, 0), 132, 128, 233_472, 52_428_800, 1.98)),
        Chip("h200", "gpu", int(GPU_SHARE * 151_397_597_184), 989e12, 4800e9, 450e9, _H200,
             network=50e9,
             gpu=Gpu("NVIDIA H200", (9, 0), 132, 128, 233_472, 52_428_800, 1.98)),
    )
}  # fmt: skip
