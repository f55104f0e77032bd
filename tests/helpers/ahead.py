"""A program for tests: compiles some configs for chips that are not here, and prints what came.

python ahead.py CASES, where CASES is JSON: a list of {"topology": NAME, "config": {KEY: VALUE}}, or
{"topology": NAME, "rows": BATCH_SIZE} for what each process reads of a batch. It prints a JSON list
of reports (`rethinking_jax.aot.report`), or of {"error": ...} where a case is refused.
"""

import json
import random
import sys

from rethinking_jax.aot import environment

environment.prepare()

import jax  # noqa: E402
import numpy as np  # noqa: E402
from jax.sharding import Mesh  # noqa: E402

from rethinking_jax import config as configs  # noqa: E402
from rethinking_jax.aot.report import report_of  # noqa: E402
from rethinking_jax.aot.topology import open_slice  # noqa: E402
from rethinking_jax.errors import UserError  # noqa: E402
from rethinking_jax.sweep.mesh import make_mesh, rows_of  # noqa: E402


def compiled(topology: str, changes: dict) -> dict:
    config = configs.base_config()
    config.experiment, config.dataset, config.epochs = "test", "cifar10", 1
    config.update(changes)
    return report_of(config, open_slice(topology), None, False, lambda line: None)


def rows(topology: str, batch_size: int) -> dict:
    """The stretches of all processes, in the order of the slice and mixed, and a mesh as mixed."""
    devices = list(open_slice(topology).devices)
    mixed = random.Random(0).sample(devices, len(devices))
    found = {}
    for name, order in (("natural", devices), ("mixed", mixed)):
        mesh = make_mesh(order, 1, len(order))
        stretches = [rows_of(process, batch_size, mesh) for process in processes(devices)]
        found[name] = sorted((one.start, one.stop) for one in stretches)
    raw = Mesh(np.array(mixed).reshape(1, -1), ("member", "data"))
    try:
        [rows_of(process, batch_size, raw) for process in processes(devices)]
        found["refused"] = ""
    except ValueError as error:
        found["refused"] = str(error)
    return found


def processes(devices: list[jax.Device]) -> list[int]:
    return sorted({device.process_index for device in devices})


def answer(case: dict) -> dict:
    try:
        if "rows" in case:
            return rows(case["topology"], case["rows"])
        return compiled(case["topology"], case["config"])
    except UserError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps([answer(case) for case in json.loads(sys.argv[1])]))
