"""All that is found out about a config on some chips, as JSON has it."""

import importlib.metadata
from collections.abc import Sequence

import jax
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.aot.cost import costs
from rethinking_jax.aot.find_batch import find_batch
from rethinking_jax.aot.plan import Record, Say, plan, train_peak
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
    """Adds the batches that were tried, and the largest of them that fits, None where none does."""
    own = [member for member in members if member.name in group["names"]]
    parts = group["mesh"]["data"] * own[0].config.accumulate

    def peak_of(batch_size: int) -> int | None:
        say(f"compiling with batches of {batch_size:,}")
        return train_peak([_with_batch(one, batch_size) for one in own], target)

    memory = target.chip.memory_bytes
    tried = find_batch(group["batch_size"], parts, group["examples"], memory, peak_of)
    largest = max((size for size, peak in tried.items() if peak is not None), default=None)
    shown = [{"batch_size": size, "peak": peak} for size, peak in tried.items()]
    return group | {"tried_batches": shown, "largest_batch": largest}


def _with_batch(member: configs.Member, batch_size: int) -> configs.Member:
    config = member.config.copy_and_resolve_references()
    config.batch_size = batch_size
    return member._replace(config=config)
