"""The shares of sweeps among the workdirs of a report, as the sweeps that they are together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath

if TYPE_CHECKING:
    from rethinking_jax.analysis.findings import TheoryResults
    from rethinking_jax.analysis.results import Results
    from rethinking_jax.analysis.unfinished import Unfinished

    Found: TypeAlias = Results | TheoryResults | Unfinished


def in_place(several: "Mapping[AnyPath, Found]") -> "dict[AnyPath, Found]":
    """Returns what workdirs hold, the shares of each sweep as one, in the place of their first.

    Raises:
      UserError: shares cannot be joined, see `rethinking_jax.analysis.shares`.
    """
    found = shares_of(several)
    if not found:
        return dict(several)
    from rethinking_jax.analysis import shares

    groups = shares.by_sweep(found)
    sweeps = {next(iter(group)): shares.joined(group) for group in groups}
    kept = [workdir for workdir in several if workdir in sweeps or workdir not in found]
    return {workdir: sweeps.get(workdir, several[workdir]) for workdir in kept}


def whole(several: "Mapping[AnyPath, Found]", option: str) -> "Results | Unfinished":
    """Returns the sweep whose shares workdirs hold; `option` is what asks for it.

    Raises:
      UserError: they are not the shares of one sweep.
    """
    from rethinking_jax.analysis import shares

    found = shares_of(several)
    other = next((workdir for workdir in several if workdir not in found), None)
    if other is not None:
        raise UserError(
            f"{option} is of shares of a sweep (--runs), and {other} is none: give one workdir, "
            "or the shares of one sweep"
        )
    groups = shares.by_sweep(found)
    if len(groups) > 1:
        first, second = (next(iter(group)) for group in groups[:2])
        raise UserError(
            f"{option} is of one sweep: {first} and {second} are shares of different ones"
        )
    return shares.joined(groups[0])


def shares_of(several: "Mapping[AnyPath, Found]") -> "dict[AnyPath, Results | Unfinished]":
    """Returns what is a share of a sweep, by its workdir."""
    from rethinking_jax.analysis.results import Results
    from rethinking_jax.analysis.unfinished import Unfinished

    return {
        workdir: found
        for workdir, found in several.items()
        if (isinstance(found, Results) and found.share)
        or (isinstance(found, Unfinished) and found.results.share)
    }
