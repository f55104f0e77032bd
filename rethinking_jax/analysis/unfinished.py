"""A workdir of runs that are not through: how far each has come, and what can be said already."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ml_collections import ConfigDict

from rethinking_jax.analysis.results import Family, Results, families, series
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir import damage, metrics
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Json, Line, text_of
from rethinking_jax.workdir.storage import AnyPath, check_readable

if TYPE_CHECKING:
    from rethinking_jax.config import Member

FINISHED, DIVERGED, RUNNING, STOPPED, WAITING = (
    "finished",
    "diverged",
    "running",
    "stopped",
    "waiting",
)
NOT_KNOWN_YET = "not finished"  # in the place of the device, as a summary has it
STANDING = (
    Column("run", "name"),
    Column("state", "state", words=True),
    Column("epoch", "epoch", "{:,}"),
    Column("of at most", "epochs", "{:,}"),
    Column("train acc.", "train_accuracy", text_of),
    Column("test acc.", "test_accuracy", text_of),
    Column("best test", "best_test_accuracy", text_of),
)


class Unfinished(NamedTuple):
    """What a workdir holds before it has a summary.

    Attributes:
      results: all its runs; one that waits has no lines, and the summary only what is known.
      states: what each run does, by its name.
      owner: what the command says of itself that works there; {} where none does.
    """

    results: Results
    states: dict[str, str]
    owner: Json

    @property
    def through(self) -> str:
        """How many runs are through, in words."""
        return _through(self, self.states)

    @property
    def told(self) -> str:
        """Where it stands, in words: "running, 3 of 18 runs through, NAME at epoch 7 of 100"."""
        words = [RUNNING if self.owner else STOPPED, self.through]
        at = [
            f"{member['name']} at epoch {member.get('epochs', 0)} of {config['epochs']}"
            for member, config in zip(
                self.results.summary["members"], self.results.configs, strict=True
            )
            if self.states[member["name"]] in (RUNNING, STOPPED)
        ]
        more = [f"{len(at) - 1} more"] if at[1:] else []
        return ", ".join([*words, *at[:1], *more])


def is_unfinished(workdir: AnyPath) -> bool:
    """Says whether a workdir is that of runs that were begun and have no summary yet."""
    config = workdir / "config.json"
    if (workdir / "summary.json").exists() or not config.exists():
        return False
    return "kind" not in (Folder(workdir, {}, dict).stored_config() or {})


def read(workdir: AnyPath) -> Unfinished:
    """Reads a workdir that `is_unfinished`, and writes and locks nothing.

    Raises:
      UserError: a file in it cannot be understood.
    """
    check_readable(workdir)
    damage.check_places(workdir)
    try:
        return _read(workdir)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{workdir / 'config.json'} is damaged ({first_line(error)})") from None


def is_through(found: Unfinished) -> bool:
    """Says whether every run is through, so that its command is about to write all results."""
    return all(map(_ends, found.states.values()))


def ended(found: Unfinished) -> Results:
    """Returns the runs alone that are through."""
    return _only(found.results, [name for name, one in found.states.items() if _ends(one)])


def begun(found: Unfinished) -> Results:
    """Returns the runs alone that have measured an epoch."""
    return _only(found.results, [name for name, own in found.results.lines.items() if own])


def so_far(found: Unfinished) -> Results:
    """Returns what learning curves are drawn of: of seeds those that have come furthest.

    Those of one curve end where the first of them does, or one that has just begun would be
    drawn to the end of those that are through.
    """
    lines = found.results.lines
    chosen: dict[str, list[Line]] = {}
    for group in (group for one in series(found.results) for group in one.groups):
        names = [member["name"] for member in group.members if lines[member["name"]]]
        through = [name for name in names if _ends(found.states[name])]
        least = min((len(lines[name]) for name in names), default=0)
        chosen |= {name: lines[name][: None if through else least] for name in through or names}
    return _only(found.results, chosen)._replace(lines=chosen)


def parted_families(found: Unfinished) -> tuple[list[Family], list[Family]]:
    """Returns the families all of whose runs are through, and then the others."""
    all_families = families(series(found.results))
    through = [all(_ends(found.states[name]) for name in _names(one)) for one in all_families]
    pairs = list(zip(all_families, through, strict=True))
    return [one for one, ends in pairs if ends], [one for one, ends in pairs if not ends]


def waited_for(found: Unfinished, family: Family) -> str:
    """Says how far the runs of a family are: "mlp_1x512 (2 of 9 runs through)"."""
    return f"{family.name} ({_through(found, _names(family))})"


def standing_table(found: Unfinished) -> Table:
    """Makes the table of where each run stands."""
    rows = []
    for member, config in zip(found.results.summary["members"], found.results.configs, strict=True):
        epoch, state = member.get("epochs", 0), found.states[member["name"]]
        rows.append({**member, "state": state, "epoch": epoch, "epochs": config["epochs"]})
    return table("standing", "Where it stands", STANDING, rows)


def _read(workdir: AnyPath) -> Unfinished:
    from rethinking_jax import config as configs  # imports JAX, and so does the next
    from rethinking_jax.workdir import owner

    folder = Folder(workdir, {}, configs.identity_of)
    plain = folder.stored_config() or {}
    config = configs.from_json(plain)
    members = configs.named_as_begun(config, configs.members(config, check=None), folder.names)
    found = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    lines = {name: found.get(name, []) for name, _ in members}
    for name, own in members:
        if flaw := metrics.flaw(lines[name], own):
            raise UserError(
                f"{workdir / 'metrics.jsonl'} has {flaw}: the command that started it, with "
                f"--workdir={workdir}, mends it"
            )
    working = owner.current(workdir)
    states = _states(members, lines, folder.chunks(), bool(working))
    summary = {
        **_of_data(folder, plain),
        "members": [_described(name, own, lines[name]) for name, own in members],
    }
    return Unfinished(Results(summary, lines, plain), states, working)


def ends_of(found: Results) -> dict[str, str]:
    """Returns how each run ended, by its name, given those of a finished workdir."""
    return {name: _end(lines[-1]) for name, lines in found.lines.items()}


def _end(line: Line) -> str:
    """Returns the state of a run that is through, given its last line."""
    return DIVERGED if metrics.diverged(line) else FINISHED


def _ends(state: str) -> bool:
    return state in (FINISHED, DIVERGED)


def _names(family: Family) -> list[str]:
    groups = [group for one in family.series for group in one.groups]
    return [member["name"] for group in groups for member in group.members]


def _through(found: Unfinished, names: Collection[str]) -> str:
    """Says how many of some runs are through."""
    count = sum(_ends(found.states[name]) for name in names)
    return f"{count} of {len(names)} runs through"


def _only(results: Results, names: Collection[str]) -> Results:
    """Returns the results of some runs alone."""
    members = results.summary["members"]
    kept = [i for i, member in enumerate(members) if member["name"] in names]
    sweep = [results.config["sweep"][i] for i in kept] if results.config["sweep"] else []
    summary = {**results.summary, "members": [members[i] for i in kept]}
    return results._replace(summary=summary, config={**results.config, "sweep": sweep})


def _states(
    members: "Sequence[Member]",
    lines: Mapping[str, Sequence[Line]],
    chunks: Sequence[Sequence[str]],
    working: bool,
) -> dict[str, str]:
    """Returns what each run does: of those that train together the first not through, if any."""
    ends = {
        name: _end(lines[name][-1]) for name, own in members if metrics.finished(lines[name], own)
    }
    now = next((names for names in chunks if not ends.keys() >= set(names)), [])

    def state(name: str) -> str:
        if working:
            return RUNNING if name in now else WAITING
        return STOPPED if lines[name] else WAITING

    return {name: ends.get(name) or state(name) for name, _ in members}


def _of_data(folder: Folder, plain: Json) -> Json:
    """Returns what a summary says of all runs, where that is known before they are through."""
    datasets = [{**plain, **run}["dataset"] for run in plain["sweep"] or [{}]]
    known: Json = {"experiment": plain["experiment"], "dataset": ", ".join(dict.fromkeys(datasets))}
    for first in folder.training_sets()[:1]:
        counts = {f"{split}_examples": own["examples"] for split, own in first.digests.items()}
        known |= {"num_classes": first.num_classes, **counts}
    return {**known, "device": NOT_KNOWN_YET}


def _described(name: str, config: ConfigDict, lines: Sequence[Line]) -> Json:
    """Returns what a summary says of a run, where that is known before it is through."""
    corruption = CORRUPTIONS.get(config.corruption)  # None: added in another session
    noise = config.label_noise
    return {
        "name": name,
        "model": config.model,
        "corruption": config.corruption,
        "seed": config.seed,
        "label_noise": float(corruption.probability(noise) if corruption else noise),
        **(metrics.outcome(lines, config.fit_threshold) if lines else {}),
    }
