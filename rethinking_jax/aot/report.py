"""All that is found out about a config on some chips, as JSON has it."""

import importlib.metadata
from collections.abc import Sequence

import jax
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.aot.cost import costs
from rethinking_jax.aot.find_batch import find_batch
from rethinking_jax.aot.plan import Record, Say, plan
from rethinking_jax.aot.topology import Slice
from rethinking_jax.host.environment import versions
from rethinking_jax.host.flags import settled


@settled()
def report_of(
    config: ConfigDict, target: Slice, price: float | None, largest: bool, say: Say
) -> Record:
    """Compiles a config for some chips, and says what it is there.

    Args:
      config: of runs that train.
      target: the chips.
      price: of one chip for an hour; None: it is not known.
      largest: whether the largest batch is looked for, too.
      say: is given lines of progress.

    Returns:
      A dictionary of versions, the chips, `groups` (see `plan`) and `costs`.

    Raises:
      UserError: a data set is not known, or a batch cannot be parted among the chips.
      RunFailed: XLA cannot compile a program.
    """
    members = configs.members(config)
    groups = plan(members, target, say)
    if largest:
        groups = [_with_largest_batch(group, members, target, say) for group in groups]
    chip = target.chip
    compiler = "libtpu" if chip.backend == "tpu" else "jax-cuda12-plugin"
    return {
        "experiment": config.experiment,
        "versions": {**versions(), compiler: importlib.metadata.version(compiler)},
        "optimization": str(jax.config.values["jax_optimization_level"]),
        "topology": {
            "name": target.name,
            "chip": chip.name,
            "chips": len(target.devices),
            "hosts": target.hosts,
            "memory_bytes": chip.memory_bytes,
            "flops": chip.flops,
            "bandwidth": chip.bandwidth,
            "interconnect": target.interconnect,
            "source": chip.source,
        },
        "price_per_hour": price,
        "groups": groups,
        "costs": costs(groups, target, price),
    }


def _with_largest_batch(
    group: Record, members: Sequence[configs.Member], target: Slice, say: Say
) -> Record:
    own = [member for member in members if member.name in group["names"]]
    parts = group["mesh"]["data"] * own[0].config.accumulate
    found, tried = find_batch(
        own, parts, group["examples"], lambda changed: plan(changed, target, say)[0]
    )
    return group | {"tried_batches": tried, "largest_batch": found and found["batch_size"]}
