"""A program of several processes for the tests: a sum over all devices, again and again.

python psum.py ROUNDS [SECONDS_TO_WAIT], with the flags' values in COORDINATOR, COUNT and INDEX
or found in the environment. Prints `sum S over D devices in P processes` after the last round,
and ends as `rethinking_jax.main` does. A dead process is noticed within 10 seconds.
"""

import os
import sys
import time

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rethinking_jax.errors import UserError
from rethinking_jax.host import distributed
from rethinking_jax.main import _fail, _reason


def rounds(number: int) -> float:
    """The sum of 1, 2, ... over the devices, `number` times."""
    mesh = Mesh(np.array(jax.devices()), ("data",))
    over_all = NamedSharding(mesh, PartitionSpec("data"))
    add = jax.jit(lambda x: x.sum(), out_shardings=NamedSharding(mesh, PartitionSpec()))
    whole = np.arange(1, mesh.size + 1, dtype=np.float32)
    total = 0.0
    for _ in range(number):
        numbers = jax.make_array_from_callback(whole.shape, over_all, lambda at: whole[at])
        total = float(add(numbers))
        print("round", flush=True)
        time.sleep(0.05)
    return total


def main() -> int:
    distributed.HEARTBEAT_SECONDS = 10
    given = (os.environ.get(name) for name in ("COORDINATOR", "COUNT", "INDEX"))
    address, count, index = given
    wait = float(sys.argv[2]) if len(sys.argv) > 2 else distributed.WAIT_SECONDS
    try:
        distributed.start(address or "", count and int(count), index and int(index),
                          wait_seconds=wait)  # fmt: skip
        total = rounds(int(sys.argv[1]))
    except UserError as error:
        return distributed.finish(_fail(error, 2))
    except Exception as error:
        code = _fail(_reason(error, "x", "x"), 1)
        return distributed.finish(code, agreed=False, lost=distributed.is_lost(error))
    if jax.process_index() == 0:
        print(f"sum {total:g} over {jax.device_count()} devices in {jax.process_count()} processes")
    return distributed.finish(0)


if __name__ == "__main__":
    sys.exit(main())
