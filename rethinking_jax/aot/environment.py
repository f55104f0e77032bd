"""What has to stand in the environment before JAX is imported, to compile for chips elsewhere."""

import os

# Nothing here may be looked for: neither devices nor the machine that a TPU belongs to. libtpu
# would also write files of its own and warnings. JAX cannot read such programs from its cache.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_COMPILATION_CACHE": "false",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-8",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_LOG_DIR": "disabled",
    "TPU_MIN_LOG_LEVEL": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# XLA compiles Inception V3 in a minute so, and else in many; its peak memory is a little larger.
LEVEL, QUICKLY = "JAX_OPTIMIZATION_LEVEL", "O0"


def prepare() -> None:
    """Sets the environment of this process; the level of optimization stays where it is given."""
    os.environ.update(ENVIRONMENT)
    os.environ.setdefault(LEVEL, QUICKLY)
