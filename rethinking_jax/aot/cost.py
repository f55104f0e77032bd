"""What a whole config costs: hours, chip-hours and money, at several shares of the bound."""

from collections.abc import Sequence

from rethinking_jax.aot.plan import Record
from rethinking_jax.aot.topology import Slice

# Shares of the roofline: the bound itself, and what public trainings of ResNet-50 reach.
SHARES = (1.0, 0.75, 0.45)


def costs(groups: Sequence[Record], target: Slice, price: float | None) -> list[Record] | None:
    """Returns hours, chip-hours and money of all runs, for each of `SHARES`.

    Args:
      groups: see `rethinking_jax.aot.plan.plan`.
      target: the chips, all of which are paid for.
      price: of one chip for an hour; None: no money is named.

    Returns:
      None where a group does not fit.
    """
    if not all(group["fits"] for group in groups):
        return None
    least = sum(group["seconds"] for group in groups) / 3600
    found = []
    for share in SHARES:
        chip_hours = least / share * len(target.devices)
        record = {"share": share, "hours": least / share, "chip_hours": chip_hours}
        found.append(record if price is None else record | {"money": chip_hours * price})
    return found
